import type { Clock } from '../base/clock.ts'
import type { ChunkCipher } from './chunk-cipher.ts'
import type { ChunkId } from './chunk-id.ts'
import type { ChunkStore } from './chunk-store.ts'
import type { ContentReader } from './content-reader.ts'
import { MAX_PIECES } from './walk-lists.ts'
import { type ChunkCutter, CONTENT_CUT, type CutSizes, MANIFEST_CUT, SINGLE_CHUNK_BYTES } from './cut-chunks.ts'
import {
  EMPTY_MANIFEST,
  encodePieces,
  type Manifest,
  MAX_DEPTH,
  MAX_FILE_BYTES,
  MAX_INLINE_PIECES,
  malformed,
  type Piece,
} from './manifest.ts'

/** A range of bytes that is new, in the new content. */
export interface Extent {
  readonly offset: number
  readonly length: number
}

/** New content as a change of another one. */
export interface ContentChange {
  /** Bytes of the new content. What lies past the base and in no extent is zeros. */
  readonly bytes: number
  /** What differs from the base, in any order. */
  readonly extents: readonly Extent[]
  /** The new bytes, within one extent, at most 1 MiB, good until the next call; fewer than asked for are asked for again. */
  read(offset: number, length: number): Promise<Uint8Array> | Uint8Array
}

/** Zeros that are longer become a hole and take no space. */
const MIN_HOLE_BYTES = 64 * 1024
/** Writing one file takes no longer. */
const FRESH_MS = 3600_000
const READ_BYTES = 1024 * 1024

/** A stretch of the new content: kept from the base (a piece of it, or a hole), or to be cut. */
interface Stretch {
  readonly start: number
  readonly end: number
  readonly kept: Piece | undefined
}

/**
 * Cuts, seals and stores content (flow D). Of changed content only what lies between the chunk that a change begins in and the
 * next unchanged boundary is cut again: SQLite, git and editors write in the middle (rule FC4).
 */
export class ContentWriter {
  readonly #store: ChunkStore
  readonly #cipher: ChunkCipher
  readonly #cutter: ChunkCutter
  readonly #reader: ContentReader
  readonly #clock: Clock
  /** When each chunk was last written, oldest first. */
  readonly #fresh = new Map<ChunkId, number>()

  constructor(parts: { store: ChunkStore; cipher: ChunkCipher; cutter: ChunkCutter; reader: ContentReader; clock: Clock }) {
    this.#clock = parts.clock
    this.#store = parts.store
    this.#cipher = parts.cipher
    this.#cutter = parts.cutter
    this.#reader = parts.reader
  }

  /** Written here within the hour: it may belong to content that is not a version yet. */
  isFresh(id: ChunkId): boolean {
    const oldestMs = this.#clock.monotonicMs() - FRESH_MS
    for (const [oldest, ms] of this.#fresh) {
      if (ms >= oldestMs) break
      this.#fresh.delete(oldest)
    }
    return this.#fresh.has(id)
  }

  /** A chunk will be named by a version soon, as if it was written now. */
  noteUsed(id: ChunkId): void {
    this.#fresh.delete(id)
    this.#fresh.set(id, this.#clock.monotonicMs())
  }

  /** Whole content at hand. */
  write(bytes: Uint8Array): Promise<Manifest> {
    const read = (offset: number, length: number) => bytes.subarray(offset, offset + length)
    return this.change(EMPTY_MANIFEST, { bytes: bytes.length, extents: [{ offset: 0, length: bytes.length }], read })
  }

  /** @throws ContentError `chunk/store-full`, `chunk/unavailable` (what surrounds a change is not here and cannot be fetched) */
  async change(base: Manifest, change: ContentChange): Promise<Manifest> {
    if (!Number.isInteger(change.bytes) || change.bytes < 0 || change.bytes > MAX_FILE_BYTES) throw malformed('the size of a file')
    const extents = merged(change.extents, change.bytes)
    if (extents.length === 0 && change.bytes === base.bytes) return base
    const source = new ChangedContent(this.#reader, base, change, extents)
    if (change.bytes === 0) return EMPTY_MANIFEST
    if (change.bytes < SINGLE_CHUNK_BYTES) {
      return { bytes: change.bytes, depth: 0, pieces: [await this.#put(await source.read(0, change.bytes))] }
    }
    const stretches = stretchesOf(await this.#reader.pieces(base), base.bytes, change.bytes, extents)
    const pieces: Piece[] = []
    for (let n = 0; n < stretches.length; ) {
      const { start, kept } = stretches[n] as Stretch
      if (kept) {
        pieces.push(kept)
        n++
      } else n = await this.#cut(source, stretches, n, start, pieces)
      if (pieces.length > MAX_PIECES) throw malformed('a file of that many pieces')
    }
    return this.#manifest(pieces, change.bytes)
  }

  /** As `change`, at once: for content of one chunk at most that is new as a whole. Undefined: that is not so, or it would wait. */
  changeNow(change: ContentChange): Manifest | undefined {
    const { bytes } = change
    if (bytes === 0) return EMPTY_MANIFEST
    if (bytes >= SINGLE_CHUNK_BYTES || !isAllNew(change)) return undefined
    const plain = change.read(0, bytes)
    if (plain instanceof Promise || plain.length < bytes) return undefined
    const id = this.#named(plain)
    const stored = this.#store.has(id) ? undefined : this.#store.put(this.#cipher.seal(id, plain))
    if (!(stored instanceof Promise)) return { bytes, depth: 0, pieces: [{ id, length: bytes }] }
    stored.catch(() => {}) // `change` puts it again, and hears
    return undefined
  }

  /** Cuts from the stretch `n` on, up to the first cut where a kept stretch begins; that one's number. */
  async #cut(source: ChangedContent, stretches: readonly Stretch[], n: number, from: number, pieces: Piece[]): Promise<number> {
    const hole = stretches.findIndex(({ kept }, at) => at > n && kept !== undefined && kept.id === undefined)
    const end = hole < 0 ? (stretches.at(-1) as Stretch).end : (stretches[hole] as Stretch).start
    // One buffer, whose rest moves to the front: a chunk's bytes are needed until it is put, and no longer.
    const window = new Uint8Array(Math.min(CONTENT_CUT.max + READ_BYTES, end - from))
    let [used, held] = [0, 0]
    let at = from
    while (at < end) {
      const missing = Math.min(READ_BYTES, end - at - (held - used))
      if (held - used < CONTENT_CUT.max && missing > 0) {
        window.copyWithin(0, used, held)
        held -= used
        used = 0
        const more = await source.read(at + held, Math.min(missing, window.length - held))
        window.set(more, held)
        held += more.length
      }
      const length = this.#cutter.next(window.subarray(used, held), 0)
      pieces.push(await this.#put(window.subarray(used, used + length)))
      used += length
      at += length
      while (n < stretches.length && (stretches[n] as Stretch).end <= at) n++
      if (n < stretches.length && (stretches[n] as Stretch).start === at && (stretches[n] as Stretch).kept) return n
    }
    return n
  }

  async #put(plain: Uint8Array): Promise<Piece> {
    const id = this.#named(plain)
    if (!this.#store.has(id)) await this.#store.put(this.#cipher.seal(id, plain))
    return { id, length: plain.length }
  }

  #named(plain: Uint8Array): ChunkId {
    const id = this.#cipher.idOf(plain)
    this.noteUsed(id)
    return id
  }

  async #manifest(pieces: readonly Piece[], bytes: number): Promise<Manifest> {
    let level = pieces
    for (let depth = 0; depth <= MAX_DEPTH; depth++) {
      if (level.length <= MAX_INLINE_PIECES) {
        const manifest = { bytes, depth, pieces: level }
        if (depth > 0) this.#reader.notePieces(manifest, pieces)
        return manifest
      }
      level = await this.#cutAll(encodePieces(level), MANIFEST_CUT)
    }
    throw malformed('a file of that many pieces')
  }

  async #cutAll(bytes: Uint8Array, sizes: CutSizes): Promise<Piece[]> {
    const pieces: Piece[] = []
    for (let at = 0; at < bytes.length; ) {
      const length = this.#cutter.next(bytes, at, sizes)
      pieces.push(await this.#put(bytes.subarray(at, at + length)))
      at += length
    }
    return pieces
  }
}

/** The new content to be read: new bytes where there are, else the base's, else zeros. */
class ChangedContent {
  readonly #reader: ContentReader
  readonly #base: Manifest
  readonly #change: ContentChange
  readonly #extents: readonly Extent[]

  constructor(reader: ContentReader, base: Manifest, change: ContentChange, extents: readonly Extent[]) {
    this.#reader = reader
    this.#base = base
    this.#change = change
    this.#extents = extents
  }

  /** Good until the next `read`. */
  async read(from: number, length: number): Promise<Uint8Array> {
    const end = from + length
    let at = from
    let n = firstAfter(this.#extents, from)
    const first = this.#extents[n]
    if (first && first.offset <= from && end <= first.offset + first.length && length <= READ_BYTES) {
      const part = await this.#change.read(from, length)
      if (part.length >= length) return part.subarray(0, length)
    }
    const whole = new Uint8Array(length)
    while (at < end) {
      const extent = this.#extents[n]
      const isNew = extent !== undefined && extent.offset <= at
      const until = Math.min(end, isNew ? extent.offset + extent.length : (extent?.offset ?? end))
      const part = isNew
        ? await this.#change.read(at, Math.min(until - at, READ_BYTES))
        : await this.#reader.read(this.#base, at, until - at)
      if (isNew && part.length === 0) throw malformed('a change that ends early')
      whole.set(part.subarray(0, until - at), at - from)
      at = isNew ? Math.min(until, at + part.length) : until
      if (isNew && at === extent.offset + extent.length) n++
    }
    return whole
  }
}

/** The number of the first extent that ends after `at`. */
function firstAfter(extents: readonly Extent[], at: number): number {
  let low = 0
  let high = extents.length
  while (low < high) {
    const middle = (low + high) >> 1
    const { offset, length } = extents[middle] as Extent
    if (offset + length > at) high = middle
    else low = middle + 1
  }
  return low
}

function isAllNew({ bytes, extents }: ContentChange): boolean {
  const [all, ...others] = extents.length === 1 ? extents : merged(extents, bytes)
  return all !== undefined && others.length === 0 && all.offset <= 0 && all.offset + all.length >= bytes
}

/** Sorted, without overlap, within the content. */
function merged(extents: readonly Extent[], bytes: number): Extent[] {
  const sorted = extents
    .map(({ offset, length }) => ({ offset, length: Math.min(length, bytes - offset) }))
    .filter(({ length }) => length > 0)
    .sort((a, b) => a.offset - b.offset)
  const result: { offset: number; length: number }[] = []
  for (const extent of sorted) {
    const last = result.at(-1)
    if (last && extent.offset <= last.offset + last.length) {
      last.length = Math.max(last.length, extent.offset + extent.length - last.offset)
    } else result.push(extent)
  }
  return result
}

/**
 * The new content in stretches. Pieces that nothing touches are kept; the last one of content that grows is not (it ended with
 * the file, not at a cut). Of holes, and of what lies past the base, what nobody wrote is kept where it is long enough.
 */
function stretchesOf(old: readonly Piece[], baseBytes: number, bytes: number, extents: readonly Extent[]): Stretch[] {
  const stretches: Stretch[] = []
  const wasSingle = baseBytes < SINGLE_CHUNK_BYTES // cut nowhere, as short content is
  const all: readonly Piece[] = bytes > baseBytes ? [...old, { id: undefined, length: bytes - baseBytes }] : old
  let start = 0
  let next = 0 // the first extent that may touch
  const addHole = (from: number, to: number) => {
    if (to > from)
      stretches.push({ start: from, end: to, kept: to - from >= MIN_HOLE_BYTES ? { id: undefined, length: to - from } : undefined })
  }
  all.forEach((piece, n) => {
    const from = start
    const end = Math.min(bytes, from + piece.length)
    start += piece.length
    if (end <= from) return
    while (next < extents.length && (extents[next] as Extent).offset + (extents[next] as Extent).length <= from) next++
    const isTouched = next < extents.length && (extents[next] as Extent).offset < end
    if (piece.id !== undefined) {
      const isGrownTail = n === old.length - 1 && bytes > baseBytes
      const isWhole = end - from === piece.length && !isTouched && !isGrownTail && !wasSingle
      stretches.push({ start: from, end, kept: isWhole ? piece : undefined })
      return
    }
    let at = from
    for (let m = next; m < extents.length && (extents[m] as Extent).offset < end; m++) {
      const extent = extents[m] as Extent
      addHole(at, Math.max(at, extent.offset))
      const to = Math.min(end, extent.offset + extent.length)
      const dirtyFrom = Math.max(at, extent.offset)
      if (to > dirtyFrom) stretches.push({ start: dirtyFrom, end: to, kept: undefined })
      at = Math.max(at, to)
    }
    addHole(at, end)
  })
  return joinedHoles(stretches)
}

function joinedHoles(stretches: readonly Stretch[]): Stretch[] {
  const result: Stretch[] = []
  for (const stretch of stretches) {
    const last = result.at(-1)
    const isHole = (of: Stretch | undefined) => of?.kept !== undefined && of.kept.id === undefined
    if (last && isHole(last) && isHole(stretch)) {
      result[result.length - 1] = { start: last.start, end: stretch.end, kept: { id: undefined, length: stretch.end - last.start } }
    } else result.push(stretch)
  }
  return result
}
