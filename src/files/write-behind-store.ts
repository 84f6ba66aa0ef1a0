import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import type { Logger } from '../base/logger.ts'
import { hasRoom } from '../base/store-error.ts'
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
import { carryOut, decodeEntry, encodeEntry, type JournalEntry } from './journal-entry.ts'
import type { Head, NodeRecord } from './node-record.ts'
import { isLater, type LogId, type Mark, type NodeId, type Op, type OpId } from './op.ts'
import { PendingChanges } from './pending-changes.ts'
import { StoreCarrier } from './store-carrier.ts'
import type { StoreBehind } from './store-behind.ts'
import type { StoreJournal } from './store-journal.ts'

export interface WriteBehindOptions {
  readonly behind: StoreBehind
  readonly journal: StoreJournal
  readonly clock: Clock
  readonly log: Logger
}

/** Behind all that lie in the store. */
const PENDING_PLACE = 2 ** 51

/**
 * A dataset store in front of another one. A transaction is one entry of the journal, which is one write to a file; what it
 * changed stays in memory, is found there, and is carried to the store behind in quiet moments. Making a small file is a handful
 * of transactions, and each cost SQLite some twenty pages.
 *
 * Owns neither the store behind nor the journal; disposing carries what is left, when it is little.
 */
export class WriteBehindStore implements DatasetStore, Disposable {
  readonly #behind: StoreBehind
  readonly #journal: StoreJournal
  readonly #pending: PendingChanges
  readonly #carrier: StoreCarrier
  #depth = 0
  /** What went past the journal: how often, and how much of that lies on the disk itself. */
  #loads = 0
  #loadsSynced = 0
  /** Drawn in the transaction that runs, or asked for and not behind: what makes a node asks three times whether it is there. */
  #absent: NodeId | undefined

  /** Takes in what the journal holds; on a full disk into memory, and the journal keeps it. @throws StoreError */
  constructor({ behind, journal, clock, log }: WriteBehindOptions) {
    this.#behind = behind
    this.#journal = journal
    const left = behind.tail()
    let taken = { tail: left, isAny: false }
    // What a store of before kept in its own tail has to be taken out of it first: that needs room.
    const tried = (work: () => void) => (left.length > 0 ? (work(), true) : hasRoom(work))
    const isCarried = tried(() => behind.transaction(() => (taken = carryJournal(journal, behind, left))))
    this.#pending = new PendingChanges(behind.heads(), isCarried ? taken.tail : [], behind.nodeCount())
    this.#carrier = new StoreCarrier({ pending: this.#pending, behind, journal, clock, log })
    if (isCarried && taken.isAny) this.#loads++ // what a killed process left is no more on the disk than that
    if (isCarried && (!taken.isAny || tried(() => this.#carrier.startAnew()))) return
    log.warn('the disk is full: what was changed before stays in the journal until there is room, and is found in memory meanwhile')
    if (!isCarried) for (const bytes of journal.entries()) this.#takeIn(decodeEntry(bytes))
    this.#carrier.noteChanged()
  }

  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work()
    this.#depth++
    try {
      const result = work()
      const entry = this.#pending.changed()
      if (entry) this.#journal.append(encodeEntry(entry))
      this.#carrier.noteChanged()
      return result
    } catch (error) {
      this.#pending.rollBack()
      throw error
    } finally {
      this.#pending.end()
      this.#absent = undefined
      this.#depth--
    }
  }

  node(id: NodeId): NodeRecord | undefined {
    this.#carrier.noteAsked()
    const pending = this.#pending.nodes.get(id)
    return pending ? pending.record : this.#nodeBehind(id)
  }

  noteDrawn(id: NodeId): void {
    if (this.#depth > 0) this.#absent = id
  }

  shownName(id: NodeId): string | undefined {
    const pending = this.#pending.nodes.get(id)
    return pending ? pending.shown : this.#behind.shownName(id)
  }

  putNode(record: NodeRecord, shown: string | undefined): void {
    const before = this.#pending.nodes.get(record.id)
    const isThere = before ? before.record !== undefined : this.#nodeBehind(record.id) !== undefined
    const isNew = before?.isNew ?? (record.kind === 'folder' && !isThere && !this.#behind.hasChildren(record.id))
    this.#change(() => this.#pending.setNode(record.id, { record, shown, isNew }, isThere ? 0 : 1))
  }

  deleteNode(id: NodeId): void {
    const before = this.#pending.nodes.get(id)
    const isThere = before ? before.record !== undefined : this.#nodeBehind(id) !== undefined
    if (!isThere) return
    this.#change(() => this.#pending.setNode(id, { record: undefined, shown: undefined, isNew: before?.isNew ?? false }, -1))
  }

  shownNode(parent: NodeId, shown: string): NodeId | undefined {
    const ids = [...this.#pending.nodes.shownAs(parent, shown), ...this.#unlessNew(parent, () => this.#behind.shownNodes(parent, shown))]
    return ids.length < 2 ? ids[0] : ids.sort()[0]
  }

  namesakes(parent: NodeId, name: string): NodeId[] {
    return [...this.#pending.nodes.named(parent, name), ...this.#unlessNew(parent, () => this.#behind.namesakes(parent, name))]
  }

  children(parent: NodeId): { record: NodeRecord; shown: string }[] {
    this.#carrier.noteAsked()
    const { nodes } = this.#pending
    const pending = [...nodes.listedIn(parent)].map((id) => {
      const { record, shown } = nodes.get(id) as { record: NodeRecord; shown: string }
      return { record, shown }
    })
    if (nodes.get(parent)?.isNew) return pending
    return [...pending, ...this.#behind.children(parent).filter(({ record }) => !nodes.get(record.id))]
  }

  hasChildren(parent: NodeId): boolean {
    const { nodes } = this.#pending
    for (const _ of nodes.listedIn(parent)) return true
    if (nodes.get(parent)?.isNew || !this.#behind.hasChildren(parent)) return false
    return nodes.size === 0 || this.#behind.children(parent).some(({ record }) => !nodes.get(record.id))
  }

  removedNodes(): NodeRecord[] {
    const { nodes } = this.#pending
    const removed = this.#behind.removedNodes().filter(({ id }) => !nodes.get(id))
    for (const [, { record, shown }] of nodes.all) if (record && shown === undefined) removed.push(record)
    return removed
  }

  nodeCount(): number {
    return this.#pending.nodeCount
  }

  nodesFrom(after: NodePlace | undefined, limit: number): { record: NodeRecord; shown: string | undefined }[] {
    const { nodes } = this.#pending
    for (let from = after; ; ) {
      const rows = this.#behind.nodesFrom(from, limit)
      const isEnd = rows.length < limit
      let end = isEnd ? undefined : placeOf(rows.at(-1) as NodeRow)
      let found: NodeRow[] = rows.filter(({ record }) => !nodes.get(record.id))
      for (const [, { record, shown }] of nodes.all) {
        if (!record || (from && record.parent < from.parent) || (end && record.parent > end.parent)) continue
        const place = placeOf({ record, shown })
        if ((from && !isAfterPlace(place, from)) || (end && isAfterPlace(place, end))) continue
        found.push({ record, shown })
        if (found.length < 2 * limit) continue
        // Much is pending: who asks for some gets the first of it, and no block of all.
        found = found.sort(byPlace).slice(0, limit)
        end = placeOf(found.at(-1) as NodeRow)
      }
      if (found.length > 0 || isEnd) return found.sort(byPlace).slice(0, limit)
      from = end
    }
  }

  loadNodes({ nodes, versions, mark }: LoadedNodes): number {
    const { nodes: pending } = this.#pending
    const news = nodes.filter(({ record }) => !pending.get(record.id))
    const isKnown = (node: NodeId, op: OpId) => this.#pending.versions.get(node)?.has(op) === true
    const others = versions.filter(({ node, version }) => !isKnown(node, version.op))
    this.#loads++
    const count = this.#behind.loadNodes({ nodes: news, versions: others, mark })
    this.#pending.noteLoaded(count)
    return count
  }

  putMove(move: FolderMove): void {
    this.#change(() => this.#pending.setMove(move.op, move))
  }

  deleteMove(op: OpId): void {
    this.#change(() => this.#pending.setMove(op, undefined))
  }

  movesAfter(mark: Mark): FolderMove[] {
    const behind = this.#behind.movesAfter(mark).filter(({ op }) => !this.#pending.moves.has(op))
    return [...behind, ...this.#pending.movesAfter(mark)].sort((a, b) => (isLater(a, b) ? 1 : -1))
  }

  putVersion(node: NodeId, version: Head): void {
    this.#change(() => this.#pending.setVersion(node, version.op, version))
  }

  deleteVersion(node: NodeId, op: OpId): void {
    this.#change(() => this.#pending.setVersion(node, op, undefined))
  }

  versions(node: NodeId): Head[] {
    const pending = this.#pending.versions.get(node)
    const behind = this.#behind.versions(node)
    if (!pending) return behind
    const all = behind.filter(({ op }) => !pending.has(op))
    for (const version of pending.values()) if (version) all.push(version)
    return all.sort((a, b) => (isLater(a, b) ? -1 : 1))
  }

  versionedNodes(after: NodeId | undefined, limit: number, atLeast: 1 | 2): NodeId[] {
    const behind = this.#behind.versionedNodes(after, limit, atLeast)
    const nodes = new Set(behind)
    let end = behind.length < limit ? undefined : behind.at(-1)
    for (const node of this.#pending.versions.keys()) {
      if ((after !== undefined && node <= after) || (end !== undefined && node > end)) continue
      nodes.add(node)
      if (nodes.size < 4 * limit) continue
      // Much is pending: who asks for some gets the first of it, and has not all of it sorted each time.
      const first = [...nodes].sort().slice(0, limit)
      nodes.clear()
      for (const one of first) nodes.add(one)
      end = first.at(-1)
    }
    return [...nodes].sort().slice(0, limit)
  }

  putTail(op: Op): void {
    this.#change(() => this.#pending.addTail(op))
  }

  tail(): Op[] {
    return [...this.#pending.tail]
  }

  cutTail(count: number): void {
    this.#change(() => this.#pending.cutTail(count))
  }

  putSegment(segment: StoredSegment, head: LogHead): void {
    this.#change(() => this.#pending.setSegment(segment, head))
  }

  putHead(head: LogHead): void {
    this.#change(() => this.#pending.setHead(head))
  }

  putSegmentBefore(segment: StoredSegment): void {
    this.#loads++
    this.#behind.putSegmentBefore(segment)
  }

  segment(log: LogId, seq: number): Uint8Array | undefined {
    return this.#pending.segments.get(`${log}.${seq}`)?.segment.bytes ?? this.#behind.segment(log, seq)
  }

  segmentOrder(): (readonly [LogId, number])[] {
    const { segments } = this.#pending
    const order = [...this.#behind.segmentOrder()].filter(([log, seq]) => !segments.has(`${log}.${seq}`))
    for (const { segment } of segments.values()) order.push([segment.log, segment.seq])
    return order
  }

  segmentsOf(log: LogId, { above, upTo, limit, isLastFirst = false }: SegmentRange): PlacedSegment[] {
    const { segments, heads } = this.#pending
    const last = heads.get(log)?.seq ?? 0
    let first = last + 1 // of those that are not carried yet: the last of the log
    while (segments.has(`${log}.${first - 1}`)) first--
    const behind = (left: number) =>
      left > 0 ? this.#behind.segmentsOf(log, { above, upTo: Math.min(upTo, first - 1), limit: left, isLastFirst }) : []
    const here = (left: number) => {
      const [from, to] = [Math.max(first, above + 1), Math.min(last, upTo)]
      return Array.from({ length: Math.max(0, Math.min(left, to - from + 1)) }, (_, n): PlacedSegment => {
        const seq = isLastFirst ? to - n : from + n
        return { seq, place: PENDING_PLACE + (segments.get(`${log}.${seq}`)?.place ?? 0) }
      })
    }
    const [one, other] = isLastFirst ? [here, behind] : [behind, here]
    const found = one(limit)
    return [...found, ...other(limit - found.length)]
  }

  heads(): readonly LogHead[] {
    return [...this.#pending.heads.values()]
  }

  head(log: LogId): LogHead | undefined {
    return this.#pending.heads.get(log)
  }

  value(space: string, key: string): Uint8Array | undefined {
    const pending = this.#pending.values.get(`${space}/${key}`)
    return pending ? pending.value : this.#behind.value(space, key)
  }

  putValue(space: string, key: string, value: Uint8Array | undefined): void {
    this.#change(() => this.#pending.setValue(space, key, value))
  }

  values(space: string): (readonly [string, Uint8Array])[] {
    const { values: pending } = this.#pending
    const values = this.#behind.values(space).filter(([key]) => !pending.has(`${space}/${key}`))
    for (const { space: of, key, value } of pending.values()) if (of === space && value) values.push([key, value])
    return values
  }

  async sync(): Promise<void> {
    const [loads, synced] = [this.#loads, this.#loadsSynced]
    // What says in the journal that it is here must not come to the disk before it.
    if (loads > synced) {
      await this.#behind.sync()
      this.#loadsSynced = Math.max(this.#loadsSynced, loads)
    }
    await this.#journal.sync()
  }

  /** What the journal still holds would be carried again by the next start after a kill, to where nothing is any more. */
  async settle(): Promise<void> {
    await this.#carrier.settle()
  }

  startOver(values: readonly StoreValue[]): boolean {
    const isSettled = this.#pending.isEmpty && this.#pending.tail.length === 0 && this.#journal.bytes === 0
    if (!isSettled || !this.#behind.startOver(values)) return false
    this.#pending.startOver()
    return true
  }

  /** Carries all there is to the store behind. @throws StoreError; what is not carried stays here and in the journal */
  carryAll(): void {
    this.#carrier.carryAll()
  }

  dispose(): void {
    this.#carrier.dispose()
  }

  /** It is in the journal, and not behind. */
  #takeIn(entry: JournalEntry): void {
    this.#depth++
    try {
      carryOut(entry, this)
      if (entry.tail.isWhole) this.#pending.cutTail(this.#pending.tail.length)
      const known = entry.tail.ops.length > 0 ? new Set(this.#pending.tail.map(({ id }) => id)) : undefined
      for (const op of entry.tail.ops) if (!known?.has(op.id)) this.#pending.addTail(op)
    } finally {
      this.#pending.end()
      this.#absent = undefined
      this.#depth--
    }
  }

  #nodeBehind(id: NodeId): NodeRecord | undefined {
    if (id === this.#absent) return undefined
    const record = this.#behind.node(id)
    if (!record && this.#depth > 0) this.#absent = id
    return record
  }

  #change(work: () => void): void {
    if (this.#depth > 0) work()
    else this.transaction(work)
  }

  /** Of a folder that the store behind has never held, it need not be asked; of others, what is newer here does not count. */
  #unlessNew(parent: NodeId, ask: () => readonly NodeId[]): readonly NodeId[] {
    const { nodes } = this.#pending
    return nodes.get(parent)?.isNew ? [] : ask().filter((id) => !nodes.get(id))
  }
}

/** @returns what is in no segment yet: what lay behind, and what came to it */
function carryJournal(journal: StoreJournal, behind: DatasetStore, left: readonly Op[]): { tail: Op[]; isAny: boolean } {
  let known = new Set(left.map(({ id }) => id))
  let tail = [...left]
  let isAny = tail.length > 0
  for (const bytes of journal.entries()) {
    isAny = true
    const entry = decodeEntry(bytes)
    carryOut(entry, behind)
    if (entry.tail.isWhole) [tail, known] = [[], new Set()]
    // What a failed sync had the journal write anew may be there twice.
    for (const op of entry.tail.ops) if (!known.has(op.id)) tail.push(op)
    for (const { id } of entry.tail.ops) known.add(id)
  }
  return { tail, isAny }
}

interface NodeRow {
  readonly record: NodeRecord
  readonly shown: string | undefined
}

const placeOf = ({ record, shown }: NodeRow): NodePlace => ({ parent: record.parent, isShown: shown !== undefined, id: record.id })
const byPlace = (a: NodeRow, b: NodeRow): number => (isAfterPlace(placeOf(a), placeOf(b)) ? 1 : -1)
