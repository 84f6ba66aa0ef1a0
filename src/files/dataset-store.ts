import type { Head, NodeRecord } from './node-record.ts'
import type { LogId, Mark, NodeId, Op, OpId } from './op.ts'

/** A move of a folder as it was carried out, so that an earlier one that comes late can be put under it. */
export interface FolderMove extends Mark {
  readonly node: NodeId
  readonly parent: NodeId
  /** Where it was before; undefined: the move would have closed a circle and was left out. */
  readonly before: { readonly parent: NodeId; readonly at: Mark } | undefined
}

/** Where a node lies in the order of `nodesFrom`. */
export interface NodePlace {
  readonly parent: NodeId
  readonly isShown: boolean
  readonly id: NodeId
}

export const isAfterPlace = (a: NodePlace, b: NodePlace): boolean => {
  if (a.parent !== b.parent) return a.parent > b.parent
  return a.isShown === b.isShown ? a.id > b.id : a.isShown
}

/** What of a checkpoint is here from now on, and how far that is. */
export interface LoadedNodes {
  readonly nodes: readonly { readonly record: NodeRecord; readonly shown: string | undefined }[]
  readonly versions: readonly { readonly node: NodeId; readonly version: Head }[]
  readonly mark: { readonly space: string; readonly key: string; readonly value: Uint8Array }
}

/** A small value, or that it goes. */
export interface StoreValue {
  readonly space: string
  readonly key: string
  readonly value: Uint8Array | undefined
}

/** A signed, sealed segment of a log, as it crosses links. */
export interface StoredSegment {
  readonly log: LogId
  readonly seq: number
  readonly bytes: Uint8Array
}

/** How far one log is held: its last segment, and the hash that the next one must name. */
export interface LogHead {
  readonly log: LogId
  readonly device: string
  /** Its log's start, 16 hex digits; absent: it was kept by an older version, and its last segment says it. */
  readonly start?: string
  readonly seq: number
  readonly hash: string
  /** Ops in all its segments. */
  readonly ops: number
  /** Highest stamp in it. */
  readonly stamp: number
  /** The segment, held when this was kept, that names its last one as seen: whoever names that one names this one, too. */
  readonly coveredBy?: readonly [log: LogId, seq: number]
}

/** Segments of one log with numbers above `above` and up to `upTo`, at most `limit`: the first ones, or the last ones, the last first. */
export interface SegmentRange {
  readonly above: number
  readonly upTo: number
  readonly limit: number
  readonly isLastFirst?: boolean
}

/** `place`: those of all logs are in the order of `segmentOrder` by it, as long as nothing is put. */
export interface PlacedSegment {
  readonly seq: number
  readonly place: number
}

/**
 * What one device keeps of a dataset: the ops it holds (segments, and its own not yet in one), and the tree they make. Values
 * are sealed where they lie on a disk; look-up keys that tell names are HMACs. Every implementation runs
 * `describeDatasetStore` (rules DS1-DS5). Synchronous: a look-up takes microseconds.
 */
export interface DatasetStore {
  /** All or nothing; what it wrote survives kill -9 when it returns. */
  transaction<T>(work: () => T): T

  node(id: NodeId): NodeRecord | undefined
  /** In a transaction: its id was drawn just now, so that nobody has it. */
  noteDrawn?(id: NodeId): void
  /** `shown`: under which name its folder lists it; undefined: it is removed. */
  putNode(record: NodeRecord, shown: string | undefined): void
  deleteNode(id: NodeId): void
  shownName(id: NodeId): string | undefined
  shownNode(parent: NodeId, shown: string): NodeId | undefined
  /** Shown nodes that have this name of their own in `parent`. */
  namesakes(parent: NodeId, name: string): NodeId[]
  children(parent: NodeId): { readonly record: NodeRecord; readonly shown: string }[]
  hasChildren(parent: NodeId): boolean
  /** Removed nodes, in any order. */
  removedNodes(): NodeRecord[]
  nodeCount(): number
  /**
   * All nodes, about `limit` after `after` and none only at the end, in the order of their folder's id, those that are removed before
   * those that are shown, and their own id.
   */
  nodesFrom(after: NodePlace | undefined, limit: number): { readonly record: NodeRecord; readonly shown: string | undefined }[]

  /**
   * Takes in nodes and versions that nobody here has changed, with the mark that says so, all or nothing; those that are here already stay as they are.
   * For much at once: it need not survive kill -9, but then neither does the mark. Not in a transaction.
   * @returns how many nodes are new here
   */
  loadNodes(loaded: LoadedNodes): number

  putMove(move: FolderMove): void
  deleteMove(op: OpId): void
  /** In their order. */
  movesAfter(mark: Mark): FolderMove[]

  putVersion(node: NodeId, version: Head): void
  /** The newest first. */
  versions(node: NodeId): Head[]
  deleteVersion(node: NodeId, op: OpId): void
  /** Nodes of which versions are held, by id, at most `limit` after `after`; those with fewer than `atLeast` may be left out. */
  versionedNodes(after: NodeId | undefined, limit: number, atLeast: 1 | 2): NodeId[]

  /** Own ops that are in no segment yet. */
  putTail(op: Op): void
  tail(): Op[]
  /** Drops the first `count` of the tail: they are in a segment now. */
  cutTail(count: number): void
  putSegment(segment: StoredSegment, head: LogHead): void
  /** How far a log is held of which no segment is: a checkpoint stands for them; or what is to be said of one otherwise. */
  putHead(head: LogHead): void
  /** An older one: goes before all others in `segmentOrder`. A repeat is ignored. Not in a transaction; need not survive kill -9. */
  putSegmentBefore(segment: StoredSegment): void
  segment(log: LogId, seq: number): Uint8Array | undefined
  /** Every segment held, in the order they were put: each after those its author had seen. */
  segmentOrder(): (readonly [log: LogId, seq: number])[]
  /** Of one log, some of those held, by number. */
  segmentsOf(log: LogId, range: SegmentRange): PlacedSegment[]
  heads(): readonly LogHead[]
  head(log: LogId): LogHead | undefined

  /** Small sealed values: settings, receipts, what is not yet elsewhere. */
  value(space: string, key: string): Uint8Array | undefined
  putValue(space: string, key: string, value: Uint8Array | undefined): void
  values(space: string): (readonly [key: string, value: Uint8Array])[]

  /** What returned before survives a power cut, too, once this resolves. */
  sync(): Promise<void>

  /** What was written before lies where `startOver` finds all of it, once this resolves. @throws StoreError */
  settle(): Promise<void>
  /**
   * Forgets the tree, all logs and their segments, and puts these values, in one step: after a kill it is as after, after a power cut as
   * before or as after. Other values stay. Not in a transaction.
   * @returns false: something was written since `settle`, or ops are in no segment; nothing is forgotten
   * @throws StoreError
   */
  startOver(values: readonly StoreValue[]): boolean
}
