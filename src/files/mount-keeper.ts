import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Handlers } from '../rpc/contract.ts'
import type { DatasetHost } from './dataset-host.ts'
import { LoadedTree } from './checkpoint/loaded-tree.ts'
import { DatasetTree, localName } from './dataset-tree.ts'
import type { MountedTree, TreeSpace } from './mounted-tree.ts'
import type { MountStatus, mountContract } from './mount-contract.ts'
import type { OpenDataset } from './open-dataset.ts'
import type { TreeDataset } from './tree-slots.ts'

/** A tree at a folder of this machine. */
export interface TreeMount {
  readonly at: string
  /** Somebody unmounted it, or it was told to end. */
  readonly ended: Promise<void>
  /** Resolves when everything that was written in it has reached the tree. @throws `mount/busy` */
  unmount(options: { readonly force: boolean }): Promise<void>
}

export interface MountSetting {
  readonly isOn: boolean
  /** Absolute. */
  readonly at: string
}

/** What the operating system does for mounts, and where the choice is kept. */
export interface TreeMounter {
  readonly setting: MountSetting
  keep(setting: MountSetting): void
  /** @throws an error with a code `mount/…` */
  mount(at: string, tree: MountedTree): Promise<TreeMount>
  space(): Pick<TreeSpace, 'totalBytes' | 'freeBytes'>
}

export interface MountKeeperParts {
  readonly host: DatasetHost
  readonly mounter: TreeMounter
  readonly clock: Clock
  readonly log: Logger
}

interface Mounted {
  readonly mount: TreeMount
  readonly tree: DatasetTree
  /** As what each open dataset is part of the tree. */
  readonly shown: Map<OpenDataset, TreeDataset>
}

/**
 * Keeps the open datasets mounted, when that is wanted: from when they are opened until just before they are closed. What was
 * written in the mount is a version before keys go. A mount that fails is no reason for anything else not to work.
 */
export class MountKeeper implements Disposable {
  readonly #parts: MountKeeperParts
  readonly #owned = new DisposableStore()
  #mounted: Mounted | undefined
  #failure: string | undefined
  /** Mounting and unmounting follow each other. */
  #work: Promise<unknown> = Promise.resolve()
  #busy = 0

  constructor(parts: MountKeeperParts) {
    this.#parts = parts
    const { host } = parts
    this.#owned.add(host.onDidChangeOpen(() => void this.#inTurn(() => this.#follow()).catch(() => {})))
    this.#owned.add(
      host.beforeClose((which) => {
        if (!this.#mounted && this.#busy === 0) return undefined
        return this.#inTurn(() => (which ? this.#leave(which) : this.#unmount(true)))
      }),
    )
  }

  get status(): MountStatus {
    const { isOn, at } = this.#parts.mounter.setting
    if (this.#mounted) {
      const folders = [...this.#mounted.shown].map(([{ id }, { name }]) => ({ dataset: id, name }))
      return { state: 'mounted', at: this.#mounted.mount.at, folders }
    }
    if (!isOn) return { state: 'off', at }
    return this.#failure === undefined ? { state: 'waiting', at } : { state: 'failed', at, message: this.#failure }
  }

  handlers(): Handlers<typeof mountContract> {
    const { mounter } = this.#parts
    return {
      mountStatus: () => this.status,
      mountDatasets: ({ at }) =>
        this.#inTurn(async () => {
          const wanted = at ?? mounter.setting.at
          if (this.#mounted && this.#mounted.mount.at !== wanted) await this.#unmount(false)
          mounter.keep({ isOn: true, at: wanted })
          await this.#follow()
          return this.status
        }),
      unmountDatasets: ({ force }) =>
        this.#inTurn(async () => {
          await this.#unmount(force)
          mounter.keep({ ...mounter.setting, isOn: false })
          return this.status
        }),
    }
  }

  /** Unmounts, whoever uses it. */
  async stop(): Promise<void> {
    this.#owned.dispose()
    await this.#inTurn(() => this.#unmount(true))
  }

  dispose(): void {
    void this.stop().catch(() => {})
  }

  async #follow(): Promise<void> {
    const { host, mounter, clock, log } = this.#parts
    const { isOn, at } = mounter.setting
    const open = host.staying
    if (!isOn || open.length === 0) return
    if (this.#mounted) return this.#showAll(this.#mounted)
    const files = () => host.open.reduce((sum, { store }) => sum + store.nodeCount(), 0)
    const names = namesOf(open)
    const shown = new Map(open.map((one) => [one, treeDatasetOf(one, names.get(one) ?? one.name)]))
    const tree = new DatasetTree({
      datasets: [...shown.values()],
      clock,
      log: log.child('mount'),
      space: () => ({ ...mounter.space(), files: files() }),
    })
    try {
      const mount = await mounter.mount(at, new LoadedTree(tree))
      this.#mounted = { mount, tree, shown }
      this.#failure = undefined
      this.#showAll(this.#mounted) // another may have been opened meanwhile
      void mount.ended.then(() => this.#inTurn(() => this.#ended(mount)))
    } catch (error) {
      tree.dispose()
      this.#failure = errorMessage(error)
      log.warn('your files are not mounted', { at, code: errorCode(error), error: errorMessage(error) })
      throw error
    }
  }

  /** Datasets that were opened since, and new names: the mount stays, and what is open in it. */
  #showAll({ tree, shown }: Mounted): void {
    for (const [one, name] of namesOf(this.#parts.host.staying)) {
      const of = shown.get(one)
      if (of && of.name !== name) tree.renameDataset(of, name)
      if (of) continue
      const added = treeDatasetOf(one, name)
      shown.set(one, added)
      tree.join(added)
    }
  }

  /** One dataset is being closed. */
  async #leave(which: OpenDataset): Promise<void> {
    const of = this.#mounted?.shown.get(which)
    if (!this.#mounted || !of) return
    this.#mounted.shown.delete(which)
    await this.#mounted.tree.leave(of)
  }

  async #unmount(force: boolean): Promise<void> {
    const mounted = this.#mounted
    if (!mounted) return
    await mounted.mount.unmount({ force })
    await this.#settle(mounted)
  }

  /** Somebody unmounted it by hand: it stays so until it is asked for again, or the device is unlocked again. */
  async #ended(mount: TreeMount): Promise<void> {
    if (this.#mounted?.mount === mount) await this.#settle(this.#mounted)
  }

  async #settle(mounted: { readonly tree: DatasetTree }): Promise<void> {
    this.#mounted = undefined
    await mounted.tree
      .settle()
      .catch((error: unknown) => this.#parts.log.error('something written in the mount could not be kept', { error: errorMessage(error) }))
    mounted.tree.dispose()
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#busy++
    const next = this.#work.then(work, work).finally(() => this.#busy--)
    this.#work = next.catch(() => {})
    return next
  }
}

/** What each is shown as: two of one name are told apart by their ids. */
function namesOf(open: readonly OpenDataset[]): ReadonlyMap<OpenDataset, string> {
  const names = open.map(({ name }) => name.replaceAll('/', ' ').slice(0, 80) || 'Files')
  return new Map(
    open.map((one, n) => {
      const name = names[n] as string
      return [one, names.indexOf(name) === n ? name : `${name} (${one.id.slice(0, 8)})`]
    }),
  )
}

function treeDatasetOf({ dataset, local }: OpenDataset, name: string): TreeDataset {
  return { dataset, name, local: { folders: local, of: { dataset: local.dataset, name: localName(name) } } }
}
