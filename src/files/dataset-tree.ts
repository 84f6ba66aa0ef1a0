import type { Clock } from '../base/clock.ts'
import { fromBase64Url, toBase64Url } from '../base/bytes.ts'
import { Emitter } from '../base/emitter.ts'
import { errorMessage } from '../base/errors.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import type { Logger } from '../base/logger.ts'
import type { Dataset, DatasetChange } from './dataset.ts'
import type { DatasetNode } from './dataset-node.ts'
import {
  type AllocateKind,
  type Answer,
  type AttributeChanges,
  type Ino,
  type MountedTree,
  ROOT_INO,
  type RenameKind,
  type SetAttributeKind,
  type TreeAttributes,
  type TreeChange,
  type TreeEntry,
  type TreeSpace,
} from './mounted-tree.ts'
import type { NodeId, OpId } from './op.ts'
import { StagedFile } from './staged-file.ts'
import { TreeError } from './tree-error.ts'
import { treeErrorOf } from './tree-errors.ts'
import { type TreeDataset, type TreeSlot, TreeSlots } from './tree-slots.ts'

/** A file that is written and not closed becomes a version when nothing was written for this long (flow D). */
const QUIET_MS = 2_000
/** What closed files hold reaches the disk itself this long after: together, for each waits milliseconds. */
const SYNC_DELAY_MS = 200
/** Folders whose order is kept while they are listed page by page. */
const KEPT_LISTS = 16
/** Digits of a node's id that make its place in a list: 52 bits. */
const COOKIE_DIGITS = 13
const MS = 1_000_000n

export interface DatasetTreeOptions {
  readonly datasets: readonly TreeDataset[]
  readonly clock: Clock
  readonly log: Logger
  /** Room for new bytes here. */
  space(): TreeSpace
}

/**
 * The person's datasets as a mount shows them: the root lists them, below each lies its tree. Changes of the tree are done
 * when a call returns and survive kill -9; bytes that are written become a version when the file is closed, is quiet, or
 * all is closed. Owns no dataset.
 *
 * One file like this is more than a screen: the calls of MountedTree belong together, and share the numbers.
 */
export class DatasetTree implements MountedTree, Disposable {
  readonly #options: DatasetTreeOptions
  readonly #slots = new TreeSlots(ROOT_INO + 1)
  readonly #changes = new Emitter<TreeChange>()
  readonly #owned = new DisposableStore()
  readonly #lists = new Map<Ino, readonly NodeId[]>()
  readonly #folderTimes = new Map<string, bigint>()
  readonly #openedNs: bigint
  readonly onDidChange = this.#changes.event
  /** Calls of our own into a dataset: what they change, we know. */
  #ownCalls = 0
  #syncing: Disposable | undefined

  constructor(options: DatasetTreeOptions) {
    this.#options = options
    this.#openedNs = this.#nowNs()
    this.#owned.add(this.#changes)
    for (const of of options.datasets) this.#owned.add(of.dataset.onDidChange((change) => this.#take(of, change)))
    this.#owned.defer(() => this.#syncing?.dispose())
  }

  lookup(parent: Ino, name: string): TreeAttributes | undefined {
    if (parent === ROOT_INO) {
      const of = this.#options.datasets.find((there) => there.name === name)
      return of && this.#handOut(of, of.dataset.require(of.dataset.root), ROOT_INO)
    }
    const { of, node } = this.#folder(parent)
    const child = of.dataset.lookup(node.id, name)
    return child && this.#handOut(of, child, parent)
  }

  getattr(ino: Ino): TreeAttributes {
    if (ino === ROOT_INO) return this.#rootAttributes()
    const slot = this.#slot(ino)
    return this.#attributes(slot, this.#node(slot))
  }

  setattr(ino: Ino, changes: AttributeChanges): TreeAttributes {
    if (ino === ROOT_INO) throw new TreeError('tree/not-permitted')
    const slot = this.#slot(ino)
    const node = this.#node(slot)
    const { mode, fileBytes, atimeNs, mtimeNs, ctimeNs } = changes
    if (fileBytes !== undefined && fileBytes !== (slot.staged?.bytes ?? node.bytes)) {
      this.#stage(slot, node).resize(fileBytes)
      slot.mtimeNs = this.#nowNs()
    }
    if (atimeNs !== undefined) slot.atimeNs = atimeNs
    slot.ctimeNs = ctimeNs ?? this.#nowNs()
    const op: { mode?: number; mtimeNs?: bigint } = {}
    if (mode !== undefined && mode !== node.mode) op.mode = mode
    if (mtimeNs !== undefined) {
      // A file being written: its time goes with the version. A folder's, and one that is the same, tells others nothing.
      if (slot.staged) slot.mtimeNs = mtimeNs
      else if (node.kind === 'folder') this.#folderTimes.set(keyOf(slot.of, slot.id), mtimeNs)
      if (!slot.staged && mtimeNs !== node.mtimeNs) op.mtimeNs = mtimeNs
    }
    if (slot.last) slot.last = { ...node, ...op }
    else if (op.mode !== undefined || op.mtimeNs !== undefined) this.#own(slot.of, (dataset) => dataset.setAttributes(slot.id, op))
    return this.#attributes(slot, this.#node(slot))
  }

  readdir(ino: Ino, afterCookie: number, limit: number): readonly TreeEntry[] {
    if (ino === ROOT_INO) {
      return this.#options.datasets.slice(afterCookie, afterCookie + limit).map((of, at) => ({
        name: of.name,
        cookie: afterCookie + at + 1,
        attributes: this.#handOut(of, of.dataset.require(of.dataset.root), ROOT_INO),
      }))
    }
    const { of, node } = this.#folder(ino)
    const ids = this.#listed(ino, of.dataset, node.id, afterCookie === 0)
    const entries: TreeEntry[] = []
    let at = afterCookie === 0 ? 0 : firstAfter(ids, afterCookie)
    for (; at < ids.length && entries.length < limit; at++) {
      const child = of.dataset.node(ids[at] as NodeId)
      if (child?.parent === node.id) {
        entries.push({ name: child.name, cookie: cookieOf(child.id), attributes: this.#handOut(of, child, ino) })
      }
    }
    if (at >= ids.length) this.#lists.delete(ino)
    return entries
  }

  create(parent: Ino, name: string, mode: number): TreeAttributes {
    const { of, node } = this.#folder(parent, true)
    this.#touched(of, node.id)
    return this.#handOut(
      of,
      this.#own(of, (dataset) => dataset.createFile(node.id, name, { mode: mode & 0o7777 })),
      parent,
    )
  }

  mkdir(parent: Ino, name: string, mode: number): TreeAttributes {
    const { of, node } = this.#folder(parent, true)
    this.#touched(of, node.id)
    return this.#handOut(
      of,
      this.#own(of, (dataset) => dataset.makeFolder(node.id, name, { mode: mode & 0o7777 })),
      parent,
    )
  }

  symlink(parent: Ino, name: string, target: string): TreeAttributes {
    const { of, node } = this.#folder(parent, true)
    this.#touched(of, node.id)
    return this.#handOut(
      of,
      this.#own(of, (dataset) => dataset.makeLink(node.id, name, target)),
      parent,
    )
  }

  readlink(ino: Ino): string {
    const { target } = this.#node(this.#slot(ino))
    if (target === undefined) throw new TreeError('tree/bad-argument')
    return target
  }

  unlink(parent: Ino, name: string): void {
    const { of, node } = this.#folder(parent, true)
    const child = this.#child(of, node, name)
    if (child.kind === 'folder') throw new TreeError('tree/is-a-folder')
    this.#own(of, (dataset) => dataset.remove(child.id))
    this.#gone(of, child)
    this.#touched(of, node.id)
  }

  rmdir(parent: Ino, name: string): void {
    const { of, node } = this.#folder(parent, true)
    const child = this.#child(of, node, name)
    if (child.kind !== 'folder') throw new TreeError('tree/not-a-folder')
    if (of.dataset.children(child.id).length > 0) throw new TreeError('tree/not-empty')
    this.#own(of, (dataset) => dataset.remove(child.id))
    this.#gone(of, child)
    this.#touched(of, node.id)
  }

  rename(parent: Ino, name: string, toParent: Ino, toName: string, kind: RenameKind): void {
    const { of, node } = this.#folder(parent, true)
    const to = this.#folder(toParent, true)
    const child = this.#child(of, node, name)
    if (of !== to.of) throw new TreeError('tree/other-disk')
    const there = of.dataset.lookup(to.node.id, toName)
    if (there?.id === child.id) return
    if (kind === 'keep' && there) throw new TreeError('tree/exists')
    if (kind === 'exchange') {
      if (!there) throw new TreeError('tree/not-found')
      if (this.#isInside(of.dataset, to.node.id, child.id) || this.#isInside(of.dataset, node.id, there.id))
        throw new TreeError('tree/bad-argument')
      this.#own(of, (dataset) => dataset.exchange(child.id, there.id))
      this.#moved(of, child.id, toParent, toName)
      this.#moved(of, there.id, parent, name)
    } else {
      if (this.#isInside(of.dataset, to.node.id, child.id)) throw new TreeError('tree/bad-argument')
      if (there && child.kind === 'folder' && there.kind !== 'folder') throw new TreeError('tree/not-a-folder')
      if (there && child.kind !== 'folder' && there.kind === 'folder') throw new TreeError('tree/is-a-folder')
      if (there?.kind === 'folder' && of.dataset.children(there.id).length > 0) throw new TreeError('tree/not-empty')
      this.#own(of, (dataset) => dataset.move(child.id, to.node.id, toName, { replace: true }))
      if (there) this.#gone(of, there)
      this.#moved(of, child.id, toParent, toName)
    }
    this.#touched(of, node.id)
    this.#touched(of, to.node.id)
  }

  read(ino: Ino, offset: number, length: number, signal?: AbortSignal): Answer<readonly Uint8Array[]> {
    const slot = this.#slot(ino)
    const node = this.#file(slot)
    const { dataset } = slot.of
    const bytes = slot.staged ? slot.staged.read(offset, length, signal) : dataset.reader.read(node.manifest, offset, length, signal)
    return bytes instanceof Promise ? bytes.then((late) => [late]).catch(rethrow) : [bytes]
  }

  write(ino: Ino, offset: number, bytes: Uint8Array): Answer<void> {
    const slot = this.#slot(ino)
    const written = this.#stage(slot, this.#file(slot)).write(offset, bytes)
    slot.mtimeNs = this.#nowNs()
    return written?.catch(rethrow)
  }

  allocate(ino: Ino, kind: AllocateKind, offset: number, length: number): void {
    const slot = this.#slot(ino)
    const node = this.#file(slot)
    if (kind === 'keep-size') return
    const staged = this.#stage(slot, node)
    const end = offset + length
    if ((kind === 'allocate' || kind === 'zero') && end > staged.bytes) staged.resize(end)
    if (kind !== 'allocate') staged.zero(offset, length)
    slot.mtimeNs = this.#nowNs()
  }

  flush(ino: Ino): Answer<void> {
    if (ino === ROOT_INO) return
    const slot = this.#slot(ino)
    if (slot.staged) return this.#commit(slot)
  }

  async fsync(ino: Ino): Promise<void> {
    if (ino === ROOT_INO) return
    const slot = this.#slot(ino)
    if (slot.staged) await this.#commit(slot)
    await slot.of.dataset.sync().catch(rethrow)
  }

  getxattr(ino: Ino, name: string): Uint8Array | undefined {
    const value = ino === ROOT_INO ? undefined : this.#node(this.#slot(ino)).xattrs.get(name)
    return value === undefined ? undefined : fromBase64Url(value)
  }

  setxattr(ino: Ino, name: string, value: Uint8Array, kind: SetAttributeKind): void {
    const isThere = this.getxattr(ino, name) !== undefined
    if (kind === 'create' && isThere) throw new TreeError('tree/exists')
    if (kind === 'replace' && !isThere) throw new TreeError('tree/no-attribute')
    this.#setXattr(ino, name, toBase64Url(value))
  }

  removexattr(ino: Ino, name: string): void {
    if (this.getxattr(ino, name) === undefined) throw new TreeError('tree/no-attribute')
    this.#setXattr(ino, name, undefined)
  }

  listxattr(ino: Ino): readonly string[] {
    return ino === ROOT_INO ? [] : [...this.#node(this.#slot(ino)).xattrs.keys()]
  }

  statfs(): TreeSpace {
    return this.#options.space()
  }

  forget(ino: Ino, count: number): void {
    const slot = this.#slots.at(ino)
    if (!slot) return
    slot.count = Math.max(0, slot.count - count)
    this.#dropUnused(slot)
  }

  /** Makes versions of all that was written. Rejects with the first that could not be kept. */
  async settle(): Promise<void> {
    const all = [...this.#slots.all].filter((slot) => slot.staged)
    const results = await Promise.allSettled(all.map(async (slot) => this.#commit(slot)))
    for (const { dataset } of this.#options.datasets) await dataset.sync()
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  }

  dispose(): void {
    for (const slot of this.#slots.all) slot.quiet?.dispose()
    this.#owned.dispose()
  }

  // Numbers

  #slot(ino: Ino): TreeSlot {
    const slot = this.#slots.at(ino)
    if (!slot) throw new TreeError(ino === ROOT_INO ? 'tree/is-a-folder' : 'tree/not-found')
    return slot
  }

  #node(slot: TreeSlot): DatasetNode {
    const node = slot.last ?? slot.of.dataset.node(slot.id)
    if (!node) throw new TreeError('tree/not-found')
    return node
  }

  #file(slot: TreeSlot): DatasetNode {
    const node = this.#node(slot)
    if (node.kind === 'folder') throw new TreeError('tree/is-a-folder')
    if (node.kind === 'link') throw new TreeError('tree/bad-argument')
    return node
  }

  #folder(ino: Ino, forWriting = false): { of: TreeDataset; node: DatasetNode } {
    // The root holds datasets; they come and go elsewhere.
    if (ino === ROOT_INO) throw new TreeError('tree/not-permitted')
    const slot = this.#slot(ino)
    const node = this.#node(slot)
    if (node.kind !== 'folder') throw new TreeError('tree/not-a-folder')
    if (slot.isRemoved && forWriting) throw new TreeError('tree/not-found')
    return { of: slot.of, node }
  }

  #child(of: TreeDataset, folder: DatasetNode, name: string): DatasetNode {
    const child = of.dataset.lookup(folder.id, name)
    if (!child) throw new TreeError('tree/not-found')
    return child
  }

  #handOut(of: TreeDataset, node: DatasetNode, parent: Ino): TreeAttributes {
    const slot = this.#slots.take(of, node, parent)
    slot.count++
    return this.#attributes(slot, node)
  }

  #dropUnused(slot: TreeSlot): void {
    if (slot.count > 0) return
    // The kernel forgets a file it has written back; what is not yet a version still has to become one.
    if (slot.staged && !slot.isRemoved && !slot.staged.isStored) return
    slot.quiet?.dispose()
    this.#slots.drop(slot)
  }

  #attributes(slot: TreeSlot, node: DatasetNode): TreeAttributes {
    const folderTime = node.kind === 'folder' ? this.#folderTimes.get(keyOf(slot.of, slot.id)) : undefined
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
      linkCount: slot.isRemoved ? 0 : 1,
    }
  }

  #rootAttributes(): TreeAttributes {
    const timeNs = this.#openedNs
    return { ino: ROOT_INO, kind: 'folder', mode: 0o555, fileBytes: 0, atimeNs: timeNs, mtimeNs: timeNs, ctimeNs: timeNs, linkCount: 1 }
  }

  #listed(ino: Ino, dataset: Dataset, folder: NodeId, isStart: boolean): readonly NodeId[] {
    const kept = isStart ? undefined : this.#lists.get(ino)
    if (kept) return kept
    const ids = dataset
      .children(folder)
      .map(({ id }) => id)
      .sort((a, b) => (a < b ? -1 : 1))
    this.#lists.delete(ino)
    this.#lists.set(ino, ids)
    if (this.#lists.size > KEPT_LISTS) this.#lists.delete(this.#lists.keys().next().value as Ino)
    return ids
  }

  #isInside(dataset: Dataset, id: NodeId, folder: NodeId): boolean {
    for (let at: NodeId = id; ; ) {
      if (at === folder) return true
      if (at === dataset.root) return false
      const next = dataset.node(at)?.parent
      if (!next) return false
      at = next
    }
  }

  /** What is written into a folder moves its time: kept here, for each device tells by its own writes. */
  #touched(of: TreeDataset, folder: NodeId): void {
    this.#folderTimes.set(keyOf(of, folder), this.#nowNs())
  }

  #gone(of: TreeDataset, node: DatasetNode): void {
    const slot = this.#slots.of(of.dataset, node.id)
    if (!slot) return
    slot.isRemoved = true
    slot.ctimeNs = this.#nowNs()
    slot.quiet?.dispose()
    this.#slots.detach(slot, node)
  }

  #moved(of: TreeDataset, id: NodeId, parent: Ino, name: string): void {
    const slot = this.#slots.of(of.dataset, id)
    if (!slot) return
    slot.parent = parent
    slot.name = name
    slot.ctimeNs = this.#nowNs()
  }

  #setXattr(ino: Ino, name: string, value: string | undefined): void {
    const slot = this.#slot(ino)
    const node = this.#node(slot)
    slot.ctimeNs = this.#nowNs()
    if (slot.last) {
      const xattrs = new Map(node.xattrs)
      if (value === undefined) xattrs.delete(name)
      else xattrs.set(name, value)
      slot.last = { ...node, xattrs }
    } else this.#own(slot.of, (dataset) => dataset.setXattr(slot.id, name, value))
  }

  // Writing

  #stage(slot: TreeSlot, node: DatasetNode): StagedFile {
    if (!slot.staged) {
      const { dataset } = slot.of
      const contents = {
        change: dataset.changeContent.bind(dataset),
        changeNow: dataset.changeContentNow.bind(dataset),
        read: dataset.reader.read.bind(dataset.reader),
      }
      slot.staged = new StagedFile(contents, node.manifest)
      slot.base = node.version
    }
    slot.quiet?.dispose()
    slot.quiet = this.#options.clock.after(QUIET_MS, () => {
      const failed = (error: unknown) =>
        this.#options.log.warn('what was written is not a version yet; it will be tried again', { error: errorMessage(error) })
      new Promise<void>((resolve) => resolve(this.#commit(slot))).catch(failed)
    })
    return slot.staged
  }

  /** Makes a version of what was written; a small file at once. What could not be stored stays staged. @throws TreeError */
  #commit(slot: TreeSlot): Answer<void> {
    const { staged } = slot
    if (!slot.committing && staged) {
      const hadChanges = !staged.isStored
      try {
        if (staged.storeNow()) return this.#committed(slot, staged, hadChanges)
      } catch (error) {
        throw treeErrorOf(error)
      }
    }
    const work = async () => {
      const { staged } = slot
      if (!staged) return
      slot.quiet?.dispose()
      const hadChanges = !staged.isStored
      await staged.store()
      this.#committed(slot, staged, hadChanges)
    }
    const after = (slot.committing ?? Promise.resolve()).then(work, work)
    const committing = after
      .catch(() => {})
      .finally(() => {
        if (slot.committing === committing) slot.committing = undefined
      })
    slot.committing = committing
    return after.catch(rethrow)
  }

  /** What was written is stored. */
  #committed(slot: TreeSlot, staged: StagedFile, hadChanges: boolean): void {
    // Written to again meanwhile: the next close or the quiet makes that a version.
    if (slot.isRemoved || slot.staged !== staged) return
    slot.quiet?.dispose()
    const { manifest } = staged
    const before = this.#node(slot)
    const mtimeNs = slot.mtimeNs ?? this.#nowNs()
    if (hadChanges || manifest !== before.manifest || mtimeNs !== before.mtimeNs) {
      const node = this.#own(slot.of, (dataset) => dataset.setContent(slot.id, slot.base as OpId, manifest, { mtimeNs }))
      slot.version = node.version
      slot.base = node.version
    }
    if (staged.isStored) {
      slot.staged = undefined
      slot.mtimeNs = undefined
    }
    this.#syncSoon()
    this.#dropUnused(slot)
  }

  #syncSoon(): void {
    this.#syncing ??= this.#options.clock.after(SYNC_DELAY_MS, () => {
      this.#syncing = undefined
      for (const { dataset } of this.#options.datasets) {
        dataset.sync().catch((error: unknown) => this.#options.log.warn('files could not be synced', { error: errorMessage(error) }))
      }
    })
  }

  #own<T>(of: TreeDataset, work: (dataset: Dataset) => T): T {
    this.#ownCalls++
    try {
      return work(of.dataset)
    } catch (error) {
      throw treeErrorOf(error)
    } finally {
      this.#ownCalls--
    }
  }

  // What others change

  #take(of: TreeDataset, { nodes, folders }: DatasetChange): void {
    if (this.#ownCalls > 0) return
    for (const id of nodes) this.#takeNode(of, id)
    for (const folder of folders) {
      const slot = this.#slots.of(of.dataset, folder)
      if (slot) this.#changes.fire({ kind: 'content', ino: slot.ino })
    }
  }

  #takeNode(of: TreeDataset, id: NodeId): void {
    const node = of.dataset.node(id)
    const slot = this.#slots.of(of.dataset, id)
    const parent = node && id !== of.dataset.root ? this.#slots.of(of.dataset, node.parent) : undefined
    if (slot && node) {
      const isOther = node.kind === 'file' && node.version !== slot.version
      const isMoved = parent !== undefined && (slot.parent !== parent.ino || slot.name !== node.name)
      if (isOther) this.#slots.detach(slot, { ...node, version: slot.version as OpId, manifest: this.#manifestBefore(of, slot, node) })
      if (isOther || isMoved) this.#changes.fire({ kind: 'entry', parent: slot.parent, name: slot.name })
      if (!isOther) this.#changes.fire({ kind: 'content', ino: slot.ino })
    } else if (slot) {
      slot.isRemoved = true
      this.#changes.fire({ kind: 'entry', parent: slot.parent, name: slot.name })
      const removed = of.dataset.removed().find((gone) => gone.node.id === id)
      if (removed) this.#slots.detach(slot, removed.node)
    }
    if (node && parent) this.#changes.fire({ kind: 'entry', parent: parent.ino, name: node.name })
  }

  /** An open file goes on reading the version it read before. */
  #manifestBefore(of: TreeDataset, slot: TreeSlot, node: DatasetNode): DatasetNode['manifest'] {
    try {
      return of.dataset.manifestOf(slot.id, slot.version as OpId)
    } catch {
      // Not kept any more (thinned): the newer one is better than an error.
      return node.manifest
    }
  }

  #nowNs(): bigint {
    return BigInt(Math.floor(this.#options.clock.nowMs() * 1000)) * 1000n
  }
}

const keyOf = (of: TreeDataset, id: NodeId): string => `${of.name}/${id}`
const cookieOf = (id: NodeId): number => Number.parseInt(id.slice(0, COOKIE_DIGITS), 16) + 1

/** The first of sorted ids that comes after a cookie. */
function firstAfter(ids: readonly NodeId[], cookie: number): number {
  let [low, high] = [0, ids.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (cookieOf(ids[middle] as NodeId) > cookie) high = middle
    else low = middle + 1
  }
  return low
}

function rethrow(error: unknown): never {
  throw treeErrorOf(error)
}
