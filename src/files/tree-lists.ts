import type { Dataset } from './dataset.ts'
import type { DatasetNode } from './dataset-node.ts'
import type { Ino } from './mounted-tree.ts'
import type { NodeId } from './op.ts'

/** Folders whose order is kept while they are listed page by page. */
const KEPT_LISTS = 16
/** Digits of a node's id that make its place in a list: 52 bits. */
const COOKIE_DIGITS = 13

/** The order of folders while they are listed: by node id, so that a place in it stays one whatever comes and goes. */
export class TreeLists {
  readonly #lists = new Map<Ino, readonly NodeId[]>()

  /** Ids of what is in the folder; of one that is being listed, as it was at its start. */
  of(ino: Ino, dataset: Dataset, folder: NodeId, isStart: boolean, local: readonly DatasetNode[] = []): readonly NodeId[] {
    const kept = isStart ? undefined : this.#lists.get(ino)
    if (kept) return kept
    const ids = [...dataset.children(folder), ...local].map(({ id }) => id).sort((a, b) => (a < b ? -1 : 1))
    this.#lists.delete(ino)
    this.#lists.set(ino, ids)
    if (this.#lists.size > KEPT_LISTS) this.#lists.delete(this.#lists.keys().next().value as Ino)
    return ids
  }

  /** It was listed to its end. */
  done(ino: Ino): void {
    this.#lists.delete(ino)
  }
}

/** Where to go on after a node. */
export const cookieOf = (id: NodeId): number => Number.parseInt(id.slice(0, COOKIE_DIGITS), 16) + 1

/** The first of sorted ids that comes after a cookie. */
export function firstAfter(ids: readonly NodeId[], cookie: number): number {
  let [low, high] = [0, ids.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (cookieOf(ids[middle] as NodeId) > cookie) high = middle
    else low = middle + 1
  }
  return low
}
