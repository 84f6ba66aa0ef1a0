import { utf8 } from '../base/bytes.ts'
import type { DeviceId } from '../base/ids.ts'
import { KEY_BYTES, type Crypto, type Secret } from './crypto.ts'
import type { SealedPart } from './vault-format.ts'

/** The two locks of a vault; one passphrase opens both, each through a key of its own. */
export type LockName = 'device' | 'person'

/**
 * How a part of the vault is sealed: passphrase > (Argon2id, then HKDF per lock) > lock key > keys. The random lock key in
 * the middle lets keys change without the passphrase, and the passphrase without the keys. Lock, part and device are bound
 * in, so nothing can be moved within a vault or to another one.
 */
export class VaultLocks {
  readonly #crypto: Crypto
  readonly #device: DeviceId

  constructor(crypto: Crypto, device: DeviceId) {
    this.#crypto = crypto
    this.#device = device
  }

  /** A new part; `plain` is wiped. */
  seal(lock: LockName, fromPassphrase: Secret, lockKey: Secret, plain: Uint8Array): SealedPart {
    return { lock: this.#sealLock(lock, fromPassphrase, lockKey.bytes), keys: this.sealKeys(lock, lockKey, plain) }
  }

  /** Keys under a lock that is open; `plain` is wiped. */
  sealKeys(lock: LockName, lockKey: Secret, plain: Uint8Array): Uint8Array {
    const sealed = this.#crypto.encrypt(lockKey.bytes, plain, this.#context(lock, 'keys'))
    this.#crypto.wipe(plain)
    return sealed
  }

  /** Undefined: wrong passphrase, or damaged. */
  openLock(lock: LockName, part: SealedPart, fromPassphrase: Secret): Secret | undefined {
    const lockKey = this.#withPassphraseKey(lock, fromPassphrase, (key) =>
      this.#crypto.decrypt(key, part.lock, this.#context(lock, 'lock')),
    )
    return lockKey && this.#crypto.secret(lockKey)
  }

  /** The keys in plain, for the caller to wipe. Undefined: damaged, or another lock's. */
  openKeys(lock: LockName, part: SealedPart, lockKey: Secret): Uint8Array | undefined {
    return this.#crypto.decrypt(lockKey.bytes, part.keys, this.#context(lock, 'keys'))
  }

  /** The same part under a new passphrase. Undefined when the old one does not open it. */
  relock(lock: LockName, part: SealedPart, before: Secret, after: Secret): SealedPart | undefined {
    const lockKey = this.openLock(lock, part, before)
    if (!lockKey) return undefined
    const relocked = { ...part, lock: this.#sealLock(lock, after, lockKey.bytes) }
    lockKey.dispose()
    return relocked
  }

  #sealLock(lock: LockName, fromPassphrase: Secret, lockKey: Uint8Array): Uint8Array {
    return this.#withPassphraseKey(lock, fromPassphrase, (key) => this.#crypto.encrypt(key, lockKey, this.#context(lock, 'lock')))
  }

  #withPassphraseKey<T>(lock: LockName, fromPassphrase: Secret, use: (key: Uint8Array) => T): T {
    const key = this.#crypto.hkdf(fromPassphrase.bytes, `elsewhere/vault/1/${lock}`, KEY_BYTES)
    try {
      return use(key.bytes)
    } finally {
      key.dispose()
    }
  }

  #context(lock: LockName, what: 'lock' | 'keys'): Uint8Array {
    return utf8(`elsewhere/vault/1/${lock}/${what}/${this.#device}`)
  }
}
