import { ROOT_INO, type TreeEntry } from '../../../files/mounted-tree.ts'
import { type AnswerContext, type AnswerRequest, andThen, type Reply } from './answer.ts'
import { ENTRY_BYTES, Opcode, OUT_HEADER_BYTES } from './fuse-protocol.ts'
import { direntBytes, putDirent, putEntry, replyOf } from './write-reply.ts'

/** `.` and `..` come first and have these cookies; a tree's are moved behind them. */
const OWN_COOKIES = 2
/** Most bytes of one answer: what a write may have, for the same reason. */
const MAX_PAGE_BYTES = 1 << 20
/** A name of one letter, with what goes around it. */
const SMALLEST_ENTRY_BYTES = direntBytes(1)

/** READDIR and READDIRPLUS: as many entries as fit, from a cookie on. PLUS also hands the entries out. */
const readdir: AnswerRequest = (reader, { ino, opcode }, context) => {
  reader.skip(8)
  const after = reader.u64()
  const roomBytes = Math.min(reader.u32(), MAX_PAGE_BYTES)
  const isPlus = opcode === Opcode.readdirplus
  const perEntry = isPlus ? ENTRY_BYTES : 0
  const limit = Math.ceil(roomBytes / (SMALLEST_ENTRY_BYTES + perEntry))
  const entries = context.tree.readdir(ino, Math.max(0, after - OWN_COOKIES), limit)
  return andThen(entries, (entries) => pageOf(entries, { ino, after, roomBytes, perEntry }, context))
}

function pageOf(
  entries: readonly TreeEntry[],
  { ino, after, roomBytes, perEntry }: { ino: number; after: number; roomBytes: number; perEntry: number },
  context: AnswerContext,
): Reply {
  const out = replyOf(roomBytes)
  const end = OUT_HEADER_BYTES + roomBytes
  let at = OUT_HEADER_BYTES
  for (const [name, cookie, target] of [
    ['.', 1, ino],
    ['..', 2, ROOT_INO],
  ] as const) {
    const bytes = perEntry + direntBytes(name.length)
    if (after >= cookie || at + bytes > end) continue
    if (perEntry > 0) putEntry(out, at, undefined, context)
    putDirent(out, at + perEntry, target, cookie, 'folder', Buffer.from(name))
    at += bytes
  }
  let isFull = false
  for (const { name, cookie, attributes } of entries) {
    const nameBytes = Buffer.from(name)
    const bytes = perEntry + direntBytes(nameBytes.length)
    isFull ||= at + bytes > end
    if (isFull || perEntry === 0) context.giveBack(attributes.ino, 1)
    if (isFull) continue
    if (perEntry > 0) {
      putEntry(out, at, attributes, context)
      context.handedOut(attributes.ino)
    }
    putDirent(out, at + perEntry, attributes.ino, cookie + OWN_COOKIES, attributes.kind, nameBytes)
    at += bytes
  }
  return out.subarray(0, at)
}

export const FOLDER_ANSWERS: Readonly<Record<number, AnswerRequest>> = {
  [Opcode.readdir]: readdir,
  [Opcode.readdirplus]: readdir,
}
