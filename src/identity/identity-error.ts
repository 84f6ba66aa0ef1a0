import { DomainError } from '../base/errors.ts'

export type IdentityErrorCode =
  | 'identity/key-wiped'
  | 'vault/exists'
  | 'vault/missing'
  | 'vault/locked'
  | 'vault/damaged'
  | 'vault/newer'
  | 'vault/weak-passphrase'
  | 'vault/wrong-passphrase'
  | 'vault/too-many-tries'
  | 'vault/wrong-opener'
  | 'vault/wrong-passkey'
  | 'vault/no-person-key'
  | 'vault/unsealable'
  | 'keys/unknown-epoch'
  | 'keys/malformed'
  | 'devices/malformed'
  | 'devices/refused'
  | 'devices/unknown'
  | 'devices/too-many'
  | 'devices/needs-second'
  | 'authority/malformed'
  | 'authority/version'
  | 'authority/refused'
  | 'authority/too-many'
  | 'pake/refused-point'
  | 'pairing/wrong-code'
  | 'pairing/bad-code'
  | 'pairing/too-many-tries'
  | 'pairing/not-found'
  | 'pairing/timeout'
  | 'pairing/declined'
  | 'pairing/cancelled'
  | 'pairing/interrupted'
  | 'pairing/malformed'
  | 'pairing/version'
  | 'pairing/refused'
  | 'seat/malformed'
  | 'seat/refused'
  | 'ledger/malformed'
  | 'ledger/unknown'
  | 'ledger/foreign'
  | 'ledger/damaged'
  | 'recovery/bad-words'
  | 'recovery/wrong-words'
  | 'recovery/damaged'
  | 'recovery/newer'
  | 'wallet/refused'
  | 'wallet/refused-sign-in'
  | 'wallet/malformed'
  | 'grant/refused'
  | 'grant/unknown'
  | 'grant/not-narrower'

/** What the identity room refuses, and why. Codes are stable and tested; the text is for people and may change. Never holds a secret. */
export class IdentityError extends DomainError<IdentityErrorCode> {
  override readonly name = 'IdentityError' // spelled out: class names do not survive minification
  readonly code: IdentityErrorCode

  constructor(code: IdentityErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
