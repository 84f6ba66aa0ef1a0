import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Dataset } from './dataset.ts'
import type { DatasetNode } from './dataset-node.ts'
import { type Manifest, sameManifest } from './manifest.ts'
import type { Answer } from './mounted-tree.ts'
import type { OpId } from './op.ts'
import { BlockPool } from './staged-extents.ts'
import { FOLD_BYTES, type StagedContents, StagedFile } from './staged-file.ts'
import { treeErrorOf } from './tree-errors.ts'
import type { TreeNumbers } from './tree-numbers.ts'
import type { TreeDataset, TreeSlot } from './tree-slots.ts'

/** A file that is written and not closed becomes a version when nothing was written for this long (flow D). */
const QUIET_MS = 2_000
/** What could not be made a version is tried again this much later: room may be made, a device may come back. */
const RETRY_MS = 10_000
/** A file that is synced again and again and never quiet becomes a version this often: what no version names may be let go of. */
const LONGEST_MS = 600_000
/** What closed files hold reaches the disk itself this long after: together, for each waits milliseconds. */
const SYNC_DELAY_MS = 200

export interface TreeWritingOptions {
  readonly numbers: TreeNumbers
  /** As the tree has them now. */
  readonly datasets: readonly TreeDataset[]
  readonly clock: Clock
  readonly log: Logger
}

/** Files of a mounted tree that are being written, and how what was written becomes versions (rules MT11, MT13). */
export class TreeWriting implements Disposable {
  readonly #options: TreeWritingOptions
  readonly #numbers: TreeNumbers
  readonly #blocks = new BlockPool(FOLD_BYTES)
  readonly #contents = new WeakMap<Dataset, StagedContents>()
  #syncing: Disposable | undefined
  #isDisposed = false

  constructor(options: TreeWritingOptions) {
    this.#options = options
    this.#numbers = options.numbers
  }

  /** The file as it is being written, from now on; it becomes a version when it is quiet, if nothing else makes it one. */
  stage(slot: TreeSlot, node: DatasetNode): StagedFile {
    if (!slot.staged) {
      slot.staged = new StagedFile(this.#contentsOf(slot.of.dataset), node.manifest, this.#blocks)
      slot.known = node
      slot.base = node.version
      slot.stagedMs = this.#options.clock.monotonicMs()
    }
    this.#commitIn(slot, QUIET_MS)
    return slot.staged
  }

  #contentsOf(dataset: Dataset): StagedContents {
    let contents = this.#contents.get(dataset)
    if (!contents) {
      const { writer, reader } = dataset
      contents = { change: writer.change.bind(writer), changeNow: writer.changeNow.bind(writer), read: reader.read.bind(reader) }
      this.#contents.set(dataset, contents)
    }
    return contents
  }

  /** Makes a version of what was written; a small file at once. What could not be stored stays staged. @throws TreeError */
  commit(slot: TreeSlot): Answer<void> {
    const { staged } = slot
    if (!slot.committing && staged && !slot.isSynced) {
      const hadChanges = !staged.isStored
      try {
        if (staged.storeNow()) return this.#committed(slot, staged, hadChanges)
      } catch (error) {
        this.#retry(slot)
        throw treeErrorOf(error)
      }
    }
    const work = async () => {
      const { staged } = slot
      if (!staged) return
      slot.quiet?.dispose()
      const hadChanges = !staged.isStored
      await staged.store()
      // The version takes the place of what was synced: not before its bytes are as safe.
      if (slot.isSynced) await slot.of.dataset.syncContents()
      // Pieces of a version that others replaced long ago may be gone elsewhere: whoever names them anew has them.
      if (slot.base !== slot.of.dataset.node(slot.id)?.version) await slot.of.dataset.bringHere(staged.manifest)
      this.#committed(slot, staged, hadChanges)
    }
    const after = (slot.committing ?? Promise.resolve()).then(work, work)
    const committing = after
      .catch(() => {})
      .finally(() => {
        if (slot.committing === committing) slot.committing = undefined
      })
    slot.committing = committing
    return after.catch((error: unknown) => {
      this.#retry(slot)
      rethrow(error)
    })
  }

  #commitIn(slot: TreeSlot, ms: number): void {
    slot.quiet?.dispose()
    slot.quiet = this.#options.clock.after(ms, () => {
      const failed = (error: unknown) =>
        this.#options.log.warn('what was written is not a version yet; it will be tried again', {
          node: slot.id,
          dataset: slot.of.name,
          error: errorMessage(error),
        })
      new Promise<void>((resolve) => resolve(this.commit(slot))).catch(failed)
    })
  }

  /** Nobody may ever close it again: who did has heard that it failed. */
  #retry(slot: TreeSlot): void {
    if (slot.staged && !slot.isRemoved && !this.#isDisposed) this.#commitIn(slot, RETRY_MS)
  }

  /**
   * What was written is on the disk itself when this resolves, and is found after a power cut; a version it is when the file is
   * closed or quiet, or when the last one is long ago. @throws TreeError
   */
  async sync(slot: TreeSlot): Promise<void> {
    try {
      while (slot.committing) await slot.committing
      const { staged } = slot
      if (staged && this.#options.clock.monotonicMs() - (slot.stagedMs ?? 0) > LONGEST_MS) await this.commit(slot)
      else if (staged) await this.#keepSynced(slot, staged)
      await slot.of.dataset.sync()
    } catch (error) {
      throw treeErrorOf(error)
    }
  }

  /** Contents before what names them: a power cut in between must not put bytes that are gone in place of those synced before. */
  async #keepSynced(slot: TreeSlot, staged: StagedFile): Promise<void> {
    const { id, base, of } = slot
    const isOpen = (): boolean => slot.staged === staged && slot.base === base && !slot.isRemoved
    while (isOpen()) {
      await staged.store()
      const { manifest } = staged
      await of.dataset.syncContents()
      // A version was made meanwhile, or more was stored: neither is older than what is to be kept.
      if (!isOpen() || staged.manifest !== manifest) continue
      const mtimeNs = slot.mtimeNs ?? this.#numbers.nowNs()
      if (!slot.isSynced && sameManifest(manifest, this.#numbers.node(slot).manifest)) return
      const last = slot.last ?? of.dataset.node(id) ?? slot.known
      of.dataset.keepSynced({ node: id, base: base as OpId, manifest, mtimeNs, last })
      slot.isSynced = true
      return
    }
  }

  /** What was written is stored. */
  #committed(slot: TreeSlot, staged: StagedFile, hadChanges: boolean): void {
    // Written to again meanwhile: the next close or the quiet makes that a version.
    if (slot.isRemoved || slot.staged !== staged) return
    const { manifest } = staged
    const before = this.#numbers.node(slot)
    const mtimeNs = slot.mtimeNs ?? this.#numbers.nowNs()
    if (hadChanges || !sameManifest(manifest, before.manifest) || mtimeNs !== before.mtimeNs) {
      const options = { mtimeNs, endsSynced: slot.isSynced }
      const version = slot.last
        ? this.#keepApart(slot, slot.last, manifest, options)
        : this.#numbers.own(slot.of, (dataset) => dataset.setContent(slot.id, slot.base as OpId, manifest, options)).version
      slot.isSynced = false
      slot.version = version
      slot.base = version
      slot.stagedMs = this.#options.clock.monotonicMs()
    }
    if (staged.isStored) {
      slot.quiet?.dispose()
      slot.staged = undefined
      slot.known = undefined
      slot.mtimeNs = undefined
    }
    this.#syncSoon()
    this.#numbers.dropUnused(slot)
  }

  /**
   * Its name means another version by now, or nothing: what was written is kept beside that, or brings the file back (rule MT16), and
   * whoever keeps copies hears of it. The number is that of its node again where none took its place, and reads on as it was written.
   */
  #keepApart(slot: TreeSlot, last: DatasetNode, manifest: Manifest, options: { mtimeNs: bigint; endsSynced: boolean }): OpId {
    const { of, id } = slot
    let node: DatasetNode
    try {
      node = of.dataset.setContent(id, slot.base as OpId, manifest, options)
    } catch (error) {
      if (errorCode(error) !== 'file/not-found') throw treeErrorOf(error)
      node = keptAsNew(of.dataset, last, manifest, options.mtimeNs, { node: id, base: slot.base as OpId })
      this.#numbers.slots.become(slot, node.id)
    }
    node = this.#setAgain(slot, node)
    const parent = this.#numbers.slots.of(of.dataset, node.parent)
    if (parent && this.#numbers.slots.attach(slot)) {
      slot.parent = parent.ino
      slot.name = node.name
    } else slot.last = { ...last, version: node.version, manifest, bytes: manifest.bytes, mtimeNs: options.mtimeNs }
    return node.version
  }

  /** What programs here set while it was no node. The version is there whatever becomes of these. */
  #setAgain(slot: TreeSlot, node: DatasetNode): DatasetNode {
    const { of, setApart } = slot
    if (!setApart) return node
    const { mode, xattrs = [] } = setApart
    try {
      if (mode !== undefined && mode !== node.mode) of.dataset.setAttributes(node.id, { mode })
      for (const [name, value] of xattrs) if (node.xattrs.get(name) !== value) of.dataset.setXattr(node.id, name, value)
      slot.setApart = undefined
    } catch (error) {
      this.#options.log.warn('what was set of a file that is back could not be kept', { node: node.id, error: errorMessage(error) })
    }
    return of.dataset.node(node.id) ?? node
  }

  #syncSoon(): void {
    this.#syncing ??= this.#options.clock.after(SYNC_DELAY_MS, () => {
      this.#syncing = undefined
      this.#blocks.clear()
      for (const { dataset } of this.#options.datasets) {
        dataset.sync().catch((error: unknown) => this.#options.log.warn('files could not be synced', { error: errorMessage(error) }))
      }
    })
  }

  /** Makes versions of all that was written, or of what was in some. Rejects with the first that could not be kept. */
  async settle(only?: ReadonlySet<TreeDataset>): Promise<void> {
    const all = [...this.#numbers.slots.all].filter(({ staged, of }) => staged && (!only || only.has(of)))
    const results = await Promise.allSettled(all.map(async (slot) => this.commit(slot)))
    for (const of of only ?? this.#options.datasets) await of.dataset.sync()
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  }

  dispose(): void {
    this.#isDisposed = true
    for (const slot of this.#numbers.slots.all) slot.quiet?.dispose()
    this.#syncing?.dispose()
  }
}

/** @throws TreeError */
function keptAsNew(dataset: Dataset, ...args: Parameters<Dataset['keepAsNew']>): DatasetNode {
  try {
    return dataset.keepAsNew(...args)
  } catch (error) {
    throw treeErrorOf(error)
  }
}

/** Says what went wrong in a mount's words. @throws TreeError */
export function rethrow(error: unknown): never {
  throw treeErrorOf(error)
}
