import { equalBytes } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import type { DeviceId } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import type { RandomSource } from '../base/random.ts'
import { AttemptLife } from './attempt-life.ts'
import { CandidateBatch } from './candidate-batch.ts'
import type { DeviceCheck, DeviceSigner } from './device-check.ts'
import type { LaneName } from './lane.ts'
import { createLinkChannels, type LinkChannels } from './link-channels.ts'
import { LinkError } from './link-error.ts'
import { LinkHello } from './link-hello.ts'
import { decodeWire, MIN_LINK_VERSION } from './link-wire.ts'
import { RtcLink } from './link.ts'
import type { RtcConnection, RtcOptions, RtcStack } from './rtc-stack.ts'
import type { SignalNote } from './signal-note.ts'

/** ICE over the world with a lost packet or two takes a few seconds; beyond this another try is the better bet. */
export const ATTEMPT_TIMEOUT_MS = 12_000
/** What a proven peer may send before it is told that we are ready: both windows and some control. */
const MAX_EARLY_BYTES = 5 * 1024 * 1024

export interface LinkIdentity {
  readonly signer: DeviceSigner
  readonly check: DeviceCheck
  /** What this device knows of who belongs, as identity writes it; proved to peers (SY70). */
  readonly head?: (() => Uint8Array) | undefined
  /** Links between devices of two persons: names both (SY73). At most 255 bytes. */
  readonly scope?: Uint8Array | undefined
}

export interface LinkAttemptOptions extends LinkIdentity {
  readonly role: 'knock' | 'door'
  /** 32 hex digits, made by the side that offers. */
  readonly attempt: string
  readonly peer: DeviceId
  readonly rtc: RtcStack
  readonly rtcOptions: RtcOptions
  readonly clock: Clock
  readonly random: RandomSource
  readonly logger: Logger
  readonly sendNote: (note: SignalNote) => void
  readonly onDidLink: (link: RtcLink) => void
  readonly onDidFail: (error: unknown) => void
}

/**
 * One try to link with one peer: two fresh connections, one offer and answer, one hello. Ends exactly once, in a link or a
 * failure; a failed try leaves nothing behind and another try is another object.
 */
export class LinkAttempt implements Disposable {
  readonly attempt: string
  readonly role: 'knock' | 'door'
  readonly #options: LinkAttemptOptions
  readonly #life: AttemptLife
  readonly #live: RtcConnection
  readonly #bulk: RtcConnection
  readonly #channels: LinkChannels
  readonly #candidates: CandidateBatch
  readonly #early: { lane: LaneName; frame: Uint8Array }[] = []
  #earlyBytes = 0
  #hello: LinkHello | undefined
  #hasAnswer = false
  /** What we sent last, to be said again if the other side did not hear it. */
  #description: SignalNote | undefined

  constructor(options: LinkAttemptOptions) {
    this.attempt = options.attempt
    this.role = options.role
    this.#options = options
    this.#live = options.rtc.createConnection(options.rtcOptions)
    this.#bulk = options.rtc.createConnection(options.rtcOptions)
    this.#life = new AttemptLife(() => {
      this.#live.dispose()
      this.#bulk.dispose()
    }, options.onDidFail)
    this.#channels = createLinkChannels(this.#live, this.#bulk)
    this.#candidates = this.#life.own(
      new CandidateBatch(options.clock, (list) => options.sendNote({ kind: 'candidates', attempt: this.attempt, list })),
    )
    this.#candidates.watch('live', this.#live)
    this.#candidates.watch('bulk', this.#bulk)
    this.#listen()
    this.#life.own(options.clock.after(ATTEMPT_TIMEOUT_MS, () => this.#life.fail(LinkError.timeout('linking', ATTEMPT_TIMEOUT_MS))))
  }

  /** Knock: makes the offer. */
  async offer(): Promise<void> {
    await this.#life.guard(async () => {
      const [live, bulk] = await Promise.all([this.#live.createOffer(), this.#bulk.createOffer()])
      this.#describe({ kind: 'offer', attempt: this.attempt, live, bulk })
    })
  }

  /** Door: answers the offer it was made for. */
  async answer(offer: { live: string; bulk?: string | undefined }): Promise<void> {
    await this.#life.guard(async () => {
      if (offer.bulk === undefined) throw LinkError.badHello('an offer for one connection only')
      const [live, bulk] = await Promise.all([this.#live.acceptOffer(offer.live), this.#bulk.acceptOffer(offer.bulk)])
      this.#describe({ kind: 'answer', attempt: this.attempt, live, bulk })
    })
  }

  /** No answer to our offer yet. */
  get isUnanswered(): boolean {
    return this.role === 'knock' && !this.#hasAnswer
  }

  /** Says the offer or answer and its candidates again: the first time they went to an address that was no more. */
  repeat(): void {
    if (this.#life.isOver || this.#description === undefined || this.#hasAnswer) return
    this.#options.sendNote(this.#description)
    this.#candidates.again()
  }

  /** A note of this attempt. */
  async receive(note: SignalNote): Promise<void> {
    await this.#life.guard(async () => {
      if (note.kind === 'answer' && this.role === 'knock' && !this.#hasAnswer) {
        if (note.bulk === undefined) throw LinkError.badHello('an answer for one connection only')
        this.#hasAnswer = true
        this.#live.acceptAnswer(note.live)
        this.#bulk.acceptAnswer(note.bulk)
        this.#candidates.release()
      } else if (note.kind === 'candidates') {
        for (const { on, candidate, mid } of note.list) (on === 'live' ? this.#live : this.#bulk).addCandidate({ candidate, mid })
      }
    })
  }

  #describe(note: SignalNote): void {
    if (this.#life.isOver) return
    this.#description = note
    this.#options.sendNote(note)
    // The side that offered starts DTLS, and libdatachannel starts it the moment ICE connects, even while the answer's
    // fingerprint is still being stored: the certificate is then refused. Its candidates wait until the answer is in.
    if (note.kind === 'answer') this.#candidates.release()
  }

  #listen(): void {
    const { wire, live, bulk } = this.#channels
    this.#life.own(wire.onDidOpen(() => void this.#life.guard(() => this.#beginHello())))
    this.#life.own(wire.onDidReceive((bytes) => void this.#life.guard(() => this.#receiveWire(bytes))))
    this.#life.own(wire.onDidClose(() => this.#life.fail(LinkError.closed('before the hello was done'))))
    for (const { name, channel } of [...live, ...bulk]) this.#life.own(channel.onDidReceive((frame) => this.#keepEarly(name, frame)))
    for (const connection of [this.#live, this.#bulk]) {
      this.#life.own(
        connection.onDidChangeState((state) => {
          if (state === 'failed' || state === 'closed') this.#life.fail(LinkError.noPath(`connection ${state}`))
        }),
      )
    }
  }

  #beginHello(): void {
    if (this.#hello !== undefined) return
    const { role, signer, check, random, peer, head, scope } = this.#options
    const fingerprints = {
      live: { local: this.#live.localFingerprint, remote: this.#live.remoteFingerprint },
      bulk: { local: this.#bulk.localFingerprint, remote: this.#bulk.remoteFingerprint },
    }
    this.#hello = new LinkHello({ role, signer, check, random, peer, fingerprints, head, scope })
    // The other end's certificate of the second connection is only announced until its DTLS is done: hold it to its word.
    const announced = fingerprints.bulk.remote
    this.#bulk.onDidChangeState((state) => {
      if (state === 'connected' && !equalBytes(this.#bulk.remoteFingerprint, announced)) this.#bulk.dispose()
    })
    for (const message of this.#hello.begin()) this.#channels.wire.send(message)
  }

  #receiveWire(bytes: Uint8Array): void {
    this.#beginHello()
    const hello = this.#hello as LinkHello
    for (const message of hello.receive(decodeWire(bytes, 'the other side'), bytes)) this.#channels.wire.send(message)
    if (hello.isDone) this.#finish()
  }

  #keepEarly(lane: LaneName, frame: Uint8Array): void {
    this.#earlyBytes += frame.length
    if (this.#hello?.isPeerProven !== true) this.#life.fail(LinkError.badHello('lane bytes before the proof'))
    else if (this.#earlyBytes > MAX_EARLY_BYTES) this.#life.fail(LinkError.badHello('too many bytes before the hello was done'))
    else this.#early.push({ lane, frame })
  }

  #finish(): void {
    if (!this.#life.succeed()) return
    const { peer, role, clock, logger } = this.#options
    const version = this.#hello?.version ?? MIN_LINK_VERSION
    const connections = { live: this.#live, bulk: this.#bulk, channels: this.#channels }
    const peerHead = this.#hello?.peerHead
    const link = new RtcLink({ peer, role, version, peerHead, ...connections, clock, logger, early: this.#early })
    this.#options.onDidLink(link)
  }

  dispose(): void {
    this.#life.dispose()
  }
}
