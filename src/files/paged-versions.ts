import type { DatasetStore } from './dataset-store.ts'
import type { Head } from './node-record.ts'
import type { NodeId } from './op.ts'

/** Nodes read at once. */
const PAGE = 100

/**
 * Every version held, a page of nodes at a time: the store may be changed while somebody goes through them. What comes meanwhile, to
 * a node that was passed, is not among them.
 */
export function* pagedVersions(store: DatasetStore): Iterable<{ readonly node: NodeId; readonly version: Head }> {
  for (let after: NodeId | undefined; ; ) {
    const nodes = store.versionedNodes(after, PAGE, 1)
    for (const node of nodes) for (const version of store.versions(node)) yield { node, version }
    after = nodes.at(-1)
    if (after === undefined) return
  }
}
