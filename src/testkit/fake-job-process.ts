import { utf8 } from '../base/bytes.ts'
import { Emitter } from '../base/emitter.ts'
import type { OutputStream } from '../jobs/job-frames-contract.ts'
import type { PortSocket } from '../jobs/port-socket.ts'
import type { JobObservation, JobProcess, JobProcessRequest, JobShell, JobSpawner, PreparedJob } from '../jobs/job-process.ts'

/** A program that does what a test says. */
export class FakeJobProcess implements JobProcess {
  readonly request: JobProcessRequest
  readonly pid: number
  readonly #output = new Emitter<{ stream: OutputStream; bytes: Uint8Array }>()
  readonly #exited = new Emitter<{ code: number; signal?: string }>()
  readonly #drained = new Emitter<void>()
  readonly onDidOutput = this.#output.event
  readonly onDidExit = this.#exited.event
  readonly onDidDrain = this.#drained.event
  readonly signals: string[] = []
  input = ''
  isInputEnded = false
  isOutputPaused = false
  hasEnded = false
  isEnding = false
  /** Told to end, it takes its time. */
  holdEnd = false
  observed: JobObservation = { cpuMs: 0, memoryBytes: 0, ports: [] }

  constructor(request: JobProcessRequest, pid: number) {
    this.request = request
    this.pid = pid
  }

  say(text: string, stream: OutputStream = 'out'): void {
    this.#output.fire({ stream, bytes: utf8(text) })
  }

  exit(code: number, signal?: string): void {
    if (this.hasEnded) return
    this.hasEnded = true
    this.#exited.fire({ code, ...(signal !== undefined && { signal }) })
  }

  write(bytes: Uint8Array): boolean {
    this.input += new TextDecoder().decode(bytes)
    return true
  }

  endInput(): void {
    this.isInputEnded = true
  }

  setOutputPaused(paused: boolean): void {
    this.isOutputPaused = paused
  }

  signal(signal: string): void {
    this.signals.push(signal)
  }

  async end(): Promise<void> {
    this.isEnding = true
    if (!this.holdEnd) this.exit(-1, 'SIGTERM')
  }

  observe(): JobObservation {
    return this.observed
  }

  /** Shells that were opened in it. */
  readonly shells = new Set<number>()
  readonly hasOwnNetwork = false

  shell(): JobShell {
    const { environment, folder } = this.request
    return { file: '/bin/sh', arguments: ['-i'], environment, folder, dispose: () => undefined }
  }

  adopt(pid: number): void {
    this.shells.add(pid)
  }

  release(pid: number): void {
    this.shells.delete(pid)
  }

  connect(): Promise<PortSocket> {
    return Promise.reject(new Error('no ports here'))
  }
}

export class FakeJobSpawner implements JobSpawner {
  readonly processes: FakeJobProcess[] = []

  isReady = false
  /** Prepared and neither started nor given up. */
  prepared = 0

  prepare(request: JobProcessRequest): PreparedJob {
    this.prepared += 1
    let isOpen = true
    const close = () => {
      if (isOpen) this.prepared -= 1
      isOpen = false
    }
    const start = () => {
      close()
      const process = new FakeJobProcess(request, 1_000 + this.processes.length)
      this.processes.push(process)
      return process
    }
    return { start, dispose: close }
  }
}
