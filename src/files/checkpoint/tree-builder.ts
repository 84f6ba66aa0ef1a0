import type { ChunkId } from '../chunk-id.ts'
import type { Dataset } from '../dataset.ts'
import type { ChangedRows } from './changed-rows.ts'
import type { Checkpoint } from './checkpoint-codec.ts'
import { decodePage, type LeafEntry, type PageRef, type Row } from './page.ts'
import type { PageKeeper } from './page-keeper.ts'
import type { PartialStore } from './partial-store.ts'
import { allHistoryRows, allMoveRows, allNodeRows, editsOfHistory, editsOfState } from './state-rows.ts'
import { TreeReader } from './tree-reader.ts'
import { editTree, type MadeTree, MissingLeaf, type TreeEdit, type TreeRoot, TreeWriter } from './tree-writer.ts'

export interface Trees {
  readonly state: MadeTree
  readonly history: MadeTree
}

export interface BuilderParts {
  readonly dataset: Dataset
  readonly store: PartialStore
  readonly pages: PageKeeper
  /** Others have their turn. Rejects: it was closed. */
  readonly pause: () => Promise<void>
}

const NO_TREE: MadeTree = { root: undefined, leaves: [], inner: [] }
/** Rows read, and rows changed at once while others wait: some milliseconds. */
const ROWS_AT_ONCE = 300

/** Makes the trees of a checkpoint from what the store holds: all anew, or what changed in those made before. */
export class TreeBuilder {
  readonly #parts: BuilderParts
  readonly #reader: TreeReader
  /** Pages of this run in plain, made or read; and parts of long values. */
  #made = new Map<ChunkId, Uint8Array>()
  #madeParts = new Map<ChunkId, Uint8Array>()

  constructor(parts: BuilderParts) {
    this.#parts = parts
    this.#reader = new TreeReader(async (id, signal) => this.#made.get(id) ?? parts.dataset.reader.chunk(id, signal))
  }

  /** The run is over. */
  forget(): void {
    this.#made = new Map()
    this.#madeParts = new Map()
  }

  /** Pages of this run that are wanted and not put yet, in plain, and all parts of long values. */
  made(wanted: ReadonlySet<ChunkId>): ReadonlyMap<ChunkId, Uint8Array> {
    return new Map([...this.#madeParts, ...[...this.#made].filter(([page]) => wanted.has(page))])
  }

  /** Of one that was made: its trees, and all its pages. @throws ContentError `chunk/unavailable`, `checkpoint/malformed` */
  async read({ logs, state, history }: Checkpoint): Promise<{ readonly trees: Trees; readonly ids: readonly ChunkId[] }> {
    const trees = { state: await this.#treeAt(state), history: await this.#treeAt(history) }
    return { trees, ids: [...idsOf(trees), ...idsOfTree(await this.#treeAt(logs))] }
  }

  async #treeAt(root: TreeRoot): Promise<MadeTree> {
    return root === undefined ? NO_TREE : { root, ...(await this.#reader.leaves(root)) }
  }

  /** Everything anew, some rows at a time. */
  async all(): Promise<Trees> {
    const { store, pages, pause } = this.#parts
    const state = new TreeWriter(pages.idOf)
    const history = new TreeWriter(pages.idOf)
    const add = async (writer: TreeWriter, rows: readonly Row[]): Promise<void> => {
      const made = new Map<ChunkId, Uint8Array>()
      for (const row of rows) writer.add(pages.entryOf(row, made))
      for (const [id, plain] of writer.takePages()) made.set(id, plain)
      // Not kept in memory: of a million files it is a hundred megabytes.
      await pages.put(made, pause)
      await pause()
    }
    for (const rows of allNodeRows(store, ROWS_AT_ONCE)) await add(state, rows)
    const moves = allMoveRows(store)
    for (let at = 0; at < moves.length; at += ROWS_AT_ONCE) await add(state, moves.slice(at, at + ROWS_AT_ONCE))
    for (const rows of allHistoryRows(store, ROWS_AT_ONCE)) await add(history, rows)
    const trees = { state: state.finish(), history: history.finish() }
    for (const writer of [state, history]) await pages.put(writer.takePages(), pause)
    return trees
  }

  /** As things are in pieces: what changes meanwhile is noted. */
  async edited(trees: Trees, changes: ChangedRows): Promise<Trees> {
    const { store, pause } = this.#parts
    const state: TreeEdit[] = []
    const history: TreeEdit[] = []
    const keys = changes.stateKeys
    for (let at = 0; at < keys.length; at += ROWS_AT_ONCE) {
      state.push(...editsOfState(store, keys.slice(at, at + ROWS_AT_ONCE)))
      await pause()
    }
    const nodes = changes.historyNodes
    for (let at = 0; at < nodes.length; at += ROWS_AT_ONCE) {
      history.push(...editsOfHistory(store, nodes.slice(at, at + ROWS_AT_ONCE)))
      await pause()
    }
    for (;;) {
      const made = this.editNow(trees, state, history)
      if (!(made instanceof MissingLeaf)) return made
      await this.bring(made.leaf)
    }
  }

  /** At once; or the first leaf that was not at hand: bring it, and do it again. */
  editNow(trees: Trees, state: readonly TreeEdit[], history: readonly TreeEdit[]): Trees | MissingLeaf {
    const edited = this.#editTree(trees.state, state)
    if (edited instanceof MissingLeaf) return edited
    const past = this.#editTree(trees.history, history)
    return past instanceof MissingLeaf ? past : { state: edited, history: past }
  }

  #editTree(tree: MadeTree, edits: readonly TreeEdit[]): MadeTree | MissingLeaf {
    if (edits.length === 0) return tree
    const { pages } = this.#parts
    const made = new Map<ChunkId, Uint8Array>()
    const inPages = edits.map((edit) => ({ ...edit, entries: edit.entries.map((row) => pages.entryOf(row as Row, made)) }))
    const writer = new TreeWriter(pages.idOf)
    const edited = editTree(tree.leaves, inPages, (leaf) => this.#entriesOf(leaf), writer)
    if (edited instanceof MissingLeaf) return edited
    for (const [id, plain] of made) this.#madeParts.set(id, plain)
    for (const [id, plain] of writer.takePages()) this.#made.set(id, plain)
    return edited
  }

  /** A tree of rows that are given in order. */
  treeOf(rows: readonly Row[]): MadeTree {
    const writer = new TreeWriter(this.#parts.pages.idOf)
    for (const row of rows) writer.add(row)
    const tree = writer.finish()
    for (const [id, plain] of writer.takePages()) this.#made.set(id, plain)
    return tree
  }

  #entriesOf(leaf: PageRef): readonly LeafEntry[] | undefined {
    const plain = this.#made.get(leaf.id)
    const page = plain && decodePage(plain)
    return page && 'entries' in page ? page.entries : undefined
  }

  /** @throws ContentError `chunk/unavailable` */
  async bring({ id }: PageRef): Promise<void> {
    this.#made.set(id, await this.#parts.dataset.reader.chunk(id))
  }
}

/** All pages of a tree. */
export const idsOfTree = ({ leaves, inner }: MadeTree): ChunkId[] => [...leaves.map(({ id }) => id), ...inner]
export const idsOf = ({ state, history }: Trees): ChunkId[] => [...idsOfTree(state), ...idsOfTree(history)]
