import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { Disposable } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { JobError } from '../../jobs/job-error.ts'
import type { JobSignal, OutputStream } from '../../jobs/job-frames-contract.ts'
import type {
  JobObservation,
  JobProcess,
  JobProcessRequest,
  JobSandbox,
  JobShell,
  JobSpawner,
  PreparedJob,
} from '../../jobs/job-process.ts'
import type { PortSocket } from '../../jobs/port-socket.ts'
import type { ProcessSample } from '../../jobs/process-table.ts'
import { bubblewrapArguments, jobArguments, waitingArguments } from './bubblewrap.ts'
import type { ContainerEngines } from './container-engines.ts'
import { GATE_SCRIPT, GATE_WORDS, gateLine, IDLE_PRIORITY, type JobCgroups, WAITING_GATE_SCRIPT } from './job-limits.ts'
import { NodeJobProcesses } from './node-job-processes.ts'
import { listProcesses } from './proc-process-reader.ts'
import { findProgram, isFolder } from './pty-lydell.ts'
import { type EnteredProcess, enterCgroups, WaitingSandboxes } from './waiting-sandboxes.ts'

/** While it is waited for an end. */
const END_POLL_MS = 25
/** What was seen in /proc so long ago still counts for a look; never for a signal. */
const SEEN_MS = 250
/** Where programs of the sandbox itself are looked for. */
const SYSTEM_PATH = '/usr/bin:/bin'
/** Of what waits outside of its sandbox still. */
const OUTSIDE = { PATH: SYSTEM_PATH, LANG: 'C.UTF-8' } as const

/** Programs of jobs through child_process, in a session of their own; shut in by bubblewrap where a sandbox is asked for. */
export class NodeJobSpawner implements JobSpawner, Disposable {
  /** Reading all of /proc takes long on a busy machine: one reading does for all that look within a moment. */
  #seen: { readonly atMs: number; readonly processes: readonly ProcessSample[] } | undefined
  readonly #engines: ContainerEngines | undefined
  readonly #waiting = new WaitingSandboxes((memoryMiB) => this.#startWaiting(memoryMiB))
  readonly #hasIdlePriority = findProgram(IDLE_PRIORITY[0], '/', SYSTEM_PATH) !== undefined

  /** @param engines  what jobs outside of a sandbox find for docker and podman; absent: what is on their path */
  constructor(engines?: ContainerEngines) {
    this.#engines = engines
  }

  get isReady(): boolean {
    return this.waiting.length > 0
  }

  /** Sandboxes that nobody has asked for yet. */
  get waiting(): readonly ChildProcess[] {
    return this.#waiting.children
  }

  /** As `dispose`; resolves when nothing of it is left. */
  end(): Promise<void> {
    return this.#waiting.end()
  }

  /** Of what it started, only what nobody has asked for ends. */
  dispose(): void {
    this.#waiting.dispose()
  }

  prepare(request: JobProcessRequest): PreparedJob {
    const { sandbox } = request
    if (!sandbox) return { start: () => this.#spawnBare(request), dispose: () => undefined }
    const { child, cgroups, line, canWait } = this.#sandboxFor(request, sandbox)
    const process = new NodeJobProcess(child, () => this.#processes(), request, cgroups, line)
    if (canWait) process.onDidExit(() => this.#waiting.noteEnded())
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

  /** One that waits, where there is one and a shell can read what it is to run; else one made for it. */
  #sandboxFor(request: JobProcessRequest, sandbox: JobSandbox): EnteredProcess & { readonly line: string; readonly canWait: boolean } {
    const { program, arguments: words, environment } = request
    const line = sandbox.network ? undefined : gateLine([program, ...words])
    const rest = jobArguments(request, sandbox)
    // A zero byte would begin another argument of bwrap: as words of a command it is refused.
    const canWait = line !== undefined && !rest.some((word) => word.includes('\0'))
    const waiting = canWait ? this.#waiting.take(sandbox.memoryMiB) : undefined
    if (canWait && waiting) {
      const given = (waiting.child.stdio as readonly unknown[])[5] as Writable
      given.on('error', () => undefined) // it has just been ended: its exit says so
      given.end(rest.join('\0'))
      return { ...waiting, line, canWait }
    }
    const [first, ...more] = this.#gated(GATE_SCRIPT, [program, ...words])
    const command = ['bwrap', ...bubblewrapArguments({ ...request, program: first, arguments: more }, sandbox)]
    return { ...tried('/bin/sh', () => enterCgroups(sandbox.memoryMiB, command, environment, ['pipe', 'pipe'])), line: '', canWait }
  }

  #startWaiting(memoryMiB: number): EnteredProcess {
    const command = ['bwrap', ...waitingArguments(this.#gated(WAITING_GATE_SCRIPT, []))]
    return enterCgroups(memoryMiB, command, OUTSIDE, ['pipe', 'pipe', 'pipe'])
  }

  #gated(script: string, words: readonly string[]): readonly [string, ...string[]] {
    const [first, ...rest] = [...(this.#hasIdlePriority ? IDLE_PRIORITY : []), '/bin/sh', '-c', script, 'elsewhere', ...words]
    return [first as string, ...rest]
  }

  #spawnBare(request: JobProcessRequest): JobProcess {
    const { program, arguments: words, environment, folder } = request
    if (!isFolder(folder)) throw new JobError('job/spawn-failed', `the folder ${folder} is not there`)
    if (findProgram(program, folder, environment.PATH ?? '') === undefined) {
      throw new JobError('job/spawn-failed', `there is no program ${program} on this device; check its name and PATH`)
    }
    const given = this.#engines?.withStandIn(environment) ?? environment
    const options = { cwd: folder, env: { ...given }, detached: true, stdio: 'pipe' } as const
    const child = tried(program, () => spawn(program, words, options))
    return new NodeJobProcess(child, () => this.#processes(), request, undefined)
  }

  #processes(): readonly ProcessSample[] {
    const atMs = performance.now()
    if (!this.#seen || atMs - this.#seen.atMs > SEEN_MS) this.#seen = { atMs, processes: listProcesses({ commands: false }) }
    return this.#seen.processes
  }
}

/** @throws JobError `job/spawn-failed` */
function tried<T>(file: string, start: () => T): T {
  try {
    return start()
  } catch (cause) {
    throw new JobError('job/spawn-failed', `${file} could not be started (${cause instanceof Error ? cause.message : String(cause)})`, {
      cause,
    })
  }
}

class NodeJobProcess implements JobProcess {
  readonly #child: ChildProcess
  readonly #processes: () => readonly ProcessSample[]
  readonly #tree: NodeJobProcesses
  readonly #output = new Emitter<{ stream: OutputStream; bytes: Uint8Array }>()
  readonly #exited = new Emitter<{ code: number; signal?: string }>()
  readonly #drained = new Emitter<void>()
  readonly onDidOutput = this.#output.event
  readonly onDidExit = this.#exited.event
  readonly onDidDrain = this.#drained.event
  readonly #gone: Promise<void>
  #isGone = false
  /** What it said before it was to begin: told then. Undefined: it has begun. */
  #early: (() => void)[] | undefined
  readonly #line: string

  /** With control groups it is in a sandbox, and waits for `begin`. @param line  what one that waited is to run */
  constructor(
    child: ChildProcess,
    processes: () => readonly ProcessSample[],
    request: JobProcessRequest,
    cgroups: JobCgroups | undefined,
    line = '',
  ) {
    this.#line = line
    this.#child = child
    this.#processes = processes
    this.#tree = new NodeJobProcesses(child.pid ?? 0, request, cgroups)
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
        this.#tree.handleGone()
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
    const word = this.#tree.begin() ? GATE_WORDS.start : GATE_WORDS.startLowest
    ;(this.#child.stdio[4] as Writable).end(word + this.#line)
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

  signal(signal: JobSignal | 'SIGSTOP' | 'SIGCONT'): void {
    this.#tree.signal(signal)
  }

  async end(graceMs: number): Promise<void> {
    if (this.#isGone) return
    if (graceMs > 0) {
      this.#tree.askToEnd()
      const untilMs = performance.now() + graceMs
      while (!this.#isGone && performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, END_POLL_MS))
    }
    if (this.#isGone) return
    this.#tree.kill()
    // A grandchild that left the session may hold our pipes open.
    for (const stream of this.#child.stdio.slice(1)) (stream as Readable | null)?.destroy()
    await this.#gone
  }

  observe(): JobObservation {
    return this.#tree.observe(this.#processes())
  }

  shell(): JobShell {
    return this.#tree.shell()
  }

  adopt(pid: number): void {
    this.#tree.adopt(pid)
  }

  release(pid: number): void {
    this.#tree.release(pid)
  }

  get hasOwnNetwork(): boolean {
    return this.#tree.hasOwnNetwork
  }

  connect(port: number): Promise<PortSocket> {
    return this.#tree.connect(port)
  }

  #tell(event: () => void): void {
    if (this.#early) this.#early.push(event)
    else event()
  }

  #readInfo(info: Readable): void {
    let text = ''
    info.on('error', () => undefined) // it ended before it said anything
    info.on('data', (bytes: Buffer) => {
      if (text.length < 4_096) text += bytes.toString('latin1')
      const found = /"child-pid"\s*:\s*(\d+)/.exec(text)?.[1]
      if (found !== undefined) this.#tree.noteInit(Number(found))
    })
  }
}
