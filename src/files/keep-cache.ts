import type { ChunkId } from './chunk-id.ts'
import type { ChunkStore } from './chunk-store.ts'
import { ContentError } from './content-error.ts'
import type { Dataset } from './dataset.ts'
import type { DroppedVersions } from './dropped-versions.ts'
import type { DatasetStore } from './dataset-store.ts'
import type { OpId } from './op.ts'
import type { Manifest, Piece } from './manifest.ts'
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
  /** Instead of two minutes: the bucket is not waited for any more. */
  readonly signal?: AbortSignal | undefined
  readonly bucket: {
    /** Which of these does it give back, lately or now? */
    prove(ids: ReadonlySet<ChunkId>, signal: AbortSignal): Promise<ReadonlySet<ChunkId>>
    /** How often it was seen that something counts no more: after one more, what was proven before is not. */
    readonly losses: number
  }
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
  const ids = [...own]
  const isWhole = await dataset.reader.eachListedHere(manifest, (pieces) => addIds(ids, pieces))
  return { ids, isWhole }
}

export function addIds(ids: ChunkId[], pieces: readonly Piece[]): void {
  for (const { id } of pieces) if (id !== undefined) ids.push(id)
}

/**
 * Keeps the chunks within the limit (rule RP4): what this device alone may hold, and what it has signed for and must keep, and
 * what is being written, stays; the rest goes oldest first. What this device wrote and only a bucket has beside it goes when that
 * gave its bytes back, lately or now; nobody else is asked for anything while it looks. While a list of what a bucket has is not
 * here, it cannot be told what that names: nothing goes but what the bucket gave back, and the list is asked for.
 * @returns whether `bytes` more fit
 * @throws ContentError `chunk/unavailable`: the list of a content that this device must keep is damaged; nothing went, and it is asked for
 */
export async function makeRoom(parts: CacheParts, bytes: number): Promise<boolean> {
  const { dataset, chunks, limitBytes, signal = AbortSignal.timeout(LONGEST_MS) } = parts
  const over = () => chunks.stats.bytes + bytes - limitBytes
  for (let round = 0; round < ROUNDS && over() > 0 && !signal.aborted; round++) {
    const first = await lookThrough(parts)
    if (round === 0) bringLists(dataset, first.unread)
    const need = over() + Math.floor(limitBytes / SLACK)
    const isBound = ({ kept, relying, unread }: Looked, id: ChunkId) =>
      kept.has(id) || dataset.writer.isFresh(id) || (unread.length > 0 && !relying.has(id))
    const asked = oldestOf(chunks, need, (id) => !isBound(first, id), first.relying)
    const proven = asked.size > 0 ? await parts.bucket.prove(asked, signal) : asked
    const { losses } = parts.bucket // what was lost before, the next look sees
    const looked = asked.size > 0 ? await lookThrough(parts) : first // that took a while
    const isProven = (id: ChunkId) => proven.has(id) && parts.bucket.losses === losses // asked of each: letting go takes a while, too
    const stays = (id: ChunkId) => isBound(looked, id) || (looked.relying.has(id) && !isProven(id))
    if ((await chunks.evict(need, stays)) <= 0) break
  }
  return over() <= 0
}

/** What is evicted lies in packs: what was proven may lie elsewhere than what goes first. */
const ROUNDS = 3
/** However much is to be let go of, whoever waits for room does not wait longer for a bucket. */
const LONGEST_MS = 120_000
/** Contents whose lists are fetched with one cut, and how long each may take. */
const LISTS_AT_ONCE = 16
const LIST_MS = 60_000

interface Looked {
  readonly kept: ReadonlySet<ChunkId>
  /** Of contents that would have to stay, were it not for a bucket. */
  readonly relying: ReadonlySet<ChunkId>
  /** Of those the ones whose lists are not all here: what they name is in neither. */
  readonly unread: readonly Manifest[]
}

/** Not waited for: the next cut finds them. */
function bringLists(dataset: Dataset, unread: readonly Manifest[]): void {
  for (const manifest of unread.slice(0, LISTS_AT_ONCE))
    dataset.reader.eachListed(manifest, () => {}, AbortSignal.timeout(LIST_MS)).catch(() => {})
}

async function lookThrough({ dataset, store, dropped, book, pins }: CacheParts): Promise<Looked> {
  const kept = new Set<ChunkId>()
  const relying = new Set<ChunkId>()
  const unread: Manifest[] = []
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
  const look = async (op: OpId, manifest: Manifest) => {
    if (book.mustKeep(op)) return keep(manifest, true)
    if (!book.isHeldByBucket(op)) return
    const { ids, isWhole } = await idsOf(dataset, manifest)
    if (!isWhole) unread.push(manifest)
    if (manifest.depth === 1) for (const { id } of manifest.pieces) if (id !== undefined) kept.add(id) // they name what is to be proven
    for (const id of ids) (manifest.depth > 1 ? kept : relying).add(id)
  }
  // Not signed yet. Before all others: what is signed meanwhile is booked by then.
  for (const { body } of store.tail()) if ('content' in body && body.content.kind === 'file') await keep(body.content.manifest, true)
  for (const { version } of pagedVersions(store)) if (version.content.kind === 'file') await look(version.op, version.content.manifest)
  for (const [, { versions }] of dropped.batches) for (const { op, manifest } of versions) await look(op, manifest)
  for (const manifest of [...dataset.contentsInUse(), ...pins.contents()]) await keep(manifest)
  return { kept, relying, unread }
}

/** Of the oldest that may go and make up so many bytes, those of `relying`. */
function oldestOf(chunks: ChunkStore, bytes: number, mayGo: (id: ChunkId) => boolean, relying: ReadonlySet<ChunkId>): Set<ChunkId> {
  const oldest = new Set<ChunkId>()
  if (relying.size === 0) return oldest
  let left = bytes
  for (const id of chunks.ids()) {
    if (left <= 0) break
    if (!mayGo(id)) continue
    left -= chunks.bytesOf(id)
    if (relying.has(id)) oldest.add(id)
  }
  return oldest
}
