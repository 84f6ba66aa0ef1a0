import type { Clock } from '../base/clock.ts'
import { StillLoading } from './checkpoint/still-loading.ts'
import type { Dataset } from './dataset.ts'
import type { DatasetNode } from './dataset-node.ts'
import type { Manifest } from './manifest.ts'
import { type Ino, ROOT_INO, type TreeAttributes } from './mounted-tree.ts'
import type { NodeId, OpId } from './op.ts'
import { TreeError } from './tree-error.ts'
import { treeErrorOf } from './tree-errors.ts'
import { type TreeDataset, type TreeSlot, TreeSlots } from './tree-slots.ts'

const MS = 1_000_000n

/**
 * What entries of a mounted tree are: which number means which node, what is told of it, and what this device alone knows
 * (times of folders, what was removed and is still open). Everything that works on the tree shares one.
 */
export class TreeNumbers {
  readonly slots = new TreeSlots(ROOT_INO + 1)
  /** By dataset and node: when something was last written into the folder here. */
  readonly folderTimes = new Map<string, bigint>()
  readonly #clock: Clock
  #ownCalls = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A call of our own into a dataset runs: what it changes, we know. */
  get isOwnCall(): boolean {
    return this.#ownCalls > 0
  }

  slot(ino: Ino): TreeSlot {
    const slot = this.slots.at(ino)
    if (!slot) throw new TreeError(ino === ROOT_INO ? 'tree/is-a-folder' : 'tree/not-found')
    return slot
  }

  node(slot: TreeSlot): DatasetNode {
    const node = slot.last ?? slot.of.dataset.node(slot.id)
    if (!node) throw new TreeError('tree/not-found')
    return node
  }

  file(slot: TreeSlot): DatasetNode {
    const node = this.node(slot)
    if (node.kind === 'folder') throw new TreeError('tree/is-a-folder')
    if (node.kind === 'link') throw new TreeError('tree/bad-argument')
    return node
  }

  folder(ino: Ino, forWriting = false): { of: TreeDataset; node: DatasetNode } {
    // The root holds datasets; they come and go elsewhere.
    if (ino === ROOT_INO) throw new TreeError('tree/not-permitted')
    const slot = this.slot(ino)
    const node = this.node(slot)
    if (node.kind !== 'folder') throw new TreeError('tree/not-a-folder')
    if (forWriting && this.#isGone(slot)) throw new TreeError('tree/not-found')
    return { of: slot.of, node }
  }

  child(of: TreeDataset, folder: DatasetNode, name: string): DatasetNode {
    const child = of.dataset.lookup(folder.id, name)
    if (!child) throw new TreeError('tree/not-found')
    return child
  }

  handOut(of: TreeDataset, node: DatasetNode, parent: Ino): TreeAttributes {
    const slot = this.slots.take(of, node, parent)
    slot.count++
    return this.attributes(slot, node)
  }

  dropUnused(slot: TreeSlot): void {
    if (slot.count > 0) return
    // The kernel forgets a file it has written back; what is not yet a version still has to become one.
    if (slot.staged && !slot.isRemoved) return
    slot.quiet?.dispose()
    this.slots.drop(slot)
  }

  /** Their entries are nothing any more, whoever has them open. */
  dropAll(gone: ReadonlySet<TreeDataset>): void {
    for (const slot of [...this.slots.all]) {
      if (!gone.has(slot.of)) continue
      slot.quiet?.dispose()
      this.slots.drop(slot)
    }
  }

  attributes(slot: TreeSlot, node: DatasetNode): TreeAttributes {
    const folderTime = node.kind === 'folder' ? this.folderTimes.get(keyOf(slot.of, slot.id)) : undefined
    const mtimeNs = slot.mtimeNs ?? folderTime ?? node.mtimeNs
    return {
      ino: slot.ino,
      kind: node.kind,
      mode: node.mode,
      fileBytes: slot.staged?.bytes ?? node.bytes,
      atimeNs: slot.atimeNs ?? mtimeNs,
      mtimeNs,
      ctimeNs: slot.ctimeNs ?? BigInt(Math.floor(node.changedMs)) * MS,
      // Folders in a folder are not counted (as on btrfs): programs take 1 as "not known".
      linkCount: this.#isGone(slot) ? 0 : 1,
    }
  }

  /** No name leads to it, and what was written into it does not bring it back. */
  #isGone(slot: TreeSlot): boolean {
    if (slot.isRemoved || !slot.last || slot.staged) return slot.isRemoved
    try {
      return !slot.of.dataset.node(slot.id)
    } catch (error) {
      if (error instanceof StillLoading) return false
      throw error
    }
  }

  /** What is written into a folder moves its time: kept here, for each device tells by its own writes. */
  touched(of: TreeDataset, folder: NodeId): void {
    this.folderTimes.set(keyOf(of, folder), this.nowNs())
  }

  /** A program removed it: so is what programs here have open of it as it was before another device wrote it. */
  gone(of: TreeDataset, node: DatasetNode): void {
    const own = this.slots.of(of.dataset, node.id)
    for (const slot of [...(own ? [own] : []), ...this.slots.apartFrom(of.dataset, node.id)]) {
      slot.isRemoved = true
      slot.ctimeNs = this.nowNs()
      slot.quiet?.dispose()
      if (slot.isSynced) of.dataset.dropSynced(slot.id, slot.base as OpId)
      slot.isSynced = false
      this.slots.detach(slot, slot.last ?? node)
      this.dropUnused(slot)
    }
  }

  moved(of: TreeDataset, id: NodeId, parent: Ino, name: string): void {
    const slot = this.slots.of(of.dataset, id)
    if (!slot) return
    slot.parent = parent
    slot.name = name
    slot.ctimeNs = this.nowNs()
  }

  own<T>(of: TreeDataset, work: (dataset: Dataset) => T): T {
    this.#ownCalls++
    try {
      return work(of.dataset)
    } catch (error) {
      throw treeErrorOf(error)
    } finally {
      this.#ownCalls--
    }
  }

  /** What is being written, and what is open though it is not the version shown any more. */
  *contentsInUse(dataset: Dataset): Iterable<Manifest> {
    for (const { of, staged, last } of this.slots.all) {
      if (of.dataset !== dataset) continue
      if (staged) yield staged.manifest
      if (last) yield last.manifest
    }
  }

  nowNs(): bigint {
    return BigInt(Math.floor(this.#clock.nowMs() * 1000)) * 1000n
  }
}

export const keyOf = (of: TreeDataset, id: NodeId): string => `${of.name}/${id}`

/** Is `id` the folder, or somewhere in it? */
export function isInside(dataset: Dataset, id: NodeId, folder: NodeId): boolean {
  for (let at: NodeId = id; ; ) {
    if (at === folder) return true
    if (at === dataset.root) return false
    const next = dataset.node(at)?.parent
    if (!next) return false
    at = next
  }
}
