import { errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { DatasetStore } from '../dataset-store.ts'
import type { Dataset } from '../dataset.ts'
import type { BucketContents, SegmentName } from './bucket-contents.ts'
import type { BucketSeal } from './bucket-seal.ts'
import type { ObjectStore } from './object-store.ts'
import { decodeBatch, encodeBatch, MAX_BATCH_BYTES, MAX_BATCH_SEGMENTS } from './pack-index.ts'

export interface BucketSegmentsOptions {
  readonly objects: ObjectStore
  readonly seal: BucketSeal
  readonly store: DatasetStore
  readonly dataset: Dataset
  readonly contents: BucketContents
  readonly logger: Logger
}

const nameOf = ([log, seq]: SegmentName) => `${log}/${seq}`

/** The op logs in the bucket: batches of signed segments, sealed once more, so that not even devices and times are told (rule BK2). */
export class BucketSegments {
  readonly #options: BucketSegmentsOptions
  readonly #unread = new Map<string, number>()
  readonly #wrong = new Set<string>()
  #strange = 0

  constructor(options: BucketSegmentsOptions) {
    this.#options = options
  }

  /** Batches that were not what was put. */
  get wrong(): number {
    return this.#wrong.size
  }

  /** Batches with something that cannot be taken in: of a device that is not known here, or after something that is missing. */
  get strange(): number {
    return this.#strange
  }

  /** `LOG/SEQ` of every segment that lies there. */
  get held(): ReadonlySet<string> {
    return new Set([...this.#options.contents.batches.values()].flatMap((segments) => segments.map(nameOf)))
  }

  /** What was listed. */
  look(listed: ReadonlyMap<string, number>): void {
    const { contents } = this.#options
    for (const name of contents.batches.keys()) if (!listed.has(name)) contents.dropBatch(name)
    this.#unread.clear()
    for (const [name, bytes] of listed) if (this.#isNews(name)) this.#unread.set(name, bytes)
  }

  /** Takes in what is new. @throws BucketError */
  async pull(): Promise<void> {
    const { objects, seal, dataset, contents, logger } = this.#options
    let waiting: { readonly name: string; segments: Uint8Array[] }[] = []
    for (const name of this.#unread.keys()) {
      try {
        const sealed = await objects.get(seal.at('s', name), 0, MAX_BATCH_BYTES)
        if (!sealed) continue
        const segments = decodeBatch(seal.open('s', name, sealed))
        const names = segments.map((bytes): SegmentName => {
          const { log, seq } = dataset.codec.headOf(bytes)
          return [log, seq]
        })
        this.#wrong.delete(name)
        contents.addBatch(name, names)
        waiting.push({ name, segments })
      } catch (error) {
        if (isOfStore(error)) throw error
        this.#wrong.add(name)
        logger.warn('a batch of changes in the bucket cannot be used', { error: errorMessage(error) })
      }
    }
    for (let isNews = true; isNews && waiting.length > 0; ) {
      isNews = false
      for (const batch of waiting) {
        const left = batch.segments.filter((bytes) => !this.#take(bytes))
        if (left.length < batch.segments.length) isNews = true
        batch.segments = left
      }
      waiting = waiting.filter(({ segments }) => segments.length > 0)
    }
    this.#unread.clear()
    this.#strange = waiting.length
  }

  /** Puts what the bucket has not. @throws BucketError */
  async push(): Promise<void> {
    const { objects, seal, store, contents } = this.#options
    const held = this.held
    let batch: { bytes: Uint8Array; name: SegmentName }[] = []
    let size = 0
    const put = async () => {
      if (batch.length === 0) return
      const name = seal.newName()
      await objects.put(seal.at('s', name), seal.seal('s', name, encodeBatch(batch.map(({ bytes }) => bytes))))
      contents.addBatch(
        name,
        batch.map((one) => one.name),
      )
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
  }

  /** Not read yet, or with a segment that is not held here. */
  #isNews(name: string): boolean {
    const known = this.#options.contents.batches.get(name)
    if (!known) return true
    const frontier = this.#options.dataset.frontier()
    return known.some(([log, seq]) => seq > (frontier.get(log) ?? 0))
  }

  /** True: it is held here now. */
  #take(bytes: Uint8Array): boolean {
    const { dataset, logger } = this.#options
    try {
      if (dataset.takeSegment(bytes)) return true
      const { log, seq } = dataset.codec.headOf(bytes)
      return seq <= (dataset.frontier().get(log) ?? 0)
    } catch (error) {
      logger.debug('a change in the bucket cannot be taken in', { error: errorMessage(error) })
      return false
    }
  }
}

/** Together at most, unless one is longer. */
const BATCH_BYTES = 4 * 1024 * 1024

const isOfStore = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  error.code.startsWith('bucket/') &&
  error.code !== 'bucket/wrong-bytes' &&
  error.code !== 'bucket/nonsense'
