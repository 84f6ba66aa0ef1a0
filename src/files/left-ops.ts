import type { DatasetStore } from './dataset-store.ts'
import { decodeOp } from './node-record-codec.ts'
import type { OpBody } from './op.ts'

/** Where a store says that its tree is to be made again (`rebuildTree`), and what this device had kept and not signed before. */
export const REBUILD = 'rebuild'
export const STATE = 'state'
/** Beside the state: not all rows of the damaged tree could be read. */
export const LOSSY = 'lossy'
export const TAIL = 'rebuild-tail'

/** Is the tree of this store to be made again of its logs? */
export const isToBeRebuilt = (store: DatasetStore): boolean => store.value(REBUILD, STATE) !== undefined

/** What this device had kept, and whose log is not whole any more: to be written in a new one. Call `drop` in that transaction. */
export function takeLeftBodies(store: DatasetStore): { readonly bodies: readonly OpBody[]; readonly drop: () => void } | undefined {
  if (isToBeRebuilt(store)) return undefined
  const left = store.values(TAIL).sort(([a], [b]) => (a < b ? -1 : 1))
  if (left.length === 0) return undefined
  const drop = () => {
    for (const [key] of left) store.putValue(TAIL, key, undefined)
  }
  return { bodies: left.map(([, bytes]) => decodeOp(bytes).body), drop }
}
