import { DomainError } from '../base/errors.ts'

export type SessionErrorCode = 'session/read-only' | 'session/too-many-tabs' | 'session/bad-id' | 'session/no-migration'

/** Codes are stable and tested; the text is for people and may change. */
export class SessionError extends DomainError<SessionErrorCode> {
  override readonly name = 'SessionError'
  readonly code: SessionErrorCode

  private constructor(code: SessionErrorCode, message: string) {
    super(message)
    this.code = code
  }

  static readOnly(schema: number, ours: number): SessionError {
    return new SessionError(
      'session/read-only',
      `this desk was last changed by a newer Elsewhere (desk schema ${schema}, this one knows ${ours}); ` +
        'it can be looked at but not changed here: update Elsewhere on this device',
    )
  }

  static tooManyTabs(limit: number): SessionError {
    return new SessionError('session/too-many-tabs', `the desk already holds ${limit} tabs; close some to open more`)
  }

  static badId(id: string): SessionError {
    return new SessionError('session/bad-id', `"${id.slice(0, 80)}" cannot be an id: 1 to 64 letters, digits, "-" or "_" are wanted`)
  }

  static noMigration(from: number, to: number): SessionError {
    return new SessionError(
      'session/no-migration',
      `no migration leads from desk schema ${from} to ${to}; this build of Elsewhere is incomplete: reinstall it`,
    )
  }
}
