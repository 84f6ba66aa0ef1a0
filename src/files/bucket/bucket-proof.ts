import type { Clock } from '../../base/clock.ts'
import { errorCode } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { ChunkId } from '../chunk-id.ts'
import type { BucketBatches } from './bucket-batches.ts'
import type { BucketContents } from './bucket-contents.ts'
import type { ChunkPlace } from './chunk-places.ts'
import { type DayStamp, isWithinDay, stampOf } from './day-stamp.ts'
import type { BucketPeer } from './bucket-peer.ts'
import type { BucketReadBack } from './bucket-read-back.ts'
import type { BucketSizes } from './bucket-upload.ts'

export interface BucketProofParts extends Pick<BucketSizes, 'without'> {
  readonly contents: BucketContents
  readonly peer: BucketPeer
  readonly readBack: BucketReadBack
  readonly batches: BucketBatches
  readonly clock: Clock
  readonly logger: Logger
}

/** Remembered; the oldest go first. */
const MAX_KNOWN = 200_000

/**
 * Before this device lets go of what only a bucket has beside it, the bucket gives it back: the chunks themselves, the indexes that
 * say where they lie, and the changes that name them, each within a day (rule RP4).
 */
export class BucketProof {
  readonly #parts: BucketProofParts
  readonly #proven = new Map<ChunkId, { readonly pack: string; readonly read: DayStamp }>()

  constructor(parts: BucketProofParts) {
    this.#parts = parts
  }

  /** @returns those of them that it gave back. Never rejects. */
  async prove(ids: ReadonlySet<ChunkId>, signal: AbortSignal): Promise<ReadonlySet<ChunkId>> {
    const { contents, batches, logger, without } = this.#parts
    if (without === 'proof') return ids
    const proven = new Set<ChunkId>()
    try {
      await batches.proveAll(signal)
      for (const [pack, places] of this.#byPack(ids, (id) => contents.counts(id))) await this.#provePack(pack, places, proven, signal)
    } catch (error) {
      logger.info('the bucket does not give back all that this device would let go of; it is kept', { code: errorCode(error) })
    }
    return new Set([...proven].filter((id) => contents.counts(id)))
  }

  /**
   * Before another pack with them goes (rule BK7): those that the one gives back that is to stay, whoever put it, however long that
   * takes. Never rejects.
   */
  async proveThere(ids: ReadonlySet<ChunkId>): Promise<ReadonlySet<ChunkId>> {
    const { contents, logger, without } = this.#parts
    if (without === 'proof') return ids
    const proven = new Map<ChunkId, string>()
    try {
      for (const [pack, places] of this.#byPack(ids, (id) => contents.holds(id))) {
        const there = new Set<ChunkId>()
        await this.#provePack(pack, places, there)
        for (const id of there) proven.set(id, pack)
      }
    } catch (error) {
      logger.info('the bucket does not give back what lies in another pack, too; that one stays', { code: errorCode(error) })
    }
    return new Set([...proven].flatMap(([id, pack]) => (contents.holds(id) && contents.placeOf(id)?.pack === pack ? [id] : [])))
  }

  async #provePack(pack: string, places: readonly ChunkPlace[], proven: Set<ChunkId>, signal?: AbortSignal): Promise<void> {
    const { peer, readBack, clock } = this.#parts
    await readBack.proveIndex(pack, signal)
    const read = stampOf(clock)
    const isProven = ({ id }: ChunkPlace) => {
      const known = this.#proven.get(id)
      return known?.pack === pack && isWithinDay(clock, known.read)
    }
    for (const place of places) if (isProven(place)) proven.add(place.id)
    const unproven = places.filter((place) => !isProven(place))
    for (const id of await peer.prove(unproven, signal)) {
      proven.add(id)
      this.#proven.delete(id)
      this.#proven.set(id, { pack, read })
      if (this.#proven.size > MAX_KNOWN) this.#proven.delete(this.#proven.keys().next().value as ChunkId)
    }
  }

  #byPack(ids: ReadonlySet<ChunkId>, which: (id: ChunkId) => boolean): Map<string, ChunkPlace[]> {
    const { contents } = this.#parts
    const packs = new Map<string, ChunkPlace[]>()
    for (const id of ids) {
      const place = which(id) ? contents.placeOf(id) : undefined
      if (!place) continue
      const of = packs.get(place.pack)
      if (of) of.push(place)
      else packs.set(place.pack, [place])
    }
    return packs
  }
}
