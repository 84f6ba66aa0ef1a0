import type { ContentChange, Extent } from './content-writer.ts'
import { MAX_FILE_BYTES, type Manifest } from './manifest.ts'
import { type BlockPool, StagedExtents } from './staged-extents.ts'
import { TreeError } from './tree-error.ts'

/** Where the content of a staged file goes and comes from. */
export interface StagedContents {
  /** Stores new content as a change of another one; nobody's version yet. @throws ContentError */
  change(base: Manifest, change: ContentChange): Promise<Manifest>
  /** The same at once, for little that is new as a whole; undefined: it cannot be. @throws ContentError */
  changeNow(change: ContentChange): Manifest | undefined
  read(manifest: Manifest, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>
}

/** New bytes kept in memory before they are stored in chunks: as much again may come while they are. */
export const FOLD_BYTES = 32 * 1024 * 1024

/**
 * A file that is being written: a stored content, and over it what was written since. Writing waits for the disk only when
 * more was written than memory should hold, and never for the network, unless only a part of a chunk that is elsewhere was
 * written over.
 */
export class StagedFile {
  readonly #contents: StagedContents
  #base: Manifest
  /** Bytes of the base that still count: a file that was cut and grew again has zeros there. */
  #baseBytes: number
  readonly #pool: BlockPool | undefined
  #fresh: StagedExtents
  /** What is being stored; its bytes still count up to `#foldingBytes`. */
  #folding: StagedExtents | undefined
  #foldingBytes = 0
  #fold: Promise<void> | undefined
  #bytes: number

  constructor(contents: StagedContents, base: Manifest, pool?: BlockPool) {
    this.#contents = contents
    this.#pool = pool
    this.#fresh = new StagedExtents(pool)
    this.#base = base
    this.#bytes = base.bytes
    this.#baseBytes = base.bytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The content as it was last stored: all of it when nothing is fresh. */
  get manifest(): Manifest {
    return this.#base
  }

  get isStored(): boolean {
    return !this.#folding && this.#fresh.isEmpty && this.#bytes === this.#base.bytes && this.#baseBytes === this.#base.bytes
  }

  /** A promise only when memory is full. */
  write(offset: number, bytes: Uint8Array): void | Promise<void> {
    if (offset + bytes.length > MAX_FILE_BYTES) throw new TreeError('tree/too-large')
    this.#fresh.write(offset, bytes)
    this.#bytes = Math.max(this.#bytes, offset + bytes.length)
    if (this.#fresh.memoryBytes < FOLD_BYTES) return
    const isFull = this.#fold !== undefined
    const stored = this.store()
    // Nobody waits for this one; who closes the file hears of a full disk.
    stored.catch(() => {})
    if (isFull) return stored
  }

  resize(bytes: number): void {
    if (bytes > MAX_FILE_BYTES) throw new TreeError('tree/too-large')
    if (bytes < this.#bytes) {
      this.#fresh.cut(bytes)
      this.#foldingBytes = Math.min(this.#foldingBytes, bytes)
      this.#baseBytes = Math.min(this.#baseBytes, bytes)
    }
    this.#bytes = bytes
  }

  zero(offset: number, length: number): void {
    const end = Math.min(offset + length, this.#bytes)
    if (end > offset) this.#fresh.zero(offset, end - offset)
  }

  read(offset: number, length: number, signal?: AbortSignal): Uint8Array | Promise<Uint8Array> {
    const end = Math.min(this.#bytes, offset + length)
    if (end <= offset) return new Uint8Array(0)
    const out = new Uint8Array(end - offset)
    let gaps = this.#fresh.readInto(out, offset)
    if (this.#folding) gaps = this.#readFolding(this.#folding, out, offset, gaps)
    const old = gaps.filter((gap) => gap.offset < this.#baseBytes)
    if (old.length === 0) return out
    const [base, baseBytes] = [this.#base, this.#baseBytes]
    return Promise.all(
      old.map(async (gap) => {
        const part = await this.#contents.read(base, gap.offset, Math.min(gap.length, baseBytes - gap.offset), signal)
        out.set(part, gap.offset - offset)
      }),
    ).then(() => out)
  }

  /** Stores everything that was written before. @throws ContentError; what was written stays here */
  async store(): Promise<void> {
    while (this.#fold) await this.#fold
    if (this.isStored) return
    this.#fold = this.#store().finally(() => (this.#fold = undefined))
    await this.#fold
  }

  /** As `store`, at once where it can be: a small file, all of it new. False: it cannot. @throws ContentError; nothing changes then */
  storeNow(): boolean {
    if (this.isStored) return true
    if (this.#fold) return false
    const fresh = this.#fresh
    const read = (offset: number, length: number): Uint8Array => {
      const view = fresh.view(offset, length)
      if (view) return view
      const out = new Uint8Array(length)
      fresh.readInto(out, offset)
      return out
    }
    const manifest = this.#contents.changeNow({ bytes: this.#bytes, extents: fresh.extents(), read })
    if (!manifest) return false
    this.#base = manifest
    this.#baseBytes = manifest.bytes
    this.#fresh = new StagedExtents(this.#pool)
    return true
  }

  async #store(): Promise<void> {
    const folding = this.#fresh
    const [base, baseBytes, bytes] = [this.#base, this.#baseBytes, this.#bytes]
    this.#fresh = new StagedExtents(this.#pool)
    this.#folding = folding
    this.#foldingBytes = bytes
    const extents = [...folding.extents()]
    // What was cut off and grew again is zeros, whatever the base has there.
    const cutEnd = Math.min(base.bytes, bytes)
    if (baseBytes < cutEnd) extents.push({ offset: baseBytes, length: cutEnd - baseBytes })
    let buffer = new Uint8Array(0)
    const read = async (offset: number, length: number): Promise<Uint8Array> => {
      if (buffer.length < length) buffer = new Uint8Array(length)
      const out = buffer.subarray(0, length)
      const gaps = folding.readInto(out, offset)
      for (const gap of gaps) out.fill(0, gap.offset - offset, gap.offset - offset + gap.length)
      const kept = gaps.filter((gap) => gap.offset < baseBytes)
      for (const gap of kept)
        out.set(await this.#contents.read(base, gap.offset, Math.min(gap.length, baseBytes - gap.offset)), gap.offset - offset)
      return out
    }
    try {
      this.#base = await this.#contents.change(base, { bytes, extents, read })
      this.#baseBytes = Math.min(this.#base.bytes, this.#foldingBytes)
      folding.release()
    } catch (error) {
      folding.cut(this.#foldingBytes)
      folding.cover(this.#fresh)
      this.#fresh = folding
      throw error
    } finally {
      this.#folding = undefined
    }
  }

  #readFolding(folding: StagedExtents, out: Uint8Array, offset: number, gaps: readonly Extent[]): Extent[] {
    return gaps.flatMap((gap) => {
      const length = Math.min(gap.length, this.#foldingBytes - gap.offset)
      const at = gap.offset - offset
      if (length <= 0) return [gap]
      const within = folding.readInto(out.subarray(at, at + length), gap.offset)
      return length < gap.length ? [...within, { offset: gap.offset + length, length: gap.length - length }] : within
    })
  }
}
