import type { DeviceId } from '../base/ids.ts'
import { KEY_BYTES, type Crypto, type Secret } from './crypto.ts'
import { makeOpener, openByOpener } from './vault-opener.ts'
import { fail } from './vault-record.ts'
import type { VaultStore } from './vault-store.ts'

/**
 * The ways to the device lock without a passphrase, each there only when asked for: a file beside the vault (*unattended*, ID19)
 * and a key in an operating system's key store (ID28). To the person's lock there is none. Owns no open lock.
 */
export class VaultOpenings {
  readonly #crypto: Crypto
  readonly #store: VaultStore
  #unattended: boolean

  private constructor(crypto: Crypto, store: VaultStore, unattended: boolean) {
    this.#crypto = crypto
    this.#store = store
    this.#unattended = unattended
  }

  /** Looks what is set up; opens nothing. @throws StoreError */
  static async load(crypto: Crypto, store: VaultStore): Promise<VaultOpenings> {
    const lock = await store.read('unattended')
    if (lock) crypto.wipe(lock)
    return new VaultOpenings(crypto, store, lock !== undefined)
  }

  get unattended(): boolean {
    return this.#unattended
  }

  /** `deviceLock` is kept in plain; undefined removes it. */
  async setUnattended(deviceLock: Secret | undefined): Promise<void> {
    if (deviceLock) await this.#store.write('unattended', deviceLock.bytes)
    else await this.#store.remove('unattended')
    this.#unattended = deviceLock !== undefined
  }

  /** Undefined: not set up. @throws IdentityError `vault/damaged` */
  async unattendedLock(): Promise<Secret | undefined> {
    const lock = await this.#store.read('unattended')
    if (lock && lock.length !== KEY_BYTES)
      fail('vault/damaged', 'unattended.key is damaged; unlock with your passphrase and set it up again')
    return lock && this.#crypto.secret(lock)
  }

  /** The key for the key store; the one before opens nothing more. */
  async keepOpener(device: DeviceId, deviceLock: Secret): Promise<Uint8Array> {
    const { opener, sealed } = makeOpener(this.#crypto, device, deviceLock)
    await this.#store.write('opener', sealed)
    return opener
  }

  forgetOpener(): Promise<void> {
    return this.#store.remove('opener')
  }

  /** @throws IdentityError `vault/wrong-opener` */
  async lockBy(device: DeviceId, opener: Uint8Array): Promise<Secret> {
    const sealed = await this.#store.read('opener')
    const deviceLock = sealed && openByOpener(this.#crypto, device, sealed, opener)
    return deviceLock ?? fail('vault/wrong-opener', 'this key store does not open this device any more; unlock it with your passphrase')
  }
}
