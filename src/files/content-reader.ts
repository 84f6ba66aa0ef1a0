import { concatBytes } from '../base/bytes.ts'
import type { Answer } from './mounted-tree.ts'
import { PieceBlock, PieceList } from './piece-list.ts'
import type { ChunkCipher } from './chunk-cipher.ts'
import type { ChunkId, SealedChunk } from './chunk-id.ts'
import type { ChunkStore, HeldChunk } from './chunk-store.ts'
import { ContentError } from './content-error.ts'
import { GCM_TAG_BYTES } from './files-crypto.ts'
import { MAX_STRETCH_CHUNKS, type Stretch } from './file-peer-contract.ts'
import { LIST_VERSION, malformed, type Manifest, PIECE_BYTES, type Piece } from './manifest.ts'
import { SharedLoads } from './shared-loads.ts'
import { MAX_LIST_CHUNK_BYTES, walkLists } from './walk-lists.ts'

/** Gets chunks that are not here: from linked devices, best first. */
export interface ChunkSource {
  /** Undefined: no device that is linked now has it. What it gives has not been opened yet. */
  fetch(id: ChunkId, signal?: AbortSignal): Promise<SealedChunk | undefined>
  /** Says before they are fetched that these lists of pieces are wanted, and then what they say lies in a stretch of the content. */
  fetchStretch?(lists: readonly ChunkId[], stretch: Stretch, signal?: AbortSignal): void
}

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
  readonly #pause: (() => Promise<void>) | undefined
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

  /** `pause`: others have the loop, while a long list is gone through. */
  constructor(store: ChunkStore, cipher: ChunkCipher, source?: ChunkSource, pause?: () => Promise<void>) {
    this.#store = store
    this.#cipher = cipher
    this.#source = source
    this.#pause = pause
  }

  /** The pieces of a content in order, for who changes it. @throws ContentError `chunk/unavailable`, `content/malformed` */
  async pieces(manifest: Manifest, signal?: AbortSignal): Promise<readonly Piece[]> {
    return (this.#listOf.get(manifest) ?? (await this.#list(manifest, signal))).all()
  }

  /** The pieces of a content that was just stored: who writes on in it need not read them again. */
  notePieces(manifest: Manifest, pieces: readonly Piece[]): void {
    this.#listOf.set(manifest, PieceList.of(pieces))
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
    list.each(offset, end, (piece, start) => void wanted.push({ piece, start }))
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
    const name =
      manifest.depth === 0
        ? undefined
        : [manifest.bytes, manifest.depth, ...manifest.pieces.map(({ id, length }) => `${id} ${length}`)].join()
    const list =
      (name === undefined ? undefined : this.#lists.get(name)) ??
      (name === undefined ? PieceList.of(manifest.pieces) : await this.#walked(manifest, signal, stretch))
    this.#listOf.set(manifest, list)
    if (name === undefined) return list
    this.#lists.set(name, list)
    if (this.#lists.size > KEPT_LISTS) this.#lists.delete(this.#lists.keys().next().value as string)
    return list
  }

  async #walked(manifest: Manifest, signal?: AbortSignal, stretch?: Stretch): Promise<PieceList> {
    const blocks: PieceBlock[] = []
    const keep = (block: PieceBlock, depth: number) => void (depth === 0 && blocks.push(block))
    await this.#walk(manifest, keep, { signal, stretch, isEach: true })
    return new PieceList(blocks)
  }

  #walk(
    manifest: Manifest,
    visit: (block: PieceBlock, depth: number) => Promise<void> | void,
    { signal, stretch, isEach = false }: { signal?: AbortSignal | undefined; stretch?: Stretch | undefined; isEach?: boolean },
  ): Promise<boolean> {
    const ahead = (pieces: readonly Piece[], depth: number, isAll: boolean) => {
      this.#loadHeld(pieces)
      // The last list and what it is read for, in one round trip.
      const lists = pieces.flatMap(({ id }) => (id === undefined || this.#isAtHand(id) ? [] : [id]))
      if (depth === 1 && stretch && isAll && lists.length === pieces.length) this.#source?.fetchStretch?.(lists, stretch, signal)
    }
    const load = (id: ChunkId) => this.chunk(id, signal)
    return walkLists(manifest, { load, ahead, visit, isEach, pause: this.#pause })
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
    const all = concatBytes(...parts)
    const list =
      all[0] === LIST_VERSION && (all.length - 1) % PIECE_BYTES === 0 ? new PieceList([new PieceBlock(all.subarray(1))]) : undefined
    const ids = new Set<ChunkId>()
    list?.each(offset, offset + length, ({ id }) => {
      if (id !== undefined && !lists.includes(id)) ids.add(id)
      return ids.size < MAX_STRETCH_CHUNKS
    })
    return [...ids]
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

  /**
   * What the lists of a content name, the lists of lists among them, some at a time and some of it twice; the lists are fetched.
   * @throws ContentError `chunk/unavailable`, `content/malformed`
   */
  async eachListed(manifest: Manifest, visit: (pieces: readonly Piece[]) => Promise<void> | void, signal?: AbortSignal): Promise<void> {
    await this.#walk(manifest, (block) => visit(block.pieces()), { signal })
  }

  /** As `eachListed`, as far as the lists are on this device and can be read; whether all are and can. @throws ContentError `chunk/no-key`, `chunk/damaged` */
  async eachListedHere(manifest: Manifest, visit: (pieces: readonly Piece[]) => Promise<void> | void): Promise<boolean> {
    const load = async (id: ChunkId) => {
      const held = await this.#store.get(id)
      return held && this.#cipher.open(held)
    }
    try {
      return await walkLists(manifest, { load, visit: (block) => visit(block.pieces()), pause: this.#pause })
    } catch (error) {
      if (error instanceof ContentError && error.code === 'content/malformed') return false
      throw error
    }
  }

  /** One chunk in plain; not to be changed. @throws ContentError `chunk/unavailable`, `chunk/no-key` */
  chunk(id: ChunkId, signal?: AbortSignal): Promise<Uint8Array> {
    const kept = this.#plain.get(id)
    if (kept) return Promise.resolve(kept)
    return this.#fetching.wait(id, (its) => this.#load(id, its), signal)
  }

  /** Whoever reads on where it stopped gets the next pieces before it asks. */
  #readAhead(list: PieceList, offset: number, end: number): void {
    const name = list.first?.id
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
    list.each(end, end + aheadBytes, (piece, start) => {
      const { id, length } = piece
      if (id === undefined || this.#plain.has(id)) return
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
      else if (start < end + HELD_AHEAD_BYTES && heldBytes < RUN_BYTES) {
        held.push(piece)
        heldBytes += length
      }
    })
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
    try {
      await this.#store.put(fetched)
    } catch (error) {
      if (!(error instanceof ContentError) || error.code !== 'chunk/store-full') throw error // it is here, and needs no place to be read
    }
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
