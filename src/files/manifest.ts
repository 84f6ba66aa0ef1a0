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

/** First byte of a list. */
export const LIST_VERSION = 1
export const PIECE_BYTES = 38

/** Version, then the pieces. */
export function encodePieces(pieces: readonly Piece[]): Uint8Array {
  const bytes = new Uint8Array(1 + PIECE_BYTES * pieces.length)
  bytes[0] = LIST_VERSION
  bytes.set(encodeRecords(pieces), 1)
  return bytes
}

/** Per piece 32 bytes of id (zeros: a hole) and its length in 6 bytes. */
export function encodeRecords(pieces: readonly Piece[]): Uint8Array {
  const bytes = new Uint8Array(PIECE_BYTES * pieces.length)
  const view = new DataView(bytes.buffer)
  pieces.forEach(({ id, length }, n) => {
    const at = n * PIECE_BYTES
    if (id !== undefined) bytes.set(fromHex(id), at)
    view.setUint16(at + 32, Math.floor(length / 2 ** 32))
    view.setUint32(at + 34, length % 2 ** 32)
  })
  return bytes
}

/** Of records that were checked by `sumOfLengths`. */
export function decodeRecords(bytes: Uint8Array): Piece[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: bytes.length / PIECE_BYTES }, (_, n) => {
    const at = n * PIECE_BYTES
    const id = isHole(bytes, at) ? undefined : (toHex(bytes.subarray(at, at + 32)) as ChunkId)
    return { id, length: lengthAt(view, at) }
  })
}

/** Plain bytes of records. @throws ContentError `content/malformed` */
export function sumOfLengths(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let sum = 0
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const length = lengthAt(view, at)
    checkLength(length, length > MAX_CHUNK_BYTES && isHole(bytes, at))
    sum += length
  }
  return sum
}

const lengthAt = (view: DataView, at: number): number => view.getUint16(at + 32) * 2 ** 32 + view.getUint32(at + 34)

function isHole(bytes: Uint8Array, at: number): boolean {
  for (let n = at; n < at + 32; n++) if (bytes[n] !== 0) return false
  return true
}

/** @throws ContentError `content/malformed` */
export function checkedPiece(piece: Piece): Piece {
  checkLength(piece.length, piece.id === undefined)
  return piece
}

function checkLength(length: number, isHole: boolean): void {
  if (!Number.isInteger(length) || length < 1 || length > (isHole ? MAX_FILE_BYTES : MAX_CHUNK_BYTES)) throw malformed('a piece')
}

/** Whether two contents are the same bytes: ids are content, and cuts are deterministic. */
export function sameManifest(a: Manifest, b: Manifest): boolean {
  if (a.bytes !== b.bytes || a.depth !== b.depth || a.pieces.length !== b.pieces.length) return false
  return a.pieces.every(({ id, length }, n) => id === b.pieces[n]?.id && length === b.pieces[n]?.length)
}

export const bytesOf = (pieces: readonly Piece[]): number => pieces.reduce((sum, { length }) => sum + length, 0)

export const malformed = (what: string) =>
  new ContentError('content/malformed', `${what} cannot be read; it is left out, and fetched again`)
