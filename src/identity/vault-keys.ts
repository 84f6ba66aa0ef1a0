import type { Disposable } from '../base/disposable.ts'
import type { Crypto, Secret, SigningKey } from './crypto.ts'
import type { DeviceKeys } from './device-keys.ts'
import type { VaultRecord } from './vault-format.ts'
import { openDeviceKeys, openPersonKey } from './vault-opening.ts'
import type { OpenLocks } from './vault-passkey.ts'
import { fail } from './vault-record.ts'

/**
 * What is open of a vault, in memory: the device's keys with the lock they are sealed under, and the person's key. Owns all of
 * it; disposing wipes it, and it can be opened again. Knows neither who asks nor where anything lies.
 */
export class VaultKeys implements Disposable {
  readonly #crypto: Crypto
  #deviceLock: Secret | undefined
  #device: DeviceKeys | undefined
  #person: SigningKey | undefined

  constructor(crypto: Crypto) {
    this.#crypto = crypto
  }

  get isOpen(): boolean {
    return this.#device !== undefined
  }

  /** @throws IdentityError `vault/locked` */
  get device(): DeviceKeys {
    return this.#device ?? fail('vault/locked', LOCKED)
  }

  /** What the device's keys are sealed under. @throws IdentityError `vault/locked` */
  get deviceLock(): Secret {
    return this.#deviceLock ?? fail('vault/locked', LOCKED)
  }

  get person(): SigningKey | undefined {
    return this.#person
  }

  /** Keys that have just been made. */
  take(made: { readonly deviceLock: Secret; readonly keys: DeviceKeys; readonly personKey: SigningKey }): void {
    this.#deviceLock = made.deviceLock
    this.#device = made.keys
    this.#person = made.personKey
  }

  /** Opens what these locks open and is not open yet; takes them over. @throws IdentityError `vault/damaged` */
  open(record: VaultRecord, { device, person }: OpenLocks): void {
    try {
      this.openDevice(record, device)
      if (record.person && person) this.#person ??= openPersonKey(this.#crypto, record, record.person, person)
    } finally {
      person?.dispose()
    }
  }

  /** Takes the lock over. @throws IdentityError `vault/damaged` */
  openDevice(record: VaultRecord, deviceLock: Secret): void {
    if (this.#device) return deviceLock.dispose()
    try {
      this.#device = openDeviceKeys(this.#crypto, record, deviceLock)
    } catch (error) {
      deviceLock.dispose()
      throw error
    }
    this.#deviceLock = deviceLock
  }

  /** The same device's keys as another person's; the ones before are wiped. */
  replaceDevice(next: DeviceKeys): void {
    const old = this.#device
    this.#device = next
    old?.dispose()
  }

  wipePerson(): void {
    this.#person?.dispose()
    this.#person = undefined
  }

  dispose(): void {
    this.wipePerson()
    this.#device?.dispose()
    this.#device = undefined
    this.#deviceLock?.dispose()
    this.#deviceLock = undefined
  }
}

const LOCKED = 'this device is locked; unlock it with your passphrase'
