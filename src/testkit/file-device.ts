import type { Clock } from '../base/clock.ts'
import type { DeviceId } from '../base/ids.ts'
import { deviceIdOf } from '../base/ids.ts'
import { silentLogger } from '../base/logger.ts'
import type { ChunkStore } from '../files/chunk-store.ts'
import type { ChunkSource } from '../files/content-reader.ts'
import { Dataset } from '../files/dataset.ts'
import type { DatasetStore } from '../files/dataset-store.ts'
import { MemoryChunkStore } from '../files/memory-chunk-store.ts'
import { MemoryDatasetStore } from '../files/memory-dataset-store.ts'
import { segmentKeyStatement, type SegmentSigner } from '../files/op-segment.ts'
import { NodeFilesCrypto } from '../platform/node/node-files-crypto.ts'
import { testDatasetKeys } from './file-parts.ts'

const crypto = new NodeFilesCrypto()

/** What device number `n` of the tests signs segments with. */
export function testSegmentSigner(n: number, keys = testDatasetKeys()): SegmentSigner {
  const deviceKey = crypto.signingKey(new Uint8Array(32).fill(100 + n))
  const key = crypto.signingKey(new Uint8Array(32).fill(200 + n))
  const certificate = deviceKey.sign(segmentKeyStatement(keys.dataset, key.publicKey))
  return { device: deviceIdOf(deviceKey.publicKey), key, certificate }
}

export interface TestFileDevice {
  readonly n: number
  readonly device: DeviceId
  readonly dataset: Dataset
  readonly store: DatasetStore
  readonly chunks: ChunkStore
}

/** A dataset of device `n`, with real cryptography and by default everything in memory. */
export function testFileDevice(
  n: number,
  clock: Clock,
  options: {
    store?: DatasetStore
    chunks?: ChunkStore
    source?: ChunkSource
    isAuthor?: (device: DeviceId) => boolean
    isLocal?: boolean
    isLoading?: () => boolean
  } = {},
): TestFileDevice {
  const keys = testDatasetKeys()
  const store = options.store ?? new MemoryDatasetStore()
  const chunks = options.chunks ?? new MemoryChunkStore()
  const signer = testSegmentSigner(n, keys)
  const dataset = new Dataset({
    crypto,
    keys,
    store,
    chunks,
    signer,
    deviceName: () => `device ${n}`,
    isAuthor: options.isAuthor ?? (() => true),
    ...(options.source && { source: options.source }),
    ...(options.isLocal && { isLocal: true }),
    ...(options.isLoading && { isLoading: options.isLoading }),
    clock,
    logger: silentLogger,
  })
  return { n, device: signer.device, dataset, store, chunks }
}

/** Brings what `from` holds to `to`; in the end it lacks nothing. */
export function bringSegments(from: Dataset, to: Dataset): void {
  from.flush()
  for (;;) {
    const segments = from.segmentsAfter(to.frontier(), 256 * 1024)
    if (segments.length === 0) return
    if (segments.filter((segment) => to.takeSegment(segment)).length === 0) throw new Error('segments that are never taken in')
  }
}
