import { DomainError } from '../../base/errors.ts'
import type { TarEntry, TarItem } from './tar.ts'

/*
 * Others' schedulers behind one interface (rules EN1-EN12). A job is known to an engine by the name of its attempt, which nobody else
 * has: so submitting twice is noticed, and after a restart of this device it is found again.
 */

export type EngineErrorCode =
  | 'engine/unknown'
  | 'engine/too-many'
  | 'engine/in-use'
  | 'engine/bad-address'
  | 'engine/bad-folder'
  | 'engine/unreachable'
  | 'engine/refused'
  | 'engine/nonsense'
  | 'engine/no-image'
  | 'engine/bad-line'
  | 'engine/folder-too-large'
  | 'engine/failed'
  | 'engine/results-lost'

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

/** What an engine is given to run for an attempt. */
export interface EngineSubmission {
  /** The attempt's. */
  readonly name: string
  /** Of a /bin/sh that runs it. */
  readonly arguments: readonly string[]
  /** On this device; an engine that does not see it is given `files`. */
  readonly folder: string
  /** As the asker had it: each engine takes of it what it may. */
  readonly environment: Readonly<Record<string, string>>
  /** It goes on until it is stopped. */
  readonly service: boolean
  readonly network: boolean
  /** For an engine that runs images; undefined: the one its settings name. */
  readonly image?: string | undefined
  /** What is in the folder, for an engine that does not see it. */
  readonly files?: readonly TarEntry[]
}

/** How an engine says that a job stands. `run`: which of its tries that is, where it tells them apart. */
export type EngineJob = { readonly id: string; readonly run?: string } & (
  | { readonly state: 'queued' | 'running' }
  | {
      readonly state: 'ended'
      readonly code: number
      readonly signal?: number
      readonly ended?: string
      /** Why it could not be run to its end, in the engine's words. */
      readonly error?: { readonly code: EngineErrorCode; readonly message: string }
    }
)

/** How it is now, for its row and for placement. */
export interface EngineCondition {
  readonly version: string
  readonly cores: number
  readonly idleCores: number
  readonly queued: number
  /** What it can run, where there is a choice: `docker`, `wasm`. */
  readonly runs?: readonly string[]
}

/** What is known of a job there, so that less has to be asked. */
export interface KnownJob {
  /** What it is called there. */
  readonly id: string
  /** It goes on until it is stopped; undefined: not known. */
  readonly isService?: boolean | undefined
  /** It was ended a moment ago: that is to be seen soon. */
  readonly isEnding?: boolean
}

/** Calls reject with EngineError `engine/unreachable` (no answer in time), `engine/refused` (it said no), `engine/nonsense`. */
export interface Engine {
  describe(signal: AbortSignal): Promise<EngineCondition>
  /** One that it has by that name already is that one. */
  submit(job: EngineSubmission, signal: AbortSignal): Promise<EngineJob>
  /** Undefined: it knows none of that name, or forgot it. */
  find(name: string, signal: AbortSignal, known?: KnownJob): Promise<EngineJob | undefined>
  /** Ordered; that it has ended is told by `find`. One that is over is no error. @returns false: it knows none of that name */
  cancel(job: { readonly name: string; readonly id?: string }, signal: AbortSignal): Promise<boolean>
}

/** A piece of what a job wrote. */
export interface EngineOutput {
  readonly stream: 'out' | 'err'
  readonly text: string
}

/** One that sees no disk of ours: what a job wrote and what came of it is asked for. Rejects as Engine does. */
export interface CopyEngine extends Engine {
  /** All that a try wrote from its first byte, and then as it comes, to its end. Each time the same. */
  output(job: EngineJob, signal: AbortSignal): AsyncIterable<EngineOutput>
  /** What a batch job left, once it has ended. Rejects also with `engine/results-lost`: it will not come any more. */
  results(job: EngineJob, signal: AbortSignal): Promise<EngineResults>
}

/** What a batch job left, unpacked as it is read; whole, or it would not be here. Whoever has it disposes it. */
export interface EngineResults {
  readonly leftOut: number
  /** Of an output as it was kept there. */
  bytesOf(stream: EngineOutput['stream']): number
  /** Whole. */
  output(stream: EngineOutput['stream']): AsyncIterable<Uint8Array>
  /** Of the folder; paths below it. The content of one is read before the next is asked for, or left. */
  files(): AsyncIterable<TarItem>
  dispose(): Promise<void>
}

/** Bytes that were fetched and lie aside, out of memory; gone once disposed, and when this process ends. */
export interface StoredBytes {
  /** From the first to the last, each time. */
  read(): AsyncIterable<Uint8Array>
  dispose(): Promise<void>
}

export interface EngineAnswer {
  readonly status: number
  /** At most MAX_ANSWER_BYTES; longer ones are nonsense. */
  readonly text: string
}
export const MAX_ANSWER_BYTES = 32 * 1024 * 1024

export interface EngineRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** Bytes went, as far as can be seen, or came. */
export type EngineMoved = (what: 'went' | 'came') => void

/** How an engine is spoken to; rejects when it cannot be reached or does not answer. */
export type EngineCall = (request: EngineRequest, signal: AbortSignal, moved?: EngineMoved) => Promise<EngineAnswer>

/** What else an engine is reached by. */
export interface EngineStreams {
  /** Text messages of a WebSocket until it is closed as agreed; throws when it is cut, or one is longer than MAX_MESSAGE_BYTES. */
  open(request: { readonly url: string; readonly headers: Readonly<Record<string, string>> }, signal: AbortSignal): AsyncIterable<string>
  /**
   * A file by HTTP, and what is said of another place is not followed; a longer one rejects with RangeError, an address that nothing is
   * fetched from with TypeError, a full disk here with JobError `job/disk-full`.
   */
  download(
    url: string,
    maxBytes: number,
    signal: AbortSignal,
    moved?: EngineMoved,
  ): Promise<{ readonly status: number; readonly bytes: StoredBytes }>
}
/** An output's piece is 32 KiB at most there, and JSON makes six of a byte. */
export const MAX_MESSAGE_BYTES = 1024 * 1024
