import type { NodeRecord } from './node-record.ts'
import type { NodeId } from './op.ts'

/** A node that is newer here than in the store behind. */
export interface PendingNode {
  /** Undefined: it was deleted. */
  readonly record: NodeRecord | undefined
  readonly shown: string | undefined
  /** A folder that the store behind does not hold, nor anything in it. */
  readonly isNew: boolean
}

/** Nodes that are not in the store behind yet: by id, by folder, by the name they are shown under and by their own. */
export class PendingNodes {
  readonly #nodes = new Map<NodeId, PendingNode>()
  readonly #byFolder = new Map<string, Set<NodeId>>()
  readonly #byShown = new Map<string, Set<NodeId>>()
  readonly #byName = new Map<string, Set<NodeId>>()

  get size(): number {
    return this.#nodes.size
  }

  get all(): Iterable<[NodeId, PendingNode]> {
    return this.#nodes
  }

  get(id: NodeId): PendingNode | undefined {
    return this.#nodes.get(id)
  }

  /** Undefined: the store behind has it now. */
  set(id: NodeId, next: PendingNode | undefined): void {
    const before = this.#nodes.get(id)
    if (before?.record && before.shown !== undefined) this.#unlist(before.record, before.shown)
    if (!next) this.#nodes.delete(id)
    else this.#nodes.set(id, next)
    if (next?.record && next.shown !== undefined) this.#list(next.record, next.shown)
  }

  listedIn(parent: NodeId): Iterable<NodeId> {
    return this.#byFolder.get(parent) ?? []
  }

  shownAs(parent: NodeId, shown: string): Iterable<NodeId> {
    return this.#byShown.get(`${parent}/${shown}`) ?? []
  }

  named(parent: NodeId, name: string): Iterable<NodeId> {
    return this.#byName.get(`${parent}/${name}`) ?? []
  }

  #list({ id, parent, name }: NodeRecord, shown: string): void {
    for (const [index, key] of this.#keys(parent, name, shown)) {
      const ids = index.get(key)
      if (ids) ids.add(id)
      else index.set(key, new Set([id]))
    }
  }

  #unlist({ id, parent, name }: NodeRecord, shown: string): void {
    for (const [index, key] of this.#keys(parent, name, shown)) {
      const ids = index.get(key)
      ids?.delete(id)
      if (ids?.size === 0) index.delete(key)
    }
  }

  #keys(parent: NodeId, name: string, shown: string) {
    return [
      [this.#byFolder, parent],
      [this.#byShown, `${parent}/${shown}`],
      [this.#byName, `${parent}/${name}`],
    ] as const
  }
}
