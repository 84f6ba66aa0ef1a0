import type { ChunkId } from './chunk-id.ts'
import { idsOf } from './keep-cache.ts'
import type { OpenDataset } from './open-dataset.ts'
import { pagedVersions } from './paged-versions.ts'

/** Versions and chunks looked at before others have the loop, each some microseconds. */
const AT_ONCE = 500
const PAUSE_MS = 1

/**
 * What is in the trash, and the bytes of it on this device that nothing else names: what emptying it gives back here, once every
 * device has heard of it (rule GC1).
 */
export async function trashSize(open: OpenDataset, signal: AbortSignal): Promise<{ entries: number; bytes: number; freedBytes: number }> {
  const { dataset, store, chunks, clock } = open
  const removed = dataset.removed().map(({ node }) => node)
  const inTrash = new Set(removed.map(({ id }) => id))
  let looked = 0
  const inPieces = async () => {
    if (++looked % AT_ONCE !== 0) return
    await new Promise<void>((resolve) => clock.after(PAUSE_MS, resolve))
    signal.throwIfAborted()
  }
  const [own, others] = [new Set<ChunkId>(), new Set<ChunkId>()]
  for (const { node, version } of pagedVersions(store)) {
    if (version.content.kind !== 'file') continue
    const to = inTrash.has(node) ? own : others
    for (const id of (await idsOf(dataset, version.content.manifest)).ids) to.add(id)
    await inPieces()
  }
  let freedBytes = 0
  for (const id of own) {
    if (!others.has(id)) freedBytes += chunks.bytesOf(id)
    await inPieces()
  }
  return { entries: removed.length, bytes: removed.reduce((sum, { bytes }) => sum + bytes, 0), freedBytes }
}
