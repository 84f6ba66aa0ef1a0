import type { Emitter } from '../base/emitter.ts'
import { StillLoading } from './checkpoint/still-loading.ts'
import type { DatasetChange } from './dataset-parts.ts'
import type { DatasetNode } from './dataset-node.ts'
import type { TreeChange } from './mounted-tree.ts'
import type { NodeId, OpId } from './op.ts'
import type { TreeNumbers } from './tree-numbers.ts'
import type { TreeDataset, TreeSlot } from './tree-slots.ts'

/** A bug to plant, so that the fuzz can show it finds one; tests only. */
export type TreePlant = 'removed-elsewhere'

/** Tells whoever keeps copies what other devices, or other ways into the dataset, changed (rule MT12). */
export class TreeNews {
  readonly #numbers: TreeNumbers
  readonly #changes: Emitter<TreeChange>
  readonly #plant: TreePlant | undefined

  constructor(numbers: TreeNumbers, changes: Emitter<TreeChange>, plant?: TreePlant) {
    this.#numbers = numbers
    this.#changes = changes
    this.#plant = plant
  }

  take(of: TreeDataset, { nodes, folders }: DatasetChange): void {
    if (this.#numbers.isOwnCall) return
    for (const id of nodes) this.#takeNode(of, id)
    for (const folder of folders) {
      const slot = this.#numbers.slots.of(of.dataset, folder)
      if (slot) this.#changes.fire({ kind: 'content', ino: slot.ino })
    }
  }

  #takeNode(of: TreeDataset, id: NodeId): void {
    const node = of.dataset.node(id)
    const slot = this.#numbers.slots.of(of.dataset, id)
    const parent = node && id !== of.dataset.root ? this.#numbers.slots.of(of.dataset, node.parent) : undefined
    if (slot && node) {
      const isOther = node.kind === 'file' && node.version !== slot.version
      const isMoved = parent !== undefined && (slot.parent !== parent.ino || slot.name !== node.name)
      if (isOther) this.#numbers.slots.detach(slot, this.#asBefore(of, slot, node))
      if (isOther || isMoved) this.#changes.fire({ kind: 'entry', parent: slot.parent, name: slot.name })
      if (!isOther) this.#changes.fire({ kind: 'content', ino: slot.ino })
    } else if (slot) {
      // Nobody here removed it: what programs here write into it goes on becoming versions (rule MT16).
      this.#changes.fire({ kind: 'entry', parent: slot.parent, name: slot.name })
      if (this.#plant) slot.isRemoved = true
      const removed = this.#removed(of, id)
      const last = removed ? this.#asBefore(of, slot, removed) : slot.known
      if (last) this.#numbers.slots.detach(slot, last)
    }
    if (node && parent) this.#changes.fire({ kind: 'entry', parent: parent.ino, name: node.name })
  }

  /** While a checkpoint is loaded nobody knows all that was removed: what is open and not written is gone then. */
  #removed(of: TreeDataset, id: NodeId): DatasetNode | undefined {
    try {
      return of.dataset.removedNode(id)
    } catch (error) {
      if (error instanceof StillLoading) return undefined
      throw error
    }
  }

  /** An open file goes on reading the version it read before. */
  #asBefore(of: TreeDataset, slot: TreeSlot, node: DatasetNode): DatasetNode {
    const version = slot.version as OpId
    if (node.kind !== 'file' || node.version === version) return node
    try {
      const manifest = of.dataset.manifestOf(slot.id, version)
      return { ...node, version, manifest, bytes: manifest.bytes }
    } catch {
      // Not kept any more (thinned): the newer one is better than an error.
      return { ...node, version }
    }
  }
}
