import { hash } from 'node:crypto'
import { closeSync, fsync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { equalBytes } from '../../base/bytes.ts'
import type { Disposable } from '../../base/disposable.ts'
import { StoreError } from '../../base/store-error.ts'
import type { ChunkId, SealedChunk } from '../../files/chunk-id.ts'
import type { ChunkStore, ChunkStoreStats, HeldChunk } from '../../files/chunk-store.ts'
import { ContentError } from '../../files/content-error.ts'
import { InTurn } from './in-turn.ts'
import { type FoundRecord, PackFile } from './pack-file.ts'
import { PackReader } from './pack-reader.ts'
import { type PackRecord, RECORD_HEAD_BYTES } from './pack-record.ts'

/** A pack is closed at this size: small enough that evicting one copies little forward, large enough that there are few files. */
const PACK_BYTES = 64 * 1024 * 1024
/** A pack is copied forward when at least this part of it is of chunks that are gone: at most three bytes are written for each one freed. */
const RECLAIM_SHARE = 0.25
const PACK_NAME = /^([0-9]{8})\.pack$/
const syncFolder = promisify(fsync)

/** Where a chunk lies. One number for a map of a million: pack * 2^32 + offset of its record. */
const placeOf = (pack: number, offset: number): number => pack * 2 ** 32 + offset
const packOf = (place: number): number => Math.floor(place / 2 ** 32)
const offsetOf = (place: number): number => place % 2 ** 32

/**
 * Chunks in append-only files of 64 MiB: a header with a checksum and a digest, then the ciphertext. The index lies in memory
 * and is made from the headers when the store is opened; what a killed process left half-written at the end of a pack is cut off.
 *
 * Evicting works by whole packs, oldest first: what is to be kept is copied forward and synced, then the file goes. A dropped chunk
 * is a record of its own, so that it stays forgotten; its bytes come back when its pack is evicted or, once a quarter of it is gone,
 * reclaimed the same way. Such a record is copied forward, too, as long as an older pack is there: the chunk may lie in it.
 */
export class PackChunkStore implements ChunkStore, Disposable {
  readonly #folder: string
  readonly #packBytes: number
  readonly #packs = new Map<number, PackFile>()
  readonly #places = new Map<ChunkId, number>()
  #last: PackFile | undefined
  readonly #unsynced = new Set<PackFile>()
  /** A pack was made, here or by a killed process: that the folder has it is not on the disk itself yet. */
  #isFolderUnsynced = true
  readonly #syncing = new InTurn()
  /** What the disk said of a pack that was synced before anybody asked: whoever asks next hears it, for the disk says it once. */
  #unheard: unknown
  /** Chunks that were put and that the disk did not keep: nobody is told that all is well until they are put again or dropped. */
  readonly #lost = new Map<ChunkId, unknown>()
  readonly #reader = new PackReader()
  #evicting: Promise<unknown> = Promise.resolve()
  #isDisposed = false

  constructor(folder: string, options: { readonly packBytes?: number } = {}) {
    this.#folder = folder
    this.#packBytes = options.packBytes ?? PACK_BYTES
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const numbers = readdirSync(folder).flatMap((name) => PACK_NAME.exec(name)?.[1] ?? [])
    for (const number of numbers.map(Number).sort((a, b) => a - b)) this.#openPack(number)
  }

  get stats(): ChunkStoreStats {
    let bytes = 0
    for (const pack of this.#packs.values()) bytes += pack.bytes
    return { chunks: this.#places.size, bytes }
  }

  has(id: ChunkId): boolean {
    return this.#places.has(id)
  }

  async get(id: ChunkId): Promise<SealedChunk | undefined> {
    const place = this.#places.get(id)
    const found = place === undefined ? undefined : unlessBad(() => this.#packs.get(packOf(place))?.recordAt(offsetOf(place)))
    if (found && found.record.id === id && equalBytes(sha256(found.bytes), found.record.digest)) {
      return { id, epoch: found.record.epoch, bytes: found.bytes }
    }
    if (place !== undefined) await this.drop([id]) // damaged where it lies: it counts as not held, and is fetched again
    return undefined
  }

  async readRun(wanted: readonly HeldChunk[], take: (chunk: SealedChunk) => void): Promise<void> {
    const placed = wanted.flatMap(({ id, sealedBytes }) => {
      const place = this.#places.get(id)
      const pack = place === undefined ? undefined : this.#packs.get(packOf(place))
      return place === undefined || !pack ? [] : [{ id, pack, offset: offsetOf(place), length: RECORD_HEAD_BYTES + sealedBytes }]
    })
    await this.#reader.read(placed, take)
  }

  put({ id, epoch, bytes }: SealedChunk): void {
    if (this.#places.has(id)) return
    this.#append({ kind: 'chunk', id, epoch, length: bytes.length, digest: sha256(bytes) }, bytes)
  }

  bytesOf(id: ChunkId): number {
    const place = this.#places.get(id)
    return place === undefined ? 0 : (this.#packs.get(packOf(place))?.lengthAt(offsetOf(place)) ?? 0)
  }

  sync(): Promise<void> {
    return this.#syncing.run(() => this.#syncDirty())
  }

  evict(bytes: number, keep: (id: ChunkId) => boolean): Promise<number> {
    const evicting = this.#evicting.then(() => this.#evictNow(bytes, keep))
    this.#evicting = evicting.catch(() => {})
    return evicting
  }

  async drop(ids: Iterable<ChunkId>): Promise<void> {
    for (const id of ids) {
      this.#lost.delete(id)
      if (!this.#forget(id)) continue
      try {
        this.#append({ kind: 'dropped', id, epoch: 0, length: 0, digest: new Uint8Array(32) }, new Uint8Array(0))
      } catch (error) {
        // A full disk keeps nobody from making room: the next start finds it again, if its pack is still there.
        if (!(error instanceof ContentError)) throw error
      }
    }
  }

  reclaim(): Promise<number> {
    const reclaiming = this.#evicting.then(() => this.#reclaimNow())
    this.#evicting = reclaiming.catch(() => {})
    return reclaiming
  }

  ids(): Iterable<ChunkId> {
    return [...this.#places.keys()]
  }

  dispose(): void {
    this.#isDisposed = true
    for (const pack of this.#packs.values()) {
      this.#packs.delete(pack.number)
      pack.close()
    }
    this.#places.clear()
    this.#last = undefined
  }

  /** @throws StoreError `store/closed` */
  #requireOpen(): void {
    if (this.#isDisposed) throw StoreError.closed(this.#folder)
  }

  /** What lies in a full pack goes to the disk while more is written: who syncs in the end does not wait for all of it. */
  #syncEarly(): void {
    // Noted within its turn: who waits behind it is not told that all is well.
    void this.#syncing.run(() => this.#syncDirty().catch((error: unknown) => void (this.#unheard ??= error)))
  }

  async #syncDirty(): Promise<void> {
    this.#requireOpen()
    const unheard = this.#unheard
    this.#unheard = undefined
    if (unheard !== undefined) throw unheard
    await this.#syncHeld()
    this.#requireOpen() // closed meanwhile, nothing says what lies on the disk
    const [lost] = this.#lost.values()
    if (lost !== undefined) throw lost
  }

  /** All but what is lost. */
  async #syncHeld(): Promise<void> {
    // A second time at once: what was written anew may lie well where it is now.
    for (let again = true; ; again = false) {
      this.#writeLostAnew() // what there was no room for the last time: the next sync would say that all is well
      const failed = await this.#syncPacks()
      if (!failed) return
      this.#writeLostAnew()
      if (!again) throw failed.error
    }
  }

  #writeLostAnew(): void {
    for (const pack of this.#unsynced) if (pack.isLost) this.#writeAnew(pack, pack.lostBy)
  }

  async #syncPacks(): Promise<{ readonly error: unknown } | undefined> {
    const dirty = [...this.#unsynced]
    this.#unsynced.clear()
    let failed: { readonly error: unknown } | undefined
    const isHeld = ({ number }: PackFile) => this.#packs.has(number)
    const syncOne = (pack: PackFile) =>
      pack.sync().catch((error: unknown) => {
        if (!isHeld(pack)) return // evicted meanwhile
        this.#unsynced.add(pack)
        failed = { error }
      })
    const folder = this.#syncFolder().catch((error: unknown) => void (failed = { error }))
    await Promise.all([folder, ...dirty.filter(isHeld).map(syncOne)])
    return failed
  }

  /** What a pack did not bring to the disk goes to another one, as it is read back; nothing is appended to it any more. */
  #writeAnew(pack: PackFile, error: unknown): void {
    if (pack === this.#last) this.#last = undefined
    const left = new Set<ChunkId>()
    for (const [id, place] of this.#places) if (packOf(place) === pack.number && offsetOf(place) >= pack.syncedBytes) left.add(id)
    const dropped: PackRecord[] = []
    const look = ({ record, offset, whole }: FoundRecord) => {
      if (offset < pack.syncedBytes) return
      if (record.kind === 'dropped') {
        if (!this.#places.has(record.id)) dropped.push(record)
      } else if (left.has(record.id) && this.#places.get(record.id) === placeOf(pack.number, offset)) {
        const bytes = readBack(whole)
        if (!bytes || !equalBytes(sha256(bytes), record.digest)) return
        this.#append(record, bytes)
        pack.liveBytes -= RECORD_HEAD_BYTES + record.length
        left.delete(record.id)
      }
    }
    unlessBad(() => pack.scan(look)) // on a bad sector what follows is lost, too
    for (const record of dropped) this.#append(record, new Uint8Array(0))
    for (const id of left) this.#lost.set(id, error)
    for (const id of left) this.#forget(id)
    pack.isLost = false // nothing of it is needed beyond what it had
    this.#unsynced.delete(pack)
    if (pack.isNew && pack.syncedBytes === 0) this.#close(pack) // a disk that fails again and again is not filled
  }

  /** A pack whose name is not on the disk is not there after a power cut, however often its bytes were synced. */
  async #syncFolder(): Promise<void> {
    if (!this.#isFolderUnsynced) return
    this.#isFolderUnsynced = false
    for (const folder of [this.#folder, path.dirname(this.#folder)]) {
      const opened = openSync(folder, 'r')
      try {
        await syncFolder(opened)
      } catch (error) {
        this.#isFolderUnsynced = true
        throw error
      } finally {
        closeSync(opened)
      }
    }
  }

  async #evictNow(bytes: number, keep: (id: ChunkId) => boolean): Promise<number> {
    const before = this.stats.bytes
    const freed = () => before - this.stats.bytes
    for (const id of this.#lost.keys()) if (!keep(id)) this.#lost.delete(id) // nobody waits for it any more
    let failed: unknown
    // On a full disk what is to be kept of a pack can only be copied forward once another pack is gone: so they are gone through again.
    for (let round = -1; freed() > round && freed() < bytes; ) {
      round = Math.max(0, freed())
      failed = undefined
      for (const pack of [...this.#packs.values()]) {
        if (freed() >= bytes) break
        if (this.#packs.get(pack.number) !== pack) continue // closed meanwhile
        try {
          await this.#copyForward(pack, keep)
        } catch (error) {
          if (!(error instanceof ContentError)) throw error
          failed ??= error
        }
      }
      if (failed === undefined) break
    }
    if (failed !== undefined && freed() <= 0) throw failed
    return freed()
  }

  async #reclaimNow(): Promise<number> {
    const before = this.stats.bytes
    for (const pack of [...this.#packs.values()]) {
      const { bytes, liveBytes, droppedBytes, number } = pack
      const isOldest = number === Math.min(...this.#packs.keys())
      const deadBytes = bytes - liveBytes - (isOldest ? 0 : droppedBytes)
      if (deadBytes > 0 && deadBytes >= bytes * RECLAIM_SHARE && this.#packs.get(number) === pack) await this.#copyForward(pack, () => true)
    }
    return before - this.stats.bytes
  }

  /** Copies what is to be kept to the newest pack, has it on the disk, and only then lets the old one go: killed at any point, nothing is lost. */
  async #copyForward(pack: PackFile, keep: (id: ChunkId) => boolean): Promise<void> {
    const oldest = Math.min(...this.#packs.keys())
    const kept: KeptRecord[] = []
    const gone: ChunkId[] = []
    let free = 0
    const look = ({ record, offset, whole }: FoundRecord) => {
      const size = RECORD_HEAD_BYTES + record.length
      if (record.kind === 'dropped') {
        if (pack.number === oldest || this.#places.has(record.id)) free += size
        else kept.push({ record, offset, bytes: new Uint8Array(0) })
      } else if (this.#places.get(record.id) !== placeOf(pack.number, offset)) free += size
      else if (keep(record.id)) kept.push({ record, offset, bytes: whole() })
      else {
        free += size
        gone.push(record.id)
      }
    }
    // A bad sector: that pack stays as it is, and others make room.
    if (unlessBad(() => pack.scan(look)) === undefined) return
    if (free === 0) return // copying all of it forward frees nothing
    if (pack === this.#last) this.#last = undefined
    for (const { record, bytes } of kept) this.#append(record, bytes)
    for (const id of gone) this.#forget(id) // before the wait: what is put again meanwhile is written again
    try {
      await this.#syncing.run(() => this.#syncHeld()) // what was copied forward is safe before its first place goes
    } catch (error) {
      this.#bringBack(pack, kept)
      throw error
    }
    const lost = this.#bringBack(pack, kept)
    if (lost !== undefined) throw lost
    if (this.#packs.get(pack.number) !== pack) return // closed meanwhile
    this.#close(pack)
    await new Promise((resolve) => setTimeout(resolve, 0)) // readers come in between
  }

  /** What the disk lost where it was copied to is still where it was. @returns what the disk said of it */
  #bringBack(pack: PackFile, kept: readonly KeptRecord[]): unknown {
    let said: unknown
    for (const { record, offset } of kept) {
      const lost = this.#lost.get(record.id)
      if (lost === undefined || record.kind !== 'chunk' || this.#packs.get(pack.number) !== pack) continue
      said = lost
      this.#lost.delete(record.id)
      this.#places.set(record.id, placeOf(pack.number, offset))
    }
    return said
  }

  /** @returns false: it was not held */
  #forget(id: ChunkId): boolean {
    const place = this.#places.get(id)
    if (place === undefined) return false
    this.#places.delete(id)
    const pack = this.#packs.get(packOf(place))
    if (pack) pack.liveBytes -= RECORD_HEAD_BYTES + (unlessBad(() => pack.lengthAt(offsetOf(place))) ?? 0)
    return true
  }

  #close(pack: PackFile): void {
    this.#packs.delete(pack.number)
    this.#unsynced.delete(pack)
    pack.close()
    rmSync(this.#fileOf(pack.number), { force: true })
  }

  #append(record: PackRecord, bytes: Uint8Array): void {
    const size = RECORD_HEAD_BYTES + bytes.length
    let pack = this.#last
    if (!pack || pack.bytes + size > this.#packBytes) {
      if (pack) this.#syncEarly()
      pack = this.#begin()
    }
    let offset: number
    try {
      offset = pack.append(record, bytes)
    } catch (error) {
      throw storeFull(error)
    }
    this.#unsynced.add(pack)
    this.#lost.delete(record.id)
    if (record.kind === 'chunk') this.#places.set(record.id, placeOf(pack.number, offset))
  }

  #begin(): PackFile {
    const number = Math.max(0, ...this.#packs.keys()) + 1
    let pack: PackFile
    try {
      pack = PackFile.make(this.#fileOf(number), number)
    } catch (error) {
      throw storeFull(error)
    }
    this.#packs.set(number, pack)
    this.#isFolderUnsynced = true
    this.#last = pack
    return pack
  }

  #openPack(number: number): void {
    const pack = PackFile.open(this.#fileOf(number), number, (into, { record, offset }) => {
      this.#packs.set(number, into)
      this.#forget(record.id) // an earlier place of it, if there is one
      const size = RECORD_HEAD_BYTES + record.length
      if (record.kind === 'dropped') into.droppedBytes += size
      else {
        this.#places.set(record.id, placeOf(number, offset))
        into.liveBytes += size
      }
    })
    this.#packs.set(number, pack)
    this.#unsynced.add(pack) // a killed process may have left it so, and whoever puts a chunk of it again is told it is there
    this.#last = pack
  }

  #fileOf(number: number): string {
    return path.join(this.#folder, `${String(number).padStart(8, '0')}.pack`)
  }
}

/** Undefined: the disk does not give it back. */
function readBack(read: () => Uint8Array): Uint8Array | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** Of a pack that goes: what is to stay, and where it was. */
interface KeptRecord {
  readonly record: PackRecord
  readonly offset: number
  readonly bytes: Uint8Array
}

/** Undefined: it lies on a bad sector. */
function unlessBad<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error
    return undefined
  }
}

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer')

function storeFull(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  return new ContentError('chunk/store-full', 'the disk is full: nothing more can be kept here. Free some space and try again', {
    cause: error,
  })
}
