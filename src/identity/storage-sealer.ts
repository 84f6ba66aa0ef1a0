import { utf8 } from '../base/bytes.ts'
import type { Sealer } from '../base/sealer.ts'
import type { Crypto, Secret } from './crypto.ts'
import { IdentityError } from './identity-error.ts'

/**
 * Seals what this device keeps on disk under its storage key, which never leaves the device and is not rotated with
 * epochs. Values and look-up keys use keys derived apart (rule ID11). Owns the derived keys until disposed.
 */
export class StorageSealer implements Sealer {
  readonly #crypto: Crypto
  readonly #valueKey: Secret
  readonly #lookupKey: Secret

  constructor(crypto: Crypto, storageKey: Uint8Array) {
    this.#crypto = crypto
    this.#valueKey = crypto.hkdf(storageKey, 'elsewhere/storage/1/value', 32)
    this.#lookupKey = crypto.hkdf(storageKey, 'elsewhere/storage/1/lookup', 32)
  }

  seal(plain: Uint8Array, context: string): Uint8Array {
    return this.#crypto.encrypt(this.#kept(this.#valueKey), plain, utf8(context))
  }

  open(sealed: Uint8Array, context: string): Uint8Array {
    const plain = this.#crypto.decrypt(this.#kept(this.#valueKey), sealed, utf8(context))
    if (plain) return plain
    throw new IdentityError(
      'vault/unsealable',
      `the stored value "${context}" cannot be opened: it is damaged, was moved from another row, or belongs to another device; it is set aside and fetched again from your other devices`,
    )
  }

  lookupKey(text: string): Uint8Array {
    return this.#crypto.hmacSha256(this.#kept(this.#lookupKey), utf8(text))
  }

  dispose(): void {
    this.#valueKey.dispose()
    this.#lookupKey.dispose()
  }

  #kept(secret: Secret): Uint8Array {
    if (secret.bytes.length > 0) return secret.bytes
    throw new IdentityError('identity/key-wiped', 'the storage key was wiped when this device locked; unlock it first')
  }
}
