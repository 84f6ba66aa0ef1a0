import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Disposable } from '../../base/disposable.ts'
import { killTrees } from './end-processes.ts'
import { ENTER_SCRIPT, JobCgroups } from './job-limits.ts'
import { listProcesses } from './proc-process-reader.ts'

/** As many are made beforehand: one for the next job, and one for the one after. */
const MAX_WAITING = 2
/** Another one is made so long after a job has ended or, while it runs, has been started: starting a process holds this one up. */
const AGAIN_MS = { ended: 10, started: 1_000 } as const
/** After so long without a job of others none is kept ready. */
const IDLE_MS = 10 * 60_000
/** An end waits so long for the kernel to let go of control groups. */
const END_PATIENCE_MS = 1_000
const END_POLL_MS = 20

/** A process that becomes a sandbox when it is told what is in it, in control groups of its own. */
export interface EnteredProcess {
  readonly child: ChildProcess
  readonly cgroups: JobCgroups
}

interface Waiting extends EnteredProcess {
  readonly forget: () => void
}

/**
 * Starts a command in new control groups, in a session of its own. Descriptors: 3 bubblewrap's information, 4 the word to begin, 5
 * (where something waits) what a waiting one is given.
 */
export function enterCgroups(
  memoryMiB: number,
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
  more: readonly 'pipe'[],
): EnteredProcess {
  const cgroups = new JobCgroups(randomUUID(), memoryMiB)
  const words = ['-c', ENTER_SCRIPT, 'elsewhere', String(cgroups.folders.length), ...cgroups.folders, ...command]
  const options = { cwd: '/', env: { ...environment }, detached: true, stdio: ['pipe', 'pipe', 'pipe', ...more] } as const
  try {
    return { child: spawn('/bin/sh', words, { ...options, stdio: [...options.stdio] }), cgroups }
  } catch (error) {
    cgroups.remove()
    throw error
  }
}

/**
 * Sandboxes of jobs that nobody has asked for yet: started, in control groups of their own, and waiting to be told the rest. Entering
 * a control group takes 15 ms of waiting for the kernel, starting the processes 5 to 10 more. Each serves one job, and none is kept
 * while none of others come. Owns them until they are taken.
 */
export class WaitingSandboxes implements Disposable {
  readonly #start: (memoryMiB: number) => EnteredProcess
  readonly #idleMs: number
  #waiting: readonly Waiting[] = []
  /** As the last job had it: a waiting one has its limits already. */
  #memoryMiB = 0
  #refilling: NodeJS.Timeout | undefined
  #idle: NodeJS.Timeout | undefined
  #isDisposed = false

  constructor(start: (memoryMiB: number) => EnteredProcess, idleMs = IDLE_MS) {
    this.#start = start
    this.#idleMs = idleMs
  }

  get children(): readonly ChildProcess[] {
    return this.#waiting.map(({ child }) => child)
  }

  /** Undefined: none is ready that is as this job needs it. */
  take(memoryMiB: number): EnteredProcess | undefined {
    this.#refillIn(AGAIN_MS.started)
    this.#dropWhenIdle()
    if (memoryMiB !== this.#memoryMiB) this.#drop()
    this.#memoryMiB = memoryMiB
    const [found] = this.#waiting
    if (!found) return undefined
    this.#waiting = this.#waiting.slice(1)
    for (const event of ['error', 'exit']) found.child.off(event, found.forget)
    return found
  }

  /** A job that asked for one, whether it got it or not, has ended. */
  noteEnded(): void {
    if (this.#isDisposed || this.#memoryMiB === 0) return
    this.#dropWhenIdle() // the time may have gone by while it ran
    if (this.#waiting.length < MAX_WAITING) this.#refillIn(AGAIN_MS.ended)
  }

  /** As `dispose`; resolves when their control groups are gone too, or the kernel takes too long over it. */
  async end(): Promise<void> {
    const groups = this.#waiting.map(({ cgroups }) => cgroups)
    this.dispose()
    const untilMs = performance.now() + END_PATIENCE_MS
    while (groups.some((cgroups) => !cgroups.tryRemove()) && performance.now() < untilMs) await delay(END_POLL_MS)
  }

  dispose(): void {
    this.#isDisposed = true
    clearTimeout(this.#idle)
    this.#drop()
  }

  #dropWhenIdle(): void {
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => this.#drop(), this.#idleMs).unref()
  }

  #drop(): void {
    clearTimeout(this.#refilling)
    this.#refilling = undefined
    const pids = this.#waiting.flatMap(({ child }) => child.pid ?? [])
    killTrees(pids, () => listProcesses({ commands: false })) // the control groups go when they have
    this.#waiting = []
  }

  #refillIn(ms: number): void {
    clearTimeout(this.#refilling)
    this.#refilling = setTimeout(() => this.#refill(), ms).unref()
  }

  #refill(): void {
    this.#refilling = undefined
    if (this.#isDisposed || this.#memoryMiB === 0 || this.#waiting.length >= MAX_WAITING) return
    let made: EnteredProcess
    try {
      made = this.#start(this.#memoryMiB)
    } catch {
      return // out of processes, say: the next job starts its own, and says so
    }
    const { child, cgroups } = made
    const forget = () => {
      this.#waiting = this.#waiting.filter((one) => one.child !== child)
      for (const stream of child.stdio) stream?.destroy()
      cgroups.remove()
    }
    for (const event of ['error', 'exit']) child.on(event, forget)
    this.#waiting = [...this.#waiting, { child, cgroups, forget }]
    if (this.#waiting.length < MAX_WAITING) this.#refillIn(AGAIN_MS.started)
  }
}
