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
  readonly #byFolder = new Map<NodeId, Set<NodeId>>()
  readonly #byShown = new Map<string, Named>()
  readonly #byName = new Map<string, Named>()

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
    const old = before?.record
    const record = next?.record
    // Nearly always it is listed where it was.
    const isSame = old?.parent === record?.parent && old?.name === record?.name && before?.shown === next?.shown
    if (!isSame && old && before.shown !== undefined) this.#unlist(old, before.shown)
    if (!next) this.#nodes.delete(id)
    else this.#nodes.set(id, next)
    if (!isSame && record && next.shown !== undefined) this.#list(record, next.shown)
  }

  listedIn(parent: NodeId): Iterable<NodeId> {
    return this.#byFolder.get(parent) ?? []
  }

  shownAs(parent: NodeId, shown: string): readonly NodeId[] {
    return idsOf(this.#byShown.get(`${parent}/${shown}`))
  }

  named(parent: NodeId, name: string): readonly NodeId[] {
    return idsOf(this.#byName.get(`${parent}/${name}`))
  }

  #list({ id, parent, name }: NodeRecord, shown: string): void {
    const folder = this.#byFolder.get(parent)
    if (folder) folder.add(id)
    else this.#byFolder.set(parent, new Set([id]))
    add(this.#byShown, `${parent}/${shown}`, id)
    add(this.#byName, `${parent}/${name}`, id)
  }

  #unlist({ id, parent, name }: NodeRecord, shown: string): void {
    const folder = this.#byFolder.get(parent)
    folder?.delete(id)
    if (folder?.size === 0) this.#byFolder.delete(parent)
    remove(this.#byShown, `${parent}/${shown}`, id)
    remove(this.#byName, `${parent}/${name}`, id)
  }
}

/** Nearly always a name is one node's: a set for each would be half of what a new file costs here. */
type Named = NodeId | readonly NodeId[]

const idsOf = (named: Named | undefined): readonly NodeId[] => (named === undefined ? [] : typeof named === 'string' ? [named] : named)

function add(index: Map<string, Named>, key: string, id: NodeId): void {
  const there = index.get(key)
  if (there === undefined) index.set(key, id)
  else if (!idsOf(there).includes(id)) index.set(key, [...idsOf(there), id])
}

function remove(index: Map<string, Named>, key: string, id: NodeId): void {
  const left = idsOf(index.get(key)).filter((other) => other !== id)
  if (left.length === 0) index.delete(key)
  else index.set(key, left.length === 1 ? (left[0] as NodeId) : left)
}
