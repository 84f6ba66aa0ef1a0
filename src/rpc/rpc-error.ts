import { DomainError } from '../base/errors.ts'

export type RpcErrorCode =
  | 'rpc/malformed'
  | 'rpc/too-large'
  | 'rpc/unknown-method'
  | 'rpc/refused'
  | 'rpc/bad-input'
  | 'rpc/bad-output'
  | 'rpc/too-many-calls'
  | 'rpc/closed'
  | 'rpc/channel-flooded'

/** RPC itself could not do what was asked. Codes are stable and tested; the text is for people. */
export class RpcError extends DomainError<RpcErrorCode> {
  override readonly name = 'RpcError'
  readonly code: RpcErrorCode

  constructor(code: RpcErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The other side's error, with its own code and message. */
export class RemoteError extends DomainError {
  override readonly name = 'RemoteError'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}
