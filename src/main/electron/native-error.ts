import { DomainError } from '../../base/errors.ts'

export type NativeErrorCode =
  | 'native/foreign-sender'
  | 'native/unknown-method'
  | 'native/bad-input'
  | 'native/unknown-tab'
  | 'native/refused-address'
  | 'native/no-keystore'
  | 'native/other-keystore'

/** What main refuses a page. The code leads the message, because only the message crosses Electron's IPC. */
export class NativeError extends DomainError<NativeErrorCode> {
  override readonly name = 'NativeError'
  readonly code: NativeErrorCode

  constructor(code: NativeErrorCode, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options)
    this.code = code
  }
}
