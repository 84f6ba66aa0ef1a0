import { createHash } from 'node:crypto'
import {
  closeSync,
  fdatasync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  read as readLater,
  readdirSync,
  readSync,
  rmSync,
  writevSync,
} from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { equalBytes } from '../../base/bytes.ts'
import type { Disposable } from '../../base/disposable.ts'
import type { ChunkId, SealedChunk } from '../../files/chunk-id.ts'
import type { ChunkStore, ChunkStoreStats, HeldChunk } from '../../files/chunk-store.ts'
import { ContentError } from '../../files/content-error.ts'
import { InTurn } from './in-turn.ts'
import { decodeRecordHead, encodeRecordHead, type PackRecord, RECORD_HEAD_BYTES } from './pack-record.ts'

/** A pack is closed at this size: small enough that evicting one copies little forward, large enough that there are few files. */
const PACK_BYTES = 64 * 1024 * 1024
/** A pack is copied forward when at least this part of it is of chunks that are gone: at most three bytes are written for each one freed. */
const RECLAIM_SHARE = 0.25
/** Read at once when a store is opened. */
const SCAN_BYTES = 1024 * 1024
const PACK_NAME = /^([0-9]{8})\.pack$/
/** Longest read of neighbours at once. */
const RUN_BYTES = 1024 * 1024
/** Between neighbours: what was dropped, or put in between, is read along. */
const GAP_BYTES = 64 * 1024
/** Buffers kept for reads of neighbours: more are made when more are under way. */
const KEPT_BUFFERS = 4
const sync = promisify(fdatasync)
const readAt = promisify(readLater)

interface Run {
  readonly pack: Pack
  readonly from: number
  end: number
  readonly chunks: { readonly id: ChunkId; readonly offset: number; readonly length: number }[]
}

interface Pack {
  readonly number: number
  readonly file: number
  /** Where the next record goes. */
  bytes: number
  /** Reads under way; the last one closes the file of a pack that went meanwhile. */
  readers: number
  /** Of these, of chunks that are held, and of records that say what was dropped. */
  liveBytes: number
  droppedBytes: number
}

/** Where a chunk lies. One number for a map of a million: pack * 2^32 + offset of its record. */
const placeOf = (pack: number, offset: number): number => pack * 2 ** 32 + offset

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
  readonly #packs = new Map<number, Pack>()
  readonly #places = new Map<ChunkId, number>()
  #last: Pack | undefined
  readonly #unsynced = new Set<Pack>()
  readonly #syncing = new InTurn()
  readonly #buffers: Buffer[] = []
  #evicting: Promise<unknown> = Promise.resolve()

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
    const found = place === undefined ? undefined : this.#read(place)
    if (found && found.record.id === id && equalBytes(sha256(found.bytes), found.record.digest)) {
      return { id, epoch: found.record.epoch, bytes: found.bytes }
    }
    if (place !== undefined) await this.drop([id]) // damaged where it lies: it counts as not held, and is fetched again
    return undefined
  }

  async readRun(wanted: readonly HeldChunk[], take: (chunk: SealedChunk) => void): Promise<void> {
    await Promise.all(this.#runsOf(wanted).map((run) => this.#readOne(run, take)))
  }

  put({ id, epoch, bytes }: SealedChunk): void {
    if (this.#places.has(id)) return
    this.#append({ kind: 'chunk', id, epoch, length: bytes.length, digest: sha256(bytes) }, bytes)
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
    for (const pack of this.#packs.values()) {
      this.#packs.delete(pack.number)
      closeUnused(pack, this.#packs)
    }
    this.#buffers.length = 0
    this.#places.clear()
    this.#last = undefined
  }

  async #syncDirty(): Promise<void> {
    const dirty = [...this.#unsynced]
    this.#unsynced.clear()
    const isHeld = ({ number }: Pack) => this.#packs.has(number)
    const syncOne = (pack: Pack) =>
      sync(pack.file).catch((error: unknown) => {
        if (!isHeld(pack)) return // evicted meanwhile
        this.#unsynced.add(pack)
        throw error
      })
    await Promise.all(dirty.filter(isHeld).map(syncOne))
  }

  async #evictNow(bytes: number, keep: (id: ChunkId) => boolean): Promise<number> {
    const before = this.stats.bytes
    for (const pack of [...this.#packs.values()]) {
      if (before - this.stats.bytes >= bytes) break
      await this.#copyForward(pack, keep)
    }
    return before - this.stats.bytes
  }

  async #reclaimNow(): Promise<number> {
    const before = this.stats.bytes
    for (const pack of [...this.#packs.values()]) {
      const { bytes, liveBytes, droppedBytes, number } = pack
      const isOldest = number === Math.min(...this.#packs.keys())
      const deadBytes = bytes - liveBytes - (isOldest ? 0 : droppedBytes)
      if (deadBytes > 0 && deadBytes >= bytes * RECLAIM_SHARE && this.#packs.has(number)) await this.#copyForward(pack, () => true)
    }
    return before - this.stats.bytes
  }

  /** Copies what is to be kept to the newest pack, has it on the disk, and only then lets the old one go: killed at any point, nothing is lost. */
  async #copyForward(pack: Pack, keep: (id: ChunkId) => boolean): Promise<void> {
    const oldest = Math.min(...this.#packs.keys())
    const kept: { record: PackRecord; bytes: Uint8Array }[] = []
    const gone: ChunkId[] = []
    let free = 0
    this.#scan(pack, ({ record, offset, whole }) => {
      const size = RECORD_HEAD_BYTES + record.length
      if (record.kind === 'dropped') {
        if (pack.number === oldest || this.#places.has(record.id)) free += size
        else kept.push({ record, bytes: new Uint8Array(0) })
      } else if (this.#places.get(record.id) !== placeOf(pack.number, offset)) free += size
      else if (keep(record.id)) kept.push({ record, bytes: whole() })
      else {
        free += size
        gone.push(record.id)
      }
    })
    if (free === 0) return // copying all of it forward frees nothing
    if (pack === this.#last) this.#last = undefined
    for (const { record, bytes } of kept) this.#append(record, bytes)
    for (const id of gone) this.#forget(id) // before the wait: what is put again meanwhile is written again
    await this.sync() // what was copied forward is safe before its first place goes
    if (!this.#packs.has(pack.number)) return // closed meanwhile
    this.#close(pack)
    await new Promise((resolve) => setTimeout(resolve, 0)) // readers come in between
  }

  /** @returns false: it was not held */
  #forget(id: ChunkId): boolean {
    const place = this.#places.get(id)
    if (place === undefined) return false
    this.#places.delete(id)
    const pack = this.#packs.get(Math.floor(place / 2 ** 32))
    if (pack) pack.liveBytes -= RECORD_HEAD_BYTES + this.#lengthAt(pack, place % 2 ** 32)
    return true
  }

  #lengthAt(pack: Pack, offset: number): number {
    const head = Buffer.alloc(RECORD_HEAD_BYTES)
    readSync(pack.file, head, 0, RECORD_HEAD_BYTES, offset)
    return decodeRecordHead(head)?.length ?? 0
  }

  #close(pack: Pack): void {
    this.#packs.delete(pack.number)
    this.#unsynced.delete(pack)
    closeUnused(pack, this.#packs)
    rmSync(this.#fileOf(pack.number), { force: true })
  }

  #append(record: PackRecord, bytes: Uint8Array): void {
    const size = RECORD_HEAD_BYTES + bytes.length
    let pack = this.#last
    if (!pack || pack.bytes + size > this.#packBytes) pack = this.#begin()
    const offset = pack.bytes
    try {
      const written = writevSync(pack.file, [encodeRecordHead(record), bytes], offset)
      if (written !== size) throw Object.assign(new Error('short write'), { code: 'ENOSPC' })
    } catch (error) {
      ftruncateSync(pack.file, offset)
      throw storeFull(error)
    }
    pack.bytes += size
    this.#unsynced.add(pack)
    if (record.kind === 'dropped') {
      pack.droppedBytes += size
      return
    }
    this.#places.set(record.id, placeOf(pack.number, offset))
    pack.liveBytes += size
  }

  #begin(): Pack {
    const number = Math.max(0, ...this.#packs.keys()) + 1
    const file = openSync(this.#fileOf(number), 'wx+', 0o600)
    const pack: Pack = { number, file, bytes: 0, liveBytes: 0, droppedBytes: 0, readers: 0 }
    this.#packs.set(number, pack)
    this.#last = pack
    return pack
  }

  #openPack(number: number): void {
    const file = openSync(this.#fileOf(number), 'r+')
    const pack: Pack = { number, file, bytes: fstatSync(file).size, liveBytes: 0, droppedBytes: 0, readers: 0 }
    this.#packs.set(number, pack)
    pack.bytes = this.#scan(pack, ({ record, offset }) => {
      this.#forget(record.id) // an earlier place of it, if there is one
      if (record.kind === 'dropped') {
        pack.droppedBytes += RECORD_HEAD_BYTES
        return
      }
      this.#places.set(record.id, placeOf(number, offset))
      pack.liveBytes += RECORD_HEAD_BYTES + record.length
    })
    ftruncateSync(file, pack.bytes)
    this.#last = pack
  }

  /** Visits every record; resolves with where the last whole one ends. */
  #scan(pack: Pack, visit: (found: { record: PackRecord; offset: number; whole(): Uint8Array }) => void): number {
    const size = pack.bytes
    const window = Buffer.alloc(SCAN_BYTES)
    let from = 0
    let held = 0
    let at = 0
    while (at + RECORD_HEAD_BYTES <= size) {
      if (at < from || at + RECORD_HEAD_BYTES > from + held) {
        from = at
        held = readSync(pack.file, window, 0, SCAN_BYTES, at)
      }
      const record = decodeRecordHead(window.subarray(at - from, Math.min(held, at - from + RECORD_HEAD_BYTES)))
      const end = record && at + RECORD_HEAD_BYTES + record.length
      if (record && end !== undefined && end <= size) {
        const offset = at
        visit({ record, offset, whole: () => this.#bytesAt(pack, offset + RECORD_HEAD_BYTES, record.length) })
        at = end
        continue
      }
      const next = this.#nextRecord(pack, at + 1, size)
      if (next === undefined) return at
      at = next // a damaged header: what follows it is not lost with it
    }
    return at
  }

  /** Where the next whole record begins after damage; undefined: nothing more, the tail was cut off by a kill. */
  #nextRecord(pack: Pack, from: number, size: number): number | undefined {
    const window = Buffer.alloc(SCAN_BYTES)
    for (let start = from; start + RECORD_HEAD_BYTES <= size; start += SCAN_BYTES - RECORD_HEAD_BYTES) {
      const held = readSync(pack.file, window, 0, SCAN_BYTES, start)
      for (let at = window.indexOf('ECP1'); at >= 0 && at + RECORD_HEAD_BYTES <= held; at = window.indexOf('ECP1', at + 1)) {
        const record = decodeRecordHead(window.subarray(at, at + RECORD_HEAD_BYTES))
        if (record && start + at + RECORD_HEAD_BYTES + record.length <= size) return start + at
      }
    }
    return undefined
  }

  /** Neighbours together, in the order in which they lie. */
  #runsOf(wanted: readonly HeldChunk[]): Run[] {
    const found = wanted.flatMap(({ id, sealedBytes }) => {
      const place = this.#places.get(id)
      return place === undefined ? [] : [{ id, place, length: RECORD_HEAD_BYTES + sealedBytes }]
    })
    const runs: Run[] = []
    for (const { id, place, length } of found.sort((a, b) => a.place - b.place)) {
      const pack = this.#packs.get(Math.floor(place / 2 ** 32))
      if (!pack) continue
      const offset = place % 2 ** 32
      const end = offset + length
      const last = runs.at(-1)
      if (last?.pack === pack && offset - last.end <= GAP_BYTES && end - last.from <= RUN_BYTES) {
        last.chunks.push({ id, offset, length })
        last.end = Math.max(last.end, end)
      } else runs.push({ pack, from: offset, end, chunks: [{ id, offset, length }] })
    }
    return runs
  }

  async #readOne({ pack, from, end, chunks }: Run, take: (chunk: SealedChunk) => void): Promise<void> {
    const buffer = this.#buffers.pop() ?? Buffer.allocUnsafeSlow(RUN_BYTES)
    pack.readers++
    try {
      const { bytesRead } = await readAt(pack.file, buffer, 0, end - from, from)
      for (const { id, offset, length } of chunks) {
        const at = offset - from
        if (at + length > bytesRead) continue
        const record = decodeRecordHead(buffer.subarray(at, at + RECORD_HEAD_BYTES))
        if (record?.id !== id || record.kind !== 'chunk' || record.length !== length - RECORD_HEAD_BYTES) continue
        take({ id, epoch: record.epoch, bytes: buffer.subarray(at + RECORD_HEAD_BYTES, at + length) })
      }
    } finally {
      pack.readers--
      closeUnused(pack, this.#packs)
      if (this.#buffers.length < KEPT_BUFFERS) this.#buffers.push(buffer)
    }
  }

  #read(place: number): { record: PackRecord; bytes: Uint8Array } | undefined {
    const pack = this.#packs.get(Math.floor(place / 2 ** 32))
    if (!pack) return undefined
    const offset = place % 2 ** 32
    const head = Buffer.alloc(RECORD_HEAD_BYTES)
    readSync(pack.file, head, 0, RECORD_HEAD_BYTES, offset)
    const record = decodeRecordHead(head)
    return record && { record, bytes: this.#bytesAt(pack, offset + RECORD_HEAD_BYTES, record.length) }
  }

  #bytesAt(pack: Pack, offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    return bytes.subarray(0, readSync(pack.file, bytes, 0, length, offset))
  }

  #fileOf(number: number): string {
    return path.join(this.#folder, `${String(number).padStart(8, '0')}.pack`)
  }
}

/** Closes the file of a pack that is not held any more, once nobody reads in it: its descriptor may be another file's next. */
function closeUnused(pack: Pack, held: ReadonlyMap<number, Pack>): void {
  if (pack.readers === 0 && held.get(pack.number) !== pack) closeSync(pack.file)
}

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())

function storeFull(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  return new ContentError('chunk/store-full', 'the disk is full: nothing more can be kept here. Free some space and try again', {
    cause: error,
  })
}
