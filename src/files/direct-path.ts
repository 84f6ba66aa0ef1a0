import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import { errorMessage } from '../base/errors.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { ChunkFlow } from './chunk-peer.ts'
import type { ChunkId } from './chunk-id.ts'
import { ContentError } from './content-error.ts'
import { type AnswerCall, DirectAnswers, MAX_REQUESTS } from './direct-answers.ts'
import { type DirectFrame, DirectFrameReader, encodeDirectFrame, LONG_PART_BYTES, PART_BYTES } from './direct-frame.ts'
import { DirectLane } from './direct-lane.ts'
import type { DirectConnection, DirectKind } from './direct-sockets.ts'
import { DirectWindow } from './direct-window.ts'
import { MAX_STRETCH_CHUNKS, type Stretch } from './file-peer-contract.ts'

/** What is half here, of all that was asked for, at most: parts come by several connections, some later than others. */
const MAX_OPEN_BYTES = 48 * 1024 * 1024
/** A connection that has this much in its own buffer gets no more for now. */
const BUFFER_BYTES = 128 * 1024
/** From so much on its way on, parts are long ones. */
const LONG_FROM_BYTES = 1024 * 1024
/** What was taken in is confirmed by so much, or a moment later. */
const CONFIRM_BYTES = 64 * 1024
const CONFIRM_MS = 1
/** While bytes go out, how long the link takes is looked at this often. */
const PROBE_MS = 25
/** An answer that is not there after this counts as one that took so long. */
const LATE_MS = 250
/** Questions that are not answered yet, at most. */
const MAX_PROBES = 16
/** Whether a connection still brings what is waited for is looked at this often. */
const LOOK_MS = 1_000
/** Nothing at so many looks in a row, each answered by the link: the path swallows what is sent. Two seconds: nobody waits longer. */
const QUIET_LOOKS = 3

export interface DirectPathOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly answer: AnswerCall
  /** Resolves when the link has answered. */
  readonly probe: () => Promise<unknown>
}

interface Asked {
  /** More than these are not taken. */
  messages: number
  /** So many there are in all, once the other side has said so. */
  ends: number | undefined
  readonly received: Emitter<Uint8Array>
  readonly closed: Emitter<{ readonly reason: string }>
  /** What came before the first listener. */
  held: Uint8Array[] | undefined
  readonly open: Map<number, { readonly bytes: Uint8Array; missing: number }>
  readonly done: Set<number>
  readonly named: (ids: readonly ChunkId[]) => void
  isNamed: boolean
  isClosed: boolean
}

/**
 * Chunks between two linked devices' files processes over connections of their own, several, so that one lost packet holds up a
 * part only. Both sides ask and answer. Owns the connections; when one ends, brings nothing any more or carries what cannot be
 * read, all end: whoever waits for something asks for it over the link.
 */
export class DirectPath implements Disposable {
  readonly #options: DirectPathOptions
  readonly #owned = new DisposableStore()
  readonly #lanes: DirectLane[] = []
  readonly #asked = new Map<number, Asked>()
  readonly #answers: DirectAnswers
  readonly #window: DirectWindow
  readonly #closed = new Emitter<void>()
  readonly #changed = this.#owned.add(new Emitter<void>())
  #nextRequest = 1
  #openBytes = 0
  #inFlight = 0
  #turn = 0
  #isProbing = false
  #isLooking = false
  /** Looks since anything came. */
  #quietLooks = 0
  /** When each question that is not answered was asked. */
  readonly #probes = new Set<number>()
  #usedMs: number

  readonly onDidClose = this.#closed.event
  /** Another connection, or what this one waited for. */
  readonly onDidChange = this.#changed.event

  constructor(options: DirectPathOptions) {
    this.#options = options
    this.#window = new DirectWindow(options.clock)
    this.#usedMs = options.clock.monotonicMs()
    const room = () => this.#inFlight < this.#window.bytes && this.#lanes.some(hasRoom)
    const partBytes = () => (this.kind === 'tls' && this.#window.bytes >= LONG_FROM_BYTES ? LONG_PART_BYTES : PART_BYTES)
    this.#answers = this.#owned.add(new DirectAnswers({ ...options, room, partBytes, send: (frame) => this.#answer(frame) }))
    this.#owned.add(options.clock.every(LOOK_MS, () => this.#look()))
  }

  get connections(): number {
    return this.#lanes.length
  }

  get kind(): DirectKind | undefined {
    return this.#lanes[0]?.connection.kind
  }

  get isClosed(): boolean {
    return this.#owned.isDisposed
  }

  /** When something was asked for or sent last, by the monotonic clock. */
  get usedMs(): number {
    return this.#usedMs
  }

  /** Somebody is at work on this device: bytes make way. */
  noteLive(): void {
    this.#window.noteLive()
  }

  add(connection: DirectConnection): void {
    if (this.isClosed) return connection.dispose()
    this.#owned.add(connection)
    const lane = new DirectLane(connection, this.#options.clock)
    this.#owned.defer(() => lane.confirming?.dispose())
    this.#lanes.push(lane)
    const reader = new DirectFrameReader()
    connection.onDidClose(() => this.dispose())
    connection.onDidDrain(() => this.#answers.go())
    connection.onDidReceive((bytes) => {
      this.#quietLooks = 0
      try {
        for (const frame of reader.take(bytes)) {
          if (this.isClosed) return
          if (frame.kind === 'part') lane.unconfirmed += frame.bytes.length
          this.#take(frame, lane)
        }
      } catch (error) {
        this.#options.logger.warn('a direct connection ends', { why: errorMessage(error) })
        return this.dispose()
      }
      this.#confirmSoon(lane)
    })
    this.#changed.fire()
  }

  /** Many at once: each costs both sides a call of the system. Where little may be on its way, at once. */
  #confirmSoon(lane: DirectLane): void {
    if (this.isClosed || lane.unconfirmed === 0) return
    if (lane.unconfirmed >= CONFIRM_BYTES || lane.connection.mostUnconfirmedBytes !== undefined) return this.#confirm(lane)
    lane.confirming ??= this.#options.clock.after(CONFIRM_MS, () => this.#confirm(lane))
  }

  #confirm(lane: DirectLane): void {
    lane.confirming?.dispose()
    lane.confirming = undefined
    lane.connection.send(encodeDirectFrame({ kind: 'got', bytes: lane.unconfirmed }))
    lane.unconfirmed = 0
  }

  /** As ChunkPeer. */
  ask(
    dataset: string,
    ids: readonly ChunkId[],
    signal: AbortSignal,
    stretch?: Stretch,
  ): Promise<{ flow: ChunkFlow; more: readonly ChunkId[] }> {
    // Half of what the other side lets wait: it may not have heard yet what was cancelled here.
    if (this.#asked.size >= MAX_REQUESTS / 2)
      return Promise.reject(new ContentError('chunk/unavailable', 'the direct connection has enough to bring'))
    const request = this.#nextRequest++
    if (this.#asked.size === 0) this.#quietLooks = 0
    this.#usedMs = this.#options.clock.monotonicMs()
    return new Promise((resolve, reject) => {
      const received = new Emitter<Uint8Array>()
      const closed = new Emitter<{ reason: string }>()
      const named = (more: readonly ChunkId[]) => resolve({ flow, more })
      const rest = { open: new Map(), done: new Set<number>(), isNamed: !stretch, isClosed: false }
      // What lies in the stretch may come, by other connections, before it is named.
      const messages = ids.length + (stretch ? MAX_STRETCH_CHUNKS : 0)
      const asked: Asked = { messages, ends: undefined, received, closed, held: [], named, ...rest }
      const cancel = () => {
        if (asked.isClosed) return
        this.#send({ kind: 'cancel', request })
        this.#close(request, 'rpc/closed')
        reject(signal.reason)
      }
      const flow: ChunkFlow = {
        onDidReceive: (listener) => {
          const held = asked.held ?? []
          asked.held = undefined
          for (const message of held) listener(message)
          return received.event(listener)
        },
        onDidClose: (listener) => {
          if (asked.isClosed) queueMicrotask(() => listener({ reason: 'rpc/closed' }))
          return closed.event(listener)
        },
        dispose: cancel,
      }
      if (signal.aborted || this.isClosed)
        return reject(signal.reason ?? new ContentError('chunk/unavailable', 'the direct connection ended'))
      this.#asked.set(request, asked)
      signal.addEventListener('abort', cancel)
      closed.event(() => reject(new ContentError('chunk/unavailable', 'the direct connection ended')))
      this.#send({ kind: 'want', request, dataset, ids, ...(stretch && { stretch }) })
      if (!stretch) named([])
    })
  }

  dispose(): void {
    if (this.isClosed) return
    this.#owned.dispose()
    for (const request of [...this.#asked.keys()]) this.#close(request, 'link/gone')
    this.#closed.fire()
    this.#closed.dispose()
  }

  #take(frame: DirectFrame, lane: DirectLane): void {
    switch (frame.kind) {
      case 'want':
        this.#usedMs = this.#options.clock.monotonicMs()
        return this.#answers.add(frame)
      case 'cancel':
        return this.#answers.cancel(frame.request)
      case 'got':
        this.#inFlight -= frame.bytes
        lane.confirmed(frame.bytes)
        if (lane.inFlight < 0) throw malformed('more is confirmed than was sent')
        return this.#answers.go()
      case 'more':
        return this.#takeNames(frame.request, frame.ids)
      case 'end':
        return this.#takeEnd(frame.request, frame.messages)
      case 'part':
        return this.#takePart(frame)
    }
  }

  #takeNames(request: number, ids: readonly ChunkId[]): void {
    const asked = this.#asked.get(request)
    if (!asked) return // cancelled meanwhile
    if (asked.isNamed) throw malformed('twice what comes, or unasked')
    asked.isNamed = true
    asked.messages += ids.length - MAX_STRETCH_CHUNKS
    if ([...asked.done, ...asked.open.keys()].some((message) => message >= asked.messages)) throw malformed('more than it names')
    asked.named(ids)
  }

  #takeEnd(request: number, messages: number): void {
    const asked = this.#asked.get(request)
    if (!asked) return // cancelled meanwhile
    if (messages > asked.messages) throw malformed('more than was asked for')
    asked.ends = messages
    if (asked.done.size >= messages) this.#close(request, 'rpc/closed')
  }

  #takePart({ request, message, total, at, bytes }: DirectFrame & { kind: 'part' }): void {
    const asked = this.#asked.get(request)
    if (!asked) {
      if (request >= this.#nextRequest) throw malformed('parts of what was not asked for')
      return // cancelled meanwhile
    }
    let open = asked.open.get(message)
    if (!open) {
      if (message >= asked.messages || asked.done.has(message)) throw malformed('more than was asked for')
      open = { bytes: new Uint8Array(total), missing: total }
      asked.open.set(message, open)
      this.#openBytes += total
      if (this.#openBytes > MAX_OPEN_BYTES) throw malformed('too much that is not whole')
    }
    if (open.bytes.length !== total || bytes.length > open.missing) throw malformed('parts that do not fit')
    open.bytes.set(bytes, at)
    open.missing -= bytes.length
    if (open.missing > 0) return
    this.#openBytes -= total
    asked.open.delete(message)
    asked.done.add(message)
    if (asked.held) asked.held.push(open.bytes)
    else asked.received.fire(open.bytes)
    if (asked.ends !== undefined && asked.done.size >= asked.ends) this.#close(request, 'rpc/closed')
  }

  #close(request: number, reason: string): void {
    const asked = this.#asked.get(request)
    if (!asked) return
    this.#asked.delete(request)
    for (const { bytes } of asked.open.values()) this.#openBytes -= bytes.length
    asked.isClosed = true
    asked.closed.fire({ reason })
    asked.closed.dispose()
  }

  #answer(frame: DirectFrame): void {
    if (this.isClosed) return
    if (frame.kind !== 'part') return this.#send(frame)
    const lane = this.#soonest()
    lane.sent(frame.bytes.length)
    this.#inFlight += frame.bytes.length
    this.#window.noteInFlight(this.#inFlight)
    this.#usedMs = this.#options.clock.monotonicMs()
    this.#probe()
    lane.connection.send(encodeDirectFrame(frame))
  }

  /** All but parts goes by the first connection: in order, so that nothing is cancelled before it is wanted. */
  #send(frame: Exclude<DirectFrame, { kind: 'part' }>): void {
    if (!this.isClosed) this.#lanes[0]?.connection.send(encodeDirectFrame(frame))
  }

  /**
   * The one that would bring it first, of those with room, as each confirms what it has: the system's own buffers take megabytes, so a
   * connection that a lost packet holds up would go on being given its share, and the reader would wait for that.
   */
  #soonest(): DirectLane {
    const nowMs = this.#options.clock.monotonicMs()
    this.#turn = (this.#turn + 1) % this.#lanes.length
    let best = this.#lanes[this.#turn] as DirectLane
    let bestMs = Number.POSITIVE_INFINITY
    for (let n = 0; n < this.#lanes.length; n++) {
      const one = this.#lanes[(this.#turn + n) % this.#lanes.length] as DirectLane
      const dueMs = hasRoom(one) ? one.dueMs(nowMs) : Number.POSITIVE_INFINITY
      if (dueMs < bestMs) [best, bestMs] = [one, dueMs]
    }
    return best
  }

  /** The link answers, so the other side is there: what brings nothing meanwhile is left, what it owes comes over the link. */
  #look(): void {
    const isWaiting = () => this.#asked.size > 0 || this.#inFlight > 0
    if (this.#isLooking || !isWaiting()) return
    this.#isLooking = true
    this.#ask().then(
      () => {
        this.#isLooking = false
        if (this.isClosed) return
        if (this.#asked.size > 0) this.#quietLooks++
        for (const lane of this.#lanes) if (lane.inFlight > 0) lane.quietLooks++
        const quiet = this.#lanes.filter(({ quietLooks }) => quietLooks >= QUIET_LOOKS).length
        if (quiet === 0 && this.#quietLooks < QUIET_LOOKS) return
        this.#options.logger.info('direct connections bring nothing any more: the link goes on', { quiet, of: this.#lanes.length })
        this.dispose()
      },
      () => (this.#isLooking = false), // the link is going, and this with it
    )
  }

  async #ask(): Promise<void> {
    await this.#options.probe()
  }

  /** How long the link takes while this sends: asked all the while, as long as it answers. */
  #probe(): void {
    if (this.#isProbing || this.isClosed) return
    this.#isProbing = true
    const { clock } = this.#options
    const startMs = clock.monotonicMs()
    if (this.#probes.size < MAX_PROBES) {
      this.#probes.add(startMs)
      const isOver = () => this.#probes.delete(startMs)
      this.#ask().then(
        () => {
          if (isOver()) this.#noteTrip(clock.monotonicMs() - startMs)
        },
        isOver, // the link is going, and this with it
      )
    }
    const next = this.#owned.add(
      clock.after(PROBE_MS, () => {
        this.#owned.release(next)
        this.#isProbing = false
        const [oldestMs] = this.#probes
        if (oldestMs !== undefined && clock.monotonicMs() - oldestMs > LATE_MS) this.#noteTrip(clock.monotonicMs() - oldestMs)
        if (this.#inFlight > 0) this.#probe()
      }),
    )
  }

  #noteTrip(ms: number): void {
    this.#window.probed(ms, this.kind === 'webrtc')
    this.#answers.go()
  }
}

function hasRoom({ connection, inFlight }: DirectLane): boolean {
  return connection.bufferedBytes < BUFFER_BYTES && inFlight + PART_BYTES <= (connection.mostUnconfirmedBytes ?? Number.POSITIVE_INFINITY)
}

const malformed = (what: string) => new ContentError('content/malformed', `a linked device sent ${what} over its direct connection`)
