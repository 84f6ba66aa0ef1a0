import { fromBase64Url, fromUtf8, utf8 } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { errorCode } from '../../base/errors.ts'
import type { DatasetId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import type { Dataset } from '../dataset.ts'
import type { DatasetStore, StoreValue } from '../dataset-store.ts'
import type { FilePeerClient } from '../file-exchange.ts'
import type { LogId } from '../op.ts'
import type { Segment } from '../op-segment.ts'

/** The segment of a log that is wanted next: those after it are here, and say what it is. */
export interface BehindTip {
  readonly seq: number
  readonly hash: string
}

const SPACE = 'segment-behind'
const NONE = '0'.repeat(64)
/** Others have the link and the loop between two answers. */
const PAUSE_MS = 20

/** Of which logs segments are still to come that a checkpoint stands for. */
export function segmentsBehind(store: DatasetStore): Map<LogId, BehindTip> {
  return new Map(store.values(SPACE).map(([log, value]) => [log as LogId, JSON.parse(fromUtf8(value)) as BehindTip]))
}

export const behindOf = (store: DatasetStore, log: LogId): BehindTip | undefined => {
  const value = store.value(SPACE, log)
  return value && (JSON.parse(fromUtf8(value)) as BehindTip)
}

/** Call it in the transaction that starts with a checkpoint. */
export const putBehind = (store: DatasetStore, log: LogId, { seq, hash }: BehindTip): void =>
  store.putValue(SPACE, log, seq > 0 && hash !== NONE ? utf8(JSON.stringify({ seq, hash })) : undefined)

/** What is to be written when that checkpoint counts no more. */
export const withoutBehind = (store: DatasetStore): StoreValue[] =>
  store.values(SPACE).map(([key]) => ({ space: SPACE, key, value: undefined }))

export interface BehindParts {
  readonly dataset: Dataset
  readonly id: DatasetId
  readonly store: DatasetStore
  readonly clock: Clock
  readonly logger: Logger
  readonly book: (segment: Segment, isOwn: boolean) => void
  readonly unbook: (hash: string) => void
  /** Contents are named that may be owed. */
  readonly onDidBring: () => void
}

/**
 * Fetches what lies behind the checkpoint this device started with, the newest first: who wrote what, what others signed for, the tree as
 * it was, and segments to give to others. Each is the one that the segment after it names, so nobody can give another.
 */
export class SegmentsBehind implements Disposable {
  readonly #parts: BehindParts
  readonly #owned = new DisposableStore()
  #isRunning = false

  constructor(parts: BehindParts) {
    this.#parts = parts
  }

  /** A device is linked and this one holds the whole tree. Never rejects. */
  async fetch(client: FilePeerClient): Promise<void> {
    const { id, store, clock, logger, onDidBring } = this.#parts
    if (this.#isRunning) return
    this.#isRunning = true
    try {
      for (let isMore = true; isMore && !this.#owned.isDisposed; ) {
        const wanted = segmentsBehind(store)
        if (wanted.size === 0) return
        const tips = [...wanted].map(([log, { seq }]): [string, number] => [log, seq])
        const { segments } = await client.pullSegmentsBehind({ dataset: id, tips })
        isMore = (await this.#take(segments.map(fromBase64Url))) > 0
        if (isMore) onDidBring()
        await new Promise<void>((resolve) => clock.after(PAUSE_MS, resolve))
      }
    } catch (error) {
      logger.debug('segments behind a checkpoint were not fetched; it is tried again', { code: errorCode(error) })
    } finally {
      this.#isRunning = false
    }
  }

  /** As `fetch`, out of what somebody else brought, the newest of each log first. @returns how many were wanted */
  async give(segments: readonly Uint8Array[]): Promise<number> {
    if (this.#isRunning || this.#owned.isDisposed) return 0
    this.#isRunning = true
    try {
      const taken = await this.#take(segments)
      if (taken > 0) this.#parts.onDidBring()
      return taken
    } finally {
      this.#isRunning = false
    }
  }

  dispose(): void {
    this.#owned.dispose()
  }

  /** They lie on the disk itself before anything says that they are here. @returns how many were wanted */
  async #take(answer: readonly Uint8Array[]): Promise<number> {
    const { dataset, store, clock } = this.#parts
    const wanted = segmentsBehind(store)
    const taken: { readonly segment: Segment; readonly tip: BehindTip }[] = []
    let failed: unknown
    try {
      for (const bytes of answer) {
        const head = dataset.codec.headOf(bytes)
        const tip = wanted.get(head.log)
        if (!tip || tip.seq !== head.seq || tip.hash !== head.hash) continue
        const segment = dataset.codec.open(head, bytes, clock.nowMs())
        const next = { seq: head.seq - 1, hash: head.prev }
        store.putSegmentBefore({ log: head.log, seq: head.seq, bytes })
        wanted.set(head.log, next)
        taken.push({ segment, tip: next })
      }
    } catch (error) {
      failed = error
    }
    if (taken.length > 0) await store.sync()
    for (const { segment, tip } of taken) if (!this.#owned.isDisposed) this.#note(segment, tip)
    if (failed !== undefined) throw failed
    return this.#owned.isDisposed ? 0 : taken.length
  }

  #note(segment: Segment, tip: BehindTip): void {
    const { store, book, unbook } = this.#parts
    try {
      store.transaction(() => {
        putBehind(store, segment.log, tip)
        book(segment, false)
      })
    } catch (error) {
      unbook(segment.hash)
      throw error
    }
  }
}
