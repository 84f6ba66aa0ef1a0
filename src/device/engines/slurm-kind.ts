import { errorCode, errorMessage } from '../../base/errors.ts'
import type { AttemptRequest } from '../../jobs/attempt-contract.ts'
import { type EngineCall, EngineError, type EngineSubmission } from '../../jobs/engines/engine.ts'
import type { SlurmRecord } from '../../jobs/engines/engine-book.ts'
import { SlurmEngine } from '../../jobs/engines/slurm-engine.ts'
import { exitFile, isShared, outputFile, SPOOL } from '../../jobs/engines/slurm-script.ts'
import type { FilesClient, ProcessConnection } from '../device-parts.ts'
import type { EngineSink } from './engine-attempt.ts'
import type { EngineKind, PlacementAsk } from './engine-kind.ts'
import { SharedTrail } from './shared-trail.ts'

/** From submitting to running on an idle cluster: the scheduler looks once a second or so (measured: bench engines). */
const START_MS = 1_000

/** A Slurm cluster: jobs work in the very folder, which lies on a disk that both see (rules EN1, EN3). */
export class SlurmKind implements EngineKind {
  readonly engine: SlurmEngine
  readonly #record: SlurmRecord
  readonly #files: ProcessConnection<FilesClient>
  readonly #self: () => string

  constructor(record: SlurmRecord, call: EngineCall, files: ProcessConnection<FilesClient>, self: () => string) {
    this.engine = new SlurmEngine(record, call)
    this.#record = record
    this.#files = files
    this.#self = self
  }

  async check(): Promise<void> {
    const { shared } = this.#record
    // Slurm reads both as more than they are in the path of an output.
    if (/[%\\]/.test(shared)) throw new EngineError('engine/bad-folder', `${shared} has a % or \\ in it`)
    try {
      await this.#makeSpool()
    } catch (error) {
      const message = `${shared} cannot be used for what jobs there write: ${errorMessage(error)}`
      throw new EngineError('engine/bad-folder', message, { cause: error })
    }
  }

  limit({ folder, label }: PlacementAsk): string | undefined {
    if (!isShared(this.#record.shared, folder)) return `sees only ${this.#record.shared}`
    return label === 'service' || label === 'interactive' ? 'takes only what ends by itself' : undefined
  }

  async fit() {
    return { missingBytes: 0, startMs: START_MS }
  }

  async prepare(request: AttemptRequest): Promise<EngineSubmission> {
    const { name, shared } = this.#record
    if (!isShared(shared, request.folder))
      throw new EngineError('engine/bad-folder', `${request.folder} is not below ${shared}, which is what ${name} sees`)
    await this.#makeSpool()
    const { attempt, arguments: words, folder, environment, service, network } = request
    return { name: attempt, arguments: words, folder, environment, service, network }
  }

  /** Its script wrote its end down. @throws what the files process says, unless that is `file/not-found`: then it is not known */
  async hasEnded(attempt: string): Promise<boolean> {
    const path = exitFile(this.#record.shared, attempt)
    const read = (await this.#files.client()).readPiece({ device: this.#self(), path, offset: 0, length: 16 })
    return read.then(
      () => true,
      (error: unknown) => {
        if (errorCode(error) === 'file/not-found') return false
        throw error
      },
    )
  }

  forget(): void {
    // nothing is kept of it here
  }

  trail({ attempt }: Pick<AttemptRequest, 'attempt'>, sink: EngineSink): SharedTrail {
    const { shared } = this.#record
    const [output, exit] = [outputFile(shared, attempt), exitFile(shared, attempt)]
    return new SharedTrail({ files: this.#files, self: this.#self(), output, exit }, sink)
  }

  async #makeSpool(): Promise<void> {
    const path = `${this.#record.shared}/${SPOOL}`
    await (await this.#files.client()).makeFolder({ device: this.#self(), path }).catch((error: unknown) => {
      if (errorCode(error) !== 'file/exists') throw error
    })
  }
}
