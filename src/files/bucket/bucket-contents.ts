import { fromUtf8, utf8 } from '../../base/bytes.ts'
import type { ChunkId } from '../chunk-id.ts'
import type { DatasetStore } from '../dataset-store.ts'
import type { LogId } from '../op.ts'
import { type ChunkPlace, ChunkPlaces } from './chunk-places.ts'
import { decodeIndex, encodeIndex, type PackedChunk } from './pack-index.ts'

export interface KnownPack {
  readonly name: string
  readonly chunks: readonly PackedChunk[]
  readonly bytes: number
}

export type SegmentName = readonly [log: LogId, seq: number]

export interface KnownBatch {
  /** Sealed, as it was put or read. */
  readonly bytes: number
  /** Segments in it that are the same here. */
  readonly segments: readonly SegmentName[]
  /** Others: of a device that is not known here, or after something that is missing. */
  readonly open: readonly SegmentName[]
  /** Not read back yet, or not what it was: its segments are put again, then it goes. */
  readonly isBroken?: boolean
  /** This device put it. */
  readonly isOwn?: boolean
  /** Since when all of it lies in others of its own, too: it goes. */
  readonly spareMs?: number
}

/** Where an upload that is under way is kept. */
export const BUCKET_UPLOAD = 'bucket-upload'
const [PACK, BATCH, MARK, FLOOR, READ, OWN, WRONG] = [
  'bucket-pack',
  'bucket-batch',
  'bucket-mark',
  'bucket-floor',
  'bucket-read',
  'bucket-own',
  'bucket-wrong',
]
const ALL = 2
/** Marked here, and no object in the bucket says it yet. */
export const NOT_TOLD = Number.POSITIVE_INFINITY

/**
 * What lies in the bucket as this device last saw it, kept with the dataset: packs and their chunks, batches of segments, and since
 * when a pack is marked to go. A pack that is marked still gives chunks, and counts as no holder.
 */
export class BucketContents {
  readonly #store: DatasetStore
  readonly #packs = new Map<string, KnownPack>()
  readonly #batches = new Map<string, KnownBatch>()
  readonly #floor = new Map<LogId, number>()
  readonly #marks = new Map<string, number>()
  readonly #lost: () => void
  #loaded: Promise<void> | undefined
  readonly #read = new Set<string>()
  /** Packs that this device put. */
  readonly #own = new Set<string>()
  readonly #distrusted = new Set<string>()
  readonly #places = new ChunkPlaces({
    rankOf: (pack) => (this.#distrusted.has(pack) ? 2 : this.#marks.has(pack) ? 1 : 0),
    bytesOf: (pack) => this.#packs.get(pack)?.bytes ?? 0,
  })

  /** @param lost  something counts no more; called before it is in writing */
  constructor(store: DatasetStore, lost: () => void = () => {}) {
    this.#store = store
    this.#lost = lost
    for (const [name, value] of store.values(READ)) if (value[0] === ALL) this.#read.add(name) // before, it said that one chunk was
    for (const [name] of store.values(OWN)) this.#own.add(name)
    for (const [name] of store.values(WRONG)) this.#distrusted.add(name)
    for (const [name, value] of store.values(MARK)) this.#marks.set(name, Number(fromUtf8(value)))
    for (const [name, value] of store.values(BATCH)) {
      const batch = JSON.parse(fromUtf8(value)) as KnownBatch | readonly SegmentName[] // the latter: of before lengths were kept; it is read anew
      if ('segments' in batch) this.#batches.set(name, batch)
    }
    for (const [log, value] of store.values(FLOOR)) this.#floor.set(log as LogId, Number(fromUtf8(value)))
  }

  /** Reads what is known of packs; before, none is. Millions of chunks take seconds: others have the loop meanwhile. */
  load(pause: () => Promise<void>): Promise<void> {
    this.#loaded ??= this.#load(pause)
    return this.#loaded
  }

  get packs(): ReadonlyMap<string, KnownPack> {
    return this.#packs
  }

  get batches(): ReadonlyMap<string, KnownBatch> {
    return this.#batches
  }

  /** Of each log the last segment that was ever seen here: whoever reads the bucket alone needs all up to it. */
  get floor(): ReadonlyMap<LogId, number> {
    return this.#floor
  }

  /** Packs whose bytes were wrong. */
  get distrusted(): ReadonlySet<string> {
    return this.#distrusted
  }

  /** When this device saw first, or said in the bucket, that a pack is to go, in ms; `NOT_TOLD`. */
  get marks(): ReadonlyMap<string, number> {
    return this.#marks
  }

  placeOf(id: ChunkId): ChunkPlace | undefined {
    return this.#places.get(id)
  }

  /** Does a pack that is to stay hold it? */
  holds(id: ChunkId): boolean {
    const place = this.#places.get(id)
    return place !== undefined && !this.#marks.has(place.pack)
  }

  /** Does a pack hold it that is to stay and was all read back here? */
  counts(id: ChunkId): boolean {
    return this.#places.all(id).some(({ pack }) => this.#read.has(pack) && !this.#marks.has(pack))
  }

  /** Of every chunk there is, once. */
  places(): Iterable<ChunkPlace> {
    return this.#places.each()
  }

  get chunkCount(): number {
    return this.#places.size
  }

  get bytes(): number {
    let bytes = 0
    for (const pack of this.#packs.values()) bytes += pack.bytes
    return bytes
  }

  addPack(name: string, chunks: readonly PackedChunk[]): void {
    this.#add(name, chunks)
    this.#store.putValue(PACK, name, encodeIndex(chunks))
  }

  /** Of this device, and all of it was read back. */
  addOwnPack(name: string, chunks: readonly PackedChunk[]): void {
    this.#own.add(name)
    this.#store.putValue(OWN, name, new Uint8Array(1))
    this.addPack(name, chunks)
    this.read(name)
  }

  /** Did this device put it? */
  isOwn(name: string): boolean {
    return this.#own.has(name)
  }

  /** All of it was read back. Of a pack that went meanwhile it says nothing. */
  read(name: string): void {
    if (this.#read.has(name) || !this.#packs.has(name)) return
    this.#read.add(name)
    this.#store.putValue(READ, name, new Uint8Array([ALL]))
  }

  /** It counts when it was read back again. */
  unread(name: string): void {
    if (!this.#read.has(name)) return
    if (this.#isRelied(name)) this.#lost()
    this.#read.delete(name)
    this.#store.putValue(READ, name, undefined)
  }

  isRead(name: string): boolean {
    return this.#read.has(name)
  }

  dropPack(name: string): void {
    const pack = this.#packs.get(name)
    if (this.#isRelied(name)) this.#lost()
    if (this.#read.delete(name)) this.#store.putValue(READ, name, undefined)
    if (!pack) return
    if (this.#own.delete(name)) this.#store.putValue(OWN, name, undefined)
    this.#packs.delete(name)
    this.#store.putValue(PACK, name, undefined)
    for (const { id } of pack.chunks) this.#places.remove(id, name)
  }

  /** Its bytes were wrong: it counts no more, also after a restart. */
  distrust(name: string): void {
    if (this.#distrusted.has(name)) return
    this.#distrusted.add(name)
    this.#store.putValue(WRONG, name, new Uint8Array(1))
    this.mark(name, NOT_TOLD)
    this.#places.review(this.#packs.get(name)?.chunks ?? []) // it may have been marked before
  }

  /** It is gone. */
  forget(name: string): void {
    this.dropPack(name)
    this.unmark(name)
    if (this.#distrusted.delete(name)) this.#store.putValue(WRONG, name, undefined)
  }

  addBatch(name: string, batch: KnownBatch): void {
    this.#batches.set(name, batch)
    this.#store.putValue(BATCH, name, utf8(JSON.stringify(batch)))
    for (const [log, seq] of batch.isBroken ? [] : batch.segments) {
      if (seq <= (this.#floor.get(log) ?? 0)) continue
      this.#floor.set(log, seq)
      this.#store.putValue(FLOOR, log, utf8(String(seq)))
    }
  }

  /** It is not what it was: nothing of it counts. */
  breakBatch(name: string): void {
    const batch = this.#batches.get(name)
    if (!batch || batch.isBroken) return
    this.#lost()
    this.addBatch(name, { ...batch, isBroken: true })
  }

  /** @param isSpare  all that was in it lies in others, too */
  dropBatch(name: string, isSpare: boolean): void {
    if (!this.#batches.has(name)) return
    if (!isSpare) this.#lost()
    this.#batches.delete(name)
    this.#store.putValue(BATCH, name, undefined)
  }

  mark(name: string, atMs: number): void {
    const known = this.#marks.get(name)
    if (known !== undefined && (known !== NOT_TOLD || atMs === NOT_TOLD)) return
    if (known === undefined && this.#isRelied(name)) this.#lost()
    this.#marks.set(name, atMs)
    this.#store.putValue(MARK, name, utf8(String(atMs)))
    if (known === undefined) this.#places.review(this.#packs.get(name)?.chunks ?? [])
  }

  /** The others are not told of it any more. */
  untell(name: string): void {
    if (!this.#marks.has(name)) return
    this.#marks.set(name, NOT_TOLD)
    this.#store.putValue(MARK, name, utf8(String(NOT_TOLD)))
  }

  unmark(name: string): void {
    if (!this.#marks.delete(name)) return
    this.#store.putValue(MARK, name, undefined)
    this.#places.review(this.#packs.get(name)?.chunks ?? [])
  }

  async #load(pause: () => Promise<void>): Promise<void> {
    for (const [name, value] of this.#store.values(PACK)) {
      this.#add(name, decodeIndex(value))
      await pause()
    }
  }

  #add(name: string, chunks: readonly PackedChunk[]): void {
    if (this.#packs.has(name)) return
    const pack = { name, chunks, bytes: chunks.reduce((sum, { bytes }) => sum + bytes, 0) }
    this.#packs.set(name, pack)
    let offset = 0
    for (const chunk of chunks) {
      this.#places.add({ ...chunk, pack: name, offset })
      offset += chunk.bytes
    }
  }

  /** Does something count by it alone? */
  #isRelied(name: string): boolean {
    if (!this.#read.has(name) || this.#marks.has(name)) return false
    const isElsewhere = ({ pack }: ChunkPlace) => pack !== name && this.#read.has(pack) && !this.#marks.has(pack)
    return this.#packs.get(name)?.chunks.some(({ id }) => !this.#places.all(id).some(isElsewhere)) ?? false
  }
}

/** Everything known of a bucket is forgotten: it is another one now, or none. */
export function clearBucketBook(store: DatasetStore): void {
  for (const space of [PACK, BATCH, MARK, FLOOR, READ, OWN, WRONG, BUCKET_UPLOAD])
    for (const [key] of store.values(space)) store.putValue(space, key, undefined)
}
