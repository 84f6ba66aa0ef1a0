import { toBase58 } from '../../base/base58.ts'
import { fromBase64Url, fromUtf8, utf8 } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { PersonId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import { type BucketAccess, bucketAccess } from '../../files/bucket/bucket-contract.ts'
import type { Crypto } from '../../identity/crypto.ts'
import { DeviceListCopy } from '../../identity/device-list-copy.ts'
import { passphraseBytes } from '../../identity/passphrase.ts'
import { listWithRecovered } from '../../identity/recovery/recovered-device.ts'
import { MAX_PLACES, MAX_PLACE_LETTERS, openRecoveryKit, sealRecoveryKit } from '../../identity/recovery/recovery-kit.ts'
import { recoveryFileName, recoveryPage } from '../../identity/recovery/recovery-page.ts'
import { createRecoveryWords, readRecoveryWords } from '../../identity/recovery/recovery-words.ts'
import type { Vault } from '../../identity/vault.ts'
import type { VaultStore } from '../../identity/vault-store.ts'
import type { Handlers } from '../../rpc/contract.ts'
import * as z from 'zod'
import { BucketService } from '../files/bucket-service.ts'
import { DatasetListService } from '../files/dataset-list-service.ts'
import type { MeetingService } from '../links/meeting-service.ts'
import type { OpenDesk } from '../desk/open-desk.ts'
import type { MadeKit, recoveryContract, RestoreInput } from './recovery-contract.ts'
import type { SettingsService } from '../settings-service.ts'

export interface RecoveryServiceOptions {
  readonly vault: Vault
  readonly vaultStore: VaultStore
  readonly crypto: Crypto
  readonly clock: Clock
  readonly log: Logger
  readonly platform: string
  readonly settings: SettingsService
  readonly meeting: MeetingService
  /** What opens the bucket that holds the files. */
  bucket(): Promise<BucketAccess | undefined>
  /** Which datasets there are beside Home. */
  datasets(): string
  /** @throws DeviceError `device/locked` */
  desk(): OpenDesk
}

/**
 * Recovery kits (rules ID157-ID160): made where the person's root key lies, taken in by a machine that has nothing yet. Keeps
 * nothing of a kit but when it was made and of which devices it knows.
 */
export class RecoveryService {
  readonly #options: RecoveryServiceOptions

  constructor(options: RecoveryServiceOptions) {
    this.#options = options
  }

  handlers(): Omit<Handlers<typeof recoveryContract>, 'restoreVault'> {
    const { vault } = this.#options
    return {
      makeRecoveryKit: ({ passphrase }) => this.#make(passphraseBytes(passphrase)),
      readRecovery: () => {
        const { devices, values } = this.#options.desk()
        const last = readLast(values.get(...LAST))
        const known = new Set(last?.devices)
        const missing = last ? devices.members.filter(({ device }) => !known.has(device)).map(({ name }) => name) : []
        return { possible: vault.holdsPerson, ...(last && { lastMadeAtMs: last.madeAtMs }), missing }
      },
    }
  }

  /**
   * Makes this bare machine a device of the kit's person and counts `display` as unlocked; the desk is not open yet.
   * @throws IdentityError `recovery/bad-words`, `recovery/wrong-words`, `recovery/damaged`, `recovery/newer`, `vault/exists`,
   *   `vault/weak-passphrase`; nothing was made then
   */
  async restore({ kit: file, words, passphrase, deviceName, unattended }: RestoreInput, display: string): Promise<void> {
    const { crypto, clock, vault, settings, platform } = this.#options
    const kit = await openRecoveryKit(fromBase64Url(file), readRecoveryWords(crypto, words))
    try {
      const { personName, personSeed, datasetKeys, deviceList, places, buckets, datasets } = kit
      const first = { display, personName, deviceName, passphrase: passphraseBytes(passphrase), unattended }
      await vault.create(first, {
        personSeed,
        datasetKeys,
        prepare: async (keys, personKey) => {
          const entry = { device: keys.device, boxKey: keys.box.publicKey, name: deviceName, platform }
          const list = listWithRecovered(crypto, clock, { person: toBase58(personKey.publicKey) as PersonId, deviceList }, entry, personKey)
          await DeviceListCopy.put(this.#options.vaultStore, keys, list)
          const access = this.#readBucket(buckets[0])
          if (access) await BucketService.put(this.#options.vaultStore, keys, access)
          if (datasets !== '') await DatasetListService.put(this.#options.vaultStore, keys, datasets)
        },
      })
      this.#learn(places)
      settings.change({ deviceName, unattended })
    } finally {
      for (const secret of [kit.personSeed, kit.datasetKeys]) crypto.wipe(secret)
    }
  }

  async #make(passphrase: Uint8Array): Promise<MadeKit> {
    const { vault, crypto, clock, meeting } = this.#options
    const { devices, values } = this.#options.desk()
    const seed = await vault.personSeed(passphrase)
    const datasetKeys = vault.keys.datasetKeys.encode()
    try {
      const words = createRecoveryWords(crypto)
      const personName = vault.label?.personName ?? ''
      const madeAtMs = clock.nowMs()
      const places = [...new Set(meeting.links?.placesForOthers)]
      const access = await this.#options.bucket()
      const buckets = access ? [JSON.stringify(access)] : []
      const datasets = this.#options.datasets()
      const kit = { personSeed: seed.bytes, personName, madeAtMs, datasetKeys, deviceList: devices.encode(), places, buckets, datasets }
      const file = await sealRecoveryKit(kit, words.join('-'))
      const { members } = devices
      values.put(...LAST, utf8(JSON.stringify({ madeAtMs, devices: members.map(({ device }) => device) })))
      const about = { person: vault.keys.person, personName, madeAtMs, devices: members.map(({ name }) => name) }
      const fileName = recoveryFileName(about)
      return { ...about, file, fileName, words, page: recoveryPage({ ...about, words, fileName }) }
    } finally {
      seed.dispose()
      crypto.wipe(datasetKeys)
    }
  }

  /** A bucket that cannot be used is left out. */
  #readBucket(text: string | undefined): BucketAccess | undefined {
    if (text === undefined) return undefined
    try {
      return bucketAccess.parse(JSON.parse(text))
    } catch {
      this.#options.log.warn('the bucket of the kit cannot be used')
      return undefined
    }
  }

  /** Places of the kit become this device's own; one that cannot be used is left out. */
  #learn(places: readonly string[]): void {
    const { settings, log } = this.#options
    for (const url of places) {
      const { rendezvousUrls } = settings.current
      if (rendezvousUrls.includes(url) || rendezvousUrls.length >= MAX_PLACES || url.length > MAX_PLACE_LETTERS) continue
      try {
        settings.change({ rendezvousUrls: [...rendezvousUrls, url] })
      } catch (error) {
        log.warn('a meeting place of the kit cannot be used', { error: String(error) })
      }
    }
  }
}

const LAST = ['recovery', 'last-kit'] as const
const lastKit = z.object({ madeAtMs: z.number(), devices: z.array(z.string()) })

const readLast = (bytes: Uint8Array | undefined) => bytes && lastKit.parse(JSON.parse(fromUtf8(bytes)))
