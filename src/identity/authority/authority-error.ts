import { IdentityError } from '../identity-error.ts'

/** What came from outside and is no operation of any version this device reads. */
export const malformedOperation = (why: string, cause?: unknown): IdentityError =>
  new IdentityError('authority/malformed', `a line of the authority log cannot be used (${why}); it is refused and nothing changes`, {
    cause,
  })

/** Written by a newer version: it and what hangs on it waits for an update. */
export const newerOperation = (version: number): IdentityError =>
  new IdentityError('authority/version', `a line of the authority log has format ${version}, which this device does not read; update it`)
