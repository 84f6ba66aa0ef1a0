import type { DatasetStore } from './dataset-store.ts'
import type { NodeId } from './op.ts'

/** What lies behind: slow to change, quick to ask. */
export interface StoreBehind extends DatasetStore {
  /** All shown nodes of that name; two only while some of what was changed is not there yet. */
  shownNodes(parent: NodeId, shown: string): readonly NodeId[]
  /**
   * What is put and deleted one by one from now on is found at once, and is one piece on the disk when the batch ends: then, or when anything
   * is changed in another way, or synced. In one that was begun already it goes on.
   */
  beginBatch(): void
  /** @throws StoreError; then nothing of it happened */
  endBatch(): void
  undoBatch(): void
  /** How many batches came to nothing, also by whoever else ended them. */
  readonly undoneBatches: number
}
