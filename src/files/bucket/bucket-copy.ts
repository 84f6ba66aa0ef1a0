import { equalBytes } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { DeviceId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import type { ChunkId, SealedChunk } from '../chunk-id.ts'
import type { ChunkStore } from '../chunk-store.ts'
import type { DatasetStore } from '../dataset-store.ts'
import type { Dataset } from '../dataset.ts'
import type { DroppedVersions } from '../dropped-versions.ts'
import type { LogId, OpId } from '../op.ts'
import type { PeerChunks } from '../peer-chunks.ts'
import type { ReplicationBook } from '../replication-book.ts'
import type { BucketStatus } from './bucket-contract.ts'
import { BucketContents, NOT_TOLD } from './bucket-contents.ts'
import { BucketError } from './bucket-error.ts'
import { BucketHolds } from './bucket-holds.ts'
import { BucketPeer } from './bucket-peer.ts'
import { type BucketSeal, type ObjectKind, sealedBytes } from './bucket-seal.ts'
import { BucketSegments } from './bucket-segments.ts'
import { type BucketSizes, BucketUpload } from './bucket-upload.ts'
import { type LiveChunks, liveChunks } from './live-chunks.ts'
import type { ObjectStore } from './object-store.ts'
import { decodeIndex, encodeIndex, ENTRY_BYTES, MAX_INDEX_BYTES, type PackedChunk } from './pack-index.ts'

export interface BucketCopyOptions extends BucketSizes {
  readonly objects: ObjectStore
  /** This device. */
  readonly self: DeviceId
  readonly seal: BucketSeal
  readonly dataset: Dataset
  readonly store: DatasetStore
  readonly chunks: ChunkStore
  readonly dropped: DroppedVersions
  readonly book: ReplicationBook
  readonly source: PeerChunks
  /** Takes in segments that lie behind a checkpoint this device began with, the newest first; resolves with how many. */
  readonly behind: (segments: readonly Uint8Array[]) => Promise<number>
  readonly holds: BucketHolds
  /** Opens a chunk: is it what its id says? */
  readonly isGenuine: (chunk: SealedChunk) => boolean
  /** A checkpoint is being loaded: not everything that is wanted is known. */
  readonly isLoading: () => boolean
  readonly clock: Clock
  readonly logger: Logger
  /** Instead of a random one: which of so many packs is looked at. */
  readonly pick?: (count: number) => number
}

/** What was changed goes to the bucket after this: many changes are one batch. */
const AFTER_CHANGE_MS = 5_000
/** How often the bucket is looked at when nothing changes: what is missing is put again. */
const EVERY_MS = 10 * 60_000
const [FIRST_RETRY_MS, LAST_RETRY_MS] = [10_000, 10 * 60_000]
/** A pack that is marked to go stays as long, for devices that read it meanwhile. */
const GRACE_MS = 60 * 60_000
/** A pack of which less than this is wanted is written anew. */
const WANTED_SHARE = 0.75
const PEER_MS = 30_000
/** So long a device has to send what it wrote before others do. */
const OTHERS_MS = 60_000
/** Counting what is only there takes a while when it is much. */
const COUNT_MS = 5_000
const PAUSE_MS = 5
/** Packs of others that are read for the first time with one pass. */
const READ_AT_ONCE = 50

type Listed = Readonly<Record<ObjectKind, ReadonlyMap<string, number>>>

/**
 * One dataset's full copy in a bucket, kept by each device that knows the bucket (rules BK1-BK8). A pass lists what lies there;
 * takes in what is new of others; sends chunks in packs, then segments; looks again, and only what it then sees counts as held;
 * at last what the dataset dropped goes. A pass that failed is made again; what it did stays done.
 */
export class BucketCopy implements Disposable {
  readonly #options: BucketCopyOptions
  readonly #owned = new DisposableStore()
  readonly #contents: BucketContents
  readonly #segments: BucketSegments
  readonly #upload: BucketUpload
  readonly #peer: BucketPeer
  readonly #changed = this.#owned.add(new Emitter<void>())
  /** Since when chunks are missing that another device wrote. */
  readonly #waitedFor = new Map<ChunkId, number>()
  /** Since when packs lie there without an index. */
  readonly #orphans = new Map<string, number>()
  /** Packs whose index could not be opened: what is in them is not known here. */
  readonly #wrongIndexes = new Set<string>()
  #running: Promise<void> | undefined
  #again = false
  #isFull = true
  #noting: Promise<void> = Promise.resolve()
  #timer: Disposable | undefined
  #retryMs = FIRST_RETRY_MS
  #state: BucketStatus['state'] = 'waiting'
  #error: { readonly code: string; readonly message: string } | undefined
  #todo = { chunks: 0, bytes: 0, away: 0 }
  #sentBytes = 0
  #counted = { bytes: 0, untilMs: Number.NEGATIVE_INFINITY }
  #lastDoneMs: number | undefined

  readonly #holding = this.#owned.add(new Emitter<void>())

  /** Its status is another. */
  readonly onDidChange = this.#changed.event
  /** Other contents are safe by it than before. */
  readonly onDidChangeHolds = this.#holding.event

  constructor(options: BucketCopyOptions) {
    this.#options = options
    const { objects, seal, store, dataset, source, isGenuine, logger, clock, partBytes, packBytes } = options
    this.#contents = new BucketContents(store, () => options.holds.lose())
    const pick = (count: number) => this.#pick(count)
    const pause = () => this.#pause()
    const { behind, without } = options
    this.#segments = new BucketSegments({ objects, seal, store, dataset, contents: this.#contents, behind, pick, pause, logger, without })
    const distrust = (pack: string) => this.#distrust(pack)
    const failed = (error: unknown) => this.#fail(error)
    this.#peer = new BucketPeer({ objects, seal, contents: this.#contents, isGenuine, distrust, failed, logger })
    const sent = (chunks: readonly PackedChunk[]) => this.#noteSent(chunks)
    const read = (id: ChunkId) => this.#read(id)
    this.#upload = new BucketUpload({ objects, seal, store, read, sent, ...(partBytes && { partBytes }), ...(packBytes && { packBytes }) })
    source.add(this.#peer)
    this.#owned.defer(() => source.remove(this.#peer))
    this.#owned.defer(() => this.#timer?.dispose())
    this.#owned.add(objects)
    this.#owned.add(dataset.onDidAddSegment(() => this.#runIn(AFTER_CHANGE_MS, false)))
    this.#owned.add(clock.every(EVERY_MS, () => this.#runIn(0)))
    this.#runIn(0)
  }

  /** Of what lies there, what is not on this device. */
  get #onlyThereBytes(): number {
    const nowMs = this.#options.clock.monotonicMs()
    if (nowMs < this.#counted.untilMs) return this.#counted.bytes
    let bytes = 0
    for (const place of this.#contents.places()) if (!this.#options.chunks.has(place.id)) bytes += place.bytes
    this.#counted = { bytes, untilMs: nowMs + COUNT_MS }
    return bytes
  }

  get status(): BucketStatus {
    const { chunkCount, bytes, packs, batches } = this.#contents
    return {
      state: this.#state,
      chunks: chunkCount,
      bytes,
      onlyThereBytes: this.#onlyThereBytes,
      packs: packs.size,
      batches: batches.size,
      todoChunks: this.#todo.chunks,
      todoBytes: this.#todo.bytes,
      awayChunks: this.#todo.away,
      sentBytes: this.#sentBytes,
      wrong: this.#contents.distrusted.size + this.#segments.wrong + this.#wrongIndexes.size,
      strangeBatches: this.#segments.strange,
      ...(this.#lastDoneMs !== undefined && { lastDoneMs: this.#lastDoneMs }),
      ...(this.#error && { error: this.#error }),
    }
  }

  /**
   * A pass from now on; one that is under way is followed by another. Resolves when it is done; it never rejects.
   * @param isFull  with looks through the whole bucket; else only what is new here is sent
   */
  async run(isFull = true): Promise<void> {
    this.#isFull ||= isFull
    this.#again = true
    this.#running ??= this.#runAll().finally(() => (this.#running = undefined))
    await this.#running
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #runIn(ms: number, isFull = true): void {
    this.#isFull ||= isFull
    if (this.#owned.isDisposed || (this.#timer && ms > 0)) return
    this.#timer?.dispose()
    this.#timer = this.#options.clock.after(ms, () => {
      this.#timer = undefined
      void this.run(false)
    })
  }

  async #runAll(): Promise<void> {
    while (this.#again && !this.#owned.isDisposed) {
      this.#again = false
      const isFull = this.#isFull
      this.#isFull = false
      this.#set('working')
      try {
        if (isFull) await this.#pass()
        else await this.#sendNews()
        this.#error = undefined
        this.#retryMs = FIRST_RETRY_MS
        this.#lastDoneMs = this.#options.clock.nowMs()
        this.#set(this.#isWhole ? 'safe' : 'partial')
        if ([...this.#contents.marks.values()].includes(NOT_TOLD)) this.#runIn(AFTER_CHANGE_MS)
      } catch (error) {
        if (this.#owned.isDisposed) return
        if (this.#options.holds.isLost) await this.#updateHolds().catch(() => {}) // what is left counts on; else the next does it
        if (this.#owned.isDisposed) return
        this.#isFull = true
        this.#fail(error)
        this.#timer?.dispose() // nothing comes before its time: what is wrong would be sent every few seconds
        this.#timer = undefined
        this.#runIn(this.#retryMs)
        this.#retryMs = Math.min(2 * this.#retryMs, LAST_RETRY_MS)
      }
    }
  }

  /** Does whoever has nothing but the bucket and the keys get everything? */
  get #isWhole(): boolean {
    const segments = this.#segments
    if (this.#todo.away > 0 || segments.strange > 0 || segments.wrong > 0 || this.#wrongIndexes.size > 0 || this.#options.isLoading())
      return false
    return segments.isWhole(segments.held)
  }

  async #pass(): Promise<void> {
    const { dataset, store, isLoading, clock } = this.#options
    dataset.flush()
    await store.sync() // what is given away is on the disk itself (rule OL5)
    const startedMs = clock.nowMs()
    const seenMs = await this.#look()
    await this.#updateHolds() // what is missing counts no more, whatever comes of the rest
    this.#options.holds.see(seenMs)
    await this.#segments.pull()
    const live = await this.#live()
    await this.#segments.push() // others see what it names before they hold its chunks for unwanted
    await this.#send(live)
    await this.#segments.push()
    await this.#look()
    await this.#checkUnread()
    await this.#spotCheck()
    if (this.#options.without !== 'read-back') await this.#segments.spotCheck()
    await this.#updateHolds()
    // What cannot be read may name what looks unwanted.
    const isAllRead = live.isWhole && this.#segments.strange === 0 && this.#segments.wrong === 0 && this.#wrongIndexes.size === 0
    if (isAllRead && !isLoading()) await this.#tidy(live.ids, startedMs)
    if (this.#options.holds.isLost) await this.#updateHolds() // what was marked now counts no more
  }

  /** After a change: what is new here goes there, and only that is looked at. What others put waits for the next full pass. */
  async #sendNews(): Promise<void> {
    const { dataset, store, objects, seal } = this.#options
    dataset.flush()
    await store.sync()
    const live = await this.#live()
    const before = new Set(this.#contents.packs.keys())
    await this.#segments.push()
    await this.#send(live)
    for (const [name, { bytes }] of [...this.#contents.packs]) {
      if (before.has(name)) continue
      const key = seal.at('p', name)
      if ((await objects.list(key)).get(key) === bytes) continue
      this.#contents.dropPack(name)
      throw wrongBytes()
    }
    await this.#updateHolds()
  }

  #live(): Promise<LiveChunks> {
    const { dataset, store, dropped } = this.#options
    const own = new Set(store.heads().flatMap(({ log, device }) => (device === this.#options.self ? [log] : [])))
    const isOwn = (op: OpId) => own.has(op.slice(0, op.indexOf('.')) as LogId)
    const batches = () => [...dropped.batches].map(([, batch]) => batch)
    return liveChunks({ dataset, store, isOwn, batches, pause: () => this.#pause() })
  }

  /** What lies there now, against what was known. @returns when it was listed */
  async #look(): Promise<number> {
    const { objects, seal, clock, logger } = this.#options
    const contents = this.#contents
    const atMs = clock.nowMs()
    const listed = this.#listed(await this.#list())
    for (const [name, bytes] of [...contents.packs].map(([name, pack]) => [name, pack.bytes] as const)) {
      if (listed.p.get(name) === bytes) continue
      logger.warn('a pack is missing in the bucket, or is of another length: its chunks are put again', { pack: name.slice(0, 12) })
      contents.dropPack(name)
    }
    for (const name of [...contents.distrusted]) if (!listed.p.has(name)) contents.forget(name)
    for (const name of [...contents.marks.keys()]) {
      if (listed.d.has(name)) continue
      if (contents.distrusted.has(name) || this.#isOrphan(listed, name)) contents.untell(name)
      else contents.unmark(name)
    }
    for (const name of listed.d.keys()) contents.mark(name, clock.nowMs())
    this.#wrongIndexes.clear()
    for (const name of listed.i.keys()) {
      if (contents.packs.has(name) || !listed.p.has(name)) continue
      const sealed = await objects.get(seal.at('i', name), 0, MAX_INDEX_BYTES)
      this.#check()
      try {
        if (!sealed || sealed.length !== listed.i.get(name))
          throw new BucketError('bucket/wrong-bytes', 'an index of another length than was listed')
        const chunks = decodeIndex(seal.open('i', name, sealed))
        const bytes = chunks.reduce((sum, chunk) => sum + chunk.bytes, 0)
        if (bytes === listed.p.get(name)) contents.addPack(name, chunks, false)
      } catch (error) {
        this.#wrongIndexes.add(name)
        logger.warn('an index in the bucket cannot be used', { error: errorMessage(error) })
      }
    }
    for (const { name, chunks } of contents.packs.values())
      if (listed.i.get(name) !== sealedBytes(ENTRY_BYTES * chunks.length)) await this.#putIndex(name, chunks)
    for (const name of this.#orphans.keys()) if (!this.#isOrphan(listed, name)) this.#orphans.delete(name)
    for (const name of listed.p.keys()) {
      if (!this.#isOrphan(listed, name) || this.#upload.isRunning(name)) continue
      const sinceMs = this.#orphans.get(name) ?? atMs
      this.#orphans.set(name, sinceMs)
      if (atMs - sinceMs >= GRACE_MS) contents.mark(name, NOT_TOLD)
    }
    this.#segments.look(listed.s)
    return atMs
  }

  /** A bucket that is gone holds nothing. @throws BucketError */
  async #list(): Promise<ReadonlyMap<string, number>> {
    const { objects, seal } = this.#options
    try {
      return await objects.list(seal.folder)
    } catch (error) {
      if (errorCode(error) === 'bucket/not-found') return new Map()
      throw error
    } finally {
      this.#check()
    }
  }

  /** Chunks without an index: of an upload that was cut, or of one that is about to get its index. */
  #isOrphan(listed: Listed, name: string): boolean {
    return listed.p.has(name) && !listed.i.has(name) && !this.#contents.packs.has(name)
  }

  async #send({ ids: live, own }: LiveChunks): Promise<void> {
    const { objects, seal, chunks } = this.#options
    const contents = this.#contents
    for (const [name, sinceMs] of [...contents.marks]) {
      if (sinceMs !== NOT_TOLD) continue
      await objects.put(seal.at('d', name), new Uint8Array(1))
      contents.mark(name, this.#options.clock.nowMs())
    }
    const missing = [...live].filter((id) => !contents.holds(id))
    const wanted = new Set(missing.filter((id) => own.has(id) || this.#isDue(id)))
    for (const id of this.#waitedFor.keys()) if (!live.has(id) || contents.holds(id)) this.#waitedFor.delete(id)
    if (wanted.size < missing.length) this.#runIn(OTHERS_MS)
    const underWay = this.#upload.underWay
    this.#todo = { chunks: 0, bytes: 0, away: 0 }
    for (const id of wanted) {
      if (underWay.has(id)) continue
      this.#todo.chunks++
      this.#todo.bytes += chunks.bytesOf(id)
    }
    this.#changed.fire()
    for (;;) {
      const pack = await this.#upload.sendPack(wanted)
      if (!pack) break
      this.#check()
      if (!(await this.#isGood(pack.name, pack.chunks))) {
        await objects.remove(seal.at('p', pack.name)) // nobody knows of it yet
        contents.forget(pack.name)
        this.#upload.done()
        throw wrongBytes()
      }
      await this.#putIndex(pack.name, pack.chunks)
      contents.addPack(pack.name, pack.chunks, true)
      this.#upload.done()
      this.#changed.fire()
    }
    this.#todo = { chunks: 0, bytes: 0, away: [...live].filter((id) => !contents.holds(id)).length }
  }

  /** What another device wrote it most likely sends itself. */
  #isDue(id: ChunkId): boolean {
    const nowMs = this.#options.clock.nowMs()
    const sinceMs = this.#waitedFor.get(id) ?? nowMs
    this.#waitedFor.set(id, sinceMs)
    return nowMs - sinceMs >= OTHERS_MS
  }

  #noteSent(chunks: readonly PackedChunk[]): void {
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.bytes, 0)
    this.#sentBytes += bytes
    const { chunks: count, bytes: left, away } = this.#todo
    this.#todo = { chunks: Math.max(0, count - chunks.length), bytes: Math.max(0, left - bytes), away }
    this.#changed.fire()
    this.#check()
  }

  /** Of this device, else of a linked one, else out of a pack that is to go. */
  async #read(id: ChunkId): Promise<SealedChunk | undefined> {
    this.#check()
    const { chunks, source, isGenuine } = this.#options
    const held = await chunks.get(id)
    if (held && isGenuine(held)) return held
    if (source.isAlone && !this.#contents.placeOf(id)) return undefined
    return source.fetch(id, AbortSignal.timeout(PEER_MS)).catch(() => undefined)
  }

  async #spotCheck(): Promise<void> {
    const names = [...this.#contents.packs.keys()].filter((name) => !this.#contents.marks.has(name))
    const name = names[this.#pick(names.length)]
    if (!name) return
    await this.#checkIndex(name)
    await this.#checkOne(name)
  }

  async #checkIndex(name: string): Promise<void> {
    const chunks = this.#contents.packs.get(name)?.chunks ?? []
    if (this.#options.without !== 'read-back' && !(await this.#isIndexThere(name, chunks))) await this.#putIndex(name, chunks)
  }

  /** Without its index a pack is nothing to others: it is read back. */
  async #putIndex(name: string, chunks: readonly PackedChunk[]): Promise<void> {
    const { objects, seal } = this.#options
    this.#contents.unread(name)
    await objects.put(seal.at('i', name), seal.seal('i', name, encodeIndex(chunks)))
    this.#check()
    if (this.#options.without === 'read-back' || (await this.#isIndexThere(name, chunks))) return
    throw new BucketError('bucket/wrong-bytes', 'the bucket gave another index than was put there; it is put again')
  }

  async #isIndexThere(name: string, chunks: readonly PackedChunk[]): Promise<boolean> {
    const { objects, seal } = this.#options
    const sealed = await objects.get(seal.at('i', name), 0, MAX_INDEX_BYTES)
    this.#check()
    try {
      return sealed !== undefined && equalBytes(seal.open('i', name, sealed), encodeIndex(chunks))
    } catch {
      return false
    }
  }

  /** Reads one chunk back: a put counts when its bytes are there. */
  async #checkOne(name: string): Promise<void> {
    const chunks = this.#contents.packs.get(name)?.chunks ?? []
    if (!(await this.#isGood(name, chunks))) throw wrongBytes()
    this.#contents.read(name)
  }

  async #isGood(name: string, chunks: readonly PackedChunk[]): Promise<boolean> {
    const at = this.#pick(chunks.length)
    const chunk = chunks[at]
    const offset = chunks.slice(0, at).reduce((sum, { bytes }) => sum + bytes, 0)
    const read = chunk && (await this.#peer.read({ ...chunk, pack: name, offset }))
    this.#check()
    return !chunk || read !== undefined
  }

  #pick(count: number): number {
    return this.#options.pick?.(count) ?? this.#options.seal.pick(count)
  }

  /** Packs of others count when one chunk of each was read back here, too. */
  async #checkUnread(): Promise<void> {
    const { packs, marks } = this.#contents
    const unread = [...packs.keys()].filter((name) => !marks.has(name) && !this.#contents.isRead(name))
    for (const name of unread.slice(0, READ_AT_ONCE)) {
      await this.#checkIndex(name)
      await this.#checkOne(name)
    }
    if (unread.length > READ_AT_ONCE) this.#runIn(AFTER_CHANGE_MS)
  }

  #updateHolds(): Promise<void> {
    const next = this.#noting.then(() => this.#noteHolds())
    this.#noting = next.catch(() => {})
    return next
  }

  async #noteHolds(): Promise<void> {
    this.#check()
    const { dataset, holds, book } = this.#options
    const { versions } = book.unsafeContents
    const held = this.#segments.held
    const isWhole = this.#segments.isWhole(held)
    const contents = this.#contents
    await holds.update(
      { dataset, own: book.own },
      (id) => contents.counts(id),
      isWhole ? held : new Set(),
      () => this.#pause(),
    )
    this.#check()
    book.reviewHolders()
    if (book.unsafeContents.versions !== versions) this.#holding.fire()
  }

  /** Packs that nothing of is wanted go, an hour after they were marked; those of which little is are written anew first (rule BK7). */
  async #tidy(live: ReadonlySet<ChunkId>, startedMs: number): Promise<void> {
    const { objects, seal, clock, logger } = this.#options
    const contents = this.#contents
    for (const [name, sinceMs] of [...contents.marks]) {
      const pack = contents.packs.get(name)
      const isNeeded = pack?.chunks.some(({ id }) => live.has(id) && !contents.holds(id))
      if (isNeeded || startedMs - sinceMs < GRACE_MS) continue
      logger.info('a pack that nothing names is removed from the bucket', { pack: name.slice(0, 12) })
      for (const kind of ['p', 'i', 'd'] as const) await objects.remove(seal.at(kind, name))
      contents.forget(name)
    }
    for (const { name, chunks, bytes } of [...contents.packs.values()]) {
      if (contents.marks.has(name)) continue
      const wanted = chunks.reduce(
        (sum, chunk) => sum + (live.has(chunk.id) && contents.placeOf(chunk.id)?.pack === name ? chunk.bytes : 0),
        0,
      )
      if (wanted >= bytes * WANTED_SHARE) continue
      await objects.put(seal.at('d', name), new Uint8Array(1))
      contents.mark(name, clock.nowMs())
      if (wanted > 0) this.#again = this.#isFull = true // what is left of it is put elsewhere
    }
  }

  #listed(keys: ReadonlyMap<string, number>): Listed {
    const listed = {
      p: new Map<string, number>(),
      i: new Map<string, number>(),
      s: new Map<string, number>(),
      d: new Map<string, number>(),
    }
    for (const [key, bytes] of keys) {
      const found = this.#options.seal.parse(key)
      if (found) listed[found.kind].set(found.name, bytes)
    }
    return listed
  }

  #distrust(pack: string): void {
    if (this.#owned.isDisposed || this.#contents.distrusted.has(pack)) return
    this.#contents.distrust(pack)
    this.#options.logger.warn('the bucket gave other bytes than were put there; they are put again', { pack: pack.slice(0, 12) })
    if (!this.#running) this.#runIn(AFTER_CHANGE_MS)
    void this.#updateHolds().catch((error) => this.#owned.isDisposed || this.#fail(error))
    this.#changed.fire()
  }

  #fail(error: unknown): void {
    this.#error = { code: errorCode(error), message: errorMessage(error).slice(0, 500) }
    this.#options.logger.warn('the bucket could not be used', this.#error)
    this.#set('failing')
  }

  #set(state: BucketStatus['state']): void {
    this.#state = state
    this.#changed.fire()
  }

  /** The dataset was closed. */
  #check(): void {
    if (this.#owned.isDisposed) throw new Error('these files were closed')
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => this.#options.clock.after(PAUSE_MS, resolve))
    this.#check()
  }
}

const wrongBytes = () => new BucketError('bucket/wrong-bytes', 'the bucket gave other bytes than were put there; they are put again')
