import { concatBytes } from '../base/bytes.ts'
import type { ChunkCipher } from './chunk-cipher.ts'
import type { ChunkId, SealedChunk } from './chunk-id.ts'
import type { ChunkStore } from './chunk-store.ts'
import { ContentError } from './content-error.ts'
import { bytesOf, decodePieces, malformed, type Manifest, type Piece } from './manifest.ts'

/** Gets chunks that are not here: from linked devices, best first. */
export interface ChunkSource {
  /** Undefined: no device that is linked now has it. What it gives has not been opened yet. */
  fetch(id: ChunkId, signal?: AbortSignal): Promise<SealedChunk | undefined>
}

/** A list of pieces longer than this is not ours: 32 million chunks are 2 TB. */
const MAX_PIECES = 2 ** 25
/** Lists kept in memory, for reading one file piece by piece. */
const KEPT_LISTS = 32
/** Plain chunks kept: a reader asks for 128 KiB at a time, of chunks of 64 KiB on average. */
const KEPT_CHUNKS = 48
/** Fetched before a sequential reader asks: what a path of 80 ms and 25 MB/s holds. */
const AHEAD_BYTES = 2 * 1024 * 1024

/**
 * Reads content: chunks from the store, else from the source; each is opened (which authenticates it), checked against its id
 * and kept in the store (flow C). What is damaged in the store is fetched again.
 */
export class ContentReader {
  readonly #store: ChunkStore
  readonly #cipher: ChunkCipher
  readonly #source: ChunkSource | undefined
  readonly #lists = new Map<string, readonly Piece[]>()
  readonly #plain = new Map<ChunkId, Uint8Array>()
  /** Where the last read of a content ended, by its first chunk. */
  readonly #ends = new Map<ChunkId, number>()
  readonly #fetching = new Map<ChunkId, Promise<Uint8Array>>()

  constructor(store: ChunkStore, cipher: ChunkCipher, source?: ChunkSource) {
    this.#store = store
    this.#cipher = cipher
    this.#source = source
  }

  /** The pieces of a content in order. @throws ContentError `chunk/unavailable`, `content/malformed` */
  async pieces(manifest: Manifest, signal?: AbortSignal): Promise<readonly Piece[]> {
    if (manifest.depth === 0) return manifest.pieces
    const name = manifest.pieces.map(({ id }) => id).join()
    const kept = this.#lists.get(name)
    if (kept) return kept
    let pieces = manifest.pieces
    for (let depth = manifest.depth; depth > 0; depth--) {
      if (bytesOf(pieces) > MAX_PIECES * 40) throw malformed('a list of pieces')
      const parts: Uint8Array[] = []
      for (const { id, length } of pieces) {
        if (id === undefined) throw malformed('a list of pieces')
        const part = await this.chunk(id, signal)
        if (part.length !== length) throw malformed('a list of pieces')
        parts.push(part)
      }
      pieces = decodePieces(concatBytes(...parts))
    }
    if (bytesOf(pieces) !== manifest.bytes) throw malformed('a list of pieces')
    this.#lists.set(name, pieces)
    if (this.#lists.size > KEPT_LISTS) this.#lists.delete(this.#lists.keys().next().value as string)
    return pieces
  }

  /** Bytes from `offset`, at most `length`, fewer at the end. @throws ContentError */
  async read(manifest: Manifest, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const end = Math.min(manifest.bytes, offset + length)
    if (end <= offset) return new Uint8Array(0)
    const pieces = await this.pieces(manifest, signal)
    const whole = new Uint8Array(end - offset)
    const wanted: { piece: Piece; start: number }[] = []
    let start = 0
    for (const piece of pieces) {
      if (start >= end) break
      if (start + piece.length > offset && piece.id !== undefined) wanted.push({ piece, start })
      start += piece.length
    }
    this.#readAhead(pieces, offset, end)
    await Promise.all(
      wanted.map(async ({ piece, start }) => {
        const plain = await this.chunk(piece.id as ChunkId, signal)
        if (plain.length !== piece.length) throw malformed('a chunk of another length')
        const from = Math.max(offset, start)
        const to = Math.min(end, start + piece.length)
        whole.set(plain.subarray(from - start, to - start), from - offset)
      }),
    )
    return whole
  }

  /** A sealed chunk, opened and checked. @throws ContentError `chunk/no-key`, `chunk/damaged` */
  open(chunk: SealedChunk): Uint8Array {
    return this.#cipher.open(chunk)
  }

  /** Has a chunk here, checked. @throws ContentError `chunk/unavailable`, `chunk/damaged`, `chunk/no-key` */
  async ensure(id: ChunkId, signal?: AbortSignal): Promise<void> {
    if (this.#store.has(id)) return
    const fetched = await this.#source?.fetch(id, signal)
    if (!fetched) throw ContentError.unavailable(id)
    this.#cipher.open(fetched)
    await this.#store.put(fetched)
  }

  /** Every id that the lists of a content name, the lists of lists among them. */
  async listed(manifest: Manifest, signal?: AbortSignal): Promise<ChunkId[]> {
    const ids: ChunkId[] = []
    let pieces = manifest.pieces
    for (let depth = manifest.depth; depth > 0; depth--) {
      const parts: Uint8Array[] = []
      for (const { id } of pieces) if (id !== undefined) parts.push(await this.chunk(id, signal))
      pieces = decodePieces(concatBytes(...parts))
      for (const { id } of pieces) if (id !== undefined) ids.push(id)
    }
    return ids
  }

  /** One chunk in plain; not to be changed. @throws ContentError `chunk/unavailable`, `chunk/no-key` */
  chunk(id: ChunkId, signal?: AbortSignal): Promise<Uint8Array> {
    const kept = this.#plain.get(id)
    if (kept) return Promise.resolve(kept)
    let fetching = this.#fetching.get(id)
    if (!fetching) {
      fetching = this.#load(id, signal).finally(() => this.#fetching.delete(id))
      this.#fetching.set(id, fetching)
    }
    return fetching
  }

  /** Whoever reads on where it stopped gets the next pieces before it asks. */
  #readAhead(pieces: readonly Piece[], offset: number, end: number): void {
    const name = pieces[0]?.id
    if (!this.#source || name === undefined) return
    const isOn = this.#ends.get(name) === offset
    this.#ends.set(name, end)
    if (this.#ends.size > KEPT_LISTS) this.#ends.delete(this.#ends.keys().next().value as ChunkId)
    if (!isOn) return
    let start = 0
    for (const { id, length } of pieces) {
      if (start >= end + AHEAD_BYTES) return
      if (start >= end && id !== undefined && !this.#store.has(id) && !this.#fetching.has(id)) this.chunk(id).catch(() => {}) // its reader hears why
      start += length
    }
  }

  async #load(id: ChunkId, signal?: AbortSignal): Promise<Uint8Array> {
    const held = await this.#store.get(id)
    if (held) {
      try {
        return this.#keep(id, this.#cipher.open(held))
      } catch (error) {
        if (!(error instanceof ContentError) || error.code !== 'chunk/damaged') throw error
        await this.#store.drop([id])
      }
    }
    const fetched = await this.#source?.fetch(id, signal)
    if (!fetched) throw ContentError.unavailable(id)
    const plain = this.#cipher.open(fetched)
    await this.#store.put(fetched)
    return this.#keep(id, plain)
  }

  #keep(id: ChunkId, plain: Uint8Array): Uint8Array {
    this.#plain.set(id, plain)
    if (this.#plain.size > KEPT_CHUNKS) this.#plain.delete(this.#plain.keys().next().value as ChunkId)
    return plain
  }
}
