import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import type { DeviceId } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import { withoutCheckpoint } from './checkpoint/checkpoint-loader.ts'
import { waitingSegment } from './checkpoint/set-aside.ts'
import type { DatasetKeySource } from './dataset-key-source.ts'
import { DatasetSegments } from './dataset-segments.ts'
import type { DatasetStore, StoreValue } from './dataset-store.ts'
import type { FilesCrypto } from './files-crypto.ts'
import { copyIdOf, OpMerger } from './merge-op.ts'
import { DatasetPolicy } from './dataset-policy.ts'
import { decodeOp, encodeOp } from './node-record-codec.ts'
import type { LogId, Op } from './op.ts'
import { type Segment, SegmentCodec, type SegmentSigner } from './op-segment.ts'
import { ReplicationBook } from './replication-book.ts'
import { LOSSY, REBUILD, STATE, TAIL } from './left-ops.ts'
import { noteUnheard } from './unheard-devices.ts'

export interface RebuildTreeParts {
  readonly store: DatasetStore
  readonly crypto: FilesCrypto
  readonly keys: DatasetKeySource
  readonly signer: SegmentSigner
  readonly deviceName: string
  readonly isAuthor: (device: DeviceId) => boolean
  readonly isMember: (device: DeviceId) => boolean
  /** Devices that may hold what was lost here. */
  readonly others: readonly DeviceId[]
  readonly clock: Clock
  readonly logger: Logger
}

const SEGMENTS = 'rebuild-segment'
/** Tree and logs are empty, all that was there lies beside them; before, it says something else. */
const REPLAY = 'replay'
const MAX_SETTLES = 50
/** What was beside already, when that was damaged in its turn, keeps its name. */
const keyOf = (n: number, name: string): string => `${String(n).padStart(16, '0')}.${name}`

/**
 * Makes the tree again of what was salvaged of a damaged one (rule DS12): every log as far as it is whole is taken in as if it came from
 * others, then what this device had kept and not signed. What follows on something that is missing waits till another device brings
 * that. Killed at any point, it goes on at the next start. A step is one segment: whoever drives it gives others the loop between.
 */
export async function* rebuildTree(parts: RebuildTreeParts): AsyncGenerator<void, void> {
  const { store, crypto, keys, clock, logger, isAuthor, signer } = parts
  const state = store.value(REBUILD, STATE)
  if (!state) return
  if (fromUtf8(state) !== REPLAY) await putBeside(store)
  const codec = new SegmentCodec(crypto, keys)
  const merger = new OpMerger({ store, copyId: copyIdOf(crypto) })
  // What was booked of segments is carried over as far as it could be read; the rest is as if it had just been written, or come.
  const { isMember } = parts
  const { current } = new DatasetPolicy(store)
  const replication = new ReplicationBook({ crypto, dataset: keys.dataset, store, signer, isMember, policy: () => current })
  const book = (segment: Segment) => {
    if (!replication.has(segment.hash)) replication.book(segment, segment.device === signer.device)
  }
  const unbook = (hash: string) => replication.unbook(hash)
  const log = { see: () => {}, cover: () => {} }
  const segments = new DatasetSegments({ store, codec, merger, log, clock, isAuthor, book, unbook, onDidTake: () => {} })
  const waiting = new Map(store.values(SEGMENTS).sort(([a], [b]) => (a < b ? -1 : 1)))
  const broken = new Map<string, Uint8Array>()
  let ops = 0
  for (let before = -1; before !== waiting.size; ) {
    before = waiting.size
    for (const [key, bytes] of waiting) {
      try {
        store.transaction(() => {
          const isTaken = segments.take(bytes)
          if (!isTaken && !isHeld(store, codec, bytes)) return
          store.putValue(SEGMENTS, key, undefined)
          waiting.delete(key)
          ops++
        })
      } catch (error) {
        if (errorCode(error).startsWith('store/')) throw error
        waiting.delete(key)
        broken.set(key, bytes)
        logger.warn('a segment of a damaged tree cannot be used', { code: errorCode(error), error: errorMessage(error) })
      }
      yield
    }
  }
  const tail = store.values(TAIL).sort(([a], [b]) => (a < b ? -1 : 1))
  const left = tail.map(([, bytes]) => decodeOp(bytes))
  const isNext = followsOwnLog(store, codec, signer.device, left[0])
  store.transaction(() => {
    for (const [key, bytes] of waiting) {
      store.putValue(SEGMENTS, key, undefined)
      const { space, key: name } = waitingSegment(codec.headOf(bytes))
      store.putValue(space, name, bytes)
    }
    for (const key of broken.keys()) store.putValue(SEGMENTS, key, undefined) // it lies in the file that was set aside
    // What cannot go on where it was begun is written anew (`takeLeftBodies`).
    if (isNext) {
      for (const op of left) {
        merger.apply(op, { device: signer.device, deviceName: parts.deviceName }, { nodes: new Set(), folders: new Set() })
        store.putTail(op)
      }
      for (const [key] of tail) store.putValue(TAIL, key, undefined)
    }
    const isLossy = broken.size + waiting.size > 0 || store.value(REBUILD, LOSSY) !== undefined
    noteUnheard(store, parts.others, clock.nowMs(), isLossy)
    store.putValue(REBUILD, LOSSY, undefined)
    store.putValue(REBUILD, STATE, undefined)
  })
  const counts = { segments: ops, waiting: waiting.size, broken: broken.size, unsigned: left.length }
  logger.info('the tree of files was made again of its logs', counts)
}

/** Tree and logs become empty in one step, and what was in them lies beside. */
async function putBeside(store: DatasetStore): Promise<void> {
  for (let tries = 0; tries < MAX_SETTLES; tries++) {
    const tail = store.tail()
    if (tail.length > 0) {
      store.transaction(() => {
        for (const op of tail) store.putValue(TAIL, keyOf(op.stamp, op.id), encodeOp(op))
        store.cutTail(tail.length)
      })
    }
    await store.settle()
    const segments = store.segmentOrder().flatMap(([log, seq], n): StoreValue[] => {
      const value = store.segment(log, seq)
      return value ? [{ space: SEGMENTS, key: keyOf(n, `${log}.${seq}`), value }] : []
    })
    const noCheckpoint = withoutCheckpoint(store)
    if (store.startOver([...segments, ...noCheckpoint, { space: REBUILD, key: STATE, value: utf8(REPLAY) }])) return
  }
  throw new Error('these files are written to while they are made again')
}

const isHeld = (store: DatasetStore, codec: SegmentCodec, bytes: Uint8Array): boolean => {
  const { log, seq } = codec.headOf(bytes)
  return store.heads().some((head) => head.log === log && head.seq >= seq)
}

/** Does the op come next in the log that this device was writing? */
function followsOwnLog(store: DatasetStore, codec: SegmentCodec, device: DeviceId, op: Op | undefined): boolean {
  const saved = store.value('own', 'start')
  if (!op || !saved) return false
  const dot = op.id.indexOf('.')
  const log = op.id.slice(0, dot) as LogId
  const { start } = JSON.parse(fromUtf8(saved)) as { start: string }
  if (codec.logOf(device, start) !== log) return false
  return (store.heads().find((head) => head.log === log)?.ops ?? 0) === Number(op.id.slice(dot + 1))
}
