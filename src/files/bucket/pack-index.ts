import { concatBytes, fromHex, toHex } from '../../base/bytes.ts'
import { GCM_TAG_BYTES } from '../files-crypto.ts'
import { MAX_SEALED_CHUNK_BYTES } from '../chunk-cipher.ts'
import type { ChunkId } from '../chunk-id.ts'
import { MAX_SEGMENT_BYTES } from '../op-segment.ts'
import { BucketError } from './bucket-error.ts'

/** A chunk in a pack; they lie one behind the other. */
export interface PackedChunk {
  readonly id: ChunkId
  readonly epoch: number
  readonly bytes: number
}

export const ENTRY_BYTES = 32 + 4 + 4
/** Small files are small chunks: so many are a pack, whatever they take. */
export const MAX_PACKED_CHUNKS = 10_000
export const MAX_INDEX_BYTES = ENTRY_BYTES * MAX_PACKED_CHUNKS + 64
/** Segments that go together, before they are sealed. */
export const MAX_BATCH_BYTES = MAX_SEGMENT_BYTES + 64
export const MAX_BATCH_SEGMENTS = 10_000

/** Each chunk: its id 32, epoch 4, length 4. */
export function encodeIndex(chunks: readonly PackedChunk[]): Uint8Array {
  return concatBytes(
    ...chunks.map(({ id, epoch, bytes }) => {
      const entry = new Uint8Array(ENTRY_BYTES)
      entry.set(fromHex(id))
      const view = new DataView(entry.buffer)
      view.setUint32(32, epoch)
      view.setUint32(36, bytes)
      return entry
    }),
  )
}

/** @throws BucketError `bucket/nonsense` */
export function decodeIndex(bytes: Uint8Array): PackedChunk[] {
  const count = bytes.length / ENTRY_BYTES
  if (!Number.isInteger(count) || count < 1 || count > MAX_PACKED_CHUNKS) throw nonsense('the index of a pack')
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return Array.from({ length: count }, (_, n) => {
    const at = n * ENTRY_BYTES
    const length = view.getUint32(at + 36)
    if (length < GCM_TAG_BYTES || length > MAX_SEALED_CHUNK_BYTES) throw nonsense('the index of a pack')
    return { id: toHex(bytes.subarray(at, at + 32)) as ChunkId, epoch: view.getUint32(at + 32), bytes: length }
  })
}

/** Each segment behind its length, 4 bytes. */
export function encodeBatch(segments: readonly Uint8Array[]): Uint8Array {
  return concatBytes(
    ...segments.flatMap((segment) => {
      const length = new Uint8Array(4)
      new DataView(length.buffer).setUint32(0, segment.length)
      return [length, segment]
    }),
  )
}

/** @throws BucketError `bucket/nonsense` */
export function decodeBatch(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const segments: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    if (at + 4 > bytes.length || segments.length === MAX_BATCH_SEGMENTS) throw nonsense('a batch of segments')
    const length = view.getUint32(at)
    if (length === 0 || at + 4 + length > bytes.length) throw nonsense('a batch of segments')
    segments.push(bytes.slice(at + 4, at + 4 + length))
    at += 4 + length
  }
  return segments
}

const nonsense = (what: string) => new BucketError('bucket/nonsense', `${what} in the bucket cannot be read; it is left out`)
