import { equalBytes } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { StoreError } from '../../base/store-error.ts'
import type { DatasetStore } from '../dataset-store.ts'
import type { Dataset } from '../dataset.ts'
import type { BucketContents, KnownBatch, SegmentName } from './bucket-contents.ts'
import { BucketError } from './bucket-error.ts'
import { type DayStamp, isWithinDay, stampOf } from './day-stamp.ts'
import type { BucketSeal } from './bucket-seal.ts'
import { GRACE_MS } from './bucket-tidy.ts'
import type { BucketSizes } from './bucket-upload.ts'
import type { ObjectStore } from './object-store.ts'
import { decodeBatch, encodeBatch, MAX_BATCH_BYTES, MAX_BATCH_SEGMENTS } from './pack-index.ts'
import { smallOnes } from './small-ones.ts'

export interface BucketBatchesParts extends Pick<BucketSizes, 'without'> {
  readonly objects: ObjectStore
  readonly seal: BucketSeal
  readonly store: DatasetStore
  readonly dataset: Dataset
  readonly contents: BucketContents
  readonly clock: Clock
  readonly pick: (count: number) => number
  /** Others have the loop. Rejects when it is time to stop. */
  readonly pause: () => Promise<void>
}

/** Of ten minutes each; some fail. */
const PASSES_A_DAY = 100
/** Together at most, unless one is longer. */
export const BATCH_BYTES = 4 * 1024 * 1024
/** With one pass. */
const REMOVED_AT_ONCE = 500

export const nameOf = ([log, seq]: SegmentName): string => `${log}/${seq}`

/** The batches of segments as objects: put, read back, made fewer, removed (rules BK6, BK8, BK9). Knows nothing of what a segment says. */
export class BucketBatches {
  readonly #parts: BucketBatchesParts
  /** When each was read. */
  readonly #read = new Map<string, DayStamp>()

  constructor(parts: BucketBatchesParts) {
    this.#parts = parts
  }

  /** `LOG/SEQ` of every segment that lies there. */
  get held(): ReadonlySet<string> {
    return this.#heldBy(({ isBroken }) => !isBroken)
  }

  /** What was listed: what is not there, or of another length, counts no more. */
  look(listed: ReadonlyMap<string, number>): void {
    const { contents } = this.#parts
    const gone = [...contents.batches].filter(([name, { bytes }]) => listed.get(name) !== bytes)
    const left = new Set(gone.map(([name]) => name))
    const held = gone.length > 0 ? this.#heldBy(({ isBroken }, name) => !isBroken && !left.has(name)) : undefined
    for (const [name, { segments }] of gone) {
      if (listed.has(name)) contents.breakBatch(name)
      else
        contents.dropBatch(
          name,
          segments.every((segment) => held?.has(nameOf(segment))),
        )
    }
    for (const name of this.#read.keys()) if (!listed.has(name)) this.#read.delete(name)
  }

  /** Puts one, which counts when it was read back. @throws BucketError */
  async put(batch: readonly { readonly bytes: Uint8Array; readonly name: SegmentName }[]): Promise<void> {
    const { objects, seal, contents, pause, without } = this.#parts
    const name = seal.newName()
    const sealed = seal.seal('s', name, encodeBatch(batch.map(({ bytes }) => bytes)))
    const known: KnownBatch = { bytes: sealed.length, segments: batch.map((one) => one.name), open: [], isOwn: true }
    contents.addBatch(name, { ...known, isBroken: true }) // until it was read back
    await objects.put(seal.at('s', name), sealed)
    await pause()
    try {
      const read = without === 'read-back' ? batch.map(({ bytes }) => bytes) : await this.read(name, sealed.length)
      if (read.length !== batch.length || read.some((bytes, n) => !equalBytes(bytes, batch[n]?.bytes ?? new Uint8Array(0))))
        throw wrongBytes()
    } catch (error) {
      throw isOfStore(error) ? error : wrongBytes()
    }
    contents.addBatch(name, known)
  }

  /** @throws BucketError `bucket/wrong-bytes`, `bucket/nonsense` */
  async read(name: string, bytes: number, signal?: AbortSignal): Promise<Uint8Array[]> {
    const { objects, seal, clock } = this.#parts
    const sealed = await objects.get(seal.at('s', name), 0, MAX_BATCH_BYTES, signal)
    if (sealed?.length !== bytes) throw wrongBytes()
    const segments = decodeBatch(seal.open('s', name, sealed))
    this.#read.set(name, stampOf(clock))
    return segments
  }

  /** Reads some back that were not within a day, so that all are in a day; else one, whichever. @throws BucketError `bucket/wrong-bytes` */
  async spotCheck(): Promise<void> {
    const { contents, pick } = this.#parts
    const good = [...contents.batches].flatMap(([name, { isBroken }]) => (isBroken ? [] : [name]))
    const due = good.filter((name) => !this.#isReadLately(name)).slice(0, Math.ceil(good.length / PASSES_A_DAY))
    const one = good[pick(good.length)]
    for (const name of due.length === 0 && one !== undefined ? [one] : due) await this.#readBack(name)
  }

  /** Was each read within a day? Those that were not are read now. @throws BucketError */
  async proveAll(signal: AbortSignal): Promise<void> {
    for (const [name, { isBroken }] of [...this.#parts.contents.batches]) {
      if (isBroken || this.#isReadLately(name)) continue
      if (signal.aborted) throw new BucketError('bucket/unreachable', 'the bucket is too slow to be read through now')
      await this.#readBack(name, signal)
      await this.#parts.pause()
    }
  }

  /** Of a batch that is damaged everything was put again. @throws BucketError */
  async removeBroken(): Promise<void> {
    const { objects, seal, contents } = this.#parts
    const held = this.held
    for (const [name, { segments, open, isBroken }] of [...contents.batches]) {
      if (!isBroken || open.length > 0 || !segments.every((segment) => held.has(nameOf(segment)))) continue
      await objects.remove(seal.at('s', name)) // the next look forgets it, when it is gone
    }
  }

  /**
   * Makes one of many small ones that this device put: the new one is read back, and the others go an hour later, when other devices
   * have read it. Only this device removes them, and only what others of its own hold. @throws BucketError
   */
  async merge(): Promise<void> {
    const { contents, store } = this.#parts
    await this.#removeSpare()
    const own = [...contents.batches].filter(([, batch]) => isStaying(batch) && batch.open.length === 0)
    const shareOf = ([, { bytes, segments }]: readonly [string, KnownBatch]) =>
      Math.max(bytes / BATCH_BYTES, segments.length / MAX_BATCH_SEGMENTS)
    const names = smallOnes(own, shareOf).flatMap(([, { segments }]) => segments)
    const batch = names.map((name) => ({ name, bytes: store.segment(...name) }))
    if (batch.length > 0 && batch.every((one): one is { name: SegmentName; bytes: Uint8Array } => one.bytes !== undefined))
      await this.put(batch)
    this.#markSpare()
  }

  /** The small first: what they hold, others hold, too. */
  #markSpare(): void {
    const { contents, clock } = this.#parts
    const own = [...contents.batches].filter(([, batch]) => isStaying(batch))
    const holders = new Map<string, number>()
    for (const [, { segments }] of own) for (const one of segments) holders.set(nameOf(one), (holders.get(nameOf(one)) ?? 0) + 1)
    for (const [name, batch] of own.toSorted(([, a], [, b]) => a.segments.length - b.segments.length)) {
      if (batch.open.length > 0 || !batch.segments.every((one) => (holders.get(nameOf(one)) ?? 0) > 1)) continue
      for (const one of batch.segments) holders.set(nameOf(one), (holders.get(nameOf(one)) ?? 0) - 1)
      contents.addBatch(name, { ...batch, spareMs: clock.nowMs() })
    }
  }

  async #removeSpare(): Promise<void> {
    const { objects, seal, contents, clock } = this.#parts
    const held = this.#heldBy(isStaying)
    let count = 0
    for (const [name, { spareMs, ...batch }] of [...contents.batches]) {
      if (spareMs === undefined || batch.isBroken) continue
      if (!batch.segments.every((segment) => held.has(nameOf(segment)))) contents.addBatch(name, batch)
      else if (clock.nowMs() - spareMs >= GRACE_MS && count++ < REMOVED_AT_ONCE) await objects.remove(seal.at('s', name)) // the next look forgets it
    }
  }

  #heldBy(which: (batch: KnownBatch, name: string) => boolean): ReadonlySet<string> {
    const held = new Set<string>()
    for (const [name, batch] of this.#parts.contents.batches)
      if (which(batch, name)) for (const segment of batch.segments) held.add(nameOf(segment))
    return held
  }

  #isReadLately(name: string): boolean {
    return isWithinDay(this.#parts.clock, this.#read.get(name))
  }

  async #readBack(name: string, signal?: AbortSignal): Promise<void> {
    const { contents } = this.#parts
    const batch = contents.batches.get(name)
    if (!batch) return
    try {
      for (const bytes of await this.read(name, batch.bytes, signal)) if (this.#isOther(bytes)) throw wrongBytes()
    } catch (error) {
      if (!signal?.aborted && !isOfStore(error)) contents.breakBatch(name)
      throw error
    }
  }

  #isOther(bytes: Uint8Array): boolean {
    const { dataset, store } = this.#parts
    const { log, seq } = dataset.codec.headOf(bytes)
    const here = store.segment(log, seq)
    return here !== undefined && !equalBytes(here, bytes)
  }
}

/** Put by this device, good, and not to go. */
const isStaying = ({ isOwn, isBroken, spareMs }: KnownBatch): boolean => isOwn === true && !isBroken && spareMs === undefined

const wrongBytes = () => new BucketError('bucket/wrong-bytes', 'the bucket gave other changes than were put there; they are put again')

/** Of the bucket or the disk as a whole, not of one object. */
export const isOfStore = (error: unknown): boolean =>
  error instanceof StoreError ||
  (error instanceof BucketError && error.code !== 'bucket/wrong-bytes' && error.code !== 'bucket/nonsense') ||
  (error instanceof Error && !('code' in error))
