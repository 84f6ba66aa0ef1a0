import { DomainError } from '../base/errors.ts'

export type SyncErrorCode =
  | 'sync/malformed'
  | 'sync/too-large'
  | 'sync/wrong-doc'
  | 'sync/not-a-member'
  | 'sync/not-an-admin'
  | 'sync/bad-signature'
  | 'sync/outdated-snapshot'
  | 'sync/broken-chain'
  | 'sync/copied-folder'
  | 'sync/paused'
  | 'sync/no-epoch-key'
  | 'sync/foreign-client'
  | 'sync/clock-gap'
  | 'sync/clock-jump'
  | 'sync/missing-dependency'
  | 'sync/deletes-the-future'
  | 'sync/forbidden-content'
  | 'sync/waiting-full'
  | 'sync/version'
  | 'sync/dropped'
  | 'sync/too-many-documents'
  | 'sync/disposed'

/** What sync refuses and why. Codes are stable and tested; the text is for people. */
export class SyncError extends DomainError<SyncErrorCode> {
  override readonly name = 'SyncError'
  readonly code: SyncErrorCode

  constructor(code: SyncErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Bytes from outside that are not what they should be: names the part that was read. */
export const malformed = (what: string, cause?: unknown): SyncError =>
  new SyncError('sync/malformed', `${what} is malformed: it was dropped and the link that brought it is closed`, { cause })
