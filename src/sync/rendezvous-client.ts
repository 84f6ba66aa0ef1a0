import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore, toDisposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import { errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { RandomSource } from '../base/random.ts'
import { parseFromRendezvous, PING_EVERY_MS, type ToRendezvous } from './rendezvous-protocol.ts'
import type { OpenWebSocket, WebSocketLike } from './web-socket-like.ts'

const FIRST_RETRY_MS = 500
/** A rendezvous that is away is asked this often at most: it costs nobody anything and the way home is found soon. */
const LAST_RETRY_MS = 20_000
const OPEN_TIMEOUT_MS = 5_000
/** For so long after a link was cut or the network changed, somebody is waiting: tried every second, not waiting for the try before. */
const EAGER_FOR_MS = 3 * 60_000
const EAGER_RETRY_MS = 1_000
/** Tries under way at once. A packet that gets lost while the network comes back is only sent again after seconds; the next try sends its own. */
const MAX_OPENINGS = 5

/** A device's place in one topic of one rendezvous; rejoined after each reconnection, with new addresses. */
export interface TopicMembership extends Disposable {
  readonly topic: string
  /** To one member or to all the others. @returns false  not connected now */
  send(data: string, to?: string): boolean
  /** We are in (again); whoever was there before is there too. */
  readonly onDidJoin: Event<void>
  readonly onDidReceive: Event<{ readonly from: string; readonly data: string }>
  readonly onDidLeave: Event<{ readonly member: string }>
  /** Connection lost: no address is valid any more. */
  readonly onDidLose: Event<void>
}

interface Joined {
  readonly joined: Emitter<void>
  readonly received: Emitter<{ readonly from: string; readonly data: string }>
  readonly left: Emitter<{ readonly member: string }>
  readonly lost: Emitter<void>
  isIn: boolean
}

export interface RendezvousClientOptions {
  readonly url: string
  readonly openSocket: OpenWebSocket
  readonly clock: Clock
  readonly random: RandomSource
  readonly logger: Logger
}

/** Keeps one WebSocket to one rendezvous while anybody has a topic there; comes back by itself (SY62). */
export class RendezvousClient implements Disposable {
  readonly url: string
  readonly #options: RendezvousClientOptions
  readonly #owned = new DisposableStore()
  readonly #topics = new Map<string, Joined>()
  readonly #stateChanged = this.#owned.add(new Emitter<void>())
  readonly onDidChangeState = this.#stateChanged.event
  #socket: WebSocketLike | undefined
  readonly #openings = new Set<AbortController>()
  #retry: Disposable | undefined
  #failures = 0
  #heardSincePing = true
  #eagerUntilMs = 0

  constructor(options: RendezvousClientOptions) {
    this.#options = options
    this.url = options.url
    this.#owned.add(options.clock.every(PING_EVERY_MS, () => this.#ping()))
    this.#owned.defer(() => {
      this.#retry?.dispose()
      this.#abortOpenings()
      this.#socket?.dispose()
    })
    this.#open()
  }

  get isConnected(): boolean {
    return this.#socket !== undefined
  }

  /** One membership per topic and client. */
  join(topic: string): TopicMembership {
    if (this.#topics.has(topic)) throw new RangeError('already in that topic')
    const joined: Joined = { joined: new Emitter(), received: new Emitter(), left: new Emitter(), lost: new Emitter(), isIn: false }
    this.#topics.set(topic, joined)
    this.#say({ t: 'join', topic })
    const leaving = toDisposable(() => {
      this.#topics.delete(topic)
      this.#say({ t: 'leave', topic })
    })
    return {
      topic,
      send: (data, to) => joined.isIn && this.#say({ t: 'send', topic, data, ...(to === undefined ? {} : { to }) }),
      onDidJoin: joined.joined.event,
      onDidReceive: joined.received.event,
      onDidLeave: joined.left.event,
      onDidLose: joined.lost.event,
      dispose: () => leaving.dispose(),
    }
  }

  /** The network changed: connect anew now. What looks connected may be dead, and TCP would find out in minutes. */
  hurry(): void {
    this.#failures = 0
    this.#eagerUntilMs = this.#options.clock.monotonicMs() + EAGER_FOR_MS
    const socket = this.#socket
    if (socket !== undefined) {
      socket.dispose()
      this.#lost(socket, 'the network changed')
    }
    this.#abortOpenings()
    this.#open()
  }

  get #isEager(): boolean {
    return this.#options.clock.monotonicMs() < this.#eagerUntilMs
  }

  #ping(): void {
    const socket = this.#socket
    if (socket === undefined) return
    if (!this.#heardSincePing) {
      socket.dispose()
      this.#lost(socket, 'it does not answer')
      return
    }
    this.#heardSincePing = false
    this.#say({ t: 'ping' })
  }

  #open(): void {
    const most = this.#isEager ? MAX_OPENINGS : 1
    if (this.#socket !== undefined || this.#openings.size >= most || this.#owned.isDisposed) return
    this.#retry?.dispose()
    this.#retry = undefined
    const opening = new AbortController()
    this.#openings.add(opening)
    const limit = this.#options.clock.after(OPEN_TIMEOUT_MS, () => opening.abort())
    if (this.#isEager) this.#plan()
    this.#options
      .openSocket(this.url, opening.signal)
      .then((socket) => this.#opened(socket))
      .catch((error) => {
        this.#options.logger.debug('rendezvous not reached, will retry', { url: this.url, message: errorMessage(error) })
        this.#openings.delete(opening)
        if (this.#retry === undefined) this.#plan()
      })
      .finally(() => limit.dispose())
  }

  #opened(socket: WebSocketLike): void {
    if (this.#owned.isDisposed || this.#socket !== undefined) {
      socket.dispose()
      return
    }
    this.#abortOpenings()
    this.#retry?.dispose()
    this.#retry = undefined
    this.#socket = socket
    this.#failures = 0
    this.#heardSincePing = true
    socket.onDidReceive((text) => this.#receive(socket, text))
    socket.onDidClose(({ reason }) => this.#lost(socket, reason))
    this.#options.logger.info('rendezvous reached', { url: this.url })
    for (const topic of this.#topics.keys()) this.#say({ t: 'join', topic })
    this.#stateChanged.fire()
  }

  #abortOpenings(): void {
    for (const opening of this.#openings) opening.abort()
    this.#openings.clear()
  }

  #lost(socket: WebSocketLike, reason: string): void {
    if (this.#socket !== socket) return
    this.#socket = undefined
    this.#options.logger.info('rendezvous lost', { url: this.url, reason })
    for (const joined of this.#topics.values()) {
      joined.isIn = false
      joined.lost.fire()
    }
    this.#stateChanged.fire()
    this.#plan()
  }

  #plan(): void {
    if (this.#owned.isDisposed || this.#socket !== undefined) return
    const last = this.#isEager ? EAGER_RETRY_MS : LAST_RETRY_MS
    const wait = Math.min(last, FIRST_RETRY_MS * 2 ** Math.min(this.#failures++, 10))
    const jitter = ((this.#options.random.bytes(1)[0] as number) / 255) * 0.5 * wait
    this.#retry?.dispose()
    this.#retry = this.#options.clock.after(wait / 2 + jitter, () => {
      this.#retry = undefined
      this.#open()
    })
  }

  #receive(socket: WebSocketLike, text: string): void {
    this.#heardSincePing = true
    try {
      const message = parseFromRendezvous(text)
      if (message.t === 'pong') return
      if (message.t === 'error') {
        this.#options.logger.warn('the rendezvous refused us, will retry', { url: this.url, code: message.code })
        return
      }
      const joined = this.#topics.get(message.topic)
      if (joined === undefined) return
      if (message.t === 'joined') {
        joined.isIn = true
        joined.joined.fire()
      } else if (message.t === 'left') joined.left.fire({ member: message.member })
      else joined.received.fire({ from: message.from, data: message.data })
    } catch (error) {
      this.#options.logger.warn('not a rendezvous, or a broken one; will retry', { url: this.url, message: errorMessage(error) })
      socket.dispose()
      this.#lost(socket, 'it sent something that is not a rendezvous message')
    }
  }

  #say(message: ToRendezvous): boolean {
    this.#socket?.send(JSON.stringify(message))
    return this.#socket !== undefined
  }

  dispose(): void {
    this.#owned.dispose()
  }
}
