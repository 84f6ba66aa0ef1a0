import { fromBase64Url } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import type { DatasetId, DeviceId } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import type { Handlers } from '../rpc/contract.ts'
import type { ChunkStore } from './chunk-store.ts'
import { ContentError } from './content-error.ts'
import type { DatasetStatus } from './dataset-contract.ts'
import { HeldDatasetKeys } from './dataset-key-source.ts'
import type { datasetKeysContract, OpenDatasetInput } from './dataset-keys-contract.ts'
import type { DatasetNode } from './dataset-node.ts'
import type { DatasetStore } from './dataset-store.ts'
import { Dataset } from './dataset.ts'
import type { FilesCrypto } from './files-crypto.ts'
import type { Manifest } from './manifest.ts'
import type { NodeId, OpId } from './op.ts'

/** Where a dataset lies on this device; opened with its keys, closed with them. */
export interface DatasetStores extends Disposable {
  readonly store: DatasetStore
  readonly chunks: ChunkStore
  /** Of the contents, at most. */
  readonly limitBytes: number
}

export interface DatasetHostParts {
  readonly crypto: FilesCrypto
  readonly clock: Clock
  readonly logger: Logger
  /** `storageKey` is the caller's to wipe when this returns. @throws StoreError */
  openStores(dataset: DatasetId, storageKey: Uint8Array): DatasetStores
}

/** Sorted folders kept, for displays that read them page by page. */
const KEPT_FOLDERS = 8

/** One dataset while the device is open. */
export class OpenDataset implements Disposable {
  readonly id: DatasetId
  readonly name: string
  readonly dataset: Dataset
  readonly store: DatasetStore
  readonly chunks: ChunkStore
  readonly #stores: DatasetStores
  readonly #keys: HeldDatasetKeys
  readonly #owned = new DisposableStore()
  readonly #sorted = new Map<NodeId, readonly DatasetNode[]>()
  #devices: OpenDatasetInput['devices']

  constructor(parts: DatasetHostParts, input: OpenDatasetInput) {
    this.id = input.dataset as DatasetId
    this.name = input.name
    this.#devices = input.devices
    const { crypto, clock, logger } = parts
    const keys = new HeldDatasetKeys(this.id, fromBase64Url(input.idKey), epochsOf(input.epochs))
    this.#keys = this.#owned.add(keys)
    const storageKey = fromBase64Url(input.storageKey)
    const seed = fromBase64Url(input.segmentSeed)
    try {
      this.#stores = this.#owned.add(parts.openStores(this.id, storageKey))
      this.store = this.#stores.store
      this.chunks = this.#stores.chunks
      const signer = { device: input.device as DeviceId, key: crypto.signingKey(seed), certificate: fromBase64Url(input.certificate) }
      this.dataset = this.#owned.add(
        new Dataset({
          crypto,
          keys,
          store: this.store,
          chunks: this.chunks,
          signer,
          deviceName: () => this.nameOf(input.device),
          isAuthor: (device) => this.#devices.some((known) => known.device === device),
          clock,
          logger,
        }),
      )
    } catch (error) {
      this.#owned.dispose()
      throw error
    } finally {
      storageKey.fill(0)
      seed.fill(0)
    }
    this.#owned.add(
      this.dataset.onDidChange(({ folders, nodes }) => {
        for (const folder of folders) this.#sorted.delete(folder)
        for (const node of nodes) this.#sorted.delete(this.dataset.node(node)?.parent ?? node)
      }),
    )
  }

  renew({ epochs, devices }: Pick<OpenDatasetInput, 'epochs' | 'devices'>): void {
    this.#keys.replace(epochsOf(epochs))
    this.#devices = devices
  }

  nameOf(device: string): string {
    return this.#devices.find((known) => known.device === device)?.name ?? device.slice(0, 8)
  }

  /** By name, as people sort: folders and files alike, `2` before `10`. */
  sortedChildren(folder: NodeId): readonly DatasetNode[] {
    const kept = this.#sorted.get(folder)
    if (kept) return kept
    const order = new Intl.Collator(undefined, { numeric: true })
    const sorted = this.dataset.children(folder).sort((a, b) => order.compare(a.name, b.name) || (a.name < b.name ? -1 : 1))
    this.#sorted.set(folder, sorted)
    if (this.#sorted.size > KEPT_FOLDERS) this.#sorted.delete(this.#sorted.keys().next().value as NodeId)
    return sorted
  }

  /** Where the bytes of a content are, as its first list tells: a list of lists counts as one piece. */
  placeOf({ pieces }: Manifest): 'here' | 'part' | 'away' {
    const own = pieces.filter(({ id }) => id !== undefined)
    const held = own.filter(({ id }) => id !== undefined && this.chunks.has(id)).length
    return held === own.length ? 'here' : held > 0 ? 'part' : 'away'
  }

  isSafe(_version: OpId): boolean {
    return false
  }

  status(): DatasetStatus {
    const { chunks, bytes } = this.chunks.stats
    return {
      dataset: this.id,
      name: this.name,
      nodes: this.store.nodeCount(),
      unsafeVersions: 0,
      unsafeBytes: 0,
      cachedChunks: chunks,
      cachedBytes: bytes,
      limitBytes: this.#stores.limitBytes,
      linked: [],
    }
  }

  dispose(): void {
    this.#owned.dispose()
  }
}

/** The datasets that are open in the files process: those whose keys the device process has handed over, until it locks. */
export class DatasetHost implements Disposable {
  readonly crypto: FilesCrypto
  readonly #parts: DatasetHostParts
  readonly #open = new Map<string, OpenDataset>()
  readonly #changed = new Emitter<{ dataset: string; nodes: ReadonlySet<NodeId>; folders: ReadonlySet<NodeId> }>()
  readonly #opened = new Emitter<void>()

  readonly onDidChange = this.#changed.event
  /** A dataset was opened or closed. */
  readonly onDidChangeOpen = this.#opened.event

  constructor(parts: DatasetHostParts) {
    this.#parts = parts
    this.crypto = parts.crypto
  }

  get open(): readonly OpenDataset[] {
    return [...this.#open.values()]
  }

  /** @throws ContentError `dataset/locked` */
  require(dataset: string): OpenDataset {
    const open = this.#open.get(dataset)
    if (!open) throw new ContentError('dataset/locked', 'these files are closed: unlock this device to open them')
    return open
  }

  /** Runs a commit and says in which dataset its node is. */
  async committed(commit: () => Promise<DatasetNode>): Promise<{ open: OpenDataset; node: DatasetNode }> {
    const node = await commit()
    const open = this.open.find(({ dataset }) => dataset.node(node.id) !== undefined)
    if (!open) throw new ContentError('dataset/locked', 'these files were closed while something was written')
    return { open, node }
  }

  /** For the device process. */
  handlers(): Handlers<typeof datasetKeysContract> {
    return {
      openDataset: (input) => {
        const open = this.#open.get(input.dataset)
        if (open) {
          open.renew(input)
          return {}
        }
        const opened = new OpenDataset(this.#parts, input)
        this.#open.set(input.dataset, opened)
        opened.dataset.onDidChange(({ nodes, folders }) => this.#changed.fire({ dataset: opened.id, nodes, folders }))
        this.#parts.logger.info('a dataset is open', { name: input.name, nodes: opened.store.nodeCount() })
        this.#opened.fire()
        return {}
      },
      renewDataset: (input) => {
        this.#open.get(input.dataset)?.renew(input)
        return {}
      },
      closeDatasets: () => {
        this.close()
        return {}
      },
    }
  }

  close(): void {
    const open = [...this.#open.values()]
    this.#open.clear()
    for (const dataset of open) dataset.dispose()
    if (open.length > 0) this.#opened.fire()
  }

  dispose(): void {
    this.close()
    this.#changed.dispose()
    this.#opened.dispose()
  }
}

const epochsOf = (epochs: OpenDatasetInput['epochs']) => epochs.map(({ epoch, key }) => ({ epoch, key: fromBase64Url(key) }))
