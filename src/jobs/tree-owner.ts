import type { Disposable } from '../base/disposable.ts'
import { utf8 } from '../base/bytes.ts'
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

/** Longest name that a disk keeps, in bytes of UTF-8. */
const MAX_NAME_BYTES = 255

/** What has gone over and come back. */
export interface TreeCount {
  readonly sentBytes: number
  /** Of what the guest asked for; grows as it asks. */
  readonly wantedBytes: number
  readonly files: number
  /** Results that lie beside what was changed here meanwhile. */
  readonly conflicts: number
}

/**
 * The end that has the folder: tells what is in it, sends what is asked for, and puts results back as they come. A file that
 * was changed here since the job had it stays, and so does a file or link where the job has a folder; the result lies beside it
 * (rule JB47). Owns the channel, not the folder.
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
  /** Folders of the job that lie beside what stands here under their name; what is in them follows. */
  readonly #moved = new Map<string, string>()
  /** Folders above results that were seen here. */
  readonly #folders = new Set<string>()
  /** Paths of what came back. */
  readonly #came = new Set<string>()
  #receiving:
    | { readonly entry: FileEntry; readonly bases: readonly TreeBase[]; readonly file: TreeFile | undefined; left: number }
    | undefined

  constructor(channel: ByteChannel, folder: TreeFolder, guestName: string, onFault: (error: unknown) => void = () => undefined) {
    this.#folder = folder
    this.#guestName = clipped(guestName.replaceAll(/[/\0]/g, '_'), 60)
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

  async #takeEntry(told: TreeEntry, bases: readonly TreeBase[]): Promise<void> {
    if (this.#receiving) throw new JobError('job/malformed-frame', 'a file began before the one before it was whole')
    this.#came.add(told.path)
    if (this.#came.size > MAX_TREE_ENTRIES) throw new JobError('job/folder-too-large', `more than ${MAX_TREE_ENTRIES} results came back`)
    const entry = { ...told, path: await this.#placeOf(told.path) }
    const now = await this.#folder.stat(entry.path)
    if (entry.kind === 'folder') return this.#takeFolder(entry.path, entry.mode, now, bases)
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

  async #takeFolder(path: string, mode: number, now: TreeEntry | undefined, bases: readonly TreeBase[]): Promise<void> {
    if (now?.kind === 'folder') return
    if (now && !isKnown(now, bases)) return void (await this.#moveBeside(path, mode))
    if (now) await this.#folder.remove(path) // as the job had it
    await this.#folder.makeFolder(path, mode)
  }

  /** Where a result goes: below folders that lie beside what stands here, if any above it does. */
  async #placeOf(path: string): Promise<string> {
    const parts = path.split('/')
    let place = ''
    for (const [at, part] of parts.entries()) {
      const here = place === '' ? part : `${place}/${part}`
      if (at === parts.length - 1) return here
      place = this.#moved.get(here) ?? here
      if (place !== here || this.#folders.has(place)) continue
      const kind = (await this.#folder.stat(place))?.kind
      if (kind === 'file' || kind === 'link') place = await this.#moveBeside(place, 0o755)
      else if (kind === 'folder' && this.#folders.size < MAX_TREE_ENTRIES) this.#folders.add(place)
    }
    return place
  }

  /** A folder of the job, where a file or link stands that stays. */
  async #moveBeside(path: string, mode: number): Promise<string> {
    const known = this.#moved.get(path)
    if (known !== undefined) return known
    const place = path.slice(0, path.lastIndexOf('/') + 1) + (await this.#beside(path, 'folder'))
    await this.#folder.makeFolder(place, mode)
    this.#moved.set(path, place)
    this.#tell({ conflicts: this.#count.conflicts + 1 })
    return place
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
    await file.commit(isConflict ? await this.#beside(entry.path, 'file') : undefined)
    this.#tell({ files: this.#count.files + 1, conflicts: this.#count.conflicts + (isConflict ? 1 : 0) })
  }

  async #remove(told: string, bases: readonly TreeBase[]): Promise<void> {
    const path = await this.#placeOf(told)
    const now = await this.#folder.stat(path)
    if (now?.kind === 'folder') this.#folders.delete(path)
    if (now && (now.kind !== 'file' || isKnown(now, bases))) await this.#folder.remove(path)
  }

  /** `name (from DEVICE).ext`, or `name (from DEVICE 2).ext` where something of another kind has that name. */
  async #beside(path: string, kind: 'file' | 'folder'): Promise<string> {
    const name = path.slice(path.lastIndexOf('/') + 1)
    const dot = kind === 'file' ? name.lastIndexOf('.') : -1
    const end = dot > 0 ? dot : name.length
    for (let n = 1; ; n++) {
      const rest = ` (from ${this.#guestName}${n === 1 ? '' : ` ${n}`})${clipped(name.slice(end), 40)}`
      const beside = clipped(name.slice(0, end), MAX_NAME_BYTES - utf8(rest).length) + rest
      const there = await this.#folder.stat(path.slice(0, path.lastIndexOf('/') + 1) + beside)
      if (there === undefined || there.kind === kind) return beside
    }
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

/** Its beginning, of so many bytes of UTF-8 at most. */
function clipped(text: string, bytes: number): string {
  let kept = ''
  let left = bytes
  for (const letter of text)
    if ((left -= utf8(letter).length) >= 0) kept += letter
    else break
  return kept
}
