import type { Clock } from '../base/clock.ts'

/** What direct connections may let wait in the path: a key on the link waits in the same queue (issue 4: 20 ms at p95). */
export const TARGET_DELAY_MS = 8
/** Two parts: less would be one a round trip. */
const MIN_BYTES = 32 * 1024
const FIRST_BYTES = 128 * 1024
/** What a path of 80 ms and 150 MB/s holds, and a little. */
const MAX_BYTES = 16 * 1024 * 1024
/** A late answer may come from a busy process: the best of so many counts. */
const RECENT = 3
/** The path's own time is the shortest of the last two minutes: it may change its way. */
const BASE = { spanMs: 30_000, spans: 4 }

/**
 * How much may be on its way over direct connections. TCP fills whatever queue a path has, and what people do on the link waits
 * in it. So while bytes go out the link is asked how long it takes, beside them: as soon as that is TARGET_DELAY_MS more than the
 * path needs by itself, less goes out; lost packets, which cost TCP its own time and nobody else's, do not count.
 */
export class DirectWindow {
  readonly #clock: Clock
  #bytes = FIRST_BYTES
  #recent: number[] = []
  #base: { readonly fromMs: number; shortestMs: number }[] = []
  #wasFull = false
  #isUsed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get bytes(): number {
    return this.#bytes
  }

  /** So many bytes are on their way: a window nobody fills does not grow. */
  noteInFlight(bytes: number): void {
    if (bytes * 2 >= this.#bytes) this.#isUsed = true
  }

  /** The link took this long to answer, or has not answered for so long. */
  probed(tripMs: number): void {
    const nowMs = this.#clock.monotonicMs()
    const last = this.#base.at(-1)
    if (last === undefined || nowMs - last.fromMs >= BASE.spanMs) {
      this.#base = [...this.#base, { fromMs: nowMs, shortestMs: tripMs }].slice(-BASE.spans)
    } else last.shortestMs = Math.min(last.shortestMs, tripMs)
    this.#recent = [...this.#recent, tripMs].slice(-RECENT)
    const baseMs = Math.min(...this.#base.map(({ shortestMs }) => shortestMs))
    const delayMs = Math.min(...this.#recent) - baseMs
    if (delayMs > TARGET_DELAY_MS) {
      this.#wasFull = true
      // What is on its way takes base and delay to go through: so much of it would take base and target.
      this.#bytes *= Math.max(0.5, (baseMs + TARGET_DELAY_MS) / (baseMs + delayMs))
      this.#recent = [] // what was seen before it was narrowed says nothing of what is now
    } else if (this.#isUsed) this.#bytes *= this.#wasFull ? 1 + 0.25 * (1 - delayMs / TARGET_DELAY_MS) : 2
    this.#isUsed = false
    this.#bytes = Math.min(MAX_BYTES, Math.max(MIN_BYTES, this.#bytes))
  }
}
