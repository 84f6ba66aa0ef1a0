import { networkInterfaces } from 'node:os'
import * as native from 'node-datachannel'
import { Emitter } from '../../base/emitter.ts'
import { LinkError } from '../../sync/link-error.ts'
import {
  fingerprintOfSdp,
  offererStartsDtls,
  type RtcCandidate,
  type RtcCandidatePair,
  type RtcChannel,
  type RtcChannelOptions,
  type RtcConnection,
  type RtcOptions,
  type RtcStack,
  type RtcState,
} from '../../sync/rtc-stack.ts'

/*
 * Surprises of node-datachannel 0.33.4 (R16):
 *   an exception thrown inside one of its callbacks       aborts the whole process  -> every callback body is guarded
 *   addRemoteCandidate before setRemoteDescription        throws                    -> candidates wait
 *   callbacks run on after close()                        -> `#closed` is asked first
 *   any call on a closed connection or channel            throws                    -> guarded, answers 'closed'
 *   a DataChannel without handlers, once collected,       corrupts memory            -> each has all handlers and is kept
 *   an ICE server it cannot read                          throws                     -> left out, the others are used
 *   its threads keep the process from ending, and cleanup()
 *   deadlocks for 10 s while a connection is closing      -> `release` waits for all of them, then cleans up
 */

/** One lane frame is 16 KiB; nothing larger is ever accepted from a peer. */
const MAX_MESSAGE_BYTES = 64 * 1024

const STATES: ReadonlySet<string> = new Set(['new', 'connecting', 'connected', 'disconnected', 'failed', 'closed'])

class DatachannelChannel implements RtcChannel {
  readonly id: number
  readonly #channel: native.DataChannel
  readonly #opened = new Emitter<void>()
  readonly #closed = new Emitter<void>()
  readonly #drained = new Emitter<void>()
  readonly #received = new Emitter<Uint8Array>()
  readonly onDidOpen = this.#opened.event
  readonly onDidClose = this.#closed.event
  readonly onDidDrain = this.#drained.event
  readonly onDidReceive = this.#received.event
  #isOver = false

  constructor(channel: native.DataChannel, id: number, lowBytes: number) {
    this.#channel = channel
    this.id = id
    channel.setBufferedAmountLowThreshold(lowBytes)
    channel.onOpen(() => this.#isOver || this.#opened.fire())
    channel.onClosed(() => this.end())
    channel.onError(() => {}) // libdatachannel closes the channel after an error; onClosed tells it
    channel.onBufferedAmountLow(() => this.#isOver || this.#drained.fire())
    channel.onMessage((message) => {
      if (this.#isOver || typeof message === 'string') return
      this.#received.fire(plainBytes(message))
    })
  }

  get isOpen(): boolean {
    return !this.#isOver && this.#channel.isOpen()
  }

  get bufferedAmount(): number {
    return this.#isOver ? 0 : this.#channel.bufferedAmount()
  }

  send(message: Uint8Array): void {
    if (!this.isOpen) throw LinkError.closed('the data channel is not open')
    try {
      this.#channel.sendMessageBinary(message)
    } catch (error) {
      throw new LinkError('link/closed', 'the data channel closed while sending; the link is made anew', { cause: error })
    }
  }

  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#closed.fire()
  }
}

/** A Buffer's `slice` shares memory where a Uint8Array's copies: nobody above should have to know. */
function plainBytes(message: Uint8Array | ArrayBuffer): Uint8Array {
  if (message instanceof ArrayBuffer) return new Uint8Array(message)
  return new Uint8Array(message.buffer, message.byteOffset, message.byteLength)
}

/** Settings are checked when they are written; this keeps an old or foreign line from ending every attempt to link. */
function isReadableServer(url: string): boolean {
  try {
    new native.PeerConnection('probe', { iceServers: [url], disableAutoNegotiation: true }).close()
    return true
  } catch {
    return false
  }
}

class DatachannelConnection implements RtcConnection {
  readonly #connection: native.PeerConnection
  readonly #channels: DatachannelChannel[] = []
  readonly #stateChanged = new Emitter<RtcState>()
  readonly #candidateFound = new Emitter<RtcCandidate>()
  readonly #waiting: RtcCandidate[] = []
  readonly onDidChangeState = this.#stateChanged.event
  readonly onDidFindCandidate = this.#candidateFound.event
  #hasRemote = false
  #localSdp: string | undefined
  #remoteSdp: string | undefined
  #described: ((sdp: string) => void) | undefined
  #state: RtcState = 'new'
  #isDisposed = false
  readonly #released: () => void

  constructor(options: RtcOptions, released: () => void) {
    this.#released = released
    this.#connection = new native.PeerConnection('link', {
      iceServers: options.iceServers.filter(isReadableServer),
      disableAutoNegotiation: true,
      maxMessageSize: MAX_MESSAGE_BYTES,
      ...(options.bindAddress === undefined ? {} : { bindAddress: options.bindAddress }),
    })
    this.#connection.onLocalDescription((sdp) => {
      this.#localSdp = sdp
      this.#described?.(sdp)
    })
    this.#connection.onLocalCandidate((candidate, mid) => {
      if (this.#state !== 'closed') this.#candidateFound.fire({ candidate, mid })
    })
    this.#connection.onStateChange((state) => {
      if (state === 'closed' && this.#isDisposed) this.#released()
      if (STATES.has(state)) this.#enter(state as RtcState)
    })
  }

  get state(): RtcState {
    return this.#state
  }

  #enter(state: RtcState): void {
    if (this.#state === state || this.#state === 'closed') return
    this.#state = state
    if (state === 'closed') for (const channel of this.#channels) channel.end()
    this.#stateChanged.fire(state)
  }

  createChannel({ label, id, lowBytes, isReliable = true }: RtcChannelOptions): RtcChannel {
    const kind = isReliable ? {} : { unordered: true, maxRetransmits: 0 }
    const channel = new DatachannelChannel(this.#connection.createDataChannel(label, { negotiated: true, id, ...kind }), id, lowBytes)
    this.#channels.push(channel)
    return channel
  }

  async createOffer(): Promise<string> {
    return offererStartsDtls(await this.#describe('offer'))
  }

  async acceptOffer(sdp: string): Promise<string> {
    this.#setRemote(sdp, 'offer')
    return this.#describe('answer')
  }

  acceptAnswer(sdp: string): void {
    this.#setRemote(sdp, 'answer')
  }

  #describe(type: 'offer' | 'answer'): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#described = resolve
      try {
        this.#connection.setLocalDescription(type)
      } catch (error) {
        reject(new LinkError('link/bad-hello', `the connection could not make its ${type}; it is tried again`, { cause: error }))
      }
    })
  }

  #setRemote(sdp: string, type: 'offer' | 'answer'): void {
    if (fingerprintOfSdp(sdp) === undefined) throw LinkError.badHello('a description without exactly one SHA-256 fingerprint')
    try {
      this.#connection.setRemoteDescription(sdp, type)
    } catch (error) {
      throw new LinkError('link/bad-hello', `the peer's ${type} is not a usable description; the attempt was dropped`, { cause: error })
    }
    this.#remoteSdp = sdp
    this.#hasRemote = true
    for (const candidate of this.#waiting.splice(0)) this.addCandidate(candidate)
  }

  addCandidate(candidate: RtcCandidate): void {
    if (this.#state === 'closed') return
    if (!this.#hasRemote) {
      this.#waiting.push(candidate)
      return
    }
    try {
      this.#connection.addRemoteCandidate(candidate.candidate, candidate.mid)
    } catch {
      // Unreadable to libdatachannel: one path less; the attempt fails by its own time limit if it was the only one.
    }
  }

  get localFingerprint(): Uint8Array {
    const fingerprint = this.#localSdp === undefined ? undefined : fingerprintOfSdp(this.#localSdp)
    if (fingerprint === undefined) throw LinkError.badHello('no local description yet')
    return fingerprint
  }

  get remoteFingerprint(): Uint8Array {
    if (this.#state !== 'closed') {
      try {
        const { value, algorithm } = this.#connection.remoteFingerprint()
        const used = fingerprintOfSdp(`a=fingerprint:${algorithm} ${value}`)
        if (used !== undefined) return used
      } catch {
        // Before DTLS there is none: the announced one below is what DTLS will insist on.
      }
    }
    const announced = this.#remoteSdp === undefined ? undefined : fingerprintOfSdp(this.#remoteSdp)
    if (announced === undefined) throw LinkError.badHello('no remote description yet')
    return announced
  }

  get selectedPair(): RtcCandidatePair | undefined {
    if (this.#state !== 'connected' && this.#state !== 'disconnected') return undefined
    const pair = this.#connection.getSelectedCandidatePair()
    if (pair === null) return undefined
    return {
      localType: pair.local.type,
      localAddress: `${pair.local.address}:${pair.local.port}`,
      remoteType: pair.remote.type,
      remoteAddress: `${pair.remote.address}:${pair.remote.port}`,
    }
  }

  /** Also needed when the other end closed first: only `close` frees what libdatachannel holds. */
  dispose(): void {
    if (this.#isDisposed) return
    this.#isDisposed = true
    const wasClosed = this.#state === 'closed'
    this.#enter('closed')
    this.#connection.close()
    if (wasClosed) this.#released()
  }
}

/** libdatachannel offers no loopback address of its own accord: a machine without a network could not even link to itself. */
function loopbackIfAlone(): string | undefined {
  const isConnected = Object.values(networkInterfaces()).some((list) => list?.some(({ internal }) => !internal))
  return isConnected ? undefined : '127.0.0.1'
}

/** Looked at again after this long; closing takes about a millisecond. */
const RELEASE_POLL_MS = 20

/** WebRTC in Node over node-datachannel's own API (libdatachannel, prebuilt, N-API). One per process. */
export class DatachannelRtc implements RtcStack {
  readonly #open = new Set<object>()

  createConnection(options: RtcOptions): RtcConnection {
    const mark = {}
    this.#open.add(mark)
    const bindAddress = options.bindAddress ?? loopbackIfAlone()
    return new DatachannelConnection({ ...options, ...(bindAddress === undefined ? {} : { bindAddress }) }, () => this.#open.delete(mark))
  }

  /** Lets the process end: waits until every connection, disposed by its owner, has closed, then ends libdatachannel's threads. */
  async release(): Promise<void> {
    while (this.#open.size > 0) await new Promise((resolve) => setTimeout(resolve, RELEASE_POLL_MS))
    await new Promise((resolve) => setTimeout(resolve, RELEASE_POLL_MS))
    native.cleanup()
  }
}
