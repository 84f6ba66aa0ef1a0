import { utf8 } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { CopyEngine, EngineJob, EngineResults } from '../../jobs/engines/engine.ts'
import type { FolderCopy, SentFile } from '../../jobs/engines/folder-copy.ts'
import type { AttemptExit } from '../../jobs/job-frames-contract.ts'
import type { EngineSink, EngineTrail } from './engine-attempt.ts'
import { withPatience } from './with-patience.ts'

/** A log that was cut is opened again so soon, doubling. */
const AGAIN_MS = 250
const MAX_AGAIN_MS = 4_000
/** What is still on its way when a job has ended comes within that. */
const LAST_WORDS_MS = 5_000
/** Results may be large and far. */
const RESULTS_MS = 300_000

/** Which of its tries is followed, and where in the whole output it begins. */
export interface FollowedRun {
  readonly run: string
  readonly from: number
  /** One before it had written: it was begun again there. */
  readonly again: boolean
}

export interface CopiedTrailOptions {
  readonly name: string
  readonly engine: CopyEngine
  readonly clock: Clock
  readonly log: Logger
  /** What the folder held when it was sent. */
  readonly sent: readonly SentFile[]
  /** First of what its program writes, if it is told by that when it begins; it is left out. */
  readonly mark: string | undefined
  /** It can be followed while it runs. */
  readonly hasLog: boolean
  /** Kept where a restart of this device finds it. */
  readonly followed: { get(): FollowedRun | undefined; set(run: FollowedRun): void }
  /** Its folder, to put things back. */
  openFolder(): Promise<FolderCopy>
}

/**
 * Of an engine that sees no disk of ours: its output is read from the engine's log, which begins anew each time it is opened, and what
 * it left is fetched and put into the folder when it has ended (rules EN9, EN10).
 */
export class CopiedTrail implements EngineTrail {
  readonly #options: CopiedTrailOptions
  readonly #sink: EngineSink
  readonly #owned = new DisposableStore()
  #followed: FollowedRun | undefined
  #reading: { readonly run: string; readonly done: Promise<void>; readonly stop: AbortController } | undefined
  #isBegun = false
  /** The log of the run that is followed was read to its end: so long it is. */
  #wholeAt: number | undefined

  constructor(options: CopiedTrailOptions, sink: EngineSink) {
    this.#options = options
    this.#sink = sink
    this.#followed = options.followed.get()
    this.#owned.defer(() => this.#reading?.stop.abort())
  }

  dispose(): void {
    this.#owned.dispose()
  }

  isBegun({ state }: EngineJob): boolean {
    return state === 'running' && (this.#isBegun || !this.#options.hasLog)
  }

  async read(job: EngineJob | undefined): Promise<void> {
    if (job?.run !== undefined && job.state !== 'queued') this.#read(job, job.run)
  }

  async exitOf(job: Extract<EngineJob, { state: 'ended' }> | undefined): Promise<AttemptExit | undefined> {
    if (!job) return undefined // there is nothing of it here, either
    this.#sink.sayFinishing()
    if (job.run !== undefined) await this.#lastWords(job, job.run)
    const ended = job.ended === undefined ? {} : { ended: job.ended }
    if (job.error || job.ended !== undefined) return { code: job.code, cpuMs: 0, ...ended, ...(job.error && { error: job.error }) }
    try {
      const { clock, engine } = this.#options
      const results = await withPatience(clock, (signal) => engine.results(job, signal), RESULTS_MS)
      if (results) await this.#take(results)
      return { code: job.code, cpuMs: 0 }
    } catch (error) {
      const code = errorCode(error)
      // What will not come by asking again; the rest is asked for again.
      if (!['engine/results-lost', 'job/folder-gone', 'job/folder-refused'].includes(code)) throw error
      return { code: job.code, cpuMs: 0, error: { code, message: `It ended with ${job.code}, but ${errorMessage(error)}`.slice(0, 1_000) } }
    }
  }

  #read(job: EngineJob, run: string): void {
    if (!this.#options.hasLog) return void this.#begin(run)
    if (this.#reading?.run === run) return
    this.#reading?.stop.abort()
    const { from } = this.#begin(run)
    const stop = new AbortController()
    this.#wholeAt = undefined
    this.#reading = { run, stop, done: this.#readOn(job, from, stop.signal) }
  }

  /** From where its output is counted. */
  #begin(run: string): FollowedRun {
    if (this.#followed?.run === run) return this.#followed
    const again = this.#followed !== undefined && this.#sink.offset > this.#followed.from
    this.#followed = { run, from: this.#sink.offset, again }
    this.#options.followed.set(this.#followed)
    this.#isBegun = false
    return this.#followed
  }

  /** To its end, however often it is cut; each time from its beginning, of which what is known is left out. */
  async #readOn(job: EngineJob, from: number, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options
    for (let againMs = AGAIN_MS; !signal.aborted; againMs = Math.min(MAX_AGAIN_MS, againMs * 2)) {
      try {
        this.#wholeAt = await this.#readOnce(job, from, signal)
        return
      } catch (error) {
        if (signal.aborted) return
        log.debug('the log of a job on an engine could not be read on', { code: errorCode(error), why: errorMessage(error) })
      }
      await pause(clock, againMs, signal)
    }
  }

  async #readOnce(job: EngineJob, from: number, signal: AbortSignal): Promise<number> {
    const { engine, mark, name } = this.#options
    let at = from
    const put = async (stream: 'out' | 'err', text: string) => {
      const bytes = utf8(text)
      if (!signal.aborted) await this.#sink.put(stream, at, bytes)
      at += bytes.length
    }
    if (this.#followed?.again) await put('err', `\n[${name} began it again: its node was lost, or could not go on]\n`)
    let head: string | undefined = mark === undefined ? undefined : ''
    for await (const { stream, text } of engine.output(job, signal)) {
      if (head === undefined || stream === 'err') {
        this.#isBegun = true
        await put(stream, text)
        continue
      }
      head += text
      if ((mark as string).startsWith(head) && head !== mark) continue // not all of it yet
      const rest = head.startsWith(mark as string) ? head.slice((mark as string).length) : head
      head = undefined
      this.#isBegun = true
      if (rest !== '') await put('out', rest)
    }
    if (head) await put('out', head)
    return at
  }

  /** What it wrote at last is on its way still, or its log is known by now. */
  async #lastWords(job: EngineJob, run: string): Promise<void> {
    const { clock } = this.#options
    this.#read(job, run)
    const { done } = this.#reading ?? {}
    const stop = new AbortController()
    if (done) await Promise.race([done, pause(clock, LAST_WORDS_MS, stop.signal)])
    stop.abort()
  }

  async #take({ files, leftOut, out, err }: EngineResults): Promise<void> {
    const from = this.#followed?.from ?? 0
    if (this.#wholeAt === undefined && this.#sink.offset <= from) {
      // Its log was never to be had: what was kept of both outputs is.
      this.#reading?.stop.abort()
      const { mark } = this.#options
      const rest = mark !== undefined && startsWith(out, utf8(mark)) ? out.subarray(utf8(mark).length) : out
      await this.#sink.put('out', from, rest)
      await this.#sink.put('err', from + rest.length, err)
      this.#wholeAt = from + rest.length + err.length
    }
    if (leftOut > 0)
      await this.#sink.put('err', this.#wholeAt ?? this.#sink.offset, utf8(`[left out of its results: ${leftOut}, links or devices]\n`))
    const folder = await this.#options.openFolder()
    try {
      await folder.putBack(files, this.#options.sent)
    } finally {
      folder.dispose()
    }
  }
}

const startsWith = (bytes: Uint8Array, start: Uint8Array): boolean => start.every((byte, at) => bytes[at] === byte)

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const timer: Disposable = clock.after(ms, () => end())
    const end = () => {
      timer.dispose()
      signal.removeEventListener('abort', end)
      resolve()
    }
    signal.addEventListener('abort', end)
  })
}
