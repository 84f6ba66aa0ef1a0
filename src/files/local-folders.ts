import { fromUtf8 } from '../base/bytes.ts'
import type { Logger } from '../base/logger.ts'
import { errorMessage } from '../base/errors.ts'
import type { ChunkStore } from './chunk-store.ts'
import { collectGarbage } from './collect-garbage.ts'
import type { Dataset } from './dataset.ts'
import type { DatasetNode } from './dataset-node.ts'
import type { DatasetStore } from './dataset-store.ts'
import { IGNORE_FILE, isLocalName, type LocalRule, MAX_IGNORE_BYTES, parseIgnoreFile } from './local-rules.ts'
import type { Answer } from './mounted-tree.ts'
import { type NodeId, type OpId, ROOT_NODE } from './op.ts'

export interface LocalFoldersParts {
  /** The dataset that they lie in. */
  readonly host: Dataset
  /** What is in them: a dataset without a log, that nobody else ever hears of. */
  readonly dataset: Dataset
  readonly store: DatasetStore
  readonly chunks: ChunkStore
  readonly log: Logger
}

/** Things forgotten before others have the loop: each is a write to the journal. */
const AT_ONCE = 50
/** Files of rules kept as they were read. */
const KEPT_RULES = 500

/**
 * Folders that stay on this device (rules LF1-LF4): sealed as all is, with no log, no history and no copies elsewhere. For each folder
 * of the dataset that has some there is one here that is called by its id; so they move with it.
 */
export class LocalFolders {
  readonly dataset: Dataset
  readonly store: DatasetStore
  readonly chunks: ChunkStore
  readonly #host: Dataset
  readonly #log: Logger
  readonly #rules = new Map<OpId, readonly LocalRule[]>()
  /** By the folder of the dataset that it stands for. In memory: every look-up in the mount asks, and nearly always there is none. */
  #holders: Map<string, NodeId> | undefined

  constructor({ host, dataset, store, chunks, log }: LocalFoldersParts) {
    this.#host = host
    this.dataset = dataset
    this.store = store
    this.chunks = chunks
    this.#log = log
    dataset.onDidChange(({ folders }) => {
      if (folders.has(ROOT_NODE)) this.#holders = undefined
    })
  }

  /** A local folder of that name in a folder of the dataset. */
  lookup(parent: NodeId, name: string): DatasetNode | undefined {
    const holder = this.#holder(parent)
    return holder && this.dataset.lookup(holder.id, name)
  }

  /** Of a folder of the dataset, in no order. */
  children(parent: NodeId): DatasetNode[] {
    const holder = this.#holder(parent)
    return holder ? this.dataset.children(holder.id) : []
  }

  /** The folder of the dataset that a local folder lies in; undefined: it lies in a local one. */
  parentOf({ parent }: DatasetNode): NodeId | undefined {
    const holder = parent === ROOT_NODE ? undefined : this.dataset.node(parent)
    return holder?.parent === ROOT_NODE ? (holder.name as NodeId) : undefined
  }

  make(parent: NodeId, name: string, mode: number): DatasetNode {
    return this.dataset.makeFolder(this.#holderFor(parent), name, { mode })
  }

  move(id: NodeId, parent: NodeId, name: string): DatasetNode {
    return this.dataset.move(id, this.#holderFor(parent), name)
  }

  /** Is a folder that is made there one of this device only? A promise where a file of rules has to be read. */
  isLocal(parent: NodeId, name: string): Answer<boolean> {
    const files: DatasetNode[] = []
    for (const at of [...this.#host.upFrom(parent), this.#host.require(ROOT_NODE)]) {
      const file = this.#host.lookup(at.id, IGNORE_FILE)
      if (file?.kind === 'file') files.push(file)
      else files.push(at)
    }
    const decide = () =>
      isLocalName(
        name,
        files.map((file) => this.#rules.get(file.version) ?? []),
        (sibling) => this.#host.lookup(parent, sibling) !== undefined,
      )
    const unread = files.filter((file) => file.kind === 'file' && !this.#rules.has(file.version))
    if (unread.length === 0) return decide()
    return Promise.all(unread.map((file) => this.#read(file))).then(decide)
  }

  /**
   * No history: what was replaced or removed goes, with what lay in folders of the dataset that are gone for good. Then space is given
   * back. @returns bytes freed
   */
  async tidy(pause: () => Promise<void>): Promise<number> {
    const { store, dataset, chunks } = this
    const removed = new Set(this.#host.removed().map(({ node }) => node.id))
    let done = 0
    const inPieces = async () => {
      if (++done % AT_ONCE === 0) await pause()
    }
    for (const holder of dataset.children(ROOT_NODE)) {
      const id = holder.name as NodeId
      if (id === ROOT_NODE || this.#host.node(id) || removed.has(id)) continue
      for (const node of dataset.within(holder.id)) {
        if (dataset.node(node.id)) dataset.remove(node.id)
        await inPieces()
      }
    }
    for (const { id } of store.removedNodes()) {
      store.transaction(() => {
        for (const { op } of store.versions(id)) store.deleteVersion(id, op)
        store.deleteNode(id)
      })
      await inPieces()
    }
    // They are kept for moves of others that come late, and nobody else hears of these.
    for (const { op } of store.movesAfter({ stamp: 0, op: '' as OpId })) {
      store.deleteMove(op)
      await inPieces()
    }
    for (let after: NodeId | undefined; ; ) {
      const nodes = store.versionedNodes(after, 100, 2)
      for (const node of nodes) {
        const heads = new Set(store.node(node)?.heads.map(({ op }) => op))
        store.transaction(() => {
          for (const { op } of store.versions(node)) if (!heads.has(op)) store.deleteVersion(node, op)
        })
      }
      after = nodes.at(-1)
      if (after === undefined) break
      await pause()
    }
    await collectGarbage({ dataset, store, chunks, batches: () => [], mustKeep: () => true, pause })
    return chunks.reclaim()
  }

  /** Files, folders and bytes of contents, for the status. */
  get size(): { readonly nodes: number; readonly bytes: number } {
    return { nodes: this.store.nodeCount(), bytes: this.chunks.stats.bytes }
  }

  #holder(parent: NodeId): DatasetNode | undefined {
    this.#holders ??= new Map(this.dataset.children(ROOT_NODE).map(({ id, name }) => [name, id]))
    const id = this.#holders.get(parent)
    return id && this.dataset.node(id)
  }

  #holderFor(parent: NodeId): NodeId {
    return (this.#holder(parent) ?? this.dataset.makeFolder(ROOT_NODE, parent)).id
  }

  async #read(file: DatasetNode): Promise<void> {
    try {
      const bytes = await this.#host.readRange(file.id, 0, MAX_IGNORE_BYTES)
      this.#rules.set(file.version, parseIgnoreFile(fromUtf8(bytes)))
    } catch (error) {
      // It is read again for the next folder: its bytes may have come.
      this.#log.warn(`${this.#host.pathOf(file.id)} cannot be read now: it is as if it was empty`, { error: errorMessage(error) })
    }
    if (this.#rules.size > KEPT_RULES) this.#rules.delete(this.#rules.keys().next().value as OpId)
  }
}
