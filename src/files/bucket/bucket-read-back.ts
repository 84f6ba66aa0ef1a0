import { equalBytes } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { ChunkId } from '../chunk-id.ts'
import type { BucketContents } from './bucket-contents.ts'
import type { ChunkPlace } from './chunk-places.ts'
import { type DayStamp, isWithinDay, stampOf } from './day-stamp.ts'
import { BucketError } from './bucket-error.ts'
import type { BucketPeer } from './bucket-peer.ts'
import type { BucketSeal } from './bucket-seal.ts'
import type { BucketSizes } from './bucket-upload.ts'
import type { ObjectStore } from './object-store.ts'
import { encodeIndex, MAX_INDEX_BYTES, type PackedChunk } from './pack-index.ts'

export interface BucketReadBackParts extends Pick<BucketSizes, 'without'> {
  readonly objects: ObjectStore
  readonly seal: BucketSeal
  readonly contents: BucketContents
  readonly peer: BucketPeer
  readonly clock: Clock
  /** Any number below `count`. */
  readonly pick: (count: number) => number
  /** Throws when it is time to stop. */
  readonly check: () => void
}

/** Packs of others that are read with one pass: half a GiB at most. */
const READ_AT_ONCE = 8

/** Packs and their indexes count when their bytes came back (rules BK6, BK8). */
export class BucketReadBack {
  readonly #parts: BucketReadBackParts
  /** When the index of a pack was read. */
  readonly #indexes = new Map<string, DayStamp>()

  constructor(parts: BucketReadBackParts) {
    this.#parts = parts
  }

  /** Without its index a pack is nothing to others: it is read back. @throws BucketError */
  async putIndex(name: string, chunks: readonly PackedChunk[]): Promise<void> {
    const { objects, seal, contents, check } = this.#parts
    contents.unread(name)
    await objects.put(seal.at('i', name), seal.seal('i', name, encodeIndex(chunks)))
    check()
    if (this.#parts.without === 'read-back' || (await this.#isIndexThere(name, chunks))) return
    throw new BucketError('bucket/wrong-bytes', 'the bucket gave another index than was put there; it is put again')
  }

  /** Does it give all of a pack back? @throws BucketError */
  async isGood(name: string, chunks: readonly PackedChunk[]): Promise<boolean> {
    const { peer, check } = this.#parts
    const proven = await peer.prove(placesIn(name, chunks))
    check()
    return chunks.every(({ id }) => proven.has(id))
  }

  /**
   * A pack of another device, or of before a restart that came too early, counts when all of it was read back here. Only those are
   * read that hold what this device wrote and nothing else holds that counts. @returns whether some are left @throws BucketError
   */
  async readOthers(own: ReadonlySet<ChunkId>): Promise<boolean> {
    const { contents } = this.#parts
    const unread = new Set<string>()
    for (const id of own) {
      const place = contents.placeOf(id)
      if (place && !contents.counts(id) && !contents.marks.has(place.pack)) unread.add(place.pack)
    }
    for (const name of [...unread].slice(0, READ_AT_ONCE)) {
      const chunks = await this.#index(name)
      if (!(await this.isGood(name, chunks))) throw wrongBytes()
      contents.read(name)
    }
    return unread.size > READ_AT_ONCE
  }

  /** One chunk of one more, whichever. @throws BucketError */
  async spotCheck(): Promise<void> {
    const { contents, peer, pick, check } = this.#parts
    const names = [...contents.packs.keys()].filter((name) => !contents.marks.has(name))
    const name = names[pick(names.length)]
    if (!name) return
    const places = placesIn(name, await this.#index(name))
    const place = places[pick(places.length)]
    const read = place && (await peer.read(place))
    check()
    if (place && !read) throw wrongBytes()
  }

  /** Is its index there? It is read unless it was within a day, and put again when it is not. @throws BucketError */
  async proveIndex(name: string, signal?: AbortSignal): Promise<void> {
    if (!isWithinDay(this.#parts.clock, this.#indexes.get(name))) await this.#index(name, signal)
  }

  /** What lies in a pack; the bucket says so, too. */
  async #index(name: string, signal?: AbortSignal): Promise<readonly PackedChunk[]> {
    const { contents, without } = this.#parts
    const chunks = contents.packs.get(name)?.chunks ?? []
    const isRead = contents.isRead(name)
    if (without !== 'read-back' && !(await this.#isIndexThere(name, chunks, signal))) {
      await this.putIndex(name, chunks)
      if (isRead) contents.read(name)
    }
    return chunks
  }

  async #isIndexThere(name: string, chunks: readonly PackedChunk[], signal?: AbortSignal): Promise<boolean> {
    const { objects, seal, check, clock, contents } = this.#parts
    const sealed = await objects.get(seal.at('i', name), 0, MAX_INDEX_BYTES, signal)
    check()
    try {
      if (!sealed || !equalBytes(seal.open('i', name, sealed), encodeIndex(chunks))) return false
      if (this.#indexes.size > 2 * contents.packs.size + 10) this.#indexes.clear() // of packs that went
      this.#indexes.set(name, stampOf(clock))
      return true
    } catch {
      return false
    }
  }
}

function placesIn(pack: string, chunks: readonly PackedChunk[]): ChunkPlace[] {
  let offset = 0
  return chunks.map((chunk) => {
    const place = { ...chunk, pack, offset }
    offset += chunk.bytes
    return place
  })
}

export const wrongBytes = () => new BucketError('bucket/wrong-bytes', 'the bucket gave other bytes than were put there; they are put again')
