import { concatBytes, fromHex, toHex } from '../base/bytes.ts'
import type { ChunkId, SealedChunk } from './chunk-id.ts'
import { MAX_SEALED_CHUNK_BYTES } from './chunk-cipher.ts'
import { ContentError } from './content-error.ts'

export const CHUNK_FRAME_HEAD_BYTES = 36
const NOT_HERE = 2 ** 32 - 1

/** A chunk, or that it is not here, as it crosses a channel. */
export function encodeChunkFrame(id: ChunkId, chunk: SealedChunk | undefined): Uint8Array {
  const epoch = new Uint8Array(4)
  new DataView(epoch.buffer).setUint32(0, chunk?.epoch ?? NOT_HERE)
  return concatBytes(fromHex(id), epoch, chunk?.bytes ?? new Uint8Array(0))
}

/** The chunk's bytes are the frame's. @throws ContentError `content/malformed` */
export function decodeChunkFrame(frame: Uint8Array): { readonly id: ChunkId; readonly chunk: SealedChunk | undefined } {
  if (frame.length < CHUNK_FRAME_HEAD_BYTES || frame.length > CHUNK_FRAME_HEAD_BYTES + MAX_SEALED_CHUNK_BYTES) {
    throw new ContentError('content/malformed', 'a linked device sent something that is no chunk')
  }
  const id = toHex(frame.subarray(0, 32)) as ChunkId
  const epoch = new DataView(frame.buffer, frame.byteOffset).getUint32(32)
  return { id, chunk: epoch === NOT_HERE ? undefined : { id, epoch, bytes: frame.subarray(CHUNK_FRAME_HEAD_BYTES) } }
}
