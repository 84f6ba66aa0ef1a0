import { DomainError } from '../base/errors.ts'

export type DeviceErrorCode =
  | 'contact/away'
  | 'contact/changed'
  | 'contact/not-offered'
  | 'contact/shells-too-fast'
  | 'contact/too-many-connections'
  | 'contact/too-many-shells'
  | 'device/locked'
  | 'device/unknown'
  | 'device/away'
  | 'device/process-away'
  | 'document/bad-name'
  | 'document/too-many'
  | 'notice/gone'
  | 'pairing/no-rendezvous'
  | 'seat/not-asked'
  | 'settings/invalid'
  | 'view/closed'
  | 'view/no-page'
  | 'view/too-many'
  | 'web/unreachable'
  | 'web/refused-url'

/** What a device itself refuses; its rooms have errors of their own. */
export class DeviceError extends DomainError<DeviceErrorCode> {
  override readonly name = 'DeviceError'
  readonly code: DeviceErrorCode

  constructor(code: DeviceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
