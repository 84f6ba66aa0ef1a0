import type { Clock } from '../../base/clock.ts'
import type { DeviceId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import type { SealedChunk } from '../chunk-id.ts'
import type { ChunkStore } from '../chunk-store.ts'
import type { DatasetStore } from '../dataset-store.ts'
import type { Dataset } from '../dataset.ts'
import type { DroppedVersions } from '../dropped-versions.ts'
import type { PeerChunks } from '../peer-chunks.ts'
import type { ReplicationBook } from '../replication-book.ts'
import type { BucketHolds } from './bucket-holds.ts'
import type { BucketSeal } from './bucket-seal.ts'
import type { BucketSizes } from './bucket-upload.ts'
import type { ObjectStore } from './object-store.ts'

/** What a copy in a bucket is made with. */
export interface BucketCopyOptions extends BucketSizes {
  readonly objects: ObjectStore
  /** This device. */
  readonly self: DeviceId
  readonly seal: BucketSeal
  readonly dataset: Dataset
  readonly store: DatasetStore
  readonly chunks: ChunkStore
  readonly dropped: DroppedVersions
  readonly book: ReplicationBook
  readonly source: PeerChunks
  /** Takes in segments that lie behind a checkpoint this device began with, the newest first; resolves with how many. */
  readonly behind: (segments: readonly Uint8Array[]) => Promise<number>
  readonly holds: BucketHolds
  /** Opens a chunk: is it what its id says? */
  readonly isGenuine: (chunk: SealedChunk) => boolean
  /** A checkpoint is being loaded: not everything that is wanted is known. */
  readonly isLoading: () => boolean
  readonly clock: Clock
  readonly logger: Logger
  /** Instead of a random one: which of so many packs is looked at. */
  readonly pick?: (count: number) => number
}
