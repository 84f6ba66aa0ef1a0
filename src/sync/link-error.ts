import { DomainError } from '../base/errors.ts'

export type LinkErrorCode =
  | 'link/closed'
  | 'link/message-too-large'
  | 'link/bad-frame'
  | 'link/bad-hello'
  | 'link/version'
  | 'link/refused'
  | 'link/timeout'
  | 'link/no-path'

/** What can go wrong with a link. Codes are stable and tested; the text is for people and may change. */
export class LinkError extends DomainError<LinkErrorCode> {
  override readonly name = 'LinkError'
  readonly code: LinkErrorCode

  constructor(code: LinkErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  static closed(reason: string): LinkError {
    return new LinkError('link/closed', `the link is closed (${reason}); it comes back by itself when the peer is reachable`)
  }

  static messageTooLarge(lane: string, bytes: number, limit: number): LinkError {
    return new LinkError(
      'link/message-too-large',
      `a message of ${bytes} bytes is too large for lane ${lane} (at most ${limit}); send it in parts`,
    )
  }

  static badFrame(peer: string, what: string): LinkError {
    return new LinkError(
      'link/bad-frame',
      `${peer} sent bytes that are not a link frame (${what}); the link was closed and will be made anew`,
    )
  }

  static badHello(what: string): LinkError {
    return new LinkError('link/bad-hello', `the other side's hello cannot be read (${what}); the connection was closed`)
  }

  static version(theirs: string, ours: string): LinkError {
    return new LinkError('link/version', `the peer speaks link versions ${theirs}, this device ${ours}; update the older of the two`)
  }

  static refused(): LinkError {
    return new LinkError('link/refused', 'the other side could not prove that it is a device of this person; the connection was closed')
  }

  static timeout(what: string, ms: number): LinkError {
    return new LinkError('link/timeout', `${what} took longer than ${ms} ms; it is tried again`)
  }

  static noPath(detail: string): LinkError {
    return new LinkError('link/no-path', `no network path to the peer was found (${detail}); it is tried again when the network changes`)
  }
}
