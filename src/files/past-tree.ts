import type { Clock } from '../base/clock.ts'
import { DatasetView } from './dataset-view.ts'
import { byName, type DatasetNode } from './dataset-node.ts'
import type { DatasetStore } from './dataset-store.ts'
import type { Dataset } from './dataset.ts'
import { segmentsBehind } from './checkpoint/segments-behind.ts'
import { ContentError } from './content-error.ts'
import { FileError } from './file-error.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import { type Author, copyIdOf, OpMerger } from './merge-op.ts'
import { type Head, winnerOf } from './node-record.ts'
import type { NodeId, Op } from './op.ts'
import type { FilesCrypto } from './files-crypto.ts'

/** Ops taken in before others have the loop. */
const OPS_AT_ONCE = 500

/** Versions live in the store of now; a tree of the past needs none. */
class PastStore extends MemoryDatasetStore {
  override putVersion(): void {}
}

/** A file, folder or link as it was. */
export interface PastVersion {
  /** The version that is kept of it: what was shown then, or the one before when that was thinned. Undefined: none is kept. */
  readonly kept: Head | undefined
  /** It is what was shown then. */
  readonly isExact: boolean
}

/**
 * A dataset as it was at a moment (rule FT12): what all ops up to then make, in memory, nothing of it to be changed. What an op had
 * seen has a smaller stamp, so ops up to a stamp never lack what they need.
 */
export class PastTree {
  readonly view: DatasetView
  readonly atMs: number
  readonly #now: DatasetStore
  readonly #then: DatasetStore
  readonly #sorted = new Map<NodeId, readonly DatasetNode[]>()

  private constructor(atMs: number, now: DatasetStore, then: DatasetStore, clock: Clock) {
    this.atMs = atMs
    this.#now = now
    this.#then = then
    this.view = new DatasetView({ store: then, clock })
  }

  /** Reads all logs: a second for some ten thousand changes. @throws ContentError, StoreError */
  static async of(
    dataset: Dataset,
    store: DatasetStore,
    options: { readonly atMs: number; readonly clock: Clock; readonly crypto: FilesCrypto; readonly pause: () => Promise<void> },
  ): Promise<PastTree> {
    const { atMs, clock, crypto, pause } = options
    if (segmentsBehind(store).size > 0)
      throw new ContentError(
        'history/away',
        'what was here earlier is not all on this device yet: it comes from a linked device; try again later',
      )
    dataset.flush()
    const latest = atMs * 1000
    const ops: { op: Op; author: Author }[] = []
    let read = 0
    for (const [log, seq] of store.segmentOrder()) {
      const bytes = store.segment(log, seq)
      if (!bytes) continue
      const segment = dataset.codec.open(dataset.codec.headOf(bytes), bytes, clock.nowMs())
      for (const op of segment.ops) if (op.stamp <= latest) ops.push({ op, author: segment })
      read += segment.ops.length
      if (read < OPS_AT_ONCE) continue
      read = 0
      await pause()
    }
    ops.sort((a, b) => a.op.stamp - b.op.stamp || (a.op.id < b.op.id ? -1 : 1))
    const then = new PastStore()
    const merger = new OpMerger({ store: then, copyId: copyIdOf(crypto) })
    for (const [n, { op, author }] of ops.entries()) {
      merger.apply(op, author, { nodes: new Set(), folders: new Set() })
      if (n % OPS_AT_ONCE === OPS_AT_ONCE - 1) await pause()
    }
    return new PastTree(atMs, store, then, clock)
  }

  versionOf(id: NodeId): PastVersion {
    const record = this.#then.node(id)
    if (!record) throw new FileError('file/not-found', 'that was not there then')
    const shown = winnerOf(record)
    const versions = this.#now.versions(record.copyOf?.node ?? id)
    const exact = versions.find(({ op }) => op === shown.op)
    if (exact) return { kept: exact, isExact: true }
    const before = versions.find(({ stamp, content }) => stamp < shown.stamp && content.kind !== 'removed')
    return { kept: record.copyOf ? undefined : before, isExact: false }
  }

  /** By name. @throws FileError `file/not-found`, `file/not-a-folder` */
  sortedChildren(folder: NodeId): readonly DatasetNode[] {
    const kept = this.#sorted.get(folder)
    if (kept) return kept
    const sorted = byName(this.view.children(folder))
    this.#sorted.set(folder, sorted)
    return sorted
  }
}
