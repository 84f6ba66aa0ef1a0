import { toHex, utf8 } from '../base/bytes.ts'
import type { DeviceId } from '../base/ids.ts'
import type { DatasetStore } from './dataset-store.ts'
import type { FilesCrypto } from './files-crypto.ts'
import { type Head, losersOf, type NodeRecord, winnerOf } from './node-record.ts'
import { isLater, type Mark, type NodeId, type Op, type OpBody, ROOT_NODE } from './op.ts'
import { isAgainstPolicy } from './replica-policy.ts'
import { conflictName } from './shown-name.ts'
import { nameAll } from './name-nodes.ts'

export interface MergeContext {
  readonly store: DatasetStore
  /** The id of the copy of a version that lost: made of the two ids, so that all devices make the same. */
  copyId(node: NodeId, op: string): NodeId
}

/** As every device makes it. */
export const copyIdOf =
  (crypto: FilesCrypto): MergeContext['copyId'] =>
  (node, op) =>
    toHex(crypto.sha256(utf8(`elsewhere/copy/1/${node}/${op}`)).subarray(0, 16)) as NodeId

/** Who wrote an op, and what it was called then: conflict copies are named after it, alike on every device. */
export interface Author {
  readonly device: DeviceId
  readonly deviceName: string
}

/** What may be another now: nodes, and folders whose listing may be. */
export interface Touched {
  readonly nodes: Set<NodeId>
  readonly folders: Set<NodeId>
}

/**
 * Takes ops into the tree. In whatever order two devices take the same ops in (each after those it had seen), they hold the
 * same tree (rules FT1-FT8). Knows nothing of logs and keys.
 */
export class OpMerger {
  readonly #context: MergeContext
  /** Folders whose first place is undone while an earlier move is put under it: they are nowhere. */
  readonly #unplaced = new Set<NodeId>()

  constructor(context: MergeContext) {
    this.#context = context
  }

  /** An op about a node that nobody created is ignored: its author was not honest. */
  apply(op: Op, author: Author, touched: Touched): void {
    const { store } = this.#context
    const mark = { stamp: op.stamp, op: op.id }
    const { body } = op
    if (body.node === ROOT_NODE || isAgainstPolicy(body)) return
    if (body.kind === 'create') return this.#create(body, mark, author, touched)
    const record = store.node(body.node)
    if (!record || record.copyOf) return
    switch (body.kind) {
      case 'write':
        return this.#write(record, body, mark, author, touched)
      case 'move':
        return this.#move(record, body, mark, touched)
      case 'attributes': {
        let next = record
        if (body.mode !== undefined && isLater(mark, next.modeAt)) next = { ...next, mode: body.mode, modeAt: mark }
        if (body.mtimeNs !== undefined && isLater(mark, next.mtimeAt)) next = { ...next, mtimeNs: body.mtimeNs, mtimeAt: mark }
        return this.#put(next, touched)
      }
      case 'xattr': {
        const before = Object.hasOwn(record.xattrs, body.name) ? record.xattrs[body.name] : undefined
        if (before && !isLater(mark, before.at)) return
        return this.#put({ ...record, xattrs: { ...record.xattrs, [body.name]: { value: body.value, at: mark } } }, touched)
      }
      case 'forget':
        return this.#put({ ...record, forgottenAt: Math.max(mark.stamp, record.forgottenAt ?? 0) }, touched)
    }
  }

  #create(body: OpBody & { kind: 'create' }, mark: Mark, author: Author, touched: Touched): void {
    const { store } = this.#context
    const head: Head = { ...mark, ...author, content: body.content, mtimeNs: body.mtimeNs }
    if (body.content.kind !== 'folder') store.putVersion(body.node, head)
    const found = store.node(body.node)
    const before = found?.copyOf ? undefined : found
    if (found?.copyOf) this.#unlist(found, touched)
    const { name, mode, mtimeNs } = body
    const parent = body.parent === body.node ? ROOT_NODE : body.parent // nobody honest makes that
    if (!before) {
      const at = { created: mark, parentAt: mark, nameAt: mark, modeAt: mark, mtimeAt: mark }
      const kind = body.content.kind === 'removed' ? 'file' : body.content.kind
      const record: NodeRecord = { id: body.node, kind, parent, name, mode, mtimeNs, ...at, xattrs: {}, heads: [head], copies: [] }
      if (body.content.kind !== 'folder') return this.#put(record, touched)
      store.putNode({ ...record, parentAt: { stamp: -1, op: mark.op } }, undefined)
      return this.#moveFolder(body.node, parent, mark, touched)
    }
    // The same node made on two devices at once: a conflict copy that both made a file of its own.
    let next: NodeRecord = { ...before, heads: sortedHeads([...before.heads, head]) }
    if (isLater(before.created, mark)) next = { ...next, created: mark }
    if (isLater(mark, next.nameAt)) next = { ...next, name, nameAt: mark }
    if (isLater(mark, next.modeAt)) next = { ...next, mode, modeAt: mark }
    if (isLater(mark, next.mtimeAt)) next = { ...next, mtimeNs, mtimeAt: mark }
    if (next.kind !== 'folder' && isLater(mark, next.parentAt)) next = { ...next, parent, parentAt: mark }
    this.#put(next, touched)
  }

  #write(record: NodeRecord, body: OpBody & { kind: 'write' }, mark: Mark, author: Author, touched: Touched): void {
    const head: Head = { ...mark, ...author, content: body.content, mtimeNs: body.mtimeNs }
    const replaced = new Set(body.bases)
    const heads = sortedHeads([...record.heads.filter(({ op }) => !replaced.has(op)), head])
    if (body.content.kind !== 'folder') this.#context.store.putVersion(record.id, head)
    const isNewer = body.content.kind !== 'removed' && isLater(mark, record.mtimeAt)
    this.#put({ ...record, heads, ...(isNewer && { mtimeNs: body.mtimeNs, mtimeAt: mark }) }, touched)
  }

  #move(record: NodeRecord, { parent, name }: OpBody & { kind: 'move' }, mark: Mark, touched: Touched): void {
    if (name !== undefined && isLater(mark, record.nameAt)) this.#put({ ...record, name, nameAt: mark }, touched)
    if (parent === undefined || parent === record.id) return
    const now = this.#context.store.node(record.id) as NodeRecord
    if (now.kind === 'folder') this.#moveFolder(record.id, parent, mark, touched)
    else if (isLater(mark, now.parentAt)) this.#put({ ...now, parent, parentAt: mark }, touched)
  }

  /** Moves of folders take effect in the order of their marks; one that comes late is put under those after it. */
  #moveFolder(node: NodeId, parent: NodeId, mark: Mark, touched: Touched): void {
    const { store } = this.#context
    this.#unplaced.clear()
    const later = store.movesAfter(mark)
    for (const move of [...later].reverse()) this.#undoMove(move.node, move.before, touched)
    this.#doMove(node, parent, mark, touched)
    for (const move of later) this.#doMove(move.node, move.parent, move, touched)
  }

  #doMove(node: NodeId, parent: NodeId, { stamp, op }: Mark, touched: Touched): void {
    const { store } = this.#context
    const record = store.node(node)
    if (!record) return
    const isFirst = this.#unplaced.delete(node) || (record.parentAt.stamp === -1 && record.parentAt.op === op)
    const closesCircle = this.#isWithin(parent, node)
    if (isFirst) {
      // Of a new folder only a liar says that it lies in itself: at the top everybody finds it.
      const to = closesCircle ? ROOT_NODE : parent
      store.putMove({ stamp, op, node, parent, before: { parent, at: { stamp: -1, op } } })
      const isThere = record.parent === to && record.parentAt.stamp === stamp && record.parentAt.op === op
      if (!isThere) this.#put({ ...record, parent: to, parentAt: { stamp, op } }, touched)
      return
    }
    store.putMove({ stamp, op, node, parent, before: closesCircle ? undefined : { parent: record.parent, at: record.parentAt } })
    if (!closesCircle) this.#put({ ...record, parent, parentAt: { stamp, op } }, touched)
  }

  #undoMove(node: NodeId, before: { parent: NodeId; at: Mark } | undefined, touched: Touched): void {
    const record = this.#context.store.node(node)
    if (!record || !before) return
    if (before.at.stamp === -1) this.#unplaced.add(node)
    else this.#put({ ...record, parent: before.parent, parentAt: before.at }, touched)
  }

  #isWithin(node: NodeId, folder: NodeId): boolean {
    const seen = new Set<NodeId>()
    for (
      let at: NodeId | undefined = node;
      at !== undefined && at !== ROOT_NODE && !seen.has(at);
      at = this.#context.store.node(at)?.parent
    ) {
      if (at === folder) return true
      if (this.#unplaced.has(at)) return false
      seen.add(at)
    }
    return false
  }

  /** Writes a node, lists it in its folder or not, and brings the names beside it, its copies and its folders in order. */
  #put(record: NodeRecord, touched: Touched): void {
    const { store } = this.#context
    const before = store.node(record.id)
    touched.nodes.add(record.id)
    for (const { parent } of before ? [record, before] : [record]) touched.folders.add(parent)
    if (before && this.#isListedAlike(before, record)) return store.putNode(record, store.shownName(record.id))
    const copies = record.copyOf ? [] : this.#putCopies(record, touched)
    const next = { ...record, copies }
    const isListed = this.#isListed(next)
    const shownBefore = store.shownName(record.id)
    store.putNode(next, isListed ? next.name : undefined)
    const hasMoved = before && (before.parent !== next.parent || before.name !== next.name)
    if (hasMoved) this.#nameAll(before.parent, before.name, touched, shownBefore)
    this.#nameAll(next.parent, next.name, touched, hasMoved ? undefined : shownBefore)
    if (before && before.parent !== next.parent) this.#reviveFolder(before.parent, touched)
    this.#reviveFolder(next.parent, touched)
  }

  /** Another content or other times, as nearly always: the names beside it, its copies and its folders stay as they are. */
  #isListedAlike(before: NodeRecord, { parent, name, nameAt, heads, copies, copyOf }: NodeRecord): boolean {
    if (copyOf || copies.length > 0 || heads.length !== 1 || heads[0]?.content.kind === 'removed') return false
    const isPlaced = before.parent === parent && before.name === name && sameMark(before.nameAt, nameAt)
    return isPlaced && this.#context.store.shownName(before.id) !== undefined
  }

  #putCopies(record: NodeRecord, touched: Touched): NodeId[] {
    const { store, copyId } = this.#context
    const losers = losersOf(record)
    const copies = losers.map(({ op }) => copyId(record.id, op))
    for (const gone of record.copies.filter((id) => !copies.includes(id))) {
      const copy = store.node(gone)
      if (copy?.copyOf) this.#unlist(copy, touched)
    }
    losers.forEach((head, n) => {
      const id = copies[n] as NodeId
      const found = store.node(id)
      if (found && !found.copyOf) return // it has become a file of its own
      const mark = { stamp: head.stamp, op: head.op }
      const name = conflictName(record.name, head.stamp, head.deviceName)
      const at = { created: mark, parentAt: mark, nameAt: mark, modeAt: mark, mtimeAt: mark }
      const copyOf = { node: record.id, op: head.op }
      const { parent, mode } = record
      const kind = head.content.kind === 'link' ? 'link' : 'file'
      this.#put({ id, kind, parent, name, mode, mtimeNs: head.mtimeNs, ...at, xattrs: {}, heads: [head], copies: [], copyOf }, touched)
    })
    return copies
  }

  #unlist(copy: NodeRecord, touched: Touched): void {
    const shownBefore = this.#context.store.shownName(copy.id)
    this.#context.store.deleteNode(copy.id)
    touched.nodes.add(copy.id)
    touched.folders.add(copy.parent)
    this.#nameAll(copy.parent, copy.name, touched, shownBefore)
    this.#reviveFolder(copy.parent, touched)
  }

  /** A removed folder with something in it that nobody removed is not removed. */
  #isListed(record: NodeRecord): boolean {
    const { content } = winnerOf(record)
    return content.kind !== 'removed' || this.#context.store.hasChildren(record.id)
  }

  /** Names all of this name in the folder; `left`: what one of them was shown as that is not there any more. */
  #nameAll(parent: NodeId, name: string, touched: Touched, left?: string): void {
    const { store } = this.#context
    for (const id of nameAll(store, parent, name, left)) {
      touched.nodes.add(id)
      touched.folders.add(parent)
    }
  }

  #reviveFolder(id: NodeId, touched: Touched): void {
    const { store } = this.#context
    const folder = id === ROOT_NODE ? undefined : store.node(id)
    if (!folder || this.#isListed(folder) === (store.shownName(id) !== undefined)) return
    this.#put(folder, touched)
  }
}

const sameMark = (a: Mark, b: Mark): boolean => a.stamp === b.stamp && a.op === b.op

const sortedHeads = (heads: readonly Head[]): Head[] => [...heads].sort((a, b) => (isLater(a, b) ? -1 : 1))
