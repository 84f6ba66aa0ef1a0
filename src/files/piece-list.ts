import type { Piece } from './manifest.ts'

/** The pieces of a content and where each begins: a mount looks one up for each read, and a long file has ten thousands. */
export class PieceList {
  readonly pieces: readonly Piece[]
  readonly #starts: Float64Array

  constructor(pieces: readonly Piece[]) {
    this.pieces = pieces
    this.#starts = new Float64Array(pieces.length)
    let start = 0
    pieces.forEach(({ length }, n) => {
      this.#starts[n] = start
      start += length
    })
  }

  /** Where a piece begins. */
  startOf(n: number): number {
    return this.#starts[n] ?? 0
  }

  /** The number of the piece that `offset` lies in; the first is also that of what lies before it. */
  at(offset: number): number {
    let [low, high] = [0, this.pieces.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (this.startOf(middle) <= offset) low = middle
      else high = middle
    }
    return low
  }
}
