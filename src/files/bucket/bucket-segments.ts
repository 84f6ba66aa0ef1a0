import { equalBytes } from '../../base/bytes.ts'
import { errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { StoreError } from '../../base/store-error.ts'
import { segmentsBehind } from '../checkpoint/segments-behind.ts'
import type { DatasetStore } from '../dataset-store.ts'
import type { Dataset } from '../dataset.ts'
import type { LogId } from '../op.ts'
import { BATCH_BYTES, type BucketBatches, isOfStore, nameOf } from './bucket-batches.ts'
import type { BucketContents, SegmentName } from './bucket-contents.ts'
import { MAX_BATCH_SEGMENTS } from './pack-index.ts'

export interface BucketSegmentsOptions {
  readonly batches: BucketBatches
  readonly store: DatasetStore
  readonly dataset: Dataset
  readonly contents: BucketContents
  /** Takes those in that lie behind a checkpoint this device began with, the newest first. */
  readonly behind: (segments: readonly Uint8Array[]) => Promise<number>
  /** Others have the loop. Rejects when it is time to stop. */
  readonly pause: () => Promise<void>
  readonly logger: Logger
  /** Instead of the usual: of those that wait, so many bytes are kept in memory. */
  readonly waitingBytes?: number | undefined
}

interface ReadBatch {
  readonly name: string
  readonly bytes: number
  readonly names: readonly SegmentName[]
  /** Those of it that wait for something. */
  open: readonly SegmentName[]
  /** Their bytes; undefined: too many wait, and they are read again when it is their turn. */
  left: readonly Uint8Array[] | undefined
}

/** Of segments that wait, so many bytes are kept in memory: a bare device reads batches in any order. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024

/**
 * The op logs in the bucket: batches of signed segments, sealed once more, so that not even devices and times are told (rule BK2).
 * A segment counts as held when a batch of the length it was put with was read here, and has the very bytes that are here (BK6).
 */
export class BucketSegments {
  readonly #options: BucketSegmentsOptions
  readonly #unread = new Map<string, number>()
  readonly #wrong = new Set<string>()
  #strange = 0

  constructor(options: BucketSegmentsOptions) {
    this.#options = options
  }

  /** Batches that could not be opened: damaged, or sealed under a key that is not here. */
  get wrong(): number {
    return this.#wrong.size
  }

  /** Batches with something that cannot be taken in: of a device that is not known here, or after something that is missing. */
  get strange(): number {
    return this.#strange
  }

  /** Does whoever has the bucket alone get every log from its first segment on, up to the last that was ever there? */
  isWhole(held: ReadonlySet<string>): boolean {
    const { contents, store } = this.#options
    const upTo = new Map<LogId, number>(contents.floor)
    for (const [log, { seq }] of segmentsBehind(store)) upTo.set(log, Math.max(seq, upTo.get(log) ?? 0))
    for (const [log, last] of upTo) for (let seq = 1; seq <= last; seq++) if (!held.has(nameOf([log, seq]))) return false
    return true
  }

  /** What was listed. */
  look(listed: ReadonlyMap<string, number>): void {
    this.#options.batches.look(listed)
    for (const name of this.#wrong) if (!listed.has(name)) this.#wrong.delete(name)
    this.#unread.clear()
    for (const [name, bytes] of listed) if (this.#isNews(name)) this.#unread.set(name, bytes)
  }

  /** Takes in what is new. @throws BucketError @throws StoreError */
  async pull(): Promise<void> {
    const { contents, logger, pause } = this.#options
    let waiting: ReadBatch[] = []
    let waitingBytes = 0
    for (const [name, bytes] of this.#unread) {
      try {
        const segments = await this.#options.batches.read(name, bytes)
        const batch: ReadBatch = { name, bytes, names: segments.map((segment) => this.#nameOf(segment)), open: [], left: undefined }
        this.#wrong.delete(name)
        this.#takeAll(batch, segments)
        if (batch.open.length > 0) waiting.push(batch)
        waitingBytes += batch.left?.reduce((sum, { length }) => sum + length, 0) ?? 0
        if (waitingBytes > (this.#options.waitingBytes ?? MAX_WAITING_BYTES)) {
          for (const one of waiting) one.left = undefined
          waitingBytes = 0
        }
      } catch (error) {
        if (isOfStore(error)) throw error
        this.#wrong.add(name)
        contents.breakBatch(name)
        logger.warn('a batch of changes in the bucket cannot be used', { error: errorMessage(error) })
      }
      await pause()
    }
    for (let isNews = true; isNews && waiting.length > 0; ) {
      isNews = (await this.#takeBehind(waiting)) > 0
      for (const batch of waiting) {
        if (!this.#isDue(batch)) continue
        const before = batch.open.length
        const isKept = batch.left !== undefined
        this.#takeAll(batch, await this.#bytesOf(batch))
        if (!isKept) batch.left = undefined
        isNews ||= batch.open.length < before
        await pause()
      }
      waiting = waiting.filter(({ open }) => open.length > 0)
    }
    this.#unread.clear()
    this.#strange = waiting.length
  }

  /** Puts what the bucket has not, and reads each batch back. @throws BucketError */
  async push(): Promise<void> {
    const { store, dataset, batches } = this.#options
    const { held } = batches
    const order = [...store.segmentOrder()]
    await dataset.sync() // nothing is given away before it is on the disk itself, nor before what it names is (rule OL5)
    let batch: { bytes: Uint8Array; name: SegmentName }[] = []
    let size = 0
    const put = async () => {
      if (batch.length > 0) await batches.put(batch)
      batch = []
      size = 0
    }
    for (const name of order) {
      if (held.has(nameOf(name))) continue
      const bytes = store.segment(...name)
      if (!bytes) continue
      if (size + bytes.length + 4 > BATCH_BYTES || batch.length === MAX_BATCH_SEGMENTS) await put()
      batch.push({ bytes, name })
      size += bytes.length + 4
    }
    await put()
    await batches.removeBroken()
  }

  /** Takes what can be taken, and notes what of it counts. */
  #takeAll(batch: ReadBatch, segments: readonly Uint8Array[]): void {
    const { contents } = this.#options
    batch.left = segments.filter((segment) => !this.#take(segment))
    batch.open = batch.left.map((segment) => this.#nameOf(segment))
    const { name, bytes, names, open } = batch
    const others = new Set(open.map(nameOf))
    const isOwn = contents.batches.get(name)?.isOwn
    contents.addBatch(name, { bytes, segments: names.filter((segment) => !others.has(nameOf(segment))), open, ...(isOwn && { isOwn }) })
  }

  /** What of it waits, read again if need be. @throws BucketError */
  async #bytesOf({ name, bytes, open, left }: ReadBatch): Promise<readonly Uint8Array[]> {
    if (left) return left
    const waits = new Set(open.map(nameOf))
    return (await this.#options.batches.read(name, bytes)).filter((segment) => waits.has(nameOf(this.#nameOf(segment))))
  }

  /** Is it worth a look: in memory, or with a segment whose turn it is? */
  #isDue({ open, left }: ReadBatch): boolean {
    if (left) return true
    const heads = new Map(this.#options.store.heads().map(({ log, seq }) => [log, seq]))
    return open.some(([log, seq]) => (heads.get(log) ?? 0) >= seq - 1)
  }

  #nameOf(segment: Uint8Array): SegmentName {
    const { log, seq } = this.#options.dataset.codec.headOf(segment)
    return [log, seq]
  }

  /** Not read yet, damaged, or with a segment that is not here. */
  #isNews(name: string): boolean {
    const known = this.#options.contents.batches.get(name)
    return !known || known.isBroken === true || known.open.length > 0
  }

  /** True: it is held here now, with these very bytes. */
  #take(bytes: Uint8Array): boolean {
    const { dataset, logger } = this.#options
    try {
      if (dataset.takeSegment(bytes)) return true
      const { log, seq } = dataset.codec.headOf(bytes)
      const here = this.#options.store.segment(log, seq)
      return here !== undefined && equalBytes(here, bytes)
    } catch (error) {
      if (error instanceof StoreError) throw error
      logger.debug('a change in the bucket cannot be taken in', { error: errorMessage(error) })
      return false
    }
  }

  /** Batch by batch, as each brings what the one before asks for. @returns how many were wanted */
  async #takeBehind(waiting: readonly ReadBatch[]): Promise<number> {
    const { store, dataset, behind } = this.#options
    const tried = new Set<ReadBatch>()
    for (let taken = 0; ; ) {
      const wanted = segmentsBehind(store)
      const batch = waiting.find((one) => !tried.has(one) && one.open.some(([log, seq]) => wanted.get(log)?.seq === seq))
      if (!batch) return taken
      const segments = (await this.#bytesOf(batch)).map((bytes) => ({ bytes, head: dataset.codec.headOf(bytes) }))
      const count = await behind(segments.toSorted((a, b) => b.head.seq - a.head.seq).map(({ bytes }) => bytes))
      if (count === 0) tried.add(batch)
      taken += count
    }
  }
}
