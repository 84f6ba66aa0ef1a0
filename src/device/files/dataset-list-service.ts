import * as z from 'zod'
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import { toBase58 } from '../../base/base58.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorMessage } from '../../base/errors.ts'
import { DATASETS_DOC, type DatasetId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import type { datasetListContract } from '../../files/dataset-list-contract.ts'
import { DatasetListError } from '../../files/dataset-list-error.ts'
import { type NamedDataset, NamedDatasets } from '../../files/named-datasets.ts'
import type { Crypto } from '../../identity/crypto.ts'
import type { DeviceKeys } from '../../identity/device-keys.ts'
import type { VaultStore } from '../../identity/vault-store.ts'
import type { Handlers } from '../../rpc/contract.ts'
import { KeyedArray } from '../../session/keyed-array.ts'
import type { FilesClient, ProcessConnection } from '../device-parts.ts'
import type { OpenDesk } from '../desk/open-desk.ts'
import { homeDatasetOf } from './home-dataset.ts'

/** Name of the records inside the document. Part of the format. */
const RECORDS = 'datasets'
const ID_BYTES = 16
const MAX_KEPT = 64

/** What a recovery kit knows of a dataset. */
const kept = z.array(z.object({ dataset: z.string().max(64), name: z.string().max(80), isAway: z.boolean() })).max(MAX_KEPT)

export interface DatasetListOptions {
  readonly vaultStore: VaultStore
  readonly crypto: Crypto
  readonly local: ProcessConnection<FilesClient>
  readonly log: Logger
  /** @throws DeviceError `device/locked` */
  readonly desk: () => OpenDesk
}

interface OpenList {
  readonly desk: OpenDesk
  readonly scope: DisposableStore
  readonly list: NamedDatasets
}

/** The datasets a person has beside Home (rules DL1-DL4), in a document of their own that no display writes. */
export class DatasetListService implements Disposable {
  readonly #options: DatasetListOptions
  readonly #changed = new Emitter<void>()
  #open: OpenList | undefined

  readonly onDidChange = this.#changed.event

  constructor(options: DatasetListOptions) {
    this.#options = options
  }

  /** What a kit told, for a device that has not been opened yet: it is in the list once it is. */
  static async put(store: VaultStore, keys: DeviceKeys, list: string): Promise<void> {
    await store.write('datasets', keys.sealer.seal(utf8(list), contextOf(keys)))
  }

  follow(desk: OpenDesk, keys: DeviceKeys): void {
    this.close()
    const scope = new DisposableStore()
    const replica = desk.documents.open(DATASETS_DOC)
    const records = scope.add(new KeyedArray(replica.doc, RECORDS))
    const list = new NamedDatasets(
      {
        get: (dataset) => records.get(dataset),
        keys: () => records.keys(),
        write: (dataset, { name, isAway }) => replica.edit(() => records.write([[dataset, { name, ...(isAway && { isAway }) }]], [])),
      },
      homeDatasetOf(this.#options.crypto, keys.person),
    )
    scope.add(records.onDidChange(() => this.#changed.fire()))
    this.#open = { desk, scope, list }
    void this.#adopt(this.#open, keys).catch((error: unknown) => {
      this.#options.log.warn('the datasets that the recovery kit knew cannot be read', { error: errorMessage(error) })
    })
  }

  close(): void {
    this.#open?.scope.dispose()
    this.#open = undefined
  }

  /** Those that are to be open on this device; none while it is locked. */
  get shown(): readonly NamedDataset[] {
    return this.#open?.list.all.filter(({ isAway }) => !isAway) ?? []
  }

  /** For a recovery kit. */
  encode(): string {
    return JSON.stringify(this.#require().kept.slice(0, MAX_KEPT))
  }

  handlers(): Handlers<typeof datasetListContract> {
    const { crypto, local } = this.#options
    return {
      listNamedDatasets: () => [...this.#require().all],
      makeDataset: ({ name }) => {
        const list = this.#require()
        const dataset = toBase58(crypto.bytes(ID_BYTES)) as DatasetId
        list.make(dataset, name)
        return list.require(dataset)
      },
      renameDataset: ({ which, name }) => this.#require().rename(which, name),
      putDatasetAway: async ({ which, isAway, force }) => {
        const found = this.#require().require(which)
        if (isAway && !found.isAway && !force) {
          const { unsafeVersions } = await (await local.client()).datasetStatus({ dataset: found.dataset })
          if (unsafeVersions > 0) {
            const what = `${unsafeVersions === 1 ? 'one change' : `${unsafeVersions} changes`} of ${found.name}`
            throw new DatasetListError(
              'dataset/not-safe',
              `${what} are on this device alone: link another first, or put it away all the same`,
            )
          }
        }
        return this.#require().setAway(found.dataset, isAway)
      },
    }
  }

  dispose(): void {
    this.close()
    this.#changed.dispose()
  }

  #require(): NamedDatasets {
    this.#options.desk()
    if (!this.#open) throw new DatasetListError('dataset/unknown', 'the datasets are not open yet; try again')
    return this.#open.list
  }

  /** The kit's list was of an earlier day: what the document says counts, it only adds. */
  async #adopt(open: OpenList, keys: DeviceKeys): Promise<void> {
    const { vaultStore } = this.#options
    const sealed = await vaultStore.read('datasets')
    if (!sealed) return
    const list = kept.parse(JSON.parse(fromUtf8(keys.sealer.open(sealed, contextOf(keys)))))
    if (this.#open !== open) return
    const known = new Set(open.list.all.map(({ dataset }) => dataset as string))
    for (const { dataset, name, isAway } of list) {
      if (known.has(dataset)) continue
      open.list.adopt(dataset, { name, ...(isAway && { isAway }) })
    }
    await vaultStore.remove('datasets')
  }
}

const contextOf = ({ person }: DeviceKeys): string => `datasets/${person}`
