import { fromUtf8, utf8 } from '../../base/bytes.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import type { ChunkCipher } from '../chunk-cipher.ts'
import type { ChunkId } from '../chunk-id.ts'
import type { ChunkStore } from '../chunk-store.ts'
import type { ContentHolds } from '../content-holds.ts'
import type { DatasetStore } from '../dataset-store.ts'
import type { Manifest } from '../manifest.ts'
import { type LeafEntry, MAX_VALUE_BYTES, type Row } from './page.ts'

/** Longer values lie in chunks of their own, so that a page stays one. */
const MAX_INLINE_BYTES = 16 * 1024
const PART_BYTES = 128 * 1024
const SPACE = 'checkpoint'
const PARTS = 'parts'

/**
 * Pages of checkpoints as chunks among the others: sealed, named, sent and cached as they are. Holds those of the checkpoints that count,
 * so that no cache lets go of them and no garbage is made of them.
 */
export class PageKeeper implements Disposable {
  readonly #chunks: ChunkStore
  readonly #cipher: ChunkCipher
  readonly #store: DatasetStore
  readonly #owned = new DisposableStore()
  readonly #held = new Map<string, Manifest>()
  /** Put, and in no checkpoint yet. */
  #underWay = new Set<ChunkId>()
  readonly #parts: Set<ChunkId>

  constructor(parts: { chunks: ChunkStore; cipher: ChunkCipher; store: DatasetStore; holds: ContentHolds }) {
    this.#chunks = parts.chunks
    this.#cipher = parts.cipher
    this.#store = parts.store
    const kept = parts.store.value(SPACE, PARTS)
    this.#parts = new Set(kept ? (JSON.parse(fromUtf8(kept)) as ChunkId[]) : [])
    this.#owned.add(parts.holds.hold(() => [...this.#held.values(), manifestOf([...this.#underWay, ...this.#parts])]))
  }

  readonly idOf = (plain: Uint8Array): ChunkId => this.#cipher.idOf(plain)

  /** How a row lies in its page; parts of its value are put with the pages. */
  entryOf(row: Row, made: Map<ChunkId, Uint8Array>): LeafEntry {
    if (row.value.length <= MAX_INLINE_BYTES) return row
    // Whoever reads it would refuse it.
    if (row.value.length > MAX_VALUE_BYTES) throw new RangeError('what is said of one file is too long for a checkpoint')
    const parts: { id: ChunkId; length: number }[] = []
    for (let at = 0; at < row.value.length; at += PART_BYTES) {
      const plain = row.value.slice(at, at + PART_BYTES)
      const id = this.idOf(plain)
      made.set(id, plain)
      this.#parts.add(id)
      parts.push({ id, length: plain.length })
    }
    return { key: row.key, parts }
  }

  /** Chunks that values of rows lie in. */
  noteParts(ids: Iterable<ChunkId>): void {
    for (const id of ids) this.#parts.add(id)
  }

  /** Call it in the transaction that makes a checkpoint count. */
  putParts(): void {
    this.#store.putValue(SPACE, PARTS, this.#parts.size > 0 ? utf8(JSON.stringify([...this.#parts])) : undefined)
  }

  /** Pages that will be of a checkpoint. @throws ContentError `chunk/store-full` */
  async put(pages: ReadonlyMap<ChunkId, Uint8Array>, pause: () => Promise<void>): Promise<void> {
    let count = 0
    for (const [id, plain] of pages) {
      this.#underWay.add(id)
      if (!this.#chunks.has(id)) await this.#chunks.put(this.#cipher.seal(id, plain))
      if (++count % 16 === 0) await pause()
    }
  }

  /** These stay as long as something else is not held under the same name. */
  hold(name: string, ids: readonly ChunkId[]): void {
    if (ids.length > 0) this.#held.set(name, manifestOf(ids))
    else this.#held.delete(name)
  }

  /** What was put and is in no checkpoint may go. */
  settle(): void {
    this.#underWay = new Set()
  }

  hasAll(ids: Iterable<ChunkId>): boolean {
    for (const id of ids) if (!this.#chunks.has(id)) return false
    return true
  }

  dispose(): void {
    this.#owned.dispose()
  }
}

/** Nobody reads it: it only says which chunks stay. */
const manifestOf = (ids: readonly ChunkId[]): Manifest => ({ bytes: ids.length, depth: 0, pieces: ids.map((id) => ({ id, length: 1 })) })
