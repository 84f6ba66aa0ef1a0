import type { Clock } from '../base/clock.ts'
import { SALT_BYTES, type Argon2Params, type Crypto, type Secret } from './crypto.ts'
import type { IdentityErrorCode } from './identity-error.ts'
import { calibrateArgon2, remainingWaitMs, waitAfterMs } from './passphrase.ts'
import type { VaultRecord } from './vault-format.ts'
import { VaultLocks } from './vault-locks.ts'
import { fail, type VaultRecordFile } from './vault-record.ts'

/**
 * From passphrases to secrets: makes new ones slow to guess, and counts and slows wrong ones (rules ID15, ID16). Owns nothing
 * but the count in the vault's file; what a secret opens is the vault's business.
 */
export class VaultPassphrases {
  readonly #crypto: Crypto
  readonly #clock: Clock
  readonly #argon2: Argon2Params | undefined
  readonly #file: VaultRecordFile

  constructor(options: { crypto: Crypto; clock: Clock; argon2?: Argon2Params }, file: VaultRecordFile) {
    this.#crypto = options.crypto
    this.#clock = options.clock
    this.#argon2 = options.argon2
    this.#file = file
  }

  /** A passphrase under a fresh salt, with the work this machine can bear. */
  async stretch(passphrase: Uint8Array): Promise<{ kdf: VaultRecord['kdf']; fromPassphrase: Secret }> {
    const params = this.#argon2 ?? (await calibrateArgon2(this.#crypto, this.#clock))
    const kdf = { name: 'argon2id', ...params, salt: this.#crypto.bytes(SALT_BYTES) } as const
    return { kdf, fromPassphrase: await this.#crypto.argon2id(passphrase, kdf.salt, kdf) }
  }

  /**
   * Checks the passphrase, counting the try before it is made: a restart in between does not give it back.
   * @throws IdentityError `vault/missing`, `vault/too-many-tries`, `vault/wrong-passphrase`
   */
  prove(passphrase: Uint8Array): Promise<Secret> {
    const open = async (record: VaultRecord): Promise<Secret | undefined> => {
      const fromPassphrase = await this.#crypto.argon2id(passphrase, record.kdf.salt, record.kdf)
      const deviceLock = new VaultLocks(this.#crypto, record.deviceId).openLock('device', record.device, fromPassphrase)
      deviceLock?.dispose()
      if (!deviceLock) fromPassphrase.dispose()
      return deviceLock && fromPassphrase
    }
    return this.attempt(open, 'vault/wrong-passphrase', 'this is not the passphrase', NO_TRIES)
  }

  /**
   * One try at whatever opens the vault, counted before it is made; `open` says undefined to a wrong one. A right one gives back
   * itself and no more, unless `forgiven`: who may use the passkey may not guess at the passphrase without end.
   * @throws IdentityError `vault/missing`, `vault/too-many-tries`, `code`
   */
  async attempt<T>(
    open: (record: VaultRecord) => Promise<T | undefined>,
    code: IdentityErrorCode,
    what: string,
    forgiven?: VaultRecord['tries'],
  ): Promise<T> {
    await this.#requireWaited()
    const record = this.#file.require()
    const tries = { failed: record.tries.failed + 1, lastAtMs: this.#clock.nowMs() }
    await this.#file.saveTries(tries)
    const opened = await open(record)
    if (opened === undefined) return fail(code, `${what}; the next try is possible in ${inSeconds(waitAfterMs(tries.failed))}`)
    await this.#file.saveTries(forgiven ?? record.tries)
    return opened
  }

  /** A last try that lies ahead of now means that the clock was set back: the wait then starts again from now, once. */
  async #requireWaited(): Promise<void> {
    const { tries } = this.#file.require()
    const nowMs = this.#clock.nowMs()
    const waitMs = remainingWaitMs(tries, nowMs)
    if (waitMs === 0) return
    if (tries.lastAtMs > nowMs) await this.#file.saveTries({ ...tries, lastAtMs: nowMs })
    fail('vault/too-many-tries', `too many wrong tries; wait ${inSeconds(waitMs)} and try again`)
  }
}

const NO_TRIES = { failed: 0, lastAtMs: 0 } as const
const inSeconds = (ms: number): string => (ms <= 1000 ? '1 second' : `${Math.ceil(ms / 1000)} seconds`)
