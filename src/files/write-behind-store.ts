import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import { errorMessage } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { DatasetStore, FolderMove, LogHead, StoredSegment } from './dataset-store.ts'
import { carryOut, decodeEntry, encodeEntry, type JournalEntry } from './journal-entry.ts'
import type { Head, NodeRecord } from './node-record.ts'
import { isLater, type LogId, type Mark, type NodeId, type Op, type OpId } from './op.ts'
import { type PendingNode, PendingNodes } from './pending-nodes.ts'
import type { StoreJournal } from './store-journal.ts'

/** What lies behind: slow to change, quick to ask. */
export interface StoreBehind extends DatasetStore {
  /** All shown nodes of that name; two only while some of what was changed is not there yet. */
  shownNodes(parent: NodeId, shown: string): readonly NodeId[]
}

export interface WriteBehindOptions {
  readonly behind: StoreBehind
  readonly journal: StoreJournal
  readonly clock: Clock
  readonly log: Logger
}

/** What was changed is carried behind when nothing was for this long: files that come and go at once never get there. */
const QUIET_MS = 2_000
/** Or after this long, whatever goes on: a start after a kill reads what was not carried. */
const LONGEST_MS = 60_000
/** Or when there is as much as this: memory, and the time a start after a kill takes. */
const MANY = 30_000
const MANY_BYTES = 64 * 1024 * 1024
/** A stretch of carrying, and the pause after it: others have the loop in between. */
const STRETCH_MS = 10
const PAUSE_MS = 5
/** The pause while somebody asks: a program that lists folders is not to wait for what has time. */
const ASKED_PAUSE_MS = 100

/** Names one thing that may be pending. */
type PendingKey =
  | { readonly kind: 'node'; readonly id: NodeId }
  | { readonly kind: 'version'; readonly node: NodeId; readonly op: OpId }
  | { readonly kind: 'move'; readonly op: OpId }
  | { readonly kind: 'value'; readonly space: string; readonly key: string }
  | { readonly kind: 'segment'; readonly name: string }

interface Segmented {
  readonly segment: StoredSegment
  readonly head: LogHead
}

/**
 * A dataset store in front of another one. A transaction is one entry of the journal, which is one write to a file; what it
 * changed stays in memory, is found there, and is carried to the store behind in quiet moments, each thing once however often
 * it was changed. Making a small file is a handful of transactions, and each cost SQLite some twenty pages.
 *
 * Owns neither the store behind nor the journal; disposing carries what is left, when it is little.
 */
export class WriteBehindStore implements DatasetStore, Disposable {
  readonly #options: WriteBehindOptions
  readonly #behind: StoreBehind
  readonly #nodes = new PendingNodes()
  readonly #versions = new Map<NodeId, Map<OpId, Head | undefined>>()
  readonly #moves = new Map<OpId, FolderMove | undefined>()
  readonly #values = new Map<string, { readonly space: string; readonly key: string; readonly value: Uint8Array | undefined }>()
  readonly #segments = new Map<string, Segmented>()
  readonly #heads = new Map<LogId, LogHead>()
  /** No pending move is later. */
  #latest: Mark | undefined
  #tail: Op[] = []
  #count: number
  /** Of the transaction that runs. */
  #touched = new Map<string, PendingKey>()
  #undo: (() => void)[] = []
  #isTailCut = false
  #newTail: Op[] = []
  #depth = 0
  /** What is being carried, and what to forget then. */
  #carrying: { readonly keys: PendingKey[]; readonly forget: () => void } | undefined
  #timer: Disposable | undefined
  /** Somebody asked since the last stretch. */
  #isAsked = false
  #firstMs = 0
  #lastMs = 0
  #isDisposed = false

  /** Takes in what the journal holds. @throws StoreError */
  constructor(options: WriteBehindOptions) {
    this.#options = options
    this.#behind = options.behind
    const { behind, journal } = options
    let tail = behind.tail()
    const left = new Set(tail.map(({ id }) => id))
    let isAny = tail.length > 0
    behind.transaction(() => {
      for (const bytes of journal.entries()) {
        isAny = true
        const entry = decodeEntry(bytes)
        carryOut(entry, behind)
        if (entry.tail.isWhole) tail = [...entry.tail.ops]
        else for (const op of entry.tail.ops) if (!left.has(op.id)) tail.push(op)
      }
    })
    this.#tail = tail
    this.#count = behind.nodeCount()
    for (const head of behind.heads()) this.#heads.set(head.log, head)
    if (!isAny) return
    const forget = this.#turn()
    behind.transaction(() => behind.cutTail(behind.tail().length))
    this.#forgetSynced(forget)
  }

  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work()
    this.#depth++
    try {
      const result = work()
      const entry = this.#entry()
      if (entry) this.#options.journal.append(encodeEntry(entry))
      this.#begun()
      return result
    } catch (error) {
      for (const undo of this.#undo.reverse()) undo()
      throw error
    } finally {
      this.#touched = new Map()
      this.#undo = []
      this.#newTail = []
      this.#isTailCut = false
      this.#depth--
    }
  }

  node(id: NodeId): NodeRecord | undefined {
    this.#isAsked = true
    const pending = this.#nodes.get(id)
    return pending ? pending.record : this.#behind.node(id)
  }

  shownName(id: NodeId): string | undefined {
    const pending = this.#nodes.get(id)
    return pending ? pending.shown : this.#behind.shownName(id)
  }

  putNode(record: NodeRecord, shown: string | undefined): void {
    const before = this.#nodes.get(record.id)
    const isThere = before ? before.record !== undefined : this.#behind.node(record.id) !== undefined
    const isNew = before?.isNew ?? (record.kind === 'folder' && !isThere && !this.#behind.hasChildren(record.id))
    this.#setNode(record.id, before, { record, shown, isNew }, isThere ? 0 : 1)
  }

  deleteNode(id: NodeId): void {
    const before = this.#nodes.get(id)
    const isThere = before ? before.record !== undefined : this.#behind.node(id) !== undefined
    if (isThere) this.#setNode(id, before, { record: undefined, shown: undefined, isNew: before?.isNew ?? false }, -1)
  }

  shownNode(parent: NodeId, shown: string): NodeId | undefined {
    const ids = [...this.#nodes.shownAs(parent, shown), ...this.#unlessNew(parent, () => this.#behind.shownNodes(parent, shown))]
    return ids.length < 2 ? ids[0] : ids.sort()[0]
  }

  namesakes(parent: NodeId, name: string): NodeId[] {
    return [...this.#nodes.named(parent, name), ...this.#unlessNew(parent, () => this.#behind.namesakes(parent, name))]
  }

  children(parent: NodeId): { record: NodeRecord; shown: string }[] {
    this.#isAsked = true
    const pending = [...this.#nodes.listedIn(parent)].map((id) => {
      const { record, shown } = this.#nodes.get(id) as { record: NodeRecord; shown: string }
      return { record, shown }
    })
    if (this.#nodes.get(parent)?.isNew) return pending
    return [...pending, ...this.#behind.children(parent).filter(({ record }) => !this.#nodes.get(record.id))]
  }

  hasChildren(parent: NodeId): boolean {
    for (const _ of this.#nodes.listedIn(parent)) return true
    if (this.#nodes.get(parent)?.isNew || !this.#behind.hasChildren(parent)) return false
    return this.#behind.children(parent).some(({ record }) => !this.#nodes.get(record.id))
  }

  removedNodes(): NodeRecord[] {
    const removed = this.#behind.removedNodes().filter(({ id }) => !this.#nodes.get(id))
    for (const [, { record, shown }] of this.#nodes.all) if (record && shown === undefined) removed.push(record)
    return removed
  }

  nodeCount(): number {
    return this.#count
  }

  putMove(move: FolderMove): void {
    this.#setMove(move.op, move)
  }

  deleteMove(op: OpId): void {
    this.#setMove(op, undefined)
  }

  movesAfter(mark: Mark): FolderMove[] {
    const moves = this.#behind.movesAfter(mark).filter(({ op }) => !this.#moves.has(op))
    // Nearly always the mark is the latest there is.
    if (this.#latest && isLater(this.#latest, mark))
      for (const move of this.#moves.values()) if (move && isLater(move, mark)) moves.push(move)
    return moves.sort((a, b) => (isLater(a, b) ? 1 : -1))
  }

  putVersion(node: NodeId, version: Head): void {
    this.#setVersion(node, version.op, version)
  }

  deleteVersion(node: NodeId, op: OpId): void {
    this.#setVersion(node, op, undefined)
  }

  versions(node: NodeId): Head[] {
    const pending = this.#versions.get(node)
    const behind = this.#behind.versions(node)
    if (!pending) return behind
    const all = behind.filter(({ op }) => !pending.has(op))
    for (const version of pending.values()) if (version) all.push(version)
    return all.sort((a, b) => (isLater(a, b) ? -1 : 1))
  }

  *allVersions(): Iterable<{ node: NodeId; version: Head }> {
    // What is carried while somebody goes through them is in neither place twice, and in one at least.
    const pending = [...this.#versions].flatMap(([node, versions]) => [...versions].map(([op, version]) => ({ node, op, version })))
    const known = new Set(pending.map(({ node, op }) => `${node} ${op}`))
    for (const { node, version } of pending) if (version) yield { node, version }
    for (const found of this.#behind.allVersions()) if (!known.has(`${found.node} ${found.version.op}`)) yield found
  }

  putTail(op: Op): void {
    this.#changing(() => {
      const [tail, length] = [this.#tail, this.#tail.length]
      this.#undo.push(() => (tail.length = length))
      tail.push(op)
      this.#newTail.push(op)
    })
  }

  tail(): Op[] {
    return [...this.#tail]
  }

  cutTail(count: number): void {
    this.#changing(() => {
      const before = this.#tail
      this.#undo.push(() => (this.#tail = before))
      this.#tail = before.slice(count)
      this.#isTailCut = true
    })
  }

  putSegment(segment: StoredSegment, head: LogHead): void {
    this.#changing(() => {
      const name = `${segment.log}.${segment.seq}`
      const before = this.#heads.get(head.log)
      const was = this.#segments.get(name)
      this.#undo.push(() => {
        put(this.#segments, name, was)
        put(this.#heads, head.log, before)
      })
      this.#segments.set(name, { segment, head })
      this.#heads.set(head.log, head)
      this.#touched.set(`s${name}`, { kind: 'segment', name })
    })
  }

  segment(log: LogId, seq: number): Uint8Array | undefined {
    return this.#segments.get(`${log}.${seq}`)?.segment.bytes ?? this.#behind.segment(log, seq)
  }

  segmentOrder(): (readonly [LogId, number])[] {
    const order = [...this.#behind.segmentOrder()].filter(([log, seq]) => !this.#segments.has(`${log}.${seq}`))
    for (const { segment } of this.#segments.values()) order.push([segment.log, segment.seq])
    return order
  }

  heads(): readonly LogHead[] {
    return [...this.#heads.values()]
  }

  value(space: string, key: string): Uint8Array | undefined {
    const pending = this.#values.get(`${space}/${key}`)
    return pending ? pending.value : this.#behind.value(space, key)
  }

  putValue(space: string, key: string, value: Uint8Array | undefined): void {
    this.#changing(() => {
      const name = `${space}/${key}`
      const before = this.#values.get(name)
      this.#undo.push(() => put(this.#values, name, before))
      this.#values.set(name, { space, key, value })
      this.#touched.set(`e${name}`, { kind: 'value', space, key })
    })
  }

  values(space: string): (readonly [string, Uint8Array])[] {
    const values = this.#behind.values(space).filter(([key]) => !this.#values.has(`${space}/${key}`))
    for (const pending of this.#values.values()) if (pending.space === space && pending.value) values.push([pending.key, pending.value])
    return values
  }

  sync(): Promise<void> {
    return this.#options.journal.sync()
  }

  /** Carries all there is to the store behind. @throws StoreError; what is not carried stays here and in the journal */
  carryAll(): void {
    while (this.#isPending || this.#carrying) this.#carry(Number.POSITIVE_INFINITY)
  }

  dispose(): void {
    this.#timer?.dispose()
    this.#timer = undefined
    if (this.#isDisposed) return
    this.#isDisposed = true
    try {
      // More than that the next start reads from the journal: who locks does not wait.
      if (this.#nodes.size < MANY / 10) this.carryAll()
    } catch (error) {
      this.#options.log.warn('changes of files stay in the journal', { error: errorMessage(error) })
    }
  }

  // Changing

  #changing(work: () => void): void {
    if (this.#depth > 0) work()
    else this.transaction(work)
  }

  #setNode(id: NodeId, before: PendingNode | undefined, next: PendingNode, more: number): void {
    this.#changing(() => {
      this.#undo.push(() => {
        this.#nodes.set(id, before)
        this.#count -= more
      })
      this.#nodes.set(id, next)
      this.#count += more
      this.#touched.set(`n${id}`, { kind: 'node', id })
    })
  }

  #setMove(op: OpId, move: FolderMove | undefined): void {
    this.#changing(() => {
      const [wasThere, before] = [this.#moves.has(op), this.#moves.get(op)]
      this.#undo.push(() => void (wasThere ? this.#moves.set(op, before) : this.#moves.delete(op)))
      this.#moves.set(op, move)
      if (move && (!this.#latest || isLater(move, this.#latest))) this.#latest = move
      this.#touched.set(`m${op}`, { kind: 'move', op })
    })
  }

  #setVersion(node: NodeId, op: OpId, version: Head | undefined): void {
    this.#changing(() => {
      let versions = this.#versions.get(node)
      if (!versions) this.#versions.set(node, (versions = new Map()))
      const [wasThere, before] = [versions.has(op), versions.get(op)]
      const of = versions
      this.#undo.push(() => {
        if (wasThere) of.set(op, before)
        else this.#dropVersion(node, op)
      })
      versions.set(op, version)
      this.#touched.set(`v${node} ${op}`, { kind: 'version', node, op })
    })
  }

  #dropVersion(node: NodeId, op: OpId): void {
    const versions = this.#versions.get(node)
    versions?.delete(op)
    if (versions?.size === 0) this.#versions.delete(node)
  }

  /** What the transaction that runs has changed; undefined: nothing. */
  #entry(): JournalEntry | undefined {
    if (this.#touched.size === 0 && this.#newTail.length === 0 && !this.#isTailCut) return undefined
    const tail = this.#isTailCut ? { isWhole: true, ops: this.#tail } : { isWhole: false, ops: this.#newTail }
    return this.#entryOf(this.#touched.values(), tail)
  }

  #entryOf(keys: Iterable<PendingKey>, tail: JournalEntry['tail']): JournalEntry {
    const nodes: { record: NodeRecord; shown: string | undefined }[] = []
    const goneNodes: NodeId[] = []
    const versions: { node: NodeId; version: Head }[] = []
    const goneVersions: [NodeId, OpId][] = []
    const moves: FolderMove[] = []
    const goneMoves: OpId[] = []
    const values: JournalEntry['values'][number][] = []
    const segments: Segmented[] = []
    for (const key of keys) {
      if (key.kind === 'node') {
        const pending = this.#nodes.get(key.id)
        if (pending?.record) nodes.push({ record: pending.record, shown: pending.shown })
        else if (pending) goneNodes.push(key.id)
      } else if (key.kind === 'version') {
        const of = this.#versions.get(key.node)
        const version = of?.get(key.op)
        if (version) versions.push({ node: key.node, version })
        else if (of?.has(key.op)) goneVersions.push([key.node, key.op])
      } else if (key.kind === 'move') {
        const move = this.#moves.get(key.op)
        if (move) moves.push(move)
        else if (this.#moves.has(key.op)) goneMoves.push(key.op)
      } else if (key.kind === 'value') {
        const value = this.#values.get(`${key.space}/${key.key}`)
        if (value) values.push(value)
      } else {
        const segment = this.#segments.get(key.name)
        if (segment) segments.push(segment)
      }
    }
    return { nodes, goneNodes, versions, goneVersions, moves, goneMoves, values, segments, tail }
  }

  /** Of a folder that the store behind has never held, it need not be asked; of others, what is newer here does not count. */
  #unlessNew(parent: NodeId, ask: () => readonly NodeId[]): readonly NodeId[] {
    return this.#nodes.get(parent)?.isNew ? [] : ask().filter((id) => !this.#nodes.get(id))
  }

  // Carrying

  get #isPending(): boolean {
    return this.#nodes.size + this.#versions.size + this.#moves.size + this.#values.size + this.#segments.size > 0
  }

  get #isMuch(): boolean {
    return this.#nodes.size > MANY || this.#options.journal.bytes > MANY_BYTES
  }

  /** A transaction is done. */
  #begun(): void {
    this.#lastMs = this.#options.clock.monotonicMs()
    if (this.#isDisposed) return
    if (!this.#timer) {
      this.#firstMs = this.#lastMs
      this.#timer = this.#options.clock.after(QUIET_MS, () => this.#look())
    }
    // Nobody gave the loop a moment: whoever changes so much does its part.
    if (this.#nodes.size > 2 * MANY) this.#tryCarry()
  }

  #look(): void {
    this.#timer = undefined
    const nowMs = this.#options.clock.monotonicMs()
    const isDue = this.#carrying || nowMs - this.#lastMs >= QUIET_MS / 2 || nowMs - this.#firstMs >= LONGEST_MS || this.#isMuch
    const isDone = isDue ? this.#tryCarry() : true
    if (this.#isDisposed || !(this.#carrying || this.#isPending)) return
    const pauseMs = this.#isAsked && !this.#isMuch ? ASKED_PAUSE_MS : PAUSE_MS
    this.#isAsked = false
    this.#timer = this.#options.clock.after(isDue && isDone ? pauseMs : QUIET_MS, () => this.#look())
  }

  /** @returns false: it could not be done; it is tried again */
  #tryCarry(): boolean {
    try {
      this.#carry(STRETCH_MS)
      return true
    } catch (error) {
      this.#options.log.warn('changes of files stay in the journal for now', { error: errorMessage(error) })
      return false
    }
  }

  #carry(forMs: number): void {
    const { clock } = this.#options
    this.#carrying ??= { forget: this.#turn(), keys: [...this.#pendingKeys()].reverse() }
    const { keys, forget } = this.#carrying
    const endMs = clock.monotonicMs() + forMs
    const done: PendingKey[] = []
    try {
      this.#behind.transaction(() => {
        while (keys.length > 0 && (done.length % 16 !== 0 || done.length === 0 || clock.monotonicMs() < endMs)) {
          const key = keys.pop() as PendingKey
          done.push(key)
          carryOut(this.#entryOf([key], { isWhole: false, ops: [] }), this.#behind)
        }
      })
    } catch (error) {
      keys.push(...done.reverse())
      throw error
    }
    for (const key of done) this.#drop(key)
    if (keys.length > 0) return
    this.#carrying = undefined
    this.#firstMs = clock.monotonicMs()
    this.#forgetSynced(forget)
  }

  *#pendingKeys(): Iterable<PendingKey> {
    for (const [id] of this.#nodes.all) yield { kind: 'node', id }
    for (const [node, versions] of this.#versions) for (const op of versions.keys()) yield { kind: 'version', node, op }
    for (const op of this.#moves.keys()) yield { kind: 'move', op }
    for (const { space, key } of this.#values.values()) yield { kind: 'value', space, key }
    for (const name of this.#segments.keys()) yield { kind: 'segment', name }
  }

  /** It lies behind as it is here. */
  #drop(key: PendingKey): void {
    if (key.kind === 'node') this.#dropNode(key.id)
    else if (key.kind === 'version') this.#dropVersion(key.node, key.op)
    else if (key.kind === 'move') this.#moves.delete(key.op)
    else if (key.kind === 'value') this.#values.delete(`${key.space}/${key.key}`)
    else this.#segments.delete(key.name)
  }

  #dropNode(id: NodeId): void {
    const parent = this.#nodes.get(id)?.record?.parent
    this.#nodes.set(id, undefined)
    const folder = parent && this.#nodes.get(parent)
    // Its folder may come later: there is something in it behind from now on.
    if (parent && folder?.isNew) this.#nodes.set(parent, { ...folder, isNew: false })
  }

  /** A new part of the journal, which begins with what is never carried. */
  #turn(): () => void {
    const forget = this.#options.journal.turn()
    const entry = this.#entryOf([], { isWhole: true, ops: this.#tail })
    if (this.#tail.length > 0) this.#options.journal.append(encodeEntry(entry))
    return forget
  }

  /**
   * The journal is let go of when what it holds lies on the disk itself. What was carried may be newer than that, and half of a
   * change whose other half is in the journal only: so that comes first.
   */
  #forgetSynced(forget: () => void): void {
    const sync = async (): Promise<void> => {
      await this.#options.journal.sync()
      await this.#behind.sync()
      forget()
    }
    sync().catch((error: unknown) => {
      if (!this.#isDisposed) this.#options.log.warn('the journal of files is kept for now', { error: errorMessage(error) })
    })
  }
}

function put<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key)
  else map.set(key, value)
}
