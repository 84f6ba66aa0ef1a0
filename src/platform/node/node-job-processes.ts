import { JobError } from '../../jobs/job-error.ts'
import type { JobSignal } from '../../jobs/job-frames-contract.ts'
import type { JobObservation, JobProcessRequest, JobShell } from '../../jobs/job-process.ts'
import type { PortSocket } from '../../jobs/port-socket.ts'
import type { ProcessSample } from '../../jobs/process-table.ts'
import { sendSignal, stopNow } from './end-processes.ts'
import type { JobCgroups } from './job-limits.ts'
import { JobPriority, setAutogroup } from './job-priority.ts'
import { jobShell } from './job-shell.ts'
import { listeningPorts } from './listening-ports.ts'
import { NamespacePorts } from './namespace-ports.ts'
import { listProcesses } from './proc-process-reader.ts'
import { waitsFor } from './waiting-input.ts'

/** How often a signal that came before the program did is tried again. */
const SIGNAL_RETRY_MS = 20
const MAX_SIGNAL_RETRIES = 500

/**
 * The processes of one job on this machine: its session, whatever descends from it, and shells that were opened in it. Signals go to the
 * program; holding still, ending and what is observed are of all of them.
 */
export class NodeJobProcesses {
  readonly pid: number
  readonly #request: JobProcessRequest
  readonly #cgroups: JobCgroups | undefined
  readonly #shells = new Set<number>()
  #ports: NamespacePorts | undefined
  /** Process 1 of the sandbox; its children are the program. Undefined before bwrap has told it, and without a sandbox. */
  #init: number | undefined
  #isGone = false
  /** Only of what is in a sandbox. */
  readonly #priority: JobPriority | undefined
  /** The newest word on whether it stands still: an older one that is still tried does not undo it. */
  #hold: 'SIGSTOP' | 'SIGCONT' | undefined

  constructor(pid: number, request: JobProcessRequest, cgroups: JobCgroups | undefined) {
    this.pid = pid
    this.#request = request
    this.#cgroups = cgroups
    this.#priority = cgroups && new JobPriority({ set: (nice) => setAutogroup(pid, nice), isMade: () => this.#init !== undefined })
  }

  /** The program may begin. @returns false: it is to take the lowest priority itself */
  begin(): boolean {
    return this.#priority?.begin() ?? false
  }

  /** bwrap has told which process is 1 in there. */
  noteInit(pid: number): void {
    this.#init = pid
  }

  /** Nothing of it runs: its process ids may be somebody else's by now. */
  handleGone(): void {
    this.#isGone = true
    this.#priority?.dispose()
    this.#ports?.dispose()
    this.#cgroups?.remove()
  }

  observe(look: readonly ProcessSample[]): JobObservation {
    const all = this.#all(look)
    const programs = this.#programsIn(all)
    const pids = programs.map(({ pid }) => pid)
    const ports = listeningPorts(pids)
    const waits = waitsFor(this.pid, this.#without(programs))
    return {
      cpuMs: all.reduce((sum, { cpuMs, reapedCpuMs = 0 }) => sum + cpuMs + reapedCpuMs, 0),
      memoryBytes: all.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
      ports,
      ...(waits !== undefined && { waits }),
    }
  }

  signal(signal: JobSignal | 'SIGSTOP' | 'SIGCONT'): void {
    if (isHold(signal)) this.#hold = signal
    this.#signal(signal, 0)
  }

  #signal(signal: JobSignal | 'SIGSTOP' | 'SIGCONT', tries: number): void {
    if (this.#isGone || (isHold(signal) && signal !== this.#hold)) return
    const programs = this.#programsIn(this.#all(listProcesses({ commands: false })))
    const targets = isHold(signal) ? programs : this.#without(programs)
    for (const { pid } of targets) sendSignal(pid, signal)
    // Not begun: bwrap is still laying out the sandbox.
    if (targets.length === 0 && tries < MAX_SIGNAL_RETRIES) setTimeout(() => this.#signal(signal, tries + 1), SIGNAL_RETRY_MS)
  }

  /** Asked to end, stopped ones too. */
  askToEnd(): void {
    for (const signal of ['SIGTERM', 'SIGCONT'] as const) {
      for (const { pid } of this.#programsIn(this.#all(listProcesses({ commands: false })))) sendSignal(pid, signal)
    }
  }

  kill(): void {
    if (this.#isGone) return
    this.#priority?.raise()
    // Stopped first, so that bwrap makes no child that nobody sees.
    stopNow(this.pid)
    // In a sandbox the kernel ends all of it with its process 1, which ends with bwrap.
    for (const { pid } of this.#all(listProcesses({ commands: false })).toReversed()) sendSignal(pid, 'SIGKILL')
    sendSignal(this.pid, 'SIGKILL')
  }

  shell(): JobShell {
    const init = this.#isGone ? undefined : this.#init
    if (this.#isGone || (this.#cgroups && init === undefined)) {
      throw new JobError('job/not-running', 'it does not run (yet, or any more), so there is nothing to open a shell in')
    }
    return jobShell(this.#request, init, this.#cgroups?.folders ?? [])
  }

  adopt(pid: number): void {
    this.#shells.add(pid)
  }

  release(pid: number): void {
    this.#shells.delete(pid)
  }

  get hasOwnNetwork(): boolean {
    return this.#request.sandbox?.network === false
  }

  /** Once more if the way in there turns out to have ended meanwhile. */
  async connect(port: number): Promise<PortSocket> {
    const way = this.#wayIn()
    return way.connect(port).catch((error: unknown) => {
      if (!way.hasEnded) throw error
      return this.#wayIn().connect(port)
    })
  }

  #wayIn(): NamespacePorts {
    const init = this.#isGone ? undefined : this.#init
    if (init === undefined) throw new JobError('job/no-port', 'it does not run any more')
    if (this.#ports?.hasEnded) this.#ports.dispose()
    if (!this.#ports || this.#ports.hasEnded) this.#ports = new NamespacePorts(init)
    return this.#ports
  }

  #all(look: readonly ProcessSample[]): ProcessSample[] {
    if (this.#isGone) return []
    const roots = new Set([this.pid, ...this.#shells])
    const known = new Set(roots)
    const living = look.filter(({ zombie }) => !zombie)
    let found: ProcessSample[] = []
    for (let before = -1; before !== found.length; ) {
      before = found.length
      found = living.filter(({ pid, parentPid, sessionId }) => known.has(pid) || known.has(parentPid) || roots.has(sessionId))
      for (const { pid } of found) known.add(pid)
    }
    return found
  }

  /** Not bwrap and its process 1: a signal to them would end the program at once. */
  #programsIn(all: readonly ProcessSample[]): ProcessSample[] {
    if (!this.#cgroups) return [...all]
    const init = this.#init
    return init === undefined ? [] : all.filter(({ pid }) => pid !== this.pid && pid !== init)
  }

  /** Without the shells that were opened in it. */
  #without(programs: readonly ProcessSample[]): ProcessSample[] {
    if (this.#shells.size === 0) return [...programs]
    return programs.filter(({ pid, sessionId }) => !this.#shells.has(pid) && !this.#shells.has(sessionId))
  }
}

const isHold = (signal: string): signal is 'SIGSTOP' | 'SIGCONT' => signal === 'SIGSTOP' || signal === 'SIGCONT'
