import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { ChunkId } from '../chunk-id.ts'
import type { BucketContents } from './bucket-contents.ts'
import type { BucketSeal } from './bucket-seal.ts'
import type { ObjectStore } from './object-store.ts'

export interface BucketTidyParts {
  readonly objects: ObjectStore
  readonly seal: BucketSeal
  readonly contents: BucketContents
  readonly clock: Clock
  readonly logger: Logger
  /** Which of these does the pack give back that is to hold them from now on, lately or now? Never rejects. */
  readonly proveThere: (ids: ReadonlySet<ChunkId>) => Promise<ReadonlySet<ChunkId>>
  /** Others have the loop. Rejects when it is time to stop. */
  readonly pause: () => Promise<void>
}

/** A pack that is marked to go stays as long, for devices that read it meanwhile. */
export const GRACE_MS = 60 * 60_000
/** A pack of which less than this is wanted is written anew. */
const WANTED_SHARE = 0.75

/**
 * Packs that nothing of is wanted go, an hour after they were marked; those of which little is are written anew first (rule BK7).
 * What is wanted of one that goes is read back from where it lies else, within a day: that may be a pack that nobody read since it rotted.
 * @param live  all that is wanted
 * @param startedMs  when the pass began that found out
 * @returns whether something is to be put elsewhere now
 */
export async function tidyBucket(
  { objects, seal, contents, clock, logger, proveThere, pause }: BucketTidyParts,
  live: ReadonlySet<ChunkId>,
  startedMs: number,
): Promise<boolean> {
  for (const [name, sinceMs] of [...contents.marks]) {
    if (startedMs - sinceMs < GRACE_MS) continue
    const wanted = new Set(contents.packs.get(name)?.chunks.flatMap(({ id }) => (live.has(id) ? [id] : [])))
    const isNeeded = () => [...wanted].some((id) => !contents.holds(id))
    if (isNeeded()) continue
    const proven = wanted.size > 0 ? await proveThere(wanted) : wanted
    if (proven.size < wanted.size || isNeeded() || contents.marks.get(name) !== sinceMs) continue
    logger.info('a pack that nothing names is removed from the bucket', { pack: name.slice(0, 12) })
    for (const kind of ['p', 'i', 'd'] as const) await objects.remove(seal.at(kind, name))
    contents.forget(name)
  }
  let isLeft = false
  for (const { name, chunks, bytes } of [...contents.packs.values()]) {
    if (contents.marks.has(name)) continue
    await pause()
    const isWanted = ({ id }: { readonly id: ChunkId }) => live.has(id) && contents.placeOf(id)?.pack === name
    const wanted = chunks.reduce((sum, chunk) => sum + (isWanted(chunk) ? chunk.bytes : 0), 0)
    if (wanted >= bytes * WANTED_SHARE) continue
    await objects.put(seal.at('d', name), new Uint8Array(1))
    contents.mark(name, clock.nowMs())
    isLeft ||= wanted > 0
  }
  return isLeft
}
