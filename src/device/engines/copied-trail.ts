import { concatBytes, utf8 } from '../../base/bytes.ts'
import { type Clock, sleep } from '../../base/clock.ts'
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
/** Results may be large and far: 256 MiB take half of that at 300 kbit a second. One that stands still is given up sooner. */
const RESULTS_MS = 14_400_000
/** Results that did not come are fetched again after that, doubling: ten minutes and more in all, then they are lost. */
const FETCH_AGAIN_MS = 1_000
const MAX_FETCH_AGAIN_MS = 60_000
const MAX_FETCHES = 16
/** Came, and the folder could not take them. */
const MAX_REFUSED = 5

/** What will not come by asking again. */
const FINAL: readonly string[] = ['engine/results-lost', 'job/folder-gone', 'job/folder-refused']

/** Which of its tries is followed, and where in the whole output it begins. */
export interface FollowedRun {
  readonly run: string
  readonly from: number
  /** One before it had written: it was begun again there. */
  readonly again: boolean
  /** Bytes of either output that are known; a log may be gone when it is asked for once more. */
  readonly out?: number | undefined
  readonly err?: number | undefined
  /** What was left out of its results was said. */
  readonly told?: boolean | undefined
  /** What it left did not come: how often, how often the folder did not take it, and when that was last. */
  readonly missed?: { readonly times: number; readonly refused: number; readonly lastMs: number } | undefined
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
  readonly #stop = new AbortController()
  #followed: FollowedRun | undefined
  #reading: { readonly run: string; readonly done: Promise<void>; readonly stop: AbortController } | undefined
  #isBegun = false
  #isOver = false
  #isGivenUp = false
  /** What is known of either output, and whether its log was closed as if that were all. */
  #seen = { out: 0, err: 0, isClosed: false }

  constructor(options: CopiedTrailOptions, sink: EngineSink) {
    this.#options = options
    this.#sink = sink
    this.#followed = options.followed.get()
    const { out = 0, err = 0, from = 0 } = this.#followed ?? {}
    // What was known and not kept is told once more.
    if (out + err <= sink.offset - from) this.#seen = { out, err, isClosed: false }
  }

  dispose(): void {
    this.#stop.abort()
    this.#reading?.stop.abort()
    this.#keepSeen()
  }

  /** It has ended, and what it left is not wanted any more. */
  giveUp(): void {
    this.#isGivenUp = true
    this.#stop.abort()
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
    this.#isOver = true
    const isBare = job.error !== undefined || job.ended !== undefined
    // Where results come they hold what a log that was closed did not.
    if (job.run !== undefined && (isBare || !this.#seen.isClosed || this.#reading?.run !== job.run)) await this.#lastWords(job, job.run)
    const ended = job.ended === undefined ? {} : { ended: job.ended }
    if (isBare) return { code: job.code, cpuMs: 0, ...ended, ...(job.error && { error: job.error }) }
    return this.#bringBack(job).catch((error: unknown) => {
      if (this.#isGivenUp) return { code: job.code, cpuMs: 0, ended: 'cancelled' }
      throw error
    })
  }

  /** Rejects when it is to be tried again, by whoever follows it then. */
  async #bringBack(job: Extract<EngineJob, { state: 'ended' }>): Promise<AttemptExit> {
    const { clock, engine } = this.#options
    if (job.run !== undefined) this.#begin(job.run)
    const { times = 0, refused = 0, lastMs = 0 } = this.#followed?.missed ?? {}
    if (times > 0) {
      const againMs = Math.min(MAX_FETCH_AGAIN_MS, FETCH_AGAIN_MS * 2 ** (times - 1))
      await pause(clock, Math.min(againMs, Math.max(0, lastMs + againMs - clock.nowMs())), this.#stop.signal)
    }
    let isHere = false
    try {
      this.#stop.signal.throwIfAborted()
      const results = await withPatience(clock, (signal) => engine.results(job, signal), RESULTS_MS, this.#stop.signal)
      isHere = true
      try {
        await this.#take(results)
      } finally {
        await results.dispose()
      }
      return { code: job.code, cpuMs: 0 }
    } catch (error) {
      if (this.#stop.signal.aborted) throw error
      const code = errorCode(error)
      const isRefused = isHere && code !== 'job/disk-full' // room is made
      const missed = { times: times + 1, refused: refused + (isRefused ? 1 : 0), lastMs: clock.nowMs() }
      const isFinal = FINAL.includes(code) || missed.times >= MAX_FETCHES || missed.refused >= MAX_REFUSED
      if (!isFinal) {
        this.#keep({ missed })
        throw error
      }
      const said = FINAL.includes(code) ? errorMessage(error) : `what came of it cannot be had: ${errorMessage(error)}`
      const message = `It ended with ${job.code}, but ${said}`.slice(0, 1_000)
      return { code: job.code, cpuMs: 0, error: { code: FINAL.includes(code) ? code : 'engine/results-lost', message } }
    }
  }

  #read(job: EngineJob, run: string): void {
    if (!this.#options.hasLog) return void this.#begin(run)
    if (this.#reading?.run === run) return
    this.#reading?.stop.abort()
    const { from } = this.#begin(run)
    const stop = new AbortController()
    this.#seen = { ...this.#seen, isClosed: false }
    this.#reading = { run, stop, done: this.#readOn(job, from, stop.signal) }
  }

  /** From where its output is counted. */
  #begin(run: string): FollowedRun {
    if (this.#followed?.run === run) return this.#followed
    const again = this.#followed !== undefined && this.#sink.offset > this.#followed.from
    this.#followed = { run, from: this.#sink.offset, again }
    this.#options.followed.set(this.#followed)
    this.#seen = { out: 0, err: 0, isClosed: false }
    this.#isBegun = false
    return this.#followed
  }

  /** To its end, however often it is cut; each time from its beginning, of which what is known is left out. */
  async #readOn(job: EngineJob, from: number, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options
    for (let againMs = AGAIN_MS; !signal.aborted; againMs = Math.min(MAX_AGAIN_MS, againMs * 2)) {
      try {
        const isOver = this.#isOver
        await this.#readOnce(job, from, signal)
        // Closed while it still runs it goes on.
        this.#seen = { ...this.#seen, isClosed: true }
        if (isOver || this.#isOver || signal.aborted) return
      } catch (error) {
        if (signal.aborted) return
        this.#seen = { ...this.#seen, isClosed: false }
        log.debug('the log of a job on an engine could not be read on', { code: errorCode(error), why: errorMessage(error) })
      }
      this.#keepSeen()
      await pause(clock, againMs, signal)
    }
  }

  async #readOnce(job: EngineJob, from: number, signal: AbortSignal): Promise<void> {
    const { engine, mark, name } = this.#options
    let at = from
    const read = { out: 0, err: 0 }
    const say = async (stream: 'out' | 'err', bytes: Uint8Array) => {
      if (!signal.aborted) await this.#sink.put(stream, at, bytes)
      at += bytes.length
    }
    const put = async (stream: 'out' | 'err', text: string) => {
      const bytes = utf8(text)
      await say(stream, bytes)
      read[stream] += bytes.length
      if (!signal.aborted) this.#seen = { ...this.#seen, [stream]: Math.max(this.#seen[stream], read[stream]) }
    }
    if (this.#followed?.again) await say('err', utf8(`\n[${name} began it again: its node was lost, or could not go on]\n`))
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
  }

  /** What it wrote at last is on its way still, or its log is known by now. */
  async #lastWords(job: EngineJob, run: string): Promise<void> {
    const { clock } = this.#options
    if (this.#seen.isClosed) {
      this.#reading?.stop.abort() // closed before it had ended: whether that was all is seen now
      this.#reading = undefined
    }
    this.#read(job, run)
    const { done } = this.#reading ?? {}
    const stop = new AbortController()
    if (done) await Promise.race([done, pause(clock, LAST_WORDS_MS, stop.signal)])
    stop.abort()
  }

  async #take(results: EngineResults): Promise<void> {
    this.#reading?.stop.abort()
    for (const stream of ['out', 'err'] as const) await this.#takeOutput(results, stream)
    this.#keepSeen()
    const { leftOut } = results
    if (leftOut > 0 && !this.#followed?.told) {
      this.#keep({ told: true })
      await this.#sink.put('err', this.#sink.offset, utf8(`[left out of its results: ${leftOut}, links or devices]\n`))
    }
    this.#stop.signal.throwIfAborted()
    const folder = await this.#options.openFolder()
    try {
      this.#stop.signal.throwIfAborted()
      await folder.putBack(results.files(), this.#options.sent, this.#stop.signal)
    } finally {
      folder.dispose()
    }
  }

  /** The rest of what its log did not tell. */
  async #takeOutput(results: EngineResults, stream: 'out' | 'err'): Promise<void> {
    const mark = utf8(stream === 'out' ? (this.#options.mark ?? '') : '')
    const length = results.bytesOf(stream)
    if (length <= this.#seen[stream]) return
    let at = 0
    let head: Uint8Array = new Uint8Array()
    for await (const piece of results.output(stream)) {
      this.#stop.signal.throwIfAborted()
      let bytes = piece
      if (head.length < mark.length) {
        head = concatBytes(head, piece)
        if (head.length < mark.length && head.length < length) continue // not all of it yet
        bytes = startsWith(head, mark) ? head.subarray(mark.length) : head
      }
      const known = Math.max(0, this.#seen[stream] - at)
      at += bytes.length
      if (known >= bytes.length) continue
      await this.#sink.put(stream, this.#sink.offset, bytes.slice(known))
      this.#seen = { ...this.#seen, [stream]: at }
    }
  }

  #keep(more: Partial<FollowedRun>): void {
    if (!this.#followed) return
    this.#followed = { ...this.#followed, ...more }
    this.#options.followed.set(this.#followed)
  }

  #keepSeen(): void {
    const { out, err } = this.#seen
    if (out === (this.#followed?.out ?? 0) && err === (this.#followed?.err ?? 0)) return
    try {
      this.#keep({ out, err })
    } catch (error) {
      // The desk is locked: what is known of its output is less then, and some of it may come twice.
      this.#options.log.debug('how much of an output is known could not be kept', { why: errorMessage(error) })
    }
  }
}

const startsWith = (bytes: Uint8Array, start: Uint8Array): boolean =>
  bytes.length >= start.length && start.every((byte, at) => bytes[at] === byte)

/** Ended early it is as if it was over: whoever waited looks why. */
const pause = (clock: Clock, ms: number, signal: AbortSignal): Promise<void> => sleep(clock, ms, signal).catch(() => undefined)
