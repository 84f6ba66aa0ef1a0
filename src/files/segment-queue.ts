import type { DatasetStore, PlacedSegment } from './dataset-store.ts'
import type { LogId } from './op.ts'

/** Numbers of one log that are looked up at once. */
const LOOKED_UP = 64

interface Front {
  readonly log: LogId
  /** The last first here, so that the next is taken off the end. */
  readonly found: PlacedSegment[]
}

/**
 * Segments of several logs in the order in which a store got them, or the other way round; of each log only those that are next are
 * looked up: a device that lacks three of 200,000 costs three.
 */
export class SegmentQueue {
  readonly #store: DatasetStore
  readonly #isLastFirst: boolean
  /** A heap by place. */
  readonly #fronts: Front[] = []

  /** @param limits  of each log: above which number; or up to which one, where the last come first */
  constructor(store: DatasetStore, limits: Iterable<readonly [LogId, number]>, isLastFirst = false) {
    this.#store = store
    this.#isLastFirst = isLastFirst
    for (const [log, limit] of limits) this.#push(log, limit)
  }

  get isEmpty(): boolean {
    return this.#fronts.length === 0
  }

  /** Looks at the next one. */
  get next(): { readonly log: LogId; readonly seq: number } | undefined {
    const front = this.#fronts[0]
    const found = front?.found.at(-1)
    return front && found && { log: front.log, seq: found.seq }
  }

  /** Goes on behind it. */
  skip(): void {
    const front = this.#fronts[0]
    const done = front?.found.pop()
    if (!front || !done) return
    if (front.found.length > 0) return this.#sink(0)
    const last = this.#fronts.pop() as Front
    if (last !== front) {
      this.#fronts[0] = last
      this.#sink(0)
    }
    this.#push(front.log, this.#isLastFirst ? done.seq - 1 : done.seq)
  }

  #push(log: LogId, limit: number): void {
    const range = this.#isLastFirst ? { above: 0, upTo: limit, isLastFirst: true } : { above: limit, upTo: Number.MAX_SAFE_INTEGER }
    const found = this.#store.segmentsOf(log, { ...range, limit: LOOKED_UP }).reverse()
    if (found.length === 0) return
    let at = this.#fronts.push({ log, found }) - 1
    while (at > 0 && this.#isBefore(at, (at - 1) >> 1)) {
      this.#swap(at, (at - 1) >> 1)
      at = (at - 1) >> 1
    }
  }

  #sink(from: number): void {
    for (let at = from; ; ) {
      let first = at
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < this.#fronts.length && this.#isBefore(child, first)) first = child
      if (first === at) return
      this.#swap(at, first)
      at = first
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#placeAt(a), this.#placeAt(b)]
    return this.#isLastFirst ? one > other : one < other
  }

  #placeAt(at: number): number {
    return this.#fronts[at]?.found.at(-1)?.place ?? 0
  }

  #swap(a: number, b: number): void {
    const kept = this.#fronts[a] as Front
    this.#fronts[a] = this.#fronts[b] as Front
    this.#fronts[b] = kept
  }
}
