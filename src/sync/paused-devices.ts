import { utf8 } from '../base/bytes.ts'
import type { DeviceId } from '../base/ids.ts'
import type { KeyValueStore } from '../base/key-value-store.ts'

const SPACE = 'paused-devices'

/**
 * Devices whose data folder was found copied: nothing more is taken from them until a person has said which copy is the
 * right one (rule SY33). Kept across restarts.
 */
export class PausedDevices {
  readonly #store: KeyValueStore
  readonly #paused: Set<DeviceId>

  constructor(store: KeyValueStore) {
    this.#store = store
    this.#paused = new Set(store.entries(SPACE).map(([device]) => device as DeviceId))
  }

  has(device: DeviceId): boolean {
    return this.#paused.has(device)
  }

  all(): readonly DeviceId[] {
    return [...this.#paused]
  }

  pause(device: DeviceId): void {
    if (this.#paused.has(device)) return
    this.#paused.add(device)
    this.#store.put(SPACE, device, utf8('1'))
  }

  /** The person has removed or renewed the copy. */
  resume(device: DeviceId): void {
    this.#paused.delete(device)
    this.#store.delete(SPACE, device)
  }
}
