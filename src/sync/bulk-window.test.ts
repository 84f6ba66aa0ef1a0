import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../testkit/seeded-random.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { BulkWindow, MAX_BULK_WINDOW_BYTES, MIN_BULK_WINDOW_BYTES, TARGET_DELAY_MS } from './bulk-window.ts'

const FRAME_BYTES = 16 * 1024

/** A path with one queue: so many bytes a millisecond, then the way there and back. Bulk always has more to send. */
class SaturatedPath {
  readonly window: BulkWindow
  readonly #clock = new ManualClock()
  readonly #arriving: { readonly atMs: number; readonly total: number }[] = []
  readonly #stalls: number
  readonly #random = new SeededRandom(7)
  #stalledUntilMs = 0
  #freeMs = 0
  #sent = 0
  #confirmed = 0

  /** @param stalls  how often in a thousand milliseconds the process is kept from its work, for 20 to 60 ms */
  constructor(stalls = 0) {
    this.#stalls = stalls
    this.window = new BulkWindow(this.#clock)
  }

  run(bytesPerMs: number, tripMs: number, forMs: number) {
    const untilMs = this.#clock.monotonicMs() + forMs
    const before = this.#confirmed
    const waits: number[] = []
    for (let now = this.#clock.monotonicMs(); now < untilMs; now = this.#clock.monotonicMs()) {
      if (now >= this.#stalledUntilMs && this.#random.chance(this.#stalls / 1_000)) this.#stalledUntilMs = now + 20 + this.#random.below(40)
      if (now < this.#stalledUntilMs) {
        this.#clock.advance(1)
        continue
      }
      for (let next = this.#arriving[0]; next !== undefined && next.atMs <= now; next = this.#arriving[0]) {
        this.#arriving.shift()
        this.#confirmed = next.total
        this.window.confirmed(next.total)
      }
      while (this.#sent - this.#confirmed < this.window.bytes) {
        this.#sent += FRAME_BYTES
        this.#freeMs = Math.max(now, this.#freeMs) + FRAME_BYTES / bytesPerMs
        this.window.sent(FRAME_BYTES)
        this.#arriving.push({ atMs: this.#freeMs + tripMs, total: this.#sent })
      }
      waits.push(Math.max(0, this.#freeMs - now))
      this.#clock.advance(1)
    }
    return { megabytesPerSecond: (this.#confirmed - before) / 1e3 / forMs, waits }
  }
}

describe.each([
  { name: '10 Mbit/s, 80 ms', bytesPerMs: 1_250, tripMs: 80 },
  { name: '20 Mbit/s, 20 ms', bytesPerMs: 2_500, tripMs: 20 },
  { name: '100 Mbit/s, 80 ms', bytesPerMs: 12_500, tripMs: 80 },
  { name: '400 Mbit/s, 1 ms', bytesPerMs: 50_000, tripMs: 1 },
])('[SY56] bulk on a path of $name', ({ bytesPerMs, tripMs }) => {
  it('fills it, and little waits in its queue once the first seconds are over', () => {
    const path = new SaturatedPath()
    path.run(bytesPerMs, tripMs, 5_000)
    const { megabytesPerSecond, waits } = path.run(bytesPerMs, tripMs, 10_000)
    expect(megabytesPerSecond).toBeGreaterThan((0.7 * bytesPerMs) / 1e3)
    const p95 = waits.toSorted((a, b) => a - b)[Math.floor(0.95 * waits.length)]
    expect(p95).toBeLessThan(2 * TARGET_DELAY_MS + FRAME_BYTES / bytesPerMs)
  })
})

it('[SY56] a process that is kept from its work ten times a second still fills two thirds of a path', () => {
  const path = new SaturatedPath(10)
  path.run(5_000, 80, 5_000)
  expect(path.run(5_000, 80, 20_000).megabytesPerSecond).toBeGreaterThan((2 / 3) * 5)
})

it('[SY56] gives way when the path gets slower, and takes what is there when it gets faster again', () => {
  const path = new SaturatedPath()
  path.run(12_500, 40, 5_000)
  const wide = path.window.bytes
  path.run(1_250, 40, 5_000)
  expect(path.window.bytes).toBeLessThan(wide / 3)
  path.run(12_500, 40, 5_000)
  expect(path.window.bytes).toBeGreaterThan(wide / 2)
})

it('[SY56] stays within its bounds whatever is confirmed', () => {
  const path = new SaturatedPath()
  path.run(1e9, 200, 20_000)
  expect(path.window.bytes).toBe(MAX_BULK_WINDOW_BYTES)
  path.window.confirmed(Number.MAX_SAFE_INTEGER)
  path.window.confirmed(0)
  expect(path.window.bytes).toBeGreaterThanOrEqual(MIN_BULK_WINDOW_BYTES)
})
