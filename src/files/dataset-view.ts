import type { Clock } from '../base/clock.ts'
import { type DatasetNode, type DatasetVersion, nodeOf, rootNode, versionOf } from './dataset-node.ts'
import type { DatasetStore } from './dataset-store.ts'
import { TRASH_MS } from './kept-versions.ts'
import { FileError } from './file-error.ts'
import type { Manifest } from './manifest.ts'
import type { Head, NodeRecord } from './node-record.ts'
import { isNodeName, type NodeId, type OpId, ROOT_NODE } from './op.ts'

/** A dataset's tree as the held ops make it, looked at: changes nothing, and knows no keys. */
export class DatasetView {
  readonly root = ROOT_NODE
  readonly #store: DatasetStore
  readonly #clock: Clock
  readonly #openedMs: number
  readonly #nodes = new WeakMap<NodeRecord, DatasetNode>()

  constructor({ store, clock }: { readonly store: DatasetStore; readonly clock: Clock }) {
    this.#store = store
    this.#clock = clock
    this.#openedMs = clock.nowMs()
  }

  node(id: NodeId): DatasetNode | undefined {
    if (id === ROOT_NODE) return rootNode(this.#openedMs)
    const record = this.#store.node(id)
    const shown = this.#store.shownName(id)
    return record && shown !== undefined ? this.#shown(record, shown, this.#clock.nowMs()) : undefined
  }

  /** Records do not change, and are shown again and again; only what is ahead of the clock is shown as another each time. */
  #shown(record: NodeRecord, shown: string, nowMs: number): DatasetNode {
    const kept = this.#nodes.get(record)
    if (kept?.name === shown) return kept
    const node = nodeOf(record, shown, nowMs)
    if (node.changedMs <= nowMs) this.#nodes.set(record, node)
    return node
  }

  /** @throws FileError `file/not-found` */
  require(id: NodeId): DatasetNode {
    const node = this.node(id)
    if (!node) throw new FileError('file/not-found', 'this file or folder is not there any more')
    return node
  }

  lookup(parent: NodeId, name: string): DatasetNode | undefined {
    const id = this.#store.shownNode(parent, name)
    return id && this.node(id)
  }

  /** In no order. @throws FileError `file/not-a-folder` */
  children(parent: NodeId): DatasetNode[] {
    this.requireFolder(parent)
    const nowMs = this.#clock.nowMs()
    return this.#store.children(parent).map(({ record, shown }) => this.#shown(record, shown, nowMs))
  }

  /** The node and all below it, what lies in a folder before the folder. @throws FileError `file/not-found` */
  within(id: NodeId): DatasetNode[] {
    const node = this.require(id)
    const below = node.kind === 'folder' ? this.children(id).flatMap((child) => this.within(child.id)) : []
    return [...below, node]
  }

  /** The node and what it lies in, up to the top, which is left out; a circle that somebody lied about ends. */
  *upFrom(id: NodeId): Generator<DatasetNode, void> {
    const seen = new Set<NodeId>()
    for (let at = this.node(id); at && at.id !== ROOT_NODE && !seen.has(at.id); at = this.node(at.parent)) {
      seen.add(at.id)
      yield at
    }
  }

  /** `/a/b`, from the top of the dataset. */
  pathOf(id: NodeId): string {
    const names: string[] = []
    for (const { name } of this.upFrom(id)) names.unshift(name)
    return `/${names.join('/')}`
  }

  /** The node at a path from the top. @throws FileError `file/not-found` */
  at(path: string): DatasetNode {
    let node = this.require(ROOT_NODE)
    for (const name of path.split('/')) {
      if (name === '' || name === '.') continue
      const next = name === '..' ? this.require(node.parent) : this.lookup(node.id, name)
      if (!next) throw new FileError('file/not-found', `${path} is not in this dataset`)
      node = next
    }
    return node
  }

  /** Versions that are kept, the newest first. */
  versions(id: NodeId): DatasetVersion[] {
    const nowMs = this.#clock.nowMs()
    const store = this.#store
    const copyOf = store.node(id)?.copyOf
    const forgottenAt = store.node(id)?.forgottenAt ?? -1
    const kept = store.versions(copyOf?.node ?? id).filter(({ stamp }, n) => n === 0 || stamp > forgottenAt)
    return kept.map((head) => versionOf(head, nowMs))
  }

  /** What was removed and can be restored, the last first. */
  removed(): { readonly node: DatasetNode; readonly removedAtMs: number }[] {
    const nowMs = this.#clock.nowMs()
    const rows = this.#store.removedNodes().flatMap((record) => {
      const removedAtMs = (record.heads[0] as Head).stamp / 1000
      if (removedAtMs < nowMs - TRASH_MS || (record.heads[0] as Head).stamp <= (record.forgottenAt ?? -1)) return []
      const last = this.lastContent(record)
      if (!last && record.kind !== 'folder') return []
      const shownAs = { ...record, heads: last ? [last] : record.heads }
      return [{ node: nodeOf(shownAs, record.name, nowMs), removedAtMs }]
    })
    return rows.sort((a, b) => b.removedAtMs - a.removedAtMs)
  }

  /** What a node was before it was removed, also when it is in no trash any more; undefined: it is shown, or no content of it is kept. */
  removedNode(id: NodeId): DatasetNode | undefined {
    const record = this.#store.node(id)
    if (!record || this.#store.shownName(id) !== undefined) return undefined
    if (record.kind === 'folder') return nodeOf(record, record.name, this.#clock.nowMs())
    const last = [...this.#store.versions(id), ...record.heads].find(({ content }) => content.kind !== 'removed')
    return last && nodeOf({ ...record, heads: [last] }, record.name, this.#clock.nowMs())
  }

  /** @throws FileError `file/not-found`, `file/not-a-file` */
  manifestOf(id: NodeId, version?: OpId): Manifest {
    const node = version === undefined ? this.require(id) : undefined
    if (node) {
      if (node.kind !== 'file') throw new FileError('file/not-a-file', `${node.name} is not a file`)
      return node.manifest
    }
    const copyOf = this.#store.node(id)?.copyOf
    const found = this.#store.versions(copyOf?.node ?? id).find(({ op }) => op === version)
    if (found?.content.kind !== 'file') throw new FileError('file/not-found', 'that version is not kept any more')
    return found.content.manifest
  }

  protected lastContent(record: NodeRecord): Head | undefined {
    const forgottenAt = record.forgottenAt ?? -1
    const kept = this.#store.versions(record.id).find(({ content, stamp }) => content.kind !== 'removed' && stamp > forgottenAt)
    return kept ?? record.heads.find(({ content }) => content.kind !== 'removed')
  }

  protected record(id: NodeId): NodeRecord {
    const record = this.#store.node(id)
    if (!record) throw new FileError('file/not-found', 'this file or folder is not there any more')
    return record
  }

  protected requireFolder(id: NodeId): void {
    const node = this.require(id)
    if (node.kind !== 'folder') throw new FileError('file/not-a-folder', `${node.name} is not a folder`)
  }
}

/** @throws FileError `file/bad-path` */
export function requireName(name: string): void {
  if (!isNodeName(name)) throw new FileError('file/bad-path', `${JSON.stringify(name.slice(0, 60))} cannot be a name`)
}
