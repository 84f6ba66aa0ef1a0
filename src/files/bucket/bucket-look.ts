import type { Clock } from '../../base/clock.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { type BucketContents, NOT_TOLD } from './bucket-contents.ts'
import { BucketError } from './bucket-error.ts'
import { type DayStamp, stampOf } from './day-stamp.ts'
import type { BucketReadBack } from './bucket-read-back.ts'
import { type BucketSeal, type ObjectKind, sealedBytes } from './bucket-seal.ts'
import type { BucketSegments } from './bucket-segments.ts'
import { GRACE_MS } from './bucket-tidy.ts'
import type { BucketUpload } from './bucket-upload.ts'
import type { ObjectStore } from './object-store.ts'
import { decodeIndex, ENTRY_BYTES, MAX_INDEX_BYTES } from './pack-index.ts'

type Listed = Readonly<Record<ObjectKind, ReadonlyMap<string, number>>>

export interface BucketLookParts {
  readonly objects: ObjectStore
  readonly seal: BucketSeal
  readonly contents: BucketContents
  readonly segments: BucketSegments
  readonly upload: BucketUpload
  readonly readBack: BucketReadBack
  readonly clock: Clock
  readonly logger: Logger
  /** Throws when it is time to stop. */
  readonly check: () => void
  /** Others have the loop. Rejects when it is time to stop. */
  readonly pause: () => Promise<void>
}

/** Lists all that lies in a bucket, against what was known: what is missing is forgotten, and what is new is taken in (BK6-BK8). */
export class BucketLook {
  readonly #parts: BucketLookParts
  /** Since when packs lie there without an index. */
  readonly #orphans = new Map<string, number>()
  readonly #wrongIndexes = new Set<string>()

  constructor(parts: BucketLookParts) {
    this.#parts = parts
  }

  /** Packs whose index could not be opened: what is in them is not known here. */
  get wrong(): number {
    return this.#wrongIndexes.size
  }

  /** @returns when it was listed @throws BucketError */
  async run(): Promise<DayStamp> {
    const { contents, segments, clock } = this.#parts
    const seen = stampOf(clock)
    const listed = this.#listed(await this.#list())
    this.#forget(listed)
    this.#noteMarks(listed)
    await this.#readIndexes(listed)
    for (const { name, chunks } of contents.packs.values())
      if (listed.i.get(name) !== sealedBytes(ENTRY_BYTES * chunks.length)) await this.#parts.readBack.putIndex(name, chunks)
    this.#markOrphans(listed, seen.atMs)
    segments.look(listed.s)
    return seen
  }

  #forget(listed: Listed): void {
    const { contents, logger } = this.#parts
    for (const [name, bytes] of [...contents.packs].map(([name, pack]) => [name, pack.bytes] as const)) {
      if (listed.p.get(name) === bytes) continue
      logger.warn('a pack is missing in the bucket, or is of another length: its chunks are put again', { pack: name.slice(0, 12) })
      contents.dropPack(name)
    }
    for (const name of [...contents.distrusted]) if (!listed.p.has(name)) contents.forget(name)
  }

  #noteMarks(listed: Listed): void {
    const { contents, clock } = this.#parts
    for (const name of [...contents.marks.keys()]) {
      if (listed.d.has(name)) continue
      if (contents.distrusted.has(name) || this.#isOrphan(listed, name)) contents.untell(name)
      else contents.unmark(name)
    }
    for (const name of listed.d.keys()) contents.mark(name, clock.nowMs())
  }

  async #readIndexes(listed: Listed): Promise<void> {
    const { objects, seal, contents, logger, check, pause } = this.#parts
    this.#wrongIndexes.clear()
    for (const name of listed.i.keys()) {
      if (contents.packs.has(name) || !listed.p.has(name)) continue
      const sealed = await objects.get(seal.at('i', name), 0, MAX_INDEX_BYTES)
      check()
      try {
        if (!sealed || sealed.length !== listed.i.get(name))
          throw new BucketError('bucket/wrong-bytes', 'an index of another length than was listed')
        const chunks = decodeIndex(seal.open('i', name, sealed))
        const bytes = chunks.reduce((sum, chunk) => sum + chunk.bytes, 0)
        if (bytes === listed.p.get(name)) contents.addPack(name, chunks)
      } catch (error) {
        this.#wrongIndexes.add(name)
        logger.warn('an index in the bucket cannot be used', { error: errorMessage(error) })
      }
      await pause()
    }
  }

  #markOrphans(listed: Listed, atMs: number): void {
    const { contents, upload } = this.#parts
    for (const name of this.#orphans.keys()) if (!this.#isOrphan(listed, name)) this.#orphans.delete(name)
    for (const name of listed.p.keys()) {
      if (!this.#isOrphan(listed, name) || upload.isRunning(name)) continue
      const sinceMs = this.#orphans.get(name) ?? atMs
      this.#orphans.set(name, sinceMs)
      if (atMs - sinceMs >= GRACE_MS) contents.mark(name, NOT_TOLD)
    }
  }

  /** Chunks without an index: of an upload that was cut, or of one that is about to get its index. */
  #isOrphan(listed: Listed, name: string): boolean {
    return listed.p.has(name) && !listed.i.has(name) && !this.#parts.contents.packs.has(name)
  }

  /** A bucket that is gone holds nothing. */
  async #list(): Promise<ReadonlyMap<string, number>> {
    const { objects, seal, check } = this.#parts
    try {
      return await objects.list(seal.folder)
    } catch (error) {
      if (errorCode(error) === 'bucket/not-found') return new Map()
      throw error
    } finally {
      check()
    }
  }

  #listed(keys: ReadonlyMap<string, number>): Listed {
    const [p, i, s, d] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>(), new Map<string, number>()]
    const listed = { p, i, s, d }
    for (const [key, bytes] of keys) {
      const found = this.#parts.seal.parse(key)
      if (found) listed[found.kind].set(found.name, bytes)
    }
    return listed
  }
}
