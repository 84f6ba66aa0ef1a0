import type { Disposable } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import type { ByteChannel } from '../rpc/channel.ts'
import { FrameQueue } from './frame-queue.ts'
import { JobError } from './job-error.ts'
import type { TreeFile, TreeFolder } from './tree-folder.ts'
import {
  decodeTreeFrame,
  encodeTreeFrame,
  type FileEntry,
  MAX_TREE_ENTRIES,
  MAX_TREE_PIECE_BYTES,
  TREE_PAGE,
  type TreeBase,
  type TreeEntry,
  type TreeFrame,
} from './tree-frames.ts'

/** Results are refused before the disk here is as full as this. */
const LEFT_FREE_BYTES = 256 * 1024 ** 2

/** What has gone over and come back. */
export interface TreeCount {
  readonly sentBytes: number
  /** Of what the guest asked for; grows as it asks. */
  readonly wantedBytes: number
  readonly files: number
  /** Results that lie beside a file changed here meanwhile. */
  readonly conflicts: number
}

/**
 * The end that has the folder: tells what is in it, sends what is asked for, and puts results back as they come. A file that
 * was changed here since the job had it stays; the result lies beside it (rule JB47). Owns the channel, not the folder.
 */
export class TreeOwner implements Disposable {
  readonly #folder: TreeFolder
  /** Where results come from, for names of those that lie beside. */
  readonly #guestName: string
  readonly #queue: FrameQueue
  /** What is in the folder, found out while its guest is still asked whether it takes the job. */
  #listed: Promise<TreeEntry[]> | undefined
  readonly #changed = new Emitter<TreeCount>()
  readonly onDidChange = this.#changed.event
  #count: TreeCount = { sentBytes: 0, wantedBytes: 0, files: 0, conflicts: 0 }
  /** Paths of what came back. */
  readonly #came = new Set<string>()
  #receiving:
    | { readonly entry: FileEntry; readonly bases: readonly TreeBase[]; readonly file: TreeFile | undefined; left: number }
    | undefined

  constructor(channel: ByteChannel, folder: TreeFolder, guestName: string, onFault: (error: unknown) => void = () => undefined) {
    this.#folder = folder
    this.#guestName = guestName.replaceAll(/[/\0]/g, '_').slice(0, 60)
    this.#queue = new FrameQueue(channel, (message) => this.#take(message), onFault)
    void this.#queue.closed.then(() => this.dispose())
    this.#listed = folder.list()
    this.#listed.catch(() => undefined) // who asks for it hears why
  }

  get count(): TreeCount {
    return this.#count
  }

  get closed(): Promise<string> {
    return this.#queue.closed
  }

  dispose(): void {
    const receiving = this.#receiving
    this.#receiving = undefined
    void receiving?.file?.abort().catch(() => undefined) // what is left of it is a temporary file, cleaned with the next
    this.#queue.dispose()
    this.#changed.dispose()
  }

  async #take(message: Uint8Array): Promise<void> {
    const frame = decodeTreeFrame(message)
    if (!frame) throw new JobError('job/malformed-frame', 'not a frame of a folder transfer')
    switch (frame.kind) {
      case 'list':
        return this.#sendList()
      case 'want':
        for (const path of frame.paths) await this.#sendFile(path)
        return
      case 'put':
        return this.#takeEntry(frame.entry, frame.bases)
      case 'piece':
        return this.#takePiece(frame.bytes)
      case 'remove':
        for (const { path, bases } of frame.removed.toReversed()) await this.#remove(path, bases)
        return
      case 'finished':
        return this.#send({ kind: 'kept' })
      default:
        throw new JobError('job/malformed-frame', `a guest does not say "${frame.kind}"`)
    }
  }

  #send(frame: TreeFrame): Promise<void> {
    return this.#queue.send(encodeTreeFrame(frame))
  }

  async #sendList(): Promise<void> {
    const entries = await (this.#listed ?? this.#folder.list())
    this.#listed = undefined // asked again after a cut: as it is then
    for (let at = 0; at < entries.length || at === 0; at += TREE_PAGE) {
      await this.#send({ kind: 'entries', entries: entries.slice(at, at + TREE_PAGE), end: at + TREE_PAGE >= entries.length })
    }
  }

  async #sendFile(path: string): Promise<void> {
    const entry = await this.#folder.stat(path)
    const content = entry?.kind === 'file' ? await this.#folder.read(path) : undefined
    if (entry?.kind !== 'file' || !content) return this.#send({ kind: 'gone', path })
    this.#tell({ wantedBytes: this.#count.wantedBytes + entry.bytes })
    await this.#send({ kind: 'put', entry, bases: [] })
    let left = entry.bytes
    for await (const bytes of content) {
      for (let at = 0; at < bytes.length && left > 0; at += MAX_TREE_PIECE_BYTES) {
        const piece = bytes.subarray(at, Math.min(at + MAX_TREE_PIECE_BYTES, at + left))
        await this.#send({ kind: 'piece', bytes: piece })
        left -= piece.length
        this.#tell({ sentBytes: this.#count.sentBytes + piece.length })
      }
      if (left === 0 || this.#queue.isClosed) break
    }
    if (left > 0) await this.#send({ kind: 'gone', path }) // it became shorter meanwhile
  }

  async #takeEntry(entry: TreeEntry, bases: readonly TreeBase[]): Promise<void> {
    if (this.#receiving) throw new JobError('job/malformed-frame', 'a file began before the one before it was whole')
    this.#came.add(entry.path)
    if (this.#came.size > MAX_TREE_ENTRIES) throw new JobError('job/folder-too-large', `more than ${MAX_TREE_ENTRIES} results came back`)
    const now = await this.#folder.stat(entry.path)
    if (entry.kind === 'folder') return now?.kind === 'folder' ? undefined : this.#folder.makeFolder(entry.path, entry.mode)
    if (entry.kind === 'link') {
      if (now?.kind === 'link' && now.target === entry.target) return
      if (now === undefined) await this.#folder.makeLink(entry.path, entry.target)
      return
    }
    this.#requireRoom(entry)
    // What is here already (sent before a cut) is only listened to.
    this.#receiving = { entry, bases, file: isSame(now, entry) ? undefined : await this.#folder.create(entry), left: entry.bytes }
    if (entry.bytes === 0) await this.#completeFile()
  }

  /** The other device says what it likes of its results: they may take time, not the disk. */
  #requireRoom({ path, bytes }: FileEntry): void {
    if (this.#folder.freeBytes() - bytes >= LEFT_FREE_BYTES) return
    throw new JobError('job/disk-full', `there is no room here for ${path} (${bytes} bytes); free some space, and run it again`)
  }

  async #takePiece(bytes: Uint8Array): Promise<void> {
    const receiving = this.#receiving
    if (!receiving || bytes.length > receiving.left) throw new JobError('job/malformed-frame', 'more bytes than the file was said to have')
    await receiving.file?.write(bytes)
    receiving.left -= bytes.length
    if (receiving.left === 0) await this.#completeFile()
  }

  async #completeFile(): Promise<void> {
    const receiving = this.#receiving
    this.#receiving = undefined
    if (!receiving?.file) return
    const { entry, bases, file } = receiving
    const now = await this.#folder.stat(entry.path)
    const isConflict = now !== undefined && !isSame(now, entry) && !isKnown(now, bases)
    await file.commit(isConflict ? this.#beside(entry.path) : undefined)
    this.#tell({ files: this.#count.files + 1, conflicts: this.#count.conflicts + (isConflict ? 1 : 0) })
  }

  async #remove(path: string, bases: readonly TreeBase[]): Promise<void> {
    const now = await this.#folder.stat(path)
    if (now && (now.kind !== 'file' || isKnown(now, bases))) await this.#folder.remove(path)
  }

  /** `name (from DEVICE).ext`. */
  #beside(path: string): string {
    const name = path.slice(path.lastIndexOf('/') + 1)
    const dot = name.lastIndexOf('.')
    const end = dot > 0 ? dot : name.length
    return `${name.slice(0, end).slice(0, 150)} (from ${this.#guestName})${name.slice(end).slice(0, 40)}`
  }

  #tell(change: Partial<TreeCount>): void {
    this.#count = { ...this.#count, ...change }
    this.#changed.fire(this.#count)
  }
}

function isSame(now: TreeEntry | undefined, entry: FileEntry): boolean {
  return now?.kind === 'file' && now.bytes === entry.bytes && now.modifiedMs === entry.modifiedMs
}

function isKnown(now: TreeEntry, bases: readonly TreeBase[]): boolean {
  return now.kind === 'file' && bases.some(({ bytes, modifiedMs }) => now.bytes === bytes && now.modifiedMs === modifiedMs)
}
