import { DomainError } from '../base/errors.ts'

export type ProgramErrorCode = 'program/not-found' | 'program/changing' | 'program/too-large' | 'program/hidden' | 'program/no-engine'

/** Why what a program is made of could not be told. */
export class ProgramError extends DomainError<ProgramErrorCode> {
  override readonly name = 'ProgramError'
  readonly code: ProgramErrorCode

  constructor(code: ProgramErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
