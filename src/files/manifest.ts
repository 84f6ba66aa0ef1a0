import { fromHex, toHex } from '../base/bytes.ts'
import type { ChunkId } from './chunk-id.ts'
import { MAX_CHUNK_BYTES } from './chunk-cipher.ts'
import { ContentError } from './content-error.ts'

/** A piece of a file in its order: a chunk, or (no id) a hole that reads as zeros and has no bytes anywhere. */
export interface Piece {
  readonly id: ChunkId | undefined
  /** Plain bytes. */
  readonly length: number
}

/**
 * What a file's content is. `depth` 0: `pieces` are the content. Above: they are the content of a list of pieces of the
 * depth below; so an op stays small however long the file is.
 */
export interface Manifest {
  readonly bytes: number
  readonly depth: number
  /** At most MAX_INLINE_PIECES. */
  readonly pieces: readonly Piece[]
}

export const EMPTY_MANIFEST: Manifest = { bytes: 0, depth: 0, pieces: [] }
/** More pieces than this become content themselves. */
export const MAX_INLINE_PIECES = 64
/** 64 pieces of 16 KiB lists of lists: far beyond any disk. */
export const MAX_DEPTH = 4
/** Largest file: 8 PiB would still be a safe number; nobody has it. */
export const MAX_FILE_BYTES = 2 ** 50

const VERSION = 1
const PIECE_BYTES = 38

/** Version, then per piece 32 bytes of id (zeros: a hole) and its length in 6 bytes. */
export function encodePieces(pieces: readonly Piece[]): Uint8Array {
  const bytes = new Uint8Array(1 + PIECE_BYTES * pieces.length)
  bytes[0] = VERSION
  const view = new DataView(bytes.buffer)
  pieces.forEach(({ id, length }, n) => {
    const at = 1 + n * PIECE_BYTES
    if (id !== undefined) bytes.set(fromHex(id), at)
    view.setUint16(at + 32, Math.floor(length / 2 ** 32))
    view.setUint32(at + 34, length % 2 ** 32)
  })
  return bytes
}

/** @throws ContentError `content/malformed` */
export function decodePieces(bytes: Uint8Array): Piece[] {
  const count = (bytes.length - 1) / PIECE_BYTES
  if (bytes[0] !== VERSION || !Number.isInteger(count)) throw malformed('a list of pieces')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: count }, (_, n) => {
    const at = 1 + n * PIECE_BYTES
    const id = bytes.subarray(at, at + 32)
    const length = view.getUint16(at + 32) * 2 ** 32 + view.getUint32(at + 34)
    return checkedPiece({ id: id.some((byte) => byte !== 0) ? (toHex(id) as ChunkId) : undefined, length })
  })
}

/** @throws ContentError `content/malformed` */
export function checkedPiece(piece: Piece): Piece {
  const limit = piece.id === undefined ? MAX_FILE_BYTES : MAX_CHUNK_BYTES
  if (!Number.isInteger(piece.length) || piece.length < 1 || piece.length > limit) throw malformed('a piece')
  return piece
}

/** Whether two contents are the same bytes: ids are content, and cuts are deterministic. */
export function sameManifest(a: Manifest, b: Manifest): boolean {
  if (a.bytes !== b.bytes || a.depth !== b.depth || a.pieces.length !== b.pieces.length) return false
  return a.pieces.every(({ id, length }, n) => id === b.pieces[n]?.id && length === b.pieces[n]?.length)
}

export const bytesOf = (pieces: readonly Piece[]): number => pieces.reduce((sum, { length }) => sum + length, 0)

export const malformed = (what: string) =>
  new ContentError('content/malformed', `${what} cannot be read; it is left out, and fetched again`)
