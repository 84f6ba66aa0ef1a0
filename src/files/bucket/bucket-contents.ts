import { fromUtf8, utf8 } from '../../base/bytes.ts'
import type { ChunkId } from '../chunk-id.ts'
import type { DatasetStore } from '../dataset-store.ts'
import type { LogId } from '../op.ts'
import { decodeIndex, encodeIndex, type PackedChunk } from './pack-index.ts'

export interface KnownPack {
  readonly name: string
  readonly chunks: readonly PackedChunk[]
  readonly bytes: number
}

export interface ChunkPlace extends PackedChunk {
  readonly pack: string
  readonly offset: number
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
}

/** Where an upload that is under way is kept. */
export const BUCKET_UPLOAD = 'bucket-upload'
const [PACK, BATCH, MARK, FLOOR] = ['bucket-pack', 'bucket-batch', 'bucket-mark', 'bucket-floor']

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
  #losses = 0
  readonly #places = new Map<ChunkId, ChunkPlace>()

  constructor(store: DatasetStore) {
    this.#store = store
    for (const [name, value] of store.values(MARK)) this.#marks.set(name, Number(fromUtf8(value)))
    for (const [name, value] of store.values(PACK)) this.#add(name, decodeIndex(value))
    for (const [name, value] of store.values(BATCH)) {
      const batch = JSON.parse(fromUtf8(value)) as KnownBatch | readonly SegmentName[] // the latter: of before lengths were kept; it is read anew
      if ('segments' in batch) this.#batches.set(name, batch)
    }
    for (const [log, value] of store.values(FLOOR)) this.#floor.set(log as LogId, Number(fromUtf8(value)))
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

  /** When this device saw first that a pack is to go, in ms. */
  get marks(): ReadonlyMap<string, number> {
    return this.#marks
  }

  /** Grows whenever something counts no more. */
  get losses(): number {
    return this.#losses
  }

  placeOf(id: ChunkId): ChunkPlace | undefined {
    return this.#places.get(id)
  }

  /** Does a pack that is to stay hold it? */
  holds(id: ChunkId): boolean {
    const place = this.#places.get(id)
    return place !== undefined && !this.#marks.has(place.pack)
  }

  /** Of every chunk there is, once. */
  places(): Iterable<ChunkPlace> {
    return this.#places.values()
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

  dropPack(name: string): void {
    const pack = this.#packs.get(name)
    if (!pack) return
    this.#losses++
    this.#packs.delete(name)
    this.#store.putValue(PACK, name, undefined)
    const gone = new Set(pack.chunks.map(({ id }) => id).filter((id) => this.#places.get(id)?.pack === name))
    for (const id of gone) this.#places.delete(id)
    if (gone.size > 0) for (const other of this.#packs.values()) if (other.chunks.some(({ id }) => gone.has(id))) this.#index(other)
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
    this.#losses++
    this.addBatch(name, { ...batch, isBroken: true })
  }

  dropBatch(name: string): void {
    if (!this.#batches.delete(name)) return
    this.#losses++
    this.#store.putValue(BATCH, name, undefined)
  }

  mark(name: string, atMs: number): void {
    if (this.#marks.has(name)) return
    this.#losses++
    this.#marks.set(name, atMs)
    this.#store.putValue(MARK, name, utf8(String(atMs)))
    // What lies in another pack, too, is there.
    for (const other of this.#packs.values()) if (!this.#marks.has(other.name)) this.#index(other)
  }

  unmark(name: string): void {
    if (this.#marks.delete(name)) this.#store.putValue(MARK, name, undefined)
  }

  #add(name: string, chunks: readonly PackedChunk[]): void {
    const pack = { name, chunks, bytes: chunks.reduce((sum, { bytes }) => sum + bytes, 0) }
    this.#packs.set(name, pack)
    this.#index(pack)
  }

  #index(pack: KnownPack): void {
    let offset = 0
    for (const chunk of pack.chunks) {
      const known = this.#places.get(chunk.id)
      if (!known || (this.#marks.has(known.pack) && !this.#marks.has(pack.name)))
        this.#places.set(chunk.id, { ...chunk, pack: pack.name, offset })
      offset += chunk.bytes
    }
  }
}

/** Everything known of a bucket is forgotten: it is another one now, or none. */
export function clearBucketBook(store: DatasetStore): void {
  for (const space of [PACK, BATCH, MARK, FLOOR, BUCKET_UPLOAD])
    for (const [key] of store.values(space)) store.putValue(space, key, undefined)
}
