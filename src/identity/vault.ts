import { toBase58 } from '../base/base58.ts'
import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import type { DeviceId, PersonId } from '../base/ids.ts'
import { type Logger, silentLogger } from '../base/logger.ts'
import { KEY_BYTES, SALT_BYTES, type Argon2Params, type Crypto, type Secret, type SigningKey } from './crypto.ts'
import { DatasetKeys } from './dataset-keys.ts'
import { DeviceKeys } from './device-keys.ts'
import { calibrateArgon2, remainingWaitMs, requireStrongEnough, waitAfterMs } from './passphrase.ts'
import type { VaultRecord } from './vault-format.ts'
import { VaultLocks } from './vault-locks.ts'
import { damaged, fail, VaultRecordFile } from './vault-record.ts'
import type { VaultStore } from './vault-store.ts'

/** `none`: no vault on this device yet. `sealed`: device keys are locked. `open`: they are in memory. */
export type VaultPhase = 'none' | 'sealed' | 'open'

export interface VaultOptions {
  readonly crypto: Crypto
  readonly store: VaultStore
  readonly clock: Clock
  readonly logger?: Logger
  /** Work for new passphrases; measured on this machine when absent (about 0.5 s a try). */
  readonly argon2?: Argon2Params
}

/** What a person gives at the first run. `passphrase` is wiped by the vault. */
export interface FirstRun {
  readonly display: string
  readonly deviceName: string
  readonly personName: string
  readonly passphrase: Uint8Array
  readonly unattended: boolean
}

/** What the door shows before unlocking. */
export interface VaultLabel {
  readonly deviceId: DeviceId
  readonly deviceName: string
  readonly personName: string
}

/**
 * The two locks (ARCHITECTURE.md, section 3). *Device keys* open with the passphrase, or unattended, and stay until
 * `lockDevice`. *Person keys* are sealed apart, open with the passphrase only, and stay only while at least one display
 * of the person is unlocked here (rules ID13-ID19).
 *
 * Owns every open key. Passphrases are bytes that it wipes before it returns. Calls that change the vault run one after
 * another. Knows nothing of documents or links.
 */
export class Vault implements Disposable {
  readonly #crypto: Crypto
  readonly #store: VaultStore
  readonly #clock: Clock
  readonly #argon2: Argon2Params | undefined
  readonly #onDidChange = new Emitter<VaultPhase>()
  readonly #displays = new Set<string>()
  readonly #file: VaultRecordFile
  #unattended: boolean
  #deviceLock: Secret | undefined
  #keys: DeviceKeys | undefined
  #personKey: SigningKey | undefined
  /** Counts device locks: an unlock that was overtaken by one must not open anything. */
  #locks = 0
  #last: Promise<unknown> = Promise.resolve()

  private constructor(options: VaultOptions, file: VaultRecordFile, unattended: boolean) {
    this.#crypto = options.crypto
    this.#store = options.store
    this.#clock = options.clock
    this.#argon2 = options.argon2
    this.#file = file
    this.#unattended = unattended
  }

  /** Reads what is stored; opens nothing. @throws IdentityError `vault/damaged`, `vault/newer` */
  static async load(options: VaultOptions): Promise<Vault> {
    const file = await VaultRecordFile.load(options.store, options.logger ?? silentLogger)
    const unattended = await options.store.read('unattended')
    if (unattended) options.crypto.wipe(unattended)
    return new Vault(options, file, unattended !== undefined)
  }

  get phase(): VaultPhase {
    return !this.#file.current ? 'none' : this.#keys ? 'open' : 'sealed'
  }

  /** Undefined before `create`. */
  get label(): VaultLabel | undefined {
    return this.#file.current
  }

  /** Does this device open by itself after a restart? */
  get unattended(): boolean {
    return this.#unattended
  }

  /** Was the person made here? Only then can acts of the person be signed here. */
  get holdsPerson(): boolean {
    return this.#file.current?.person != null
  }

  /** @throws IdentityError `vault/locked` */
  get keys(): DeviceKeys {
    return this.#keys ?? fail('vault/locked', LOCKED)
  }

  /** The person's root key. @throws IdentityError `vault/locked` (no display is unlocked), `vault/no-person-key` */
  get personKey(): SigningKey {
    if (this.#personKey) return this.#personKey
    if (this.#file.current?.person)
      return fail('vault/locked', 'your own key opens only while a display is unlocked here; unlock with your passphrase')
    return fail('vault/no-person-key', 'your own key lies on the device where you first set up Elsewhere; do this there')
  }

  /** Can `personKey` be used now? */
  get isPersonOpen(): boolean {
    return this.#personKey !== undefined
  }

  isDisplayUnlocked(display: string): boolean {
    return this.#displays.has(display)
  }

  /** Fires after each change of phase, names, displays or keys. */
  get onDidChange(): Event<VaultPhase> {
    return this.#onDidChange.event
  }

  /**
   * First run: makes the device and a person, opens both, and counts `display` as unlocked. `passphrase` is wiped.
   * @throws IdentityError `vault/exists`, `vault/weak-passphrase`
   */
  create(first: { display: string; deviceName: string; personName: string; passphrase: Uint8Array; unattended: boolean }): Promise<void> {
    return this.#exclusive(first.passphrase, async () => {
      if (this.#file.current) fail('vault/exists', 'this device already has a vault; unlock it instead')
      requireStrongEnough(first.passphrase)
      const { kdf, fromPassphrase } = await this.#stretch(first.passphrase)
      const personSeed = this.#crypto.randomSecret(KEY_BYTES)
      const personKey = this.#crypto.signingKey(personSeed.bytes)
      const keys = DeviceKeys.create(this.#crypto, toBase58(personKey.publicKey) as PersonId)
      const deviceLock = this.#crypto.randomSecret(KEY_BYTES)
      const personLock = this.#crypto.randomSecret(KEY_BYTES)
      const locks = new VaultLocks(this.#crypto, keys.device)
      const record: VaultRecord = {
        format: 'elsewhere-vault',
        version: 1,
        deviceId: keys.device,
        deviceName: first.deviceName,
        personName: first.personName,
        kdf,
        device: locks.seal('device', fromPassphrase, deviceLock, keys.encode()),
        person: locks.seal('person', fromPassphrase, personLock, personSeed.bytes.slice()),
        tries: { failed: 0, lastAtMs: 0 },
      }
      for (const secret of [fromPassphrase, personSeed, personLock]) secret.dispose()
      await this.#file.save(record)
      this.#deviceLock = deviceLock
      this.#keys = keys
      this.#personKey = personKey
      this.#displays.add(first.display)
      if (first.unattended) await this.#writeUnattended()
      this.#changed()
    })
  }

  /**
   * Opens device keys (if sealed) and person keys (if kept here) for `display`. `passphrase` is wiped.
   * @throws IdentityError `vault/missing`, `vault/wrong-passphrase`, `vault/too-many-tries` (message says how long),
   *   `vault/damaged`, `vault/locked` (the device was locked while this ran)
   */
  unlock(display: string, passphrase: Uint8Array): Promise<void> {
    return this.#exclusive(passphrase, async () => {
      const fromPassphrase = await this.#prove(passphrase)
      try {
        await this.#openWith(fromPassphrase)
      } finally {
        fromPassphrase.dispose()
      }
      this.#displays.add(display)
      this.#changed()
    })
  }

  /** Opens the device keys without a passphrase, if that was set up. Person keys stay sealed. False: it was not. */
  startUnattended(): Promise<boolean> {
    return this.#exclusive(undefined, async () => {
      const record = this.#file.require()
      const lock = await this.#store.read('unattended')
      if (!lock || this.#keys) return this.#keys !== undefined
      if (lock.length !== KEY_BYTES)
        return fail('vault/damaged', 'unattended.key is damaged; unlock with your passphrase and set it up again')
      const deviceLock = this.#crypto.secret(lock)
      this.#keys = this.#openDevice(record, deviceLock)
      this.#deviceLock = deviceLock
      this.#changed()
      return true
    })
  }

  /** The caller has given the plain warning: whoever can read the owner's files can then start this device as it is. */
  setUnattended(unattended: boolean): Promise<void> {
    return this.#exclusive(undefined, async () => {
      if (!this.#keys) fail('vault/locked', LOCKED)
      if (unattended) await this.#writeUnattended()
      else await this.#store.remove('unattended')
      this.#unattended = unattended
      this.#changed()
    })
  }

  /** This display shows nothing more. When it was the last one unlocked here, the person keys are wiped. */
  lockDisplay(display: string): void {
    if (!this.#displays.delete(display)) return
    if (this.#displays.size === 0) this.#wipePerson()
    this.#changed()
  }

  /** All keys go, at once. Links cannot be proved and nothing stored can be read until the next unlock. */
  lockDevice(): void {
    this.#locks++
    this.#displays.clear()
    this.#wipePerson()
    this.#keys?.dispose()
    this.#keys = undefined
    this.#deviceLock?.dispose()
    this.#deviceLock = undefined
    this.#changed()
  }

  /** Names shown at the door; the device list has its own signed names. */
  rename(names: { deviceName?: string; personName?: string }): Promise<void> {
    return this.#exclusive(undefined, () => this.#save({ ...this.#file.require(), ...names }))
  }

  /**
   * Joins another person: their workspace keys replace this device's own, and the root key of the person made here (now
   * alone, with no devices) is dropped. The signing, box and storage keys stay, so what is stored here stays readable.
   * `keys` is a new object afterwards. @throws IdentityError `vault/locked`, `keys/malformed`
   */
  adopt(joined: { person: PersonId; personName: string; datasetKeys: Uint8Array }): Promise<void> {
    return this.#exclusive(undefined, async () => {
      const old = this.keys
      const next = old.adopt(joined.person, DatasetKeys.decode(this.#crypto, joined.datasetKeys))
      try {
        await this.#save({ ...this.#resealed(next), personName: joined.personName, person: null })
      } catch (error) {
        next.dispose()
        throw error
      }
      this.#keys = next
      this.#wipePerson()
      old.dispose()
      this.#changed()
    })
  }

  /** Writes the device keys again after `keys.datasetKeys` changed (a new epoch). @throws IdentityError `vault/locked` */
  saveKeys(): Promise<void> {
    return this.#exclusive(undefined, () => this.#save(this.#resealed(this.keys)))
  }

  /**
   * Both passphrases are wiped. Needs the old one even when the device is open.
   * @throws IdentityError as `unlock`, and `vault/weak-passphrase`
   */
  changePassphrase(oldPassphrase: Uint8Array, newPassphrase: Uint8Array): Promise<void> {
    return this.#exclusive(oldPassphrase, async () => {
      try {
        requireStrongEnough(newPassphrase)
        const before = await this.#prove(oldPassphrase)
        const record = this.#file.require()
        const { kdf, fromPassphrase: after } = await this.#stretch(newPassphrase)
        const locks = this.#locksOf(record)
        const device = locks.relock('device', record.device, before, after) ?? damaged('device.lock')
        const person = record.person && (locks.relock('person', record.person, before, after) ?? damaged('person.lock'))
        await this.#save({ ...record, kdf, device, person })
        before.dispose()
        after.dispose()
      } finally {
        this.#crypto.wipe(newPassphrase)
      }
    })
  }

  dispose(): void {
    this.lockDevice()
    this.#onDidChange.dispose()
  }

  /** A passphrase under a fresh salt, with the work this machine can bear. */
  async #stretch(passphrase: Uint8Array): Promise<{ kdf: VaultRecord['kdf']; fromPassphrase: Secret }> {
    const params = this.#argon2 ?? (await calibrateArgon2(this.#crypto, this.#clock))
    const kdf = { name: 'argon2id', ...params, salt: this.#crypto.bytes(SALT_BYTES) } as const
    return { kdf, fromPassphrase: await this.#crypto.argon2id(passphrase, kdf.salt, kdf) }
  }

  /** Checks the passphrase, counting the try before it is made: a restart in between does not give it back. */
  async #prove(passphrase: Uint8Array): Promise<Secret> {
    const record = this.#file.require()
    const waitMs = remainingWaitMs(record.tries, this.#clock.nowMs())
    if (waitMs > 0) {
      return fail('vault/too-many-tries', `too many wrong tries; wait ${inSeconds(waitMs)} and try again`)
    }
    const tries = { failed: record.tries.failed + 1, lastAtMs: this.#clock.nowMs() }
    await this.#file.saveTries(tries)
    const fromPassphrase = await this.#crypto.argon2id(passphrase, record.kdf.salt, record.kdf)
    const deviceLock = this.#locksOf(record).openLock('device', record.device, fromPassphrase)
    if (!deviceLock) {
      fromPassphrase.dispose()
      return fail(
        'vault/wrong-passphrase',
        `this is not the passphrase; the next try is possible in ${inSeconds(waitAfterMs(tries.failed))}`,
      )
    }
    deviceLock.dispose()
    await this.#file.saveTries({ failed: 0, lastAtMs: 0 })
    return fromPassphrase
  }

  async #openWith(fromPassphrase: Secret): Promise<void> {
    const record = this.#file.require()
    const locks = this.#locksOf(record)
    if (!this.#keys) {
      const deviceLock = locks.openLock('device', record.device, fromPassphrase) ?? damaged('device.lock')
      this.#keys = this.#openDevice(record, deviceLock)
      this.#deviceLock = deviceLock
    }
    if (!record.person || this.#personKey) return
    const personLock = locks.openLock('person', record.person, fromPassphrase) ?? damaged('person.lock')
    const seed = locks.openKeys('person', record.person, personLock) ?? damaged('person.keys')
    this.#personKey = this.#crypto.signingKey(seed)
    this.#crypto.wipe(seed)
    personLock.dispose()
  }

  #openDevice(record: VaultRecord, deviceLock: Secret): DeviceKeys {
    const plain = this.#locksOf(record).openKeys('device', record.device, deviceLock) ?? damaged('device.keys')
    const keys = DeviceKeys.decode(this.#crypto, plain)
    this.#crypto.wipe(plain)
    if (keys.device === record.deviceId) return keys
    keys.dispose()
    return damaged('deviceId')
  }

  #locksOf(record: VaultRecord): VaultLocks {
    return new VaultLocks(this.#crypto, record.deviceId)
  }

  #resealed(keys: DeviceKeys): VaultRecord {
    const record = this.#file.require()
    const lock = this.#deviceLock ?? fail('vault/locked', LOCKED)
    return { ...record, device: { ...record.device, keys: this.#locksOf(record).sealKeys('device', lock, keys.encode()) } }
  }

  async #writeUnattended(): Promise<void> {
    const lock = this.#deviceLock ?? fail('vault/locked', LOCKED)
    await this.#store.write('unattended', lock.bytes)
    this.#unattended = true
  }

  async #save(record: VaultRecord): Promise<void> {
    await this.#file.save(record)
    this.#changed()
  }

  #wipePerson(): void {
    this.#personKey?.dispose()
    this.#personKey = undefined
  }

  #changed(): void {
    this.#onDidChange.fire(this.phase)
  }

  /** One after another; wipes `passphrase` whatever happens; what was opened while the device was locked is closed again. */
  #exclusive<T>(passphrase: Uint8Array | undefined, work: () => Promise<T>): Promise<T> {
    const run = async () => {
      const locks = this.#locks
      try {
        const result = await work()
        if (locks !== this.#locks) {
          this.lockDevice()
          return fail('vault/locked', 'the device was locked while this was going on; unlock it again')
        }
        return result
      } finally {
        if (passphrase) this.#crypto.wipe(passphrase)
      }
    }
    const result = this.#last.then(run, run)
    this.#last = result.catch(() => undefined) // the caller hears of it; the next in line need not
    return result
  }
}

const inSeconds = (ms: number): string => (ms <= 1000 ? '1 second' : `${Math.ceil(ms / 1000)} seconds`)

const LOCKED = 'this device is locked; unlock it with your passphrase'
