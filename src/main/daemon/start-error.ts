import { DomainError } from '../../base/errors.ts'

export type StartErrorCode =
  | 'start/port-busy'
  | 'start/data-read-only'
  | 'start/data-not-private'
  | 'start/data-path-too-long'
  | 'start/disk-full'
  | 'start/already-running'
  | 'start/process-failed'
  | 'start/not-running'
  | 'start/no-renderer'
  | 'start/wrong-node'
  | 'start/stopped'

/** What keeps a device from starting or being reached. The message is all a person sees: what, where, what to do. */
export class StartError extends DomainError<StartErrorCode> {
  override readonly name = 'StartError'
  readonly code: StartErrorCode

  constructor(code: StartErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
