import type { RequestReader } from './request-reader.ts'
import { FUSE_MAJOR, FUSE_MINOR, InitFlag, MAX_WRITE_BYTES, OUT_HEADER_BYTES } from './fuse-protocol.ts'
import { replyOf } from './write-reply.ts'

/** What was agreed with the kernel. */
export interface Agreement {
  readonly minor: number
  readonly flags: number
}

/** Requests the kernel may have outstanding that nobody waits for (read-ahead, gathered writes), and when it slows down. */
const MAX_BACKGROUND = 64
const CONGESTION = 48
const PAGE_BYTES = 4096
/** The oldest version with all structures as they are written here: Linux 5.4. */
const OLDEST_MINOR = 31

/**
 * The first request: versions and flags.
 *
 * @returns undefined for the agreement when the kernel is too new (it asks again with our version) or too old
 */
export function answerInit(reader: RequestReader): { reply: Buffer; agreed: Agreement | undefined } {
  const major = reader.u32()
  const minor = reader.u32()
  const out = replyOf(64).fill(0, OUT_HEADER_BYTES)
  const at = OUT_HEADER_BYTES
  out.writeUInt32LE(FUSE_MAJOR, at)
  out.writeUInt32LE(FUSE_MINOR, at + 4)
  if (major !== FUSE_MAJOR || minor < OLDEST_MINOR) return { reply: out, agreed: undefined }
  const readAhead = reader.u32()
  const offered = reader.u32()
  const wanted = Object.values(InitFlag).reduce((sum, flag) => sum | flag, 0)
  const flags = (offered & wanted) >>> 0
  out.writeUInt32LE(Math.min(minor, FUSE_MINOR), at + 4)
  out.writeUInt32LE(Math.max(readAhead, MAX_WRITE_BYTES), at + 8)
  out.writeUInt32LE(flags, at + 12)
  out.writeUInt16LE(MAX_BACKGROUND, at + 16)
  out.writeUInt16LE(CONGESTION, at + 18)
  out.writeUInt32LE(MAX_WRITE_BYTES, at + 20)
  out.writeUInt32LE(1, at + 24)
  out.writeUInt16LE(MAX_WRITE_BYTES / PAGE_BYTES, at + 28)
  return { reply: out, agreed: { minor: Math.min(minor, FUSE_MINOR), flags } }
}
