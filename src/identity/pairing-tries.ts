import type { Clock } from '../base/clock.ts'
import { IdentityError } from './identity-error.ts'

/** Wrong guesses after which pairing closes, and for how long they count. At 20 bits a guess, five in ten minutes is 1 in 200,000. */
export const MAX_FAILED_TRIES = 5
export const TRIES_WINDOW_MS = 10 * 60_000

/** Keeps when guesses failed, by the wall clock, over restarts. May throw: then they count until this process ends. */
export interface PairingTriesStore {
  read(): readonly number[]
  write(failedAtMs: readonly number[]): void
}

/**
 * Counts wrong guesses on this device, showing or typing (rule ID34). A restart forgets nothing: who can make a device start
 * anew must not get five more tries by it. Within one run the monotonic clock counts; over a restart the wall clock, and one
 * that was set back makes the wait longer, never shorter than ten minutes from when it was read.
 */
export class PairingTries {
  readonly #clock: Clock
  readonly #store: PairingTriesStore | undefined
  /** Monotonic; undefined until the store was read. */
  #failedAtMs: number[] | undefined

  constructor(clock: Clock, store?: PairingTriesStore) {
    this.#clock = clock
    this.#store = store
  }

  recordFailure(): void {
    const failed = this.#counting()
    failed.push(this.#clock.monotonicMs())
    const offsetMs = this.#clock.nowMs() - this.#clock.monotonicMs()
    this.#store?.write(failed.slice(-MAX_FAILED_TRIES).map((atMs) => Math.round(atMs + offsetMs)))
  }

  /** @throws IdentityError `pairing/too-many-tries`  (message says how long) */
  requireOpen(): void {
    const nowMs = this.#clock.monotonicMs()
    const failed = this.#counting()
    if (failed.length < MAX_FAILED_TRIES) return
    const waitMs = TRIES_WINDOW_MS - (nowMs - (failed.at(-MAX_FAILED_TRIES) as number))
    throw new IdentityError(
      'pairing/too-many-tries',
      `${MAX_FAILED_TRIES} pairings failed within ten minutes; someone may be guessing. Pairing opens again in ${Math.ceil(waitMs / 60_000)} min`,
    )
  }

  /** Those that still count, oldest first. */
  #counting(): number[] {
    const nowMs = this.#clock.monotonicMs()
    if (this.#failedAtMs === undefined) {
      const wallMs = this.#clock.nowMs()
      this.#failedAtMs = (this.#store?.read() ?? []).map((atMs) => nowMs - Math.max(0, wallMs - atMs)).sort((a, b) => a - b)
    }
    this.#failedAtMs = this.#failedAtMs.filter((atMs) => nowMs - atMs < TRIES_WINDOW_MS)
    return this.#failedAtMs
  }
}
