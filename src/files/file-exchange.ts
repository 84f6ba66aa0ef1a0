import { fromBase64Url, toBase64Url } from '../base/bytes.ts'
import { type Disposable, DisposableStore, toDisposable } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import type { DeviceId } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import type { Clock } from '../base/clock.ts'
import type { Client } from '../rpc/client.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import type { BookedSegment } from './booked-segments.ts'
import type { ChunkId } from './chunk-id.ts'
import type { ChunkStore } from './chunk-store.ts'
import type { Dataset } from './dataset.ts'
import type { DatasetStore } from './dataset-store.ts'
import { type filePeerContract, MAX_FRONTIER_LOGS, MAX_PULLED_BYTES } from './file-peer-contract.ts'
import type { Manifest, Piece } from './manifest.ts'
import type { LogId } from './op.ts'
import type { SegmentHead } from './op-segment.ts'
import { StillLoading } from './checkpoint/still-loading.ts'
import { StoreError } from '../base/store-error.ts'
import type { DirectMeeting } from './direct-meeting.ts'
import type { DirectPath } from './direct-path.ts'
import { askByBestWay } from './chunk-ways.ts'
import type { ChunkPeer } from './chunk-peer.ts'
import type { PeerChunks } from './peer-chunks.ts'
import type { ReplicationBook } from './replication-book.ts'

export type FilePeerClient = Client<typeof filePeerContract>

export interface FileExchangeOptions {
  readonly dataset: Dataset
  readonly id: string
  readonly store: DatasetStore
  readonly chunks: ChunkStore
  readonly book: ReplicationBook
  readonly acknowledgements: Acknowledgements
  readonly source: PeerChunks
  readonly clock: Clock
  readonly logger: Logger
  /** Makes room for this many bytes more; false: there is none. */
  readonly makeRoom: (bytes: number) => Promise<boolean>
  /** More than this is never kept: what needs more makes nobody go. */
  readonly mostBytes?: () => number
  /** A device is linked: resolves when segments may be asked of it. Absent: at once. */
  readonly begin?: (client: FilePeerClient, device: DeviceId) => Promise<void>
  /** All that a device has to say now was heard: what lies behind a checkpoint may be asked of it. */
  readonly behind?: (client: FilePeerClient) => Promise<void>
  /** The same, with nothing of it left out. */
  readonly onDidHear?: (device: DeviceId) => void
  /** Others have the loop. */
  readonly pause?: () => Promise<void>
  /** Runs work while no room is being made. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>
}

interface PulledPeer {
  readonly device: DeviceId
  /** Segments that it has and this device lacks; of logs that go on. */
  missing: number
  toCome: number
  /** It could not be listened to: when it is tried again, and how long that was waited for the last time. */
  retry?: Disposable | undefined
  waitedMs: number
}

/** Logs that are left out of one pull, and how many more can be told of. */
interface LeftOut {
  readonly skipped: Set<LogId>
  readonly room: () => number
}

/** A log that stops at a segment that nobody can take in. */
export interface RefusedLog {
  readonly log: LogId
  readonly seq: number
  /** Whose log it says it is; undefined: not even that can be read. */
  readonly author: DeviceId | undefined
  readonly code: string
}

/** Logs of its own, or that may come, that a device is left out with at once: one that sends more is not listened to further. */
const MAX_LEFT_OUT = 256
/** Held as far as can be: a device that is told so sends nothing more of a log. */
const ALL_OF_IT = 2 ** 32 - 1
/** What may be otherwise later: a key may come, and a device be told of. */
const MAY_COME = new Set(['chunk/no-key', 'segment/refused'])
/** Segments about whose holders is asked at once: an answer has 1,000 receipts, and each may have several holders. */
const MAX_ASKED_RECEIPTS = 250
/** What could not be fetched is tried again after this, or when somebody is linked. */
const RETRY_MS = 10_000
const MAX_RETRY_MS = 600_000
/** Segments that are taken in before others have the loop: some hundred ops, or one of a thousand. */
const SLICE_BYTES = 32 * 1024
/** Segments whose contents are fetched at once, each of another device. */
const COPIED_AT_ONCE = 16
/** Chunks of 10 GB: what comes again later is counted again. */
const MAX_SEEN = 2 ** 17
/** What cannot be kept is not counted to its end. */
const TOO_MUCH = new Error('more than can be kept')

/**
 * One dataset's part of what linked devices exchange: segments by frontier, both ways, at once when there are new ones; then
 * the contents they name, as far as there is room, and a signed receipt for each segment whose contents are all here.
 */
export class FileExchange implements Disposable {
  readonly #options: FileExchangeOptions
  readonly #owned = new DisposableStore()
  readonly #peers = new Map<
    FilePeerClient,
    PulledPeer & {
      readonly direct: DirectMeeting<DirectPath> | undefined
      isPulling: boolean
      /** About the holders of all that is not safe. */
      isAsked: boolean
      again: boolean
    }
  >()
  readonly #added = this.#owned.add(new Emitter<void>())
  readonly #signed = this.#owned.add(new Emitter<readonly Uint8Array[]>())
  /** Logs that stop at a segment which cannot be taken in, and after which one. For good: its bytes are what its author signed. */
  readonly #stopped = new Map<LogId, number>()
  /** Of those the ones that came from their own device. */
  #stoppedByAuthor = 0
  readonly #refused = this.#owned.add(new Emitter<RefusedLog>())
  /** Whose contents are being copied. */
  readonly #copying = new Map<string | undefined, { again: boolean }>()
  readonly #forSlot: (() => void)[] = []
  #slots = COPIED_AT_ONCE
  /** Whose contents had no room when they were last looked for. */
  readonly #cutShort = new Set<string | undefined>()
  /** Segments whose contents could not be had the last time, by hash. */
  readonly #failed = new Set<string>()
  /** What is being fetched needs so much. */
  #neededBytes = 0
  #retry: Disposable | undefined

  /** There is more than linked devices were told of. */
  readonly onDidAdd = this.#added.event
  readonly onDidSign = this.#signed.event
  /** A log is not followed any more; the others are. */
  readonly onDidRefuse = this.#refused.event

  constructor(options: FileExchangeOptions) {
    this.#options = options
    this.#owned.add(options.dataset.onDidAddSegment(() => this.#added.fire()))
    this.#owned.defer(() => this.#retry?.dispose())
    this.#owned.defer(() => this.#peers.clear())
  }

  /** Was there no room for something when it was last looked for what is owed? */
  get isCutShort(): boolean {
    return this.#cutShort.size > 0
  }

  get linked(): readonly { readonly device: DeviceId; readonly missing: number; readonly direct: number }[] {
    return [...this.#peers.values()].map(({ device, missing, direct }) => ({ device, missing, direct: direct?.connections ?? 0 }))
  }

  /** A device is linked; until disposed. */
  attach(device: DeviceId, client: FilePeerClient, direct?: DirectMeeting<DirectPath>): Disposable {
    const { id, source } = this.#options
    const owned = new DisposableStore()
    const peer: ChunkPeer = {
      device,
      ask: askByBestWay(overLink, () => {
        const path = direct?.path
        if (!path) direct?.want()
        return path && ((ids, signal, stretch) => path.ask(id, ids, signal, stretch))
      }),
    }
    async function overLink(...[ids, signal, stretch]: Parameters<ChunkPeer['ask']>): ReturnType<ChunkPeer['ask']> {
      const { channel, more = [] } = await client.fetchChunks({ dataset: id, ids: [...ids], ...(stretch && { stretch }) }, { signal })
      return { flow: client.channel(channel), more: more as ChunkId[] }
    }
    this.#peers.set(client, { device, direct, isPulling: false, isAsked: false, again: false, missing: 0, toCome: 0, waitedMs: 0 })
    source.add(peer)
    owned.defer(() => {
      source.remove(peer)
      this.#peers.get(client)?.retry?.dispose()
      this.#peers.delete(client)
    })
    owned.add(client.onDidAddSegments(({ dataset }) => dataset === id && void this.#pull(client)))
    owned.add(
      client.onDidSignReceipts(({ dataset, receipts }) => {
        if (dataset === id) this.#takeReceipts(receipts, device)
      }),
    )
    void this.#pull(client)
    this.#owned.add(owned)
    return toDisposable(() => this.#owned.release(owned))
  }

  /**
   * What a linked device is answered. Nothing of it is given away before it is on the disk itself: after a power cut this device
   * would sign other segments under the same numbers, and be taken for two. Nor before what it names is: nobody else may have that.
   */
  async answerSegments(told: readonly (readonly [string, number])[]) {
    const { dataset } = this.#options
    const theirs = new Map(told as readonly (readonly [LogId, number])[])
    dataset.flush()
    const { segments, isMore } = dataset.segmentPage(theirs, MAX_PULLED_BYTES)
    const frontier = [...dataset.frontier()] as [string, number][]
    await dataset.sync()
    return { segments: segments.map(toBase64Url), isMore, frontier }
  }

  /** As answerSegments, of what lies behind a checkpoint, the last first. */
  async answerBehind(told: readonly (readonly [string, number])[]) {
    const { dataset } = this.#options
    const segments = dataset.segmentsBehind(new Map(told as readonly (readonly [LogId, number])[]), MAX_PULLED_BYTES)
    await dataset.sync()
    return { segments: segments.map(toBase64Url) }
  }

  /** Fetches what is owed; call it when there may be room or somebody new. What is under way goes on, and looks again after that. */
  async copy(): Promise<void> {
    const owed = this.#owed()
    for (const device of this.#cutShort) if (!owed.has(device)) this.#cutShort.delete(device)
    const begun: Promise<void>[] = []
    for (const device of owed.keys()) {
      const running = this.#copying.get(device)
      if (running) running.again = true
      else begun.push(this.#copyOf(device))
    }
    await Promise.all(begun)
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #owed(): ReadonlyMap<string | undefined, readonly BookedSegment[]> {
    const { book, store } = this.#options
    const devices = new Map(store.heads().map(({ log, device }) => [log, device]))
    const owed = new Map<string | undefined, BookedSegment[]>()
    for (const booked of book.owed) {
      const device = devices.get(booked.log)
      const of = owed.get(device) ?? []
      owed.set(device, of)
      of.push(booked)
    }
    return owed
  }

  /**
   * What one device wrote, beside what others did: who is silent about its own holds up nobody else's (rule TR17). What could not be
   * had the last time comes after the rest.
   */
  async #copyOf(device: string | undefined): Promise<void> {
    const run = { again: true }
    this.#copying.set(device, run)
    try {
      while (run.again && !this.#owned.isDisposed) {
        run.again = false
        let isCutShort = false
        const owed = this.#owed().get(device) ?? []
        const late = owed.filter(({ hash }) => this.#failed.has(hash))
        for (const booked of [...owed.filter(({ hash }) => !this.#failed.has(hash)), ...late]) {
          const result = await this.#inSlot(() => this.#copyOne(booked))
          if (result === 'no-room') isCutShort = true
          if (result === 'failed') this.#failed.add(booked.hash)
          else this.#failed.delete(booked.hash)
        }
        if (isCutShort) this.#cutShort.add(device)
        else this.#cutShort.delete(device)
      }
    } finally {
      this.#copying.delete(device)
    }
  }

  /** In the order in which they come. */
  async #inSlot<T>(work: () => Promise<T>): Promise<T> {
    if (this.#slots > 0) this.#slots--
    else await new Promise<void>((resolve) => this.#forSlot.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#forSlot.shift()
      if (next) next()
      else this.#slots++
    }
  }

  /** Pulls until this device has what that one has. */
  async #pull(client: FilePeerClient): Promise<void> {
    const peer = this.#peers.get(client)
    if (!peer) return
    peer.again = true
    if (peer.isPulling) return
    peer.isPulling = true
    peer.retry?.dispose()
    peer.retry = undefined
    let isFirst = !peer.isAsked
    peer.isAsked = true
    try {
      await this.#options.begin?.(client, peer.device)
      while (peer.again && this.#peers.has(client)) {
        peer.again = false
        const skipped = new Set<LogId>()
        while (await this.#pullOnce(client, peer, skipped)) {
          // there was more
        }
        await this.#askReceipts(client, peer.device, isFirst)
        isFirst = false
        peer.waitedMs = 0
        if (peer.toCome === 0) this.#options.onDidHear?.(peer.device)
        void this.copy()
        void this.#options.behind?.(client)
      }
    } catch (error) {
      const { logger } = this.#options
      logger.warn('files of a linked device could not be taken in', {
        device: peer.device,
        code: errorCode(error),
        error: errorMessage(error),
      })
      // A full disk here, or what that device can not answer yet: no news may come to remind anybody.
      if (this.#owned.isDisposed || this.#peers.get(client) !== peer) return
      peer.waitedMs = Math.min(MAX_RETRY_MS, Math.max(RETRY_MS, 2 * peer.waitedMs))
      peer.retry = this.#options.clock.after(peer.waitedMs, () => void this.#pull(client))
    } finally {
      peer.isPulling = false
    }
  }

  /** @param skipped  logs of which nothing can be taken in for now */
  async #pullOnce(client: FilePeerClient, peer: PulledPeer, skipped: Set<LogId>): Promise<boolean> {
    const { dataset, id, acknowledgements, pause } = this.#options
    const told = new Map<LogId, number>(dataset.frontier())
    for (const log of [...this.#stopped.keys(), ...skipped]) told.set(log, ALL_OF_IT)
    const answer = await client.pullSegments({ dataset: id, frontier: [...told] as [string, number][] })
    const before = skipped.size + this.#stopped.size
    const room = () => MAX_FRONTIER_LOGS - told.size - (skipped.size + this.#stopped.size - before)
    let [taken, sinceBytes] = [0, 0]
    for (const segment of answer.segments) {
      if (this.#owned.isDisposed) return false
      const bytes = fromBase64Url(segment)
      // An answer of 2 MiB is a second of work: whoever works in the mount is answered in between.
      sinceBytes += bytes.length
      if (sinceBytes > SLICE_BYTES) {
        sinceBytes = bytes.length
        await pause?.()
        if (this.#owned.isDisposed) return false
      }
      try {
        if (dataset.takeSegment(bytes)) taken++
      } catch (error) {
        this.#refuse(bytes, error, peer.device, { skipped, room })
      }
    }
    const mine = dataset.frontier()
    const behind = answer.frontier.map(([log, seq]) => [log as LogId, Math.max(0, seq - (mine.get(log as LogId) ?? 0))] as const)
    peer.missing = behind.reduce((sum, [, count]) => sum + count, 0)
    peer.toCome = behind.reduce((sum, [log, count]) => sum + (this.#stopped.has(log) ? 0 : count), 0)
    acknowledgements.keep(peer.device, new Map(answer.frontier as [LogId, number][]))
    const isNews = taken > 0 || skipped.size + this.#stopped.size > before
    // What waits for another segment may follow one of this answer: then it is asked for again.
    return isNews && (answer.isMore || taken < answer.segments.length)
  }

  /**
   * A segment cannot be taken in: its log ends before it here, and all others go on (rule OL6). Who brings it need not be who wrote it.
   * What others took in and this device does not is named to them, as much as can be told: else they would send it again and again, and
   * never what comes behind it.
   * @throws StoreError, and what is to be waited for: that is nobody's fault
   */
  #refuse(bytes: Uint8Array, error: unknown, from: DeviceId, { skipped, room }: LeftOut): void {
    const { dataset, logger } = this.#options
    if (error instanceof StoreError || error instanceof StillLoading) throw error
    const code = errorCode(error)
    let head: SegmentHead | undefined
    try {
      head = dataset.codec.headOf(bytes)
    } catch {
      // not even that can be read: it stops no log
    }
    const what = { from, author: head?.device, log: head?.log, seq: head?.seq, code, error: errorMessage(error) }
    // Of what its device did not sign nobody is to blame but who sent it, and another one may send what it did sign.
    const isForGood = head !== undefined && !MAY_COME.has(code)
    const isKnown = head !== undefined && (this.#stopped.has(head.log) || skipped.has(head.log))
    const isRelayed = isForGood && head?.device !== from
    const isFull = isRelayed ? room() <= 0 : this.#stoppedByAuthor + skipped.size >= MAX_LEFT_OUT
    if (head && !isKnown && isFull) return logger.debug('one more log is left out', what)
    const isSaid = this.#stopped.size < MAX_LEFT_OUT
    if (head && isForGood) {
      if (!isKnown && !isRelayed) this.#stoppedByAuthor++
      this.#stopped.set(head.log, head.seq - 1)
    } else if (head) skipped.add(head.log)
    if (isKnown || !isSaid) return
    logger.warn('a log of files stops here: what follows in it is left out', what)
    if (head && isForGood) this.#refused.fire({ log: head.log, seq: head.seq, author: head.device, code })
  }

  /** All that are not safe when a device was just linked; later some of them, for it tells what is news. */
  async #askReceipts(client: FilePeerClient, device: DeviceId, isFirst: boolean): Promise<void> {
    const { book, id } = this.#options
    const unsafe = isFirst ? book.unsafe : book.unsafe.slice(0, MAX_ASKED_RECEIPTS)
    const segments = unsafe.map(({ hash }) => hash)
    for (let at = 0; at < segments.length && !this.#owned.isDisposed; at += MAX_ASKED_RECEIPTS) {
      const { receipts } = await client.pullReceipts({ dataset: id, segments: segments.slice(at, at + MAX_ASKED_RECEIPTS) })
      this.#takeReceipts(receipts, device)
    }
  }

  #takeReceipts(receipts: readonly string[], from: DeviceId): void {
    const { book, logger } = this.#options
    const news: Uint8Array[] = []
    for (const receipt of receipts) {
      try {
        const bytes = fromBase64Url(receipt)
        if (book.take(bytes)) news.push(bytes)
      } catch (error) {
        logger.warn('a receipt for files cannot be used', { device: from, code: errorCode(error) })
      }
    }
    if (news.length > 0) this.#signed.fire(news)
  }

  async #copyOne(booked: BookedSegment): Promise<'no-room' | 'failed' | undefined> {
    if (this.#owned.isDisposed) return undefined
    const { dataset, store, chunks, book, makeRoom, inTurn, logger } = this.#options
    const wanted: Manifest[] = []
    // What is here of them is not let go of to make room for the rest.
    const hold = dataset.holds.hold(() => wanted)
    let neededBytes = 0
    try {
      const bytes = store.segment(booked.log, booked.seq)
      if (!bytes) return undefined
      const segment = dataset.codec.open(dataset.codec.headOf(bytes), bytes, this.#options.clock.nowMs())
      const missing: number[] = []
      const mattering = new Set(booked.contents.map(([number]) => number))
      segment.ops.forEach(({ id, body }, number) => {
        if (!('content' in body) || body.content.kind !== 'file' || body.content.manifest.pieces.length === 0) return
        // What history has dropped by now, or when it was signed for before, is not fetched, and the receipt says so.
        if (mattering.has(number) && dataset.keeps(body.node, id)) wanted.push(body.content.manifest)
        else missing.push(number)
      })
      const missingBytes = await this.#missingBytes(wanted)
      if (missingBytes === 'too-much') return 'no-room' // it is read from elsewhere as long as somebody has it
      const otherBytes = this.#neededBytes
      neededBytes = missingBytes
      this.#neededBytes += neededBytes
      if (!(await makeRoom(this.#neededBytes))) {
        if (otherBytes > 0) this.#retryLater() // some of that is here already, and was counted twice
        return 'no-room'
      }
      await dataset.fetchAll(wanted)
      await inTurn(async () => {
        // A cache that was cut meanwhile may have let go of some: nothing is signed for that is not here.
        for (const manifest of wanted) if (!(await dataset.isHere(manifest))) return this.#retryLater()
        await chunks.sync()
        // What nobody needs any more by now is not promised: no one would say so again.
        const owed = book.owedOf(booked.hash)
        if (this.#owned.isDisposed || !owed) return
        const receipt = book.sign(owed, missing)
        // Others let go because of it: who loses its power now knows afterwards what it has to keep.
        await store.sync()
        if (!this.#owned.isDisposed) this.#signed.fire([receipt])
      })
    } catch (error) {
      if (this.#owned.isDisposed) return undefined
      logger.debug('contents could not be copied here yet', { code: errorCode(error) })
      this.#retryLater()
      return 'failed'
    } finally {
      this.#neededBytes -= neededBytes
      hold.dispose()
    }
    return undefined
  }

  /** Bytes of contents that are not here; their lists are fetched for it. @throws ContentError `chunk/unavailable`, `content/malformed` */
  async #missingBytes(contents: readonly Manifest[]): Promise<number | 'too-much'> {
    const { dataset, chunks, mostBytes } = this.#options
    const seen = new Set<ChunkId>()
    const most = mostBytes?.() ?? Number.POSITIVE_INFINITY
    let sum = 0
    const count = (pieces: readonly Piece[]) => {
      for (const { id, length } of pieces) {
        if (id === undefined || chunks.has(id) || seen.has(id)) continue
        sum += length
        seen.add(id)
      }
      if (sum > most) throw TOO_MUCH
      if (seen.size > MAX_SEEN) seen.clear()
    }
    try {
      for (const manifest of contents) {
        count(manifest.pieces)
        await dataset.reader.eachListed(manifest, count)
      }
    } catch (error) {
      if (error === TOO_MUCH) return 'too-much'
      throw error
    }
    return sum
  }

  #retryLater(): void {
    this.#retry ??= this.#options.clock.after(RETRY_MS, () => {
      this.#retry = undefined
      if (this.#peers.size > 0) void this.copy()
    })
  }
}
