import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import type { DeviceId, PersonId } from '../base/ids.ts'
import { type Logger, silentLogger } from '../base/logger.ts'
import { type Argon2Params, type Crypto, type Secret, type SigningKey } from './crypto.ts'
import { DatasetKeys } from './dataset-keys.ts'
import type { DeviceKeys } from './device-keys.ts'
import { requireStrongEnough } from './passphrase.ts'
import type { VaultRecord } from './vault-format.ts'
import { VaultKeys } from './vault-keys.ts'
import { type FirstRun, makeVault, type Recovered } from './vault-making.ts'
import { openLocks, openPersonSeed } from './vault-opening.ts'
import { VaultOpenings } from './vault-openings.ts'
import { type OpenLocks, type PasskeyQuestion, VaultPasskey } from './vault-passkey.ts'
import { VaultPassphrases } from './vault-passphrases.ts'
import { damaged, fail, VaultRecordFile } from './vault-record.ts'
import { withDeviceKeys, withPassphrase } from './vault-resealing.ts'
import type { VaultStore } from './vault-store.ts'
import type { WalletKey } from './wallet/wallet-key.ts'

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

/** What the door shows before unlocking. */
export interface VaultLabel {
  readonly deviceId: DeviceId
  readonly deviceName: string
  readonly personName: string
}

/**
 * The two locks (ARCHITECTURE.md, section 3). *Device keys* open with the passphrase, or unattended, and stay until
 * `lockDevice`. *Person keys* are sealed apart, open with the passphrase or a passkey only, and stay only while at least one display
 * of the person is unlocked here (rules ID13-ID19, ID29).
 *
 * Owns every open key (VaultKeys). Passphrases are bytes that it wipes before it returns. Calls that change the vault run one after
 * another. Knows nothing of documents or links.
 *
 * Long because it is one face: what each call does to files, locks and keys lies in the vault-*.ts beside it; their order is here.
 */
export class Vault implements Disposable {
  readonly #crypto: Crypto
  readonly #onDidChange = new Emitter<VaultPhase>()
  readonly #displays = new Set<string>()
  readonly #file: VaultRecordFile
  readonly #passphrases: VaultPassphrases
  readonly #openings: VaultOpenings
  readonly #passkey: VaultPasskey
  readonly #open: VaultKeys
  /** Counts device locks: an unlock that was overtaken by one must not open anything. */
  #locks = 0
  #lockedByPerson = false
  #personLocks = 0
  #last: Promise<unknown> = Promise.resolve()

  private constructor(options: VaultOptions, file: VaultRecordFile, openings: VaultOpenings, passkey: VaultPasskey) {
    this.#crypto = options.crypto
    this.#file = file
    this.#passphrases = new VaultPassphrases(options, file)
    this.#openings = openings
    this.#passkey = passkey
    this.#open = new VaultKeys(options.crypto)
  }

  /** Reads what is stored; opens nothing. @throws IdentityError `vault/damaged`, `vault/newer` */
  static async load(options: VaultOptions): Promise<Vault> {
    const { crypto, store, logger = silentLogger } = options
    const file = await VaultRecordFile.load(store, logger)
    return new Vault(options, file, await VaultOpenings.load(crypto, store), await VaultPasskey.load(crypto, store, logger))
  }

  get phase(): VaultPhase {
    return !this.#file.current ? 'none' : this.#open.isOpen ? 'open' : 'sealed'
  }

  /** Undefined before `create`. */
  get label(): VaultLabel | undefined {
    return this.#file.current
  }

  /** Does this device open by itself after a restart? */
  get unattended(): boolean {
    return this.#openings.unattended
  }

  /** What a display asks its authenticator to unlock; undefined: no passkey is set up. */
  get passkey(): PasskeyQuestion | undefined {
    return this.#file.current && this.#passkey.question
  }

  /** Was the person made here? Only then can acts of the person be signed here. */
  get holdsPerson(): boolean {
    return this.#file.current?.person != null
  }

  /** @throws IdentityError `vault/locked` */
  get keys(): DeviceKeys {
    return this.#open.device
  }

  /** The person's root key. @throws IdentityError `vault/locked` (no display is unlocked), `vault/no-person-key` */
  get personKey(): SigningKey {
    const { person } = this.#open
    if (person) return person
    if (this.#file.current?.person)
      return fail('vault/locked', 'your own key opens only while a display is unlocked here; unlock with your passphrase')
    return fail('vault/no-person-key', NO_PERSON_KEY)
  }

  /** Can `personKey` be used now? */
  get isPersonOpen(): boolean {
    return this.#open.person !== undefined
  }

  isDisplayUnlocked(display: string): boolean {
    return this.#displays.has(display)
  }

  /** Fires after each change of phase, names, displays or keys. */
  get onDidChange(): Event<VaultPhase> {
    return this.#onDidChange.event
  }

  /**
   * First run: makes the device and a person (or takes the `recovered` one), opens both, and counts `display` as unlocked.
   * `passphrase` is wiped. @throws IdentityError `vault/exists`, `vault/weak-passphrase`, `keys/malformed`
   */
  create(first: FirstRun, recovered?: Recovered): Promise<void> {
    return this.#exclusive(first.passphrase, async () => {
      if (this.#file.current) fail('vault/exists', 'this device already has a vault; unlock it instead')
      requireStrongEnough(first.passphrase)
      const stretched = await this.#passphrases.stretch(first.passphrase)
      const { record, ...made } = makeVault(this.#crypto, first, stretched, recovered)
      try {
        await recovered?.prepare(made.keys, made.personKey)
        await this.#file.save(record)
      } catch (error) {
        for (const secret of [made.deviceLock, made.keys, made.personKey]) secret.dispose()
        throw error
      }
      this.#open.take(made)
      this.#displays.add(first.display)
      this.#changed()
      if (!first.unattended) return
      await this.#openings.setUnattended(made.deviceLock)
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
      this.#openFor(display, await this.#proveLocks(passphrase))
    })
  }

  /**
   * As `unlock`, by the answer of the authenticator that `passkey` asks; wiped. Wrong answers count as wrong passphrases do.
   * @throws IdentityError `vault/wrong-passkey`, and as `unlock`
   */
  unlockByPasskey(display: string, answer: Uint8Array): Promise<void> {
    return this.#exclusive(answer, async () => {
      const secret = this.#crypto.secret(answer)
      try {
        const open = async (record: VaultRecord) => this.#passkey.open(record.deviceId, secret)
        const what = 'this passkey does not open this device (any more); use your passphrase'
        this.#openFor(display, await this.#passphrases.attempt(open, 'vault/wrong-passkey', what))
      } finally {
        secret.dispose()
      }
    })
  }

  /**
   * Lets an authenticator open both locks from now on, in place of the one before. `passphrase` and `answer` are wiped.
   * @throws IdentityError as `unlock`; StoreError
   */
  setPasskey(passphrase: Uint8Array, question: PasskeyQuestion, answer: Uint8Array): Promise<void> {
    return this.#exclusive(passphrase, async () => {
      const secret = this.#crypto.secret(answer)
      try {
        const locks = await this.#proveLocks(passphrase)
        await this.#passkey.set(this.#file.require().deviceId, question, secret, locks).finally(() => disposeLocks(locks))
      } finally {
        secret.dispose()
      }
      this.#changed()
    })
  }

  forgetPasskey(): Promise<void> {
    return this.#exclusive(undefined, async () => {
      await this.#passkey.forget()
      this.#changed()
    })
  }

  /** Is this the passphrase? Opens nothing; wiped. @throws IdentityError as `unlock` */
  provePassphrase(passphrase: Uint8Array): Promise<void> {
    return this.#exclusive(passphrase, async () => disposeLocks(await this.#proveLocks(passphrase)))
  }

  /**
   * The seed of the person's root key, for a recovery kit; opens nothing else. `passphrase` is wiped, the seed is the caller's.
   * @throws IdentityError as `unlock`, and `vault/no-person-key`
   */
  personSeed(passphrase: Uint8Array): Promise<Secret> {
    return this.#exclusive(passphrase, async () => {
      const record = this.#file.require()
      if (!record.person) return fail('vault/no-person-key', NO_PERSON_KEY)
      const locks = await this.#proveLocks(passphrase)
      try {
        return openPersonSeed(this.#crypto, record, record.person, locks.person ?? damaged('person.lock'))
      } finally {
        disposeLocks(locks)
      }
    })
  }

  /** Opens the device keys without a passphrase, if that was set up. Person keys stay sealed. False: it was not. */
  startUnattended(): Promise<boolean> {
    return this.#exclusive(undefined, async () => {
      const record = this.#file.require()
      if (this.#open.isOpen) return true
      const deviceLock = await this.#openings.unattendedLock()
      if (!deviceLock) return false
      this.#open.openDevice(record, deviceLock)
      this.#changed()
      return true
    })
  }

  /** The caller has given the plain warning: whoever can read the owner's files can then start this device as it is. */
  setUnattended(unattended: boolean): Promise<void> {
    return this.#exclusive(undefined, async () => {
      const { deviceLock } = this.#open
      await this.#openings.setUnattended(unattended ? deviceLock : undefined)
      this.#changed()
    })
  }

  /** Makes the key that `openBy` takes, for an operating system's key store; the one before opens nothing more. @throws IdentityError `vault/locked` */
  keepOpener(): Promise<Uint8Array> {
    return this.#exclusive(undefined, () => this.#openings.keepOpener(this.#file.require().deviceId, this.#open.deviceLock))
  }

  forgetOpener(): Promise<void> {
    return this.#exclusive(undefined, () => this.#openings.forgetOpener())
  }

  /**
   * Opens the device keys with the key that `keepOpener` gave; wiped. Person keys stay sealed. Not after `lockDevice`: what a
   * person has locked, only their passphrase opens. @throws IdentityError `vault/locked`, `vault/wrong-opener`
   */
  openBy(opener: Uint8Array): Promise<void> {
    return this.#exclusive(opener, async () => {
      const record = this.#file.require()
      if (this.#lockedByPerson) fail('vault/locked', 'somebody locked this device; unlock it with your passphrase')
      const deviceLock = await this.#openings.lockBy(record.deviceId, opener)
      if (this.#open.isOpen) return deviceLock.dispose()
      this.#open.openDevice(record, deviceLock)
      this.#changed()
    })
  }

  /** This display shows nothing more. When it was the last one unlocked here, the person keys are wiped. */
  lockDisplay(display: string): void {
    if (!this.#displays.delete(display)) return
    if (this.#displays.size === 0) this.#open.wipePerson()
    this.#changed()
  }

  /** All keys go, at once. Links cannot be proved and nothing stored can be read until the next unlock. */
  lockDevice(): void {
    this.#lockedByPerson = true
    this.#personLocks++
    this.seal()
  }

  /** As `lockDevice`, but nobody asked for it: the device could not go on with open keys, and opens again in any way it has. */
  seal(): void {
    this.#locks++
    this.#displays.clear()
    this.#open.dispose()
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
      this.#open.wipePerson()
      this.#open.replaceDevice(next)
      this.#changed()
    })
  }

  /** Writes the device keys again after `keys.datasetKeys` changed (a new epoch). @throws IdentityError `vault/locked` */
  saveKeys(): Promise<void> {
    return this.#exclusive(undefined, () => this.#save(this.#resealed(this.keys)))
  }

  /** This device's wallet; made, and written before it is told, when there is none. @throws IdentityError `vault/locked`; StoreError */
  openWallet(): Promise<WalletKey> {
    return this.#exclusive(undefined, async () => {
      const { keys } = this
      if (keys.wallet) return keys.wallet
      keys.makeWallet()
      try {
        await this.#save(this.#resealed(keys))
      } catch (error) {
        keys.dropWallet()
        throw error
      }
      return keys.wallet ?? fail('vault/locked', 'this device was locked meanwhile; unlock it with your passphrase')
    })
  }

  /**
   * Both passphrases are wiped. Needs the old one even when the device is open.
   * @throws IdentityError as `unlock`, and `vault/weak-passphrase`
   */
  changePassphrase(oldPassphrase: Uint8Array, newPassphrase: Uint8Array): Promise<void> {
    return this.#exclusive(oldPassphrase, async () => {
      const locks = this.#locks
      try {
        requireStrongEnough(newPassphrase)
        const before = await this.#passphrases.prove(oldPassphrase)
        try {
          await this.#relock(before, newPassphrase, locks)
        } finally {
          before.dispose()
        }
      } finally {
        this.#crypto.wipe(newPassphrase)
      }
    })
  }

  dispose(): void {
    this.seal()
    this.#onDidChange.dispose()
  }

  async #proveLocks(passphrase: Uint8Array): Promise<OpenLocks> {
    const fromPassphrase = await this.#passphrases.prove(passphrase)
    try {
      return openLocks(this.#crypto, this.#file.require(), fromPassphrase)
    } finally {
      fromPassphrase.dispose()
    }
  }

  /** Takes the locks over. */
  #openFor(display: string, locks: OpenLocks): void {
    this.#open.open(this.#file.require(), locks)
    this.#displays.add(display)
    this.#lockedByPerson = false
    this.#changed()
  }

  async #relock(before: Secret, newPassphrase: Uint8Array, locks: unknown): Promise<void> {
    const record = this.#file.require()
    const stretched = await this.#passphrases.stretch(newPassphrase)
    try {
      if (locks !== this.#locks) fail('vault/locked', 'the device was locked meanwhile; its passphrase is as it was')
      await this.#save(withPassphrase(this.#crypto, record, before, stretched))
    } finally {
      stretched.fromPassphrase.dispose()
    }
  }

  #resealed(keys: DeviceKeys): VaultRecord {
    return withDeviceKeys(this.#crypto, this.#file.require(), this.#open.deviceLock, keys)
  }

  async #save(record: VaultRecord): Promise<void> {
    await this.#file.save(record)
    this.#changed()
  }

  #changed(): void {
    this.#onDidChange.fire(this.phase)
  }

  /** One after another; wipes `passphrase` whatever happens; what was opened while the device was locked is closed again. */
  #exclusive<T>(passphrase: Uint8Array | undefined, work: () => Promise<T>): Promise<T> {
    const run = async () => {
      const [locks, personLocks] = [this.#locks, this.#personLocks]
      try {
        const result = await work()
        if (locks !== this.#locks) {
          if (personLocks === this.#personLocks) this.seal()
          else this.lockDevice()
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

function disposeLocks({ device, person }: OpenLocks): void {
  device.dispose()
  person?.dispose()
}

const NO_PERSON_KEY = 'your own key lies on the device where you first set up Elsewhere; do this there'
