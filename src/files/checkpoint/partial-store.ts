import type {
  DatasetStore,
  FolderMove,
  LoadedNodes,
  LogHead,
  NodePlace,
  PlacedSegment,
  SegmentRange,
  StoredSegment,
  StoreValue,
} from '../dataset-store.ts'
import type { Head, NodeRecord } from '../node-record.ts'
import type { LogId, Mark, NodeId, Op, OpId } from '../op.ts'
import { ChangedRows } from './changed-rows.ts'
import { moveKey, nodeKey } from './row-codec.ts'
import { StillLoading } from './still-loading.ts'

/** What says which folders of a checkpoint are here, and brings others. */
export interface FolderGate {
  has(folder: NodeId): boolean
  /** Undefined: everything. @throws ContentError `chunk/unavailable`, `dataset/loading` */
  bring(folder: NodeId | undefined): Promise<void>
}

/**
 * A dataset store of which parts may still have to come from a checkpoint. Whoever asks what lies in a folder that is not here gets
 * StillLoading, never an answer that leaves something out; so nothing is merged, named or removed without knowing what it must know.
 * Notes which rows change, so that the next checkpoint costs what changed. Owns nothing.
 */
export class PartialStore implements DatasetStore {
  readonly changes = new ChangedRows()
  /** While a checkpoint is loaded; undefined: everything is here. */
  gate: FolderGate | undefined
  /** What has to be gone before anything is changed, and for which there was no room yet; false: there is none now. */
  forgetFirst: (() => boolean) | undefined
  #isForgetting = false
  readonly #inner: DatasetStore

  constructor(inner: DatasetStore) {
    this.#inner = inner
  }

  transaction<T>(work: () => T): T {
    if (this.forgetFirst && !this.#isForgetting) this.#forget(this.forgetFirst)
    return this.#inner.transaction(work)
  }

  #forget(forget: () => boolean): void {
    this.#isForgetting = true
    try {
      if (forget()) this.forgetFirst = undefined
    } finally {
      this.#isForgetting = false
    }
  }

  node(id: NodeId): NodeRecord | undefined {
    return this.#inner.node(id)
  }

  noteDrawn(id: NodeId): void {
    this.#inner.noteDrawn?.(id)
  }

  putNode(record: NodeRecord, shown: string | undefined): void {
    this.#noteNode(record.id)
    this.changes.noteRow(nodeKey(record, shown !== undefined))
    // A folder that is shown again shows no version: what it was is history from then on.
    if (record.kind === 'folder') this.changes.noteVersions(record.id)
    this.#inner.putNode(record, shown)
  }

  deleteNode(id: NodeId): void {
    this.#noteNode(id)
    this.#inner.deleteNode(id)
  }

  shownName(id: NodeId): string | undefined {
    return this.#inner.shownName(id)
  }

  shownNode(parent: NodeId, shown: string): NodeId | undefined {
    this.#need(parent)
    return this.#inner.shownNode(parent, shown)
  }

  namesakes(parent: NodeId, name: string): NodeId[] {
    this.#need(parent)
    return this.#inner.namesakes(parent, name)
  }

  children(parent: NodeId): { readonly record: NodeRecord; readonly shown: string }[] {
    this.#need(parent)
    return this.#inner.children(parent)
  }

  hasChildren(parent: NodeId): boolean {
    this.#need(parent)
    return this.#inner.hasChildren(parent)
  }

  removedNodes(): NodeRecord[] {
    if (this.gate) throw this.#missing(this.gate, undefined)
    return this.#inner.removedNodes()
  }

  nodeCount(): number {
    return this.#inner.nodeCount()
  }

  nodesFrom(after: NodePlace | undefined, limit: number) {
    return this.#inner.nodesFrom(after, limit)
  }

  /** From a checkpoint: nothing changes by it. */
  loadNodes(loaded: LoadedNodes): number {
    return this.#inner.loadNodes(loaded)
  }

  /** From a checkpoint, too. */
  loadMove(move: FolderMove): void {
    this.#inner.putMove(move)
  }

  putMove(move: FolderMove): void {
    this.changes.noteRow(moveKey(move))
    this.#inner.putMove(move)
  }

  deleteMove(op: OpId): void {
    this.changes.addAll(ChangedRows.all()) // nobody does; its place is not known here
    this.#inner.deleteMove(op)
  }

  movesAfter(mark: Mark): FolderMove[] {
    return this.#inner.movesAfter(mark)
  }

  putVersion(node: NodeId, version: Head): void {
    this.changes.noteVersions(node)
    this.#inner.putVersion(node, version)
  }

  versions(node: NodeId): Head[] {
    return this.#inner.versions(node)
  }

  deleteVersion(node: NodeId, op: OpId): void {
    this.changes.noteVersions(node)
    this.#inner.deleteVersion(node, op)
  }

  versionedNodes(after: NodeId | undefined, limit: number, atLeast: 1 | 2): NodeId[] {
    return this.#inner.versionedNodes(after, limit, atLeast)
  }

  putTail(op: Op): void {
    this.#inner.putTail(op)
  }

  tail(): Op[] {
    return this.#inner.tail()
  }

  cutTail(count: number): void {
    this.#inner.cutTail(count)
  }

  putSegment(segment: StoredSegment, head: LogHead): void {
    this.#inner.putSegment(segment, head)
  }

  putHead(head: LogHead): void {
    this.#inner.putHead(head)
  }

  putSegmentBefore(segment: StoredSegment): void {
    this.#inner.putSegmentBefore(segment)
  }

  segment(log: LogId, seq: number): Uint8Array | undefined {
    return this.#inner.segment(log, seq)
  }

  segmentOrder(): (readonly [log: LogId, seq: number])[] {
    return this.#inner.segmentOrder()
  }

  segmentsOf(log: LogId, range: SegmentRange): PlacedSegment[] {
    return this.#inner.segmentsOf(log, range)
  }

  heads(): readonly LogHead[] {
    return this.#inner.heads()
  }

  head(log: LogId): LogHead | undefined {
    return this.#inner.head(log)
  }

  value(space: string, key: string): Uint8Array | undefined {
    return this.#inner.value(space, key)
  }

  putValue(space: string, key: string, value: Uint8Array | undefined): void {
    this.#inner.putValue(space, key, value)
  }

  values(space: string): (readonly [key: string, value: Uint8Array])[] {
    return this.#inner.values(space)
  }

  sync(): Promise<void> {
    return this.#inner.sync()
  }

  settle(): Promise<void> {
    return this.#inner.settle()
  }

  startOver(values: readonly StoreValue[]): boolean {
    return this.#inner.startOver(values)
  }

  #need(folder: NodeId): void {
    if (this.gate && !this.gate.has(folder)) throw this.#missing(this.gate, folder)
  }

  #missing(gate: FolderGate, folder: NodeId | undefined): StillLoading {
    return new StillLoading(() => gate.bring(folder))
  }

  /** Where it lies now is a place where it may not lie any more. */
  #noteNode(id: NodeId): void {
    if (this.changes.isAll) return
    const before = this.#inner.node(id)
    if (before) this.changes.noteRow(nodeKey(before, this.#inner.shownName(id) !== undefined))
  }
}
