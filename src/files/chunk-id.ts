/** Lower-case hex HMAC-SHA-256 of a chunk's plain bytes under the dataset's id key. The id is the content: chunks never change. */
export type ChunkId = string & { readonly __brand: 'ChunkId' }

/** A chunk as it lies in stores and crosses links: the same bytes on every device of its epoch. */
export interface SealedChunk {
  readonly id: ChunkId
  readonly epoch: number
  /** AES-256-GCM ciphertext and tag. */
  readonly bytes: Uint8Array
}

const CHUNK_ID = /^[0-9a-f]{64}$/

/** @throws RangeError  not 64 lower-case hex digits */
export function parseChunkId(text: string): ChunkId {
  if (!CHUNK_ID.test(text)) throw new RangeError('a chunk id is 64 lower-case hex digits')
  return text as ChunkId
}
