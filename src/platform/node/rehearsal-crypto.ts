import type { Secret } from '../../identity/crypto.ts'
import { SodiumCrypto } from './sodium-crypto.ts'

/** The least that libsodium takes. */
const LEAST = { passes: 1, memoryBytes: 8192 }

/** For keys that protect nothing and live for a second: everything is real, but a passphrase costs next to nothing. */
export class RehearsalCrypto extends SodiumCrypto {
  override argon2id(passphrase: Uint8Array, salt: Uint8Array): Promise<Secret> {
    return super.argon2id(passphrase, salt, LEAST)
  }
}
