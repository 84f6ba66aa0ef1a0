import { fromUtf8, utf8 } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { BookedSegment } from '../booked-segments.ts'
import type { ChunkId } from '../chunk-id.ts'
import type { DatasetStore } from '../dataset-store.ts'
import type { Dataset } from '../dataset.ts'
import type { Op } from '../op.ts'
import { COUNTS_MS, type DayStamp, isWithin, isWithinDay } from './day-stamp.ts'
import { chunksOf } from './live-chunks.ts'

const SPACE = 'bucket-holds'
const [SEEN_SPACE, SEEN, LOST] = ['bucket-seen', 'at', 'lost']

/**
 * Which own contents the bucket holds, as the last pass saw it: every chunk in a pack that is to stay, and the segment that names
 * it in a batch. Kept with the dataset, so that a start without a network does not call them unsafe.
 */
export class BucketHolds {
  readonly #store: DatasetStore
  readonly #clock: Clock
  #seenMs: number
  /** Since this process began. */
  #seen: DayStamp | undefined
  /** Numbers of ops by hash of their segment. */
  readonly #held = new Map<string, ReadonlySet<number>>()

  /** Something that was in the bucket is not, and what that takes with it is not noted yet. */
  #isLost: boolean
  #losses = 0
  /** Everything is to be looked at, not only what did not count. */
  #isUnsure = true
  /** Another number: what is under way was begun for a bucket that counts no more. */
  #generation = 0

  constructor(store: DatasetStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
    const seen = store.value(SEEN_SPACE, SEEN)
    this.#seenMs = seen ? Number(fromUtf8(seen)) : Number.NEGATIVE_INFINITY
    this.#isLost = store.value(SEEN_SPACE, LOST) !== undefined
    for (const [hash, value] of store.values(SPACE)) this.#held.set(hash, new Set(JSON.parse(fromUtf8(value)) as number[]))
  }

  has(segment: string, number: number): boolean {
    return this.isFresh && !this.#isLost && (this.#held.get(segment)?.has(number) ?? false)
  }

  /** Something counts no more: nothing does, also after a restart, until `update` found out what is left. */
  lose(): void {
    this.#losses++
    this.#isUnsure = true
    if (this.#isLost) return
    this.#isLost = true
    this.#store.putValue(SEEN_SPACE, LOST, new Uint8Array(1))
  }

  get losses(): number {
    return this.#losses
  }

  /** Is what a loss takes with it still to be noted? */
  get isLost(): boolean {
    return this.#isLost
  }

  /** When the whole bucket was looked through; undefined: never. */
  get seenMs(): number | undefined {
    return Number.isFinite(this.#seenMs) ? this.#seenMs : undefined
  }

  /** Was the whole bucket looked through lately? */
  get isFresh(): boolean {
    return this.#seen ? isWithinDay(this.#clock, this.#seen) : Math.abs(this.#clock.nowMs() - this.#seenMs) < COUNTS_MS
  }

  /** Was it looked through so lately since this process began, by both clocks? */
  isSeenWithin(ms: number): boolean {
    return this.#seen !== undefined && isWithin(this.#clock, this.#seen, ms)
  }

  /** It was looked through. A bucket that was not for a day may be gone: it counts no more until it is. */
  see(seen: DayStamp): void {
    this.#seen = seen
    this.#seenMs = seen.atMs
    this.#store.putValue(SEEN_SPACE, SEEN, utf8(String(seen.atMs)))
  }

  /** Nothing that is under way notes anything more. */
  stop(): void {
    this.#generation++
    this.#isUnsure = true
  }

  clear(): void {
    this.stop()
    this.#losses++
    this.#seen = undefined
    this.#seenMs = Number.NEGATIVE_INFINITY
    this.#store.putValue(SEEN_SPACE, SEEN, undefined)
    for (const hash of [...this.#held.keys()]) this.#put(hash, new Set())
  }

  /** @param isHeld  of a chunk  @param segments  `LOG/SEQ` that lie in the bucket; none: without the others nobody could take them in  @param pause  rejects when it is time to stop */
  async update(
    { dataset, own }: { readonly dataset: Dataset; readonly own: readonly BookedSegment[] },
    isHeld: (id: ChunkId) => boolean,
    segments: ReadonlySet<string>,
    pause: () => Promise<void>,
  ): Promise<void> {
    // What is kept is told apart from what counts: a bucket that is reached again counts at once.
    const isUnsure = this.#isUnsure || segments.size === 0
    const [generation, losses] = [this.#generation, this.#losses]
    const seen = new Set<string>()
    for (const booked of own) {
      seen.add(booked.hash)
      if (!isUnsure && booked.contents.every(([number]) => this.#held.get(booked.hash)?.has(number))) continue
      const numbers = segments.has(`${booked.log}/${booked.seq}`) ? await this.#heldOf(dataset, booked, isHeld) : new Set<number>()
      if (numbers.size > 0) await pause() // each was opened: others have the loop
      if (generation !== this.#generation) return
      this.#put(booked.hash, numbers)
    }
    for (const hash of [...this.#held.keys()]) if (!seen.has(hash)) this.#put(hash, new Set())
    if (losses !== this.#losses) return // lost meanwhile: by the next
    this.#isUnsure = false
    if (!this.#isLost) return
    this.#isLost = false
    this.#store.putValue(SEEN_SPACE, LOST, undefined)
  }

  async #heldOf(dataset: Dataset, { log, seq, contents }: BookedSegment, isHeld: (id: ChunkId) => boolean): Promise<Set<number>> {
    const numbers = new Set<number>()
    const bytes = this.#store.segment(log, seq)
    if (!bytes) return numbers
    const { ops } = dataset.codec.open(dataset.codec.headOf(bytes), bytes, Number.MAX_SAFE_INTEGER / 1000)
    for (const [number] of contents) {
      const { body } = ops[number] as Op
      if (!('content' in body) || body.content.kind !== 'file') continue
      const { ids, isWhole } = await chunksOf(dataset, body.content.manifest)
      if (isWhole && ids.every(isHeld)) numbers.add(number)
    }
    return numbers
  }

  #put(hash: string, numbers: ReadonlySet<number>): void {
    const before = this.#held.get(hash)
    if (before && before.size === numbers.size && [...numbers].every((number) => before.has(number))) return
    if (!before && numbers.size === 0) return
    if (numbers.size > 0) this.#held.set(hash, numbers)
    else this.#held.delete(hash)
    this.#store.putValue(SPACE, hash, numbers.size > 0 ? utf8(JSON.stringify([...numbers])) : undefined)
  }
}
