import { errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { IdentityError, type IdentityErrorCode } from './identity-error.ts'
import { decodeVault, encodeVault, type VaultRecord } from './vault-format.ts'
import type { VaultStore } from './vault-store.ts'

/** The vault's file as it was last read or written. Knows how to keep it, not what opens it. */
export class VaultRecordFile {
  readonly #store: VaultStore
  readonly #logger: Logger
  #record: VaultRecord | undefined

  private constructor(store: VaultStore, logger: Logger, record: VaultRecord | undefined) {
    this.#store = store
    this.#logger = logger
    this.#record = record
  }

  /** @throws IdentityError `vault/damaged`, `vault/newer` */
  static async load(store: VaultStore, logger: Logger): Promise<VaultRecordFile> {
    const file = await store.read('vault')
    return new VaultRecordFile(store, logger, file && decodeVault(file))
  }

  get current(): VaultRecord | undefined {
    return this.#record
  }

  /** @throws IdentityError `vault/missing` */
  require(): VaultRecord {
    return this.#record ?? fail('vault/missing', 'this device has no vault yet; set it up first')
  }

  /** Durable once resolved; until then, and when it fails, the old record counts. */
  async save(record: VaultRecord): Promise<void> {
    await this.#store.write('vault', encodeVault(record))
    this.#record = record
  }

  /** Counts at once. A full disk must not keep a person out: the count then lasts as long as this process. */
  async saveTries(tries: VaultRecord['tries']): Promise<void> {
    this.#record = { ...this.require(), tries }
    try {
      await this.save(this.#record)
    } catch (error) {
      this.#logger.warn('the count of wrong tries could not be written; it lasts until the device restarts', { error: errorMessage(error) })
    }
  }
}

export function fail(code: IdentityErrorCode, message: string): never {
  throw new IdentityError(code, message)
}

/** What was sealed does not open although its lock did. */
export function damaged(where: string): never {
  return fail('vault/damaged', `vault.json is damaged (wrong at ${where}); restore it from a backup`)
}
