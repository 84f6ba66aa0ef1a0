import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { AttemptRequest } from '../../jobs/attempt-contract.ts'
import {
  type AttemptExit,
  decodeJobDown,
  encodeJobUp,
  INPUT_WINDOW_BYTES,
  type JobDownFrame,
  type JobUpFrame,
} from '../../jobs/job-frames-contract.ts'
import { ASKER_LEASE_MS, RENEW_MS } from '../../jobs/lease.ts'
import type { ByteChannel } from '../../rpc/channel.ts'
import type { JobPlace } from './job-places.ts'

/** How soon a device that does not answer is asked again, doubling. */
const ASK_AGAIN_MS = 250
const MAX_ASK_AGAIN_MS = 5_000
/** Output is kept at the latest so long after it came, so that the program is not held for each write of the store. */
const KEEP_MS = 100
/** Or once so much waits. */
const KEEP_BYTES = 256 * 1024

export interface AttemptRunOptions {
  readonly request: Pick<AttemptRequest, 'attempt' | 'folder'>
  readonly place: () => JobPlace
  readonly clock: Clock
  readonly log: Logger
  /** Takes output over; nothing is kept yet. */
  take(frame: Extract<JobDownFrame, { kind: 'output' }>): void
  /** Keeps what was taken; returns how far. */
  keep(): number
  /** Output known already. */
  readonly from: () => number
}

/**
 * How an attempt stands, as far as its asker can tell. away: nothing is heard of it, and it is asked for again (`why`: what the person
 * has to do first). gone: its device knows nothing of it. lease-over: whatever became of the device, it runs no more.
 */
export type AttemptNews =
  | Extract<JobDownFrame, { kind: 'state' }>
  | { readonly kind: 'exit'; readonly exit: AttemptExit }
  | { readonly kind: 'away'; readonly why?: string }
  | { readonly kind: 'gone' }
  | { readonly kind: 'lease-over' }

/**
 * The asking end of one attempt: starts it, renews its lease, keeps its output and tells how it stands. After a cut it asks for
 * it again until it hears of it or the lease is certainly over (rule JB44).
 */
export class AttemptRun implements Disposable {
  readonly #options: AttemptRunOptions
  readonly #owned = new DisposableStore()
  readonly #news = this.#owned.add(new Emitter<AttemptNews>())
  readonly onDidHear = this.#news.event
  #channel: ByteChannel | undefined
  #renewedMs: number
  #keeping: Disposable | undefined
  #asking: Disposable | undefined
  #expiring: Disposable | undefined
  #unkeptBytes = 0
  /** Input given to us, all together, and how far the executor has it. */
  #inputBytes = 0
  #takenBytes = 0
  /** Input after `#takenBytes`, sent or not: it is sent again after a cut. Bounded by who looks at `inputRoom`. */
  #input: Uint8Array[] = []
  #isInputEnded = false
  /** Sent while it was away: goes when it is back. */
  #signal: JobUpFrame | undefined
  /** The executor has said where input goes on. */
  #isInputOpen = false
  readonly #inputTaken = this.#owned.add(new Emitter<void>())
  readonly onDidTakeInput = this.#inputTaken.event

  constructor(options: AttemptRunOptions) {
    this.#options = options
    this.#renewedMs = options.clock.monotonicMs()
    this.#owned.add(options.clock.every(RENEW_MS, () => this.#renew()))
    this.#owned.defer(() => this.#channel?.dispose())
    this.#owned.defer(() => this.#keeping?.dispose())
    this.#owned.defer(() => this.#asking?.dispose())
    this.#owned.defer(() => this.#expiring?.dispose())
  }

  get isAttached(): boolean {
    return this.#channel !== undefined
  }

  /** Ms until it has certainly ended by itself for want of a word of ours, whatever became of the device. */
  get #leaseLeftMs(): number {
    return ASKER_LEASE_MS - (this.#options.clock.monotonicMs() - this.#renewedMs)
  }

  get inputRoom(): number {
    return INPUT_WINDOW_BYTES - (this.#inputBytes - this.#takenBytes)
  }

  /** @throws what the place says; whether it runs is then unknown only for `rpc/…` and away: ask again by `attach` */
  async start(request: AttemptRequest): Promise<void> {
    this.#renewedMs = this.#options.clock.monotonicMs()
    try {
      this.#take(await this.#options.place().start(request))
    } catch (error) {
      if (errorCode(error).startsWith('rpc/')) this.#handleAway() // it may run, or not: asked again
      throw error
    }
  }

  /** It was started before this process was: it is asked for, from now on. */
  async resume(): Promise<void> {
    await this.attach()
    if (!this.#channel) this.#handleAway()
  }

  /** Tells `gone` where nobody knows of it any more; nothing while it is away. */
  async attach(): Promise<void> {
    if (this.#channel || this.#owned.isDisposed) return
    const { place, request, from } = this.#options
    try {
      const there = place() // throws while it is not linked: then nothing is sent, and nothing renewed
      // The executor renews when it hears of us, whether its answer comes back or not.
      this.#renewedMs = this.#options.clock.monotonicMs()
      this.#take(await there.attach(request, from()))
    } catch (error) {
      if (errorCode(error) === 'job/unknown') this.#news.fire({ kind: 'gone' })
      else if (errorCode(error) === 'engine/unknown') this.#news.fire({ kind: 'away', why: `[engine/unknown] ${errorMessage(error)}` })
      else
        this.#options.log.debug('an attempt cannot be reached', {
          attempt: request.attempt,
          code: errorCode(error),
          why: errorMessage(error),
        })
    }
  }

  /** Input is kept until the executor has it; of signals while it is away, the newest. */
  send(frame: JobUpFrame): void {
    if (frame.kind === 'input') {
      this.#inputBytes += frame.bytes.length
      this.#input.push(frame.bytes)
    } else if (frame.kind === 'input-end') this.#isInputEnded = true
    else if (frame.kind === 'signal' && !this.#channel) this.#signal = frame
    const isInput = frame.kind === 'input' || frame.kind === 'input-end'
    if (!isInput || this.#isInputOpen) this.#channel?.send(encodeJobUp(frame))
  }

  /** @throws while it cannot be reached */
  async end(): Promise<void> {
    await this.#options.place().end(this.#options.request.attempt)
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #take(channel: ByteChannel): void {
    if (this.#owned.isDisposed) return channel.dispose()
    this.#channel = channel
    // The executor's lease begins when it attaches us, which may be long after we asked: what we count begins no sooner.
    this.#renewedMs = this.#options.clock.monotonicMs()
    this.#asking?.dispose()
    this.#expiring?.dispose()
    this.#isInputOpen = false
    channel.onDidReceive((message) => {
      const frame = decodeJobDown(message)
      if (!frame) return channel.close('job/malformed-frame')
      this.#hear(frame)
    })
    if (this.#signal) channel.send(encodeJobUp(this.#signal))
    this.#signal = undefined
    channel.onDidClose(() => {
      if (this.#channel !== channel) return
      this.#channel = undefined
      this.#keepNow()
      this.#handleAway()
    })
  }

  #handleAway(): void {
    if (this.#owned.isDisposed) return
    this.#news.fire({ kind: 'away' })
    this.#askAgain(ASK_AGAIN_MS)
    this.#expire()
  }

  /** The link may be there still, or again: a host process that was started anew says that it knows nothing of it. */
  #askAgain(delayMs: number): void {
    this.#asking?.dispose()
    this.#asking = this.#options.clock.after(delayMs, () => {
      void this.attach().then(() => {
        if (!this.#channel && !this.#owned.isDisposed) this.#askAgain(Math.min(delayMs * 2, MAX_ASK_AGAIN_MS))
      })
    })
  }

  #expire(): void {
    this.#expiring?.dispose()
    this.#expiring = this.#options.clock.after(Math.max(0, this.#leaseLeftMs) + 1, () => {
      if (this.#channel) return
      if (this.#leaseLeftMs > 0) this.#expire()
      else this.#news.fire({ kind: 'lease-over' })
    })
  }

  #hear(frame: JobDownFrame): void {
    switch (frame.kind) {
      case 'output':
        this.#options.take(frame)
        this.#unkeptBytes += frame.bytes.length
        if (this.#unkeptBytes >= KEEP_BYTES) this.#keepNow()
        else this.#keeping ??= this.#options.clock.after(KEEP_MS, () => this.#keepNow())
        return
      case 'state':
        return this.#news.fire(frame)
      case 'input-taken':
        return this.#handleTaken(frame.bytes)
      case 'exit': {
        const channel = this.#channel
        this.#keepNow() // the executor forgets it then
        this.#channel = undefined
        const { kind: _kind, ...exit } = frame
        this.#news.fire({ kind: 'exit', exit })
        channel?.dispose()
      }
    }
  }

  #handleTaken(bytes: number): void {
    // After a restart of ours the executor knows of input that we do not: it goes on from there.
    if (bytes > this.#inputBytes) this.#inputBytes = this.#takenBytes = bytes
    let dropped = bytes - this.#takenBytes
    while (dropped > 0 && this.#input[0]) {
      const first = this.#input[0]
      if (first.length > dropped) this.#input[0] = first.subarray(dropped)
      else this.#input.shift()
      dropped -= Math.min(dropped, first.length)
    }
    this.#takenBytes = Math.max(this.#takenBytes, bytes)
    if (!this.#isInputOpen) {
      this.#isInputOpen = true
      for (const piece of this.#input) this.#channel?.send(encodeJobUp({ kind: 'input', bytes: piece }))
      if (this.#isInputEnded) this.#channel?.send(encodeJobUp({ kind: 'input-end' }))
    }
    this.#inputTaken.fire()
  }

  #keepNow(): void {
    this.#keeping?.dispose()
    this.#keeping = undefined
    this.#unkeptBytes = 0
    try {
      this.send({ kind: 'kept', offset: this.#options.keep() })
    } catch (error) {
      // Not kept: the executor holds it, and the program waits. Tried again with the next output, or after the cut.
      this.#options.log.warn('output of a job could not be kept', { code: errorCode(error), why: errorMessage(error) })
    }
  }

  #renew(): void {
    if (!this.#channel) return
    this.#renewedMs = this.#options.clock.monotonicMs()
    this.send({ kind: 'renew' })
  }
}
