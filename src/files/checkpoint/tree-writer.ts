import type { ChunkId } from '../chunk-id.ts'
import { encodePage, type LeafEntry, type PageRef, type RowKey } from './page.ts'
import { leafBytes, PageCutter, refBytes } from './page-cutter.ts'

/** What a tree is named by; undefined: it holds nothing. */
export type TreeRoot = ChunkId | undefined

/** A stretch of a tree that is another now: what lay in [from, to) goes, and these rows, in order, are there. `to` undefined: to the end. */
export interface TreeEdit {
  readonly from: RowKey
  readonly to: RowKey | undefined
  readonly entries: readonly LeafEntry[]
}

/** A tree that was made: its leaves in order, and pages that are new, in plain, to be sealed and kept. */
export interface MadeTree {
  readonly root: TreeRoot
  readonly leaves: readonly PageRef[]
  /** Ids of all pages over the leaves. */
  readonly inner: readonly ChunkId[]
}

/** Makes the pages of a tree of rows that are given in order. Pages are gathered until they are taken. */
export class TreeWriter {
  readonly #idOf: (plain: Uint8Array) => ChunkId
  readonly #cutter = new PageCutter('leaf')
  readonly #leaves: PageRef[] = []
  #entries: LeafEntry[] = []
  #made = new Map<ChunkId, Uint8Array>()

  constructor(idOf: (plain: Uint8Array) => ChunkId) {
    this.#idOf = idOf
  }

  /** No page is begun. */
  get isAtEnd(): boolean {
    return this.#entries.length === 0
  }

  add(entry: LeafEntry): void {
    this.#entries.push(entry)
    if (this.#cutter.endsWith(entry.key, leafBytes(entry))) this.#endLeaf()
  }

  /** A leaf of the tree before, as it is; between pages only. */
  keep(leaf: PageRef): void {
    if (!this.isAtEnd) throw new RangeError('a page is begun')
    this.#leaves.push(leaf)
  }

  /** Pages made since the last time. */
  takePages(): ReadonlyMap<ChunkId, Uint8Array> {
    const made = this.#made
    this.#made = new Map()
    return made
  }

  finish(): MadeTree {
    if (!this.isAtEnd) this.#endLeaf()
    const inner: ChunkId[] = []
    let refs: readonly PageRef[] = this.#leaves
    for (let level = 1; refs.length > 1; level++) {
      refs = this.#level(level, refs)
      for (const { id } of refs) inner.push(id)
    }
    return { root: refs[0]?.id, leaves: this.#leaves, inner }
  }

  #level(level: number, below: readonly PageRef[]): PageRef[] {
    const cutter = new PageCutter('inner')
    const refs: PageRef[] = []
    let children: PageRef[] = []
    const end = () => {
      const rows = children.reduce((sum, child) => sum + child.rows, 0)
      refs.push({ first: (children[0] as PageRef).first, id: this.#put(encodePage({ level, children })), rows })
      children = []
    }
    for (const child of below) {
      children.push(child)
      if (cutter.endsWith(child.first, refBytes(child))) end()
    }
    if (children.length > 0) end()
    return refs
  }

  #endLeaf(): void {
    const entries = this.#entries
    this.#entries = []
    this.#leaves.push({ first: (entries[0] as LeafEntry).key, id: this.#put(encodePage({ level: 0, entries })), rows: entries.length })
  }

  #put(plain: Uint8Array): ChunkId {
    const id = this.#idOf(plain)
    this.#made.set(id, plain)
    return id
  }
}

/** A leaf that `editTree` has to look into, and was not given. */
export class MissingLeaf {
  readonly leaf: PageRef

  constructor(leaf: PageRef) {
    this.leaf = leaf
  }
}

/**
 * The tree that `edits` (in order, apart) make of one with these leaves: the same, to the byte, as one made of all rows anew. Leaves
 * that no edit touches are kept unread, but for one or two behind a change.
 *
 * @param entriesOf  what a leaf holds; undefined: it is not at hand
 * @returns the tree, or the first leaf that was not at hand: the writer is spoilt then
 */
export function editTree(
  leaves: readonly PageRef[],
  edits: readonly TreeEdit[],
  entriesOf: (leaf: PageRef) => readonly LeafEntry[] | undefined,
  writer: TreeWriter,
): MadeTree | MissingLeaf {
  if (leaves.length === 0) {
    for (const { entries } of edits) for (const entry of entries) writer.add(entry)
    return writer.finish()
  }
  let e = 0
  for (let n = 0; n < leaves.length; n++) {
    const leaf = leaves[n] as PageRef
    const from = n === 0 ? '' : leaf.first
    const to = leaves[n + 1]?.first
    while (e < edits.length && isBefore(edits[e] as TreeEdit, from)) e++
    const here: TreeEdit[] = []
    for (let at = e; at < edits.length; at++) {
      const edit = edits[at] as TreeEdit
      if (to !== undefined && edit.from >= to) break
      here.push(edit)
    }
    if (here.length === 0 && writer.isAtEnd) {
      writer.keep(leaf)
      continue
    }
    const entries = entriesOf(leaf)
    if (!entries) return new MissingLeaf(leaf)
    for (const entry of merged(entries, here, from, to)) writer.add(entry)
  }
  return writer.finish()
}

const isBefore = ({ to }: TreeEdit, key: RowKey): boolean => to !== undefined && to <= key

function merged(entries: readonly LeafEntry[], edits: readonly TreeEdit[], from: RowKey, to: RowKey | undefined): LeafEntry[] {
  const result: LeafEntry[] = []
  let n = 0
  for (const edit of edits) {
    for (; n < entries.length && (entries[n] as LeafEntry).key < edit.from; n++) result.push(entries[n] as LeafEntry)
    while (n < entries.length && (edit.to === undefined || (entries[n] as LeafEntry).key < edit.to)) n++
    for (const entry of edit.entries) if (entry.key >= from && (to === undefined || entry.key < to)) result.push(entry)
  }
  for (; n < entries.length; n++) result.push(entries[n] as LeafEntry)
  return result
}
