import { fromBase64Url, toBase64Url } from '../base/bytes.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Clock } from '../base/clock.ts'
import type { Event } from '../base/emitter.ts'
import type { DialCandidate } from './dial-contract.ts'
import { DirectDialling, type DirectDiallingOptions } from './direct-dialling.ts'
import type { DirectConnection, DirectKey, DirectListening, DirectSockets } from './direct-sockets.ts'
import type { DirectOffer } from './direct-contract.ts'

/** What is made of the connections of one meeting. When one of them ends, all do. */
export interface DirectGroup extends Disposable {
  add(connection: DirectConnection): void
  readonly connections: number
  readonly isClosed: boolean
  /** When it was of use last, by the monotonic clock. */
  readonly usedMs: number
  /** Somebody is at work on this device. */
  noteLive(): void
  readonly onDidChange: Event<void>
  readonly onDidClose: Event<void>
}

/** The other end, asked over the link. */
export interface DirectAsk {
  offerDirect(input: Record<string, never>): Promise<{ offer?: DirectOffer | undefined }>
  connectDirect(input: { offer: DirectOffer }): Promise<{ isConnected: boolean }>
}

export type DirectRtc = Pick<DirectDiallingOptions, 'dials' | 'way' | 'client'>

export interface DirectMeetingOptions<Group extends DirectGroup> {
  /** Undefined: no TCP connections. */
  readonly sockets: DirectSockets | undefined
  /** WebRTC connections, where no TCP connection comes about; undefined: none. */
  readonly rtc?: DirectRtc | undefined
  readonly client: DirectAsk
  /** How many connections are made at once. */
  readonly count: number
  readonly open: () => Group
  readonly clock: Clock
  readonly logger: Logger
  /** This end's address of the link, by which the peer reaches this machine; undefined: it does not listen. */
  readonly address: string | undefined
  /** The peer's address of the link; undefined: this end connects to nobody. */
  readonly remote: string | undefined
  readonly randomBytes: (length: number) => Uint8Array
}

/** A key that was not used until then is worth nothing. */
export const OFFER_MS = 10_000
/** Whoever is in reach answers in less; behind a firewall nobody ever does. */
const CONNECT_MS = 2_000
/** After it did not work, or for a short while only: the next try, and twice as long after each. The link carries all meanwhile. */
const RETRY = { firstMs: 30_000, mostMs: 10 * 60_000 }
/** Connections that nothing crosses are closed after this. */
const IDLE_MS = 10 * 60_000
/** One that each side began at the same moment. */
const MAX_PATHS = 2

/**
 * Brings like processes of two linked devices together without the link in between, when one has much to get: it asks the other
 * over the link to listen and connects, or else listens itself, or else dials: opens WebRTC connections, which get through where the
 * link did. What fails is not told to anybody: the link goes on carrying it.
 * Ends, and all connections with it, when it is disposed: with the link.
 */
export class DirectMeeting<Group extends DirectGroup> implements Disposable {
  readonly #options: DirectMeetingOptions<Group>
  readonly #owned = new DisposableStore()
  readonly #paths = new Set<Group>()
  readonly #changed = this.#owned.add(new Emitter<void>())
  readonly #dialling: DirectDialling | undefined
  #isTrying = false
  #isConnecting = false
  #isListening = false
  #notBeforeMs = Number.NEGATIVE_INFINITY
  #retryMs = RETRY.firstMs

  readonly onDidChange = this.#changed.event

  constructor(options: DirectMeetingOptions<Group>) {
    this.#options = options
    this.#dialling =
      options.rtc &&
      this.#owned.add(
        new DirectDialling({
          ...options,
          ...options.rtc,
          opened: () => {
            let group: Group | undefined
            return (connection) => {
              group = this.#add(group, connection)
            }
          },
        }),
      )
    this.#owned.add(options.clock.every(IDLE_MS / 10, () => this.#closeIdle()))
  }

  get path(): Group | undefined {
    for (const path of this.#paths) return path
    return undefined
  }

  /** How many connections there are now. */
  get connections(): number {
    return this.path?.connections ?? 0
  }

  /** There is much to get: a direct path would carry it. */
  want(): void {
    const { clock, logger } = this.#options
    if (this.path || this.#isTrying || this.#isListening || this.#owned.isDisposed) return
    if (clock.monotonicMs() < this.#notBeforeMs) return
    this.#isTrying = true
    this.#meet()
      .then((met) => met || (this.#dialling?.dial() ?? false))
      .catch((error: unknown) => {
        logger.debug('no direct connection', { error: errorMessage(error) })
        return false
      })
      .then((met) => {
        this.#isTrying = false
        if (!met && !this.path) this.#waitLonger()
      })
  }

  /** Somebody is at work on this device. */
  noteLive(): void {
    for (const path of this.#paths) path.noteLive()
  }

  /** The peer wants to connect. */
  async answerOffer(): Promise<{ offer?: DirectOffer }> {
    const { logger } = this.#options
    try {
      const listening = await this.#listen()
      return listening ? { offer: listening.offer } : {}
    } catch (error) {
      logger.debug('a linked device is not listened for', { error: errorMessage(error) })
      return {}
    }
  }

  /** The peer listens. */
  async answerConnect(offer: DirectOffer): Promise<{ isConnected: boolean }> {
    return { isConnected: await this.#connect(offer) }
  }

  /** The peer dials. */
  async answerDial(dial: string, offers: readonly string[]): Promise<{ answers?: string[] }> {
    if (this.#owned.isDisposed || this.#paths.size >= MAX_PATHS) return {}
    return (await this.#dialling?.answer(dial, offers)) ?? {}
  }

  /** How the peer may be reached by what is being dialled. */
  takeCandidates(dial: string, list: readonly DialCandidate[]): void {
    this.#dialling?.takeCandidates(dial, list)
  }

  dispose(): void {
    for (const path of [...this.#paths]) path.dispose()
    this.#owned.dispose()
  }

  async #meet(): Promise<boolean> {
    const { client, logger, sockets } = this.#options
    if (!sockets) return false
    const { offer } = await client.offerDirect({}).catch((error: unknown) => {
      if (errorCode(error) === 'rpc/unknown-method') throw error // it knows nothing of all this
      logger.debug('a linked device does not listen', { error: errorMessage(error) })
      return { offer: undefined }
    })
    if (offer && (await this.#connect(offer))) return true
    const own = await this.#listen()
    if (!own) return false
    let isConnected = false
    try {
      isConnected = (await client.connectDirect({ offer: own.offer })).isConnected
    } finally {
      if (!isConnected) own.end() // else handshakes may be under way here that are over there
    }
    return isConnected
  }

  /** One at a time, until as many connections are here as there are keys, or these are too old. */
  async #listen(): Promise<{ offer: DirectOffer; end: () => void } | undefined> {
    const { sockets, address, count, randomBytes, clock } = this.#options
    if (!sockets || address === undefined || this.#isListening || this.#owned.isDisposed || this.#paths.size >= MAX_PATHS) return undefined
    this.#isListening = true
    const keys = Array.from({ length: count }, (): DirectKey => {
      return { identity: toBase64Url(randomBytes(16)), key: randomBytes(32) }
    })
    let listening: DirectListening
    try {
      listening = await sockets.listen(address, keys)
    } catch (error) {
      this.#isListening = false
      throw error
    }
    const its = this.#owned.add(new DisposableStore())
    let connected = 0
    its.defer(() => {
      this.#isListening = false
      if (connected === 0 && !this.path) this.#waitLonger()
    })
    its.add(listening)
    const end = () => this.#owned.release(its)
    its.add(clock.after(OFFER_MS, end))
    let path: Group | undefined
    listening.onDidConnect((connection) => {
      path = this.#add(path, connection)
      if (++connected === keys.length) end()
    })
    const told = keys.map(({ identity, key }) => ({ identity, key: toBase64Url(key) }))
    return { offer: { address, port: listening.port, keys: told }, end }
  }

  /** Only to where the link has proved the peer to be: no peer has this machine knock at others, or at its own services. */
  async #connect(offer: DirectOffer): Promise<boolean> {
    const { sockets, remote } = this.#options
    if (!sockets || offer.address !== remote || this.#isConnecting) return false
    if (this.#owned.isDisposed || this.#paths.size >= MAX_PATHS) return false
    this.#isConnecting = true
    try {
      return await this.#connectAll(offer, sockets)
    } finally {
      this.#isConnecting = false
    }
  }

  async #connectAll({ address, port, keys }: DirectOffer, sockets: DirectSockets): Promise<boolean> {
    const stop = new AbortController()
    const stopping = this.#owned.defer(() => stop.abort())
    const late = this.#options.clock.after(CONNECT_MS, () => stop.abort())
    let path: Group | undefined
    await Promise.allSettled(
      keys.map(async ({ identity, key }) => {
        const connection = await sockets.connect({ address, port }, { identity, key: fromBase64Url(key) }, stop.signal)
        path = this.#add(path, connection)
      }),
    )
    late.dispose()
    this.#owned.release(stopping)
    return path !== undefined && !path.isClosed
  }

  #add(path: Group | undefined, connection: DirectConnection): Group | undefined {
    if (!path && this.#paths.size >= MAX_PATHS) {
      connection.dispose()
      return undefined
    }
    const its = path ?? this.#open()
    its.add(connection)
    return its
  }

  #open(): Group {
    const { clock } = this.#options
    const path = this.#options.open()
    const sinceMs = clock.monotonicMs()
    if (this.#owned.isDisposed) path.dispose()
    else this.#paths.add(path)
    path.onDidChange(() => this.#changed.fire())
    path.onDidClose(() => {
      this.#paths.delete(path)
      if (clock.monotonicMs() - sinceMs > RETRY.firstMs) this.#retryMs = RETRY.firstMs
      else this.#waitLonger()
      this.#changed.fire()
    })
    return path
  }

  /** What fails while it is waited already belongs to the same failure. */
  #waitLonger(): void {
    const nowMs = this.#options.clock.monotonicMs()
    if (nowMs < this.#notBeforeMs) return
    this.#notBeforeMs = nowMs + this.#retryMs
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY.mostMs)
  }

  #closeIdle(): void {
    const sinceMs = this.#options.clock.monotonicMs() - IDLE_MS
    for (const path of [...this.#paths]) if (path.usedMs < sinceMs) path.dispose()
  }
}
