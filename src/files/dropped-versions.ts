import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { DatasetStore } from './dataset-store.ts'
import type { Manifest } from './manifest.ts'
import { contentOf } from './node-record-codec.ts'
import { type LogId, type OpId, plainContent } from './op.ts'

/** Versions that are no longer kept here, and how far every log was held when they were dropped. */
export interface DroppedBatch {
  readonly atMs: number
  /** Whoever has acknowledged this has seen what replaced them. */
  readonly frontier: ReadonlyMap<LogId, number>
  readonly versions: readonly { readonly op: OpId; readonly manifest: Manifest }[]
}

interface Plain {
  readonly v: 1
  readonly atMs: number
  readonly frontier: [LogId, number][]
  readonly versions: [OpId, unknown][]
}

const SPACE = 'dropped'

/**
 * Versions that history no longer shows, but whose bytes another device may still count on: one that has not seen what replaced
 * them may name them anew (a copy of what it still shows). Their bytes stay until all devices have acknowledged more (rule GC2).
 */
export class DroppedVersions {
  readonly #store: DatasetStore
  readonly #batches = new Map<string, DroppedBatch>()
  #next = 0

  constructor(store: DatasetStore) {
    this.#store = store
    for (const [key, value] of store.values(SPACE)) {
      const { atMs, frontier, versions } = JSON.parse(fromUtf8(value)) as Plain
      const read = versions.flatMap(([op, plain]) => {
        const content = contentOf(plain)
        return content.kind === 'file' ? [{ op, manifest: content.manifest }] : []
      })
      this.#batches.set(key, { atMs, frontier: new Map(frontier), versions: read })
      this.#next = Math.max(this.#next, Number(key) + 1)
    }
  }

  get batches(): Iterable<readonly [key: string, batch: DroppedBatch]> {
    return [...this.#batches]
  }

  /** Call it in the transaction that drops them from history. */
  add(batch: DroppedBatch): void {
    this.put(String(this.#next++), batch)
  }

  /** Less of a batch counts now. */
  put(key: string, { atMs, frontier, versions }: DroppedBatch): void {
    const plain: Plain = {
      v: 1,
      atMs,
      frontier: [...frontier],
      versions: versions.map(({ op, manifest }) => [op, plainContent({ kind: 'file', manifest })]),
    }
    this.#store.putValue(SPACE, key, utf8(JSON.stringify(plain)))
    this.#batches.set(key, { atMs, frontier, versions })
  }

  /** Nobody can count on them any more. */
  remove(key: string): void {
    this.#store.putValue(SPACE, key, undefined)
    this.#batches.delete(key)
  }
}
