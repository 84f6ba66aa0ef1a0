import type { Acknowledgements } from './acknowledgements.ts'
import type { ChunkStore } from './chunk-store.ts'
import { collectGarbage } from './collect-garbage.ts'
import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Dataset } from './dataset.ts'
import type { DatasetStore } from './dataset-store.ts'
import type { DroppedVersions } from './dropped-versions.ts'
import type { LocalFolders } from './local-folders.ts'
import { releaseDropped } from './release-dropped.ts'
import type { ReplicationBook } from './replication-book.ts'
import { thinVersions } from './thin-versions.ts'

/** History thins by the hour; looking six times as often is soon enough. */
const EVERY_MS = 10 * 60_000
/** A quiet moment: nothing was changed for this long. */
const QUIET_MS = 30_000
/** Of a dataset that is never quiet it is done all the same, this long after the last time. */
const LONGEST_MS = 60 * 60_000
/** How often all chunks are looked at when nothing says that there is something to forget. */
const COLLECT_MS = 6 * 60 * 60_000
/** Others have the loop between two pieces of work, each of some milliseconds. */
const PAUSE_MS = 20

export interface HousekeepingParts {
  readonly dataset: Dataset
  readonly store: DatasetStore
  readonly chunks: ChunkStore
  readonly dropped: DroppedVersions
  readonly book: ReplicationBook
  readonly acknowledgements: Acknowledgements
  readonly local: LocalFolders
  readonly clock: Clock
  readonly logger: Logger
  /** Part of the tree is still to come: nothing is tidied. */
  readonly isLoading?: () => boolean
  /** Instead of a pause of 20 ms. */
  readonly pause?: () => Promise<void>
}

export interface Tidied {
  /** Versions that history no longer shows. */
  readonly droppedVersions: number
  /** Chunks that nothing names any more, and bytes that the disk has back. */
  readonly droppedChunks: number
  readonly freedBytes: number
}

/** What is done for a dataset when nobody works in it: history is thinned, what nothing names is forgotten, its space given back. Killed at any point, it goes on at the next start. */
export class Housekeeping implements Disposable {
  readonly #parts: HousekeepingParts
  readonly #owned = new DisposableStore()
  #lastChangeMs: number
  #lastRunMs: number
  #lastCollectedMs = Number.NEGATIVE_INFINITY
  #running: Promise<Tidied> | undefined

  constructor(parts: HousekeepingParts) {
    this.#parts = parts
    const { clock, dataset } = parts
    this.#lastChangeMs = this.#lastRunMs = clock.monotonicMs()
    this.#owned.add(dataset.onDidChange(() => (this.#lastChangeMs = clock.monotonicMs())))
    this.#owned.add(clock.every(QUIET_MS, () => this.#look()))
  }

  /** Does it now; a run that is under way counts. @throws StoreError, ContentError */
  run(isAsked = true): Promise<Tidied> {
    this.#running ??= this.#run(isAsked).finally(() => {
      this.#running = undefined
      this.#lastRunMs = this.#parts.clock.monotonicMs()
    })
    return this.#running
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #look(): void {
    const nowMs = this.#parts.clock.monotonicMs()
    const sinceMs = nowMs - this.#lastRunMs
    if (this.#running || sinceMs < EVERY_MS || (nowMs - this.#lastChangeMs < QUIET_MS && sinceMs < LONGEST_MS)) return
    this.run(false).catch((error: unknown) => {
      if (this.#owned.isDisposed) return
      const { logger } = this.#parts
      logger.warn('history could not be tidied; it is tried again', { code: errorCode(error), error: errorMessage(error) })
    })
  }

  async #run(isAsked: boolean): Promise<Tidied> {
    const { dataset, store, chunks, dropped, book, acknowledgements, clock } = this.#parts
    if (this.#parts.isLoading?.()) return { droppedVersions: 0, droppedChunks: 0, freedBytes: 0 }
    const frontier = () => {
      dataset.flush()
      return dataset.frontier()
    }
    const pause = () => this.#pause()
    acknowledgements.noteThere()
    const droppedVersions = await thinVersions({ store, dropped, frontier, nowMs: () => clock.nowMs(), pause })
    const released = await releaseDropped({ dataset, store, dropped, book, acknowledgements, frontier })
    const nowMs = clock.monotonicMs()
    // What nobody ever named (a write that was given up) has time; looking for it reads every version.
    const isDue = isAsked || released > 0 || nowMs - this.#lastCollectedMs > COLLECT_MS
    if (!isDue) return { droppedVersions, droppedChunks: 0, freedBytes: 0 }
    const batches = () => [...dropped.batches].map(([, batch]) => batch)
    const droppedChunks = await collectGarbage({ dataset, store, chunks, batches, mustKeep: (op) => book.mustKeep(op), pause })
    this.#lastCollectedMs = nowMs
    const localBytes = await this.#parts.local.tidy(pause)
    return { droppedVersions, droppedChunks, freedBytes: localBytes + (await chunks.reclaim()) }
  }

  async #pause(): Promise<void> {
    const { clock, pause } = this.#parts
    await (pause?.() ?? new Promise<void>((resolve) => clock.after(PAUSE_MS, resolve)))
    if (this.#owned.isDisposed) throw new Error('these files were closed')
  }
}
