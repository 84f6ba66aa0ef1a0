import type { Clock } from '../base/clock.ts'

/** What direct connections may let wait in the path while somebody is at work: a key on the link waits in the same queue. */
export const TARGET_DELAY_MS = 8
/** Two parts: less would be one a round trip. */
const MIN_BYTES = 32 * 1024
const FIRST_BYTES = 256 * 1024
/** What a path of 80 ms and 150 MB/s holds, and a little. */
const MAX_BYTES = 16 * 1024 * 1024
/** No path is taken to be slower than 8 Mbit/s. */
const LEAST_BYTES_PER_MS = 1_000
/** A late answer may come from a busy process, not from a full path: the best of this long counts, and of so many at least. */
const RECENT = { forMs: 120, samples: 4 }
/** The path's own time is the shortest of the last two minutes: it may change its way. */
const BASE = { spanMs: 30_000, spans: 4 }
/** Somebody is at work until so long after what the link carried last of it. */
const LIVE_MS = 3_000

/**
 * How much may be on its way over direct connections. TCP fills whatever queue a path has, and what people do on the link waits
 * in it. So while somebody is at work on this device, the link is asked how long it takes, beside the bytes that go out: as soon as
 * that is TARGET_DELAY_MS more than the path needs by itself, less goes out. Lost packets, which cost TCP its own time and nobody
 * else's, do not count. While nobody is, the path is TCP's.
 */
export class DirectWindow {
  readonly #clock: Clock
  #bytes = FIRST_BYTES
  #recent: { readonly atMs: number; readonly tripMs: number }[] = []
  #base: { readonly fromMs: number; shortestMs: number }[] = []
  #wasFull = false
  #isUsed = false
  #changedMs = Number.NEGATIVE_INFINITY
  #liveUntilMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Somebody is at work. */
  noteLive(): void {
    this.#liveUntilMs = this.#clock.monotonicMs() + LIVE_MS
  }

  /** So many bytes are on their way: a window nobody fills does not grow. */
  noteInFlight(bytes: number): void {
    if (bytes * 2 >= this.#bytes) this.#isUsed = true
  }

  /**
   * The link took this long to answer, or has not answered for so long. `isCostly`: what is sent costs so much of the processor that a
   * busy process is no excuse: the middle one of the recent answers counts, not the best.
   */
  probed(tripMs: number, isCostly = false): void {
    const nowMs = this.#clock.monotonicMs()
    const last = this.#base.at(-1)
    if (last === undefined || nowMs - last.fromMs >= BASE.spanMs) {
      this.#base = [...this.#base, { fromMs: nowMs, shortestMs: tripMs }].slice(-BASE.spans)
    } else last.shortestMs = Math.min(last.shortestMs, tripMs)
    const old = this.#recent.slice(1 - RECENT.samples)
    this.#recent = this.#recent.filter((one) => old.includes(one) || nowMs - one.atMs < RECENT.forMs)
    this.#recent.push({ atMs: nowMs, tripMs })
    const baseMs = Math.min(...this.#base.map(({ shortestMs }) => shortestMs))
    // What an answer says was so a round trip ago: one step in that time.
    if (nowMs - this.#changedMs < baseMs) return
    const isLive = nowMs < this.#liveUntilMs
    const trips = this.#recent.map((one) => one.tripMs).sort((a, b) => a - b)
    const delayMs = (trips[isCostly ? Math.floor(trips.length / 2) : 0] as number) - baseMs
    if (isLive && delayMs > TARGET_DELAY_MS) {
      this.#wasFull = true
      // What is on its way takes base and delay to go through: so much of it would take base and target.
      this.#bytes *= Math.max(0.5, (baseMs + TARGET_DELAY_MS) / (baseMs + delayMs))
      this.#changedMs = nowMs
    } else if (this.#isUsed) {
      this.#bytes *= isLive && this.#wasFull ? 1 + 0.25 * (1 - delayMs / TARGET_DELAY_MS) : 2
      this.#changedMs = nowMs
    }
    this.#isUsed = false
    const least = Math.max(isLive ? MIN_BYTES : FIRST_BYTES, baseMs * LEAST_BYTES_PER_MS)
    this.#bytes = Math.min(MAX_BYTES, Math.max(least, this.#bytes))
  }
}
