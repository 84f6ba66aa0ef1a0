import type { ChunkId, SealedChunk } from './chunk-id.ts'
import type { ChunkStore, ChunkStoreStats, HeldChunk } from './chunk-store.ts'

export interface StoreWatch {
  /** What is kept at most, in bytes. */
  readonly limitBytes: () => number
  /** Cuts the store to its limit. Never rejects. */
  readonly look: () => Promise<unknown>
}

/** So much may be put in between two looks: a twentieth of the limit, which a cut frees beyond what it must. */
const LOOK_SHARE = 20
/** And not less: a look at a full cache reads every version there is. */
export const LEAST_LOOK_BYTES = 16 * 1024 * 1024

/**
 * A chunk store that has its limit looked at when enough was put in since the last time (rule RP4): a fast link brings more between two
 * ticks of a clock than the limit is. Nothing runs while nothing is put in. Whoever puts does not wait for it. Owns nothing.
 */
export class WatchedChunkStore implements ChunkStore {
  readonly #inner: ChunkStore
  readonly #watch: StoreWatch
  #sinceBytes = 0
  #dueBytes: number | undefined
  #isLooking = false

  constructor(inner: ChunkStore, watch: StoreWatch) {
    this.#inner = inner
    this.#watch = watch
  }

  put(chunk: SealedChunk): void | Promise<void> {
    const isNew = !this.#inner.has(chunk.id)
    try {
      const done = this.#inner.put(chunk)
      if (isNew) this.#count(chunk.bytes.length)
      return done
    } catch (error) {
      this.#look() // the disk is full: what can be fetched again makes room for whoever tries again
      throw error
    }
  }

  get(id: ChunkId): Promise<SealedChunk | undefined> {
    return this.#inner.get(id)
  }

  readRun(wanted: readonly HeldChunk[], take: (chunk: SealedChunk) => void): Promise<void> {
    return this.#inner.readRun(wanted, take)
  }

  has(id: ChunkId): boolean {
    return this.#inner.has(id)
  }

  bytesOf(id: ChunkId): number {
    return this.#inner.bytesOf(id)
  }

  sync(): Promise<void> {
    return this.#inner.sync()
  }

  evict(bytes: number, keep: (id: ChunkId) => boolean): Promise<number> {
    return this.#inner.evict(bytes, keep)
  }

  drop(ids: Iterable<ChunkId>): Promise<void> {
    return this.#inner.drop(ids)
  }

  reclaim(): Promise<number> {
    return this.#inner.reclaim()
  }

  ids(): Iterable<ChunkId> {
    return this.#inner.ids()
  }

  get stats(): ChunkStoreStats {
    return this.#inner.stats
  }

  #count(bytes: number): void {
    this.#sinceBytes += bytes
    if (this.#isLooking || this.#sinceBytes < LEAST_LOOK_BYTES || this.#sinceBytes < (this.#dueBytes ??= this.#due())) return
    this.#look()
  }

  #look(): void {
    if (this.#isLooking) return
    this.#sinceBytes = 0 // what comes while it is looked counts for the next
    this.#dueBytes = undefined
    this.#isLooking = true
    void this.#watch.look().finally(() => {
      this.#isLooking = false
      this.#count(0)
    })
  }

  #due(): number {
    return this.#watch.limitBytes() / LOOK_SHARE
  }
}
