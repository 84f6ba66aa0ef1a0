import type { FolderMove, LogHead, StoredSegment } from './dataset-store.ts'
import type { JournalEntry } from './journal-entry.ts'
import type { Head, NodeRecord } from './node-record.ts'
import { isLater, type LogId, type Mark, type NodeId, type Op, type OpId } from './op.ts'
import { type PendingNode, PendingNodes } from './pending-nodes.ts'

/** Names one thing that may be pending. */
export type PendingKey =
  | { readonly kind: 'node'; readonly id: NodeId }
  | { readonly kind: 'version'; readonly node: NodeId; readonly op: OpId }
  | { readonly kind: 'move'; readonly op: OpId }
  | { readonly kind: 'value'; readonly space: string; readonly key: string }
  | { readonly kind: 'segment'; readonly name: string }
  | { readonly kind: 'head'; readonly log: LogId }

export interface PendingSegment {
  readonly segment: StoredSegment
  readonly head: LogHead
  /** Orders them as they came. */
  readonly place: number
}

export interface PendingValue {
  readonly space: string
  readonly key: string
  /** Undefined: it was taken away. */
  readonly value: Uint8Array | undefined
}

/**
 * What is newer in memory than in the store behind; and of the transaction that runs, what it has changed and how to take that
 * back. Everything that sets something is called in one.
 */
export class PendingChanges {
  readonly nodes = new PendingNodes()
  readonly versions = new Map<NodeId, Map<OpId, Head | undefined>>()
  readonly moves = new Map<OpId, FolderMove | undefined>()
  readonly values = new Map<string, PendingValue>()
  readonly segments = new Map<string, PendingSegment>()
  /** Of all logs, also such as lie behind. */
  readonly heads = new Map<LogId, LogHead>()
  /** Heads of logs of which no segment came with them. */
  readonly bareHeads = new Map<LogId, LogHead>()
  /** No pending move is later. */
  #latestMove: Mark | undefined
  #tail: Op[]
  #nodeCount: number
  #touched = new Map<string, PendingKey>()
  #undo: (() => void)[] = []
  #isTailCut = false
  #places = 0
  #newTail: Op[] = []

  /** `nodeCount`: nodes behind. `tail`: all of it; it is never carried. */
  constructor(heads: Iterable<LogHead>, tail: Op[], nodeCount: number) {
    for (const head of heads) this.heads.set(head.log, head)
    this.#tail = tail
    this.#nodeCount = nodeCount
  }

  get isEmpty(): boolean {
    return this.nodes.size + this.versions.size + this.moves.size + this.values.size + this.segments.size + this.bareHeads.size === 0
  }

  get nodeCount(): number {
    return this.#nodeCount
  }

  get tail(): readonly Op[] {
    return this.#tail
  }

  movesAfter(mark: Mark): FolderMove[] {
    // Nearly always the mark is the latest there is.
    if (!this.#latestMove || !isLater(this.#latestMove, mark)) return []
    return [...this.moves.values()].filter((move) => move !== undefined && isLater(move, mark)) as FolderMove[]
  }

  /** `more`: nodes that are there now and were not. */
  setNode(id: NodeId, next: PendingNode, more: number): void {
    const before = this.nodes.get(id)
    this.#undo.push(() => {
      this.nodes.set(id, before)
      this.#nodeCount -= more
    })
    this.nodes.set(id, next)
    this.#nodeCount += more
    this.#touched.set(`n${id}`, { kind: 'node', id })
  }

  /** Nothing is pending, and nothing lies behind any more. Call it when nothing is. */
  startOver(): void {
    this.heads.clear()
    this.#latestMove = undefined
    this.#nodeCount = 0
  }

  /** So many nodes came to the store behind by another way. */
  noteLoaded(count: number): void {
    this.#nodeCount += count
  }

  setMove(op: OpId, move: FolderMove | undefined): void {
    this.#undo.push(undoing(this.moves, op))
    this.moves.set(op, move)
    if (move && (!this.#latestMove || isLater(move, this.#latestMove))) this.#latestMove = move
    this.#touched.set(`m${op}`, { kind: 'move', op })
  }

  setVersion(node: NodeId, op: OpId, version: Head | undefined): void {
    let of = this.versions.get(node)
    if (!of) this.versions.set(node, (of = new Map()))
    const undo = undoing(of, op)
    this.#undo.push(() => {
      undo()
      this.#tidyVersions(node)
    })
    of.set(op, version)
    this.#touched.set(`v${node} ${op}`, { kind: 'version', node, op })
  }

  setValue(space: string, key: string, value: Uint8Array | undefined): void {
    const name = `${space}/${key}`
    this.#undo.push(undoing(this.values, name))
    this.values.set(name, { space, key, value })
    this.#touched.set(`e${name}`, { kind: 'value', space, key })
  }

  setSegment(segment: StoredSegment, head: LogHead): void {
    const name = `${segment.log}.${segment.seq}`
    this.#undo.push(undoing(this.segments, name), undoing(this.heads, head.log), undoing(this.bareHeads, head.log))
    this.segments.set(name, { segment, head, place: this.#places++ })
    this.heads.set(head.log, head)
    this.bareHeads.delete(head.log) // it is older
    this.#touched.set(`s${name}`, { kind: 'segment', name })
  }

  setHead(head: LogHead): void {
    this.#undo.push(undoing(this.bareHeads, head.log), undoing(this.heads, head.log))
    this.bareHeads.set(head.log, head)
    this.heads.set(head.log, head)
    // Heads are carried before segments: its own must not bring back what it said when it came.
    const name = `${head.log}.${head.seq}`
    const last = this.segments.get(name)
    if (last) {
      this.#undo.push(undoing(this.segments, name))
      this.segments.set(name, { ...last, head })
    }
    this.#touched.set(`h${head.log}`, { kind: 'head', log: head.log })
  }

  addTail(op: Op): void {
    const [tail, length] = [this.#tail, this.#tail.length]
    this.#undo.push(() => (tail.length = length))
    tail.push(op)
    this.#newTail.push(op)
  }

  cutTail(count: number): void {
    const before = this.#tail
    this.#undo.push(() => (this.#tail = before))
    this.#tail = before.slice(count)
    this.#isTailCut = true
  }

  /** What the transaction that runs has changed; undefined: nothing. */
  changed(): JournalEntry | undefined {
    if (this.#touched.size === 0 && this.#newTail.length === 0 && !this.#isTailCut) return undefined
    return this.entryOf(
      this.#touched.values(),
      this.#isTailCut ? { isWhole: true, ops: this.#tail } : { isWhole: false, ops: this.#newTail },
    )
  }

  /** The transaction failed: nothing of it happened. */
  rollBack(): void {
    for (const undo of this.#undo.reverse()) undo()
  }

  /** The transaction is over. */
  end(): void {
    this.#touched = new Map()
    this.#undo = []
    this.#newTail = []
    this.#isTailCut = false
  }

  *keys(): Iterable<PendingKey> {
    for (const [id] of this.nodes.all) yield { kind: 'node', id }
    for (const [node, versions] of this.versions) for (const op of versions.keys()) yield { kind: 'version', node, op }
    for (const op of this.moves.keys()) yield { kind: 'move', op }
    for (const { space, key } of this.values.values()) yield { kind: 'value', space, key }
    for (const name of this.segments.keys()) yield { kind: 'segment', name }
    for (const log of this.bareHeads.keys()) yield { kind: 'head', log }
  }

  /** These things as they are now. */
  entryOf(keys: Iterable<PendingKey>, tail: JournalEntry['tail']): JournalEntry {
    const nodes: { record: NodeRecord; shown: string | undefined }[] = []
    const goneNodes: NodeId[] = []
    const versions: { node: NodeId; version: Head }[] = []
    const goneVersions: [NodeId, OpId][] = []
    const moves: FolderMove[] = []
    const goneMoves: OpId[] = []
    const values: PendingValue[] = []
    const segments: PendingSegment[] = []
    const heads: LogHead[] = []
    for (const key of keys) {
      if (key.kind === 'node') {
        const pending = this.nodes.get(key.id)
        if (pending?.record) nodes.push({ record: pending.record, shown: pending.shown })
        else if (pending) goneNodes.push(key.id)
      } else if (key.kind === 'version') {
        const of = this.versions.get(key.node)
        const version = of?.get(key.op)
        if (version) versions.push({ node: key.node, version })
        else if (of?.has(key.op)) goneVersions.push([key.node, key.op])
      } else if (key.kind === 'move') {
        const move = this.moves.get(key.op)
        if (move) moves.push(move)
        else if (this.moves.has(key.op)) goneMoves.push(key.op)
      } else if (key.kind === 'value') {
        const value = this.values.get(`${key.space}/${key.key}`)
        if (value) values.push(value)
      } else if (key.kind === 'head') {
        const head = this.bareHeads.get(key.log)
        if (head) heads.push(head)
      } else {
        const segment = this.segments.get(key.name)
        if (segment) segments.push(segment)
      }
    }
    return { nodes, goneNodes, versions, goneVersions, moves, goneMoves, values, heads, segments, tail }
  }

  /** What is pending of it: as long as it is not changed again, the same. */
  stateOf(key: PendingKey): unknown {
    switch (key.kind) {
      case 'node':
        return this.nodes.get(key.id)
      case 'version':
        return this.versions.get(key.node)?.get(key.op)
      case 'move':
        return this.moves.get(key.op)
      case 'value':
        return this.values.get(`${key.space}/${key.key}`)
      case 'head':
        return this.bareHeads.get(key.log)
      case 'segment':
        return this.segments.get(key.name)
    }
  }

  /** It lies behind as it was when that was its state; what was changed since stays. */
  dropIf(key: PendingKey, state: unknown): void {
    const now = this.stateOf(key)
    if (now === state || (key.kind === 'node' && isSameNode(now as PendingNode | undefined, state as PendingNode | undefined)))
      this.#drop(key)
  }

  #drop(key: PendingKey): void {
    if (key.kind === 'node') this.#dropNode(key.id)
    else if (key.kind === 'version') {
      this.versions.get(key.node)?.delete(key.op)
      this.#tidyVersions(key.node)
    } else if (key.kind === 'move') this.moves.delete(key.op)
    else if (key.kind === 'value') this.values.delete(`${key.space}/${key.key}`)
    else if (key.kind === 'head') this.bareHeads.delete(key.log)
    else this.segments.delete(key.name)
  }

  #dropNode(id: NodeId): void {
    const parent = this.nodes.get(id)?.record?.parent
    this.nodes.set(id, undefined)
    const folder = parent && this.nodes.get(parent)
    // Its folder may come later: there is something in it behind from now on.
    if (parent && folder?.isNew) this.nodes.set(parent, { ...folder, isNew: false })
  }

  #tidyVersions(node: NodeId): void {
    if (this.versions.get(node)?.size === 0) this.versions.delete(node)
  }
}

/** What puts a key of a map back to what it is now. */
function undoing<K, V>(map: Map<K, V>, key: K): () => void {
  if (!map.has(key)) return () => void map.delete(key)
  const before = map.get(key) as V
  return () => void map.set(key, before)
}

/** A folder is not new any more once something in it was dropped. */
const isSameNode = (a: PendingNode | undefined, b: PendingNode | undefined): boolean =>
  a !== undefined && b !== undefined && a.record === b.record && a.shown === b.shown
