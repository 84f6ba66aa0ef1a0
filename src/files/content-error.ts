import { DomainError } from '../base/errors.ts'

export type ContentErrorCode =
  | 'chunk/unavailable'
  | 'chunk/damaged'
  | 'chunk/store-full'
  | 'chunk/no-key'
  | 'content/malformed'
  | 'segment/malformed'
  | 'segment/refused'
  | 'segment/forked'
  | 'segment/too-many-logs'
  | 'dataset/locked'
  | 'dataset/damaged'
  | 'dataset/loading'
  | 'policy/unknown-device'
  | 'dataset/no-member'
  | 'history/away'
  | 'checkpoint/malformed'
  | 'checkpoint/refused'
  | 'checkpoint/rolled-back'

/** Codes are stable and tested; the text is for people and may change. */
export class ContentError extends DomainError<ContentErrorCode> {
  override readonly name = 'ContentError'
  readonly code: ContentErrorCode

  constructor(code: ContentErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  static unavailable(id: string): ContentError {
    const text = `these bytes are on other devices, and none that is linked now brings them; they come when one that has them is on and linked (${id.slice(0, 12)})`
    return new ContentError('chunk/unavailable', text)
  }
}
