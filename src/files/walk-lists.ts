import { concatBytes } from '../base/bytes.ts'
import type { ChunkId } from './chunk-id.ts'
import { LIST_VERSION, type Manifest, MAX_INLINE_PIECES, malformed, PIECE_BYTES, type Piece } from './manifest.ts'
import { PieceBlock, PieceList } from './piece-list.ts'

/** A content of more pieces is neither written nor read: 600 GB that are not sparse, whose list takes 320 MB. */
export const MAX_PIECES = 2 ** 23
/** As FastCDC cuts, and with holes of 64 KiB at least, a piece has 10 KiB or more in the mean; a list that says less is not ours. */
const LEAST_MEAN_BYTES = 4096
/** A chunk of a list names more than this many pieces, save the last: lists are cut 4/16/64 KiB (FC7). */
const LEAST_PER_LIST = 64
export const MAX_LIST_CHUNK_BYTES = 64 * 1024
/** Chunks of a list that are loaded at once: 4 MiB, and few round trips for a long one. */
const AT_ONCE = 256
/** Pieces that are gone through before others have the loop: some milliseconds. */
const SLICE_PIECES = 8192

export interface ListWalk {
  /** One chunk of a list in plain. Undefined: it is not here; the walk ends. */
  load(id: ChunkId): Promise<Uint8Array | undefined>
  /** These are loaded soon; `depth` 1: and they name what the content is. Absent: one is loaded after the other. */
  ahead?(pieces: readonly Piece[], depth: number, isAll: boolean): void
  /** Others have the loop. */
  pause?: (() => Promise<void>) | undefined
  /** What stands in a list again is told again, as the same block; else once. */
  readonly isEach?: boolean
  /** Pieces of the content (`depth` 0), or of its lists, in their order. */
  visit(block: PieceBlock, depth: number): Promise<void> | void
}

/**
 * Goes through the lists of a content, one after the other: however long they are, no more of them than some chunks are in memory,
 * nor more than the content can have.
 * @returns whether all of them were read
 * @throws ContentError `content/malformed`
 */
export async function walkLists(manifest: Manifest, walk: ListWalk): Promise<boolean> {
  let list = PieceList.of(manifest.pieces)
  for (let depth = manifest.depth; depth > 0; depth--) {
    const blocks: PieceBlock[] = []
    const told = new Set<PieceBlock>()
    const visit = (block: PieceBlock) => {
      blocks.push(block)
      if (told.has(block) && !walk.isEach) return undefined
      told.add(block)
      return walk.visit(block, depth - 1)
    }
    const level: Level = { list, depth, most: mostPieces(manifest.bytes, depth - 1), bytes: depth === 1 ? manifest.bytes : undefined }
    if (!(await walkLevel(level, depth === 1 ? walk : { ...walk, isEach: true, visit }))) return false
    list = new PieceList(blocks)
  }
  return true
}

interface Level {
  readonly list: PieceList
  readonly depth: number
  readonly most: number
  /** Of the content, where this is its own list. */
  readonly bytes: number | undefined
}

/** So many pieces a content of so many bytes has at most; above depth 0: its lists. */
function mostPieces(bytes: number, depth: number): number {
  const most = Math.min(MAX_PIECES, MAX_INLINE_PIECES + Math.floor(bytes / LEAST_MEAN_BYTES))
  return depth === 0 ? most : MAX_INLINE_PIECES + Math.floor(most / LEAST_PER_LIST ** depth)
}

/** What one chunk of a list has, from where a piece begins or from the middle of one. */
interface Part {
  readonly length: number
  readonly head: Uint8Array
  readonly tail: Uint8Array
  /** Of the pieces between. */
  readonly bytes: number
  readonly block: PieceBlock | undefined
}

async function walkLevel({ list, depth, most, bytes }: Level, walk: ListWalk): Promise<boolean> {
  const count = (list.bytes - 1) / PIECE_BYTES
  if (!Number.isInteger(count) || count > most) throw malformed('a list of pieces')
  const parts = new Map<string, Part>()
  const begun = new Set<ChunkId>()
  let [carry, isFirst, sum, work]: [Uint8Array, boolean, number, number] = [NOTHING, true, 0, 0]
  const add = (more: number) => {
    sum += more
    if (bytes !== undefined && sum > bytes) throw malformed('a list of pieces')
  }
  for (const { pieces, isAll } of runsOf(list)) {
    walk.ahead?.(pieces, depth, isAll)
    const loading = new Map<ChunkId, Promise<Uint8Array | undefined>>()
    // All at once: one after the other, each would take a round trip to the device that holds them.
    for (const { id } of walk.ahead ? pieces : []) {
      if (id === undefined || begun.has(id)) continue
      begun.add(id)
      const loaded = walk.load(id)
      loaded.catch(() => {}) // it is told where its turn is
      loading.set(id, loaded)
    }
    for (const { id, length } of pieces) {
      if (id === undefined || length > MAX_LIST_CHUNK_BYTES) throw malformed('a list of pieces')
      const name = `${isFirst ? 'first' : carry.length} ${id}`
      let part = parts.get(name)
      const isKnown = part !== undefined
      if (!part) {
        const loaded = await (loading.get(id) ?? walk.load(id))
        if (!loaded) return false
        part = partOf(loaded, isFirst, carry.length)
        parts.set(name, walk.isEach ? part : { ...part, block: undefined })
      }
      if (part.length !== length) throw malformed('a list of pieces')
      carry = concatBytes(carry, part.head)
      if (carry.length === PIECE_BYTES) {
        const block = new PieceBlock(carry)
        add(block.bytes)
        await walk.visit(block, depth - 1)
        carry = NOTHING
      }
      add(part.bytes)
      if (part.block) await walk.visit(part.block, depth - 1)
      if (part.bytes > 0 || part.tail.length > 0) carry = part.tail
      isFirst = false
      work += LEAST_PER_LIST + (isKnown ? 0 : (part.block?.count ?? 0))
      if (work < SLICE_PIECES) continue
      work = 0
      await walk.pause?.()
    }
  }
  if (carry.length > 0 || (bytes !== undefined && sum !== bytes)) throw malformed('a list of pieces')
  return true
}

const NOTHING = new Uint8Array(0)

function partOf(bytes: Uint8Array, isFirst: boolean, carried: number): Part {
  if (isFirst && bytes[0] !== LIST_VERSION) throw malformed('a list of pieces')
  const from = isFirst ? 1 : 0
  const start = Math.min(bytes.length, from + (carried === 0 ? 0 : PIECE_BYTES - carried))
  const end = start + Math.floor((bytes.length - start) / PIECE_BYTES) * PIECE_BYTES
  const block = end > start ? new PieceBlock(bytes.subarray(start, end)) : undefined
  return { length: bytes.length, head: bytes.slice(from, start), tail: bytes.slice(end), bytes: block?.bytes ?? 0, block }
}

function* runsOf(list: PieceList): Generator<{ readonly pieces: readonly Piece[]; readonly isAll: boolean }> {
  for (let at = 0; at < list.bytes; ) {
    const pieces: Piece[] = []
    const from = at
    list.each(at, list.bytes, (piece, start) => {
      pieces.push(piece)
      at = start + piece.length
      return pieces.length < AT_ONCE
    })
    yield { pieces, isAll: from === 0 && at === list.bytes }
  }
}
