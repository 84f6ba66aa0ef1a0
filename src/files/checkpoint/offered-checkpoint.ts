import { fromUtf8, utf8 } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { DatasetId, DeviceId } from '../../base/ids.ts'
import { ContentError } from '../content-error.ts'
import type { Dataset } from '../dataset.ts'
import type { DatasetStore } from '../dataset-store.ts'
import type { FilesCrypto } from '../files-crypto.ts'
import { MAX_HELD_LOGS } from '../log-limits.ts'
import { type LogId, ROOT_NODE } from '../op.ts'
import { badCheckpoint } from './byte-io.ts'
import { type Checkpoint, openCheckpoint, refusedCheckpoint } from './checkpoint-codec.ts'
import { pauseOf } from './each-leaf.ts'
import { folderRange, type LogRow, readLogRow, readNodeRow } from './row-codec.ts'
import type { TreeReader } from './tree-reader.ts'

const SEEN = 'checkpoint-seen'
/** A stamp further ahead is a lie: nothing could be written after it. Microseconds. */
const MAX_AHEAD_US = 10 * 365 * 86_400 * 1e6

export interface OfferedParts {
  readonly dataset: Dataset
  readonly id: DatasetId
  readonly store: DatasetStore
  readonly crypto: FilesCrypto
  readonly clock: Clock
  /** May this device say what a dataset was? */
  readonly mayMake: (device: DeviceId) => boolean
  /** Devices of the person, also such as have left. */
  readonly isAuthor: (device: DeviceId) => boolean
}

/** What is known of a checkpoint before anything of it is taken. */
export interface Offered {
  readonly logs: readonly LogRow[]
  /** No op in it has a higher one. */
  readonly stamp: number
}

/** Judges checkpoints that linked devices have. Nothing is begun with what cannot be read: who began would wait for it, and take in nothing else. */
export class OfferedCheckpoints {
  readonly #parts: OfferedParts
  readonly #reader: TreeReader

  constructor(parts: OfferedParts, reader: TreeReader) {
    this.#parts = parts
    this.#reader = reader
  }

  /**
   * Who signed it, may they, and is it no older than one that was seen of them?
   * @throws ContentError `checkpoint/malformed`, `checkpoint/refused`, `checkpoint/rolled-back`
   */
  checked(bytes: Uint8Array): Checkpoint {
    const { store, crypto, id, mayMake } = this.#parts
    const of = openCheckpoint(crypto, id, bytes)
    if (!mayMake(of.device)) throw refusedCheckpoint('the device that signed it may not say so')
    const kept = store.value(SEEN, of.device)
    const seen = kept ? Number(fromUtf8(kept)) : 0
    if (of.number < seen)
      throw new ContentError(
        'checkpoint/rolled-back',
        `a linked device gave checkpoint ${of.number} of files where number ${seen} was known of the same device; it is left out`,
      )
    if (of.number > seen) store.putValue(SEEN, of.device, utf8(String(of.number)))
    return of
  }

  /** Its frontier, when its top folder can be read; undefined: it has more logs than can be seen at once. @throws ContentError */
  async read(of: Checkpoint): Promise<Offered | undefined> {
    const logs = await this.#logsOf(of)
    if (!logs) return undefined
    const devices = new Map(logs.map(({ log, device }) => [log, device as DeviceId]))
    let read = 0
    for await (const rows of this.#reader.slicesIn(of.state, folderRange(ROOT_NODE))) {
      if (read++ > 0) await pauseOf(this.#parts.clock)
      for (const row of rows) readNodeRow(row, (log) => deviceIn(devices, log))
    }
    const stamp = logs.reduce((most, log) => Math.max(most, log.stamp), 0)
    if (stamp > this.#parts.clock.nowMs() * 1000 + MAX_AHEAD_US) throw badCheckpoint('it is of a time that has not come')
    return { logs, stamp }
  }

  async #logsOf(of: Checkpoint): Promise<LogRow[] | undefined> {
    const { dataset, isAuthor } = this.#parts
    const logs: LogRow[] = []
    for await (const row of this.#reader.rowsIn(of.logs)) {
      const log = readLogRow(row)
      if (dataset.codec.logOf(log.device as DeviceId, log.start) !== log.log) throw badCheckpoint('a log in it is of another device')
      if (!isAuthor(log.device as DeviceId)) throw refusedCheckpoint('it has a log of a device that nobody here knows')
      logs.push(log)
      if (logs.length > MAX_HELD_LOGS) return undefined
    }
    if (logs.reduce((sum, { ops }) => sum + ops, 0) !== of.ops) throw badCheckpoint('its logs do not make what it says')
    return logs
  }
}

/** Whose log is this, of those that a checkpoint has? @throws ContentError `checkpoint/malformed` */
export function deviceIn(devices: ReadonlyMap<LogId, DeviceId>, log: LogId): DeviceId {
  const device = devices.get(log)
  if (!device) throw badCheckpoint('something in it is of a log that it does not have')
  return device
}
