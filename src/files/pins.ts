import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { errorCode } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { utf8 } from '../base/bytes.ts'
import { StillLoading } from './checkpoint/still-loading.ts'
import type { Dataset } from './dataset.ts'
import type { DatasetNode } from './dataset-node.ts'
import type { DatasetStore } from './dataset-store.ts'
import type { Manifest } from './manifest.ts'
import { type NodeId, ROOT_NODE } from './op.ts'

export interface PinsParts {
  readonly dataset: Dataset
  readonly store: DatasetStore
  readonly clock: Clock
  readonly logger: Logger
  placeOf(manifest: Manifest): 'here' | 'part' | 'away'
  /** Makes room for this many bytes; false: there is none. */
  makeRoom(bytes: number): Promise<boolean>
  /** Is everything to be kept here, whatever is pinned? The dataset's policy names this device. */
  keepsAll(): boolean
}

export interface PinnedSize {
  readonly files: number
  readonly bytes: number
  /** Of these not on this device yet. */
  readonly missingFiles: number
  readonly missingBytes: number
}

const SPACE = 'pinned'
/** Changes are gathered this long before what is new is fetched. */
const SETTLE_MS = 500
/** What could not be fetched is tried again. */
const RETRY_MS = 30_000

/**
 * Files and folders that this device keeps whole, to be there offline (rule PN1): what is shown in them is fetched and is never let go
 * of, also what comes later. Of this device only.
 */
export class Pins implements Disposable {
  readonly #parts: PinsParts
  readonly #owned = new DisposableStore()
  readonly #pinned: Set<NodeId>
  #timer: Disposable | undefined
  readonly #failed = new Set<NodeId>()
  #isFetching = false
  #isCutShort = false

  constructor(parts: PinsParts) {
    this.#parts = parts
    this.#pinned = new Set(parts.store.values(SPACE).map(([node]) => node as NodeId))
    this.#owned.add(parts.dataset.onDidChange(({ nodes }) => this.#isAbout(nodes) && this.#fetchIn(SETTLE_MS)))
    this.#owned.defer(() => this.#timer?.dispose())
    if (this.#roots.length > 0) this.#fetchIn(SETTLE_MS)
  }

  /** Did the cache's limit cut the last fetch short? */
  get isCutShort(): boolean {
    return this.#isCutShort && this.#roots.length > 0
  }

  /** What is to be kept here is another, or there is more room. */
  review(): void {
    if (this.#roots.length > 0) this.#fetchIn(0)
  }

  pin(node: NodeId, isPinned: boolean): void {
    const { store } = this.#parts
    store.putValue(SPACE, node, isPinned ? utf8('1') : undefined)
    if (isPinned) this.#pinned.add(node)
    else this.#pinned.delete(node)
    if (isPinned) this.#fetchIn(0)
  }

  /** Itself, or by a folder above it. */
  pinOf(node: DatasetNode): 'self' | 'above' | undefined {
    if (this.#pinned.has(node.id)) return 'self'
    if (this.#parts.keepsAll()) return 'above'
    if (this.#pinned.size === 0) return undefined
    const { dataset } = this.#parts
    for (const at of dataset.upFrom(node.parent)) if (this.#pinned.has(at.id)) return 'above'
    return this.#pinned.has(ROOT_NODE) ? 'above' : undefined
  }

  /** What is shown in what is pinned. */
  contents(): Manifest[] {
    return this.#roots.flatMap((id) => this.#filesIn(id).map(({ manifest }) => manifest))
  }

  /** Of one that is pinned, or of all. */
  size(of?: NodeId): PinnedSize {
    const files = (of === undefined ? this.#roots : [of]).flatMap((id) => this.#filesIn(id))
    const missing = files.filter(({ manifest }) => this.#parts.placeOf(manifest) !== 'here')
    const sum = (list: readonly DatasetNode[]) => list.reduce((total, { bytes }) => total + bytes, 0)
    return { files: files.length, bytes: sum(files), missingFiles: missing.length, missingBytes: sum(missing) }
  }

  /** Fetches what is missing now; what cannot be had is tried again later. */
  async fetch(): Promise<void> {
    if (this.#isFetching) return this.#fetchIn(SETTLE_MS)
    this.#isFetching = true
    const { dataset, logger, makeRoom } = this.#parts
    let isLater = false
    let isCutShort = false
    try {
      const files = this.#roots.flatMap((id) => this.#filesIn(id))
      // What could not be had the last time comes last: it may take a minute each (rule TR17).
      const failed = new Set(this.#failed)
      this.#failed.clear()
      for (const { id, manifest, bytes } of [...files.filter(({ id }) => !failed.has(id)), ...files.filter(({ id }) => failed.has(id))]) {
        if (this.#owned.isDisposed) return
        try {
          if (this.#parts.placeOf(manifest) !== 'here' && !(await makeRoom(bytes))) isLater = isCutShort = true
          else await dataset.fetch(manifest)
        } catch (error) {
          isLater = true
          this.#failed.add(id)
          logger.debug('a pinned file could not be fetched yet', { node: id, code: errorCode(error) })
        }
      }
    } finally {
      this.#isFetching = false
      this.#isCutShort = isCutShort
      if (isLater) this.#fetchIn(RETRY_MS)
    }
  }

  dispose(): void {
    this.#owned.dispose()
  }

  /** Also own changes: what is moved into a pinned folder may lie elsewhere. */
  #isAbout(nodes: Iterable<NodeId>): boolean {
    if (this.#roots.length === 0) return false
    const { dataset } = this.#parts
    for (const id of nodes) {
      const node = dataset.node(id)
      if (node && this.pinOf(node)) return true
    }
    return false
  }

  get #roots(): readonly NodeId[] {
    return this.#parts.keepsAll() ? [ROOT_NODE] : [...this.#pinned]
  }

  #fetchIn(ms: number): void {
    if (this.#owned.isDisposed) return
    this.#timer?.dispose()
    this.#timer = this.#parts.clock.after(ms, () => {
      this.#timer = undefined
      void this.fetch()
    })
  }

  #filesIn(id: NodeId): DatasetNode[] {
    const { dataset } = this.#parts
    try {
      return dataset.node(id) ? dataset.within(id).filter(({ kind }) => kind === 'file') : []
    } catch (error) {
      if (!(error instanceof StillLoading)) throw error
      error.bring().then(
        () => this.#fetchIn(SETTLE_MS),
        () => this.#fetchIn(RETRY_MS),
      )
      return []
    }
  }
}
