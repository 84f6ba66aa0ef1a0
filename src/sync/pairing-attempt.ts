import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import { AttemptLife } from './attempt-life.ts'
import { CandidateBatch } from './candidate-batch.ts'
import { LinkError } from './link-error.ts'
import { MAX_PAIRING_MESSAGE_BYTES, type PairingPipe } from './pairing-pipe.ts'
import { FrameCutter, FrameJoiner } from './lane-frame.ts'
import type { RtcChannel, RtcConnection, RtcOptions, RtcStack } from './rtc-stack.ts'
import type { SignalNote } from './signal-note.ts'

const ATTEMPT_TIMEOUT_MS = 12_000
/** A person compares words and says yes within this; an idle pipe is not kept open for longer. */
const PIPE_LIFE_MS = 5 * 60_000
/** Messages that came before the first listener; a protocol has a handful in all. */
const MAX_HELD = 8

export interface PairingAttemptOptions {
  readonly role: 'offer' | 'join'
  readonly attempt: string
  readonly rtc: RtcStack
  readonly rtcOptions: RtcOptions
  readonly clock: Clock
  readonly sendNote: (note: SignalNote) => void
  readonly onDidMeet: (pipe: PairingPipe) => void
  readonly onDidFail: (error: unknown) => void
}

/** One connection between two devices that do not know each other: one channel, no proof; see PairingPipe. */
export class PairingAttempt implements Disposable {
  readonly attempt: string
  readonly #options: PairingAttemptOptions
  readonly #life: AttemptLife
  readonly #connection: RtcConnection
  readonly #channel: RtcChannel
  readonly #candidates: CandidateBatch

  constructor(options: PairingAttemptOptions) {
    this.attempt = options.attempt
    this.#options = options
    this.#connection = options.rtc.createConnection(options.rtcOptions)
    this.#life = new AttemptLife(() => this.#connection.dispose(), options.onDidFail)
    this.#channel = this.#connection.createChannel({ label: 'pairing', id: 0, lowBytes: 0 })
    this.#candidates = this.#life.own(
      new CandidateBatch(options.clock, (list) => options.sendNote({ kind: 'candidates', attempt: options.attempt, list })),
    )
    this.#candidates.watch('live', this.#connection)
    this.#life.own(this.#channel.onDidOpen(() => this.#meet()))
    this.#life.own(
      this.#connection.onDidChangeState((state) => {
        if (state === 'failed' || state === 'closed') this.#life.fail(LinkError.noPath(`connection ${state}`))
      }),
    )
    this.#life.own(options.clock.after(ATTEMPT_TIMEOUT_MS, () => this.#life.fail(LinkError.timeout('pairing', ATTEMPT_TIMEOUT_MS))))
  }

  /** The joining side knocks. */
  async knock(): Promise<void> {
    await this.#life.guard(async () => this.#describe({ kind: 'offer', attempt: this.attempt, live: await this.#connection.createOffer() }))
  }

  async receive(note: SignalNote): Promise<void> {
    await this.#life.guard(async () => {
      if (note.kind === 'offer' && this.#options.role === 'offer') {
        this.#describe({ kind: 'answer', attempt: this.attempt, live: await this.#connection.acceptOffer(note.live) })
      } else if (note.kind === 'answer' && this.#options.role === 'join') {
        this.#connection.acceptAnswer(note.live)
        this.#candidates.release()
      } else if (note.kind === 'candidates') for (const { candidate, mid } of note.list) this.#connection.addCandidate({ candidate, mid })
    })
  }

  #describe(note: SignalNote): void {
    if (this.#life.isOver) return
    this.#options.sendNote(note)
    if (note.kind === 'answer') this.#candidates.release() // the other side's wait for this answer; see LinkAttempt
  }

  #meet(): void {
    if (!this.#life.succeed()) return
    this.#options.onDidMeet(new RtcPairingPipe(this.#options.role, this.#connection, this.#channel, this.#options.clock))
  }

  dispose(): void {
    this.#life.dispose()
  }
}

class RtcPairingPipe implements PairingPipe {
  readonly role: 'offer' | 'join'
  readonly localFingerprint: Uint8Array
  readonly remoteFingerprint: Uint8Array
  readonly #connection: RtcConnection
  readonly #channel: RtcChannel
  readonly #clock: Clock
  readonly #owned = new DisposableStore()
  readonly #received = new Emitter<Uint8Array>()
  readonly #closed = new Emitter<{ readonly reason: string }>()
  readonly #joiner = new FrameJoiner('the other side', 'pairing', MAX_PAIRING_MESSAGE_BYTES)
  readonly onDidClose = this.#closed.event
  #held: Uint8Array[] | undefined = []

  constructor(role: 'offer' | 'join', connection: RtcConnection, channel: RtcChannel, clock: Clock) {
    this.role = role
    this.#connection = connection
    this.#channel = channel
    this.#clock = clock
    this.localFingerprint = connection.localFingerprint
    this.remoteFingerprint = connection.remoteFingerprint
    this.#owned.add(channel.onDidReceive((frame) => this.#receive(frame)))
    this.#owned.add(channel.onDidClose(() => this.#close('the other side ended it')))
    this.#owned.add(
      connection.onDidChangeState((state) => (state === 'failed' || state === 'closed') && this.#close(`connection ${state}`)),
    )
    this.#owned.add(clock.after(PIPE_LIFE_MS, () => this.#close('nobody said yes in time')))
  }

  readonly onDidReceive: Event<Uint8Array> = (listener) => {
    const subscription = this.#received.event(listener)
    queueMicrotask(() => {
      const held = this.#held ?? []
      this.#held = undefined
      for (const message of held) this.#received.fire(message)
    })
    return subscription
  }

  send(message: Uint8Array): void {
    if (this.#owned.isDisposed) throw LinkError.closed('the pairing ended')
    if (message.length > MAX_PAIRING_MESSAGE_BYTES) throw LinkError.messageTooLarge('pairing', message.length, MAX_PAIRING_MESSAGE_BYTES)
    const frames = new FrameCutter(message)
    while (!frames.isDone) this.#channel.send(frames.next())
  }

  #receive(frame: Uint8Array): void {
    try {
      const message = this.#joiner.add(frame)
      if (message === undefined) return
      if (this.#held === undefined) this.#received.fire(message)
      else if (this.#held.length < MAX_HELD) this.#held.push(message)
      else this.#close('more messages than a pairing has')
    } catch {
      this.#close('bytes that are not a pairing message')
    }
  }

  #close(reason: string): void {
    if (this.#owned.isDisposed) return
    this.#owned.dispose()
    // What was sent last (a refusal, the signed list) leaves first.
    this.#clock.after(200, () => this.#connection.dispose())
    this.#closed.fire({ reason })
  }

  dispose(): void {
    this.#close('closed here')
  }
}
