import type { TreeAttributes, TreeKind, TreeSpace } from '../../../files/mounted-tree.ts'
import { ATTR_BYTES, DIRENT_BYTES, ENTRY_BYTES, FileType, OUT_HEADER_BYTES } from './fuse-protocol.ts'

/** Who owns everything in the mount, and how long the kernel may believe what it was told. */
export interface ReplyContext {
  readonly uid: number
  readonly gid: number
  /** Seconds; long, because every change made elsewhere is told to the kernel. */
  readonly validSeconds: number
}

const TYPES: Readonly<Record<TreeKind, number>> = { file: FileType.file, folder: FileType.folder, link: FileType.link }
/** What programs take as a good size of a read or write. */
const BLOCK_BYTES = 4096
const SECOND_NS = 1_000_000_000n

/** struct fuse_attr. */
export function putAttributes(out: Buffer, at: number, attributes: TreeAttributes, context: ReplyContext): void {
  const { ino, kind, mode, fileBytes, atimeNs, mtimeNs, ctimeNs, linkCount } = attributes
  putU64(out, at, ino)
  putU64(out, at + 8, fileBytes)
  putU64(out, at + 16, Math.ceil(fileBytes / 512))
  putTime(out, at + 24, at + 48, atimeNs)
  putTime(out, at + 32, at + 52, mtimeNs)
  putTime(out, at + 40, at + 56, ctimeNs)
  out.writeUInt32LE(TYPES[kind] | mode, at + 60)
  out.writeUInt32LE(linkCount, at + 64)
  out.writeUInt32LE(context.uid, at + 68)
  out.writeUInt32LE(context.gid, at + 72)
  out.writeUInt32LE(0, at + 76)
  out.writeUInt32LE(BLOCK_BYTES, at + 80)
  out.writeUInt32LE(0, at + 84)
}

/** struct fuse_entry_out. Without attributes: there is no such name, and that may be remembered too. */
export function putEntry(out: Buffer, at: number, attributes: TreeAttributes | undefined, context: ReplyContext): void {
  putU64(out, at, attributes?.ino ?? 0)
  putU64(out, at + 8, 0)
  putU64(out, at + 16, context.validSeconds)
  putU64(out, at + 24, context.validSeconds)
  putU64(out, at + 32, 0)
  if (attributes) putAttributes(out, at + 40, attributes, context)
  else out.fill(0, at + 40, at + ENTRY_BYTES)
}

export function entryReply(attributes: TreeAttributes | undefined, context: ReplyContext): Buffer {
  const out = replyOf(ENTRY_BYTES)
  putEntry(out, OUT_HEADER_BYTES, attributes, context)
  return out
}

/** struct fuse_attr_out. */
export function attributesReply(attributes: TreeAttributes, context: ReplyContext): Buffer {
  const out = replyOf(16 + ATTR_BYTES)
  putU64(out, OUT_HEADER_BYTES, context.validSeconds)
  putU64(out, OUT_HEADER_BYTES + 8, 0)
  putAttributes(out, OUT_HEADER_BYTES + 16, attributes, context)
  return out
}

/** A new file: struct fuse_entry_out and fuse_open_out, for an open file that keeps its pages. */
export function createReply(attributes: TreeAttributes, context: ReplyContext): Buffer {
  const out = replyOf(ENTRY_BYTES + 16)
  putEntry(out, OUT_HEADER_BYTES, attributes, context)
  putU64(out, OUT_HEADER_BYTES + ENTRY_BYTES, 0)
  putU64(out, OUT_HEADER_BYTES + ENTRY_BYTES + 8, FOPEN_KEEP_CACHE)
  return out
}

const FOPEN_KEEP_CACHE = 2

/** struct fuse_kstatfs. */
export function spaceReply({ totalBytes, freeBytes, files }: TreeSpace, nameBytes: number): Buffer {
  const out = replyOf(80).fill(0, OUT_HEADER_BYTES)
  const at = OUT_HEADER_BYTES
  putU64(out, at, Math.floor(totalBytes / BLOCK_BYTES))
  putU64(out, at + 8, Math.floor(freeBytes / BLOCK_BYTES))
  putU64(out, at + 16, Math.floor(freeBytes / BLOCK_BYTES))
  putU64(out, at + 24, files + MOST_NEW_FILES)
  putU64(out, at + 32, MOST_NEW_FILES)
  out.writeUInt32LE(BLOCK_BYTES, at + 40)
  out.writeUInt32LE(nameBytes, at + 44)
  out.writeUInt32LE(BLOCK_BYTES, at + 48)
  return out
}

/** Files are not counted in advance; programs want a number. */
const MOST_NEW_FILES = 2 ** 31

/** Room one entry of a folder takes in a reply, with its name's bytes. */
export const direntBytes = (nameBytes: number): number => (DIRENT_BYTES + nameBytes + 7) & ~7

/** struct fuse_dirent; `out` has direntBytes of room at `at`. */
export function putDirent(out: Buffer, at: number, ino: number, nextCookie: number, kind: TreeKind, name: Uint8Array): void {
  putU64(out, at, ino)
  putU64(out, at + 8, nextCookie)
  out.writeUInt32LE(name.length, at + 16)
  out.writeUInt32LE(TYPES[kind] >>> 12, at + 20)
  out.set(name, at + DIRENT_BYTES)
  out.fill(0, at + DIRENT_BYTES + name.length, at + direntBytes(name.length))
}

/** A reply of `bytes` with room for its header in front, which `sealReply` writes. */
export function replyOf(bytes: number): Buffer {
  return Buffer.allocUnsafe(OUT_HEADER_BYTES + bytes)
}

/** Writes struct fuse_out_header. */
export function sealReply(out: Buffer, bytes: number, errno: number, unique: bigint): void {
  out.writeUInt32LE(bytes, 0)
  out.writeInt32LE(-errno, 4)
  out.writeBigUInt64LE(unique, 8)
}

export function putU64(out: Buffer, at: number, value: number): void {
  const high = Math.floor(value / 2 ** 32)
  out.writeUInt32LE(value - high * 2 ** 32, at)
  out.writeUInt32LE(high, at + 4)
}

function putTime(out: Buffer, secondsAt: number, nanosecondsAt: number, timeNs: bigint): void {
  let seconds = timeNs / SECOND_NS
  let rest = timeNs - seconds * SECOND_NS
  if (rest < 0n) {
    rest += SECOND_NS
    seconds -= 1n
  }
  out.writeBigInt64LE(seconds, secondsAt)
  out.writeUInt32LE(Number(rest), nanosecondsAt)
}
