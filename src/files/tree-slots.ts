import type { Dataset } from './dataset.ts'
import type { DatasetNode } from './dataset-node.ts'
import type { LocalFolders } from './local-folders.ts'
import type { Ino } from './mounted-tree.ts'
import type { NodeId } from './op.ts'
import type { StagedFile } from './staged-file.ts'
import type { Disposable } from '../base/disposable.ts'

/** One dataset of the tree. */
export interface TreeDataset {
  /** As the root lists it; of each tree only one has it. The tree changes it. */
  name: string
  readonly dataset: Dataset
  /** Folders of this device only that lie in it, and as what their contents are part of the tree. */
  readonly local?: { readonly folders: LocalFolders; readonly of: TreeDataset } | undefined
}

/** An entry that has a number: somebody may ask for it. */
export interface TreeSlot {
  readonly ino: Ino
  readonly of: TreeDataset
  /** Another one after it was a conflict copy that is none any more, and was written. */
  id: NodeId
  /** As its number was told to mean: another device's version gets another number. */
  version: string
  /** Where it was last seen, to say which name means something else now. */
  parent: Ino
  name: string
  /** Times it was handed out. */
  count: number
  /** What it was when it was removed, or when another device replaced it: it goes on as that. */
  last: DatasetNode | undefined
  /** What programs here set since it is `last`: its node has it when it comes back. */
  setApart: { readonly mode?: number | undefined; readonly xattrs?: ReadonlyMap<string, string | undefined> | undefined } | undefined
  /** By a program, through this tree: it lives until it is forgotten, and nothing that is written into it is kept. */
  isRemoved: boolean
  staged: StagedFile | undefined
  /** What it was when `staged` began, and what a conflict copy was: nothing tells that of one that is none any more. */
  known: DatasetNode | undefined
  /** The version `staged` began from. */
  base: string
  /** When `staged` began, by the monotonic clock. */
  stagedMs: number | undefined
  /** Something of it was synced since `base`, and is kept until the next version. */
  isSynced: boolean
  /** Set for a file that is being written, kept with its next version. */
  mtimeNs: bigint | undefined
  /** Of this device, until it is forgotten. */
  atimeNs: bigint | undefined
  ctimeNs: bigint | undefined
  /** Runs out 2 s after the last write. */
  quiet: Disposable | undefined
  /** One commit at a time. */
  committing: Promise<void> | undefined
}

/** Numbers of entries: given when first asked for, dropped when given back. Never used twice. */
export class TreeSlots {
  readonly #byIno = new Map<Ino, TreeSlot>()
  readonly #byNode = new Map<Dataset, Map<NodeId, TreeSlot>>()
  /** Of nodes that have, or had, another number since: what programs here have open as it was. */
  readonly #apart = new Map<NodeId, Set<TreeSlot>>()
  #next: Ino

  constructor(firstIno: Ino) {
    this.#next = firstIno
  }

  at(ino: Ino): TreeSlot | undefined {
    return this.#byIno.get(ino)
  }

  of(dataset: Dataset, id: NodeId): TreeSlot | undefined {
    return this.#byNode.get(dataset)?.get(id)
  }

  get all(): Iterable<TreeSlot> {
    return this.#byIno.values()
  }

  take(of: TreeDataset, node: DatasetNode, parent: Ino): TreeSlot {
    const nodes = this.#byNode.get(of.dataset) ?? new Map<NodeId, TreeSlot>()
    this.#byNode.set(of.dataset, nodes)
    let slot = nodes.get(node.id)
    if (!slot) {
      slot = {
        ino: this.#next++,
        of,
        id: node.id,
        version: node.version,
        parent,
        name: node.name,
        count: 0,
        last: undefined,
        setApart: undefined,
        isRemoved: false,
        staged: undefined,
        known: undefined,
        base: '',
        stagedMs: undefined,
        isSynced: false,
        mtimeNs: undefined,
        atimeNs: undefined,
        ctimeNs: undefined,
        quiet: undefined,
        committing: undefined,
      }
      nodes.set(node.id, slot)
      this.#byIno.set(slot.ino, slot)
    }
    slot.parent = parent
    slot.name = node.name
    if (node.isConflictCopy) slot.known = node
    return slot
  }

  /** Those that go on as what `id` was before another device wrote or removed it. */
  apartFrom(dataset: Dataset, id: NodeId): TreeSlot[] {
    return [...(this.#apart.get(id) ?? [])].filter(({ of }) => of.dataset === dataset)
  }

  /** Its node gets another number from now on; this one goes on as what it was. */
  detach(slot: TreeSlot, last: DatasetNode): void {
    slot.last = last
    this.#leaveNode(slot)
    if (slot.isRemoved) return
    const apart = this.#apart.get(slot.id) ?? new Set()
    this.#apart.set(slot.id, apart.add(slot))
  }

  /** What was written into it is another node. */
  become(slot: TreeSlot, id: NodeId): void {
    this.#leaveNode(slot)
    slot.id = id
    if (slot.last) this.detach(slot, slot.last)
  }

  /** It is what its node is again. False: the node has another number. */
  attach(slot: TreeSlot): boolean {
    const nodes = this.#byNode.get(slot.of.dataset)
    if (!nodes || nodes.has(slot.id)) return false
    this.#leaveNode(slot)
    nodes.set(slot.id, slot)
    slot.last = undefined
    return true
  }

  drop(slot: TreeSlot): void {
    this.#byIno.delete(slot.ino)
    this.#leaveNode(slot)
  }

  #leaveNode(slot: TreeSlot): void {
    const nodes = this.#byNode.get(slot.of.dataset)
    if (nodes?.get(slot.id) === slot) nodes.delete(slot.id)
    const apart = this.#apart.get(slot.id)
    if (apart?.delete(slot) && apart.size === 0) this.#apart.delete(slot.id)
  }
}
