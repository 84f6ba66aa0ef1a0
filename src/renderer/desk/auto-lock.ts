import type { Clock } from '../../base/clock.ts'
import type { Disposable } from '../../base/disposable.ts'

/** A lock that could not be done (the device does not answer, and this window has what nobody else has) is tried again this often. */
const RETRY_MS = 60_000
/** The clock and the timer round differently. */
const ROUNDING_MS = 50

/**
 * Locks a display that nobody has touched for a while. One timer, no ticking. Counts on the clock of the wall, which goes on
 * while the machine sleeps: a lid that was closed overnight opens on a lock screen.
 */
export class AutoLock implements Disposable {
  readonly #clock: Clock
  readonly #lock: () => Promise<void>
  #lastInputMs: number
  #limitMs = 0
  #timer: Disposable | undefined
  #isDisposed = false

  constructor(clock: Clock, lock: () => Promise<void>) {
    this.#clock = clock
    this.#lock = lock
    this.#lastInputMs = clock.nowMs()
  }

  /** Somebody is here. */
  touch(): void {
    this.#lastInputMs = this.#clock.nowMs()
  }

  /** From now on; 0: never. */
  setLimit(limitMs: number): void {
    if (limitMs === this.#limitMs) return
    this.#limitMs = limitMs
    this.#plan()
  }

  dispose(): void {
    this.#isDisposed = true
    this.#timer?.dispose()
  }

  #plan(): void {
    this.#timer?.dispose()
    if (this.#limitMs === 0 || this.#isDisposed) return
    const leftMs = this.#lastInputMs + this.#limitMs - this.#clock.nowMs()
    if (leftMs <= 0) void this.#lockNow()
    else this.#timer = this.#clock.after(leftMs + ROUNDING_MS, () => this.#plan())
  }

  async #lockNow(): Promise<void> {
    await this.#lock() // the page is gone once it worked
    this.#timer?.dispose()
    if (!this.#isDisposed) this.#timer = this.#clock.after(RETRY_MS, () => this.#plan())
  }
}
