import { concatBytes } from '../../base/bytes.ts'
import type { ChunkId } from '../chunk-id.ts'
import { badCheckpoint } from './byte-io.ts'
import { decodePage, isSplit, type LeafEntry, type Page, type PageRef, type Row, type RowKey } from './page.ts'
import type { TreeRoot } from './tree-writer.ts'

/** Pages asked for at once: what a path of 80 ms and 100 MB/s holds. */
const PAGES_AT_ONCE = 64
/** Rows given at once: what is done with them holds up the loop. Each transaction costs SQLite pages all over its file, which these share; others wait some 50 ms. */
export const ROWS_AT_ONCE = 600
/** And bytes of long values, but for one that is longer. */
const BYTES_AT_ONCE = 4 * 1024 * 1024
/** More leaves than this are none of ours: 200 million rows. */
const MAX_LEAVES = 2 ** 20

export interface KeyRange {
  readonly from: RowKey
  /** Undefined: to the end. */
  readonly to: RowKey | undefined
}

/** A leaf, and the first key that may not be in it. */
export interface LeafRef extends PageRef {
  readonly below?: RowKey | undefined
}

const EVERYTHING: KeyRange = { from: '', to: undefined }

/** A page, and between which keys its rows may lie as those above it say. */
interface Within {
  readonly ref: PageRef
  readonly below: RowKey | undefined
  readonly level: number | undefined
}

/**
 * Reads trees of pages from wherever pages come. A page is what its id says; that it is also where it may be (its level one less than
 * the one above, its rows between its neighbours', as many as were said) is checked here.
 */
export class TreeReader {
  readonly #load: (id: ChunkId, signal?: AbortSignal) => Promise<Uint8Array>

  /** `load` gives the plain bytes of that very chunk, or rejects. */
  constructor(load: (id: ChunkId, signal?: AbortSignal) => Promise<Uint8Array>) {
    this.#load = load
  }

  /** The leaves that may hold rows of a range, in order, and the pages above them. @throws ContentError */
  async leaves(
    root: TreeRoot,
    range: KeyRange = EVERYTHING,
    signal?: AbortSignal,
  ): Promise<{ readonly leaves: readonly LeafRef[]; readonly inner: readonly ChunkId[] }> {
    if (root === undefined) return { leaves: [], inner: [] }
    const inner: ChunkId[] = []
    const top = await this.#page({ ref: { first: '', id: root, rows: -1 }, below: undefined, level: undefined }, signal)
    if (!('children' in top)) return { leaves: [rootLeaf(root, top.entries)], inner }
    inner.push(root)
    let level = top.level
    let at: readonly Within[] = childrenIn(top.children, level, undefined, range)
    for (; level > 1; level--) {
      const next: Within[] = []
      for (let n = 0; n < at.length; n += PAGES_AT_ONCE) {
        const some = at.slice(n, n + PAGES_AT_ONCE)
        const pages = await Promise.all(some.map((within) => this.#page(within, signal)))
        pages.forEach((page, k) => {
          if (!('children' in page)) throw badCheckpoint('a page lies where none of its kind may be')
          inner.push((some[k] as Within).ref.id)
          next.push(...childrenIn(page.children, page.level, (some[k] as Within).below, range))
        })
        if (next.length > MAX_LEAVES) throw badCheckpoint('it has more pages than can be')
      }
      at = next
    }
    return { leaves: at.map(({ ref, below }) => ({ ...ref, below })), inner }
  }

  /** What a leaf holds. @throws ContentError */
  async entries(leaf: LeafRef, signal?: AbortSignal): Promise<readonly LeafEntry[]> {
    const page = await this.#page({ ref: leaf, below: leaf.below, level: 0 }, signal)
    if ('children' in page) throw badCheckpoint('a page lies where none of its kind may be')
    return page.entries
  }

  /** Rows of entries, with values that lie in chunks of their own. @throws ContentError */
  async joined(entries: readonly LeafEntry[], signal?: AbortSignal): Promise<readonly Row[]> {
    if (!entries.some(isSplit)) return entries as readonly Row[]
    return Promise.all(entries.map((entry) => (isSplit(entry) ? this.#join(entry, signal) : entry)))
  }

  /** All rows of a range, in order. @throws ContentError */
  async *rowsIn(root: TreeRoot, range: KeyRange = EVERYTHING, signal?: AbortSignal): AsyncIterable<Row> {
    for await (const rows of this.slicesIn(root, range, signal)) yield* rows
  }

  /** As rowsIn, so many at once as nobody has to wait for. @throws ContentError */
  async *slicesIn(root: TreeRoot, range: KeyRange = EVERYTHING, signal?: AbortSignal): AsyncIterable<readonly Row[]> {
    const { leaves } = await this.leaves(root, range, signal)
    const isWithin = ({ key }: LeafEntry) => key >= range.from && (range.to === undefined || key < range.to)
    for (let n = 0; n < leaves.length; n += PAGES_AT_ONCE) {
      const pages = await Promise.all(leaves.slice(n, n + PAGES_AT_ONCE).map((leaf) => this.entries(leaf, signal)))
      for (const entries of slicesOf(pages.flat().filter(isWithin))) yield await this.joined(entries, signal)
    }
  }

  async #join({ key, parts }: Extract<LeafEntry, { parts: unknown }>, signal?: AbortSignal): Promise<Row> {
    const bytes = await Promise.all(parts.map(({ id }) => this.#load(id, signal)))
    if (bytes.some(({ length }, n) => length !== parts[n]?.length)) throw badCheckpoint('a value in it has another length')
    return { key, value: concatBytes(...bytes) }
  }

  async #page({ ref, below, level }: Within, signal?: AbortSignal): Promise<Page> {
    const page = decodePage(await this.#load(ref.id, signal))
    const keys = 'children' in page ? page.children.map(({ first }) => first) : page.entries.map(({ key }) => key)
    if (level === undefined) return page
    if (page.level !== level) throw badCheckpoint('a page lies where none of its kind may be')
    if (keys[0] !== ref.first) throw badCheckpoint('a page begins with another row than is said of it')
    if (below !== undefined && (keys.at(-1) as RowKey) >= below) throw badCheckpoint('a page reaches into the next')
    const rows = 'children' in page ? page.children.reduce((sum, child) => sum + child.rows, 0) : page.entries.length
    if (rows !== ref.rows) throw badCheckpoint('a page holds another number of rows than is said of it')
    return page
  }
}

/** In pieces of `ROWS_AT_ONCE`, fewer where values are long; none is empty. */
export function* slicesOf(entries: readonly LeafEntry[]): Iterable<readonly LeafEntry[]> {
  let [from, bytes] = [0, 0]
  for (const [n, entry] of entries.entries()) {
    const more = isSplit(entry) ? entry.parts.reduce((sum, { length }) => sum + length, 0) : 0
    if (n > from && (n - from === ROWS_AT_ONCE || bytes + more > BYTES_AT_ONCE)) {
      yield entries.slice(from, n)
      ;[from, bytes] = [n, 0]
    }
    bytes += more
  }
  if (from < entries.length) yield entries.slice(from)
}

const rootLeaf = (id: ChunkId, entries: readonly LeafEntry[]): PageRef => ({
  first: (entries[0] as LeafEntry).key,
  id,
  rows: entries.length,
})

/** Those under a page of `level` that may hold rows of a range. */
function childrenIn(children: readonly PageRef[], level: number, below: RowKey | undefined, { from, to }: KeyRange): Within[] {
  return children.flatMap((ref, n) => {
    const next = children[n + 1]?.first ?? below
    if (next !== undefined && next <= from) return []
    if (to !== undefined && ref.first >= to) return []
    return [{ ref, below: next, level: level - 1 }]
  })
}
