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
}

interface ReadBatch {
  readonly name: string
  readonly bytes: number
  readonly names: readonly SegmentName[]
  left: readonly Uint8Array[]
}

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
    for (const [name, bytes] of this.#unread) {
      try {
        const segments = await this.#options.batches.read(name, bytes)
        const names = segments.map((segment): SegmentName => {
          const { log, seq } = this.#options.dataset.codec.headOf(segment)
          return [log, seq]
        })
        this.#wrong.delete(name)
        const batch = { name, bytes, names, left: segments.filter((segment) => !this.#take(segment)) }
        this.#note(batch)
        if (batch.left.length > 0) waiting.push(batch)
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
        const left = batch.left.filter((bytes) => !this.#take(bytes))
        if (left.length === batch.left.length) continue
        isNews = true
        batch.left = left
        this.#note(batch)
        await pause()
      }
      waiting = waiting.filter(({ left }) => left.length > 0)
    }
    this.#unread.clear()
    this.#strange = waiting.length
  }

  /** Puts what the bucket has not, and reads each batch back. @throws BucketError */
  async push(): Promise<void> {
    const { store, batches } = this.#options
    const { held } = batches
    let batch: { bytes: Uint8Array; name: SegmentName }[] = []
    let size = 0
    const put = async () => {
      if (batch.length > 0) await batches.put(batch)
      batch = []
      size = 0
    }
    for (const name of store.segmentOrder()) {
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

  /** What of it counts. */
  #note({ name, bytes, names, left }: ReadBatch): void {
    const { dataset, contents } = this.#options
    const open = left.map((segment): SegmentName => {
      const { log, seq } = dataset.codec.headOf(segment)
      return [log, seq]
    })
    const others = new Set(open.map(nameOf))
    const isOwn = contents.batches.get(name)?.isOwn
    contents.addBatch(name, { bytes, segments: names.filter((segment) => !others.has(nameOf(segment))), open, ...(isOwn && { isOwn }) })
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

  /** @returns how many were wanted */
  async #takeBehind(waiting: readonly ReadBatch[]): Promise<number> {
    const { store, dataset, behind } = this.#options
    const wanted = segmentsBehind(store)
    if (wanted.size === 0) return 0
    const segments = waiting
      .flatMap(({ left }) => left)
      .map((bytes) => ({ bytes, head: dataset.codec.headOf(bytes) }))
      .filter(({ head }) => head.seq <= (wanted.get(head.log)?.seq ?? 0))
      .toSorted((a, b) => b.head.seq - a.head.seq)
    return segments.length > 0 ? behind(segments.map(({ bytes }) => bytes)) : 0
  }
}
