import { DomainError } from '../base/errors.ts'

export type JobErrorCode =
  | 'terminal/unknown'
  | 'terminal/device-away'
  | 'terminal/spawn-failed'
  | 'terminal/too-many'
  | 'terminal/would-not-end'
  | 'terminal/malformed-frame'
  | 'task/unknown'
  | 'task/refused'
  | 'job/unknown'
  | 'job/attempt-exists'
  | 'job/too-many'
  | 'job/spawn-failed'
  | 'job/no-sandbox'
  | 'job/program-refused'
  | 'job/folder-gone'
  | 'job/folder-refused'
  | 'job/folder-too-large'
  | 'job/disk-full'
  | 'job/device-away'
  | 'job/not-placed'
  | 'job/still-runs'
  | 'job/not-moved'
  | 'job/malformed-frame'
  | 'job/no-port'
  | 'job/no-shell'
  | 'job/no-input'
  | 'job/not-running'
  | 'job/transfer-failed'
  | 'job/no-behaviour'

/** Codes are stable and tested; the text is for people and may change. */
export class JobError extends DomainError<JobErrorCode> {
  override readonly name = 'JobError'
  readonly code: JobErrorCode

  constructor(code: JobErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  static unknownTerminal(id: string): JobError {
    return new JobError('terminal/unknown', `terminal ${id} is not running here; it was ended, or its host process was restarted`)
  }

  static deviceAway(device: string): JobError {
    return new JobError(
      'terminal/device-away',
      `device ${device.slice(0, 12)} is not linked; what runs there goes on and can be reached when it is back`,
    )
  }
}
