import type { Clock } from '../base/clock.ts'
import { DisposableStore } from '../base/disposable.ts'
import type { DeviceId } from '../base/ids.ts'
import { silentLogger } from '../base/logger.ts'
import { CheckpointLoader } from '../files/checkpoint/checkpoint-loader.ts'
import { CheckpointMaker } from '../files/checkpoint/checkpoint-maker.ts'
import { PageKeeper } from '../files/checkpoint/page-keeper.ts'
import { PartialStore } from '../files/checkpoint/partial-store.ts'
import { ChunkCipher } from '../files/chunk-cipher.ts'
import type { ChunkStore } from '../files/chunk-store.ts'
import type { ChunkSource } from '../files/content-reader.ts'
import type { DatasetStore } from '../files/dataset-store.ts'
import { MemoryChunkStore } from '../files/memory-chunk-store.ts'
import { MemoryDatasetStore } from '../files/memory-dataset-store.ts'
import { NodeFilesCrypto } from '../platform/node/node-files-crypto.ts'
import { testFileDevice, type TestFileDevice, testSegmentSigner } from './file-device.ts'
import { testDatasetKeys } from './file-parts.ts'

export interface CheckpointDevice extends TestFileDevice {
  readonly store: PartialStore
  readonly maker: CheckpointMaker
  readonly loader: CheckpointLoader
  dispose(): void
}

export interface CheckpointDeviceOptions {
  readonly onDidGiveUp?: (why: string) => void
  readonly store?: DatasetStore
  readonly chunks?: ChunkStore
  readonly source?: ChunkSource
  readonly mayMake?: (device: DeviceId) => boolean
  readonly isAuthor?: (device: DeviceId) => boolean
}

/** Device `n` with what makes and loads checkpoints, real cryptography, and by default everything in memory. */
export function checkpointDevice(n: number, clock: Clock, options: CheckpointDeviceOptions = {}): CheckpointDevice {
  const owned = new DisposableStore()
  const [crypto, keys, signer] = [new NodeFilesCrypto(), testDatasetKeys(), testSegmentSigner(n)]
  const store = new PartialStore(options.store ?? new MemoryDatasetStore())
  const chunks = options.chunks ?? new MemoryChunkStore()
  const { source, isAuthor = () => true, mayMake = () => true } = options
  const isLoading = () => store.gate !== undefined
  const device = testFileDevice(n, clock, { store, chunks, isAuthor, isLoading, ...(source && { source }) })
  owned.add(device.dataset)
  const { dataset } = device
  const pages = owned.add(new PageKeeper({ chunks, store, cipher: new ChunkCipher(crypto, keys), holds: dataset.holds }))
  const parts = { dataset, id: keys.dataset, store, pages, crypto, clock, logger: silentLogger }
  const pause = async () => {}
  const isAdmin = () => mayMake(signer.device)
  const maker = owned.add(new CheckpointMaker({ ...parts, chunks, signer, isAdmin, epoch: () => keys.current.epoch, pause }))
  const onDidLoad = maker.adopted.bind(maker)
  const loader = owned.add(
    new CheckpointLoader({
      ...{ ...parts, mayMake, isAuthor, onDidLoad },
      isLinked: () => true,
      allows: () => true,
      onDidGiveUp: (_checkpoint, why) => options.onDidGiveUp?.(why),
    }),
  )
  return { ...device, store, maker, loader, dispose: () => owned.dispose() }
}
