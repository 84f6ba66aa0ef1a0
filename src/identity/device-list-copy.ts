import { errorMessage } from '../base/errors.ts'
import { type Logger, silentLogger } from '../base/logger.ts'
import type { DeviceKeys } from './device-keys.ts'
import type { DeviceList } from './device-list.ts'
import type { VaultStore } from './vault-store.ts'

/**
 * A sealed copy of the device list beside the vault (rule ID25). The list itself lies in the store; when that is damaged
 * and set aside, the copy says whom this device can be healed by. Without it a device that joined a person would know
 * nobody, itself included.
 */
export class DeviceListCopy {
  readonly #store: VaultStore
  readonly #keys: DeviceKeys
  readonly #logger: Logger
  #last: Promise<void> = Promise.resolve()

  constructor(store: VaultStore, keys: DeviceKeys, logger: Logger = silentLogger) {
    this.#store = store
    this.#keys = keys
    this.#logger = logger
  }

  /** Before this device follows another person's list: the copy of the old one is sealed for the old person and would look damaged. */
  static async forget(store: VaultStore, logger: Logger = silentLogger): Promise<void> {
    try {
      await store.remove('devices')
    } catch (error) {
      logger.warn('the copy of the device list could not be removed; the next one replaces it', { error: errorMessage(error) })
    }
  }

  /** What a device that has not been opened yet shall know at its first start. @throws StoreError */
  static put(store: VaultStore, keys: DeviceKeys, list: Uint8Array): Promise<void> {
    return store.write('devices', keys.sealer.seal(list, contextOf(keys)))
  }

  /** Merges the copy into `list` (nothing new when the store was whole), then follows its changes until the list is disposed. */
  async follow(list: DeviceList): Promise<void> {
    const copy = await this.#read()
    try {
      if (copy) list.merge(copy)
    } catch (error) {
      this.#logger.warn('the kept copy of the device list is of no use', { error: errorMessage(error) })
    }
    list.onDidChange(() => void this.#keep(list))
    await this.#keep(list)
  }

  /** The copy, or undefined: none was kept for this person, or it is damaged. */
  async #read(): Promise<Uint8Array | undefined> {
    const sealed = await this.#store.read('devices')
    try {
      return sealed && this.#keys.sealer.open(sealed, contextOf(this.#keys))
    } catch (error) {
      this.#logger.warn('the kept copy of the device list cannot be read', { error: errorMessage(error) })
      return undefined
    }
  }

  /** One write after another; the last one written is the newest. A failure is told and made good by the next change. */
  #keep(list: DeviceList): Promise<void> {
    const write = async () => {
      try {
        await this.#store.write('devices', this.#keys.sealer.seal(list.encode(), contextOf(this.#keys)))
      } catch (error) {
        this.#logger.warn('the copy of the device list could not be written', { error: errorMessage(error) })
      }
    }
    this.#last = this.#last.then(write)
    return this.#last
  }
}

const contextOf = ({ person }: DeviceKeys): string => `device-list/${person}`
