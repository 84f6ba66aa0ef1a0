import { toBase64Url } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import { silentLogger } from '../base/logger.ts'
import type { ChunkId, SealedChunk } from '../files/chunk-id.ts'
import { DatasetHost } from '../files/dataset-host.ts'
import type { OpenDatasetInput } from '../files/dataset-keys-contract.ts'
import { MemoryChunkStore } from '../files/memory-chunk-store.ts'
import { MemoryDatasetStore } from '../files/memory-dataset-store.ts'
import type { OpenDataset } from '../files/open-dataset.ts'
import { NodeFilesCrypto } from '../platform/node/node-files-crypto.ts'
import { testSegmentSigner } from './file-device.ts'
import { testDatasetKeys } from './file-parts.ts'
import { memoryChannelPair } from './memory-channels.ts'

/** Gives chunks away only as far as it is told to. */
export class StingyChunkStore extends MemoryChunkStore {
  gives: (id: ChunkId) => boolean = () => true
  /** What reading one waits for. */
  takes: (() => Promise<void>) | undefined

  override async get(id: ChunkId): Promise<SealedChunk | undefined> {
    await this.takes?.()
    return this.gives(id) ? super.get(id) : undefined
  }
}

/** The files process of one device, of which the first is the person's only admin device: what it holds is in memory, and there again when its dataset is opened anew. */
export class TestDatasetHost implements Disposable {
  readonly host: DatasetHost
  readonly chunks = new StingyChunkStore()
  readonly store = new MemoryDatasetStore()
  readonly #n: number
  readonly #count: number
  /** How often its dataset was opened. */
  opens = 0

  constructor(n: number, count: number, clock: Clock) {
    this.#n = n
    this.#count = count
    const local = { store: new MemoryDatasetStore(), chunks: new MemoryChunkStore() }
    const openStores = (dataset: string, _key: Uint8Array, part: 'shared' | 'local') => {
      if (dataset !== testDatasetKeys().dataset)
        return { store: new MemoryDatasetStore(), chunks: new MemoryChunkStore(), limitBytes: 2 ** 40, dispose: () => {} }
      if (part === 'shared') this.opens++
      return { ...(part === 'shared' ? { store: this.store, chunks: this.chunks } : local), limitBytes: 2 ** 40, dispose: () => {} }
    }
    this.host = new DatasetHost({ crypto: new NodeFilesCrypto(), clock, logger: silentLogger, openStores })
  }

  get open(): OpenDataset {
    return this.host.require(testDatasetKeys().dataset)
  }

  /** Home, or another dataset, which is nowhere kept. */
  async unlock(dataset: string = testDatasetKeys().dataset, name = 'Home'): Promise<void> {
    await this.host.handlers().openDataset({ ...openInput(this.#n, this.#count), dataset, name }, {} as never)
  }

  dispose(): void {
    void this.host.stop()
  }
}

/** What the device process of device `n` of `count` hands over. */
export function openInput(n: number, count: number): OpenDatasetInput {
  const signers = Array.from({ length: count }, (_, of) => testSegmentSigner(of))
  const own = testSegmentSigner(n)
  return {
    dataset: testDatasetKeys().dataset,
    name: 'Home',
    device: own.device,
    idKey: toBase64Url(new Uint8Array(32).fill(7)),
    epochs: [{ epoch: 0, key: toBase64Url(new Uint8Array(32).fill(0x40)) }],
    storageKey: toBase64Url(new Uint8Array(32)),
    segmentSeed: toBase64Url(new Uint8Array(32).fill(200 + n)),
    certificate: toBase64Url(own.certificate),
    devices: signers.map(({ device }, of) => ({ device, name: `device ${of}`, isMember: true, isAdmin: of === 0 })),
  }
}

interface LinkedHost {
  readonly host: DatasetHost
  readonly open: OpenDataset
}

/** Links the files processes of two devices; until disposed. */
export function linkHosts(a: LinkedHost, b: LinkedHost): Disposable {
  const [near, far] = memoryChannelPair()
  a.host.link(b.open.self, near)
  b.host.link(a.open.self, far)
  return { dispose: () => near.close('gone') }
}
