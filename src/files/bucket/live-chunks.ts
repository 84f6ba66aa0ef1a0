import type { ChunkId } from '../chunk-id.ts'
import type { Dataset } from '../dataset.ts'
import type { DatasetStore } from '../dataset-store.ts'
import type { DroppedBatch } from '../dropped-versions.ts'
import { addIds, idsOf } from '../keep-cache.ts'
import type { Manifest } from '../manifest.ts'
import type { NodeId, OpId } from '../op.ts'

export interface LiveChunksParts {
  readonly dataset: Dataset
  readonly store: DatasetStore
  /** Did this device write it? */
  isOwn(op: OpId): boolean
  batches(): readonly DroppedBatch[]
  /** Others have the loop. Rejects when it is time to stop. */
  pause(): Promise<void>
}

export interface LiveChunks {
  readonly ids: ReadonlySet<ChunkId>
  readonly own: ReadonlySet<ChunkId>
  readonly isWhole: boolean
}

const NODES_AT_ONCE = 50

/**
 * Every chunk that a version names which is kept, or was dropped and still counts (rule GC2). A list of pieces that is not here is
 * fetched. `own`: those that a version names which this device wrote. `isWhole`: each list was read; else there are more.
 */
export async function liveChunks({ dataset, store, isOwn, batches, pause }: LiveChunksParts): Promise<LiveChunks> {
  const ids = new Set<ChunkId>()
  const own = new Set<ChunkId>()
  let isWhole = true
  const add = async (op: OpId, manifest: Manifest): Promise<void> => {
    const listed = await chunksOf(dataset, manifest)
    for (const id of listed.ids) ids.add(id)
    if (isOwn(op)) for (const id of listed.ids) own.add(id)
    isWhole &&= listed.isWhole
  }
  for (let after: NodeId | undefined; ; ) {
    const nodes = store.versionedNodes(after, NODES_AT_ONCE, 1)
    for (const node of nodes)
      for (const { op, content } of store.versions(node)) if (content.kind === 'file') await add(op, content.manifest)
    after = nodes.at(-1)
    if (after === undefined) break
    await pause()
  }
  for (const { versions } of batches()) for (const { op, manifest } of versions) await add(op, manifest)
  return { ids, own, isWhole }
}

/** All chunks of a content, its lists among them. */
export async function chunksOf(
  dataset: Dataset,
  manifest: Manifest,
): Promise<{ readonly ids: readonly ChunkId[]; readonly isWhole: boolean }> {
  const here = await idsOf(dataset, manifest)
  if (here.isWhole) return here
  const ids = manifest.pieces.flatMap(({ id }) => (id === undefined ? [] : [id]))
  try {
    await dataset.reader.eachListed(manifest, (pieces) => addIds(ids, pieces), AbortSignal.timeout(LIST_MS))
    return { ids, isWhole: true }
  } catch {
    return here
  }
}

/** A list of pieces is waited for as long. */
const LIST_MS = 10_000
