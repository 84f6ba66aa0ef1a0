import type { Clock } from '../base/clock.ts'
import type { DeviceId } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import type { ChunkStore } from './chunk-store.ts'
import type { ChunkSource } from './content-reader.ts'
import type { DatasetKeySource } from './dataset-key-source.ts'
import type { DatasetStore } from './dataset-store.ts'
import type { FilesCrypto } from './files-crypto.ts'
import type { NodeId } from './op.ts'
import type { Segment, SegmentSigner } from './op-segment.ts'

export interface DatasetParts {
  readonly crypto: FilesCrypto
  readonly keys: DatasetKeySource
  readonly store: DatasetStore
  readonly chunks: ChunkStore
  readonly signer: SegmentSigner
  readonly deviceName: () => string
  /** Whose segments are taken in: devices of the person, also such as have left. */
  readonly isAuthor: (device: DeviceId) => boolean
  readonly source?: ChunkSource
  /** Nobody else hears of it: it has no log. */
  readonly isLocal?: boolean
  /** Part of the tree is still to come from a checkpoint: segments of others wait. */
  readonly isLoading?: () => boolean
  /** Told of each segment in the transaction that keeps it. */
  readonly book?: (segment: Segment, isOwn: boolean) => void
  /** That transaction failed: the segment is not there. */
  readonly unbook?: (hash: string) => void
  readonly clock: Clock
  readonly logger: Logger
}

/** Something of the tree is another now. */
export interface DatasetChange {
  /** Made here through this object; otherwise another device's, taken in. */
  readonly isOwn: boolean
  readonly nodes: ReadonlySet<NodeId>
  /** Folders whose listing may be another. */
  readonly folders: ReadonlySet<NodeId>
}

/** Attributes of something new. Times default to now. */
export interface NewNode {
  readonly mode?: number
  readonly mtimeNs?: bigint
}
