import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'

export type ConnectionName = 'live' | 'bulk'

/** Received bytes are confirmed when there are so many: a quarter of the live window. */
const CONFIRM_BYTES: Readonly<Record<ConnectionName, number>> = { live: 16 * 1024, bulk: 64 * 1024 }
/** On bulk also fewer, after this: on a slow path the window is less than that (link version 2). */
const CONFIRM_LATE_MS = 3

/**
 * Tells the peer how much of its windowed lanes has reached this process: at once when much has come, on bulk also what came
 * and stopped, since the other end's window turns on it (SY56).
 */
export class LinkConfirmations implements Disposable {
  readonly #clock: Clock
  readonly #confirm: (connection: ConnectionName, bytes: number) => void
  readonly #counts = { live: { bytes: 0, confirmed: 0 }, bulk: { bytes: 0, confirmed: 0 } }
  #late: Disposable | undefined

  /** @param confirm  says: so many bytes, counted from the connection's first */
  constructor(clock: Clock, confirm: (connection: ConnectionName, bytes: number) => void) {
    this.#clock = clock
    this.#confirm = confirm
  }

  received(connection: ConnectionName, bytes: number): void {
    const count = this.#counts[connection]
    count.bytes += bytes
    if (count.bytes - count.confirmed >= CONFIRM_BYTES[connection]) this.#confirmNow(connection)
    else if (connection === 'bulk') this.#late ??= this.#clock.after(CONFIRM_LATE_MS, () => this.#confirmNow('bulk'))
  }

  #confirmNow(connection: ConnectionName): void {
    if (connection === 'bulk') this.dispose()
    const count = this.#counts[connection]
    if (count.bytes === count.confirmed) return
    count.confirmed = count.bytes
    this.#confirm(connection, count.bytes)
  }

  dispose(): void {
    this.#late?.dispose()
    this.#late = undefined
  }
}
