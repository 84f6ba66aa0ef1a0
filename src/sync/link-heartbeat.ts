import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'

/** While the link is in use: a peer that died is missed within 3 to 4 s. */
export const BUSY_PERIOD_MS = 1_000
/** How long after its last message a link counts as in use. Whoever does something over a link is asking for its peer, so it need not be long. */
export const BUSY_FOR_MS = 5_000
/** While nothing is said: three questions a minute for both ends, about 1 kB with all headers. A peer that died is missed within 28 s. */
export const IDLE_PERIOD_MS = 20_000
/** On a quiet link the end that was knocked at lets the other ask; hearing a question is as good as an answer. */
export const YIELD_MS = 5_000
/** Unanswered beats after which the peer is gone. */
export const MAX_MISSED = 3

/** Measurements kept: half a minute of a busy link. */
const MAX_ROUND_TRIPS = 30

export interface HeartbeatOptions {
  readonly clock: Clock
  /** The other end asks while the link is quiet; this one only if it does not. */
  readonly yields: boolean
  readonly sendPing: (n: number) => void
  readonly onGone: () => void
}

/**
 * Asks the peer whether it is there, and measures the round trip (SY57). Counts missed beats, not time: a process that
 * was suspended or busy does not blame its peer for it.
 */
export class LinkHeartbeat implements Disposable {
  readonly #options: HeartbeatOptions
  #timer: Disposable | undefined
  #sent = { n: 0, atMs: 0, isAnswered: true }
  #heardSincePing = true
  #heardMs: number
  #missed = 0
  #busyUntilMs: number
  #dueMs = 0
  #isOver = false
  #roundTrips: number[] = []

  constructor(options: HeartbeatOptions) {
    this.#options = options
    this.#heardMs = options.clock.monotonicMs()
    this.#busyUntilMs = this.#heardMs + BUSY_FOR_MS
    this.#ping()
  }

  /** The last one measured. */
  get roundTripMs(): number | undefined {
    return this.#roundTrips.at(-1)
  }

  /** Anything at all came from the peer. */
  heard(): void {
    this.#heardMs = this.#options.clock.monotonicMs()
    this.#heardSincePing = true
    this.#missed = 0
  }

  pong(n: number): void {
    if (n !== this.#sent.n || this.#sent.isAnswered) return
    this.#sent.isAnswered = true
    this.#roundTrips = [...this.#roundTrips, this.#options.clock.monotonicMs() - this.#sent.atMs].slice(-MAX_ROUND_TRIPS)
  }

  /** A lane was used, either way: beats quicken. */
  touch(): void {
    const now = this.#options.clock.monotonicMs()
    this.#busyUntilMs = now + BUSY_FOR_MS
    if (this.#dueMs - now > BUSY_PERIOD_MS) this.#schedule(BUSY_PERIOD_MS)
  }

  /** The network may have changed: ask now rather than at the next beat. */
  probe(): void {
    if (!this.#isOver) this.#ping()
  }

  #ping(): void {
    this.#heardSincePing = false
    this.#sent = { n: this.#sent.n + 1, atMs: this.#options.clock.monotonicMs(), isAnswered: false }
    this.#options.sendPing(this.#sent.n)
    this.#schedule(BUSY_PERIOD_MS)
  }

  #beat(): void {
    if (this.#isOver) return
    if (this.#heardSincePing) {
      const quietMs = this.#quietMs
      if (quietMs > 0) this.#schedule(Math.max(quietMs, BUSY_PERIOD_MS))
      else this.#ping()
      return
    }
    this.#missed++
    if (this.#missed < MAX_MISSED) {
      this.#ping()
      return
    }
    this.dispose()
    this.#options.onGone()
  }

  /** How long nothing need be asked: not at all while in use, else until the peer has been silent for the idle period. */
  get #quietMs(): number {
    const now = this.#options.clock.monotonicMs()
    if (now < this.#busyUntilMs) return 0
    return this.#heardMs + IDLE_PERIOD_MS + (this.#options.yields ? YIELD_MS : 0) - now
  }

  #schedule(delayMs: number): void {
    this.#timer?.dispose()
    if (this.#isOver) return
    this.#dueMs = this.#options.clock.monotonicMs() + delayMs
    this.#timer = this.#options.clock.after(delayMs, () => this.#beat())
  }

  dispose(): void {
    this.#isOver = true
    this.#timer?.dispose()
  }
}
