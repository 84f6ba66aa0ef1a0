import { bytesOf, decodeRecords, encodeRecords, PIECE_BYTES, type Piece, sumOfLengths } from './manifest.ts'

/** Pieces of one list that are kept as objects: those of 2 GB, or what is read of a longer one. */
const KEPT_PIECES = 2 ** 15
/** Pieces of one block, where a list is not read but made. */
const BLOCK_PIECES = 512

/** Some pieces in their order, as they lie in a list. Where a list repeats itself, one block stands at several places. */
export class PieceBlock {
  readonly count: number
  /** Plain bytes of all. */
  readonly bytes: number
  readonly #packed: Uint8Array

  /** @throws ContentError `content/malformed` */
  constructor(packed: Uint8Array) {
    this.#packed = packed
    this.count = packed.length / PIECE_BYTES
    this.bytes = sumOfLengths(packed)
  }

  pieces(): Piece[] {
    return decodeRecords(this.#packed)
  }
}

/** Some pieces as objects, and where each begins. */
interface Run {
  readonly pieces: readonly Piece[]
  readonly starts: Float64Array
}

/** The pieces of a content and where each begins, 38 bytes for each: a mount looks one up for each read, and a long file has millions. */
export class PieceList {
  readonly bytes: number
  readonly #blocks: readonly (PieceBlock | Run)[]
  /** Where each block begins. */
  readonly #starts: Float64Array
  readonly #read = new Map<PieceBlock, Run>()
  #readPieces = 0

  constructor(blocks: readonly (PieceBlock | readonly Piece[])[]) {
    this.#blocks = blocks.map((block) => (block instanceof PieceBlock ? block : runOf(block)))
    this.#starts = new Float64Array(blocks.length)
    let start = 0
    blocks.forEach((block, n) => {
      this.#starts[n] = start
      start += block instanceof PieceBlock ? block.bytes : bytesOf(block)
    })
    this.bytes = start
  }

  static of(pieces: readonly Piece[]): PieceList {
    if (pieces.length <= BLOCK_PIECES) return new PieceList([pieces])
    const blocks: (PieceBlock | readonly Piece[])[] = []
    for (let at = 0; at < pieces.length; at += BLOCK_PIECES) {
      const some = pieces.slice(at, at + BLOCK_PIECES)
      blocks.push(pieces.length <= KEPT_PIECES ? some : new PieceBlock(encodeRecords(some)))
    }
    return new PieceList(blocks)
  }

  get first(): Piece | undefined {
    return this.#run(0)?.pieces[0]
  }

  /** All of them, as objects: for who changes the content. */
  all(): readonly Piece[] {
    const all: Piece[] = []
    this.each(0, this.bytes, (piece) => void all.push(piece))
    return all
  }

  /** Those that have something of `[offset, end)`, in their order, and where each begins; until `visit` says false. */
  each(offset: number, end: number, visit: (piece: Piece, start: number) => boolean | void): void {
    let from = offset
    for (let n = at(this.#starts, offset); n < this.#blocks.length; n++) {
      const first = this.#starts[n] as number
      if (first >= end) return
      const { pieces, starts } = this.#run(n) as Run
      for (let m = at(starts, from - first); m < pieces.length; m++) {
        const start = first + (starts[m] as number)
        if (start >= end) return
        const piece = pieces[m] as Piece
        if (start + piece.length > offset && visit(piece, start) === false) return
      }
      from = 0
    }
  }

  #run(n: number): Run | undefined {
    const block = this.#blocks[n]
    if (!(block instanceof PieceBlock)) return block
    const known = this.#read.get(block)
    if (known) return known
    const run = runOf(block.pieces())
    this.#read.set(block, run)
    this.#readPieces += block.count
    for (const oldest of this.#read.keys()) {
      if (this.#readPieces <= KEPT_PIECES) break
      this.#read.delete(oldest)
      this.#readPieces -= oldest.count
    }
    return run
  }
}

function runOf(pieces: readonly Piece[]): Run {
  const starts = new Float64Array(pieces.length)
  for (let n = 1; n < pieces.length; n++) starts[n] = (starts[n - 1] as number) + (pieces[n - 1] as Piece).length
  return { pieces, starts }
}

/** The number of the last that begins at `offset` or before it; else the first. */
function at(starts: Float64Array, offset: number): number {
  let [low, high] = [0, starts.length]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((starts[middle] as number) <= offset) low = middle
    else high = middle
  }
  return low
}
