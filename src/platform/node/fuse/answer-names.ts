import type { Answer, RenameKind, TreeAttributes } from '../../../files/mounted-tree.ts'
import { TreeError } from '../../../files/tree-error.ts'
import { type AnswerContext, type AnswerRequest, andThen, done, type Reply } from './answer.ts'
import { Errno, FileType, Opcode, RenameFlag } from './fuse-protocol.ts'
import { FuseErrno } from './request-reader.ts'
import { createReply, entryReply } from './write-reply.ts'

/** Longest text of a link, as Linux has it. */
const MAX_LINK_BYTES = 4095
const O_EXCL = 0o200
const O_TRUNC = 0o1000

const named = (answer: Answer<TreeAttributes>, context: AnswerContext): Answer<Reply> =>
  andThen(answer, (attributes) => {
    context.handedOut(attributes.ino)
    return entryReply(attributes, context)
  })

const lookup: AnswerRequest = (reader, { ino }, context) =>
  andThen(context.tree.lookup(ino, reader.entryName()), (attributes) => {
    if (attributes) context.handedOut(attributes.ino)
    return entryReply(attributes, context)
  })

const mkdir: AnswerRequest = (reader, { ino }, context) => {
  const mode = reader.u32()
  reader.skip(4)
  return named(context.tree.mkdir(ino, reader.entryName(), mode & 0o7777), context)
}

/** Only plain files: pipes, sockets and devices are of one machine and have no place in a tree that is on all. */
const mknod: AnswerRequest = (reader, { ino }, context) => {
  const mode = reader.u32()
  reader.skip(12)
  if ((mode & FileType.mask) !== FileType.file) throw FuseErrno.of(Errno.EPERM)
  return named(context.tree.create(ino, reader.entryName(), mode & 0o7777), context)
}

const create: AnswerRequest = (reader, { ino }, context) => {
  const flags = reader.u32()
  const mode = reader.u32() & 0o7777
  reader.skip(8)
  const name = reader.entryName()
  const { tree } = context
  const made = (answer: Answer<TreeAttributes>) =>
    andThen(answer, (attributes) => {
      context.handedOut(attributes.ino)
      return createReply(attributes, context)
    })
  // The kernel believed the name free. When it is not (another device made it a moment ago), only O_EXCL minds.
  const openThere = (): Answer<Reply> =>
    andThen(tree.lookup(ino, name), (there) => {
      if (!there) throw new TreeError('tree/not-found')
      if (there.kind !== 'file' || (flags & O_EXCL) !== 0) {
        context.giveBack(there.ino, 1)
        throw new TreeError('tree/exists')
      }
      if ((flags & O_TRUNC) === 0) return made(there)
      return made(andThen(tree.setattr(there.ino, { fileBytes: 0 }), () => tree.getattr(there.ino)))
    })
  const otherwise = (error: unknown): Answer<Reply> => {
    if (error instanceof TreeError && error.code === 'tree/exists' && (flags & O_EXCL) === 0) return openThere()
    throw error
  }
  try {
    const answer = tree.create(ino, name, mode)
    return answer instanceof Promise ? answer.then(made, otherwise) : made(answer)
  } catch (error) {
    return otherwise(error)
  }
}

const symlink: AnswerRequest = (reader, { ino }, context) => {
  const name = reader.entryName()
  return named(context.tree.symlink(ino, name, reader.text(MAX_LINK_BYTES)), context)
}

const readlink: AnswerRequest = (_reader, { ino }, { tree }) => andThen(tree.readlink(ino), (target) => [Buffer.from(target)])

const unlink: AnswerRequest = (reader, { ino }, { tree }) => andThen(tree.unlink(ino, reader.entryName()), done)
const rmdir: AnswerRequest = (reader, { ino }, { tree }) => andThen(tree.rmdir(ino, reader.entryName()), done)

const rename: AnswerRequest = (reader, header, context) => {
  const toParent = reader.u64()
  let flags = 0
  if (header.opcode === Opcode.rename2) {
    flags = reader.u32()
    reader.skip(4)
  }
  const kind: RenameKind | undefined =
    flags === 0 ? 'replace' : flags === RenameFlag.noReplace ? 'keep' : flags === RenameFlag.exchange ? 'exchange' : undefined
  if (!kind) throw FuseErrno.of(Errno.EINVAL)
  const name = reader.entryName()
  return andThen(context.tree.rename(header.ino, name, toParent, reader.entryName(), kind), done)
}

/** One entry has one place: git, npm and tar take EPERM as "copy instead", as on other systems without hard links. */
const link: AnswerRequest = () => {
  throw FuseErrno.of(Errno.EPERM)
}

export const NAME_ANSWERS: Readonly<Record<number, AnswerRequest>> = {
  [Opcode.lookup]: lookup,
  [Opcode.mkdir]: mkdir,
  [Opcode.mknod]: mknod,
  [Opcode.create]: create,
  [Opcode.symlink]: symlink,
  [Opcode.readlink]: readlink,
  [Opcode.unlink]: unlink,
  [Opcode.rmdir]: rmdir,
  [Opcode.rename]: rename,
  [Opcode.rename2]: rename,
  [Opcode.link]: link,
}
