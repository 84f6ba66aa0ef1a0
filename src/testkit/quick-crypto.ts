import type { Secret } from '../identity/crypto.ts'
import { SodiumCrypto } from '../platform/node/sodium-crypto.ts'

/** The real thing, but a passphrase costs next to nothing. The golden vault and the store on disk pay the full price. */
export class QuickCrypto extends SodiumCrypto {
  override argon2id(passphrase: Uint8Array, salt: Uint8Array): Promise<Secret> {
    return super.argon2id(passphrase, salt, { passes: 1, memoryBytes: 8192 })
  }
}
