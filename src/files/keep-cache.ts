import type { ChunkId } from './chunk-id.ts'
import type { ChunkStore } from './chunk-store.ts'
import { ContentError } from './content-error.ts'
import type { Dataset } from './dataset.ts'
import type { DroppedVersions } from './dropped-versions.ts'
import type { DatasetStore } from './dataset-store.ts'
import type { Manifest } from './manifest.ts'
import { pagedVersions } from './paged-versions.ts'
import type { Pins } from './pins.ts'
import type { ReplicationBook } from './replication-book.ts'

export interface CacheParts {
  readonly dataset: Dataset
  readonly store: DatasetStore
  readonly dropped: DroppedVersions
  readonly chunks: ChunkStore
  readonly book: ReplicationBook
  readonly pins: Pick<Pins, 'contents'>
  readonly limitBytes: number
}

/** Freed beyond what is needed, so that not every write evicts: a twentieth of the limit. */
const SLACK = 20

/** The ids of a content that can be named without asking anybody: its own, and those in its lists as far as they are here; `isWhole`: that is all. */
export async function idsOf(
  dataset: Dataset,
  manifest: Manifest,
): Promise<{ readonly ids: readonly ChunkId[]; readonly isWhole: boolean }> {
  const own = manifest.pieces.flatMap(({ id }) => (id === undefined ? [] : [id]))
  if (manifest.depth === 0) return { ids: own, isWhole: true }
  const { ids, isWhole } = await dataset.reader.listedHere(manifest)
  return { ids: [...own, ...ids], isWhole }
}

/**
 * Keeps the chunks within the limit (rule RP4): what this device alone may hold, and what it has signed for and must keep, and
 * what is being written, stays; the rest goes oldest first. Nobody is asked for anything while it looks.
 * @returns whether `bytes` more fit
 * @throws ContentError `chunk/unavailable`: the list of a content that this device must keep is damaged; nothing went, and it is asked for
 */
export async function makeRoom({ dataset, store, dropped, chunks, book, pins, limitBytes }: CacheParts, bytes: number): Promise<boolean> {
  const over = chunks.stats.bytes + bytes - limitBytes
  if (over <= 0) return true
  const kept = new Set<ChunkId>()
  const keep = async (manifest: Manifest, isDue = false) => {
    const { ids, isWhole } = await idsOf(dataset, manifest)
    for (const id of ids) kept.add(id)
    if (isWhole || !isDue) return
    dataset.fetch(manifest).catch(() => {}) // not waited for: the next cut finds it, or says the same
    throw new ContentError(
      'chunk/unavailable',
      'a list of the pieces of a file that is kept here is damaged; nothing is let go of before it is back',
    )
  }
  for (const { version } of pagedVersions(store))
    if (version.content.kind === 'file' && book.mustKeep(version.op)) await keep(version.content.manifest, true)
  for (const [, { versions }] of dropped.batches) for (const { op, manifest } of versions) if (book.mustKeep(op)) await keep(manifest, true)
  for (const manifest of [...dataset.contentsInUse(), ...pins.contents()]) await keep(manifest)
  await chunks.evict(over + Math.floor(limitBytes / SLACK), (id) => kept.has(id) || dataset.writer.isFresh(id))
  return chunks.stats.bytes + bytes <= limitBytes
}
