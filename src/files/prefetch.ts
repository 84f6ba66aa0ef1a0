import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { errorCode } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { whenLoaded } from './checkpoint/still-loading.ts'
import type { ChunkId } from './chunk-id.ts'
import type { ChunkStore } from './chunk-store.ts'
import type { Dataset } from './dataset.ts'
import type { DatasetNode } from './dataset-node.ts'
import type { DatasetStore } from './dataset-store.ts'
import { FileError } from './file-error.ts'
import type { Manifest, Piece } from './manifest.ts'
import type { NodeId } from './op.ts'

export interface PrefetchParts {
  readonly dataset: Dataset
  readonly store: DatasetStore
  readonly chunks: ChunkStore
  readonly clock: Clock
  readonly logger: Logger
  /** Of the cache; a tenth of it is fetched at most. */
  limitBytes(): number
  /** Makes room for this many bytes, as far as nothing that stays is let go of; false: there is none. */
  makeRoom(bytes: number): Promise<boolean>
  /** Bytes cost: undefined, nobody says so. */
  readonly isMetered?: (() => Promise<boolean>) | undefined
}

/**
 * `waiting`: for a device that has it; `metered`, `full`: it stopped for that, and looks again. Of what was asked for: files and bytes, and
 * of these on this device.
 */
export interface PrefetchStatus {
  readonly state: 'idle' | 'fetching' | 'waiting' | 'metered' | 'full'
  readonly files: number
  readonly bytes: number
  readonly doneFiles: number
  readonly doneBytes: number
}

/** Fetched at most, whatever the cache may hold. */
const MOST_BYTES = 512 * 1024 * 1024
const LIMIT_SHARE = 0.1
/** Of a folder in view: what changed last in it. */
const MAX_IN_FOLDER = 50
const MAX_RECENT = 50
/** Segments looked through for what was written last. */
const RECENT_SEGMENTS = 5
/** Chunks under way at once, and the pause after them: whoever reads comes first. */
const AT_ONCE = 4
const PAUSE_MS = 5
/** News are gathered this long: they may name what is wanted. */
const SETTLE_MS = 2_000
const RETRY_MS = 10_000
/** What comes later than this is not what was on the desk when it was unlocked. */
const WATCHED_MS = 10 * 60_000

/**
 * When a device is unlocked: the files that its windows show and those written last are fetched before anybody asks (rule PF1). One
 * file after the other, a few chunks at a time; nothing is let go of that must stay, and nothing is kept for it.
 */
export class Prefetch implements Disposable {
  readonly #parts: PrefetchParts
  readonly #owned = new DisposableStore()
  #paths: readonly string[] = []
  #askedMs = Number.NEGATIVE_INFINITY
  #timer: Disposable | undefined
  #isRunning = false
  #status: PrefetchStatus = { state: 'idle', files: 0, bytes: 0, doneFiles: 0, doneBytes: 0 }

  constructor(parts: PrefetchParts) {
    this.#parts = parts
    this.#owned.add(parts.dataset.onDidChange(({ isOwn }) => !isOwn && this.#isWatching && this.#runIn(SETTLE_MS)))
    this.#owned.defer(() => this.#timer?.dispose())
  }

  get status(): PrefetchStatus {
    return this.#status
  }

  /** Paths in the dataset, the most wanted first; what is written last comes after them. */
  want(paths: readonly string[]): void {
    this.#paths = paths
    this.#askedMs = this.#parts.clock.monotonicMs()
    this.#timer?.dispose() // what was to be tried again then is wanted now
    this.#timer = undefined
    this.#runIn(0)
  }

  dispose(): void {
    this.#owned.dispose()
  }

  get #isWatching(): boolean {
    return this.#parts.clock.monotonicMs() - this.#askedMs < WATCHED_MS
  }

  #runIn(ms: number): void {
    if (this.#owned.isDisposed || this.#timer) return
    this.#timer = this.#parts.clock.after(ms, () => {
      this.#timer = undefined
      if (this.#isRunning) this.#runIn(SETTLE_MS)
      else void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    let files: readonly DatasetNode[] = []
    const done: DatasetNode[] = []
    const sum = (list: readonly DatasetNode[]) => list.reduce((total, { bytes }) => total + bytes, 0)
    const tell = (state: PrefetchStatus['state']) => {
      this.#status = { state, files: files.length, bytes: sum(files), doneFiles: done.length, doneBytes: sum(done) }
    }
    let state: PrefetchStatus['state'] = 'idle'
    try {
      const wanted = whenLoaded(() => this.#wanted())
      files = wanted instanceof Promise ? await wanted : wanted
      for (const file of files) {
        if (this.#owned.isDisposed) return
        tell('fetching')
        const stopped = await this.#fetch(file.manifest)
        if (stopped === undefined) done.push(file)
        else if (state === 'idle') state = stopped
        if (stopped === 'metered') break
      }
    } catch (error) {
      state = 'waiting'
      this.#parts.logger.warn('files could not be fetched ahead; it is tried again', { code: errorCode(error) })
    } finally {
      this.#isRunning = false
      tell(state)
      if (state !== 'idle' && this.#isWatching) this.#runIn(RETRY_MS)
    }
  }

  /** @returns why not; undefined: it is here */
  async #fetch(manifest: Manifest): Promise<'waiting' | 'metered' | 'full' | undefined> {
    const { dataset, chunks, makeRoom, isMetered, clock } = this.#parts
    // What is here of it is not let go of to make room for the rest.
    const hold = dataset.holds.hold(() => [manifest])
    try {
      const isHere = manifest.pieces.every(({ id }) => id === undefined || chunks.has(id))
      if (!isHere && (await isMetered?.())) return 'metered'
      const away = new Map<ChunkId, number>()
      const look = (pieces: readonly Piece[]) => {
        for (const { id, length } of pieces) if (id !== undefined && !chunks.has(id)) away.set(id, length)
      }
      look(manifest.pieces)
      await dataset.reader.eachListed(manifest, look)
      if (away.size === 0) return undefined
      if (await isMetered?.()) return 'metered'
      if (!(await makeRoom([...away.values()].reduce((sum, length) => sum + length, 0)))) return 'full'
      const ids = [...away.keys()]
      for (let at = 0; at < ids.length && !this.#owned.isDisposed; at += AT_ONCE) {
        await dataset.ensureAll(ids.slice(at, at + AT_ONCE))
        await new Promise<void>((resolve) => clock.after(PAUSE_MS, resolve))
      }
      return undefined
    } catch (error) {
      if (String(errorCode(error)).startsWith('chunk/')) return errorCode(error) === 'chunk/store-full' ? 'full' : 'waiting'
      throw error
    } finally {
      hold.dispose()
    }
  }

  /** As many as may be fetched, the most wanted first. */
  #wanted(): readonly DatasetNode[] {
    let left = Math.min(MOST_BYTES, this.#parts.limitBytes() * LIMIT_SHARE)
    const files = new Map<NodeId, DatasetNode>()
    for (const file of [...this.#paths.flatMap((path) => this.#filesAt(path)), ...this.#recent()]) {
      if (files.has(file.id) || file.bytes > left) continue
      files.set(file.id, file)
      left -= file.bytes
    }
    return [...files.values()]
  }

  #filesAt(path: string): readonly DatasetNode[] {
    const { dataset } = this.#parts
    try {
      const node = dataset.at(path)
      if (node.kind !== 'folder') return node.kind === 'file' ? [node] : []
      const files = dataset.children(node.id).filter(({ kind }) => kind === 'file')
      return files.sort((a, b) => b.changedMs - a.changedMs).slice(0, MAX_IN_FOLDER)
    } catch (error) {
      if (error instanceof FileError) return [] // not known here yet, or of this device only
      throw error
    }
  }

  /** What was written last, on any device, as the last segments of all logs tell. */
  #recent(): readonly DatasetNode[] {
    const { dataset, store, clock } = this.#parts
    const found = new Map<NodeId, DatasetNode>()
    for (const [log, seq] of store.segmentOrder().slice(-RECENT_SEGMENTS).reverse()) {
      const bytes = store.segment(log, seq)
      if (!bytes) continue
      for (const { body } of dataset.codec.open(dataset.codec.headOf(bytes), bytes, clock.nowMs()).ops.toReversed()) {
        if (!('content' in body) || body.content.kind !== 'file') continue
        const node = dataset.node(body.node)
        if (node?.kind === 'file') found.set(node.id, node)
        if (found.size >= MAX_RECENT) return [...found.values()]
      }
    }
    return [...found.values()]
  }
}
