import { concatBytes, toHex } from '../../base/bytes.ts'
import { type Deferred, deferred } from '../../base/deferred.ts'
import type { Disposable } from '../../base/disposable.ts'
import { sha256 } from '../../base/sha256.ts'
import type { ByteChannel } from '../../rpc/channel.ts'
import { FrameQueue } from '../frame-queue.ts'
import { JobError } from '../job-error.ts'
import { decodeTreeFrame, encodeTreeFrame, type FileEntry, MAX_TREE_PIECE_BYTES, type TreeEntry, type TreeFrame } from '../tree-frames.ts'
import { EngineError } from './engine.ts'
import type { TarEntry, TarFile, TarItem } from './tar.ts'

/** A file of the folder as it was sent: what came back the same is not put back. */
export interface SentFile {
  readonly path: string
  readonly bytes: number
  readonly modifiedMs: number
  readonly digest: string
}

/** What may be sent of a folder. */
export interface CopyLimits {
  readonly bytes: number
  readonly files: number
}

/** Of contents: 16 bytes of SHA-256. */
export const digestOf = (bytes: Uint8Array): string => toHex(sha256(bytes)).slice(0, 32)

/**
 * The end of a folder's transfer that copies it for an engine, and puts back what came of it. The host that has the folder keeps to
 * the same rules as for a job on another device: a file that was changed here since stays, and the result lies beside it (JB47).
 * Owns the channel.
 */
export class FolderCopy implements Disposable {
  readonly #queue: FrameQueue
  readonly #failed = deferred<never>()
  readonly #listed: TreeEntry[] = []
  #end: Deferred<void> | undefined
  #file: { entry: FileEntry; parts: Uint8Array[]; left: number } | undefined
  #came: Deferred<{ readonly entry: FileEntry; readonly bytes: Uint8Array } | undefined> | undefined

  constructor(channel: ByteChannel) {
    this.#queue = new FrameQueue(
      channel,
      (message) => this.#take(message),
      () => undefined,
    )
    this.#failed.promise.catch(() => undefined) // whoever waits has it
    void this.#queue.closed.then((reason) => this.#failed.reject(faultOf(reason)))
  }

  dispose(): void {
    this.#queue.dispose()
  }

  /** All plain files and folders; links are left out. @throws EngineError `engine/folder-too-large` @throws JobError  what its host says */
  async read(limits: CopyLimits, name: string): Promise<{ readonly entries: readonly TarEntry[]; readonly sent: readonly SentFile[] }> {
    this.#end = deferred()
    await this.#send({ kind: 'list' })
    await this.#orFailed(this.#end.promise)
    const files = this.#listed.filter((entry) => entry.kind === 'file')
    const bytes = files.reduce((sum, entry) => sum + entry.bytes, 0)
    if (files.length > limits.files || bytes > limits.bytes) {
      throw new EngineError(
        'engine/folder-too-large',
        `this folder has ${files.length} files of ${mib(bytes)} MiB; ${name} is sent at most ${limits.files} of ${mib(limits.bytes)} MiB with a job. Run it from a smaller folder`,
      )
    }
    const entries: TarEntry[] = []
    const sent: SentFile[] = []
    let left = limits.bytes
    for (const entry of this.#listed) {
      if (entry.kind === 'folder') entries.push(entry)
      if (entry.kind !== 'file') continue
      const found = await this.#fetch(entry.path)
      if (!found) continue // it went meanwhile
      left -= found.bytes.length
      if (left < 0) throw new EngineError('engine/folder-too-large', `this folder grew past ${mib(limits.bytes)} MiB while it was read`)
      entries.push({ ...found.entry, bytes: found.bytes })
      const { path, modifiedMs } = found.entry
      sent.push({ path, modifiedMs, bytes: found.bytes.length, digest: digestOf(found.bytes) })
    }
    return { entries, sent }
  }

  /**
   * What is new or changed, a piece at a time; resolves when it is in the folder. What is missing among `files` stays as it is here.
   * Ended by `signal` the file that is on its way is not there, and each before it is whole: begun again it does the rest.
   */
  async putBack(files: AsyncIterable<TarItem>, sent: readonly SentFile[], signal?: AbortSignal): Promise<void> {
    const stop = () => {
      this.#failed.reject(signal?.reason)
      this.dispose() // the host hears of it, and takes no more
    }
    signal?.throwIfAborted()
    signal?.addEventListener('abort', stop)
    try {
      const before = new Map(sent.map((file) => [file.path, file]))
      for await (const file of files) {
        signal?.throwIfAborted()
        if (file.kind === 'folder') await this.#send({ kind: 'put', entry: file, bases: [] })
        else await this.#putFile(file, before.get(file.path))
      }
      signal?.throwIfAborted()
      this.#end = deferred()
      await this.#send({ kind: 'finished' })
      await this.#orFailed(this.#end.promise)
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  async #putFile({ length, content, ...entry }: TarFile, known: SentFile | undefined): Promise<void> {
    let pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = content
    // Only what may be as it was sent is looked at whole: no file that was sent is large (rule EN8).
    if (known && known.bytes === length) {
      const parts: Uint8Array[] = []
      for await (const piece of content) parts.push(piece.slice())
      const whole = concatBytes(...parts)
      if (known.digest === digestOf(whole)) return
      pieces = [whole]
    }
    const bases = known ? [{ bytes: known.bytes, modifiedMs: known.modifiedMs }] : []
    await this.#send({ kind: 'put', entry: { ...entry, bytes: length }, bases })
    for await (const bytes of pieces)
      for (let at = 0; at < bytes.length; at += MAX_TREE_PIECE_BYTES)
        await this.#send({ kind: 'piece', bytes: bytes.subarray(at, at + MAX_TREE_PIECE_BYTES) })
  }

  async #fetch(path: string): Promise<{ readonly entry: FileEntry; readonly bytes: Uint8Array } | undefined> {
    this.#came = deferred()
    await this.#send({ kind: 'want', paths: [path] })
    return this.#orFailed(this.#came.promise)
  }

  #take(message: Uint8Array): void {
    const frame = decodeTreeFrame(message)
    switch (frame?.kind) {
      case 'entries':
        this.#listed.push(...frame.entries)
        return frame.end ? this.#end?.resolve() : undefined
      case 'kept':
        return this.#end?.resolve()
      case 'gone':
        this.#file = undefined
        return this.#came?.resolve(undefined)
      case 'put':
        if (frame.entry.kind !== 'file') break
        this.#file = { entry: frame.entry, parts: [], left: frame.entry.bytes }
        return this.#whole()
      case 'piece':
        if (!this.#file || frame.bytes.length > this.#file.left) break
        this.#file.parts.push(frame.bytes.slice())
        this.#file.left -= frame.bytes.length
        return this.#whole()
      default:
    }
    throw new JobError('job/malformed-frame', 'a host does not say this of a folder')
  }

  #whole(): void {
    if (this.#file?.left !== 0) return
    const { entry, parts } = this.#file
    this.#file = undefined
    this.#came?.resolve({ entry, bytes: concatBytes(...parts) })
  }

  #send(frame: TreeFrame): Promise<void> {
    return this.#orFailed(this.#queue.send(encodeTreeFrame(frame)))
  }

  #orFailed<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failed.promise])
  }
}

const mib = (bytes: number): string => (bytes / 1_048_576).toFixed(1)

const FAULTS = {
  'job/folder-gone': 'its folder is not there any more',
  'job/folder-refused': 'its folder cannot be sent: it is a home folder or belongs to the system',
  'job/folder-too-large': 'its folder is too large to be sent',
  'job/disk-full': 'there is no room here for what came back; free some space, and it is fetched again',
} as const

/** Of a cut: it is tried again. */
function faultOf(reason: string): JobError {
  const code = (Object.keys(FAULTS) as (keyof typeof FAULTS)[]).find((one) => one === reason)
  return code ? new JobError(code, FAULTS[code]) : new JobError('job/transfer-failed', 'the folder could not be reached')
}
