import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { DeviceId } from '../base/ids.ts'
import type { DatasetStore } from './dataset-store.ts'

const [SPACE, KEY] = ['rebuild', 'unheard'] as const
/** Who was not heard for so long is not waited for (as rule GC4 has it). */
const LONGEST_MS = 90 * 86_400_000

interface Kept {
  readonly sinceMs: number
  readonly devices: readonly DeviceId[]
}

/** The tree was made again: what is missing of it these devices may have. Call it in the transaction that ends that. */
export function noteUnheard(store: DatasetStore, devices: readonly DeviceId[], sinceMs: number): void {
  const kept: Kept = { sinceMs, devices }
  store.putValue(SPACE, KEY, devices.length > 0 ? utf8(JSON.stringify(kept)) : undefined)
}

/**
 * Devices that were not heard since the tree was made again. Until they were, chunks may lie here that seem to be nobody's: what names
 * them was lost, and comes back. So nothing is let go of meanwhile (rule DS12).
 */
export class UnheardDevices {
  readonly #store: DatasetStore
  readonly #nowMs: () => number
  #kept: Kept | undefined

  constructor(store: DatasetStore, nowMs: () => number) {
    this.#store = store
    this.#nowMs = nowMs
    const value = store.value(SPACE, KEY)
    this.#kept = value && (JSON.parse(fromUtf8(value)) as Kept)
  }

  /** @param isMember  devices that left are not waited for */
  isAny(isMember: (device: string) => boolean): boolean {
    if (!this.#kept) return false
    if (this.#nowMs() - this.#kept.sinceMs < LONGEST_MS && this.#kept.devices.some(isMember)) return true
    this.#put([])
    return false
  }

  /** All that a device has to say was taken in. */
  hear(device: DeviceId): void {
    if (this.#kept?.devices.includes(device)) this.#put(this.#kept.devices.filter((one) => one !== device))
  }

  #put(devices: readonly DeviceId[]): void {
    const { sinceMs } = this.#kept as Kept
    this.#kept = devices.length > 0 ? { sinceMs, devices } : undefined
    noteUnheard(this.#store, devices, sinceMs)
  }
}
