import {
  type DatasetStore,
  type FolderMove,
  isAfterPlace,
  type LoadedNodes,
  type LogHead,
  type NodePlace,
  type PlacedSegment,
  type SegmentRange,
  type StoredSegment,
  type StoreValue,
} from './dataset-store.ts'
import type { Head, NodeRecord } from './node-record.ts'
import { isLater, type LogId, type Mark, type NodeId, type Op, type OpId } from './op.ts'

interface Row {
  readonly record: NodeRecord
  readonly shown: string | undefined
}

/** A dataset in memory, for simulated devices. A transaction that throws is not undone, nor is a batch. */
export class MemoryDatasetStore implements DatasetStore {
  readonly #nodes = new Map<NodeId, Row>()
  readonly #children = new Map<NodeId, Set<NodeId>>()
  /** By folder and name: shown nodes by the name shown (`s`), and by their own (`n`). */
  readonly #named = new Map<string, Set<NodeId>>()
  readonly #moves = new Map<OpId, FolderMove>()
  readonly #versions = new Map<NodeId, Map<OpId, Head>>()
  readonly #segments = new Map<string, StoredSegment>()
  readonly #heads = new Map<LogId, LogHead>()
  readonly #values = new Map<string, Map<string, Uint8Array>>()
  #tail: Op[] = []
  /** No move is later. */
  #latestMove: Mark | undefined

  transaction<T>(work: () => T): T {
    return work()
  }

  beginBatch(): void {}

  endBatch(): void {}

  undoBatch(): void {}

  get undoneBatches(): number {
    return 0
  }

  node(id: NodeId): NodeRecord | undefined {
    return this.#nodes.get(id)?.record
  }

  putNode(record: NodeRecord, shown: string | undefined): void {
    this.deleteNode(record.id)
    this.#nodes.set(record.id, { record, shown })
    if (shown === undefined) return
    addTo(this.#children, record.parent, record.id)
    for (const key of keysOf(record, shown)) addTo(this.#named, key, record.id)
  }

  deleteNode(id: NodeId): void {
    const before = this.#nodes.get(id)
    if (before?.shown !== undefined) {
      this.#children.get(before.record.parent)?.delete(id)
      for (const key of keysOf(before.record, before.shown)) removeFrom(this.#named, key, id)
    }
    this.#nodes.delete(id)
  }

  shownName(id: NodeId): string | undefined {
    return this.#nodes.get(id)?.shown
  }

  shownNode(parent: NodeId, shown: string): NodeId | undefined {
    return this.shownNodes(parent, shown).sort()[0]
  }

  shownNodes(parent: NodeId, shown: string): NodeId[] {
    return [...(this.#named.get(`s${parent}/${shown}`) ?? [])]
  }

  namesakes(parent: NodeId, name: string): NodeId[] {
    return [...(this.#named.get(`n${parent}/${name}`) ?? [])]
  }

  children(parent: NodeId): { record: NodeRecord; shown: string }[] {
    return [...(this.#children.get(parent) ?? [])].map((id) => this.#nodes.get(id) as { record: NodeRecord; shown: string })
  }

  hasChildren(parent: NodeId): boolean {
    return (this.#children.get(parent)?.size ?? 0) > 0
  }

  removedNodes(): NodeRecord[] {
    return [...this.#nodes.values()].filter(({ shown }) => shown === undefined).map(({ record }) => record)
  }

  nodeCount(): number {
    return this.#nodes.size
  }

  nodesFrom(after: NodePlace | undefined, limit: number): { record: NodeRecord; shown: string | undefined }[] {
    const placeOf = ({ record, shown }: Row): NodePlace => ({ parent: record.parent, isShown: shown !== undefined, id: record.id })
    const rows = [...this.#nodes.values()].filter((row) => !after || isAfterPlace(placeOf(row), after))
    return rows.sort((a, b) => (isAfterPlace(placeOf(a), placeOf(b)) ? 1 : -1)).slice(0, limit)
  }

  loadNodes({ nodes, versions, mark }: LoadedNodes): number {
    const news = nodes.filter(({ record }) => !this.#nodes.has(record.id))
    for (const { record, shown } of news) this.putNode(record, shown)
    for (const { node, version } of versions) if (!this.#versions.get(node)?.has(version.op)) this.putVersion(node, version)
    this.putValue(mark.space, mark.key, mark.value)
    return news.length
  }

  putMove(move: FolderMove): void {
    this.#moves.set(move.op, move)
    if (!this.#latestMove || isLater(move, this.#latestMove)) this.#latestMove = move
  }

  deleteMove(op: OpId): void {
    this.#moves.delete(op)
  }

  movesAfter(mark: Mark): FolderMove[] {
    if (!this.#latestMove || !isLater(this.#latestMove, mark)) return [] // nearly always
    return [...this.#moves.values()].filter((move) => isLater(move, mark)).sort((a, b) => (isLater(a, b) ? 1 : -1))
  }

  putVersion(node: NodeId, version: Head): void {
    let versions = this.#versions.get(node)
    if (!versions) this.#versions.set(node, (versions = new Map()))
    versions.set(version.op, version)
  }

  versions(node: NodeId): Head[] {
    return [...(this.#versions.get(node)?.values() ?? [])].sort((a, b) => (isLater(a, b) ? -1 : 1))
  }

  deleteVersion(node: NodeId, op: OpId): void {
    this.#versions.get(node)?.delete(op)
  }

  versionedNodes(after: NodeId | undefined, limit: number, atLeast: 1 | 2): NodeId[] {
    const nodes = [...this.#versions].filter(([node, { size }]) => size >= atLeast && (after === undefined || node > after))
    return nodes
      .map(([node]) => node)
      .sort()
      .slice(0, limit)
  }

  putTail(op: Op): void {
    this.#tail.push(op)
  }

  tail(): Op[] {
    return [...this.#tail]
  }

  cutTail(count: number): void {
    this.#tail = this.#tail.slice(count)
  }

  putSegment(segment: StoredSegment, head: LogHead): void {
    this.#segments.set(`${segment.log}.${segment.seq}`, segment)
    this.#heads.set(head.log, head)
  }

  putHead(head: LogHead): void {
    this.#heads.set(head.log, head)
  }

  putSegmentBefore(segment: StoredSegment): void {
    const name = `${segment.log}.${segment.seq}`
    if (this.#segments.has(name)) return
    const after = [...this.#segments]
    this.#segments.clear()
    this.#segments.set(name, segment)
    for (const [next, it] of after) this.#segments.set(next, it)
  }

  segment(log: LogId, seq: number): Uint8Array | undefined {
    return this.#segments.get(`${log}.${seq}`)?.bytes
  }

  segmentsOf(log: LogId, { above, upTo, limit, isLastFirst = false }: SegmentRange): PlacedSegment[] {
    const found = [...this.#segments.values()].flatMap((it, place) =>
      it.log === log && it.seq > above && it.seq <= upTo ? [{ seq: it.seq, place }] : [],
    )
    return found.sort((a, b) => (isLastFirst ? b.seq - a.seq : a.seq - b.seq)).slice(0, limit)
  }

  segmentOrder(): (readonly [LogId, number])[] {
    return [...this.#segments.values()].map(({ log, seq }) => [log, seq] as const)
  }

  heads(): readonly LogHead[] {
    return [...this.#heads.values()]
  }

  head(log: LogId): LogHead | undefined {
    return this.#heads.get(log)
  }

  value(space: string, key: string): Uint8Array | undefined {
    return this.#values.get(space)?.get(key)
  }

  putValue(space: string, key: string, value: Uint8Array | undefined): void {
    let entries = this.#values.get(space)
    if (!entries) this.#values.set(space, (entries = new Map()))
    if (value) entries.set(key, value)
    else entries.delete(key)
  }

  values(space: string): (readonly [string, Uint8Array])[] {
    return [...(this.#values.get(space) ?? [])]
  }

  async sync(): Promise<void> {}

  async settle(): Promise<void> {}

  startOver(values: readonly StoreValue[]): boolean {
    if (this.#tail.length > 0) return false
    for (const map of [this.#nodes, this.#children, this.#named, this.#moves, this.#versions, this.#segments, this.#heads]) map.clear()
    this.#latestMove = undefined
    for (const { space, key, value } of values) this.putValue(space, key, value)
    return true
  }
}

const keysOf = ({ parent, name }: NodeRecord, shown: string): string[] => [`n${parent}/${name}`, `s${parent}/${shown}`]

function addTo<K>(map: Map<K, Set<NodeId>>, key: K, id: NodeId): void {
  const ids = map.get(key)
  if (ids) ids.add(id)
  else map.set(key, new Set([id]))
}

function removeFrom<K>(map: Map<K, Set<NodeId>>, key: K, id: NodeId): void {
  const ids = map.get(key)
  ids?.delete(id)
  if (ids?.size === 0) map.delete(key)
}
