import { toBase64Url } from '../base/bytes.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { silentLogger } from '../base/logger.ts'
import type { BucketSizes } from '../files/bucket/bucket-upload.ts'
import type { ObjectStore } from '../files/bucket/object-store.ts'
import { MemoryChunkStore } from '../files/memory-chunk-store.ts'
import { MemoryDatasetStore } from '../files/memory-dataset-store.ts'
import { OpenDataset } from '../files/open-dataset.ts'
import { NodeFilesCrypto } from '../platform/node/node-files-crypto.ts'
import { testSegmentSigner } from './file-device.ts'
import { testDatasetKeys } from './file-parts.ts'

const ACCESS = { endpoint: 'http://127.0.0.1:1', region: 'r', bucket: 'test', prefix: '', accessKeyId: 'k', secretAccessKey: 's' }

/** A clock that can be put forward; waiting takes as long as it does. */
export class ForwardClock implements Clock {
  #aheadMs = 0
  /** So much the time of day is wrong. */
  skewMs = 0
  forward(ms: number): void {
    this.#aheadMs += ms
  }
  nowMs(): number {
    return systemClock.nowMs() + this.#aheadMs + this.skewMs
  }
  monotonicMs(): number {
    return systemClock.monotonicMs() + this.#aheadMs
  }
  after: Clock['after'] = systemClock.after
  every = systemClock.every
}

/** One device with a dataset and a bucket; its disk outlives `close`. */
export class BucketDevice {
  readonly clock: ForwardClock
  readonly store = new MemoryDatasetStore()
  chunks = new MemoryChunkStore()
  readonly n: number
  readonly #objects: (() => ObjectStore) | undefined
  readonly #sizes: BucketSizes
  readonly #count: number
  open: OpenDataset

  constructor(n: number, objects: (() => ObjectStore) | undefined, options: BucketSizes & { clock?: ForwardClock; devices?: number } = {}) {
    this.n = n
    this.#objects = objects
    this.clock = options.clock ?? new ForwardClock()
    this.#sizes = options
    this.#count = options.devices ?? 2
    this.open = this.#begin()
  }

  /** The process ended and begins anew. */
  restart(): void {
    this.open.dispose()
    this.open = this.#begin()
  }

  async run(): Promise<void> {
    await this.open.bucket.run()
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    const { dataset } = this.open
    const node = dataset.lookup(dataset.root, name) ?? dataset.createFile(dataset.root, name)
    const read = (offset: number, length: number) => bytes.subarray(offset, offset + length)
    await dataset.commitContent(node.id, node.version, { bytes: bytes.length, extents: [{ offset: 0, length: bytes.length }], read })
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    const { dataset } = this.open
    const node = dataset.lookup(dataset.root, name)
    return node && dataset.readRange(node.id, 0, node.kind === 'file' ? 100_000_000 : 0)
  }

  #begin(): OpenDataset {
    const keys = testDatasetKeys()
    const signer = testSegmentSigner(this.n)
    const devices = Array.from({ length: this.#count }, (_, n) => ({
      device: testSegmentSigner(n).device,
      name: `device ${n}`,
      isMember: true,
    }))
    const objects = this.#objects
    return new OpenDataset(
      {
        crypto: new NodeFilesCrypto(),
        clock: this.clock,
        logger: silentLogger,
        openStores: (_, __, part) => ({
          store: part === 'shared' ? this.store : new MemoryDatasetStore(),
          chunks: part === 'shared' ? this.chunks : new MemoryChunkStore(),
          limitBytes: 1e9,
          dispose: () => {},
        }),
        ...(objects && { openBucket: () => objects(), bucketSizes: this.#sizes }),
      },
      {
        dataset: keys.dataset,
        name: 'Home',
        device: signer.device,
        idKey: toBase64Url(keys.idKey),
        epochs: [{ epoch: 0, key: toBase64Url(keys.current.key) }],
        storageKey: toBase64Url(new Uint8Array(32)),
        segmentSeed: toBase64Url(new Uint8Array(32).fill(200 + this.n)),
        certificate: toBase64Url(signer.certificate),
        devices,
        ...(objects && { bucket: ACCESS }),
      },
    )
  }
}
