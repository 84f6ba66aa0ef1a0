import { bytesOfBase64 } from '../../base/base64.ts'
import { errorCode } from '../../base/errors.ts'
import type { EngineJob } from '../../jobs/engines/engine.ts'
import { type AttemptExit, MAX_PIECE_BYTES } from '../../jobs/job-frames-contract.ts'
import type { FilesClient, ProcessConnection } from '../device-parts.ts'
import type { EngineSink, EngineTrail } from './engine-attempt.ts'

/** What ends the script's own programs before it ends the script. */
const ENDED_FROM_OUTSIDE: ReadonlySet<string> = new Set(['cancelled', 'time limit', 'memory'])

/** So does what takes its node: of a script that ended by itself by then its own code counts. */
const LOST_ITS_NODE: ReadonlySet<string> = new Set(['requeued', 'node failed', 'preempted'])
/** As the script writes what was killed in it: TERM, and then KILL. */
const KILLED: ReadonlySet<number> = new Set([143, 137])

const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  6: 'SIGABRT',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  15: 'SIGTERM',
}

export interface SharedTrailOptions {
  /** Of this device, which sees the shared disk. */
  readonly files: ProcessConnection<FilesClient>
  readonly self: string
  readonly output: string
  readonly exit: string
}

/** Of an engine that works on a disk of ours: its output and exit code are files there. */
export class SharedTrail implements EngineTrail {
  readonly #options: SharedTrailOptions
  readonly #sink: EngineSink

  constructor(options: SharedTrailOptions, sink: EngineSink) {
    this.#options = options
    this.#sink = sink
  }

  isBegun({ state }: EngineJob): boolean {
    return state === 'running'
  }

  /** All that was written until now; less while who follows it is behind. */
  async read(): Promise<void> {
    for (;;) {
      const at = this.#sink.offset
      const bytes = await this.#readIfThere(this.#options.output, at)
      if (!bytes || bytes.length === 0 || this.#sink.isClosed) return
      await this.#sink.put('out', at, bytes)
    }
  }

  /**
   * As its script wrote it down, else as the engine says; undefined: neither is known. A script that is ended from outside may
   * still write the code of what was ended in it: then the engine knows why.
   */
  async exitOf(job: Extract<EngineJob, { state: 'ended' }> | undefined): Promise<AttemptExit | undefined> {
    const written = await this.#readIfThere(this.#options.exit, 0)
    const code = written && /^(\d{1,3})\n$/.exec(new TextDecoder().decode(written))?.[1]
    if (code !== undefined && Number(code) <= 255) {
      const { ended: why = '' } = job ?? {}
      const isFromOutside = Number(code) !== 0 && (ENDED_FROM_OUTSIDE.has(why) || (LOST_ITS_NODE.has(why) && KILLED.has(Number(code))))
      const ended = isFromOutside ? why : undefined
      return { code: Number(code), cpuMs: 0, ...(ended !== undefined && { ended }) }
    }
    if (!job) return undefined
    const signal = job.signal === undefined ? undefined : (SIGNALS[job.signal] ?? `signal ${job.signal}`)
    return { code: job.code, cpuMs: 0, ...(signal !== undefined && { signal }), ...(job.ended !== undefined && { ended: job.ended }) }
  }

  dispose(): void {
    // nothing is held
  }

  /** Undefined: the script has written nothing there. @throws when that is not known: the shared disk or the files process is away */
  async #readIfThere(path: string, offset: number): Promise<Uint8Array | undefined> {
    const files = await this.#options.files.client()
    try {
      return bytesOfBase64((await files.readPiece({ device: this.#options.self, path, offset, length: MAX_PIECE_BYTES })).base64)
    } catch (error) {
      if (errorCode(error) === 'file/not-found') return undefined
      throw error
    }
  }
}
