import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { Emitter } from '../../base/emitter.ts'
import { JobError } from '../../jobs/job-error.ts'
import type { JobSignal, OutputStream } from '../../jobs/job-frames-contract.ts'
import type { JobObservation, JobProcess, JobProcessRequest, JobSpawner } from '../../jobs/job-process.ts'
import type { ProcessSample } from '../../jobs/process-table.ts'
import { bubblewrapArguments } from './bubblewrap.ts'
import { sendSignal } from './end-processes.ts'
import { ENTER_SCRIPT, JobCgroups } from './job-limits.ts'
import { listeningPorts } from './listening-ports.ts'
import { listProcesses } from './proc-process-reader.ts'
import { findProgram, isFolder } from './pty-lydell.ts'

/** How often a signal that came before the program did is tried again. */
const SIGNAL_RETRY_MS = 20
const MAX_SIGNAL_RETRIES = 500
/** Looking through /proc costs a few ms: what was seen this long ago is still told. */
const END_POLL_MS = 25

/** Programs of jobs through child_process, in a session of their own; shut in by bubblewrap where a sandbox is asked for. */
export class NodeJobSpawner implements JobSpawner {
  spawn(request: JobProcessRequest): JobProcess {
    const { program, arguments: words, environment, folder, sandbox } = request
    if (!sandbox) {
      if (!isFolder(folder)) throw new JobError('job/spawn-failed', `the folder ${folder} is not there`)
      if (findProgram(program, folder, environment.PATH ?? '') === undefined) {
        throw new JobError('job/spawn-failed', `there is no program ${program} on this device; check its name and PATH`)
      }
      return new NodeJobProcess(start(program, words, environment, folder), undefined)
    }
    const cgroups = new JobCgroups(randomUUID(), sandbox.memoryMiB)
    const entered = [
      '-c',
      ENTER_SCRIPT,
      'elsewhere',
      String(cgroups.folders.length),
      ...cgroups.folders,
      'bwrap',
      ...bubblewrapArguments(request, sandbox),
    ]
    return new NodeJobProcess(start('/bin/sh', entered, environment, '/', ['pipe']), cgroups)
  }
}

/** @param more  further descriptors: bubblewrap's information comes on the fourth */
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

  constructor(child: ChildProcess, cgroups: JobCgroups | undefined) {
    this.#child = child
    this.#cgroups = cgroups
    child.stdout?.on('data', (bytes: Buffer) => this.#output.fire({ stream: 'out', bytes }))
    child.stderr?.on('data', (bytes: Buffer) => this.#output.fire({ stream: 'err', bytes }))
    child.stdin?.on('error', () => undefined) // it closed its input, or has ended: the exit says so
    child.stdin?.on('drain', () => this.#drained.fire())
    if (cgroups) this.#readInfo(child.stdio[3] as Readable)
    this.#gone = new Promise((resolve) => {
      const end = (code: number, signal?: string) => {
        if (this.#isGone) return
        this.#isGone = true
        this.#cgroups?.remove()
        this.#exited.fire({ code, ...(signal !== undefined && { signal }) })
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
    const all = this.#all()
    const programs = this.#withoutSandbox(all)
    return {
      cpuMs: all.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
      memoryBytes: all.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
      ports: listeningPorts(programs.map(({ pid }) => pid)),
    }
  }

  /** What weighs least takes long to die on a busy machine: its end is not idle work. Only root may do that. */
  #hurry(): void {
    if (!this.#cgroups) return
    try {
      writeFileSync(`/proc/${this.pid}/autogroup`, '0')
    } catch {
      // not allowed, or this kernel has none: it dies as it comes to its turn
    }
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
  #all(): ProcessSample[] {
    if (this.#isGone) return []
    const known = new Set([this.pid])
    const living = listProcesses().filter(({ zombie }) => !zombie)
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
