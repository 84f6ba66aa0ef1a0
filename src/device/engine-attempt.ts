import type { Clock } from '../base/clock.ts'
import { bytesOfBase64 } from '../base/base64.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Engine, EngineJob } from '../jobs/engines/engine.ts'
import { decodeJobUp, encodeJobDown, type AttemptExit, MAX_PIECE_BYTES } from '../jobs/job-frames-contract.ts'
import { BULK_HIGH_BYTES, type ByteChannel } from '../rpc/channel.ts'
import type { FilesClient, ProcessConnection } from './device-parts.ts'

/** Asked so often while it is young; what runs for long is asked less often, up to the second. */
const ASK_MS = 200
const MAX_ASK_MS = 2_000
/** One answer may take so long. */
const PATIENCE_MS = 5_000
/** So many answers in a row that did not come: then it is away, and asked for anew by whoever follows it. */
const MAX_MISSES = 3
/** What ends the script's own programs before it ends the script. */
const ENDED_FROM_OUTSIDE: ReadonlySet<string> = new Set(['cancelled', 'time limit', 'memory'])

const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  6: 'SIGABRT',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  15: 'SIGTERM',
}

export interface EngineAttemptOptions {
  readonly attempt: string
  readonly engine: Engine
  /** Of this device, which sees the shared disk. */
  readonly files: ProcessConnection<FilesClient>
  readonly self: string
  readonly output: string
  readonly exit: string
  readonly clock: Clock
  readonly log: Logger
  /** What it is there, when it was last asked; undefined: the engine knows no more of it. */
  readonly job: EngineJob | undefined
}

/** A signal for one call, which ends it when it takes too long. */
export async function withPatience<T>(clock: Clock, work: (signal: AbortSignal) => Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
  const aborting = new AbortController()
  const timer = clock.after(patienceMs, () => aborting.abort(new Error(`no answer within ${patienceMs / 1_000} s`)))
  try {
    return await work(aborting.signal)
  } finally {
    timer.dispose()
  }
}

/**
 * One attempt on an engine, told as an executor of ours tells one: its state, its output by offset out of the shared disk, its end
 * (rules EN3, EN4). While the engine does not answer it goes on there, and the channel ends, as that of a device that is cut off.
 */
export class EngineAttempt implements Disposable {
  readonly #options: EngineAttemptOptions
  readonly #channel: ByteChannel
  readonly #owned = new DisposableStore()
  #offset: number
  #job: EngineJob | undefined
  #said = ''
  #misses = 0
  #askMs = ASK_MS

  /** @param from  output that is known already */
  constructor(options: EngineAttemptOptions, channel: ByteChannel, from: number) {
    this.#options = options
    this.#channel = this.#owned.add(channel)
    this.#offset = from
    this.#job = options.job
    channel.highBytes = BULK_HIGH_BYTES
    this.#owned.add(channel.onDidClose(() => this.dispose()))
    this.#owned.add(
      channel.onDidReceive((message) => {
        const frame = decodeJobUp(message)
        // An engine has no other signal for a script: each of them ends it.
        if (frame?.kind === 'signal' && !frame.signal.startsWith('SIGUSR')) void this.#cancel()
      }),
    )
    channel.send(encodeJobDown({ kind: 'input-taken', bytes: 0 }))
    void this.#follow(false)
  }

  dispose(): void {
    this.#owned.dispose()
  }

  async #follow(asks = true): Promise<void> {
    const { engine, attempt, clock, log } = this.#options
    try {
      if (asks) this.#job = await withPatience(clock, (signal) => engine.find(attempt, signal, this.#job?.id))
      this.#misses = 0
      const job = this.#job
      const exit = job === undefined || job.state === 'ended' ? await this.#exitOf(job) : undefined
      await this.#readOutput()
      if (this.#owned.isDisposed) return
      if (exit) return this.#end(exit)
      if (job === undefined) return this.#channel.close('job/unknown') // asked for anew it is said to be gone
      this.#say(job.state === 'running' ? 'running' : 'preparing')
    } catch (error) {
      if (this.#owned.isDisposed) return
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

  #say(state: 'preparing' | 'running'): void {
    if (this.#said === state) return
    this.#said = state
    this.#channel.send(encodeJobDown({ kind: 'state', state, ports: [] }))
  }

  #end(exit: AttemptExit): void {
    this.#say('running') // what ended ran
    this.#channel.send(encodeJobDown({ kind: 'exit', ...exit }))
  }

  /**
   * As its script wrote it down, else as the engine says; undefined: neither is known. A script that is ended from outside may
   * still write the code of what was ended in it: then the engine knows why.
   */
  async #exitOf(job: Extract<EngineJob, { state: 'ended' }> | undefined): Promise<AttemptExit | undefined> {
    const written = await this.#readIfThere(this.#options.exit, 0)
    const code = written && /^(\d{1,3})\n$/.exec(new TextDecoder().decode(written.bytes))?.[1]
    if (code !== undefined && Number(code) <= 255) {
      const ended = Number(code) !== 0 && ENDED_FROM_OUTSIDE.has(job?.ended ?? '') ? job?.ended : undefined
      return { code: Number(code), cpuMs: 0, ...(ended !== undefined && { ended }) }
    }
    if (!job) return undefined
    const signal = job.signal === undefined ? undefined : (SIGNALS[job.signal] ?? `signal ${job.signal}`)
    return { code: job.code, cpuMs: 0, ...(signal !== undefined && { signal }), ...(job.ended !== undefined && { ended: job.ended }) }
  }

  /** All that was written until now; less while who follows it is behind. */
  async #readOutput(): Promise<void> {
    for (;;) {
      if (this.#channel.unackedBytes > BULK_HIGH_BYTES) {
        await new Promise<void>((resolve) => {
          const drained = this.#channel.onDidDrain(() => {
            drained.dispose()
            resolve()
          })
          this.#owned.defer(resolve)
        })
      }
      const piece = await this.#readIfThere(this.#options.output, this.#offset)
      if (!piece || piece.bytes.length === 0 || this.#owned.isDisposed) return
      this.#channel.send(encodeJobDown({ kind: 'output', stream: 'out', offset: this.#offset, bytes: piece.bytes }))
      this.#offset += piece.bytes.length
    }
  }

  /** Undefined: the script has written nothing there. @throws when that is not known: the shared disk or the files process is away */
  async #readIfThere(path: string, offset: number): Promise<{ readonly bytes: Uint8Array } | undefined> {
    const files = await this.#options.files.client()
    try {
      const { base64 } = await files.readPiece({ device: this.#options.self, path, offset, length: MAX_PIECE_BYTES })
      return { bytes: bytesOfBase64(base64) }
    } catch (error) {
      if (errorCode(error) === 'file/not-found') return undefined
      throw error
    }
  }

  async #cancel(): Promise<void> {
    const { engine, clock, log } = this.#options
    const id = this.#job?.id
    if (id === undefined) return
    await withPatience(clock, (signal) => engine.cancel(id, signal)).catch((error: unknown) =>
      log.info('a job on an engine could not be ended', { why: errorMessage(error) }),
    )
  }
}
