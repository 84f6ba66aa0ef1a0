import { equalBytes } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { StoreError } from '../../base/store-error.ts'
import { segmentsBehind } from '../checkpoint/segments-behind.ts'
import type { DatasetStore } from '../dataset-store.ts'
import type { Dataset } from '../dataset.ts'
import type { LogId } from '../op.ts'
import type { BucketContents, SegmentName } from './bucket-contents.ts'
import { COUNTS_MS } from './bucket-holds.ts'
import { BucketError } from './bucket-error.ts'
import type { BucketSeal } from './bucket-seal.ts'
import type { BucketSizes } from './bucket-upload.ts'
import type { ObjectStore } from './object-store.ts'
import { decodeBatch, encodeBatch, MAX_BATCH_BYTES, MAX_BATCH_SEGMENTS } from './pack-index.ts'

export interface BucketSegmentsOptions extends Pick<BucketSizes, 'without'> {
  readonly objects: ObjectStore
  readonly seal: BucketSeal
  readonly store: DatasetStore
  readonly dataset: Dataset
  readonly contents: BucketContents
  readonly clock: Clock
  /** Takes those in that lie behind a checkpoint this device began with, the newest first. */
  readonly behind: (segments: readonly Uint8Array[]) => Promise<number>
  readonly pick: (count: number) => number
  /** Others have the loop. Rejects when it is time to stop. */
  readonly pause: () => Promise<void>
  readonly logger: Logger
}

const nameOf = ([log, seq]: SegmentName) => `${log}/${seq}`

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
  /** When a batch was read. */
  readonly #readMs = new Map<string, number>()
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

  /** `LOG/SEQ` of every segment that lies there. */
  get held(): ReadonlySet<string> {
    const held = new Set<string>()
    for (const { segments, isBroken } of this.#options.contents.batches.values())
      if (!isBroken) for (const name of segments) held.add(nameOf(name))
    return held
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
    const { contents } = this.#options
    for (const [name, { bytes }] of [...contents.batches]) {
      if (!listed.has(name)) contents.dropBatch(name)
      else if (listed.get(name) !== bytes) contents.breakBatch(name)
    }
    for (const name of this.#readMs.keys()) if (!listed.has(name)) this.#readMs.delete(name)
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
        const segments = await this.#read(name, bytes)
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
    const { store } = this.#options
    const held = this.held
    let batch: { bytes: Uint8Array; name: SegmentName }[] = []
    let size = 0
    const put = async () => {
      if (batch.length > 0) await this.#put(batch)
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
    await this.#removeBroken()
  }

  /** Reads some back that were not within a day, so that all are in a day; else one, whichever. @throws BucketError `bucket/wrong-bytes` */
  async spotCheck(): Promise<void> {
    const { contents, pick } = this.#options
    const good = [...contents.batches].flatMap(([name, { isBroken }]) => (isBroken ? [] : [name]))
    const due = good.filter((name) => !this.#isReadLately(name)).slice(0, Math.ceil(good.length / PASSES_A_DAY))
    const one = good[pick(good.length)]
    for (const name of due.length === 0 && one !== undefined ? [one] : due) await this.#readBack(name)
  }

  /** Was each read within a day? Those that were not are read now. @throws BucketError */
  async proveAll(signal: AbortSignal): Promise<void> {
    for (const [name, { isBroken }] of [...this.#options.contents.batches]) {
      if (isBroken || this.#isReadLately(name)) continue
      if (signal.aborted) throw new BucketError('bucket/unreachable', 'the bucket is too slow to be read through now')
      await this.#readBack(name)
      await this.#options.pause()
    }
  }

  #isReadLately(name: string): boolean {
    return Math.abs(this.#options.clock.nowMs() - (this.#readMs.get(name) ?? Number.NEGATIVE_INFINITY)) < COUNTS_MS
  }

  async #readBack(name: string): Promise<void> {
    const { contents } = this.#options
    const batch = contents.batches.get(name)
    if (!batch) return
    try {
      for (const bytes of await this.#read(name, batch.bytes)) if (this.#isOther(bytes)) throw wrongBytes()
    } catch (error) {
      if (!isOfStore(error)) contents.breakBatch(name)
      throw error
    }
  }

  async #put(batch: readonly { readonly bytes: Uint8Array; readonly name: SegmentName }[]): Promise<void> {
    const { objects, seal, contents, pause } = this.#options
    const name = seal.newName()
    const sealed = seal.seal('s', name, encodeBatch(batch.map(({ bytes }) => bytes)))
    const known = { bytes: sealed.length, segments: batch.map((one) => one.name), open: [] }
    contents.addBatch(name, { ...known, isBroken: true }) // until it was read back
    await objects.put(seal.at('s', name), sealed)
    await pause()
    try {
      const read = this.#options.without === 'read-back' ? batch.map(({ bytes }) => bytes) : await this.#read(name, sealed.length)
      if (read.length !== batch.length || read.some((bytes, n) => !equalBytes(bytes, batch[n]?.bytes ?? new Uint8Array(0))))
        throw wrongBytes()
    } catch (error) {
      throw isOfStore(error) ? error : wrongBytes()
    }
    contents.addBatch(name, known)
  }

  /** Of a batch that is damaged everything was put again. */
  async #removeBroken(): Promise<void> {
    const { objects, seal, contents } = this.#options
    const held = this.held
    for (const [name, { segments, open, isBroken }] of [...contents.batches]) {
      if (!isBroken || open.length > 0 || !segments.every((segment) => held.has(nameOf(segment)))) continue
      await objects.remove(seal.at('s', name)) // the next look forgets it, when it is gone
    }
  }

  /** @throws BucketError `bucket/wrong-bytes`, `bucket/nonsense` */
  async #read(name: string, bytes: number): Promise<Uint8Array[]> {
    const { objects, seal } = this.#options
    const sealed = await objects.get(seal.at('s', name), 0, MAX_BATCH_BYTES)
    if (sealed?.length !== bytes) throw wrongBytes()
    const segments = decodeBatch(seal.open('s', name, sealed))
    this.#readMs.set(name, this.#options.clock.nowMs())
    return segments
  }

  /** What of it counts. */
  #note({ name, bytes, names, left }: ReadBatch): void {
    const { dataset, contents } = this.#options
    const open = left.map((segment): SegmentName => {
      const { log, seq } = dataset.codec.headOf(segment)
      return [log, seq]
    })
    const others = new Set(open.map(nameOf))
    contents.addBatch(name, { bytes, segments: names.filter((segment) => !others.has(nameOf(segment))), open })
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
      return this.#isSame(bytes)
    } catch (error) {
      if (error instanceof StoreError) throw error
      logger.debug('a change in the bucket cannot be taken in', { error: errorMessage(error) })
      return false
    }
  }

  #isSame(bytes: Uint8Array): boolean {
    const { dataset, store } = this.#options
    const { log, seq } = dataset.codec.headOf(bytes)
    const here = store.segment(log, seq)
    return here !== undefined && equalBytes(here, bytes)
  }

  #isOther(bytes: Uint8Array): boolean {
    const { log, seq } = this.#options.dataset.codec.headOf(bytes)
    return this.#options.store.segment(log, seq) !== undefined && !this.#isSame(bytes)
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

/** Of ten minutes each; some fail. */
const PASSES_A_DAY = 100
/** Together at most, unless one is longer. */
const BATCH_BYTES = 4 * 1024 * 1024

const wrongBytes = () => new BucketError('bucket/wrong-bytes', 'the bucket gave other changes than were put there; they are put again')

/** Of the bucket or the disk as a whole, not of one object. */
const isOfStore = (error: unknown): boolean =>
  error instanceof StoreError ||
  (error instanceof BucketError && error.code !== 'bucket/wrong-bytes' && error.code !== 'bucket/nonsense') ||
  (error instanceof Error && !('code' in error))
