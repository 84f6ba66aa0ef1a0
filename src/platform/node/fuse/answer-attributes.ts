import { type Answer, type AttributeChanges, MAX_NAME_BYTES, type MountedTree } from '../../../files/mounted-tree.ts'
import { type AnswerRequest, andThen, done, type Reply } from './answer.ts'
import { Errno, Opcode, OUT_HEADER_BYTES, SetattrValid, XattrFlag } from './fuse-protocol.ts'
import { FuseErrno } from './request-reader.ts'
import { attributesReply, replyOf, spaceReply } from './write-reply.ts'

const SET_ID_BITS = 0o6000
const GROUP_EXECUTE = 0o010
/** Linux's own limits. */
const MAX_XATTR_NAME_BYTES = 255
const MAX_XATTR_BYTES = 65_536

const getattr: AnswerRequest = (_reader, { ino }, context) =>
  andThen(context.tree.getattr(ino), (attributes) => attributesReply(attributes, context))

const setattr: AnswerRequest = (reader, { ino }, context) => {
  const valid = reader.u32()
  reader.skip(12)
  const fileBytes = reader.u64()
  reader.skip(8)
  const [atime, mtime, ctime] = [reader.signedBig(), reader.signedBig(), reader.signedBig()]
  const [atimeNs, mtimeNs, ctimeNs] = [reader.u32(), reader.u32(), reader.u32()]
  const mode = reader.u32()
  reader.skip(4)
  const [uid, gid] = [reader.u32(), reader.u32()]
  // Everything here belongs to the person: a tree that is on all devices knows no accounts of one of them.
  if ((valid & SetattrValid.uid && uid !== context.uid) || (valid & SetattrValid.gid && gid !== context.gid)) {
    throw FuseErrno.of(Errno.EPERM)
  }
  const nowNs = BigInt(Date.now()) * 1_000_000n
  const timeOf = (set: number, now: number, seconds: bigint, nanoseconds: number) =>
    valid & now ? nowNs : valid & set ? seconds * 1_000_000_000n + BigInt(nanoseconds) : undefined
  const changes: { -readonly [K in keyof AttributeChanges]: AttributeChanges[K] } = {}
  const newAtime = timeOf(SetattrValid.atime, SetattrValid.atimeNow, atime, atimeNs)
  const newMtime = timeOf(SetattrValid.mtime, SetattrValid.mtimeNow, mtime, mtimeNs)
  if (newAtime !== undefined) changes.atimeNs = newAtime
  if (newMtime !== undefined) changes.mtimeNs = newMtime
  if (valid & SetattrValid.ctime) changes.ctimeNs = ctime * 1_000_000_000n + BigInt(ctimeNs)
  if (valid & SetattrValid.mode) changes.mode = mode & 0o7777
  if (valid & SetattrValid.size) changes.fileBytes = fileBytes
  const { tree } = context
  const first = valid & SetattrValid.killPrivileges ? withoutPrivileges(tree, ino) : undefined
  return andThen(first, () => andThen(tree.setattr(ino, changes), (attributes) => attributesReply(attributes, context)))
}

/** What a write, a truncation or a new owner does to a program that runs as its owner. */
export function withoutPrivileges(tree: MountedTree, ino: number): Answer<void> {
  return andThen(tree.getattr(ino), ({ mode, kind }) => {
    const drop = mode & GROUP_EXECUTE ? SET_ID_BITS : 0o4000
    if (kind !== 'file' || (mode & drop) === 0) return undefined
    return andThen(tree.setattr(ino, { mode: mode & ~drop }), done)
  })
}

const MAY_EXECUTE = 1
const EXECUTE_BITS = 0o111

/** Asked for root only, of access(2) and chdir(2): it may do everything but run what nobody may. */
const access: AnswerRequest = (reader, { ino }, context) => {
  const mask = reader.u32()
  if ((mask & MAY_EXECUTE) === 0) return undefined
  return andThen(context.tree.getattr(ino), ({ kind, mode }) =>
    kind === 'file' && (mode & EXECUTE_BITS) === 0 ? FuseErrno.of(Errno.EACCES) : undefined,
  )
}

/** Only people's own attributes are kept: ACLs and labels mean accounts and policies of one machine. */
const isKept = (name: string): boolean => name.startsWith('user.')

const setxattr: AnswerRequest = (reader, { ino }, { tree }) => {
  const size = reader.u32()
  const flags = reader.u32()
  reader.skip(8)
  const name = reader.text(MAX_XATTR_NAME_BYTES)
  if (!isKept(name)) throw FuseErrno.of(Errno.EOPNOTSUPP)
  if (size > MAX_XATTR_BYTES) throw FuseErrno.of(Errno.ENOSPC)
  const kind = flags & XattrFlag.create ? 'create' : flags & XattrFlag.replace ? 'replace' : 'any'
  return andThen(tree.setxattr(ino, name, reader.bytes(size).slice(), kind), done)
}

const getxattr: AnswerRequest = (reader, { ino }, { tree }) => {
  const room = reader.u32()
  reader.skip(4)
  const name = reader.text(MAX_XATTR_NAME_BYTES)
  // Not "no such attribute": `ls -l` then asks for the label and the ACL of every file, and now once for the whole mount.
  // Returned, not thrown: the kernel asks for `security.capability` before the first write to each file.
  if (!isKept(name)) return FuseErrno.of(Errno.EOPNOTSUPP)
  return andThen(tree.getxattr(ino, name), (value) => (value ? valueOrSize(value, room) : FuseErrno.of(Errno.ENODATA)))
}

const listxattr: AnswerRequest = (reader, { ino }, { tree }) => {
  const room = reader.u32()
  return andThen(tree.listxattr(ino), (names) => valueOrSize(Buffer.from(names.map((name) => `${name}\0`).join('')), room))
}

const removexattr: AnswerRequest = (reader, { ino }, { tree }) => {
  const name = reader.text(MAX_XATTR_NAME_BYTES)
  if (!isKept(name)) throw FuseErrno.of(Errno.ENODATA)
  return andThen(tree.removexattr(ino, name), done)
}

/** Room 0 asks how much there is. */
function valueOrSize(value: Uint8Array, room: number): Reply {
  if (room === 0) {
    const out = replyOf(8)
    out.writeUInt32LE(value.length, OUT_HEADER_BYTES)
    out.writeUInt32LE(0, OUT_HEADER_BYTES + 4)
    return out
  }
  if (value.length > room) throw FuseErrno.of(Errno.ERANGE)
  return [value]
}

export const ATTRIBUTE_ANSWERS: Readonly<Record<number, AnswerRequest>> = {
  [Opcode.getattr]: getattr,
  [Opcode.setattr]: setattr,
  [Opcode.access]: access,
  [Opcode.setxattr]: setxattr,
  [Opcode.getxattr]: getxattr,
  [Opcode.listxattr]: listxattr,
  [Opcode.removexattr]: removexattr,
  [Opcode.statfs]: (_reader, _header, { tree }) => andThen(tree.statfs(), (space) => spaceReply(space, MAX_NAME_BYTES)),
}
