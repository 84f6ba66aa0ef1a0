import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { Emitter } from '../../base/emitter.ts'
import { JobError } from '../../jobs/job-error.ts'
import type { JobSignal, OutputStream } from '../../jobs/job-frames-contract.ts'
import type { JobObservation, JobProcess, JobProcessRequest, JobSpawner, PreparedJob } from '../../jobs/job-process.ts'
import type { ProcessSample } from '../../jobs/process-table.ts'
import { bubblewrapArguments } from './bubblewrap.ts'
import type { ContainerEngines } from './container-engines.ts'
import { sendSignal } from './end-processes.ts'
import { ENTER_SCRIPT, GATE_SCRIPT, GATE_WORD, IDLE_PRIORITY, JobCgroups } from './job-limits.ts'
import { listeningPorts } from './listening-ports.ts'
import { listProcesses } from './proc-process-reader.ts'
import { findProgram, isFolder } from './pty-lydell.ts'

/** How often a signal that came before the program did is tried again. */
const SIGNAL_RETRY_MS = 20
const MAX_SIGNAL_RETRIES = 500
/** While it is waited for an end. */
const END_POLL_MS = 25
/** What was seen in /proc so long ago still counts for a look; never for a signal. */
const SEEN_MS = 250
/** Where programs of the sandbox itself are looked for. */
const SYSTEM_PATH = '/usr/bin:/bin'

/** Programs of jobs through child_process, in a session of their own; shut in by bubblewrap where a sandbox is asked for. */
export class NodeJobSpawner implements JobSpawner {
  /** Reading all of /proc takes long on a busy machine: one reading does for all that look within a moment. */
  #seen: { readonly atMs: number; readonly processes: readonly ProcessSample[] } | undefined
  readonly #engines: ContainerEngines | undefined
  readonly #hasIdlePriority = findProgram(IDLE_PRIORITY[0], '/', SYSTEM_PATH) !== undefined

  /** @param engines  what jobs outside of a sandbox find for docker and podman; absent: what is on their path */
  constructor(engines?: ContainerEngines) {
    this.#engines = engines
  }

  prepare(request: JobProcessRequest): PreparedJob {
    const { program, arguments: words, environment, folder, sandbox } = request
    if (!sandbox) return { start: () => this.#spawnBare(program, words, environment, folder), dispose: () => undefined }
    const gated = [...(this.#hasIdlePriority ? IDLE_PRIORITY : []), '/bin/sh', '-c', GATE_SCRIPT, 'elsewhere', program, ...words]
    const [first, ...rest] = gated as [string, ...string[]]
    const cgroups = new JobCgroups(randomUUID(), sandbox.memoryMiB)
    const entered = [
      '-c',
      ENTER_SCRIPT,
      'elsewhere',
      String(cgroups.folders.length),
      ...cgroups.folders,
      'bwrap',
      ...bubblewrapArguments({ ...request, program: first, arguments: rest }, sandbox),
    ]
    const child = start('/bin/sh', entered, environment, '/', ['pipe', 'pipe'])
    const process = new NodeJobProcess(child, () => this.#processes(), cgroups)
    let isStarted = false
    return {
      start: () => {
        isStarted = true
        process.begin()
        return process
      },
      dispose: () => void (isStarted || process.end(0)),
    }
  }

  #spawnBare(program: string, words: readonly string[], environment: Readonly<Record<string, string>>, folder: string): JobProcess {
    if (!isFolder(folder)) throw new JobError('job/spawn-failed', `the folder ${folder} is not there`)
    if (findProgram(program, folder, environment.PATH ?? '') === undefined) {
      throw new JobError('job/spawn-failed', `there is no program ${program} on this device; check its name and PATH`)
    }
    const given = this.#engines?.withStandIn(environment) ?? environment
    return new NodeJobProcess(start(program, words, given, folder), () => this.#processes(), undefined)
  }

  #processes(): readonly ProcessSample[] {
    const atMs = performance.now()
    if (!this.#seen || atMs - this.#seen.atMs > SEEN_MS) this.#seen = { atMs, processes: listProcesses({ commands: false }) }
    return this.#seen.processes
  }
}

/** @param more  further descriptors: 3 is bubblewrap's information, 4 the word to begin */
function start(
  file: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
  cwd: string,
  more: readonly 'pipe'[] = [],
): ChildProcess {
  try {
    return spawn(file, words, { cwd, env: { ...environment }, detached: true, stdio: ['pipe', 'pipe', 'pipe', ...more] })
  } catch (cause) {
    throw new JobError('job/spawn-failed', `${file} could not be started (${cause instanceof Error ? cause.message : String(cause)})`, {
      cause,
    })
  }
}

class NodeJobProcess implements JobProcess {
  readonly #child: ChildProcess
  readonly #processes: () => readonly ProcessSample[]
  readonly #cgroups: JobCgroups | undefined
  readonly #output = new Emitter<{ stream: OutputStream; bytes: Uint8Array }>()
  readonly #exited = new Emitter<{ code: number; signal?: string }>()
  readonly #drained = new Emitter<void>()
  readonly onDidOutput = this.#output.event
  readonly onDidExit = this.#exited.event
  readonly onDidDrain = this.#drained.event
  readonly #gone: Promise<void>
  #isGone = false
  /** Process 1 of the sandbox; its children are the program. Undefined before bwrap has told it, and without a sandbox. */
  #initPid: number | undefined

  /** What it said before it was to begin: told then. Undefined: it has begun. */
  #early: (() => void)[] | undefined

  /** With control groups it is in a sandbox, and waits for `begin`. */
  constructor(child: ChildProcess, processes: () => readonly ProcessSample[], cgroups: JobCgroups | undefined) {
    this.#child = child
    this.#processes = processes
    this.#cgroups = cgroups
    this.#early = cgroups && []
    child.stdout?.on('data', (bytes: Buffer) => this.#tell(() => this.#output.fire({ stream: 'out', bytes })))
    child.stderr?.on('data', (bytes: Buffer) => this.#tell(() => this.#output.fire({ stream: 'err', bytes })))
    child.stdin?.on('error', () => undefined) // it closed its input, or has ended: the exit says so
    child.stdin?.on('drain', () => this.#drained.fire())
    if (cgroups) this.#readInfo(child.stdio[3] as Readable)
    ;(child.stdio[4] as Writable | undefined)?.on('error', () => undefined) // it has ended before it began: its exit says so
    this.#gone = new Promise((resolve) => {
      const end = (code: number, signal?: string) => {
        if (this.#isGone) return
        this.#isGone = true
        this.#cgroups?.remove()
        this.#tell(() => this.#exited.fire({ code, ...(signal !== undefined && { signal }) }))
        resolve()
      }
      child.on('error', () => end(127)) // it was found and could not be executed, as a shell says it
      child.on('close', (code, signal) => {
        if (signal !== null) return end(-1, signal)
        // bwrap tells a program that was ended by a signal as shells do.
        end(code ?? -1)
      })
    })
  }

  /** Its folder is there. Whoever calls hears of it from the next turn on. */
  begin(): void {
    setAutogroup(this.pid, LOWEST)
    ;(this.#child.stdio[4] as Writable).end(GATE_WORD)
    queueMicrotask(() => {
      const early = this.#early ?? []
      this.#early = undefined
      for (const tell of early) tell()
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  write(bytes: Uint8Array): boolean {
    return this.#child.stdin?.write(bytes) ?? true
  }

  endInput(): void {
    this.#child.stdin?.end()
  }

  setOutputPaused(paused: boolean): void {
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (paused) stream?.pause()
      else stream?.resume()
    }
  }

  signal(signal: JobSignal | 'SIGSTOP' | 'SIGCONT', tries = 0): void {
    if (this.#isGone) return
    const targets = this.#programs()
    for (const { pid } of targets) sendSignal(pid, signal)
    // Not begun: bwrap is still laying out the sandbox.
    if (targets.length === 0 && tries < MAX_SIGNAL_RETRIES) setTimeout(() => this.signal(signal, tries + 1), SIGNAL_RETRY_MS)
  }

  async end(graceMs: number): Promise<void> {
    if (this.#isGone) return
    if (graceMs > 0) {
      for (const { pid } of this.#programs()) for (const signal of ['SIGTERM', 'SIGCONT'] as const) sendSignal(pid, signal)
      const untilMs = performance.now() + graceMs
      while (!this.#isGone && performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, END_POLL_MS))
    }
    if (this.#isGone) return
    this.#hurry()
    // In a sandbox the kernel ends all of it with its process 1, which ends with bwrap.
    for (const { pid } of this.#all().toReversed()) sendSignal(pid, 'SIGKILL')
    sendSignal(this.pid, 'SIGKILL')
    // A grandchild that left the session may hold our pipes open.
    for (const stream of this.#child.stdio.slice(1)) (stream as Readable | null)?.destroy()
    await this.#gone
  }

  observe(): JobObservation {
    const all = this.#all(this.#processes())
    const programs = this.#withoutSandbox(all)
    return {
      cpuMs: all.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
      memoryBytes: all.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
      ports: listeningPorts(programs.map(({ pid }) => pid)),
    }
  }

  #tell(event: () => void): void {
    if (this.#early) this.#early.push(event)
    else event()
  }

  /** What weighs least takes long to die on a busy machine: its end is not idle work. */
  #hurry(): void {
    if (this.#cgroups) setAutogroup(this.pid, 0)
  }

  #readInfo(info: Readable): void {
    let text = ''
    info.on('error', () => undefined) // it ended before it said anything
    info.on('data', (bytes: Buffer) => {
      if (text.length < 4_096) text += bytes.toString('latin1')
      const found = /"child-pid"\s*:\s*(\d+)/.exec(text)?.[1]
      if (found !== undefined) this.#initPid = Number(found)
    })
  }

  /** All processes of it that live: its session, and whatever descends from them. */
  #all(processes: readonly ProcessSample[] = listProcesses({ commands: false })): ProcessSample[] {
    if (this.#isGone) return []
    const known = new Set([this.pid])
    const living = processes.filter(({ zombie }) => !zombie)
    let found: ProcessSample[] = []
    for (let before = -1; before !== found.length; ) {
      before = found.length
      found = living.filter(({ pid, parentPid, sessionId }) => known.has(pid) || known.has(parentPid) || sessionId === this.pid)
      for (const { pid } of found) known.add(pid)
    }
    return found
  }

  #programs(): ProcessSample[] {
    return this.#withoutSandbox(this.#all())
  }

  /** Not bwrap and its process 1: a signal to them would end the program at once. */
  #withoutSandbox(all: readonly ProcessSample[]): ProcessSample[] {
    if (!this.#cgroups) return [...all]
    const init = this.#initPid
    return init === undefined ? [] : all.filter(({ pid }) => pid !== this.pid && pid !== init)
  }
}

const LOWEST = 19

/** How much the session of a process weighs. Only root may raise it, and others set it at most ten times a second. */
function setAutogroup(pid: number, nice: number): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(nice))
  } catch {
    // not allowed, or this kernel has none: it has the lowest priority all the same
  }
}
