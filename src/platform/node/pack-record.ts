import { crc32 } from 'node:zlib'
import { MAX_SEALED_CHUNK_BYTES } from '../../files/chunk-cipher.ts'
import type { ChunkId } from '../../files/chunk-id.ts'

/** `magic` 4, kind 1, zeros 3, epoch 4, length 4, id 32, SHA-256 of the ciphertext 32, CRC-32 of all before 4. */
export const RECORD_HEAD_BYTES = 84
const MAGIC = 0x45_43_50_31 // "ECP1"
const CHUNK = 1
const DROPPED = 2

/** What lies in front of each chunk in a pack, format 1. A *dropped* record has no bytes: the chunk before it is forgotten. */
export interface PackRecord {
  readonly kind: 'chunk' | 'dropped'
  readonly id: ChunkId
  readonly epoch: number
  /** Bytes that follow. */
  readonly length: number
  readonly digest: Uint8Array
}

export function encodeRecordHead({ kind, id, epoch, length, digest }: PackRecord): Buffer {
  const head = Buffer.allocUnsafe(RECORD_HEAD_BYTES)
  head.writeUInt32BE(MAGIC, 0)
  head.writeUInt32BE((kind === 'chunk' ? CHUNK : DROPPED) << 24, 4)
  head.writeUInt32BE(epoch, 8)
  head.writeUInt32BE(length, 12)
  head.write(id, 16, 32, 'hex')
  head.set(digest, 48)
  head.writeUInt32BE(crc32(head.subarray(0, 80)), 80)
  return head
}

/** Undefined: there is no record here, or it is damaged. */
export function decodeRecordHead(head: Buffer): PackRecord | undefined {
  if (head.length < RECORD_HEAD_BYTES || head.readUInt32BE(0) !== MAGIC) return undefined
  if (head.readUInt32BE(80) !== crc32(head.subarray(0, 80))) return undefined
  const length = head.readUInt32BE(12)
  const kind = head[4] === CHUNK ? 'chunk' : head[4] === DROPPED ? 'dropped' : undefined
  if (!kind || length > MAX_SEALED_CHUNK_BYTES) return undefined
  const id = head.toString('hex', 16, 48) as ChunkId
  return { kind, id, epoch: head.readUInt32BE(8), length, digest: new Uint8Array(head.subarray(48, 80)) }
}
