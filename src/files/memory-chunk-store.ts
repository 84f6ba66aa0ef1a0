import type { ChunkId, SealedChunk } from './chunk-id.ts'
import { ContentError } from './content-error.ts'
import type { ChunkStore, ChunkStoreStats, HeldChunk } from './chunk-store.ts'

/** Chunks in memory, for a device without a disk, and for simulated ones. */
export class MemoryChunkStore implements ChunkStore {
  readonly #chunks = new Map<ChunkId, SealedChunk>()
  readonly #limitBytes: number
  #bytes = 0

  constructor(limitBytes = Number.POSITIVE_INFINITY) {
    this.#limitBytes = limitBytes
  }

  get stats(): ChunkStoreStats {
    return { chunks: this.#chunks.size, bytes: this.#bytes }
  }

  async get(id: ChunkId): Promise<SealedChunk | undefined> {
    return this.#chunks.get(id)
  }

  async readRun(wanted: readonly HeldChunk[], take: (chunk: SealedChunk) => void): Promise<void> {
    for (const { id, sealedBytes } of wanted) {
      const chunk = this.#chunks.get(id)
      if (chunk?.bytes.length === sealedBytes) take(chunk)
    }
  }

  async put(chunk: SealedChunk): Promise<void> {
    if (this.#chunks.has(chunk.id)) return
    if (this.#bytes + chunk.bytes.length > this.#limitBytes) {
      throw new ContentError('chunk/store-full', 'the store of chunks is full; free some space and try again')
    }
    this.#chunks.set(chunk.id, { ...chunk, bytes: chunk.bytes.slice() })
    this.#bytes += chunk.bytes.length
  }

  has(id: ChunkId): boolean {
    return this.#chunks.has(id)
  }

  bytesOf(id: ChunkId): number {
    return this.#chunks.get(id)?.bytes.length ?? 0
  }

  async sync(): Promise<void> {}

  async evict(bytes: number, keep: (id: ChunkId) => boolean): Promise<number> {
    let freed = 0
    for (const id of [...this.#chunks.keys()]) {
      if (freed >= bytes) break
      if (!keep(id)) freed += this.#forget(id)
    }
    return freed
  }

  async drop(ids: Iterable<ChunkId>): Promise<void> {
    for (const id of ids) this.#forget(id)
  }

  async reclaim(): Promise<number> {
    return 0 // it was given back when it was dropped
  }

  ids(): Iterable<ChunkId> {
    return [...this.#chunks.keys()]
  }

  #forget(id: ChunkId): number {
    const length = this.#chunks.get(id)?.bytes.length ?? 0
    this.#chunks.delete(id)
    this.#bytes -= length
    return length
  }
}
