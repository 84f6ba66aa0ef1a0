import { concatBytes } from '../base/bytes.ts'
import type { Answer } from './mounted-tree.ts'
import { PieceList } from './piece-list.ts'
import type { ChunkCipher } from './chunk-cipher.ts'
import type { ChunkId, SealedChunk } from './chunk-id.ts'
import type { ChunkStore, HeldChunk } from './chunk-store.ts'
import { ContentError } from './content-error.ts'
import { GCM_TAG_BYTES } from './files-crypto.ts'
import { MAX_STRETCH_CHUNKS, type Stretch } from './file-peer-contract.ts'
import { bytesOf, decodePieces, malformed, type Manifest, type Piece } from './manifest.ts'
import { SharedLoads } from './shared-loads.ts'

/** Gets chunks that are not here: from linked devices, best first. */
export interface ChunkSource {
  /** Undefined: no device that is linked now has it. What it gives has not been opened yet. */
  fetch(id: ChunkId, signal?: AbortSignal): Promise<SealedChunk | undefined>
  /** Says before they are fetched that these lists of pieces are wanted, and then what they say lies in a stretch of the content. */
  fetchStretch?(lists: readonly ChunkId[], stretch: Stretch, signal?: AbortSignal): void
}

/** A list of pieces longer than this is not ours: 32 million chunks are 2 TB. */
const MAX_PIECES = 2 ** 25
/** Lists are cut 4/16/64 KiB (FC7). */
const MAX_LIST_CHUNK_BYTES = 64 * 1024
/** Lists kept in memory, for reading one file piece by piece. */
const KEPT_LISTS = 32
/** Plain chunks kept in memory: twice what is read ahead, and what a reader of small pieces comes back to. */
const KEPT_BYTES = 24 * 1024 * 1024
/** Fetched before a sequential reader asks: what a path of 80 ms and 25 MB/s holds, and with what was read on and on 150 MB/s. */
const AHEAD_BYTES = { first: 2 * 1024 * 1024, most: 12 * 1024 * 1024 }
/** Read and opened before a sequential reader asks, of what is here: more than the kernel asks for at once. */
const HELD_AHEAD_BYTES = 1024 * 1024
/** What is here is read ahead in runs of this, so that neighbours cost one read. */
const RUN_BYTES = 512 * 1024
/** An empty stretch is answered with pieces of this. */
const ZEROS = new Uint8Array(128 * 1024)

/**
 * Reads content: chunks from the store, else from the source; each is opened (which authenticates it), checked against its id
 * and kept in the store (flow C). What lies in the store was checked when it came: its tag, whose key is made of the id, says
 * whether it still is that. What is damaged there is fetched again.
 */
export class ContentReader {
  readonly #store: ChunkStore
  readonly #cipher: ChunkCipher
  readonly #source: ChunkSource | undefined
  readonly #lists = new Map<string, PieceList>()
  readonly #listOf = new WeakMap<Manifest, PieceList>()
  readonly #plain = new Map<ChunkId, Uint8Array>()
  #plainBytes = 0
  /** Where the last read of a content ended, by its first chunk. */
  readonly #ends = new Map<ChunkId, number>()
  /** How far it was read on and on. */
  readonly #runs = new Map<ChunkId, number>()
  /** What is fetched ahead; given up when the reader goes where nothing of it lies. */
  readonly #ahead = new Map<ChunkId, Map<ChunkId, () => void>>()
  readonly #opened = new WeakMap<SealedChunk, Uint8Array>()
  readonly #fetching = new SharedLoads<ChunkId, Uint8Array>()

  constructor(store: ChunkStore, cipher: ChunkCipher, source?: ChunkSource) {
    this.#store = store
    this.#cipher = cipher
    this.#source = source
  }

  /** The pieces of a content in order. @throws ContentError `chunk/unavailable`, `content/malformed` */
  async pieces(manifest: Manifest, signal?: AbortSignal): Promise<readonly Piece[]> {
    return (this.#listOf.get(manifest) ?? (await this.#list(manifest, signal))).pieces
  }

  /** The pieces of a content that was just stored: who writes on in it need not read them again. */
  notePieces(manifest: Manifest, pieces: readonly Piece[]): void {
    this.#listOf.set(manifest, new PieceList(pieces))
  }

  /** Bytes from `offset`, at most `length`, fewer at the end. @throws ContentError */
  async read(manifest: Manifest, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const parts = await this.readParts(manifest, offset, length, signal)
    return parts.length === 1 && parts[0] ? parts[0].slice() : concatBytes(...parts)
  }

  /** As `read`, in parts that are not to be changed, and at once where all is in memory. @throws ContentError */
  readParts(manifest: Manifest, offset: number, length: number, signal?: AbortSignal): Answer<readonly Uint8Array[]> {
    const end = Math.min(manifest.bytes, offset + length)
    if (end <= offset) return []
    const list = this.#listOf.get(manifest)
    return list
      ? this.#partsOf(list, offset, end, signal)
      : this.#list(manifest, signal, { offset, length: end - offset }).then((it) => this.#partsOf(it, offset, end, signal))
  }

  #partsOf(list: PieceList, offset: number, end: number, signal?: AbortSignal): Answer<readonly Uint8Array[]> {
    const wanted: { readonly piece: Piece; readonly start: number }[] = []
    const first = list.at(offset)
    for (let n = first; n < list.pieces.length && list.startOf(n) < end; n++)
      wanted.push({ piece: list.pieces[n] as Piece, start: list.startOf(n) })
    const missing = wanted.flatMap(({ piece }) => (piece.id === undefined || this.#plain.has(piece.id) ? [] : [piece]))
    const plain = new Map<ChunkId, Uint8Array>()
    for (const { piece } of wanted) {
      const kept = piece.id === undefined ? undefined : this.#plain.get(piece.id)
      if (piece.id !== undefined && kept) plain.set(piece.id, kept)
    }
    this.#loadHeld(missing)
    const loading = missing.map(async ({ id }) => void plain.set(id as ChunkId, await this.chunk(id as ChunkId, signal)))
    this.#readAhead(list, offset, end)
    const cut = () => wanted.flatMap(({ piece, start }) => partsOfPiece(piece, start, plain, offset, end))
    return loading.length === 0 ? cut() : Promise.all(loading).then(cut)
  }

  async #list(manifest: Manifest, signal?: AbortSignal, stretch?: Stretch): Promise<PieceList> {
    const name = manifest.depth === 0 ? undefined : manifest.pieces.map(({ id }) => id).join()
    const list =
      (name === undefined ? undefined : this.#lists.get(name)) ??
      new PieceList(name === undefined ? manifest.pieces : await this.#listedPieces(manifest, signal, stretch))
    this.#listOf.set(manifest, list)
    if (name === undefined) return list
    this.#lists.set(name, list)
    if (this.#lists.size > KEPT_LISTS) this.#lists.delete(this.#lists.keys().next().value as string)
    return list
  }

  async #listedPieces(manifest: Manifest, signal?: AbortSignal, stretch?: Stretch): Promise<readonly Piece[]> {
    let pieces = manifest.pieces
    for (let depth = manifest.depth; depth > 0; depth--) {
      if (bytesOf(pieces) > MAX_PIECES * 40) throw malformed('a list of pieces')
      this.#loadHeld(pieces)
      // The last list and what it is read for, in one round trip.
      const lists = pieces.flatMap(({ id }) => (id === undefined || this.#isAtHand(id) ? [] : [id]))
      if (depth === 1 && stretch && lists.length === pieces.length) this.#source?.fetchStretch?.(lists, stretch, signal)
      // All at once: one after the other, each would take a round trip to the device that holds them.
      const parts = await Promise.all(
        pieces.map(async ({ id, length }) => {
          if (id === undefined) throw malformed('a list of pieces')
          const part = await this.chunk(id, signal)
          if (part.length !== length) throw malformed('a list of pieces')
          return part
        }),
      )
      pieces = decodePieces(concatBytes(...parts))
    }
    if (bytesOf(pieces) !== manifest.bytes) throw malformed('a list of pieces')
    return pieces
  }

  /**
   * The chunks of what these lists say lies in a stretch, as far as the lists are on this device; for a linked device, which has
   * them and may ask for anything.
   */
  async chunksWithin(lists: readonly ChunkId[], { offset, length }: Stretch): Promise<ChunkId[]> {
    const parts: Uint8Array[] = []
    for (const id of lists) {
      const held = await this.#store.get(id)
      const part = held && this.#cipher.openHeld(held)
      if (!part || part.length > MAX_LIST_CHUNK_BYTES) return []
      parts.push(part)
    }
    const list = new PieceList(decodePieces(concatBytes(...parts)))
    const ids: ChunkId[] = []
    for (let n = list.at(offset); n < list.pieces.length && list.startOf(n) < offset + length && ids.length < MAX_STRETCH_CHUNKS; n++) {
      const id = list.pieces[n]?.id
      if (id !== undefined && !ids.includes(id) && !lists.includes(id)) ids.push(id)
    }
    return ids
  }

  /** A sealed chunk, opened and checked. @throws ContentError `chunk/no-key`, `chunk/damaged` */
  open(chunk: SealedChunk): Uint8Array {
    const plain = this.#opened.get(chunk) ?? this.#cipher.open(chunk)
    this.#opened.set(chunk, plain) // whoever lets it in opens it, and then its reader
    return plain
  }

  /** Has a chunk here, checked. @throws ContentError `chunk/unavailable`, `chunk/damaged`, `chunk/no-key` */
  async ensure(id: ChunkId, signal?: AbortSignal): Promise<void> {
    if (this.#store.has(id)) return
    const fetched = await this.#source?.fetch(id, signal)
    if (!fetched) throw ContentError.unavailable(id)
    this.open(fetched)
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

  /** As `listed`, as far as the lists are on this device; `isWhole`: all are. */
  async listedHere(manifest: Manifest): Promise<{ readonly ids: readonly ChunkId[]; readonly isWhole: boolean }> {
    const ids: ChunkId[] = []
    let pieces = manifest.pieces
    for (let depth = manifest.depth; depth > 0; depth--) {
      const parts: Uint8Array[] = []
      for (const { id } of pieces) {
        const held = id === undefined ? undefined : await this.#store.get(id)
        if (!held) return { ids, isWhole: false }
        parts.push(this.#cipher.open(held))
      }
      pieces = decodePieces(concatBytes(...parts))
      for (const { id } of pieces) if (id !== undefined) ids.push(id)
    }
    return { ids, isWhole: true }
  }

  /** One chunk in plain; not to be changed. @throws ContentError `chunk/unavailable`, `chunk/no-key` */
  chunk(id: ChunkId, signal?: AbortSignal): Promise<Uint8Array> {
    const kept = this.#plain.get(id)
    if (kept) return Promise.resolve(kept)
    return this.#fetching.wait(id, (its) => this.#load(id, its), signal)
  }

  /** Whoever reads on where it stopped gets the next pieces before it asks. */
  #readAhead(list: PieceList, offset: number, end: number): void {
    const name = list.pieces[0]?.id
    if (name === undefined) return
    // The kernel reads ahead, too, and what it asks for at once may come in any order.
    const last = this.#ends.get(name)
    const isOn = last !== undefined && offset <= last && last <= end + HELD_AHEAD_BYTES
    this.#ends.delete(name)
    const next = isOn ? Math.max(last, end) : end
    this.#ends.set(name, next)
    const before = this.#runs.get(name) ?? 0
    const run = isOn ? before + next - last : 0
    this.#runs.delete(name)
    this.#runs.set(name, run)
    if (last !== undefined && (end + HELD_AHEAD_BYTES < last || offset > last + aheadBytesOf(before))) this.#endAhead(name)
    if (this.#runs.size > KEPT_LISTS) {
      const oldest = this.#runs.keys().next().value as ChunkId
      this.#runs.delete(oldest)
      this.#endAhead(oldest)
    }
    const aheadBytes = aheadBytesOf(run)
    if (this.#ends.size > KEPT_LISTS) this.#ends.delete(this.#ends.keys().next().value as ChunkId)
    if (!isOn) return
    const ahead = this.#ahead.get(name) ?? new Map<ChunkId, () => void>()
    this.#ahead.set(name, ahead)
    let held: Piece[] = []
    let [heldBytes, isUnderWay] = [0, false]
    for (let n = list.at(end); n < list.pieces.length && list.startOf(n) < end + aheadBytes; n++) {
      const piece = list.pieces[n] as Piece
      const { id, length } = piece
      if (id === undefined || this.#plain.has(id)) continue
      if (this.#fetching.has(id)) isUnderWay = true
      else if (!this.#store.has(id))
        ahead.set(
          id,
          this.#fetching.hold(
            id,
            (signal) => this.#load(id, signal),
            () => ahead.delete(id),
          ),
        )
      else if (list.startOf(n) < end + HELD_AHEAD_BYTES && heldBytes < RUN_BYTES) {
        held.push(piece)
        heldBytes += length
      }
    }
    // Half a run is left for later, unless nothing else is under way.
    if (heldBytes < RUN_BYTES / 2 && isUnderWay) held = []
    this.#loadHeld(held)
  }

  #endAhead(name: ChunkId): void {
    for (const letGo of this.#ahead.get(name)?.values() ?? []) letGo()
    this.#ahead.delete(name)
  }

  /** Begins to read and open what is here, neighbours together. What that does not bring, `#load` brings. */
  #loadHeld(pieces: readonly Piece[]): void {
    const wanted: HeldChunk[] = []
    for (const { id, length } of pieces) {
      if (id !== undefined && this.#store.has(id) && !this.#fetching.has(id)) wanted.push({ id, sealedBytes: length + GCM_TAG_BYTES })
    }
    if (wanted.length === 0) return
    const run = this.#store.readRun(wanted, (chunk) => {
      const plain = this.#cipher.openHeld(chunk)
      if (plain) this.#keep(chunk.id, plain)
    })
    for (const { id } of wanted) {
      this.#fetching.begin(id, async (signal) => {
        await run.catch(() => {}) // one by one it is said what is wrong
        return this.#plain.get(id) ?? this.#load(id, signal)
      })
    }
  }

  async #load(id: ChunkId, signal: AbortSignal): Promise<Uint8Array> {
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
    const plain = this.open(fetched)
    await this.#store.put(fetched)
    return this.#keep(id, plain)
  }

  #isAtHand(id: ChunkId): boolean {
    return this.#plain.has(id) || this.#fetching.has(id) || this.#store.has(id)
  }

  #keep(id: ChunkId, plain: Uint8Array): Uint8Array {
    if (!this.#plain.has(id)) this.#plainBytes += plain.length
    this.#plain.set(id, plain)
    for (const [oldest, { length }] of this.#plain) {
      if (this.#plainBytes <= KEPT_BYTES) break
      this.#plain.delete(oldest)
      this.#plainBytes -= length
    }
    return plain
  }
}

const aheadBytesOf = (run: number): number => Math.min(AHEAD_BYTES.most, Math.max(AHEAD_BYTES.first, run))

/** What `[offset, end)` has of a piece that begins at `start`. */
function partsOfPiece(
  { id, length }: Piece,
  start: number,
  plain: ReadonlyMap<ChunkId, Uint8Array>,
  offset: number,
  end: number,
): Uint8Array[] {
  const from = Math.max(offset, start) - start
  const to = Math.min(end, start + length) - start
  const bytes = id === undefined ? undefined : plain.get(id)
  if (bytes) {
    if (bytes.length !== length) throw malformed('a chunk of another length')
    return [bytes.subarray(from, to)]
  }
  const zeros: Uint8Array[] = []
  for (let at = from; at < to; at += ZEROS.length) zeros.push(ZEROS.subarray(0, Math.min(ZEROS.length, to - at)))
  return zeros
}
