import * as z from 'zod'
import { concatBytes, fromUtf8, utf8 } from '../base/bytes.ts'
import type { KeyValueStore } from '../base/key-value-store.ts'
import { MAX_PIECE_BYTES, type OutputStream } from './job-frames-contract.ts'
import type { OutputPiece } from './output-log.ts'

/** Bytes in one value of the store: what is kept with one write. */
const PAGE_BYTES = 256 * 1024
/** How an output began is kept for good; of the rest, the newest. */
const HEAD_PAGES = 4
const MAX_PAGES = 256

/** The index is written with the first page, then each time there are so many more: the others are found by their numbers. */
const INDEX_PAGES = 16

/** So many of them stay in memory while the job runs: what a viewer may be behind that takes all at full speed. */
const NEWEST_PAGES = 4

const SPACE = 'job-output'
const INDEX = 'job-output-index'

const index = z.object({
  end: z.number().int().min(0),
  droppedBytes: z.number().int().min(0),
  /** Number of each page that is kept, its offset and length. */
  pages: z.array(z.tuple([z.number().int(), z.number().int(), z.number().int()])).max(MAX_PAGES + 1),
})

/**
 * The kept output of one job (rule JB51): whole up to 64 MiB, then its first and its newest part. What `append` was given is kept
 * once `flush` returns. Does not own the store.
 */
export class JobOutputBook {
  readonly #store: KeyValueStore
  readonly #job: string
  #pages: [number: number, offset: number, length: number][] = []
  #flushedTo = 0
  /** Pages that the index on the disk does not tell of; undefined: it tells of none, or of a gap too few. */
  #unindexed: number | undefined
  #droppedBytes = 0
  /** The pages that were kept last, for who follows the output: they need not be opened again. */
  #newest: readonly { readonly number: number; readonly pieces: readonly OutputPiece[] }[] = []
  #tail: OutputPiece[] = []
  #end = 0

  static isIn(store: KeyValueStore, job: string): boolean {
    return store.get(INDEX, job) !== undefined
  }

  constructor(store: KeyValueStore, job: string) {
    this.#store = store
    this.#job = job
    const kept = read(store.get(INDEX, job))
    if (!kept) return
    this.#pages = kept.pages
    this.#end = this.#flushedTo = kept.end
    this.#droppedBytes = kept.droppedBytes
    this.#unindexed = 0
    for (let number = this.#nextNumber; this.#unindexed < INDEX_PAGES; number++, this.#unindexed++) {
      const length = decodePage(store.get(SPACE, `${job}/${number}`), 0).reduce((sum, { bytes }) => sum + bytes.length, 0)
      if (length === 0) break
      this.#pages.push([number, this.#end, length])
      this.#end = this.#flushedTo = this.#end + length
    }
  }

  /** Bytes so far, kept or not yet. */
  get end(): number {
    return this.#end
  }

  get droppedBytes(): number {
    return this.#droppedBytes
  }

  /** Bytes that `flush` would keep. */
  get unkeptBytes(): number {
    return this.#end - this.#flushedTo
  }

  /** Takes the bytes over. What is known already (after a cut it comes again) is skipped; a gap is one: what was in it never comes. */
  append({ stream, offset, bytes }: OutputPiece): Uint8Array {
    const skipped = Math.max(0, this.#end - offset)
    if (skipped >= bytes.length) return new Uint8Array()
    if (offset > this.#end) {
      this.flush()
      this.#droppedBytes += offset - this.#end
      this.#end = this.#flushedTo = offset
      this.#unindexed = undefined
    }
    const fresh = bytes.subarray(skipped)
    this.#tail.push({ stream, offset: this.#end, bytes: fresh })
    this.#end += fresh.length
    return fresh
  }

  /** @throws StoreError `store/disk-full`, `store/read-only`: nothing of it is kept, and it can be tried again */
  flush(): void {
    while (this.#tail.length > 0) {
      const page: OutputPiece[] = []
      let bytes = 0
      for (const piece of this.#tail) {
        if (bytes > 0 && bytes + piece.bytes.length > PAGE_BYTES) break
        page.push(piece)
        bytes += piece.bytes.length
      }
      const number = this.#nextNumber
      this.#store.put(SPACE, `${this.#job}/${number}`, encodePage(page))
      this.#tail = this.#tail.slice(page.length)
      this.#pages.push([number, this.#flushedTo, bytes])
      this.#newest = [...this.#newest.slice(1 - NEWEST_PAGES), { number, pieces: page }]
      this.#flushedTo += bytes
      this.#dropMiddle()
      if (this.#unindexed !== undefined && this.#unindexed + 1 < INDEX_PAGES) this.#unindexed += 1
      else this.#putIndex()
    }
  }

  get #nextNumber(): number {
    return (this.#pages.at(-1)?.[0] ?? -1) + 1
  }

  #putIndex(): void {
    this.#unindexed = undefined
    this.#store.put(INDEX, this.#job, utf8(JSON.stringify({ end: this.#flushedTo, droppedBytes: this.#droppedBytes, pages: this.#pages })))
    this.#unindexed = 0
  }

  /** Pieces from `offset` on, at most one page of them; empty at the end. What is no longer kept is skipped. */
  read(offset: number): OutputPiece[] {
    for (const [number, at, length] of this.#pages) {
      if (at + length <= offset) continue
      const kept =
        this.#newest.find((page) => page.number === number)?.pieces ?? decodePage(this.#store.get(SPACE, `${this.#job}/${number}`), at)
      const pieces = kept.flatMap((piece) => cut(piece, offset))
      if (pieces.length > 0) return pieces // else the page is damaged: it goes on after it
    }
    return this.#tail.flatMap((piece) => cut(piece, offset)).slice(0, 16)
  }

  /** The job is over: what is held in memory for those who follow is let go. */
  rest(): void {
    this.#newest = []
  }

  forget(): void {
    this.rest()
    for (const [number] of this.#pages) this.#store.delete(SPACE, `${this.#job}/${number}`)
    this.#store.delete(INDEX, this.#job)
    this.#pages = []
    this.#tail = []
  }

  #dropMiddle(): void {
    while (this.#pages.length > MAX_PAGES) {
      const [dropped] = this.#pages.splice(HEAD_PAGES, 1)
      if (!dropped) return
      this.#store.delete(SPACE, `${this.#job}/${dropped[0]}`)
      this.#droppedBytes += dropped[2]
    }
  }
}

function cut(piece: OutputPiece, from: number): OutputPiece[] {
  const skipped = Math.max(0, from - piece.offset)
  if (skipped >= piece.bytes.length) return []
  return [{ stream: piece.stream, offset: piece.offset + skipped, bytes: piece.bytes.subarray(skipped) }]
}

/** Each piece: stream, length (4 bytes), bytes. */
function encodePage(pieces: readonly OutputPiece[]): Uint8Array {
  return concatBytes(
    ...pieces.flatMap(({ stream, bytes }) => {
      const head = new Uint8Array(5)
      head[0] = stream === 'err' ? 1 : 0
      new DataView(head.buffer).setUint32(1, bytes.length)
      return [head, bytes]
    }),
  )
}

function decodePage(bytes: Uint8Array | undefined, offset: number): OutputPiece[] {
  const pieces: OutputPiece[] = []
  if (!bytes) return pieces
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0, start = offset; at + 5 <= bytes.length; ) {
    const stream: OutputStream = bytes[at] === 1 ? 'err' : 'out'
    const length = Math.min(view.getUint32(at + 1), MAX_PIECE_BYTES, bytes.length - at - 5)
    pieces.push({ stream, offset: start, bytes: bytes.subarray(at + 5, at + 5 + length) })
    start += length
    at += 5 + length
  }
  return pieces
}

function read(bytes: Uint8Array | undefined): z.infer<typeof index> | undefined {
  if (!bytes) return undefined
  try {
    return index.parse(JSON.parse(fromUtf8(bytes)))
  } catch {
    return undefined // damaged: the output is gone, the job is not
  }
}
