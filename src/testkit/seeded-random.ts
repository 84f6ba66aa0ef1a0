import type { RandomSource } from '../base/random.ts'

/** Chance that a seed decides (mulberry32): the same seed gives the same run (R23). */
export class SeededRandom implements RandomSource {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number in [0, end). */
  below(end: number): number {
    return Math.floor(this.next() * end)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    for (let i = 0; i < length; i++) bytes[i] = this.below(256)
    return bytes
  }
}

/** The seed of this run: ELSEWHERE_SEED; else in long runs by the clock, and in usual ones always the same. Print it. */
export function seedOfRun(usual = 20_261_122): number {
  const { ELSEWHERE_SEED: asked, ELSEWHERE_ROUNDS: rounds } = process.env
  return Number(asked ?? (rounds === 'full' ? Date.now() % 1_000_000_007 : usual))
}

/** What part of the usual rounds `npm run check` takes. */
const QUICK_SHARE = 1 / 4

/**
 * How many rounds a fuzz or a property takes: `usual` in `npm test`; by ELSEWHERE_ROUNDS `full` (`npm run test:long`), a
 * quarter of the usual ones with `quick` (`npm run check`, before every commit), or as many as the number it holds.
 * Where a quarter does not reach what a test must have seen, `quick` says how many do.
 *
 * Tests that look for a planted bug do not ask: they go on until they find it.
 */
export function roundsOfRun(usual: number, full: number, quick = Math.ceil(usual * QUICK_SHARE)): number {
  const { ELSEWHERE_ROUNDS: asked } = process.env
  if (asked === 'full') return full
  if (asked === 'quick') return quick
  return asked ? Number(asked) : usual
}

/**
 * Where a test goes through all places at which something may break: each of them, or with `quick` (`npm run check`) every so
 * many of them.
 */
export function strideOfRun(quick: number): number {
  return process.env.ELSEWHERE_ROUNDS === 'quick' ? quick : 1
}
