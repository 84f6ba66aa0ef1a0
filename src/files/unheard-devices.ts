import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { DeviceId } from '../base/ids.ts'
import type { DatasetStore } from './dataset-store.ts'

const [SPACE, KEY] = ['rebuild', 'unheard'] as const
/** Who was not heard for so long is not waited for (as rule GC4 has it). */
const LONGEST_MS = 90 * 86_400_000

interface Kept {
  readonly sinceMs: number
  readonly devices: readonly DeviceId[]
  /** Part of the logs was lost, and may be what nobody else has. */
  readonly isLossy?: boolean
}

/** The tree was made again: what is missing of it these devices may have. Call it in the transaction that ends that. */
export function noteUnheard(store: DatasetStore, devices: readonly DeviceId[], sinceMs: number, isLossy: boolean): void {
  const kept: Kept = { sinceMs, devices, isLossy: isLossy || keptIn(store)?.isLossy === true }
  store.putValue(SPACE, KEY, devices.length > 0 || kept.isLossy ? utf8(JSON.stringify(kept)) : undefined)
}

function keptIn(store: DatasetStore): Kept | undefined {
  const value = store.value(SPACE, KEY)
  return value && (JSON.parse(fromUtf8(value)) as Kept)
}

/**
 * Devices that were not heard since the tree was made again. Until they were, chunks may lie here that seem to be nobody's: what names
 * them was lost, and comes back. So nothing is let go of meanwhile; nor for as long when part of the logs was lost (rule DS12).
 */
export class UnheardDevices {
  readonly #store: DatasetStore
  readonly #nowMs: () => number
  #kept: Kept | undefined

  constructor(store: DatasetStore, nowMs: () => number) {
    this.#store = store
    this.#nowMs = nowMs
    this.#kept = keptIn(store)
  }

  /** What is to be waited for, and until when at most; undefined: nothing. @param isMember  devices that left are not waited for */
  waiting(isMember: (device: string) => boolean): { readonly devices: readonly DeviceId[]; readonly untilMs: number } | undefined {
    if (!this.#kept) return undefined
    const { sinceMs, isLossy } = this.#kept
    const untilMs = sinceMs + LONGEST_MS
    const devices = this.#kept.devices.filter(isMember)
    if (this.#nowMs() < untilMs && (isLossy || devices.length > 0)) return { devices: isLossy ? [] : devices, untilMs }
    this.#put({ sinceMs, devices: [] })
    return undefined
  }

  /** All that a device has to say was taken in. */
  hear(device: DeviceId): void {
    if (!this.#kept?.devices.includes(device)) return
    this.#put({ ...this.#kept, devices: this.#kept.devices.filter((one) => one !== device) })
  }

  #put(kept: Kept): void {
    this.#kept = kept.devices.length > 0 || kept.isLossy ? kept : undefined
    this.#store.putValue(SPACE, KEY, this.#kept && utf8(JSON.stringify(this.#kept)))
  }
}
