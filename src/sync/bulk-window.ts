import type { Clock } from '../base/clock.ts'

/** What bulk may wait in the path beyond the path's own time: a key waits behind it (SY56). */
export const TARGET_DELAY_MS = 8
/** Two frames: less would be one frame a round trip. */
export const MIN_BULK_WINDOW_BYTES = 32 * 1024
export const MAX_BULK_WINDOW_BYTES = 4 * 1024 * 1024
const FIRST_WINDOW_BYTES = 64 * 1024
/** No path is taken to be slower (8 Mbit/s) or faster than this: what it may hold for its own time, at least and at most. */
const PATH_BYTES_PER_MS = { least: 1_000, most: 50_000 }
/** Besides that, at most: measured on one link with a saturated files lane, 4 MiB gave session round trips of 10-15 ms, this 3 ms. */
const MOST_BYTES = 256 * 1024
/** Late confirmations may come from a busy process, not from a full path: the best of this long counts, and of so many at least. */
const RECENT = { forMs: 100, samples: 3 }
/** The path's own time is the shortest of the last two minutes: it may change its way. */
const BASE = { spanMs: 30_000, spans: 4 }
/** How far towards what the last measurement asks for in one round trip, and the most it grows by. */
const STEP = { gain: 0.5, growth: 1.25 }

/**
 * How much of bulk may be in flight on one connection. SCTP fills whatever queue a path has, seconds of it in a home router,
 * and keys wait in that same queue. So this watches how long bytes take until the peer's process confirms them, and holds
 * back as soon as that is TARGET_DELAY_MS more than the path needs by itself (as LEDBAT does, RFC 6817).
 */
export class BulkWindow {
  readonly #clock: Clock
  readonly #minBytes: number
  #bytes: number
  #sent = 0
  #confirmed = 0
  /** Frames under way: bytes sent when each had left, and when. */
  readonly #marks: { readonly total: number; readonly atMs: number }[] = []
  #recent: { readonly atMs: number; readonly tripMs: number }[] = []
  #base: { readonly fromMs: number; shortestMs: number }[] = []
  #wasFull = false

  /** @param minBytes  more than the other end lets come before it confirms */
  constructor(clock: Clock, minBytes = MIN_BULK_WINDOW_BYTES) {
    this.#clock = clock
    this.#minBytes = minBytes
    this.#bytes = Math.max(FIRST_WINDOW_BYTES, minBytes)
  }

  get bytes(): number {
    return this.#bytes
  }

  /** A frame was handed to the connection. */
  sent(bytes: number): void {
    this.#sent += bytes
    this.#marks.push({ total: this.#sent, atMs: this.#clock.monotonicMs() })
  }

  /** The peer has this many bytes, counted from the first. */
  confirmed(total: number): void {
    const inFlight = this.#sent - this.#confirmed
    const fresh = total - this.#confirmed
    this.#confirmed = total
    let index = this.#marks.findIndex((mark) => mark.total >= total)
    if (index < 0) index = this.#marks.length - 1
    const mark = this.#marks[index]
    this.#marks.splice(0, index + 1)
    if (mark === undefined || fresh <= 0) return
    const delayMs = this.#queueing(this.#clock.monotonicMs() - mark.atMs)
    this.#adapt(delayMs, fresh, inFlight)
  }

  #queueing(tripMs: number): number {
    const now = this.#clock.monotonicMs()
    const last = this.#base.at(-1)
    if (last === undefined || now - last.fromMs >= BASE.spanMs) {
      this.#base = [...this.#base, { fromMs: now, shortestMs: tripMs }].slice(-BASE.spans)
    } else last.shortestMs = Math.min(last.shortestMs, tripMs)
    const old = this.#recent.slice(1 - RECENT.samples)
    this.#recent = this.#recent.filter((one) => old.includes(one) || now - one.atMs < RECENT.forMs)
    this.#recent.push({ atMs: now, tripMs })
    return Math.min(...this.#recent.map((one) => one.tripMs)) - this.#baseMs
  }

  /** What the path takes by itself. */
  get #baseMs(): number {
    return Math.min(...this.#base.map(({ shortestMs }) => shortestMs))
  }

  #adapt(delayMs: number, fresh: number, inFlight: number): void {
    this.#wasFull ||= delayMs > TARGET_DELAY_MS
    const isUsed = inFlight * 2 >= this.#bytes
    if (!this.#wasFull) this.#bytes += isUsed ? fresh : 0
    else {
      // What is in flight takes base and delay to go through: so much of it would take base and target.
      const share = (this.#baseMs + TARGET_DELAY_MS) / Math.max(1, this.#baseMs + delayMs)
      const change = (Math.min(STEP.growth, share) - 1) * STEP.gain * fresh
      if (change < 0 || isUsed) this.#bytes += change
    }
    const least = Math.max(this.#minBytes, this.#baseMs * PATH_BYTES_PER_MS.least)
    const most = Math.min(MAX_BULK_WINDOW_BYTES, MOST_BYTES + this.#baseMs * PATH_BYTES_PER_MS.most)
    this.#bytes = Math.min(most, Math.max(least, this.#bytes))
  }
}
