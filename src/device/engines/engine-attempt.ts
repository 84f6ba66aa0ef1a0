import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Engine, EngineJob, KnownJob } from '../../jobs/engines/engine.ts'
import { type AttemptExit, decodeJobUp, encodeJobDown, MAX_PIECE_BYTES, type OutputStream } from '../../jobs/job-frames-contract.ts'
import { BULK_HIGH_BYTES, type ByteChannel } from '../../rpc/channel.ts'

/** Asked so often while it is young; what runs for long is asked less often, up to the second. */
const ASK_MS = 200
const MAX_ASK_MS = 2_000
/** So many answers in a row that did not come: then it is away, and asked for anew by whoever follows it. */
const MAX_MISSES = 3

type EndedJob = Extract<EngineJob, { state: 'ended' }>

/** Where what an attempt writes and leaves comes from: a disk that the engine shares, or the engine itself. */
export interface EngineTrail extends Disposable {
  /** All that can be had by now goes to the sink. Rejects when that is not known: it is asked again. */
  read(job: EngineJob | undefined): Promise<void>
  /** How it ended, once it has; what it left is in the folder then. Undefined: not known. */
  exitOf(job: EndedJob | undefined): Promise<AttemptExit | undefined>
  /** Its program runs, as far as can be told: not only what is to run it. */
  isBegun(job: EngineJob): boolean
  /** Its owner ends it, and it has ended there: what is still to come of it is not waited for. */
  giveUp?(): void
}

/** Where output goes. */
export interface EngineSink {
  /** How much is known already. */
  readonly offset: number
  readonly isClosed: boolean
  /** Bytes of the whole output from `at` on: what is known is left out. Resolves when there is room for more. */
  put(stream: OutputStream, at: number, bytes: Uint8Array): Promise<void>
  sayFinishing(): void
}

export interface EngineAttemptOptions {
  readonly attempt: string
  readonly engine: Engine
  readonly clock: Clock
  readonly log: Logger
  /** What it is there, when it was last asked; undefined: the engine knows no more of it. */
  readonly job: EngineJob | undefined
  /** It goes on until it is stopped; undefined: not known. */
  readonly isService: boolean | undefined
  trail(sink: EngineSink): EngineTrail
}

/**
 * One attempt on an engine, told as an executor of ours tells one: its state, its output by offset, its end (rules EN3, EN4). While
 * the engine does not answer it goes on there, and the channel ends, as that of a device that is cut off.
 */
export class EngineAttempt implements Disposable {
  readonly #options: EngineAttemptOptions
  readonly #channel: ByteChannel
  readonly #owned = new DisposableStore()
  readonly #trail: EngineTrail
  /** Calls end with it. */
  readonly #stop = new AbortController()
  #offset: number
  #job: EngineJob | undefined
  #said = ''
  #misses = 0
  #isGivenUp = false
  #hasEnded = false
  #askMs = ASK_MS

  /** @param from  output that is known already */
  constructor(options: EngineAttemptOptions, channel: ByteChannel, from: number) {
    this.#options = options
    this.#channel = this.#owned.add(channel)
    this.#offset = from
    this.#job = options.job
    channel.highBytes = BULK_HIGH_BYTES
    this.#owned.defer(() => this.#stop.abort(new Error('not followed any more')))
    this.#owned.add(channel.onDidClose(() => this.dispose()))
    this.#owned.add(
      channel.onDidReceive((message) => {
        const frame = decodeJobUp(message)
        // An engine has no other signal for a script: each of them ends it.
        if (frame?.kind === 'signal' && !frame.signal.startsWith('SIGUSR')) void this.#cancel()
      }),
    )
    this.#trail = this.#owned.add(options.trail(this.#sink()))
    channel.send(encodeJobDown({ kind: 'input-taken', bytes: 0 }))
    void this.#follow(false)
  }

  dispose(): void {
    this.#owned.dispose()
  }

  /** That it has ended was told. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Its owner has ended it: what it left is not waited for, if it has ended there. */
  giveUp(): void {
    this.#isGivenUp = true
    if (this.#job?.state === 'ended') this.#trail.giveUp?.()
  }

  /** Nothing here opens the place where it is any more: asked for anew that is said. */
  strand(): void {
    this.#channel.close('engine/unknown')
  }

  async #follow(asks = true): Promise<void> {
    const { engine, attempt, clock, log } = this.#options
    try {
      if (asks) this.#job = await engine.find(attempt, this.#stop.signal, this.#known())
      const job = this.#job
      const exit = job === undefined || job.state === 'ended' ? await this.#trail.exitOf(job) : undefined
      await this.#trail.read(job)
      this.#misses = 0
      if (this.#owned.isDisposed) return
      if (exit) return this.#end(exit)
      if (job === undefined) return this.#channel.close('job/unknown') // asked for anew it is said to be gone
      if (job.state !== 'ended') this.#say(this.#trail.isBegun(job) ? 'running' : 'preparing')
    } catch (error) {
      if (this.#owned.isDisposed) return
      if (this.#isGivenUp) this.giveUp()
      log.debug('an engine could not be asked', { attempt, code: errorCode(error), why: errorMessage(error) })
      if (++this.#misses >= MAX_MISSES) return this.#channel.close('engine/unreachable')
    }
    this.#askMs = Math.min(MAX_ASK_MS, this.#askMs * 1.1)
    const timer = clock.after(this.#askMs, () => {
      this.#owned.release(timer)
      void this.#follow()
    })
    this.#owned.add(timer)
  }

  #known(): KnownJob | undefined {
    return this.#job && { id: this.#job.id, isService: this.#options.isService, isEnding: this.#isGivenUp }
  }

  #say(state: 'preparing' | 'running' | 'finishing'): void {
    if (this.#said === state || this.#owned.isDisposed) return
    this.#said = state
    this.#channel.send(encodeJobDown({ kind: 'state', state, ports: [] }))
  }

  #end(exit: AttemptExit): void {
    if (!exit.error) this.#say('running') // what ended ran
    this.#hasEnded = true
    this.#channel.send(encodeJobDown({ kind: 'exit', ...exit }))
  }

  #sink(): EngineSink {
    const offset = () => this.#offset
    const isClosed = () => this.#owned.isDisposed
    return {
      get offset() {
        return offset()
      },
      get isClosed() {
        return isClosed()
      },
      put: (stream, at, bytes) => this.#put(stream, at, bytes),
      sayFinishing: () => this.#said === 'running' && this.#say('finishing'),
    }
  }

  async #put(stream: OutputStream, at: number, bytes: Uint8Array): Promise<void> {
    for (let from = Math.max(0, this.#offset - at); from < bytes.length; from = this.#offset - at) {
      if (this.#channel.unackedBytes > BULK_HIGH_BYTES) await this.#drained()
      if (this.#owned.isDisposed) return
      const piece = bytes.slice(from, from + MAX_PIECE_BYTES)
      this.#channel.send(encodeJobDown({ kind: 'output', stream, offset: this.#offset, bytes: piece }))
      this.#offset += piece.length
    }
  }

  #drained(): Promise<void> {
    return new Promise<void>((resolve) => {
      const drained = this.#channel.onDidDrain(() => this.#owned.release(waiting))
      const waiting = this.#owned.defer(() => {
        drained.dispose()
        resolve()
      })
    })
  }

  async #cancel(): Promise<void> {
    const { engine, attempt, log } = this.#options
    const job = this.#job
    if (job?.state === 'ended') return this.giveUp()
    await engine
      .cancel({ name: attempt, ...(job && { id: job.id }) }, this.#stop.signal)
      .catch((error: unknown) => log.info('a job on an engine could not be ended', { attempt, why: errorMessage(error) }))
  }
}
