import { fromUtf8, utf8 } from '../../base/bytes.ts'
import { errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { type BucketAccess, bucketAccess, type bucketContract, type ShownBucket } from '../../files/bucket/bucket-contract.ts'
import { BucketError } from '../../files/bucket/bucket-error.ts'
import type { DeviceKeys } from '../../identity/device-keys.ts'
import type { Vault } from '../../identity/vault.ts'
import type { VaultStore } from '../../identity/vault-store.ts'
import type { Handlers } from '../../rpc/contract.ts'
import type { FilesClient, ProcessConnection } from '../device-parts.ts'

export interface BucketServiceOptions {
  readonly vault: Vault
  readonly vaultStore: VaultStore
  readonly local: ProcessConnection<FilesClient>
  readonly log: Logger
  /** @throws DeviceError `device/locked` */
  requireOpen(): unknown
  /** Opens the files anew, with the bucket there is now. */
  reopen(): Promise<void>
}

/**
 * The bucket that holds this person's files beside their devices. What opens it lies sealed beside the vault (rule DV78), goes to
 * the files process of this device when that opens, and into recovery kits, sealed; no display is told the secret.
 */
export class BucketService {
  readonly #options: BucketServiceOptions

  constructor(options: BucketServiceOptions) {
    this.#options = options
  }

  /** Sealed for a device that has not been opened yet. */
  static async put(store: VaultStore, keys: DeviceKeys, access: BucketAccess): Promise<void> {
    await store.write('buckets', keys.sealer.seal(utf8(JSON.stringify(access)), contextOf(keys)))
  }

  /** Undefined: there is none, or it cannot be read. */
  async access(): Promise<BucketAccess | undefined> {
    const { vault, vaultStore, log } = this.#options
    try {
      const sealed = await vaultStore.read('buckets')
      return sealed && bucketAccess.parse(JSON.parse(fromUtf8(vault.keys.sealer.open(sealed, contextOf(vault.keys)))))
    } catch (error) {
      log.warn('what opens the bucket cannot be read; add it again', { error: errorMessage(error) })
      return undefined
    }
  }

  handlers(): Handlers<typeof bucketContract> {
    const { vault, vaultStore, local, requireOpen, reopen } = this.#options
    return {
      addBucket: async (access) => {
        requireOpen()
        const known = await this.access()
        if (known) {
          const what = `${known.bucket} at ${known.endpoint}`
          throw new BucketError('bucket/exists', `this device has a bucket already (${what}); remove it first, what lies in it stays`)
        }
        await (await local.client()).tryBucket(access)
        await BucketService.put(vaultStore, vault.keys, access)
        await reopen()
        return {}
      },
      listBuckets: () => this.#list((client, dataset) => client.bucketStatus({ dataset })),
      syncBuckets: async () => {
        await this.#require()
        return this.#list((client, dataset) => client.syncBucket({ dataset }))
      },
      removeBucket: async () => {
        await this.#require()
        await vaultStore.remove('buckets')
        await reopen()
        return {}
      },
    }
  }

  async #list(statusOf: (client: FilesClient, dataset: string) => Promise<ShownBucket['status']>): Promise<ShownBucket[]> {
    this.#options.requireOpen()
    const access = await this.access()
    if (!access) return []
    const { endpoint, region, bucket, prefix } = access
    const client = await this.#options.local.client()
    const shown: ShownBucket[] = []
    for (const { dataset, name } of await client.listDatasets({}))
      shown.push({ endpoint, region, bucket, prefix, dataset, datasetName: name, status: await statusOf(client, dataset) })
    return shown
  }

  async #require(): Promise<void> {
    this.#options.requireOpen()
    if (!(await this.access())) throw new BucketError('bucket/unknown', 'this device has no bucket; "elsewhere bucket add" gives it one')
  }
}

const contextOf = ({ person }: DeviceKeys): string => `bucket/${person}`
