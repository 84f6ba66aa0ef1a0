import type { Clock } from '../base/clock.ts'
import { IdentityError } from './identity-error.ts'

/** Wrong guesses after which pairing closes, and for how long they count. At 20 bits a guess, five in ten minutes is 1 in 200,000. */
export const MAX_FAILED_TRIES = 5
export const TRIES_WINDOW_MS = 10 * 60_000

/** Counts wrong guesses on this device, showing or typing (rule ID34). Lives as long as the device process. */
export class PairingTries {
  readonly #clock: Clock
  #failedAtMs: number[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  recordFailure(): void {
    this.#failedAtMs.push(this.#clock.monotonicMs())
  }

  /** @throws IdentityError `pairing/too-many-tries`  (message says how long) */
  requireOpen(): void {
    const nowMs = this.#clock.monotonicMs()
    this.#failedAtMs = this.#failedAtMs.filter((atMs) => nowMs - atMs < TRIES_WINDOW_MS)
    if (this.#failedAtMs.length < MAX_FAILED_TRIES) return
    const waitMs = TRIES_WINDOW_MS - (nowMs - (this.#failedAtMs[0] as number))
    throw new IdentityError(
      'pairing/too-many-tries',
      `${MAX_FAILED_TRIES} pairings failed within ten minutes; someone may be guessing. Pairing opens again in ${Math.ceil(waitMs / 60_000)} min`,
    )
  }
}
