import { DomainError } from '../../base/errors.ts'

/*
 * Others' schedulers behind one interface (rules EN1-EN6). A job is known to an engine by the name of its attempt, which nobody else
 * has: so submitting twice is noticed, and after a restart of this device it is found again.
 */

export type EngineErrorCode =
  | 'engine/unknown'
  | 'engine/too-many'
  | 'engine/bad-address'
  | 'engine/bad-folder'
  | 'engine/unreachable'
  | 'engine/refused'
  | 'engine/nonsense'

/** Codes are stable and tested; the text is for people and may change. */
export class EngineError extends DomainError<EngineErrorCode> {
  override readonly name = 'EngineError'
  readonly code: EngineErrorCode
  /** With `engine/refused`: the engine's own numbers for what it said, where it gave any. */
  readonly numbers: readonly number[]

  constructor(code: EngineErrorCode, message: string, options: ErrorOptions & { readonly numbers?: readonly number[] } = {}) {
    super(message, options)
    this.code = code
    this.numbers = options.numbers ?? []
  }
}

export interface EngineSubmission {
  /** The attempt's. */
  readonly name: string
  /** For a shell. */
  readonly script: string
  readonly folder: string
  /** File of the shared disk that takes both outputs. */
  readonly output: string
  readonly environment: Readonly<Record<string, string>>
}

/** How an engine says that a job stands. */
export type EngineJob = { readonly id: string } & (
  | { readonly state: 'queued' | 'running' }
  | { readonly state: 'ended'; readonly code: number; readonly signal?: number; readonly ended?: string }
)

/** How it is now, for its row and for placement. */
export interface EngineCondition {
  readonly version: string
  readonly cores: number
  readonly idleCores: number
  readonly queued: number
}

/** Calls reject with EngineError `engine/unreachable` (no answer in time), `engine/refused` (it said no), `engine/nonsense`. */
export interface Engine {
  describe(signal: AbortSignal): Promise<EngineCondition>
  /** One that it has by that name already is that one. */
  submit(job: EngineSubmission, signal: AbortSignal): Promise<EngineJob>
  /** Undefined: it knows none of that name, or forgot it. @param id  what it was called there, where that is known: quicker */
  find(name: string, signal: AbortSignal, id?: string): Promise<EngineJob | undefined>
  /** Ordered; that it has ended is told by `find`. One that is over is no error. */
  cancel(id: string, signal: AbortSignal): Promise<void>
}

export interface EngineAnswer {
  readonly status: number
  /** At most MAX_ANSWER_BYTES; longer ones are nonsense. */
  readonly text: string
}
export const MAX_ANSWER_BYTES = 32 * 1024 * 1024

/** How an engine is spoken to; rejects when it cannot be reached or does not answer. */
export type EngineCall = (
  request: {
    readonly method: 'GET' | 'POST' | 'DELETE'
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
    readonly body?: string
  },
  signal: AbortSignal,
) => Promise<EngineAnswer>
