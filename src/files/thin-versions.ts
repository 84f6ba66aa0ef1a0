import type { DatasetStore } from './dataset-store.ts'
import type { DroppedVersions } from './dropped-versions.ts'
import { keptVersions } from './kept-versions.ts'
import type { Manifest } from './manifest.ts'
import type { LogId, NodeId, OpId } from './op.ts'

export interface ThinningParts {
  readonly store: DatasetStore
  readonly dropped: DroppedVersions
  /** How far each log is held, with all that is written here. @throws StoreError */
  frontier(): ReadonlyMap<LogId, number>
  nowMs(): number
  /** Others have the loop. Rejects when it is time to stop. */
  pause(): Promise<void>
}

/** Nodes looked at, and versions dropped in one transaction: some milliseconds. */
const NODES_AT_ONCE = 100
const DROPPED_AT_ONCE = 200

/** Drops versions that are no longer kept (rule FT11), some at a time, each time whole. @returns how many were dropped */
export async function thinVersions({ store, dropped, frontier, nowMs, pause }: ThinningParts): Promise<number> {
  let count = 0
  for (let after: NodeId | undefined; ; ) {
    const nodes = store.versionedNodes(after, NODES_AT_ONCE, 2)
    const gone = nodes.flatMap((node) => goneOf(store, node, nowMs()))
    for (let at = 0; at < gone.length; at += DROPPED_AT_ONCE) {
      const some = gone.slice(at, at + DROPPED_AT_ONCE)
      const versions = some.flatMap(({ op, manifest }) => (manifest && manifest.pieces.length > 0 ? [{ op, manifest }] : []))
      const held = frontier()
      store.transaction(() => {
        for (const { node, op } of some) store.deleteVersion(node, op)
        if (versions.length > 0) dropped.add({ atMs: nowMs(), frontier: held, versions })
      })
      count += some.length
    }
    after = nodes.at(-1)
    if (after === undefined) return count
    await pause()
  }
}

function goneOf(store: DatasetStore, node: NodeId, nowMs: number): { node: NodeId; op: OpId; manifest: Manifest | undefined }[] {
  const versions = store.versions(node)
  const record = versions.length > 1 ? store.node(node) : undefined
  if (!record) return []
  const kept = keptVersions(versions, record, nowMs)
  return versions.flatMap(({ op, content }) =>
    kept.has(op) ? [] : [{ node, op, manifest: content.kind === 'file' ? content.manifest : undefined }],
  )
}
