import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'

/** One envelope per frame of a 60 Hz screen: nobody sees the difference. */
export const BATCH_MS = 16
/** While lanes are backed up: fewer, larger envelopes. */
export const SLOW_BATCH_MS = 100

/**
 * When to seal: at once after a quiet moment, then once per 16 ms (100 ms when lanes are backed up) while more comes
 * (rule SY34). Has no timer while nothing is pending.
 */
export class BatchTimer implements Disposable {
  readonly #clock: Clock
  readonly #seal: () => void
  #lastMs = Number.NEGATIVE_INFINITY
  #timer: Disposable | undefined

  constructor(clock: Clock, seal: () => void) {
    this.#clock = clock
    this.#seal = seal
  }

  /** Something is pending. */
  request(isBackedUp: boolean): void {
    if (this.#timer) return
    const spacingMs = isBackedUp ? SLOW_BATCH_MS : BATCH_MS
    const waitMs = this.#lastMs + spacingMs - this.#clock.monotonicMs()
    if (waitMs <= 0) this.#fire()
    else this.#timer = this.#clock.after(waitMs, () => this.#fire())
  }

  dispose(): void {
    this.#timer?.dispose()
    this.#timer = undefined
  }

  #fire(): void {
    this.#timer = undefined
    this.#lastMs = this.#clock.monotonicMs()
    this.#seal()
  }
}
