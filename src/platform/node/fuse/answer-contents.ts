import type { AllocateKind } from '../../../files/mounted-tree.ts'
import { type AnswerRequest, andThen, done } from './answer.ts'
import { Errno, FallocateMode, MAX_WRITE_BYTES, Opcode, OUT_HEADER_BYTES, WRITE_KILL_PRIVILEGES } from './fuse-protocol.ts'
import { withoutPrivileges } from './answer-attributes.ts'
import { FuseErrno } from './request-reader.ts'
import { replyOf } from './write-reply.ts'

const read: AnswerRequest = (reader, { ino }, context) => {
  reader.skip(8)
  const offset = reader.u64()
  const length = Math.min(reader.u32(), MAX_WRITE_BYTES)
  return context.tree.read(ino, offset, length, context.signal())
}

const write: AnswerRequest = (reader, { ino }, context) => {
  reader.skip(8)
  const offset = reader.u64()
  const length = reader.u32()
  const flags = reader.u32()
  reader.skip(16)
  const bytes = reader.bytes(length)
  const { tree } = context
  const written = () => {
    const out = replyOf(8)
    out.writeUInt32LE(length, OUT_HEADER_BYTES)
    out.writeUInt32LE(0, OUT_HEADER_BYTES + 4)
    return out
  }
  // What is kept is copied before `write` returns, so the bytes may be overwritten by the next request.
  const answer = andThen(tree.write(ino, offset, bytes), written)
  if ((flags & WRITE_KILL_PRIVILEGES) === 0) return answer
  return andThen(answer, (reply) => andThen(withoutPrivileges(tree, ino), () => reply))
}

const KINDS: ReadonlyMap<number, AllocateKind> = new Map([
  [0, 'allocate'],
  [FallocateMode.keepSize, 'keep-size'],
  [FallocateMode.punchHole | FallocateMode.keepSize, 'punch'],
  [FallocateMode.zeroRange, 'zero'],
  // Zeros that do not lengthen the file are what a hole reads as.
  [FallocateMode.zeroRange | FallocateMode.keepSize, 'punch'],
])

const fallocate: AnswerRequest = (reader, { ino }, { tree }) => {
  reader.skip(8)
  const offset = reader.u64()
  const length = reader.u64()
  const kind = KINDS.get(reader.u32())
  if (!kind) throw FuseErrno.of(Errno.EOPNOTSUPP)
  return andThen(tree.allocate(ino, kind, offset, length), done)
}

export const CONTENT_ANSWERS: Readonly<Record<number, AnswerRequest>> = {
  [Opcode.read]: read,
  [Opcode.write]: write,
  [Opcode.fallocate]: fallocate,
  [Opcode.flush]: (_reader, { ino }, { tree }) => andThen(tree.flush(ino), done),
  [Opcode.fsync]: (_reader, { ino }, { tree }) => andThen(tree.fsync(ino), done),
  [Opcode.fsyncdir]: (_reader, { ino }, { tree }) => andThen(tree.fsync(ino), done),
}
