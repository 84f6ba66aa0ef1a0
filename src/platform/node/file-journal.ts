import {
  closeSync,
  existsSync,
  fdatasync,
  fsync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Sealer } from '../../base/sealer.ts'
import { StoreError } from '../../base/store-error.ts'
import type { StoreJournal } from '../../files/store-journal.ts'
import { InTurn } from './in-turn.ts'
import { systemStoreError } from './system-store-error.ts'

const PART_NAME = /^tree\.journal-(\d{8})$/
const LENGTH_BYTES = 4
/** Of a part that does not have all yet that it is to have. */
const UNFINISHED = '.new'
const datasync = promisify(fdatasync)
const syncAll = promisify(fsync)

interface Part {
  readonly number: number
  readonly file: number
  bytes: number
  entries: number
  /** So much of it is on the disk itself. */
  syncedBytes: number
  syncedEntries: number
  /** Of what came after that a sync said that it is not: the system may have forgotten it, and would say of the next sync that all is well. */
  isLost: boolean
}

/**
 * A journal in files `tree.journal-NNNNNNNN` of a folder: each entry its length and then itself, sealed for its place. An
 * entry is one write; what a kill cut off at the end is left out. What does not open for another reason ends its part, which is
 * set aside then. After a sync that failed, what was not on the disk before is read back and written anew in another part: in the
 * order it was, so what is read twice leaves the same.
 */
export class FileJournal implements StoreJournal {
  readonly #folder: string
  readonly #sealer: Sealer
  readonly #log: Logger
  readonly #damaged = new Set<number>()
  readonly #startedMs = Date.now()
  /** That an earlier start left. */
  readonly #left: readonly number[]
  /** Of those the ones that a killed process may have left in the system's memory only. */
  #unsyncedLeft: readonly number[]
  #parts: Part[] = []
  #current: Part | undefined
  #next: number
  #isFolderSynced: boolean
  /** Counts when parts were begun to be old, and were forgotten. */
  #turns = 0
  readonly #syncing = new InTurn()
  #isDisposed = false

  constructor(folder: string, sealer: Sealer, log: Logger) {
    this.#folder = folder
    this.#sealer = sealer
    this.#log = log
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    for (const name of readdirSync(folder))
      if (name.startsWith('tree.journal-') && name.endsWith(UNFINISHED)) rmSync(path.join(folder, name))
    this.#left = partsIn(folder)
    this.#unsyncedLeft = this.#left
    this.#isFolderSynced = this.#left.length === 0
    this.#next = (this.#left.at(-1) ?? 0) + 1
  }

  get bytes(): number {
    return this.#current?.bytes ?? 0
  }

  *entries(): Generator<Uint8Array, undefined> {
    for (const number of this.#left) {
      const bytes = this.#read(number)
      let at = 0
      for (let n = 0; isWholeAt(bytes, at); n++) {
        const end = at + LENGTH_BYTES + bytes.readUInt32LE(at)
        const entry = this.#opened(bytes.subarray(at + LENGTH_BYTES, end), number, n)
        if (!entry) break
        yield entry
        at = end
      }
      // Only a kill in the middle of a write leaves a piece, and only at the very end of all.
      if (at < bytes.length && (number !== this.#left.at(-1) || isWholeAt(bytes, at))) this.#setAside(number, bytes.length - at)
    }
  }

  append(entry: Uint8Array): void {
    this.#requireOpen()
    this.#write(this.#current ?? this.#begin(), entry)
  }

  turn(): () => void {
    this.#turns++
    // One that holds nothing goes on: while a disk is full, each try would open another.
    if (this.#current && this.#current.entries > 0) this.#current = undefined
    const before = this.#current?.number ?? this.#next
    return () => {
      if (this.#isDisposed) return
      this.#turns++
      // The oldest first: what a kill leaves has no gap.
      for (const number of partsIn(this.#folder)) if (number < before) this.#remove(number)
      for (const { number, file } of this.#parts) if (number < before) closeSync(file)
      this.#parts = this.#parts.filter(({ number }) => number >= before)
    }
  }

  sync(): Promise<void> {
    return this.#syncing.run(() => this.#syncDirty())
  }

  dispose(): void {
    this.#isDisposed = true
    for (const { file } of this.#parts) closeSync(file)
    this.#parts = []
    this.#current = undefined
  }

  /** @throws StoreError `store/closed` */
  #requireOpen(): void {
    if (this.#isDisposed) throw StoreError.closed(this.#folder)
  }

  #begin(): Part {
    this.#current = this.#make(this.#next)
    this.#next++
    this.#isFolderSynced = false
    this.#parts.push(this.#current)
    return this.#current
  }

  /** @throws StoreError */
  #make(number: number, ending = ''): Part {
    const name = this.#fileOf(number) + ending
    try {
      const file = openSync(name, 'wx+', 0o600)
      return { number, file, bytes: fstatSync(file).size, entries: 0, syncedBytes: 0, syncedEntries: 0, isLost: false }
    } catch (error) {
      throw systemStoreError(error, name)
    }
  }

  /** @throws StoreError; then nothing of it is there */
  #write(part: Part, entry: Uint8Array): void {
    const sealed = this.#sealer.seal(entry, contextOf(part.number, part.entries))
    const framed = Buffer.allocUnsafe(LENGTH_BYTES + sealed.length)
    framed.writeUInt32LE(sealed.length, 0)
    framed.set(sealed, LENGTH_BYTES)
    try {
      const written = writeSync(part.file, framed, 0, framed.length, part.bytes)
      if (written !== framed.length) throw Object.assign(new Error('short write'), { code: 'ENOSPC' })
    } catch (error) {
      ftruncateSync(part.file, part.bytes)
      throw systemStoreError(error, this.#fileOf(part.number))
    }
    part.bytes += framed.length
    part.entries++
  }

  async #syncDirty(): Promise<void> {
    this.#requireOpen()
    // A second time at once: what was written anew may lie well where it is now.
    for (let again = true; ; again = false) {
      try {
        await this.#syncLeft()
        await this.#writeLostAnew()
        await this.#syncParts()
        if (!this.#isFolderSynced) await this.#syncFolder()
        this.#requireOpen() // closed meanwhile, nothing says what lies on the disk
        return
      } catch (error) {
        if (this.#isDisposed) throw StoreError.closed(this.#folder)
        if (!again) throw systemStoreError(error, this.#folder)
      }
    }
  }

  /** On a full disk they stay the only place of what they hold. */
  async #syncLeft(): Promise<void> {
    for (const number of this.#unsyncedLeft) {
      const name = this.#fileOf(number)
      if (!existsSync(name)) continue // what it held lies in the store behind
      const file = openSync(name, 'r+')
      try {
        await datasync(file)
      } finally {
        closeSync(file)
      }
    }
    this.#unsyncedLeft = []
  }

  async #syncParts(): Promise<void> {
    const dirty = this.#parts.filter(({ bytes, syncedBytes }) => bytes > syncedBytes)
    let failed: { readonly error: unknown } | undefined
    await Promise.all(
      dirty.map(async (part) => {
        const { bytes, entries } = part
        try {
          await datasync(part.file)
          if (!part.isLost) Object.assign(part, { syncedBytes: bytes, syncedEntries: entries })
        } catch (error) {
          // A part that was forgotten meanwhile lies in the store behind, synced.
          if (!this.#parts.includes(part)) return
          part.isLost = true
          failed = { error }
        }
      }),
    )
    if (failed) throw failed.error
  }

  /**
   * What a sync did not bring to the disk, and all that follows it, in a new part, which has its name when it has all of it and lies there;
   * the old ones are cut to what they had, or go. A kill leaves the old ones, the new one, or both.
   * @throws Error: it cannot be read back, there is no room, or it cannot be synced
   */
  async #writeLostAnew(): Promise<void> {
    for (;;) {
      const at = this.#parts.findIndex(({ isLost }) => isLost)
      if (at < 0) return
      const turns = this.#turns
      const fresh = this.#make(this.#next++, UNFINISHED)
      try {
        for (const entry of this.#readBack(this.#parts.slice(at))) this.#write(fresh, entry)
        const { bytes, entries } = fresh
        await datasync(fresh.file)
        if (this.#isDisposed) throw StoreError.closed(this.#folder)
        if (turns === this.#turns) {
          for (const entry of this.#readBack(this.#parts.slice(at)).slice(entries)) this.#write(fresh, entry)
          renameSync(this.#fileOf(fresh.number) + UNFINISHED, this.#fileOf(fresh.number))
          this.#putInPlace(Object.assign(fresh, { syncedBytes: bytes, syncedEntries: entries }), at)
          return
        }
        this.#discard(fresh) // what was begun or forgotten meanwhile says which parts are older: once more
      } catch (error) {
        this.#discard(fresh)
        throw error
      }
    }
  }

  /** In place of all parts from this one on. What of them cannot be removed is read before it, and then again: that changes nothing. */
  #putInPlace(fresh: Part, at: number): void {
    const [first, ...others] = this.#parts.splice(at) as [Part, ...Part[]]
    const gone = first.syncedBytes === 0 ? [first, ...others] : others
    if (first.syncedBytes > 0) {
      Object.assign(first, { bytes: first.syncedBytes, entries: first.syncedEntries, isLost: false })
      this.#parts.push(first)
    }
    this.#parts.push(fresh)
    this.#current = fresh
    this.#isFolderSynced = false
    const file = this.#fileOf(fresh.number)
    this.#log.warn('what the disk did not keep of the journal of files was written anew', { file })
    try {
      if (first.syncedBytes > 0) ftruncateSync(first.file, first.syncedBytes)
      for (const { number } of gone) rmSync(this.#fileOf(number), { force: true })
    } catch (error) {
      this.#log.debug('a part of the journal of files that is not needed stays', { error: errorMessage(error) })
    }
    for (const part of gone) closeSync(part.file)
  }

  #discard({ number, file }: Part): void {
    closeSync(file)
    rmSync(this.#fileOf(number) + UNFINISHED, { force: true })
  }

  /** What these hold: of the first what is not on the disk, of the others all. @throws Error */
  #readBack(parts: readonly Part[]): Uint8Array[] {
    return parts.flatMap(({ number, file, bytes, entries, syncedBytes, syncedEntries }, n) => {
      const [from, firstEntry] = n === 0 ? [syncedBytes, syncedEntries] : [0, 0]
      const read = Buffer.alloc(bytes - from)
      for (let at = 0, got = -1; got !== 0 && at < read.length; at += got) got = readSync(file, read, at, read.length - at, from + at)
      let at = 0
      return Array.from({ length: entries - firstEntry }, (_, of) => {
        const end = isWholeAt(read, at) ? at + LENGTH_BYTES + read.readUInt32LE(at) : at
        const entry = this.#opened(read.subarray(at + LENGTH_BYTES, end), number, firstEntry + of)
        if (!entry) throw Object.assign(new Error('what the disk did not keep of the journal of files is gone'), { code: 'EIO' })
        at = end
        return entry
      })
    })
  }

  async #syncFolder(): Promise<void> {
    const folder = openSync(this.#folder, 'r')
    this.#isFolderSynced = true
    try {
      await syncAll(folder)
    } catch (error) {
      this.#isFolderSynced = false
      throw error
    } finally {
      closeSync(folder)
    }
  }

  #read(number: number): Buffer {
    try {
      return readFileSync(this.#fileOf(number))
    } catch (error) {
      throw systemStoreError(error, this.#fileOf(number))
    }
  }

  /** What cannot be read of it is not thrown away with the rest: somebody may want to look at it. */
  #setAside(number: number, lostBytes: number): void {
    this.#damaged.add(number)
    const file = this.#damagedFileOf(number)
    this.#log.warn('a part of the journal of files is damaged: changes in it are lost; it is kept', { file, lostBytes })
  }

  #remove(number: number): void {
    if (this.#damaged.delete(number)) renameSync(this.#fileOf(number), this.#damagedFileOf(number))
    else rmSync(this.#fileOf(number), { force: true })
  }

  #opened(sealed: Uint8Array, part: number, entry: number): Uint8Array | undefined {
    try {
      return this.#sealer.open(sealed, contextOf(part, entry))
    } catch {
      return undefined // not what was written
    }
  }

  #fileOf(number: number): string {
    return path.join(this.#folder, `tree.journal-${String(number).padStart(8, '0')}`)
  }

  #damagedFileOf(number: number): string {
    return `${this.#fileOf(number)}-${this.#startedMs}.damaged`
  }
}

const contextOf = (part: number, entry: number): string => `journal ${part} ${entry}`

const isWholeAt = (bytes: Buffer, at: number): boolean =>
  at + LENGTH_BYTES <= bytes.length && at + LENGTH_BYTES + bytes.readUInt32LE(at) <= bytes.length

const partsIn = (folder: string): number[] =>
  readdirSync(folder)
    .flatMap((name) => PART_NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
