import { equalBytes } from '../../base/bytes.ts'
import { Emitter, type Event } from '../../base/emitter.ts'
import type { DialWay, DirectCandidate, DirectConnection, DirectDial, DirectDials } from '../../files/direct-sockets.ts'
import { fingerprintOfSdp, type RtcChannel, type RtcConnection, type RtcStack } from '../../sync/rtc-stack.ts'
import type { SignalNote } from '../../sync/signal-note.ts'

/** Connections of this process, at most: those of eight devices. */
const MAX_CONNECTIONS = 64
/** What SCTP itself holds is not seen (up to 1 MiB a connection), and who wants something else waits behind it. So much is 25 MB/s of eight at 80 ms. */
const UNCONFIRMED_BYTES = 256 * 1024
const LOW_BYTES = 16 * 1024
/** What may come before anybody listens. */
const MAX_HELD_BYTES = 1024 * 1024
const CHANNEL = { label: 'chunks', id: 0, lowBytes: LOW_BYTES } as const

class RtcDirectConnection implements DirectConnection {
  readonly kind = 'webrtc'
  readonly mostUnconfirmedBytes = UNCONFIRMED_BYTES
  readonly #connection: RtcConnection
  readonly #channel: RtcChannel
  readonly #received = new Emitter<Uint8Array>()
  readonly #closed = new Emitter<void>()
  #held: Uint8Array[] | undefined = []
  #heldBytes = 0
  #isClosed = false
  readonly onDidDrain: Event<void>
  readonly onDidClose = this.#closed.event

  constructor(connection: RtcConnection, channel: RtcChannel) {
    this.#connection = connection
    this.#channel = channel
    this.onDidDrain = channel.onDidDrain
    channel.onDidReceive((bytes) => (this.#held ? this.#hold(bytes) : this.#received.fire(bytes)))
    channel.onDidClose(() => this.dispose())
    connection.onDidChangeState((state) => (state === 'failed' || state === 'closed') && this.dispose())
  }

  readonly onDidReceive: Event<Uint8Array> = (listener) => {
    const subscription = this.#received.event(listener)
    const held = this.#held ?? []
    this.#held = undefined
    for (const bytes of held) if (!this.#isClosed) listener(bytes)
    return subscription
  }

  get bufferedBytes(): number {
    return this.#channel.bufferedAmount
  }

  send(bytes: Uint8Array): void {
    if (this.#isClosed) return
    try {
      this.#channel.send(bytes)
    } catch {
      this.dispose() // it closed a moment ago
    }
  }

  dispose(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#held = undefined
    this.#connection.dispose()
    this.#closed.fire()
    this.#closed.dispose()
  }

  #hold(bytes: Uint8Array): void {
    this.#heldBytes += bytes.length
    if (this.#heldBytes > MAX_HELD_BYTES) this.dispose()
    else this.#held?.push(bytes)
  }
}

class RtcDirectDial implements DirectDial {
  readonly #connection: RtcConnection
  readonly #connected = new Emitter<DirectConnection>()
  readonly #failed = new Emitter<void>()
  readonly onDidFindCandidate: Event<DirectCandidate>
  readonly onDidConnect = this.#connected.event
  readonly onDidFail = this.#failed.event
  #announced: Uint8Array | undefined
  #isSettled = false

  constructor(connection: RtcConnection, found: Event<DirectCandidate>) {
    this.#connection = connection
    this.onDidFindCandidate = found
    const channel = connection.createChannel(CHANNEL)
    channel.onDidOpen(() => this.#open(channel))
    channel.onDidClose(() => this.#fail())
    connection.onDidChangeState((state) => (state === 'failed' || state === 'closed') && this.#fail())
  }

  offer(): Promise<string> {
    return this.#connection.createOffer()
  }

  answer(offer: string): Promise<string> {
    this.#announced = fingerprintOfSdp(offer)
    return this.#connection.acceptOffer(offer)
  }

  accept(answer: string): void {
    this.#announced = fingerprintOfSdp(answer)
    this.#connection.acceptAnswer(answer)
  }

  addCandidate(candidate: DirectCandidate): void {
    this.#connection.addCandidate(candidate)
  }

  dispose(): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#connection.dispose()
  }

  /** DTLS has held the other end to its description; this is for the day when a default changes. */
  #open(channel: RtcChannel): void {
    if (this.#isSettled) return
    if (!this.#announced || !equalBytes(this.#connection.remoteFingerprint, this.#announced)) return this.#fail()
    this.#isSettled = true
    const connection = new RtcDirectConnection(this.#connection, channel)
    if (this.#connected.hasListeners) this.#connected.fire(connection)
    else connection.dispose()
  }

  #fail(): void {
    if (this.#isSettled) return
    this.dispose()
    this.#failed.fire()
  }
}

export interface RtcDirectDialsOptions {
  /** Called when the first connection is wanted. */
  readonly load: () => Promise<RtcStack>
  /** Tests only: what is told of this machine's addresses is changed first. */
  readonly changeNote?: ((note: SignalNote) => Promise<SignalNote>) | undefined
}

/** WebRTC connections of the files process. Owns none of them. */
export class RtcDirectDials implements DirectDials {
  readonly #options: RtcDirectDialsOptions
  #stack: Promise<RtcStack> | undefined
  #open = 0

  constructor(options: RtcDirectDialsOptions) {
    this.#options = options
  }

  async dial({ iceServers, bindAddress }: DialWay): Promise<DirectDial> {
    if (this.#open >= MAX_CONNECTIONS) throw new RangeError(`${MAX_CONNECTIONS} connections are open`)
    this.#open++
    let connection: RtcConnection | undefined
    try {
      const stack = await this.#loaded()
      connection = stack.createConnection({ iceServers, ...(bindAddress !== undefined && { bindAddress }) })
      connection.onDidChangeState((state) => state === 'closed' && this.#open--)
      return new RtcDirectDial(connection, this.#found(connection))
    } catch (error) {
      if (connection) connection.dispose()
      else this.#open--
      throw error
    }
  }

  /** One that could not be loaded is tried anew by the next dial. */
  #loaded(): Promise<RtcStack> {
    this.#stack ??= this.#options.load().catch((error: unknown) => {
      this.#stack = undefined
      throw error
    })
    return this.#stack
  }

  #found(connection: RtcConnection): Event<DirectCandidate> {
    const { changeNote } = this.#options
    if (!changeNote) return connection.onDidFindCandidate
    const changed = new Emitter<DirectCandidate>()
    connection.onDidFindCandidate((found) => {
      const note: SignalNote = { kind: 'candidates', attempt: '0'.repeat(32), list: [{ on: 'bulk', ...found }] }
      changeNote(note).then(
        (told) => told.kind === 'candidates' && told.list.forEach(({ candidate, mid }) => changed.fire({ candidate, mid })),
        () => {}, // one way less
      )
    })
    return changed.event
  }
}
