import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { DatasetStore } from './dataset-store.ts'
import type { LogId, OpId } from './op.ts'

/** A segment with contents, as far as copies of them matter here. */
export interface BookedSegment {
  readonly log: LogId
  readonly seq: number
  readonly hash: string
  /** Number of its first op in the log. */
  readonly first: number
  readonly count: number
  /** Contents named first in it that still matter: number of the op in the segment, and bytes. */
  readonly contents: readonly (readonly [number: number, bytes: number])[]
}

/** A content named by an op, and where it is booked. */
export interface BookedContent {
  readonly segment: BookedSegment
  readonly number: number
}

export const bytesOf = ({ contents }: BookedSegment): number => contents.reduce((sum, [, bytes]) => sum + bytes, 0)

/** Segments kept under one name in the store, found by hash and by op. */
export class BookedSegments {
  readonly #store: DatasetStore
  readonly #space: string
  readonly #byHash = new Map<string, BookedSegment>()
  /** Of each log, sorted by their first op. */
  readonly #byLog = new Map<LogId, BookedSegment[]>()

  constructor(store: DatasetStore, space: string) {
    this.#store = store
    this.#space = space
    for (const [, value] of store.values(space)) this.#add(readBooked(value))
  }

  get all(): readonly BookedSegment[] {
    return [...this.#byHash.values()]
  }

  get(hash: string): BookedSegment | undefined {
    return this.#byHash.get(hash)
  }

  /** The content that an op named, while it matters. */
  find(op: OpId): BookedContent | undefined {
    const dot = op.indexOf('.')
    const of = this.#byLog.get(op.slice(0, dot) as LogId)
    if (!of) return undefined
    const at = Number(op.slice(dot + 1))
    const segment = of[lastUpTo(of, at)]
    const number = at - (segment?.first ?? 0)
    return segment?.contents.some(([n]) => n === number) ? { segment, number } : undefined
  }

  put(segment: BookedSegment): void {
    this.#remove(segment.hash)
    this.#add(segment)
    this.#store.putValue(this.#space, segment.hash, utf8(JSON.stringify(segment)))
  }

  drop(hash: string): void {
    if (this.#remove(hash)) this.#store.putValue(this.#space, hash, undefined)
  }

  /** What `put` put in a transaction that was undone. */
  forget(hash: string): void {
    this.#remove(hash)
  }

  /** As it was before a transaction that was undone. */
  restore(hash: string, before: BookedSegment | undefined): void {
    this.#remove(hash)
    if (before) this.#add(before)
  }

  /** A content does not matter any more. */
  release(op: OpId): void {
    const found = this.find(op)
    if (!found) return
    const contents = found.segment.contents.filter(([n]) => n !== found.number)
    if (contents.length === 0) this.drop(found.segment.hash)
    else this.put({ ...found.segment, contents })
  }

  #add(segment: BookedSegment): void {
    this.#byHash.set(segment.hash, segment)
    const of = this.#byLog.get(segment.log) ?? []
    this.#byLog.set(segment.log, of)
    of.splice(lastUpTo(of, segment.first) + 1, 0, segment)
  }

  #remove(hash: string): boolean {
    const segment = this.#byHash.get(hash)
    if (!segment) return false
    this.#byHash.delete(hash)
    const of = this.#byLog.get(segment.log) ?? []
    const at = of.indexOf(segment)
    if (at >= 0) of.splice(at, 1)
    if (of.length === 0) this.#byLog.delete(segment.log)
    return true
  }
}

/** What earlier versions wrote has no list of contents: each op counts as one. */
function readBooked(value: Uint8Array): BookedSegment {
  const booked = JSON.parse(fromUtf8(value)) as BookedSegment & { bytes?: number }
  if (booked.contents) return booked
  return { ...booked, contents: Array.from({ length: booked.count }, (_, n) => [n, n === 0 ? (booked.bytes ?? 0) : 0] as const) }
}

/** Where the last segment lies that begins at `first` or before; -1: none. */
function lastUpTo(segments: readonly BookedSegment[], first: number): number {
  let [low, high] = [0, segments.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((segments[middle] as BookedSegment).first <= first) low = middle + 1
    else high = middle
  }
  return low - 1
}
