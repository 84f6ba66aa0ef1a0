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
    return Uint8Array.from({ length }, () => this.below(256))
  }
}

/** The seed of this run: ELSEWHERE_SEED; else in long runs by the clock, and in usual ones always the same. Print it. */
export function seedOfRun(usual = 20_261_122): number {
  const { ELSEWHERE_SEED: asked, ELSEWHERE_ROUNDS: rounds } = process.env
  return Number(asked ?? (rounds === 'full' ? Date.now() % 1_000_000_007 : usual))
}

/** How long a fuzz runs: `full` when ELSEWHERE_ROUNDS=full, its number when that is one, else `usual`. */
export function roundsOfRun(usual: number, full: number): number {
  const { ELSEWHERE_ROUNDS: asked } = process.env
  return asked === 'full' ? full : asked ? Number(asked) : usual
}
