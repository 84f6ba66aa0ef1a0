import type { DeviceId } from '../base/ids.ts'
import { behindOf } from './checkpoint/segments-behind.ts'
import type { OpenDataset } from './open-dataset.ts'
import type { Segment } from './op-segment.ts'
import type { LogId, NodeId, OpId } from './op.ts'

export interface Holder {
  readonly device: DeviceId
  readonly name: string
  /** All bytes are here; the device that wrote the version; a device that signed for it. */
  readonly how: 'here' | 'wrote' | 'signed'
}

/**
 * Which devices have the bytes of the version shown (rule RP5). An author may let go of what others signed for, so it is named
 * after them. @throws FileError `file/not-found`
 */
export function holdersOf(open: OpenDataset, node: NodeId): Holder[] {
  const { version, manifest, kind } = open.dataset.require(node)
  const holder = (device: DeviceId, how: Holder['how']): Holder => ({ device, name: open.nameOf(device), how })
  if (kind !== 'file') return []
  open.dataset.flush()
  const segment = segmentOf(open, version, open.clock.nowMs())
  const others = segment
    ? open.book
        .signersOf(segment.hash, Number(version.slice(version.indexOf('.') + 1)) - segment.first)
        .filter((device) => device !== open.self)
    : []
  const author = segment?.device
  return [
    ...(open.placeOf(manifest) === 'here' ? [holder(open.self, 'here')] : []),
    ...others.map((device) => holder(device, 'signed')),
    ...(author && author !== open.self && open.isMember(author) && !others.includes(author) ? [holder(author, 'wrote')] : []),
  ]
}

/** The segment an op lies in; undefined while it is in none. A log's segments are in the order of their ops. */
function segmentOf({ store, dataset }: OpenDataset, op: OpId, nowMs: number): Segment | undefined {
  const dot = op.indexOf('.')
  const [log, number] = [op.slice(0, dot) as LogId, Number(op.slice(dot + 1))]
  let low = (behindOf(store, log)?.seq ?? 0) + 1
  let high = store.heads().find((head) => head.log === log)?.seq ?? 0
  while (low <= high) {
    const seq = (low + high) >> 1
    const bytes = store.segment(log, seq)
    if (!bytes) return undefined
    const segment = dataset.codec.open(dataset.codec.check(bytes), bytes, nowMs)
    if (number < segment.first) high = seq - 1
    else if (number >= segment.first + segment.ops.length) low = seq + 1
    else return segment
  }
  return undefined
}
