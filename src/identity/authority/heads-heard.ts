import { fromUtf8, utf8 } from '../../base/bytes.ts'
import type { DeviceId } from '../../base/ids.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'
import type { AuthorityReport } from './authority-log.ts'

const SPACE = 'authority-heard'

/**
 * How many operations each device last said it holds. That number only grows; where it shrinks, a backup was put back or
 * somebody hides what was said (rule ID67).
 */
export class HeadsHeard {
  readonly #store: KeyValueStore

  constructor(store: KeyValueStore) {
    this.#store = store
  }

  /** @returns a report when the device knows less than it did. It is told once: the lower number is the one kept then. */
  hear(device: DeviceId, count: number): AuthorityReport | undefined {
    const kept = this.#store.get(SPACE, device)
    const before = kept ? Number(fromUtf8(kept)) : 0
    if (count !== before) this.#store.put(SPACE, device, utf8(`${count}`))
    return count < before ? { kind: 'rollback', device, before, now: count } : undefined
  }
}
