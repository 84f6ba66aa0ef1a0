import type { Clock } from '../base/clock.ts'

/** How long an attempt goes on without a word of who asked for it. */
export const LEASE_MS = 90_000
/** How often the asker renews: four tries before it is over. */
export const RENEW_MS = 20_000
/** What the asker waits before it may start another attempt: the lease and a tenth, since clocks run unevenly. */
export const ASKER_LEASE_MS = LEASE_MS * 1.1

/**
 * A promise of the executor to end an attempt that its asker no longer renews, held against two clocks: the monotonic one may
 * stand still while a laptop sleeps, the wall clock may be set (rule JB44). Whichever says more has passed counts.
 */
export class Lease {
  readonly #clock: Clock
  readonly #lengthMs: number
  #monotonicMs: number
  #wallMs: number

  constructor(clock: Clock, lengthMs: number = LEASE_MS) {
    this.#clock = clock
    this.#lengthMs = lengthMs
    this.#monotonicMs = clock.monotonicMs()
    this.#wallMs = clock.nowMs()
  }

  renew(): void {
    this.#monotonicMs = this.#clock.monotonicMs()
    this.#wallMs = this.#clock.nowMs()
  }

  /** Ms until it is over; 0 or less: it is. A wall clock that was set back counts by the monotonic one alone. */
  get leftMs(): number {
    const passedMs = Math.max(this.#clock.monotonicMs() - this.#monotonicMs, this.#clock.nowMs() - this.#wallMs)
    return this.#lengthMs - passedMs
  }
}
