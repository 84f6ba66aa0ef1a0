import type { Clock } from '../../base/clock.ts'
import type { Disposable } from '../../base/disposable.ts'

/** A lock that could not be done (the device does not answer, and this window has what nobody else has) is tried again this often. */
const RETRY_MS = 60_000
/** The clock and the timer round differently. */
const ROUNDING_MS = 50
/** Timers stand still while the machine sleeps: none runs for longer than this before the clock is read again. */
const LOOK_MS = 30_000

/**
 * Locks a display that nobody has touched for a while. Counts on the clock of the wall, which goes on while the machine
 * sleeps: a lid that was closed overnight locks with the first touch, and by itself soon after it was opened.
 */
export class AutoLock implements Disposable {
  readonly #clock: Clock
  readonly #lock: () => Promise<void>
  #lastInputMs: number
  #limitMs = 0
  #timer: Disposable | undefined
  /** It was tried since the last touch. */
  #tried = false
  #isDisposed = false

  constructor(clock: Clock, lock: () => Promise<void>) {
    this.#clock = clock
    this.#lock = lock
    this.#lastInputMs = clock.nowMs()
  }

  /** Somebody is here. Who comes when the time is up, while the timer slept with the machine, meets the lock. */
  touch(): void {
    const nowMs = this.#clock.nowMs()
    if (this.#limitMs > 0 && !this.#tried && nowMs - this.#lastInputMs >= this.#limitMs) return this.#plan()
    this.#tried = false
    this.#lastInputMs = nowMs
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
    else this.#timer = this.#clock.after(Math.min(leftMs + ROUNDING_MS, LOOK_MS), () => this.#plan())
  }

  async #lockNow(): Promise<void> {
    this.#tried = true
    await this.#lock() // the page is gone once it worked
    this.#timer?.dispose()
    if (!this.#isDisposed) this.#timer = this.#clock.after(RETRY_MS, () => this.#plan())
  }
}
