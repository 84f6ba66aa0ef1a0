import type { DeviceId } from '../../base/ids.ts'
import type { DatasetStore, LogHead, NodePlace } from '../dataset-store.ts'
import type { SegmentCodec } from '../op-segment.ts'
import type { NodeId, OpId } from '../op.ts'
import type { Row, RowKey } from './page.ts'
import { isMoveKey, logRow, moveKey, moveRow, nodeKey, nodeRow, placeOfKey, versionRange, versionRow } from './row-codec.ts'
import type { TreeEdit } from './tree-writer.ts'

/** What comes after a key and before every other. */
const nextKey = (key: RowKey): RowKey => `${key}00`

/** Rows of one that is there as it is now; nothing of what is not. */
export function editsOfState(store: DatasetStore, keys: readonly RowKey[]): TreeEdit[] {
  const moves = new Map<RowKey, Row>()
  const firstMove = keys.find(isMoveKey)
  if (firstMove !== undefined)
    for (const move of store.movesAfter({ stamp: Number.parseInt(firstMove.slice(2, 18), 16) - 1, op: '' as OpId }))
      moves.set(moveKey(move), moveRow(move))
  return keys.map((key) => {
    const row = isMoveKey(key) ? moves.get(key) : nodeRowAt(store, key)
    return { from: key, to: nextKey(key), entries: row ? [row] : [] }
  })
}

function nodeRowAt(store: DatasetStore, key: RowKey): Row | undefined {
  const { id } = placeOfKey(key)
  const record = store.node(id)
  const shown = store.shownName(id)
  return record && nodeKey(record, shown !== undefined) === key ? nodeRow({ record, shown }) : undefined
}

/** All versions of these nodes that are kept and not shown: those that are, lie with their nodes. */
export const editsOfHistory = (store: DatasetStore, nodes: readonly NodeId[]): TreeEdit[] =>
  nodes.map((node) => ({ ...versionRange(node), entries: historyRows(store, node) }))

export function historyRows(store: DatasetStore, node: NodeId): Row[] {
  const heads = new Set(store.node(node)?.heads.map(({ op }) => op))
  const rows = store.versions(node).flatMap((version) => (heads.has(version.op) ? [] : [versionRow(node, version)]))
  return rows.sort((a, b) => (a.key < b.key ? -1 : 1))
}

/** How far every log is held. */
export function logRows(store: DatasetStore, codec: SegmentCodec): Row[] {
  const rows = store.heads().map((head) => logRow({ ...head, device: head.device as DeviceId, start: startOf(store, codec, head) }))
  return rows.sort((a, b) => (a.key < b.key ? -1 : 1))
}

/** What a head that an older version kept does not say, its last segment does. */
function startOf(store: DatasetStore, codec: SegmentCodec, { start, log, seq }: LogHead): string {
  if (start !== undefined) return start
  const bytes = store.segment(log, seq)
  if (!bytes) throw new RangeError('a log without its last segment')
  return codec.headOf(bytes).start
}

/** All rows of nodes, some at a time; between two pieces anything may change, and `changes` says what. */
export function* allNodeRows(store: DatasetStore, atOnce: number): Iterable<readonly Row[]> {
  for (let after: NodePlace | undefined; ; ) {
    const nodes = store.nodesFrom(after, atOnce)
    const last = nodes.at(-1)
    if (!last) return
    yield nodes.map(nodeRow)
    after = { parent: last.record.parent, isShown: last.shown !== undefined, id: last.record.id }
  }
}

/** All rows of moves of folders. */
export const allMoveRows = (store: DatasetStore): Row[] => {
  const rows = store.movesAfter({ stamp: -2, op: '' as OpId }).map(moveRow)
  return rows.sort((a, b) => (a.key < b.key ? -1 : 1))
}

/** All rows of histories, some nodes at a time. */
export function* allHistoryRows(store: DatasetStore, atOnce: number): Iterable<readonly Row[]> {
  for (let after: NodeId | undefined; ; ) {
    const nodes = store.versionedNodes(after, atOnce, 1)
    after = nodes.at(-1)
    if (after === undefined) return
    yield nodes.flatMap((node) => historyRows(store, node))
  }
}
