import { DomainError } from '../../base/errors.ts'

export type BucketErrorCode =
  | 'bucket/unreachable'
  | 'bucket/refused'
  | 'bucket/not-found'
  | 'bucket/failed'
  | 'bucket/nonsense'
  | 'bucket/upload-gone'
  | 'bucket/wrong-bytes'
  | 'bucket/exists'
  | 'bucket/unknown'

/** Codes are stable and tested; the text is for people and may change. */
export class BucketError extends DomainError<BucketErrorCode> {
  override readonly name = 'BucketError'
  readonly code: BucketErrorCode

  constructor(code: BucketErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
