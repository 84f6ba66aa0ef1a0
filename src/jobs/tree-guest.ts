import { type Deferred, deferred } from '../base/deferred.ts'
import type { Disposable } from '../base/disposable.ts'
import type { ByteChannel } from '../rpc/channel.ts'
import { FrameQueue } from './frame-queue.ts'
import { JobError } from './job-error.ts'
import type { TreeFile, TreeFolder } from './tree-folder.ts'
import {
  decodeTreeFrame,
  encodeTreeFrame,
  type FileEntry,
  MAX_TREE_BYTES,
  MAX_TREE_ENTRIES,
  MAX_TREE_PIECE_BYTES,
  TREE_PAGE,
  type TreeBase,
  type TreeEntry,
  type TreeFrame,
} from './tree-frames.ts'

/** A newer channel took the place of one: to who waits, a cut. */
const REPLACED = 'job/replaced'

/** What the other end may say of a transfer; anything else it says is `job/transfer-failed`. */
const CODES = ['job/folder-gone', 'job/folder-refused', 'job/folder-too-large', 'job/disk-full', 'job/malformed-frame'] as const
const knownCode = (reason: string) => CODES.find((code) => code === reason) ?? 'job/transfer-failed'

/**
 * The end that has a copy for one attempt: makes it equal to the owner's folder, then sends back what the job changes (rule
 * JB46). Outlives its channel: after a cut it goes on over the next one, and sends no file again that it has whole.
 */
export class TreeGuest implements Disposable {
  readonly #folder: TreeFolder
  /** What the owner had when the job began. */
  readonly #asked = new Map<string, TreeEntry>()
  /** What was sent back since, by the channel that is open now or one before. */
  #sent = new Map<string, TreeEntry>()
  /** What was sent over channels before: it may have arrived, or not. */
  #maybeSent = new Map<string, TreeEntry>()
  /** Removals told over the channel that is open now. */
  readonly #removed = new Set<string>()
  /** The previous look: a file that is still growing is not sent before the job has ended. */
  #seen = new Map<string, TreeEntry>()
  #queue: FrameQueue | undefined
  #ready: Deferred<void> | undefined
  #isReady = false
  #kept: Deferred<void> | undefined
  #listed: TreeEntry[] | undefined
  #listedBytes = 0
  /** What its copy holds, found out while the owner tells what it has. */
  #held: Promise<TreeEntry[]> | undefined
  #wanted = new Set<string>()
  #receiving: { readonly entry: FileEntry; readonly file: TreeFile; left: number } | undefined
  #isDisposed = false
  #fault: JobError | undefined
  readonly #onFault: (error: unknown) => void

  constructor(folder: TreeFolder, onFault: (error: unknown) => void = () => undefined) {
    this.#folder = folder
    this.#onFault = onFault
  }

  /** Why the channel before ended, if it was no cut: waiting for the next one would not help. */
  get fault(): JobError | undefined {
    return this.#fault
  }

  get isReady(): boolean {
    return this.#isReady
  }

  get isAttached(): boolean {
    return this.#queue !== undefined && !this.#queue.isClosed
  }

  /** Goes on over this channel; one before is closed. */
  attach(channel: ByteChannel): void {
    const before = this.#queue
    if (before) {
      this.#drop(REPLACED) // a cut that this end has not heard of yet
      before.dispose()
    }
    const queue = new FrameQueue(channel, (message) => this.#take(message), this.#onFault)
    this.#queue = queue
    this.#fault = undefined
    this.#maybeSent = new Map([...this.#maybeSent, ...this.#sent])
    this.#sent = new Map()
    this.#removed.clear()
    void queue.closed.then((reason) => {
      if (this.#queue === queue) this.#drop(reason)
    })
  }

  /**
   * Makes the copy equal to the owner's folder. Call once a channel is attached; again after a cut.
   *
   * @throws JobError `job/device-away`  the channel ended; `job/folder-too-large`, `job/malformed-frame`, and what the owner's end closed it with
   */
  async receive(): Promise<void> {
    if (this.#isReady) return
    const ready = (this.#ready = deferred<void>())
    this.#listed = []
    this.#listedBytes = 0
    this.#held = this.#folder.list()
    this.#held.catch(() => undefined) // whoever waits has it
    await this.#send({ kind: 'list' })
    await ready.promise
    this.#isReady = true
  }

  /**
   * Looks what the job has changed and sends it. `final`: all of it, and waits until the owner has it, if anything was
   * sent at all.
   *
   * @returns bytes of all files in the folder
   * @throws JobError as `receive`
   */
  async sendResults(final: boolean): Promise<number> {
    const entries = await this.#folder.list()
    const now = new Map(entries.map((entry) => [entry.path, entry]))
    for (const entry of entries) {
      const known = this.#sent.get(entry.path) ?? this.#asked.get(entry.path)
      if (known && isEqual(known, entry) && !this.#removed.has(entry.path)) continue
      const before = this.#seen.get(entry.path)
      if (!final && !(before && isEqual(before, entry))) continue
      await this.#sendEntry(entry)
    }
    const told = new Set([...this.#asked.keys(), ...this.#maybeSent.keys(), ...this.#sent.keys()])
    await this.#sendRemoved([...told].filter((path) => !now.has(path) && !this.#removed.has(path)))
    this.#seen = now
    const nothing = this.#sent.size + this.#maybeSent.size + this.#removed.size === 0
    if (final && !nothing) {
      const kept = (this.#kept = deferred<void>()) // gone from here when the channel ends while this is sent
      await this.#send({ kind: 'finished' })
      await kept.promise
    }
    return entries.reduce((sum, entry) => sum + (entry.kind === 'file' ? entry.bytes : 0), 0)
  }

  dispose(): void {
    this.#isDisposed = true
    this.#queue?.dispose()
    this.#drop('rpc/closed')
  }

  #drop(reason: string): void {
    this.#queue = undefined
    void this.#receiving?.file.abort().catch(() => undefined) // a temporary file in a copy that is thrown away
    this.#receiving = undefined
    const isFault = reason !== REPLACED && (reason.startsWith('job/') || reason.startsWith('file/'))
    if (isFault)
      this.#fault = new JobError(knownCode(reason), `the job's folder could not be brought here, or its results back (${reason})`)
    const error = this.#fault ?? new JobError('job/device-away', 'the device that asked for the job is not linked now')
    this.#ready?.reject(error)
    this.#kept?.reject(error)
    for (const waited of [this.#ready, this.#kept]) waited?.promise.catch(() => undefined) // whoever waits has it; nobody else must
    this.#ready = this.#kept = undefined
  }

  async #send(frame: TreeFrame): Promise<void> {
    if (this.#fault) throw this.#fault
    if (!this.#queue || this.#isDisposed) throw new JobError('job/device-away', 'the device that asked for the job is not linked now')
    await this.#queue.send(encodeTreeFrame(frame))
  }

  async #take(message: Uint8Array): Promise<void> {
    const frame = decodeTreeFrame(message)
    if (!frame) throw new JobError('job/malformed-frame', 'not a frame of a folder transfer')
    switch (frame.kind) {
      case 'entries':
        return this.#takeEntries(frame.entries, frame.end)
      case 'put':
        return this.#takePut(frame.entry)
      case 'piece':
        return this.#takePiece(frame.bytes)
      case 'gone':
        await this.#receiving?.file.abort()
        this.#receiving = undefined
        this.#asked.delete(frame.path)
        await this.#folder.remove(frame.path) // what a job before left there would come back as a result of this one
        return this.#settle(frame.path)
      case 'kept':
        this.#kept?.resolve()
        return
      default:
        throw new JobError('job/malformed-frame', `an owner does not say "${frame.kind}"`)
    }
  }

  async #takeEntries(entries: readonly TreeEntry[], end: boolean): Promise<void> {
    if (!this.#listed) throw new JobError('job/malformed-frame', 'nobody asked what is in the folder')
    this.#listed.push(...entries)
    for (const entry of entries) this.#listedBytes += entry.kind === 'file' ? entry.bytes : 0
    if (this.#listed.length > MAX_TREE_ENTRIES || this.#listedBytes > MAX_TREE_BYTES) {
      throw new JobError(
        'job/folder-too-large',
        `the folder holds more than ${MAX_TREE_ENTRIES} entries or ${MAX_TREE_BYTES / 1024 ** 3} GiB`,
      )
    }
    if (!end) return
    const listed = this.#listed
    this.#listed = undefined
    await this.#makeEqual(listed)
    this.#settle(undefined)
  }

  async #makeEqual(listed: readonly TreeEntry[]): Promise<void> {
    const have = new Map((await (this.#held ?? this.#folder.list())).map((entry) => [entry.path, entry]))
    this.#held = undefined
    this.#asked.clear()
    for (const entry of listed) this.#asked.set(entry.path, entry)
    for (const [path, entry] of [...have].toReversed()) {
      const wanted = this.#asked.get(path)
      if (wanted && wanted.kind === entry.kind && entry.kind !== 'link') continue
      if (wanted && isEqual(wanted, entry)) continue
      await this.#folder.remove(path)
    }
    const wants: string[] = []
    for (const entry of listed) {
      const held = have.get(entry.path)
      if (held && isEqual(held, entry)) continue
      if (entry.kind === 'folder') await this.#makeFolder(entry.path, entry.mode)
      else if (entry.kind === 'link') await this.#folder.makeLink(entry.path, entry.target)
      else wants.push(entry.path)
    }
    this.#wanted = new Set(wants)
    for (let at = 0; at < wants.length; at += TREE_PAGE) await this.#send({ kind: 'want', paths: wants.slice(at, at + TREE_PAGE) })
  }

  /** In the copy nothing is kept for its own sake: what no list names (a socket, a pipe) makes way. */
  async #makeFolder(path: string, mode: number): Promise<void> {
    try {
      await this.#folder.makeFolder(path, mode)
    } catch {
      await this.#folder.remove(path)
      await this.#folder.makeFolder(path, mode)
    }
  }

  async #takePut(entry: TreeEntry): Promise<void> {
    if (this.#receiving || entry.kind !== 'file' || !this.#wanted.has(entry.path)) {
      throw new JobError('job/malformed-frame', `nobody asked for ${entry.path}`)
    }
    this.#asked.set(entry.path, entry)
    this.#receiving = { entry, file: await this.#folder.create(entry), left: entry.bytes }
    if (entry.bytes === 0) await this.#completeFile()
  }

  async #takePiece(bytes: Uint8Array): Promise<void> {
    const receiving = this.#receiving
    if (!receiving || bytes.length > receiving.left) throw new JobError('job/malformed-frame', 'more bytes than the file was said to have')
    await receiving.file.write(bytes)
    receiving.left -= bytes.length
    if (receiving.left === 0) await this.#completeFile()
  }

  async #completeFile(): Promise<void> {
    const receiving = this.#receiving
    this.#receiving = undefined
    if (!receiving) return
    await receiving.file.commit()
    this.#settle(receiving.entry.path)
  }

  #settle(path: string | undefined): void {
    if (path !== undefined) this.#wanted.delete(path)
    if (this.#wanted.size > 0 || this.#listed) return
    this.#ready?.resolve()
  }

  async #sendEntry(entry: TreeEntry): Promise<void> {
    const bases = this.#basesOf(entry.path)
    this.#removed.delete(entry.path)
    if (entry.kind !== 'file') {
      await this.#send({ kind: 'put', entry, bases })
      this.#sent.set(entry.path, entry)
      return
    }
    const content = await this.#folder.read(entry.path)
    if (!content) return // removed since we looked
    let left = entry.bytes
    let begun = false
    // A file is begun once its first bytes are read: one that turns out shorter than it was is left for the next look.
    for await (const bytes of content) {
      if (left === 0) break
      if (!begun) await this.#send({ kind: 'put', entry, bases })
      begun = true
      for (let at = 0; at < bytes.length && left > 0; at += MAX_TREE_PIECE_BYTES) {
        const piece = bytes.subarray(at, Math.min(at + MAX_TREE_PIECE_BYTES, at + left))
        await this.#send({ kind: 'piece', bytes: piece })
        left -= piece.length
      }
    }
    if (!begun && entry.bytes === 0) await this.#send({ kind: 'put', entry, bases })
    else if (!begun) return
    // It was cut while we read: fill up, so that the frame is whole; its newer state follows with the next look.
    while (left > 0) {
      const piece = new Uint8Array(Math.min(left, MAX_TREE_PIECE_BYTES))
      await this.#send({ kind: 'piece', bytes: piece })
      left -= piece.length
    }
    this.#sent.set(entry.path, entry)
  }

  async #sendRemoved(paths: readonly string[]): Promise<void> {
    for (let at = 0; at < paths.length; at += TREE_PAGE) {
      const page = paths.slice(at, at + TREE_PAGE)
      await this.#send({ kind: 'remove', removed: page.map((path) => ({ path, bases: this.#basesOf(path) })) })
      for (const path of page) this.#removed.add(path)
    }
  }

  #basesOf(path: string): TreeBase[] {
    return [this.#asked.get(path), this.#maybeSent.get(path), this.#sent.get(path)].flatMap((entry) =>
      entry?.kind === 'file' ? [{ bytes: entry.bytes, modifiedMs: entry.modifiedMs }] : [],
    )
  }
}

function isEqual(a: TreeEntry, b: TreeEntry): boolean {
  if (a.kind === 'file') return b.kind === 'file' && a.bytes === b.bytes && a.modifiedMs === b.modifiedMs && a.mode === b.mode
  if (a.kind === 'link') return b.kind === 'link' && a.target === b.target
  return b.kind === 'folder'
}
