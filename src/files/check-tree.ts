import type { Dataset } from './dataset.ts'
import type { DatasetStore, NodePlace } from './dataset-store.ts'
import { winnerOf } from './node-record.ts'
import { type NodeId, ROOT_NODE } from './op.ts'

/** Nodes read before others have the loop. */
const PAGE = 500

/**
 * The tree against itself: each name is one entry's and found by it, each entry that is shown lies below the top, each copy and each
 * version that is shown is there. @returns how many are shown
 */
export async function checkTree(
  dataset: Dataset,
  store: DatasetStore,
  tell: (problem: string) => void,
  pause: () => Promise<void>,
): Promise<number> {
  const reached = new Set<NodeId>()
  const waiting: NodeId[] = [ROOT_NODE]
  let looked = 0
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    if (++looked % PAGE === 0) await pause()
    const names = new Set<string>()
    for (const { record, shown } of store.children(folder)) {
      if (names.has(shown)) tell(`two entries of ${dataset.pathOf(folder)} are called ${shown}`)
      else if (store.shownNode(folder, shown) !== record.id) tell(`${shown} in ${dataset.pathOf(folder)} is not found by its name`)
      names.add(shown)
      if (reached.has(record.id)) tell(`${shown} (${record.id}) lies in two folders`)
      else waiting.push(record.id)
      reached.add(record.id)
    }
  }
  const versioned = new Set<NodeId>()
  for (let after: NodeId | undefined; ; ) {
    const page = store.versionedNodes(after, PAGE, 1)
    for (const id of page) {
      versioned.add(id)
      // A store may name one whose versions it has just dropped.
      if (!store.node(id) && store.versions(id).length > 0) tell(`versions are here of ${id}, which is not in the tree`)
    }
    after = page.at(-1)
    if (after === undefined) break
  }
  for (let after: NodePlace | undefined; ; ) {
    const page = store.nodesFrom(after, PAGE)
    for (const { record, shown } of page) {
      after = { parent: record.parent, isShown: shown !== undefined, id: record.id }
      for (const copy of record.copies) if (!store.node(copy)) tell(`a conflict copy of ${record.name} (${record.id}) is not in the tree`)
      if (shown === undefined) continue
      if (!reached.has(record.id) && !isNowhere(store, record.parent)) tell(`${shown} (${record.id}) lies in no folder that can be reached`)
      const winner = winnerOf(record)
      if (record.copyOf || record.kind === 'folder' || winner.content.kind === 'removed') continue
      const has = versioned.has(record.id) && store.versions(record.id).some(({ op }) => op === winner.op)
      if (!has) tell(`the version shown of ${dataset.pathOf(record.id)} is not in its history`)
    }
    if (page.length === 0) break
    await pause()
  }
  return reached.size
}

/** Does it lie in what nobody ever made, or in what is no folder? Its author lied about that; of a folder that was lost the logs say so. */
function isNowhere(store: DatasetStore, parent: NodeId): boolean {
  const seen = new Set<NodeId>()
  for (let at = parent; at !== ROOT_NODE; ) {
    const record = store.node(at)
    if (record?.kind !== 'folder') return true
    if (seen.has(at)) return false
    seen.add(at)
    at = record.parent
  }
  return false
}
