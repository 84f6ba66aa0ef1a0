import type { ChunkId } from './chunk-id.ts'
import { idsOf } from './keep-cache.ts'
import type { OpenDataset } from './open-dataset.ts'
import { pagedVersions } from './paged-versions.ts'

/**
 * What is in the trash, and the bytes of it on this device that nothing else names: what emptying it gives back here, once every
 * device has heard of it (rule GC1).
 */
export async function trashSize(open: OpenDataset, signal: AbortSignal): Promise<{ entries: number; bytes: number; freedBytes: number }> {
  const { dataset, store, chunks } = open
  const removed = dataset.removed().map(({ node }) => node)
  const inTrash = new Set(removed.map(({ id }) => id))
  const [own, others] = [new Set<ChunkId>(), new Set<ChunkId>()]
  for (const { node, version } of pagedVersions(store)) {
    if (version.content.kind !== 'file') continue
    const to = inTrash.has(node) ? own : others
    for (const id of await idsOf(dataset, chunks, version.content.manifest)) to.add(id)
    signal.throwIfAborted()
  }
  let freedBytes = 0
  for (const id of own) if (!others.has(id) && chunks.has(id)) freedBytes += (await chunks.get(id))?.bytes.length ?? 0
  return { entries: removed.length, bytes: removed.reduce((sum, { bytes }) => sum + bytes, 0), freedBytes }
}
