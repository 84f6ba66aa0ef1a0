import type { Acknowledgements, Frontier } from './acknowledgements.ts'
import type { ChunkId } from './chunk-id.ts'
import type { Dataset } from './dataset.ts'
import type { DatasetStore } from './dataset-store.ts'
import type { DroppedBatch, DroppedVersions } from './dropped-versions.ts'
import { idsOf } from './keep-cache.ts'
import type { Manifest } from './manifest.ts'
import type { OpId } from './op.ts'
import { pagedVersions } from './paged-versions.ts'
import type { ReplicationBook } from './replication-book.ts'

export interface ReleaseParts {
  readonly dataset: Dataset
  readonly store: DatasetStore
  readonly dropped: DroppedVersions
  readonly book: ReplicationBook
  readonly acknowledgements: Acknowledgements
  /** How far each log is held, with all that is written here. @throws StoreError */
  frontier(): Frontier
}

/**
 * Lets go of what was dropped from history and every other device has seen go (rule GC2). What this device had to keep of it, and a
 * version names that it still has to fetch (rule GC5), stays: whoever wrote that one may never have had those bytes.
 * @returns how many versions went
 */
export async function releaseDropped(parts: ReleaseParts): Promise<number> {
  const { dataset, store, dropped, book, acknowledgements, frontier } = parts
  let isNews = true
  const watching = dataset.onDidChange(() => (isNews = true))
  let count = 0
  try {
    let owed: Named | undefined
    for (const [key, batch] of dropped.batches) {
      if (!acknowledgements.isPast(batch.frontier, frontier())) continue
      let left: DroppedBatch['versions'] = []
      for (let again = true; again; again = isNews) {
        if (isNews || !owed) {
          isNews = false
          owed = await namedByOwed(parts)
        }
        left = await stillNamed(parts, batch, owed)
      }
      const stays = new Set(left.map(({ op }) => op))
      store.transaction(() => {
        for (const { op } of batch.versions) if (!stays.has(op)) book.release(op)
        if (left.length === 0) dropped.remove(key)
        else dropped.put(key, { ...batch, versions: left })
      })
      count += batch.versions.length - left.length
    }
  } finally {
    watching.dispose()
  }
  return count
}

interface Named {
  readonly ids: ReadonlySet<ChunkId>
  /** Some of its lists are not here yet: it may name anything. */
  readonly isWhole: boolean
}

async function namedByOwed({ dataset, store, book }: ReleaseParts): Promise<Named> {
  const ids = new Set<ChunkId>()
  let isWhole = true
  if (book.owed.length === 0) return { ids, isWhole }
  for (const { version } of pagedVersions(store)) {
    if (version.content.kind !== 'file' || !book.isOwed(version.op)) continue
    const named = await idsOf(dataset, version.content.manifest)
    for (const id of named.ids) ids.add(id)
    isWhole &&= named.isWhole
  }
  return { ids, isWhole }
}

async function stillNamed({ dataset, book }: ReleaseParts, { versions }: DroppedBatch, owed: Named): Promise<DroppedBatch['versions']> {
  if (owed.isWhole && owed.ids.size === 0) return []
  const left: { op: OpId; manifest: Manifest }[] = []
  for (const { op, manifest } of versions) {
    if (!book.mustKeep(op)) continue
    if (!owed.isWhole) left.push({ op, manifest })
    else {
      const ids = (await idsOf(dataset, manifest)).ids.filter((id) => owed.ids.has(id))
      if (ids.length > 0) left.push({ op, manifest: bare(ids) })
    }
  }
  return left
}

/** Nobody reads it any more: it only says which chunks stay. */
const bare = (ids: readonly ChunkId[]): Manifest => ({ bytes: ids.length, depth: 0, pieces: ids.map((id) => ({ id, length: 1 })) })
