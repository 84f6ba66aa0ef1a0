import { errorMessage } from '../../../base/errors.ts'
import type { Logger } from '../../../base/logger.ts'
import type { MountedTree, TreeChange } from '../../../files/mounted-tree.ts'
import { TreeError, type TreeErrorCode } from '../../../files/tree-error.ts'
import type { AnswerContext, AnswerRequest, Reply } from './answer.ts'
import { ATTRIBUTE_ANSWERS } from './answer-attributes.ts'
import { CONTENT_ANSWERS } from './answer-contents.ts'
import { FOLDER_ANSWERS } from './answer-folders.ts'
import { answerInit } from './answer-init.ts'
import { NAME_ANSWERS } from './answer-names.ts'
import type { FuseDevice } from './fuse-device.ts'
import { Errno, InitFlag, NotifyCode, Opcode, OUT_HEADER_BYTES, REQUEST_BUFFER_BYTES } from './fuse-protocol.ts'
import { type CallerState, callerState, LEFT_WHEN_KILLED, STORES } from './killed-process.ts'
import { FuseErrno, type RequestHeader, type RequestPlant, RequestReader } from './request-reader.ts'
import { putU64, replyOf, sealReply } from './write-reply.ts'

const ERRNOS: Readonly<Record<TreeErrorCode, number>> = {
  'tree/not-found': Errno.ENOENT,
  'tree/exists': Errno.EEXIST,
  'tree/not-empty': Errno.ENOTEMPTY,
  'tree/not-a-folder': Errno.ENOTDIR,
  'tree/is-a-folder': Errno.EISDIR,
  'tree/bad-argument': Errno.EINVAL,
  'tree/not-permitted': Errno.EPERM,
  'tree/read-only': Errno.EROFS,
  'tree/no-attribute': Errno.ENODATA,
  'tree/too-large': Errno.EFBIG,
  'tree/name-too-long': Errno.ENAMETOOLONG,
  'tree/full': Errno.ENOSPC,
  'tree/away': Errno.ETIMEDOUT,
  'tree/damaged': Errno.EIO,
  'tree/not-supported': Errno.EOPNOTSUPP,
  'tree/other-disk': Errno.EXDEV,
}

const ANSWERS: Readonly<Record<number, AnswerRequest>> = {
  ...NAME_ANSWERS,
  ...FOLDER_ANSWERS,
  ...ATTRIBUTE_ANSWERS,
  ...CONTENT_ANSWERS,
}

/** How long the loop may be kept by one stretch of requests: others (a home folder's list, a socket) wait that long. */
const STRETCH_MS = 4
/** How often it is looked whether a program that waits was killed: the kernel does not always tell. */
const LOOK_AGAIN_MS = 1_000
/** A day: every change that is not made through the mount itself is told to the kernel. */
const VALID_SECONDS = 86_400

export interface FuseSessionOptions {
  readonly device: FuseDevice
  readonly tree: MountedTree
  readonly uid: number
  readonly gid: number
  readonly log: Logger
  readonly plant?: RequestPlant
  /** Of a thread that waits: is it only to be let go of? */
  readonly callerState?: (thread: number) => CallerState
  /** The kernel has its answer to the first request: what it is to do can be set now. */
  readonly onDidAgree?: () => void
}

interface Waiting {
  readonly header: RequestHeader
  readonly abort: AbortController | undefined
  answered: boolean
  /** The kernel told of a signal to who asked. */
  isInterrupted: boolean
  /** Looks again whether who asked was killed. */
  look: NodeJS.Timeout | undefined
}

/**
 * One mount's conversation with the kernel: reads requests, asks the tree, answers. Answers that are not there at once are
 * sent when they come; nothing else waits for them. Owns the device, not the tree; what the kernel was told of is given
 * back to the tree at the end.
 */
export class FuseSession {
  readonly #options: FuseSessionOptions
  readonly #buffer = Buffer.allocUnsafeSlow(REQUEST_BUFFER_BYTES)
  readonly #known = new Map<number, number>()
  readonly #waiting = new Map<bigint, Waiting>()
  #flags = 0
  #isBroken = false
  #notices: Promise<void> = Promise.resolve()
  readonly #requests = new Map<number, number>()

  constructor(options: FuseSessionOptions) {
    this.#options = options
  }

  /** How many requests of each kind came, and what is outstanding. */
  get status() {
    const byOpcode = Object.fromEntries(this.#requests)
    return { agreedFlags: this.#flags, byOpcode, waiting: this.#waiting.size, known: this.#known.size }
  }

  /** Answers until the mount is gone. */
  async run(): Promise<void> {
    const { device, tree } = this.#options
    const listening = tree.onDidChange((change) => this.#tell(change))
    try {
      for (let idle = false; ; ) {
        const state = this.#answerStretch()
        if (state === 'gone') return
        // One more look after the loop had its turn: a program that works in the mount asks again at once.
        if (state === 'none' && idle) await device.waitReadable()
        else await new Promise((resolve) => setImmediate(resolve))
        idle = state === 'none'
      }
    } finally {
      listening.dispose()
      for (const { abort, look } of this.#waiting.values()) {
        clearTimeout(look)
        abort?.abort()
      }
      for (const [ino, count] of this.#known) tree.forget(ino, count)
      this.#known.clear()
      device.dispose()
    }
  }

  #answerStretch(): 'more' | 'none' | 'gone' {
    const { device } = this.#options
    const endMs = performance.now() + STRETCH_MS
    for (let count = 0; ; count++) {
      // While answers are awaited, the loop is needed for them: no waiting here.
      const isBusy = count > 0 && this.#waiting.size === 0
      const got = isBusy ? device.readSoon(this.#buffer) : device.read(this.#buffer)
      if (got === 'gone') return 'gone'
      if (got === 'none') return count > 0 ? 'more' : 'none'
      this.handle(this.#buffer.subarray(0, got))
      if (performance.now() > endMs) return 'more'
    }
  }

  /** Answers one request, now or later. Never throws. */
  handle(bytes: Buffer): void {
    let header: RequestHeader | undefined
    try {
      const reader = new RequestReader(bytes, this.#options.plant)
      header = reader.header()
      this.#requests.set(header.opcode, (this.#requests.get(header.opcode) ?? 0) + 1)
      this.#dispatch(reader, header)
    } catch (error) {
      if (header) this.#refuse(header, error)
      else this.#options.log.warn('a request of the kernel could not be read', { error: errorMessage(error) })
    }
  }

  #dispatch(reader: RequestReader, header: RequestHeader): void {
    switch (header.opcode) {
      case Opcode.init:
        return this.#init(reader, header)
      case Opcode.forget:
        return this.#forget(header.ino, reader.u64())
      case Opcode.batchForget: {
        const count = reader.u32()
        reader.skip(4)
        for (let i = 0; i < count; i++) this.#forget(reader.u64(), reader.u64())
        return
      }
      case Opcode.interrupt:
        return this.#interrupt(reader.big())
      case Opcode.destroy:
      case Opcode.release:
      case Opcode.releasedir:
      case Opcode.syncfs:
        this.#send(header.unique, undefined)
        return
      case Opcode.open:
        return this.#open(header, InitFlag.noOpen)
      case Opcode.opendir:
        return this.#open(header, InitFlag.noOpendir)
      default:
        return this.#ask(reader, header)
    }
  }

  #ask(reader: RequestReader, header: RequestHeader): void {
    const answer = ANSWERS[header.opcode]
    if (!answer) {
      this.#send(header.unique, FuseErrno.of(Errno.ENOSYS))
      return
    }
    let abort: AbortController | undefined
    const handedOut: number[] = []
    const context: AnswerContext = {
      tree: this.#options.tree,
      uid: this.#options.uid,
      gid: this.#options.gid,
      validSeconds: VALID_SECONDS,
      handedOut: (ino) => void handedOut.push(ino),
      giveBack: (ino, count) => this.#options.tree.forget(ino, count),
      signal: () => (abort ??= new AbortController()).signal,
    }
    const reply = answer(reader, header, context)
    if (!(reply instanceof Promise)) return this.#sendCounted(header.unique, reply, handedOut)
    const waiting: Waiting = { header, abort, answered: false, isInterrupted: false, look: undefined }
    this.#waiting.set(header.unique, waiting)
    this.#lookLater(waiting)
    const settle = (send: () => void) => {
      clearTimeout(waiting.look)
      this.#waiting.delete(header.unique)
      if (!waiting.answered) send()
    }
    reply.then(
      (late) => {
        // Who asked was let go of: the kernel was never told of these.
        if (waiting.answered) for (const ino of handedOut) this.#options.tree.forget(ino, 1)
        settle(() => this.#sendCounted(header.unique, late, handedOut))
      },
      (error: unknown) => {
        if (waiting.answered && STORES.has(header.opcode))
          this.#options.log.warn('what a killed program wrote could not be stored', { ino: header.ino, error: errorMessage(error) })
        settle(() => this.#refuse(header, error))
      },
    )
  }

  /** A read is given up for any signal; of the rest only who was killed is let go of. */
  #interrupt(unique: bigint): void {
    const waiting = this.#waiting.get(unique)
    if (!waiting || waiting.answered) return
    waiting.isInterrupted = true
    if (waiting.abort) this.#giveUp(unique, waiting)
    else this.#leaveIfKilled(waiting)
  }

  /**
   * Now, or when it is: the kernel tells one signal of a request, and none of a program that is being ended. Whoever cannot be seen
   * is let go of only when the kernel told of a signal.
   */
  #leaveIfKilled(waiting: Waiting): void {
    const { header } = waiting
    if (waiting.answered || !mayLeave(header)) return
    clearTimeout(waiting.look)
    const state = (this.#options.callerState ?? callerState)(header.pid)
    if (state === 'alive') this.#lookLater(waiting)
    else if (state === 'killed' || waiting.isInterrupted) this.#giveUp(header.unique, waiting)
  }

  #lookLater(waiting: Waiting): void {
    if (mayLeave(waiting.header)) waiting.look = setTimeout(() => this.#leaveIfKilled(waiting), LOOK_AGAIN_MS).unref()
  }

  #giveUp(unique: bigint, waiting: Waiting): void {
    waiting.answered = true
    waiting.abort?.abort()
    this.#send(unique, undefined, Errno.EINTR)
  }

  #init(reader: RequestReader, header: RequestHeader): void {
    const { reply, agreed } = answerInit(reader)
    if (agreed) this.#flags = agreed.flags
    this.#options.log.debug('the kernel speaks', { minor: agreed?.minor, flags: agreed?.flags.toString(16) })
    this.#send(header.unique, reply)
    if (agreed) this.#options.onDidAgree?.()
  }

  /** There is no state of an open file: ENOSYS says so once and for all, where the kernel takes it. */
  #open(header: RequestHeader, flag: number): void {
    if (this.#flags & flag) {
      this.#send(header.unique, undefined, Errno.ENOSYS)
      return
    }
    const out = replyOf(16).fill(0, OUT_HEADER_BYTES)
    out.writeUInt32LE(2, OUT_HEADER_BYTES + 8)
    this.#send(header.unique, out)
  }

  #forget(ino: number, count: number): void {
    const known = this.#known.get(ino)
    if (known === undefined) return
    const gone = Math.min(known, count)
    if (gone === known) this.#known.delete(ino)
    else this.#known.set(ino, known - gone)
    this.#options.tree.forget(ino, gone)
  }

  #sendCounted(unique: bigint, reply: Reply, handedOut: readonly number[]): void {
    if (!this.#send(unique, reply)) for (const ino of handedOut) this.#options.tree.forget(ino, 1)
    else for (const ino of handedOut) this.#known.set(ino, (this.#known.get(ino) ?? 0) + 1)
  }

  #refuse({ unique, opcode }: RequestHeader, error: unknown): void {
    let errno: number = Errno.EIO
    if (error instanceof FuseErrno) errno = error.errno
    else if (error instanceof TreeError) errno = ERRNOS[error.code]
    else this.#options.log.error('a request of the mount failed', { opcode, error })
    if (opcode === Opcode.forget || opcode === Opcode.batchForget || opcode === Opcode.interrupt) return
    this.#send(unique, undefined, errno)
  }

  /** @returns false: whoever asked has given up */
  #send(unique: bigint, reply: Reply, errno = 0): boolean {
    if (reply === 'silent' || unique === 0n) return false
    if (reply instanceof FuseErrno) return this.#send(unique, undefined, reply.errno)
    if (Buffer.isBuffer(reply)) {
      sealReply(reply, reply.length, errno, unique)
      return this.#write([reply])
    }
    const head = Buffer.allocUnsafe(OUT_HEADER_BYTES)
    const parts: readonly Uint8Array[] = reply ?? []
    sealReply(
      head,
      parts.reduce((sum, { length }) => sum + length, OUT_HEADER_BYTES),
      errno,
      unique,
    )
    return this.#write(parts.length === 0 ? [head] : [head, ...parts])
  }

  /** A device that takes no answer makes all who ask wait for ever: the mount ends instead, and they hear of it. */
  #write(parts: readonly Uint8Array[]): boolean {
    const { device, log } = this.#options
    if (this.#isBroken) return false
    try {
      return device.write(parts)
    } catch (error) {
      this.#isBroken = true
      log.error('the kernel takes no answers; the mount ends', { error: errorMessage(error) })
      device.dispose()
      return false
    }
  }

  /** What others changed: names and pages the kernel keeps are dropped, in order, off the loop. */
  #tell(change: TreeChange): void {
    const { device, log } = this.#options
    const ino = change.kind === 'entry' ? change.parent : change.ino
    if (ino !== 1 && !this.#known.has(ino)) return
    const message = change.kind === 'entry' ? entryNotice(change.parent, change.name) : inodeNotice(change.ino)
    const also = change.kind === 'entry' ? inodeNotice(change.parent) : undefined
    this.#notices = this.#notices
      .then(() => device.notify(message))
      .then(() => (also ? device.notify(also) : undefined))
      .catch((error: unknown) => log.warn('the kernel could not be told of a change', { error: errorMessage(error) }))
  }
}

/** Pages that the kernel gathered and writes, and who is of another namespace, come as nobody's: they wait for the tree. */
const mayLeave = ({ opcode, pid }: RequestHeader): boolean => pid !== 0 && LEFT_WHEN_KILLED.has(opcode)

/** struct fuse_notify_inval_entry_out. */
function entryNotice(parent: number, name: string): Buffer {
  const nameBytes = Buffer.from(name)
  const out = replyOf(16 + nameBytes.length + 1).fill(0)
  putU64(out, OUT_HEADER_BYTES, parent)
  out.writeUInt32LE(nameBytes.length, OUT_HEADER_BYTES + 8)
  out.set(nameBytes, OUT_HEADER_BYTES + 16)
  return noticeOf(out, NotifyCode.invalidateEntry)
}

/** struct fuse_notify_inval_inode_out: attributes, and all pages. */
function inodeNotice(ino: number): Buffer {
  const out = replyOf(24).fill(0)
  putU64(out, OUT_HEADER_BYTES, ino)
  return noticeOf(out, NotifyCode.invalidateInode)
}

function noticeOf(out: Buffer, code: number): Buffer {
  sealReply(out, out.length, -code, 0n)
  return out
}
