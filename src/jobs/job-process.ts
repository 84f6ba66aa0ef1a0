import type { Disposable } from '../base/disposable.ts'
import type { Event } from '../base/emitter.ts'
import type { JobSignal, OutputStream } from './job-frames-contract.ts'
import type { PortSocket } from './port-socket.ts'

/** What stands still until somebody types: its terminal, or what it was given as standard input. */
export type JobWait = 'terminal' | 'input'

export interface JobObservation {
  /** Of all its processes, also of those that have ended. */
  readonly cpuMs: number
  readonly memoryBytes: number
  readonly ports: readonly number[]
  readonly waits?: JobWait
}

/** How to start a shell where a job runs. */
export interface JobShell {
  readonly file: string
  readonly arguments: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly folder: string
  /** It has ended, or could not be started: what was held open for it is let go. */
  dispose(): void
}

/** A program of a job while it runs, with everything it started. */
export interface JobProcess {
  readonly pid: number
  readonly onDidOutput: Event<{ readonly stream: OutputStream; readonly bytes: Uint8Array }>
  /** Fires once, after the last output. */
  readonly onDidExit: Event<{ readonly code: number; readonly signal?: string }>
  /** False: what was written waits; `onDidDrain` says when it is taken. */
  write(bytes: Uint8Array): boolean
  readonly onDidDrain: Event<void>
  endInput(): void
  /** Stops reading its output: it blocks once the kernel's buffer is full. */
  setOutputPaused(paused: boolean): void
  /** To the program and what it started; one sent before it has begun is delivered when it has. */
  signal(signal: JobSignal | 'SIGSTOP' | 'SIGCONT'): void
  /** Ends all of it: TERM, then KILL after `graceMs`. */
  end(graceMs: number): Promise<void>
  /** What all of it does, now. */
  observe(): JobObservation
  /** @throws JobError `job/not-running`, `job/no-shell` */
  shell(): JobShell
  /** A shell that was opened in it: observed, held still and ended with it. */
  adopt(pid: number): void
  release(pid: number): void
  /** Its ports are not on this machine's own loopback. */
  readonly hasOwnNetwork: boolean
  /** To a port in its own network. @throws JobError `job/no-port` */
  connect(port: number): Promise<PortSocket>
}

export interface JobProcessRequest {
  readonly program: string
  readonly arguments: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Working folder as the program sees it. */
  readonly folder: string
  /** Absent: it runs as the person's own programs do, at normal priority. */
  readonly sandbox?: JobSandbox | undefined
}

/** What a shut-in program has besides a read-only system (architecture, section 4). */
export interface JobSandbox {
  /** The only folder of this machine it can change, which it sees at `folder`. */
  readonly hostFolder: string
  /** An empty home of its own, gone when it ends. */
  readonly home: string
  readonly network: boolean
  readonly memoryMiB: number
  /** Folders of this machine that it may see besides, by grants to the program. */
  readonly folders?: readonly { readonly hostPath: string; readonly path: string; readonly mayWrite: boolean }[]
}

/** A program that can begin at once: its sandbox is made while its folder is still on its way. */
export interface PreparedJob extends Disposable {
  /** Once. @throws JobError `job/spawn-failed` */
  start(): JobProcess
  /** Ends what was prepared, unless it was started. */
  dispose(): void
}

export interface JobSpawner {
  /** Whether preparing one for another device takes no time now: else it holds this thread up while processes start. */
  readonly isReady: boolean
  /** @throws JobError `job/spawn-failed` */
  prepare(request: JobProcessRequest): PreparedJob
}
