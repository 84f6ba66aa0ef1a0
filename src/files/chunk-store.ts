import type { ChunkId, SealedChunk } from './chunk-id.ts'

/**
 * Where sealed chunks lie on one device: packs on a disk, memory.
 *
 * Content-addressed, so there is no update and no conflict. Holds ciphertext and no key: what it returns is either the bytes
 * that were put or nothing (damage is found by a digest). Every implementation runs `describeChunkStore` (rules CS1-CS6).
 */
export interface ChunkStore {
  /** The chunk, or undefined: not held, or damaged on its disk and forgotten by that. A miss is not an error. */
  get(id: ChunkId): Promise<SealedChunk | undefined>
  /**
   * Reads several, neighbours in one read, for whoever opens them at once: without the check by digest, which costs as much as
   * opening, where the tag says the same. `take` is called for each that is found; its bytes are the store's again when it
   * returns. What is not taken is to be asked of `get`.
   */
  readRun(wanted: readonly HeldChunk[], take: (chunk: SealedChunk) => void): Promise<void>
  /** Survives kill -9 once done, at once or later; a power cut after `sync`. A repeat is a no-op. @throws ContentError `chunk/store-full` */
  put(chunk: SealedChunk): void | Promise<void>
  has(id: ChunkId): boolean
  /** What a chunk takes here, without reading it; 0: it is not held. */
  bytesOf(id: ChunkId): number
  /** What was put before is on the disk itself once this resolves. */
  sync(): Promise<void>
  /** Frees at least `bytes` where it can, oldest first; what `keep` names stays. Resolves with what was freed. */
  evict(bytes: number, keep: (id: ChunkId) => boolean): Promise<number>
  /** Forgets chunks one by one; unknown ids are ignored. Their bytes go with the next eviction of where they lie. */
  drop(ids: Iterable<ChunkId>): Promise<void>
  /** Gives back the space of what was dropped, where that is much of what it lies in. Resolves with the bytes freed. */
  reclaim(): Promise<number>
  ids(): Iterable<ChunkId>
  readonly stats: ChunkStoreStats
}

/** A chunk that is believed to be held, and how long it is. */
export interface HeldChunk {
  readonly id: ChunkId
  readonly sealedBytes: number
}

export interface ChunkStoreStats {
  readonly chunks: number
  /** On the disk, with headers and what was dropped and not yet freed. */
  readonly bytes: number
}
