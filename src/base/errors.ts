/**
 * An error a person or caller can act on. `code` is stable and tested (`room/what`); the message says what happened,
 * where, and what to do next; it is for people and may change (R17).
 */
export abstract class DomainError<Code extends string = string> extends Error {
  abstract readonly code: Code
}

/** The caller changed its mind. Never shown to a person. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError'
  readonly code = 'base/cancelled'
  constructor(message = 'cancelled by the caller') {
    super(message)
  }
}

/** The stable code of any error: its own, or `base/bug` for what we did not foresee. */
export function errorCode(error: unknown): string {
  if (error !== null && typeof error === 'object' && 'code' in error && typeof error.code === 'string') return error.code
  return 'base/bug'
}

/** The message of anything that was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
