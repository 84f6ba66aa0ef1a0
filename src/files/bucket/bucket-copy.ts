import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { ChunkId } from '../chunk-id.ts'
import type { LogId, OpId } from '../op.ts'
import type { BucketStatus } from './bucket-contract.ts'
import type { BucketCopyOptions } from './bucket-copy-options.ts'
import { BucketBatches } from './bucket-batches.ts'
import { BucketContents, NOT_TOLD } from './bucket-contents.ts'
import { BucketLook } from './bucket-look.ts'
import { BucketPasses } from './bucket-passes.ts'
import { BucketPeer } from './bucket-peer.ts'
import { BucketProof } from './bucket-proof.ts'
import { BucketReadBack, wrongBytes } from './bucket-read-back.ts'
import { BucketSegments } from './bucket-segments.ts'
import { BucketSender, OTHERS_MS } from './bucket-sender.ts'
import { GRACE_MS, tidyBucket } from './bucket-tidy.ts'
import { type LiveChunks, liveChunks } from './live-chunks.ts'

/** What was changed goes to the bucket after this: many changes are one batch. */
const AFTER_CHANGE_MS = 5_000
/** How often the bucket is looked at when nothing changes: what is missing is put again. */
const EVERY_MS = 10 * 60_000
/** Counting what is only there takes a while when it is much. */
const COUNT_MS = 5_000
const PAUSE_MS = 5

/**
 * One dataset's full copy in a bucket, kept by each device that knows the bucket (rules BK1-BK10). A pass lists what lies there;
 * takes in what is new of others; sends chunks in packs, then segments; looks again, and only what it then sees counts as held;
 * at last what the dataset dropped goes. A pass that failed is made again; what it did stays done.
 */
export class BucketCopy implements Disposable {
  readonly #options: BucketCopyOptions
  readonly #owned = new DisposableStore()
  readonly #contents: BucketContents
  readonly #batches: BucketBatches
  readonly #segments: BucketSegments
  readonly #sender: BucketSender
  readonly #readBack: BucketReadBack
  readonly #look: BucketLook
  readonly #proof: BucketProof
  readonly #changed = this.#owned.add(new Emitter<void>())
  readonly #passes: BucketPasses
  #noting: Promise<void> = Promise.resolve()
  #state: BucketStatus['state'] = 'waiting'
  #error: { readonly code: string; readonly message: string } | undefined
  #counted = { bytes: 0, untilMs: Number.NEGATIVE_INFINITY }
  readonly #holding = this.#owned.add(new Emitter<void>())

  /** Its status is another. */
  readonly onDidChange = this.#changed.event
  /** Other contents are safe by it than before. */
  readonly onDidChangeHolds = this.#holding.event

  constructor(options: BucketCopyOptions) {
    this.#options = options
    const { objects, seal, store, dataset, source, isGenuine, logger, clock, behind, without } = options
    const contents = new BucketContents(store, () => options.holds.lose())
    this.#contents = contents
    const pick = (count: number) => options.pick?.(count) ?? seal.pick(count)
    const pause = () => this.#pause()
    const check = () => this.#check()
    const batches = new BucketBatches({ objects, seal, store, dataset, contents, clock, pick, pause, without })
    this.#batches = batches
    const segments = new BucketSegments({ batches, store, dataset, contents, behind, pause, logger, waitingBytes: options.waitingBytes })
    this.#segments = segments
    const distrust = (pack: string) => this.#distrust(pack)
    const failed = (error: unknown) => this.#fail(error)
    const peer = new BucketPeer({ objects, seal, contents, isGenuine, distrust, failed, pause, isReady: () => this.#isReady(), logger })
    const readBack = new BucketReadBack({ objects, seal, contents, peer, clock, pick, check, without })
    this.#readBack = readBack
    this.#proof = new BucketProof({ contents, peer, readBack, batches, clock, logger, without })
    this.#sender = new BucketSender({ ...options, contents, readBack, check, changed: () => this.#changed.fire() })
    const { upload } = this.#sender
    this.#look = new BucketLook({ objects, seal, contents, segments, upload, readBack, clock, logger, check, pause })
    source.add(peer)
    this.#owned.defer(() => source.remove(peer))
    const pass = (isFull: boolean) => this.#run(isFull)
    this.#passes = this.#owned.add(new BucketPasses({ clock, pass, failed: (error) => this.#handleFailure(error) }))
    this.#owned.add(objects)
    this.#owned.add(dataset.onDidAddSegment(() => this.#passes.runIn(AFTER_CHANGE_MS, false)))
    this.#owned.add(clock.every(EVERY_MS, () => this.#passes.runIn(0)))
    this.#passes.runIn(0)
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
    const { holds } = this.#options
    const { seenMs } = holds
    return {
      state: this.#state,
      chunks: chunkCount,
      bytes,
      onlyThereBytes: this.#onlyThereBytes,
      packs: packs.size,
      batches: batches.size,
      todoChunks: this.#sender.todo.chunks,
      todoBytes: this.#sender.todo.bytes,
      awayChunks: this.#sender.todo.away,
      sentBytes: this.#sender.sentBytes,
      wrong: this.#contents.distrusted.size + this.#segments.wrong + this.#look.wrong,
      strangeBatches: this.#segments.strange,
      ...(seenMs !== undefined && { lookedMs: seenMs }),
      isHolder: holds.isFresh,
      ...(this.#error && { error: this.#error }),
    }
  }

  /**
   * A pass from now on; one that is under way is followed by another. Resolves when it is done; it never rejects.
   * @param isFull  with looks through the whole bucket; else only what is new here is sent
   */
  async run(isFull = true): Promise<void> {
    await this.#passes.run(isFull)
  }

  /** Which of these does it give back, with all that is needed to find them (rule RP4)? Never rejects. */
  async prove(ids: ReadonlySet<ChunkId>, signal: AbortSignal): Promise<ReadonlySet<ChunkId>> {
    return (await this.#isReady()) ? this.#proof.prove(ids, signal) : new Set()
  }

  dispose(): void {
    this.#owned.dispose()
  }

  async #run(isFull: boolean): Promise<void> {
    this.#set('working')
    await this.#contents.load(() => this.#pause())
    // Who has not looked for long does not know what is marked: that goes soon, and counts for nothing.
    if (isFull || !this.#options.holds.isSeenWithin(GRACE_MS / 2)) await this.#pass()
    else await this.#sendNews()
    this.#error = undefined
    this.#set(this.#isWhole ? 'safe' : 'partial')
    if ([...this.#contents.marks.values()].includes(NOT_TOLD)) this.#passes.runIn(AFTER_CHANGE_MS)
  }

  async #handleFailure(error: unknown): Promise<void> {
    if (this.#options.holds.isLost) await this.#updateHolds().catch(() => {}) // what is left counts on; else the next does it
    if (!this.#owned.isDisposed) this.#fail(error)
  }

  /** Does whoever has nothing but the bucket and the keys get everything? */
  get #isWhole(): boolean {
    const segments = this.#segments
    if (this.#sender.todo.away > 0 || segments.strange > 0 || segments.wrong > 0 || this.#look.wrong > 0 || this.#options.isLoading())
      return false
    return segments.isWhole(this.#batches.held)
  }

  async #pass(): Promise<void> {
    const { dataset, clock } = this.#options
    dataset.flush()
    await dataset.sync() // what is given away is on the disk itself (rule OL5)
    const startedMs = clock.nowMs()
    const seen = await this.#look.run()
    await this.#updateHolds() // what is missing counts no more, whatever comes of the rest
    this.#options.holds.see(seen)
    await this.#segments.pull()
    const known = this.#known()
    const live = await this.#live()
    await this.#segments.push() // others see what it names before they hold its chunks for unwanted
    if (await this.#sender.send(live)) this.#passes.runIn(OTHERS_MS)
    await this.#segments.push()
    await this.#look.run()
    if (await this.#readBack.readOthers(live.own)) this.#passes.runIn(AFTER_CHANGE_MS)
    await this.#readBack.spotCheck()
    if (this.#options.without !== 'read-back') await this.#batches.spotCheck()
    await this.#updateHolds()
    await this.#tidy(live, known, startedMs)
    if (this.#options.holds.isLost) await this.#updateHolds() // what was marked now counts no more
  }

  /** What the dataset dropped goes. Sending may have taken hours: what came meanwhile may name what looked unwanted. */
  async #tidy(first: LiveChunks, known: string, startedMs: number): Promise<void> {
    // What cannot be read may name it, too.
    const isAllRead = ({ isWhole }: LiveChunks) =>
      isWhole && this.#segments.strange + this.#segments.wrong + this.#look.wrong === 0 && !this.#options.isLoading()
    if (!isAllRead(first)) return
    await this.#batches.merge()
    await this.#sender.merge(first.ids)
    await this.#segments.pull()
    const live = this.#known() === known ? first : await this.#live()
    if (!isAllRead(live)) return
    const proveThere = (ids: ReadonlySet<ChunkId>) => this.#proof.proveThere(ids)
    const tidying = { ...this.#options, contents: this.#contents, proveThere, pause: () => this.#pause() }
    const isLeft = await tidyBucket(tidying, live.ids, startedMs)
    if (isLeft) this.#passes.followBy(true) // what is left of packs that go is put elsewhere
  }

  /** Up to where all logs are known here. */
  #known(): string {
    const { dataset, store } = this.#options
    dataset.flush()
    return JSON.stringify(store.heads().map(({ log, ops }) => [log, ops]))
  }

  /** After a change: what is new here goes there, and only that is looked at. What others put waits for the next full pass. */
  async #sendNews(): Promise<void> {
    const { dataset, objects, seal } = this.#options
    dataset.flush()
    await dataset.sync()
    const live = await this.#live()
    const before = new Set(this.#contents.packs.keys())
    await this.#segments.push()
    if (await this.#sender.send(live)) this.#passes.runIn(OTHERS_MS)
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

  #updateHolds(): Promise<void> {
    const next = this.#noting.then(() => this.#noteHolds())
    this.#noting = next.catch(() => {})
    return next
  }

  async #noteHolds(): Promise<void> {
    this.#check()
    const { dataset, holds, book } = this.#options
    const { versions } = book.unsafeContents
    const { held } = this.#batches
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

  #distrust(pack: string): void {
    if (this.#owned.isDisposed || this.#contents.distrusted.has(pack)) return
    this.#contents.distrust(pack)
    this.#options.logger.warn('the bucket gave other bytes than were put there; they are put again', { pack: pack.slice(0, 12) })
    if (!this.#passes.isRunning) this.#passes.runIn(AFTER_CHANGE_MS)
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

  #isReady(): Promise<boolean> {
    return this.#contents
      .load(() => this.#pause())
      .then(
        () => true,
        () => false, // the pass says why, if it was not closed
      )
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => this.#options.clock.after(PAUSE_MS, resolve))
    this.#check()
  }
}
