import type { Clock } from '../../base/clock.ts'
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { DatasetId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import { hasRoom } from '../../base/store-error.ts'
import type { ChunkId } from '../chunk-id.ts'
import type { ChunkStore } from '../chunk-store.ts'
import type { Dataset } from '../dataset.ts'
import type { FilesCrypto } from '../files-crypto.ts'
import type { SegmentSigner } from '../op-segment.ts'
import { ChangedRows } from './changed-rows.ts'
import { type Checkpoint, encodeCheckpoint, openCheckpoint } from './checkpoint-codec.ts'
import { GivenCheckpoints } from './given-checkpoints.ts'
import type { PageKeeper } from './page-keeper.ts'
import type { PartialStore } from './partial-store.ts'
import { editsOfHistory, editsOfState, logRows } from './state-rows.ts'
import { idsOf, idsOfTree, TreeBuilder, type Trees } from './tree-builder.ts'
import { type MadeTree, MissingLeaf } from './tree-writer.ts'

export interface MakerParts {
  readonly dataset: Dataset
  readonly id: DatasetId
  readonly store: PartialStore
  readonly chunks: ChunkStore
  readonly pages: PageKeeper
  readonly crypto: FilesCrypto
  readonly signer: SegmentSigner
  readonly clock: Clock
  readonly logger: Logger
  /** May this device make any? */
  readonly isAdmin: () => boolean
  /** Era of keys now. */
  readonly epoch: () => number
  /** Instead of a pause of some milliseconds. */
  readonly pause?: (() => Promise<void>) | undefined
}

/** Where what was made last lies, in the space of checkpoints. */
export const CHECKPOINT_SPACE = 'checkpoint'
export const LAST = 'last'
const CHANGES = 'changes'
const NUMBER = 'number'

/** Fewer new ops than this a new device takes in as fast as a checkpoint. */
export const MIN_OPS = 2_000
/** A quiet moment, and how often one is looked for; with so many new ops a lull will do, and nobody waits longer for that than so long. */
const QUIET_MS = 30_000
const MANY_OPS = 20_000
const LULL_MS = 5_000
const LONGEST_MS = 10 * 60_000
/** Rows changed at once while others wait: some milliseconds. */
const LAST_ROWS = 500
const PAUSE_MS = 5
/** One that could not be made is tried again after this: it may have read everything. */
const RETRY_MS = 10 * 60_000
/** More changes than can be told apart came while it was made: it is tried again later. */
const MAX_TRIES = 3

/**
 * Makes checkpoints of what this device holds, when many ops are new and nobody works. What changed since the last one is all that is
 * read and written. What it makes is a function of the ops held and the versions kept, whoever makes it.
 */
export class CheckpointMaker implements Disposable {
  readonly #parts: MakerParts
  readonly #builder: TreeBuilder
  readonly #owned = new DisposableStore()
  readonly #given: GivenCheckpoints
  #trees: Trees | undefined
  /** All pages of the last one. */
  #ids: readonly ChunkId[] = []
  #last: { readonly bytes: Uint8Array; readonly of: Checkpoint } | undefined
  #lastChangeMs: number
  #notBeforeMs = 0
  /** Since when many ops are new. */
  #manySinceMs: number | undefined
  #running: Promise<Checkpoint | undefined> | undefined
  /** Its pages are here: until that is known, nobody is given it. */
  #isWhole = false

  constructor(parts: MakerParts) {
    this.#parts = parts
    const { store, dataset, clock, crypto, id } = parts
    this.#builder = new TreeBuilder({ store, dataset, pages: parts.pages, pause: () => this.#pause() })
    this.#given = new GivenCheckpoints(parts)
    this.#lastChangeMs = clock.monotonicMs()
    const bytes = store.value(CHECKPOINT_SPACE, LAST)
    if (bytes) this.#last = { bytes, of: openCheckpoint(crypto, id, bytes) }
    const changes = store.value(CHECKPOINT_SPACE, CHANGES)
    store.changes.addAll(changes ? ChangedRows.fromPlain(JSON.parse(fromUtf8(changes))) : ChangedRows.all())
    // A process that is killed says nothing of what changed: then the next checkpoint reads everything.
    const forget = () => hasRoom(() => store.transaction(() => store.putValue(CHECKPOINT_SPACE, CHANGES, undefined)))
    if (changes && !forget()) store.forgetFirst = forget
    this.#owned.add(dataset.onDidChange(() => (this.#lastChangeMs = clock.monotonicMs())))
    this.#owned.add(clock.every(QUIET_MS, () => this.#look()))
    this.#holdKept().catch((error: unknown) => {
      if (!this.#owned.isDisposed)
        parts.logger.warn('pages of checkpoints that were given away are not held', { error: errorMessage(error) })
    })
  }

  /** The newest checkpoint that is here as a whole, as it was signed. */
  get last(): Uint8Array | undefined {
    return this.#isWhole ? this.#last?.bytes : undefined
  }

  /** As `last`, for another device, which may fetch its pages for a month. */
  async give(): Promise<Uint8Array | undefined> {
    const bytes = this.last
    if (!bytes || !this.#last || !this.#trees) return undefined
    this.#given.note(this.#last.of, bytes, this.#ids)
    await this.#parts.store.sync() // what it says of our own log is on the disk itself, as with segments
    return bytes
  }

  /** One of another device is here as a whole, and this device's state is what it says and what changed since. */
  adopted(bytes: Uint8Array, trees: Trees, logs: readonly ChunkId[]): void {
    const { crypto, id, pages } = this.#parts
    this.#last = { bytes, of: openCheckpoint(crypto, id, bytes) }
    this.#trees = trees
    this.#ids = [...idsOf(trees), ...logs]
    // A full cache may have let go of some while the rest came.
    this.#isWhole = pages.hasAll(this.#ids)
    pages.hold(LAST, this.#ids)
  }

  /** Makes one now; undefined: this device may not, or nothing is new. @throws ContentError, StoreError */
  make(): Promise<Checkpoint | undefined> {
    this.#running ??= this.#make().finally(() => {
      this.#running = undefined
      this.#builder.forget()
      this.#parts.pages.settle()
    })
    return this.#running
  }

  dispose(): void {
    const { store, logger } = this.#parts
    if (this.#owned.isDisposed) return
    this.#owned.dispose()
    const plain = this.#last && !this.#running ? store.changes.toPlain() : undefined
    if (!plain) return
    try {
      store.transaction(() => store.putValue(CHECKPOINT_SPACE, CHANGES, utf8(JSON.stringify(plain))))
    } catch (error) {
      logger.debug('what changed since a checkpoint was not kept: the next one reads everything', { error: errorMessage(error) })
    }
  }

  get #newOps(): number {
    return this.#parts.store.heads().reduce((sum, { ops }) => sum + ops, 0) - (this.#last?.of.ops ?? 0)
  }

  #look(): void {
    const { clock, logger, store } = this.#parts
    if (this.#running || store.gate || !this.#parts.isAdmin() || clock.monotonicMs() < this.#notBeforeMs) return
    const nowMs = clock.monotonicMs()
    const [newOps, quietMs] = [this.#newOps, nowMs - this.#lastChangeMs]
    this.#manySinceMs = newOps < MANY_OPS ? undefined : (this.#manySinceMs ?? nowMs)
    const isLong = this.#manySinceMs !== undefined && nowMs - this.#manySinceMs >= LONGEST_MS
    // While a hundred thousand files are taken in, what is made for new devices would take as much as that.
    if (newOps < MIN_OPS || (!isLong && quietMs < (newOps < MANY_OPS ? QUIET_MS : LULL_MS))) return
    this.#manySinceMs = undefined
    this.make().catch((error: unknown) => {
      this.#notBeforeMs = clock.monotonicMs() + RETRY_MS
      if (!this.#owned.isDisposed)
        logger.warn('a checkpoint of files could not be made; it is tried again', { code: errorCode(error), error: errorMessage(error) })
    })
  }

  async #make(): Promise<Checkpoint | undefined> {
    const { store } = this.#parts
    if (store.gate || !this.#parts.isAdmin()) return undefined
    const all = new ChangedRows()
    try {
      return await this.#makeOf(all)
    } catch (error) {
      store.changes.addAll(all)
      throw error
    }
  }

  /** `all`: what it took of the changes, to be given back when it fails. */
  async #makeOf(all: ChangedRows): Promise<Checkpoint> {
    const { store, dataset } = this.#parts
    const changes = new ChangedRows()
    const takeChanges = () => {
      const news = store.changes.take()
      all.addAll(news)
      changes.addAll(news)
    }
    takeChanges()
    let trees = changes.isAll ? undefined : await this.#lastTrees()
    if (!trees) changes.addAll(ChangedRows.all())
    for (let tries = 0; ; ) {
      if (changes.isAll || !trees) {
        if (++tries > MAX_TRIES) throw new Error('too much changes at once')
        changes.take()
        trees = await this.#builder.all()
      }
      // Most of it while others go on; what they change meanwhile is in the next round.
      while (!changes.isAll && changes.size > LAST_ROWS) {
        trees = await this.#builder.edited(trees, changes)
        changes.take()
        takeChanges()
      }
      if (changes.isAll) continue
      // The rest at once, with the frontier it belongs to: nothing comes between.
      dataset.flush()
      takeChanges()
      if (changes.isAll || changes.size > 2 * LAST_ROWS) continue
      const made = this.#builder.editNow(trees, editsOfState(store, changes.stateKeys), editsOfHistory(store, changes.historyNodes))
      if (made instanceof MissingLeaf) {
        await this.#builder.bring(made.leaf)
        continue
      }
      const logs = this.#builder.treeOf(logRows(store, dataset.codec))
      const ops = store.heads().reduce((sum, head) => sum + head.ops, 0)
      return this.#sign(made, logs, ops)
    }
  }

  /** Pages are kept and synced before the checkpoint says that they are. */
  async #sign(trees: Trees, logs: MadeTree, ops: number): Promise<Checkpoint> {
    const { store, chunks, pages, crypto, signer, clock, id, epoch, logger } = this.#parts
    const ids = [...idsOf(trees), ...idsOfTree(logs)]
    const wanted = new Set(ids)
    const made = this.#builder.made(wanted)
    await pages.put(made, () => this.#pause())
    await chunks.sync()
    const kept = store.value(CHECKPOINT_SPACE, NUMBER)
    const number = (kept ? Number(fromUtf8(kept)) : 0) + 1
    const roots = { logs: logs.root, state: trees.state.root, history: trees.history.root }
    const bytes = encodeCheckpoint(crypto, { dataset: id, epoch: epoch(), number, atMs: clock.nowMs(), ops, ...roots }, signer)
    store.transaction(() => {
      store.putValue(CHECKPOINT_SPACE, NUMBER, utf8(String(number)))
      store.putValue(CHECKPOINT_SPACE, LAST, bytes)
      pages.putParts()
    })
    pages.hold(LAST, ids)
    this.#ids = ids
    this.#trees = trees
    this.#isWhole = true
    this.#given.forgetOld()
    const of = openCheckpoint(crypto, id, bytes)
    this.#last = { bytes, of }
    logger.debug('a checkpoint of files was made', { ops, pages: ids.length, made: made.size })
    return of
  }

  async #lastTrees(): Promise<Trees | undefined> {
    const { pages } = this.#parts
    if (!this.#last) return undefined
    try {
      this.#trees ??= (await this.#builder.read(this.#last.of)).trees
      // One that this device lost is made anew.
      return pages.hasAll(idsOf(this.#trees)) ? this.#trees : undefined
    } catch (error) {
      this.#parts.logger.debug('pages of the last checkpoint are not here; all are made', { error: errorMessage(error) })
      return undefined
    }
  }

  /** Pages that were kept before this start go on being kept. */
  async #holdKept(): Promise<void> {
    const { pages, crypto, id, logger } = this.#parts
    try {
      if (this.#last) {
        const { trees, ids } = await this.#builder.read(this.#last.of)
        if (this.#owned.isDisposed) return
        // Unless a newer one was made meanwhile.
        if (!this.#trees) {
          this.#trees = trees
          this.#ids = ids
          pages.hold(LAST, ids)
          this.#isWhole = pages.hasAll(ids)
        }
      }
    } catch (error) {
      if (!this.#owned.isDisposed) logger.debug('pages of a checkpoint are not here any more', { error: errorMessage(error) })
    }
    if (this.#owned.isDisposed) return
    await this.#given.holdAll(async (bytes) => (await this.#builder.read(openCheckpoint(crypto, id, bytes))).ids)
  }

  async #pause(): Promise<void> {
    const { clock, pause } = this.#parts
    await (pause?.() ?? new Promise<void>((resolve) => clock.after(PAUSE_MS, resolve)))
    if (this.#owned.isDisposed) throw new Error('these files were closed')
  }
}
