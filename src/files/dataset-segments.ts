import type { Clock } from '../base/clock.ts'
import type { DeviceId } from '../base/ids.ts'
import { ContentError } from './content-error.ts'
import { coverHeads } from './covered-heads.ts'
import type { DatasetStore } from './dataset-store.ts'
import { MAX_DEVICE_LOGS, MAX_HELD_LOGS } from './log-limits.ts'
import type { OpMerger, Touched } from './merge-op.ts'
import type { LogId } from './op.ts'
import type { Segment, SegmentCodec, SegmentHead } from './op-segment.ts'
import type { OwnLog } from './own-log.ts'
import { SegmentQueue } from './segment-queue.ts'

export interface DatasetSegmentsOptions {
  readonly store: DatasetStore
  readonly codec: SegmentCodec
  readonly merger: OpMerger
  readonly log: Pick<OwnLog, 'see' | 'cover'>
  readonly clock: Clock
  readonly isAuthor: (device: DeviceId) => boolean
  readonly book?: ((segment: Segment, isOwn: boolean) => void) | undefined
  readonly unbook?: ((hash: string) => void) | undefined
  /** A segment was taken in, and what it touched. */
  readonly onDidTake: (head: SegmentHead, touched: Touched) => void
}

/** The logs of a dataset as devices exchange them: what is held, what another one lacks, what it brings (rules OL1, OL2). */
export class DatasetSegments {
  readonly #options: DatasetSegmentsOptions

  constructor(options: DatasetSegmentsOptions) {
    this.#options = options
  }

  /** How far each log is held. */
  frontier(): ReadonlyMap<LogId, number> {
    return new Map(this.#options.store.heads().map(({ log, seq }) => [log, seq]))
  }

  /** Segments that a holder of `frontier` lacks, each after those it needs; at most `limitBytes`, at least one. */
  after(frontier: ReadonlyMap<LogId, number>, limitBytes: number): Uint8Array[] {
    return this.page(frontier, limitBytes).segments
  }

  /** As `after`; and whether there are more. */
  page(frontier: ReadonlyMap<LogId, number>, limitBytes: number): { segments: Uint8Array[]; isMore: boolean } {
    const { store } = this.#options
    const lacked = store.heads().flatMap(({ log, seq }): [LogId, number][] => {
      const above = frontier.get(log) ?? 0
      return seq > above ? [[log, above]] : []
    })
    return taken(store, new SegmentQueue(store, lacked), limitBytes)
  }

  /** Segments of these logs up to these numbers, each before those it needs; at most `limitBytes`, at least one. */
  behind(tips: ReadonlyMap<LogId, number>, limitBytes: number): Uint8Array[] {
    const { store } = this.#options
    return taken(store, new SegmentQueue(store, tips, true), limitBytes).segments
  }

  /**
   * Takes in a segment of another device. False: it is held already, or what it needs is not (ask again from the frontier).
   * @throws ContentError `segment/malformed`, `segment/refused`, `segment/forked`, `segment/too-many-logs`, `chunk/no-key`
   */
  take(bytes: Uint8Array): boolean {
    const { store, isAuthor, clock, codec, merger, log, book, unbook, onDidTake } = this.#options
    const head = codec.check(bytes)
    if (!isAuthor(head.device)) throw new ContentError('segment/refused', 'a segment of files is of a device that nobody here knows')
    const held = store.head(head.log)
    if (head.seq <= (held?.seq ?? 0)) {
      const known = store.segment(head.log, head.seq)
      if (known && codec.hashOf(known) !== head.hash) throw forked(head.device)
      return false
    }
    if (head.seq !== (held?.seq ?? 0) + 1) return false
    if (head.prev !== (held?.hash ?? '0'.repeat(64))) throw forked(head.device)
    const segment = codec.open(head, bytes, clock.nowMs())
    if (segment.first !== (held?.ops ?? 0))
      throw new ContentError('segment/malformed', 'a segment of files does not follow the one before it')
    if (segment.deps.some(([log, seq]) => (store.head(log)?.seq ?? 0) < seq)) return false
    if (!held) this.#requireRoom(head.device)
    const touched: Touched = { nodes: new Set(), folders: new Set() }
    const stamp = segment.ops.at(-1)?.stamp ?? 0
    const ops = segment.first + segment.ops.length
    const { device, deviceName } = segment
    try {
      store.transaction(() => {
        for (const op of segment.ops) merger.apply(op, { device, deviceName }, touched)
        store.putSegment(
          { log: head.log, seq: head.seq, bytes },
          { log: head.log, device, start: head.start, seq: head.seq, hash: head.hash, ops, stamp },
        )
        coverHeads(store, segment.deps, head)
        book?.(segment, false)
      })
    } catch (error) {
      unbook?.(head.hash)
      throw error
    }
    log.see({ log: head.log, seq: head.seq, stamp })
    log.cover(segment.deps)
    onDidTake(head, touched)
    return true
  }

  /** For one more log of this device. @throws ContentError `segment/too-many-logs` */
  #requireRoom(device: DeviceId): void {
    const heads = this.#options.store.heads()
    const own = heads.reduce((count, head) => count + (head.device === device ? 1 : 0), 0)
    if (own < MAX_DEVICE_LOGS && heads.length < MAX_HELD_LOGS) return
    throw new ContentError('segment/too-many-logs', `device ${device.slice(0, 12)} began more logs of files than are followed`)
  }
}

const forked = (device: string) =>
  new ContentError(
    'segment/forked',
    `device ${device.slice(0, 12)} wrote two logs of files in one: its data folder was copied. Neither is taken in`,
  )

/** From the front of it, at most so many bytes, at least one. */
function taken(store: DatasetStore, queue: SegmentQueue, limitBytes: number): { segments: Uint8Array[]; isMore: boolean } {
  const segments: Uint8Array[] = []
  let bytes = 0
  for (let { next } = queue; next; { next } = queue) {
    const segment = store.segment(next.log, next.seq) as Uint8Array
    if (segments.length > 0 && bytes + segment.length > limitBytes) return { segments, isMore: true }
    segments.push(segment)
    bytes += segment.length
    queue.skip()
  }
  return { segments, isMore: false }
}
