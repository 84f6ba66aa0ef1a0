import { equalBytes } from '../../base/bytes.ts'
import type { BucketContents } from './bucket-contents.ts'
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
  /** Any number below `count`. */
  readonly pick: (count: number) => number
  /** Throws when it is time to stop. */
  readonly check: () => void
}

/** Packs of others that are read for the first time with one pass. */
const READ_AT_ONCE = 50

/** Packs and their indexes count when their bytes came back (rules BK6, BK8). */
export class BucketReadBack {
  readonly #parts: BucketReadBackParts

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

  /** Does it give the bytes of a pack back? @throws BucketError */
  async isGood(name: string, chunks: readonly PackedChunk[]): Promise<boolean> {
    const { peer, pick, check } = this.#parts
    const at = pick(chunks.length)
    const chunk = chunks[at]
    const offset = chunks.slice(0, at).reduce((sum, { bytes }) => sum + bytes, 0)
    const read = chunk && (await peer.read({ ...chunk, pack: name, offset }))
    check()
    return !chunk || read !== undefined
  }

  /** Packs of others count when one chunk of each was read back here, too. @returns whether some are left @throws BucketError */
  async readOthers(): Promise<boolean> {
    const { packs, marks, isRead } = this.#known()
    const unread = [...packs.keys()].filter((name) => !marks.has(name) && !isRead(name))
    for (const name of unread.slice(0, READ_AT_ONCE)) await this.#read(name)
    return unread.length > READ_AT_ONCE
  }

  /** One more, whichever. @throws BucketError */
  async spotCheck(): Promise<void> {
    const { packs, marks } = this.#known()
    const names = [...packs.keys()].filter((name) => !marks.has(name))
    const name = names[this.#parts.pick(names.length)]
    if (name) await this.#read(name)
  }

  #known() {
    const { contents } = this.#parts
    return { packs: contents.packs, marks: contents.marks, isRead: (name: string) => contents.isRead(name) }
  }

  async #read(name: string): Promise<void> {
    const { contents, without } = this.#parts
    const chunks = contents.packs.get(name)?.chunks ?? []
    if (without !== 'read-back' && !(await this.#isIndexThere(name, chunks))) await this.putIndex(name, chunks)
    if (!(await this.isGood(name, chunks))) throw wrongBytes()
    contents.read(name)
  }

  async #isIndexThere(name: string, chunks: readonly PackedChunk[]): Promise<boolean> {
    const { objects, seal, check } = this.#parts
    const sealed = await objects.get(seal.at('i', name), 0, MAX_INDEX_BYTES)
    check()
    try {
      return sealed !== undefined && equalBytes(seal.open('i', name, sealed), encodeIndex(chunks))
    } catch {
      return false
    }
  }
}

export const wrongBytes = () => new BucketError('bucket/wrong-bytes', 'the bucket gave other bytes than were put there; they are put again')
