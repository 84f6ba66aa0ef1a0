import type { Clock } from '../base/clock.ts'
import { fromBase64Url, toBase64Url } from '../base/bytes.ts'
import { Emitter } from '../base/emitter.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import type { Logger } from '../base/logger.ts'
import type { Dataset } from './dataset.ts'
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
import type { NodeId } from './op.ts'
import { TreeError } from './tree-error.ts'
import { cookieOf, firstAfter, TreeLists } from './tree-lists.ts'
import { TreeNews, type TreePlant } from './tree-news.ts'
import { isInside, keyOf, TreeNumbers } from './tree-numbers.ts'
import type { TreeDataset } from './tree-slots.ts'
import { rethrow, TreeWriting } from './tree-writing.ts'

export interface DatasetTreeOptions {
  /** Those that are there from the start. */
  readonly datasets: readonly TreeDataset[]
  readonly clock: Clock
  readonly log: Logger
  /** Room for new bytes here. */
  space(): TreeSpace
  readonly plant?: TreePlant
}

/** A dataset in the root, with the place where a listing of it goes on. */
interface Joined {
  readonly of: TreeDataset
  readonly cookie: number
  readonly owned: DisposableStore
}

/**
 * The person's datasets as a mount shows them: the root lists them, below each lies its tree; they come and go. Changes of the tree are done
 * when a call returns and survive kill -9; bytes that are written become a version when the file is closed, is quiet, or
 * all is closed. Owns no dataset.
 */
export class DatasetTree implements MountedTree, Disposable {
  readonly #options: DatasetTreeOptions
  readonly #joined: Joined[] = []
  /** With those that lie in others, of this device only. */
  readonly #all: TreeDataset[] = []
  readonly #numbers: TreeNumbers
  readonly #writing: TreeWriting
  readonly #lists = new TreeLists()
  readonly #owned = new DisposableStore()
  readonly #changes = this.#owned.add(new Emitter<TreeChange>())
  readonly #news: TreeNews
  readonly #openedNs: bigint
  #nextCookie = 1
  readonly onDidChange = this.#changes.event

  constructor(options: DatasetTreeOptions) {
    this.#options = options
    const { clock, log } = options
    const numbers = new TreeNumbers(clock)
    this.#numbers = numbers
    this.#writing = this.#owned.add(new TreeWriting({ numbers, datasets: this.#all, clock, log }))
    this.#openedNs = numbers.nowNs()
    this.#news = new TreeNews(numbers, this.#changes, options.plant)
    for (const of of options.datasets) this.join(of)
  }

  /** One more dataset is listed by the root. */
  join(of: TreeDataset): void {
    const owned = this.#owned.add(new DisposableStore())
    for (const one of withLocal(of)) {
      this.#all.push(one)
      owned.add(one.dataset.holds.hold(() => this.#numbers.contentsInUse(one.dataset)))
      owned.add(one.dataset.onDidChange((change) => this.#news.take(one, change)))
    }
    this.#joined.push({ of, cookie: this.#nextCookie++, owned })
    this.#tellRoot(of.name)
  }

  /** The root lists it by another name; what is open in it stays open. */
  renameDataset(of: TreeDataset, name: string): void {
    const before = of.name
    of.name = name
    if (of.local) of.local.of.name = localName(name)
    this.#tellRoot(before, name)
  }

  /**
   * It goes: what was written in it is a version when this resolves, and what is still open in it is nothing any more. Rejects when
   * something written could not be kept; it is gone all the same.
   */
  async leave(of: TreeDataset): Promise<void> {
    const at = this.#joined.findIndex((one) => one.of === of)
    const [joined] = at < 0 ? [] : this.#joined.splice(at, 1)
    if (!joined) return
    this.#tellRoot(of.name)
    const gone = new Set(withLocal(of))
    try {
      await this.#writing.settle(gone)
    } finally {
      joined.owned.dispose()
      this.#owned.release(joined.owned)
      this.#all.splice(0, this.#all.length, ...this.#all.filter((one) => !gone.has(one)))
      this.#numbers.dropAll(gone)
    }
  }

  #tellRoot(...names: readonly string[]): void {
    for (const name of names) this.#changes.fire({ kind: 'entry', parent: ROOT_INO, name })
    this.#changes.fire({ kind: 'content', ino: ROOT_INO })
  }

  lookup(parent: Ino, name: string): TreeAttributes | undefined {
    if (parent === ROOT_INO) {
      const of = this.#joined.find((there) => there.of.name === name)?.of
      return of && this.#numbers.handOut(of, of.dataset.require(of.dataset.root), ROOT_INO)
    }
    const { of, node } = this.#numbers.folder(parent)
    const local = of.local?.folders.lookup(node.id, name)
    if (of.local && local) return this.#numbers.handOut(of.local.of, local, parent)
    const child = of.dataset.lookup(node.id, name)
    return child && this.#numbers.handOut(of, child, parent)
  }

  getattr(ino: Ino): TreeAttributes {
    if (ino === ROOT_INO) return this.#rootAttributes()
    const slot = this.#numbers.slot(ino)
    return this.#numbers.attributes(slot, this.#numbers.node(slot))
  }

  setattr(ino: Ino, changes: AttributeChanges): TreeAttributes {
    if (ino === ROOT_INO) throw new TreeError('tree/not-permitted')
    const slot = this.#numbers.slot(ino)
    const node = this.#numbers.node(slot)
    const { mode, fileBytes, atimeNs, mtimeNs, ctimeNs } = changes
    if (fileBytes !== undefined && fileBytes !== (slot.staged?.bytes ?? node.bytes)) {
      this.#writing.stage(slot, node).resize(fileBytes)
      slot.mtimeNs = this.#numbers.nowNs()
    }
    if (atimeNs !== undefined) slot.atimeNs = atimeNs
    slot.ctimeNs = ctimeNs ?? this.#numbers.nowNs()
    const op: { mode?: number; mtimeNs?: bigint } = {}
    if (mode !== undefined && mode !== node.mode) op.mode = mode
    if (mtimeNs !== undefined) {
      // A file being written: its time goes with the version. A folder's, and one that is the same, tells others nothing.
      if (slot.staged) slot.mtimeNs = mtimeNs
      else if (node.kind === 'folder') this.#numbers.folderTimes.set(keyOf(slot.of, slot.id), mtimeNs)
      if (!slot.staged && mtimeNs !== node.mtimeNs) op.mtimeNs = mtimeNs
    }
    if (slot.last) {
      slot.last = { ...node, ...op }
      if (op.mode !== undefined) slot.setApart = { ...slot.setApart, mode: op.mode }
    } else if (op.mode !== undefined || op.mtimeNs !== undefined)
      this.#numbers.own(slot.of, (dataset) => dataset.setAttributes(slot.id, op))
    return this.#numbers.attributes(slot, this.#numbers.node(slot))
  }

  readdir(ino: Ino, afterCookie: number, limit: number): readonly TreeEntry[] {
    if (ino === ROOT_INO) {
      const rest = this.#joined.filter(({ cookie }) => cookie > afterCookie).slice(0, limit)
      return rest.map(({ of, cookie }) => ({
        name: of.name,
        cookie,
        attributes: this.#numbers.handOut(of, of.dataset.require(of.dataset.root), ROOT_INO),
      }))
    }
    const { of, node } = this.#numbers.folder(ino)
    const local = of.local?.folders.children(node.id)
    const ids = this.#lists.of(ino, of.dataset, node.id, afterCookie === 0, local)
    const localNames = new Set(local?.map(({ name }) => name))
    const entries: TreeEntry[] = []
    let at = afterCookie === 0 ? 0 : firstAfter(ids, afterCookie)
    for (; at < ids.length && entries.length < limit; at++) {
      const child = of.dataset.node(ids[at] as NodeId)
      const own = child ? undefined : local?.find(({ id }) => id === ids[at])
      if (own && of.local) {
        entries.push({ name: own.name, cookie: cookieOf(own.id), attributes: this.#numbers.handOut(of.local.of, own, ino) })
      } else if (child?.parent === node.id && !localNames.has(child.name)) {
        entries.push({ name: child.name, cookie: cookieOf(child.id), attributes: this.#numbers.handOut(of, child, ino) })
      }
    }
    if (at >= ids.length) this.#lists.done(ino)
    return entries
  }

  create(parent: Ino, name: string, mode: number): TreeAttributes {
    return this.#make(parent, (dataset, folder) => dataset.createFile(folder, name, { mode: mode & 0o7777 }))
  }

  mkdir(parent: Ino, name: string, mode: number): Answer<TreeAttributes> {
    const { of, node } = this.#numbers.folder(parent, true)
    const isLocal = of.local?.folders.isLocal(node.id, name) ?? false
    if (isLocal instanceof Promise) return isLocal.then((is) => this.#makeFolder(parent, name, mode, is))
    return this.#makeFolder(parent, name, mode, isLocal)
  }

  #makeFolder(parent: Ino, name: string, mode: number, isLocal: boolean): TreeAttributes {
    const { of, node } = this.#numbers.folder(parent, true)
    const { local } = of
    if (local?.folders.lookup(node.id, name)) throw new TreeError('tree/exists')
    if (local && isLocal && !of.dataset.lookup(node.id, name)) {
      this.#numbers.touched(of, node.id)
      return this.#numbers.handOut(
        local.of,
        this.#numbers.own(local.of, () => local.folders.make(node.id, name, mode & 0o7777)),
        parent,
      )
    }
    return this.#make(parent, (dataset, folder) => dataset.makeFolder(folder, name, { mode: mode & 0o7777 }))
  }

  symlink(parent: Ino, name: string, target: string): TreeAttributes {
    return this.#make(parent, (dataset, folder) => dataset.makeLink(folder, name, target))
  }

  readlink(ino: Ino): string {
    const { target } = this.#numbers.node(this.#numbers.slot(ino))
    if (target === undefined) throw new TreeError('tree/bad-argument')
    return target
  }

  unlink(parent: Ino, name: string): void {
    const { of, node } = this.#numbers.folder(parent, true)
    if (of.local?.folders.lookup(node.id, name)) throw new TreeError('tree/is-a-folder')
    const child = this.#numbers.child(of, node, name)
    if (child.kind === 'folder') throw new TreeError('tree/is-a-folder')
    this.#numbers.own(of, (dataset) => dataset.remove(child.id))
    this.#numbers.gone(of, child)
    this.#numbers.touched(of, node.id)
  }

  rmdir(parent: Ino, name: string): void {
    const { of, node } = this.#numbers.folder(parent, true)
    const local = of.local?.folders.lookup(node.id, name)
    const [within, child] = of.local && local ? [of.local.of, local] : [of, this.#numbers.child(of, node, name)]
    if (child.kind !== 'folder') throw new TreeError('tree/not-a-folder')
    if (!isEmpty(within, child.id)) throw new TreeError('tree/not-empty')
    this.#numbers.own(within, (dataset) => dataset.remove(child.id))
    this.#numbers.gone(within, child)
    this.#numbers.touched(of, node.id)
  }

  rename(parent: Ino, name: string, toParent: Ino, toName: string, kind: RenameKind): void {
    const { of, node } = this.#numbers.folder(parent, true)
    const to = this.#numbers.folder(toParent, true)
    if (of !== to.of) throw new TreeError('tree/other-disk')
    const local = of.local?.folders.lookup(node.id, name)
    const localThere = of.local?.folders.lookup(to.node.id, toName)
    if (local || localThere)
      return this.#renameLocal(of, { node, parent, name, local }, { node: to.node, parent: toParent, name: toName, local: localThere })
    const child = this.#numbers.child(of, node, name)
    const there = of.dataset.lookup(to.node.id, toName)
    if (there?.id === child.id) return
    if (kind === 'keep' && there) throw new TreeError('tree/exists')
    if (kind === 'exchange') {
      if (!there) throw new TreeError('tree/not-found')
      if (isInside(of.dataset, to.node.id, child.id) || isInside(of.dataset, node.id, there.id)) throw new TreeError('tree/bad-argument')
      this.#numbers.own(of, (dataset) => dataset.exchange(child.id, there.id))
      this.#numbers.moved(of, child.id, toParent, toName)
      this.#numbers.moved(of, there.id, parent, name)
    } else {
      if (isInside(of.dataset, to.node.id, child.id)) throw new TreeError('tree/bad-argument')
      if (there && child.kind === 'folder' && there.kind !== 'folder') throw new TreeError('tree/not-a-folder')
      if (there && child.kind !== 'folder' && there.kind === 'folder') throw new TreeError('tree/is-a-folder')
      if (there?.kind === 'folder' && !isEmpty(of, there.id)) throw new TreeError('tree/not-empty')
      this.#numbers.own(of, (dataset) => dataset.move(child.id, to.node.id, toName, { replace: true }))
      if (there) this.#numbers.gone(of, there)
      this.#numbers.moved(of, child.id, toParent, toName)
    }
    this.#numbers.touched(of, node.id)
    this.#numbers.touched(of, to.node.id)
  }

  /** A folder of this device only stays one under any name; between it and others programs copy. */
  #renameLocal(of: TreeDataset, from: RenameEnd, to: RenameEnd): void {
    const { local } = from
    if (!local || !of.local || to.local?.id === local.id) {
      if (local) return
      throw new TreeError('tree/other-disk')
    }
    const { folders, of: within } = of.local
    if (to.local || of.dataset.lookup(to.node.id, to.name)) throw new TreeError('tree/exists')
    this.#numbers.own(within, () => folders.move(local.id, to.node.id, to.name))
    this.#numbers.moved(within, local.id, to.parent, to.name)
    this.#numbers.touched(of, from.node.id)
    this.#numbers.touched(of, to.node.id)
  }

  read(ino: Ino, offset: number, length: number, signal?: AbortSignal): Answer<readonly Uint8Array[]> {
    const slot = this.#numbers.slot(ino)
    const node = this.#numbers.file(slot)
    const { dataset } = slot.of
    if (!slot.staged) {
      const parts = dataset.reader.readParts(node.manifest, offset, length, signal)
      return parts instanceof Promise ? parts.catch(rethrow) : parts
    }
    const bytes = slot.staged.read(offset, length, signal)
    return bytes instanceof Promise ? bytes.then((late) => [late]).catch(rethrow) : [bytes]
  }

  write(ino: Ino, offset: number, bytes: Uint8Array): Answer<void> {
    const slot = this.#numbers.slot(ino)
    const written = this.#writing.stage(slot, this.#numbers.file(slot)).write(offset, bytes)
    slot.mtimeNs = this.#numbers.nowNs()
    return written?.catch(rethrow)
  }

  allocate(ino: Ino, kind: AllocateKind, offset: number, length: number): void {
    const slot = this.#numbers.slot(ino)
    const node = this.#numbers.file(slot)
    if (kind === 'keep-size') return
    const staged = this.#writing.stage(slot, node)
    const end = offset + length
    if ((kind === 'allocate' || kind === 'zero') && end > staged.bytes) staged.resize(end)
    if (kind !== 'allocate') staged.zero(offset, length)
    slot.mtimeNs = this.#numbers.nowNs()
  }

  flush(ino: Ino): Answer<void> {
    if (ino === ROOT_INO) return
    const slot = this.#numbers.slot(ino)
    if (slot.staged) return this.#writing.commit(slot)
  }

  async fsync(ino: Ino): Promise<void> {
    if (ino === ROOT_INO) return
    await this.#writing.sync(this.#numbers.slot(ino))
  }

  getxattr(ino: Ino, name: string): Uint8Array | undefined {
    const value = ino === ROOT_INO ? undefined : this.#numbers.node(this.#numbers.slot(ino)).xattrs.get(name)
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
    return ino === ROOT_INO ? [] : [...this.#numbers.node(this.#numbers.slot(ino)).xattrs.keys()]
  }

  statfs(): TreeSpace {
    return this.#options.space()
  }

  forget(ino: Ino, count: number): void {
    const slot = this.#numbers.slots.at(ino)
    if (!slot) return
    slot.count = Math.max(0, slot.count - count)
    this.#numbers.dropUnused(slot)
  }

  /** Makes versions of all that was written. Rejects with the first that could not be kept. */
  settle(): Promise<void> {
    return this.#writing.settle()
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #make(parent: Ino, make: (dataset: Dataset, folder: NodeId) => DatasetNode): TreeAttributes {
    const { of, node } = this.#numbers.folder(parent, true)
    this.#numbers.touched(of, node.id)
    const made = this.#numbers.own(of, (dataset) => make(dataset, node.id))
    return this.#numbers.handOut(of, made, parent)
  }

  #rootAttributes(): TreeAttributes {
    const timeNs = this.#openedNs
    return { ino: ROOT_INO, kind: 'folder', mode: 0o555, fileBytes: 0, atimeNs: timeNs, mtimeNs: timeNs, ctimeNs: timeNs, linkCount: 1 }
  }

  #setXattr(ino: Ino, name: string, value: string | undefined): void {
    const slot = this.#numbers.slot(ino)
    const node = this.#numbers.node(slot)
    slot.ctimeNs = this.#numbers.nowNs()
    if (slot.last) {
      const xattrs = new Map(node.xattrs)
      if (value === undefined) xattrs.delete(name)
      else xattrs.set(name, value)
      slot.last = { ...node, xattrs }
      slot.setApart = { ...slot.setApart, xattrs: new Map(slot.setApart?.xattrs).set(name, value) }
    } else this.#numbers.own(slot.of, (dataset) => dataset.setXattr(slot.id, name, value))
  }
}

/** One end of a rename: a folder and a name in it, and what lies there of this device only. */
interface RenameEnd {
  readonly node: DatasetNode
  readonly parent: Ino
  readonly name: string
  readonly local: DatasetNode | undefined
}

const isEmpty = ({ dataset, local }: TreeDataset, folder: NodeId): boolean =>
  dataset.children(folder).length === 0 && (local?.folders.children(folder).length ?? 0) === 0

const withLocal = (of: TreeDataset): readonly TreeDataset[] => (of.local ? [of, of.local.of] : [of])

/** What lies in a dataset of this device only is told apart from it. */
export const localName = (name: string): string => `${name}/local`
