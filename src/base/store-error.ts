import { DomainError, errorCode } from './errors.ts'

export type StoreErrorCode = 'store/disk-full' | 'store/read-only' | 'store/damaged' | 'store/closed' | 'store/failed'

/** What can go wrong with the store on disk. Codes are stable and tested; the text is for people. */
export class StoreError extends DomainError<StoreErrorCode> {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  private constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  static diskFull(path: string, cause?: unknown): StoreError {
    return new StoreError(
      'store/disk-full',
      `the disk that holds ${path} is full: free some space; what you change is kept in memory and written as soon as there is room`,
      { cause },
    )
  }

  static readOnly(path: string, cause?: unknown): StoreError {
    return new StoreError('store/read-only', `${path} cannot be written: make the folder writable for this account, then start again`, {
      cause,
    })
  }

  static damaged(path: string, what: string, cause?: unknown): StoreError {
    return new StoreError('store/damaged', `the store ${path} is damaged (${what}): it is set aside and healed from your other devices`, {
      cause,
    })
  }

  static closed(path: string): StoreError {
    return new StoreError('store/closed', `the store ${path} is closed: this device is locking or ending`)
  }

  static failed(path: string, cause: unknown): StoreError {
    const text = cause instanceof Error ? cause.message : String(cause)
    return new StoreError('store/failed', `the store ${path} failed (${text}): restart the device; if it stays so, look at the disk`, {
      cause,
    })
  }
}

/** Does it, if the disk has room for it. False: it is full, and nothing of it was done. @throws StoreError of any other kind */
export function hasRoom(work: () => void): boolean {
  try {
    work()
    return true
  } catch (error) {
    if (errorCode(error) !== 'store/disk-full') throw error
    return false
  }
}
