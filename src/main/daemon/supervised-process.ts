import { type ChildProcess, spawn } from 'node:child_process'
import type { Clock } from '../../base/clock.ts'
import type { Disposable } from '../../base/disposable.ts'
import type { Logger } from '../../base/logger.ts'
import type { ProcessReport } from './process-life.ts'
import { StartError } from './start-error.ts'

/** First wait before a restart; doubles up to MAX_BACKOFF_MS. Short, because displays wait for the device. */
const FIRST_BACKOFF_MS = 200
const MAX_BACKOFF_MS = 10_000
/** A process that has run this long was healthy: the next restart waits FIRST_BACKOFF_MS again. */
const HEALTHY_MS = 30_000
/** How long a process may take to end by itself: it flushes what it keeps. */
const STOP_PATIENCE_MS = 6_000
/** How often a watched process is asked whether it lives, and how many answers may be missing: 20 s. Its longest work is shorter. */
const WATCH_MS = 4_000
const MAX_MISSED = 5

/**
 * How each is started. What is made in passing is collected every 8 MiB: V8 takes up to 128 MiB for it otherwise and gives nothing back; a process that
 * takes in many files was 110 MB larger for it, and no quicker (24.21).
 */
export const NODE_FLAGS: readonly string[] = ['--no-warnings', '--max-semi-space-size=8']

export interface SupervisedProcessOptions {
  readonly name: string
  readonly file: string
  readonly args: readonly string[]
  /** What Node itself is told. */
  readonly nodeArgs?: readonly string[]
  readonly clock: Clock
  readonly log: Logger
  /** Ended and started again when its loop stands still: programs may be waiting for it inside the kernel. */
  readonly isWatched?: boolean
  /** Where what it writes goes. */
  writeLog(text: string): void
}

/**
 * One process of the device: started, watched, started again with growing waits when it ends unasked, ended when asked.
 * Its supervisor's channel is its lifeline: a process whose supervisor is gone ends by itself.
 */
export class SupervisedProcess {
  readonly name: string
  readonly #options: SupervisedProcessOptions
  #child: ChildProcess | undefined
  #state: 'starting' | 'ready' | 'waiting' | 'stopped' = 'stopped'
  #details: Readonly<Record<string, unknown>> = {}
  #restarts = 0
  #backoffMs = FIRST_BACKOFF_MS
  #retry: Disposable | undefined
  #stopping = false
  #missed = 0

  constructor(options: SupervisedProcessOptions) {
    this.name = options.name
    this.#options = options
  }

  get status() {
    return { name: this.name, ...(this.#child?.pid ? { pid: this.#child.pid } : {}), state: this.#state, restarts: this.#restarts }
  }

  /** What it said when it was last ready. */
  get details(): Readonly<Record<string, unknown>> {
    return this.#details
  }

  /** Resolves when it is ready. @throws StartError `start/process-failed`, or the process's own code: it did not start the first time, and stays down; `start/stopped` */
  start(): Promise<void> {
    if (this.#stopping) return Promise.reject(new StartError('start/stopped', `${this.name} was told to stop before it was started.`))
    return new Promise((resolve, reject) => this.#spawn(resolve, reject))
  }

  /** Asks it to end, insists after STOP_PATIENCE_MS, resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#retry?.dispose()
    const child = this.#child
    this.#state = 'stopped'
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill('SIGTERM')
    const insist = this.#options.clock.after(STOP_PATIENCE_MS, () => {
      this.#options.log.warn('did not end when asked; killed', { process: this.name, pid: child.pid })
      child.kill('SIGKILL')
    })
    await gone
    insist.dispose()
  }

  /** Counted in answers, not in time: a machine that slept missed none. */
  #watch(child: ChildProcess): void {
    this.#missed = 0
    const look = () => {
      if (this.#child !== child || this.#stopping || !child.connected) return
      if (++this.#missed > MAX_MISSED) {
        this.#options.log.warn('stands still; killed, to be started again', { process: this.name, pid: child.pid })
        child.kill('SIGKILL')
        return
      }
      child.send({ kind: 'alive?' }, () => {})
      this.#options.clock.after(WATCH_MS, look)
    }
    look()
  }

  #spawn(onReady: () => void, onFailed: ((error: unknown) => void) | undefined): void {
    const { clock, log, file, args, nodeArgs = [], writeLog } = this.#options
    const startedAtMs = clock.monotonicMs()
    this.#state = 'starting'
    const child = spawn(process.execPath, [...NODE_FLAGS, ...nodeArgs, file, ...args], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    this.#child = child
    let failure: unknown
    child.stdout?.on('data', (chunk: Buffer) => writeLog(chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => writeLog(chunk.toString()))
    child.on('error', (error) => (failure = error))
    child.on('message', (message: ProcessReport) => {
      if (message.kind === 'alive') this.#missed = 0
      else if (message.kind === 'failed') failure = new ProcessFailure(message.code, message.message)
      else {
        this.#state = 'ready'
        this.#details = message.details ?? {}
        if (this.#options.isWatched) this.#watch(child)
        onReady()
      }
    })
    child.once('close', (code, signal) => {
      if (this.#child === child) this.#child = undefined
      if (this.#stopping) return
      const wasReady = this.#state === 'ready'
      if (!wasReady && onFailed) {
        this.#state = 'stopped'
        return onFailed(failure ?? processFailed(this.name, code, signal))
      }
      if (clock.monotonicMs() - startedAtMs >= HEALTHY_MS) this.#backoffMs = FIRST_BACKOFF_MS
      log.warn('a process ended; starting it again', { process: this.name, code, signal, inMs: this.#backoffMs })
      this.#state = 'waiting'
      this.#restarts++
      this.#retry = clock.after(this.#backoffMs, () => this.#spawn(() => {}, undefined))
      this.#backoffMs = Math.min(2 * this.#backoffMs, MAX_BACKOFF_MS)
    })
  }
}

/** What a process said of why it did not start: its own code and message. */
export class ProcessFailure extends Error {
  override readonly name = 'ProcessFailure'
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

const processFailed = (name: string, code: number | null, signal: string | null) =>
  new StartError(
    'start/process-failed',
    `The ${name} process ended before it was ready (${signal ?? `code ${code}`}). The log in the data folder says why.`,
  )
