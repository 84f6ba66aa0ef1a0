import { fromBase64Url, fromUtf8, toBase64Url, utf8 } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { DatasetId, DeviceId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import type { ChunkId } from '../chunk-id.ts'
import { ContentError } from '../content-error.ts'
import type { Dataset } from '../dataset.ts'
import type { DatasetStore, StoreValue } from '../dataset-store.ts'
import type { FilesCrypto } from '../files-crypto.ts'
import { type LogId, type NodeId, ROOT_NODE } from '../op.ts'
import { type Checkpoint, openCheckpoint } from './checkpoint-codec.ts'
import { CHECKPOINT_SPACE, LAST } from './checkpoint-maker.ts'
import { eachLeaf, pauseOf } from './each-leaf.ts'
import { deviceIn, OfferedCheckpoints } from './offered-checkpoint.ts'
import type { GivenUpWhy } from './given-up.ts'
import { isSplit, type LeafEntry, type Row, type RowKey } from './page.ts'
import type { PageKeeper } from './page-keeper.ts'
import type { PartialStore } from './partial-store.ts'
import { folderRange, isMoveKey, placeOfKey, readMoveRow, readNodeRow, readVersionRow } from './row-codec.ts'
import { putBehind, withoutBehind } from './segments-behind.ts'
import { StillLoading } from './still-loading.ts'
import { slicesOf, TreeReader } from './tree-reader.ts'
import type { Trees } from './tree-builder.ts'
import type { TreeRoot } from './tree-writer.ts'

export interface LoaderParts {
  readonly dataset: Dataset
  readonly id: DatasetId
  readonly store: PartialStore
  readonly pages: PageKeeper
  readonly crypto: FilesCrypto
  readonly clock: Clock
  readonly logger: Logger
  /** May this device say what a dataset was? */
  readonly mayMake: (device: DeviceId) => boolean
  /** Devices of the person, also such as have left. */
  readonly isAuthor: (device: DeviceId) => boolean
  /** Is a device linked of which pages could come? */
  readonly isLinked: () => boolean
  /** Does this one count as given up? */
  readonly allows: (checkpoint: Uint8Array) => boolean
  /** It cannot be had, and waiting does not help: nothing more is loaded. Whoever hears it starts over. */
  readonly onDidGiveUp: (checkpoint: Uint8Array, why: GivenUpWhy) => void
  /** All of it is here. */
  readonly onDidLoad: (bytes: Uint8Array, trees: Trees, logs: readonly ChunkId[]) => void
}

/** What of a checkpoint is here. */
interface Loading {
  readonly bytes: Uint8Array
  readonly of: Checkpoint
  /** No op in it has a higher stamp, and every op written here since has. */
  readonly stamp: number
  /** All rows before this key are here. */
  position: RowKey
  /** And all of these folders. */
  readonly folders: Set<NodeId>
  /** That it is loaded lies on the disk itself: before any of it does. */
  isKept?: boolean
}

const LOADING = 'loading'
const POSITION = 'position'
const FOLDERS = 'loaded-folder'
const RETRY_MS = 5_000
/** So long a device is linked and nothing new comes: then it is given up. A page takes seconds on any link that is one. */
const GIVE_UP_MS = 60_000
/** How often is looked whether something came; what a machine slept between two looks does not count. */
const LOOK_MS = 5_000

/**
 * Starts a device that holds nothing of a dataset with a checkpoint of another one: the top folder first, any folder when somebody asks,
 * the rest behind that. What is written here meanwhile is kept as anything is. What others write comes in when all is here, so that
 * nothing is merged into half a tree.
 */
export class CheckpointLoader implements Disposable {
  readonly #parts: LoaderParts
  readonly #reader: TreeReader
  readonly #judge: OfferedCheckpoints
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<void>())
  readonly #coming = new Map<NodeId, Promise<void>>()
  #loading: Loading | undefined
  #running: Promise<void> | undefined
  #retry: Disposable | undefined
  #rows = 0
  #allRows: number | undefined
  /** How long nothing new came while a device was linked. */
  #idleMs = 0
  #lookedMs: number
  /** What is missing is not for another device to bring: room, or a key. */
  #isOwnFault = false
  /** Everybody who waits for pages hears that there is nothing to wait for. */
  readonly #end = new AbortController()

  /** More of it, or all, is here. */
  readonly onDidLoad = this.#changed.event

  constructor(parts: LoaderParts) {
    this.#parts = parts
    const { store, crypto, id } = parts
    this.#reader = new TreeReader((page, signal) => this.#page(page, signal))
    this.#judge = new OfferedCheckpoints(parts, this.#reader)
    this.#lookedMs = parts.clock.monotonicMs()
    this.#owned.defer(() => this.#retry?.dispose())
    this.#owned.defer(() => this.#end.abort(gone()))
    this.#owned.add(parts.clock.every(LOOK_MS, () => this.#look()))
    const kept = store.value(CHECKPOINT_SPACE, LOADING)
    if (!kept) return
    const { checkpoint, stamp } = JSON.parse(fromUtf8(kept)) as { checkpoint: string; stamp: number }
    const bytes = fromBase64Url(checkpoint)
    const position = store.value(CHECKPOINT_SPACE, POSITION)
    const folders = new Set(store.values(FOLDERS).map(([folder]) => folder as NodeId))
    this.#begin({ bytes, of: openCheckpoint(crypto, id, bytes), stamp, position: position ? fromUtf8(position) : '', folders })
    this.kick()
  }

  get isLoading(): boolean {
    return this.#loading !== undefined
  }

  /** Rows that are here of what is being loaded. */
  get loadedRows(): number {
    return this.#rows
  }

  /** Rows that it has in all, about; undefined: not known yet. */
  get rows(): number | undefined {
    return this.#allRows
  }

  /** This device holds nothing of the dataset, and nothing of it is on its way. */
  get mayStart(): boolean {
    const { store } = this.#parts
    return !this.#loading && store.nodeCount() === 0 && store.heads().length === 0 && store.tail().length === 0
  }

  /**
   * A linked device has this checkpoint. True: this device holds nothing yet and starts with it; its top folder can be listed.
   * @throws ContentError `checkpoint/malformed`, `checkpoint/refused`, `checkpoint/rolled-back`, `chunk/unavailable`
   */
  async offer(bytes: Uint8Array): Promise<boolean> {
    const { store, dataset, allows } = this.#parts
    const of = this.#judge.checked(bytes)
    if (!this.mayStart || !allows(bytes)) return false
    const offered = await this.#judge.read(of)
    if (!offered || !this.mayStart || this.#owned.isDisposed) return false
    const { logs, stamp } = offered
    store.transaction(() => {
      for (const head of logs) {
        store.putHead(head)
        putBehind(store, head.log, head)
      }
      store.putValue(CHECKPOINT_SPACE, LOADING, utf8(JSON.stringify({ v: 1, checkpoint: toBase64Url(bytes), stamp })))
    })
    store.changes.take()
    dataset.see(logs)
    this.#begin({ bytes, of, stamp, position: '', folders: new Set() })
    await this.#load(ROOT_NODE).finally(() => this.kick())
    return true
  }

  /** Who asks for everything hears it when the rest cannot be had now. @throws ContentError `dataset/loading` */
  async bringAll(): Promise<void> {
    this.#end.signal.throwIfAborted()
    this.kick()
    await this.#running
    if (this.#loading) throw new StillLoading(() => this.bringAll())
  }

  /** Is this node here, or can it not come any more? */
  knows(node: NodeId): boolean {
    return !this.#loading || node === ROOT_NODE || this.#parts.store.node(node) !== undefined
  }

  /** Resolves when all is here; at once, if it is. Never rejects: who waits for it waits for a device that has it. */
  async whole(): Promise<void> {
    while (this.#loading && !this.#owned.isDisposed) await new Promise<void>((resolve) => this.#waitOnce(resolve))
  }

  /** A device was linked: what could not be had may be. */
  kick(): void {
    if (!this.#loading || this.#end.signal.aborted) return
    this.#retry?.dispose()
    this.#retry = undefined
    this.#running ??= this.#loadRest().finally(() => (this.#running = undefined))
  }

  dispose(): void {
    this.#changed.fire()
    this.#owned.dispose()
  }

  /** A page, from here or from another device. */
  async #page(id: ChunkId, signal: AbortSignal = this.#end.signal): Promise<Uint8Array> {
    const isHere = this.#parts.pages.hasAll([id])
    const page = await this.#parts.dataset.reader.chunk(id, signal)
    if (!isHere) this.#idleMs = 0
    return page
  }

  #look(): void {
    const { clock, isLinked } = this.#parts
    const nowMs = clock.monotonicMs()
    const sinceMs = Math.min(nowMs - this.#lookedMs, 2 * LOOK_MS)
    this.#lookedMs = nowMs
    if (!this.#loading) this.#idleMs = 0
    else if (isLinked() && !this.#isOwnFault) this.#idleMs += sinceMs
    if (this.#idleMs >= GIVE_UP_MS) this.#giveUp('away')
  }

  /** Nothing here is as it should be any more: who waits is told, and nothing else is loaded or kept. */
  #giveUp(why: GivenUpWhy): void {
    const { logger, onDidGiveUp } = this.#parts
    if (!this.#loading || this.#end.signal.aborted || this.#owned.isDisposed) return
    const { bytes, of } = this.#loading
    logger.warn('a checkpoint of files is given up: others, or the log from its beginning, are taken in instead', {
      device: of.device,
      number: of.number,
      why: why === 'bad' ? 'what it says cannot be' : 'no linked device brings its pages',
      rows: this.#rows,
    })
    this.#end.abort(gone())
    onDidGiveUp(bytes, why)
  }

  #waitOnce(resolve: () => void): void {
    const heard = this.#changed.event(() => {
      heard.dispose()
      resolve()
    })
  }

  #begin(loading: Loading): void {
    this.#loading = loading
    this.#parts.store.gate = {
      has: (folder) => this.#has(loading, folder),
      bring: (folder) => (folder === undefined ? this.bringAll() : this.#load(folder)),
    }
  }

  #has({ stamp, position, folders }: Loading, folder: NodeId): boolean {
    const record = folder === ROOT_NODE ? undefined : this.#parts.store.node(folder)
    // Nothing lies in what is no folder, and in what was made here since lies what was put there.
    if (folder !== ROOT_NODE && (!record || record.kind !== 'folder' || record.created.stamp > stamp)) return true
    return folders.has(folder) || position >= folderRange(folder).to
  }

  #load(folder: NodeId): Promise<void> {
    const known = this.#coming.get(folder)
    if (known) return known
    const coming = this.#loadFolder(folder).finally(() => this.#coming.delete(folder))
    this.#coming.set(folder, coming)
    coming.catch((error: unknown) => errorCode(error) === 'checkpoint/malformed' && this.#giveUp('bad'))
    return coming.catch((error: unknown) => {
      throw errorCode(error) === 'chunk/unavailable' ? folderAway(error) : error
    })
  }

  /** In slices: a folder of 100,000 holds nobody up. It counts as here with the last; those before are there again when it is asked for anew. */
  async #loadFolder(folder: NodeId): Promise<void> {
    const loading = this.#loading
    if (!loading || this.#has(loading, folder)) return
    const isOver = () => {
      // Whoever waits would ask again at once, and again.
      if (this.#isEnded) throw gone()
      return this.#loading !== loading || this.#has(loading, folder)
    }
    await this.#ready(loading)
    if (isOver()) return
    let before: readonly Row[] = []
    const brought: ReadonlySet<NodeId>[] = []
    for await (const rows of this.#reader.slicesIn(loading.of.state, folderRange(folder))) {
      if (isOver()) return
      // Only at the top was anything asked for before the checkpoint was there: a mount keeps that a name is not there.
      if (folder === ROOT_NODE) brought.push(new Set(this.#idsIn(rows)))
      if (before.length > 0) {
        this.#take(before, { space: CHECKPOINT_SPACE, key: POSITION, value: utf8(loading.position) })
        await pauseOf(this.#parts.clock)
        if (isOver()) return
      }
      before = rows
    }
    if (isOver()) return
    this.#take(before, { space: FOLDERS, key: folder, value: utf8('1') })
    loading.folders.add(folder)
    this.#changed.fire()
    for (const [slice, nodes] of brought.entries()) {
      if (slice > 0) await pauseOf(this.#parts.clock)
      if (this.#isEnded) return
      this.#parts.dataset.tellBrought(nodes)
    }
  }

  #idsIn(rows: readonly Row[]): NodeId[] {
    const deviceOf = this.#deviceOf()
    return rows.map((row) => readNodeRow(row, deviceOf).record.id)
  }

  async #ready(loading: Loading): Promise<void> {
    if (loading.isKept) return
    await this.#parts.store.sync()
    loading.isKept = true
  }

  /** Nodes of a checkpoint, with the versions that are shown. */
  #take(rows: readonly Row[], mark: { readonly space: string; readonly key: string; readonly value: Uint8Array }): void {
    const { store } = this.#parts
    const deviceOf = this.#deviceOf()
    const nodes = rows
      .map((row) => readNodeRow(row, deviceOf))
      .filter(({ record: { copyOf, id } }) => {
        // A conflict copy that was settled here since is not there any more.
        const main = copyOf && store.node(copyOf.node)
        return !main || main.copies.includes(id)
      })
    const versions = nodes.flatMap(({ record: { id, heads, copyOf } }) =>
      copyOf || store.node(id) ? [] : heads.flatMap((version) => (version.content.kind === 'folder' ? [] : [{ node: id, version }])),
    )
    store.loadNodes({ nodes, versions, mark })
    this.#rows += rows.length
  }

  #deviceOf(): (log: LogId) => DeviceId {
    const devices = new Map(this.#parts.store.heads().map(({ log, device }) => [log, device as DeviceId]))
    return (log) => deviceIn(devices, log)
  }

  get #isEnded(): boolean {
    return this.#owned.isDisposed || this.#end.signal.aborted
  }

  async #loadRest(): Promise<void> {
    const { logger } = this.#parts
    this.#isOwnFault = false
    try {
      while (this.#loading && !this.#isEnded) await this.#loadAll(this.#loading)
    } catch (error) {
      if (this.#isEnded || !this.#loading) return
      const code = errorCode(error)
      if (code === 'checkpoint/malformed') return this.#giveUp('bad')
      this.#isOwnFault = code !== 'chunk/unavailable' && code !== 'chunk/damaged'
      const tell = code === 'chunk/unavailable' ? logger.debug : logger.warn
      tell.call(logger, 'the rest of a checkpoint of files is not here yet; it is tried again', { code, error: errorMessage(error) })
      this.#retry ??= this.#parts.clock.after(RETRY_MS, () => {
        this.#retry = undefined
        this.kick()
      })
    }
  }

  async #loadAll(loading: Loading): Promise<void> {
    const { store, pages, clock } = this.#parts
    const { of, bytes } = loading
    const keepParts = (entries: readonly LeafEntry[]) => {
      const parts = entries.flatMap((entry) => (isSplit(entry) ? entry.parts.map(({ id }) => id) : []))
      if (parts.length === 0) return
      // Before the mark that they are behind us: who goes on after a start does not see them again.
      pages.noteParts(parts)
      store.transaction(() => pages.putParts())
    }
    const walk = { reader: this.#reader, clock, isClosed: () => this.#isEnded }
    await this.#ready(loading)
    const state = await this.#reader.leaves(of.state)
    this.#allRows = state.leaves.reduce((sum, leaf) => sum + leaf.rows, 0)
    // What a start before this one took in.
    if (this.#rows === 0)
      this.#rows = state.leaves.reduce((sum, { below, rows }) => sum + (below !== undefined && below <= loading.position ? rows : 0), 0)
    await eachLeaf(
      walk,
      state.leaves.filter(({ below }) => below === undefined || below > loading.position),
      async (leaf, entries) => {
        keepParts(entries)
        for (const some of slicesOf(entries)) {
          const rows = await this.#reader.joined(some)
          if (this.#isEnded) return
          const nodes = rows.filter(({ key }) => !isMoveKey(key) && !loading.folders.has(placeOfKey(key).parent))
          const moves = rows.flatMap((row) => (isMoveKey(row.key) ? [readMoveRow(row)] : []))
          if (moves.length > 0) store.transaction(() => moves.forEach((move) => store.loadMove(move)))
          this.#take(nodes, { space: CHECKPOINT_SPACE, key: POSITION, value: utf8(loading.position) })
          if (some.at(-1) !== entries.at(-1)) await pauseOf(clock)
        }
        if (this.#isEnded) return
        const position = leaf.below ?? 'ff'
        this.#take([], { space: CHECKPOINT_SPACE, key: POSITION, value: utf8(position) })
        loading.position = position
      },
    )
    const history = await this.#reader.leaves(of.history)
    await eachLeaf(walk, history.leaves, async (_leaf, entries) => {
      keepParts(entries)
      const deviceOf = this.#deviceOf()
      for (const some of slicesOf(entries)) {
        const versions = (await this.#reader.joined(some)).map((row) => readVersionRow(row, deviceOf))
        if (this.#isEnded) return
        store.loadNodes({ nodes: [], versions, mark: { space: CHECKPOINT_SPACE, key: POSITION, value: utf8('ff') } })
        if (some.at(-1) !== entries.at(-1)) await pauseOf(clock)
      }
    })
    const logs = await this.#reader.leaves(of.logs)
    if (this.#isEnded) return
    await store.sync()
    if (this.#isEnded) return
    store.transaction(() => {
      store.putValue(CHECKPOINT_SPACE, LAST, bytes)
      pages.putParts()
      for (const key of [LOADING, POSITION]) store.putValue(CHECKPOINT_SPACE, key, undefined)
      for (const [folder] of store.values(FOLDERS)) store.putValue(FOLDERS, folder, undefined)
    })
    this.#loading = undefined
    store.gate = undefined
    const treeOf = (root: TreeRoot, { leaves, inner }: typeof state) => ({ root, leaves, inner })
    const ids = [...logs.leaves.map(({ id }) => id), ...logs.inner]
    this.#parts.onDidLoad(bytes, { state: treeOf(of.state, state), history: treeOf(of.history, history) }, ids)
    this.#changed.fire()
  }
}

/** What is to be written when a checkpoint that was begun with counts no more. */
export function withoutCheckpoint(store: DatasetStore): StoreValue[] {
  const gone = (space: string, key: string): StoreValue => ({ space, key, value: undefined })
  const marks = [LOADING, POSITION].map((key) => gone(CHECKPOINT_SPACE, key))
  return [...marks, ...store.values(FOLDERS).map(([folder]) => gone(FOLDERS, folder)), ...withoutBehind(store)]
}

const folderAway = (cause: unknown): ContentError =>
  new ContentError(
    'chunk/unavailable',
    'what is in this folder is on other devices, and none that is linked now brings it; it comes when one that has it is linked',
    { cause },
  )

const gone = (): ContentError =>
  new ContentError('dataset/loading', 'these files are fetched anew, from another device; try again in a moment')
