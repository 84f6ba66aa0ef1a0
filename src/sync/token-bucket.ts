import type { Clock } from '../base/clock.ts'

/** Lets through `burst` at once and `perSecond` in the long run. */
export class TokenBucket {
  readonly #clock: Clock
  readonly #perSecond: number
  readonly #burst: number
  #tokens: number
  #atMs: number

  constructor(clock: Clock, limits: { readonly perSecond: number; readonly burst: number }) {
    this.#clock = clock
    this.#perSecond = limits.perSecond
    this.#burst = limits.burst
    this.#tokens = limits.burst
    this.#atMs = clock.monotonicMs()
  }

  /** @returns false  too fast; nothing was taken */
  take(amount: number): boolean {
    const now = this.#clock.monotonicMs()
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#atMs) / 1000) * this.#perSecond)
    this.#atMs = now
    if (amount > this.#tokens) return false
    this.#tokens -= amount
    return true
  }
}
