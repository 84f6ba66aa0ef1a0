import {
  closeSync,
  fdatasync,
  fsync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Logger } from '../../base/logger.ts'
import type { Sealer } from '../../base/sealer.ts'
import { StoreError } from '../../base/store-error.ts'
import type { StoreJournal } from '../../files/store-journal.ts'
import { InTurn } from './in-turn.ts'
import { systemStoreError } from './system-store-error.ts'

const PART_NAME = /^tree\.journal-(\d{8})$/
const LENGTH_BYTES = 4
const datasync = promisify(fdatasync)
const syncAll = promisify(fsync)

interface Part {
  readonly number: number
  readonly file: number
  bytes: number
  entries: number
  isSynced: boolean
}

/**
 * A journal in files `tree.journal-NNNNNNNN` of a folder: each entry its length and then itself, sealed for its place. An
 * entry is one write; what a kill cut off at the end is left out. What does not open for another reason ends its part, which is
 * set aside then.
 */
export class FileJournal implements StoreJournal {
  readonly #folder: string
  readonly #sealer: Sealer
  readonly #log: Logger
  readonly #damaged = new Set<number>()
  readonly #startedMs = Date.now()
  /** That an earlier start left. */
  readonly #left: readonly number[]
  #parts: Part[] = []
  #current: Part | undefined
  #next: number
  #isFolderSynced = true
  readonly #syncing = new InTurn()
  #isDisposed = false

  constructor(folder: string, sealer: Sealer, log: Logger) {
    this.#folder = folder
    this.#sealer = sealer
    this.#log = log
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    this.#left = partsIn(folder)
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
    if (this.#isDisposed) throw StoreError.closed(this.#folder)
    const part = this.#current ?? this.#begin()
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
    part.isSynced = false
  }

  turn(): () => void {
    // One that holds nothing goes on: while a disk is full, each try would open another.
    if (this.#current && this.#current.entries > 0) this.#current = undefined
    const before = this.#current?.number ?? this.#next
    return () => {
      if (this.#isDisposed) return
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

  #begin(): Part {
    const number = this.#next
    try {
      const file = openSync(this.#fileOf(number), 'wx', 0o600)
      this.#next++
      this.#isFolderSynced = false
      this.#current = { number, file, bytes: fstatSync(file).size, entries: 0, isSynced: true }
    } catch (error) {
      throw systemStoreError(error, this.#fileOf(number))
    }
    this.#parts.push(this.#current)
    return this.#current
  }

  async #syncDirty(): Promise<void> {
    const dirty = this.#parts.filter(({ isSynced }) => !isSynced)
    for (const part of dirty) part.isSynced = true
    try {
      await Promise.all(dirty.map(({ file }) => datasync(file)))
      if (!this.#isFolderSynced) await this.#syncFolder()
    } catch (error) {
      for (const part of dirty) part.isSynced = false
      // A part that was forgotten meanwhile lies in the store behind, synced.
      if (dirty.every((part) => this.#parts.includes(part))) throw systemStoreError(error, this.#folder)
      if (this.#isDisposed) throw StoreError.closed(this.#folder)
      await this.#syncDirty()
    }
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
