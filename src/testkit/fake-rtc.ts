import { equalBytes, toHex } from '../base/bytes.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { Emitter } from '../base/emitter.ts'
import type { RandomSource } from '../base/random.ts'
import { systemRandom } from '../base/random.ts'
import { LinkError } from '../sync/link-error.ts'
import {
  fingerprintOfSdp,
  type RtcCandidate,
  type RtcChannel,
  type RtcConnection,
  type RtcStack,
  type RtcState,
} from '../sync/rtc-stack.ts'

/** Connections in memory that meet by the ids in their descriptions, check fingerprints as DTLS does, and can be cut. */
export class FakeRtcNetwork implements RtcStack {
  readonly connections = new Map<string, FakeRtcConnection>()
  readonly clock: Clock
  readonly random: RandomSource
  delayMs = 0
  #isCut = false
  readonly #held: (() => void)[] = []

  constructor(options: { clock?: Clock; random?: RandomSource } = {}) {
    this.clock = options.clock ?? systemClock
    this.random = options.random ?? systemRandom
  }

  createConnection(): FakeRtcConnection {
    return new FakeRtcConnection(this)
  }

  /** What is under way waits, as SCTP would repeat it; nothing new connects. */
  cut(): void {
    this.#isCut = true
  }

  heal(): void {
    this.#isCut = false
    for (const arrive of this.#held.splice(0)) this.carry(arrive)
  }

  carry(arrive: () => void): void {
    const tryArrive = () => (this.#isCut ? void this.#held.push(arrive) : arrive())
    if (this.delayMs > 0) this.clock.after(this.delayMs, tryArrive)
    else queueMicrotask(tryArrive)
  }
}

export class FakeRtcChannel implements RtcChannel {
  readonly id: number
  readonly #network: FakeRtcNetwork
  readonly #opened = new Emitter<void>()
  readonly #closed = new Emitter<void>()
  readonly #drained = new Emitter<void>()
  readonly #received = new Emitter<Uint8Array>()
  readonly onDidOpen = this.#opened.event
  readonly onDidClose = this.#closed.event
  readonly onDidDrain = this.#drained.event
  readonly onDidReceive = this.#received.event
  other: FakeRtcChannel | undefined
  isOpen = false
  bufferedAmount = 0

  constructor(network: FakeRtcNetwork, id: number) {
    this.#network = network
    this.id = id
  }

  send(message: Uint8Array): void {
    if (!this.isOpen) throw LinkError.closed('the fake channel is not open')
    const copy = message.slice()
    this.bufferedAmount += copy.length
    this.#network.carry(() => {
      this.bufferedAmount -= copy.length
      if (this.other?.isOpen === true) this.other.#received.fire(copy)
      if (this.bufferedAmount === 0) this.#drained.fire()
    })
  }

  open(): void {
    this.isOpen = true
    this.#opened.fire()
  }

  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.#closed.fire()
  }
}

export class FakeRtcConnection implements RtcConnection {
  readonly #network: FakeRtcNetwork
  readonly #id: string
  readonly #stateChanged = new Emitter<RtcState>()
  readonly #candidateFound = new Emitter<RtcCandidate>()
  readonly onDidChangeState = this.#stateChanged.event
  readonly onDidFindCandidate = this.#candidateFound.event
  readonly localFingerprint: Uint8Array
  readonly channels = new Map<number, FakeRtcChannel>()
  state: RtcState = 'new'
  #announced: Uint8Array | undefined
  #peerId: string | undefined

  constructor(network: FakeRtcNetwork) {
    this.#network = network
    this.#id = toHex(network.random.bytes(8))
    this.localFingerprint = network.random.bytes(32)
    network.connections.set(this.#id, this)
  }

  get remoteFingerprint(): Uint8Array {
    if (this.#announced === undefined) throw LinkError.badHello('no remote description yet')
    return this.#announced
  }

  get selectedPair() {
    if (this.state !== 'connected') return undefined
    return { localType: 'host', localAddress: `fake:${this.#id}`, remoteType: 'host', remoteAddress: `fake:${this.#peerId}` }
  }

  createChannel({ id }: { id: number }): FakeRtcChannel {
    const channel = new FakeRtcChannel(this.#network, id)
    this.channels.set(id, channel)
    return channel
  }

  async createOffer(): Promise<string> {
    return this.#describe()
  }

  async acceptOffer(sdp: string): Promise<string> {
    this.#setRemote(sdp)
    return this.#describe()
  }

  acceptAnswer(sdp: string): void {
    this.#setRemote(sdp)
    const other = this.#network.connections.get(this.#peerId ?? '')
    this.#network.carry(() => this.#connect(other))
  }

  addCandidate(): void {}

  #describe(): string {
    queueMicrotask(() => this.state !== 'closed' && this.#candidateFound.fire({ candidate: `fake ${this.#id}`, mid: '0' }))
    const hex = toHex(this.localFingerprint).toUpperCase()
    return `v=0\r\na=fingerprint:sha-256 ${(hex.match(/../g) ?? []).join(':')}\r\na=fake:${this.#id}\r\n`
  }

  #setRemote(sdp: string): void {
    this.#announced = fingerprintOfSdp(sdp)
    this.#peerId = /^a=fake:([0-9a-f]{16})\s*$/m.exec(sdp)?.[1]
    if (this.#announced === undefined || this.#peerId === undefined) throw LinkError.badHello('not a fake description')
    this.#enter('connecting')
  }

  #connect(other: FakeRtcConnection | undefined): void {
    if (this.state !== 'connecting' || other?.state !== 'connecting') return
    if (!equalBytes(this.remoteFingerprint, other.localFingerprint) || !equalBytes(other.remoteFingerprint, this.localFingerprint)) {
      this.#enter('failed')
      other.#enter('failed')
      return
    }
    for (const end of [this, other]) end.#enter('connected')
    for (const [id, channel] of this.channels) {
      const far = other.channels.get(id)
      if (far === undefined) continue
      channel.other = far
      far.other = channel
      channel.open()
      far.open()
    }
  }

  #enter(state: RtcState): void {
    if (this.state === 'closed' || this.state === state) return
    this.state = state
    this.#stateChanged.fire(state)
  }

  dispose(): void {
    if (this.state === 'closed') return
    this.#network.connections.delete(this.#id)
    const other = this.#network.connections.get(this.#peerId ?? '')
    for (const channel of this.channels.values()) channel.close()
    this.#enter('closed')
    if (other !== undefined) this.#network.carry(() => other.#peerGone())
  }

  #peerGone(): void {
    for (const channel of this.channels.values()) channel.close()
    this.#enter('failed')
  }
}
