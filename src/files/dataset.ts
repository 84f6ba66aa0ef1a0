import { toHex, utf8 } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import type { DeviceId } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import { ChunkCipher } from './chunk-cipher.ts'
import type { ChunkId } from './chunk-id.ts'
import type { ChunkStore } from './chunk-store.ts'
import { ContentError } from './content-error.ts'
import { type ChunkSource, ContentReader } from './content-reader.ts'
import { type ContentChange, ContentWriter } from './content-writer.ts'
import { ChunkCutter } from './cut-chunks.ts'
import type { DatasetKeySource } from './dataset-key-source.ts'
import { type DatasetNode, type DatasetVersion, nodeOf, rootNode, versionOf } from './dataset-node.ts'
import type { DatasetStore } from './dataset-store.ts'
import { FileError } from './file-error.ts'
import type { FilesCrypto } from './files-crypto.ts'
import { EMPTY_MANIFEST, type Manifest } from './manifest.ts'
import { OpMerger, type Touched } from './merge-op.ts'
import { type Head, losersOf, type NodeRecord, winnerOf } from './node-record.ts'
import { type Content, isNodeName, type LogId, type NodeId, type OpBody, type OpId, ROOT_NODE } from './op.ts'
import { type Segment, type SegmentSigner, SegmentCodec } from './op-segment.ts'
import { OwnLog } from './own-log.ts'

export interface DatasetParts {
  readonly crypto: FilesCrypto
  readonly keys: DatasetKeySource
  readonly store: DatasetStore
  readonly chunks: ChunkStore
  readonly signer: SegmentSigner
  readonly deviceName: () => string
  /** Whose segments are taken in: devices of the person, also such as have left. */
  readonly isAuthor: (device: DeviceId) => boolean
  readonly source?: ChunkSource
  /** Told of each segment in the transaction that keeps it. */
  readonly book?: (segment: Segment, isOwn: boolean) => void
  readonly clock: Clock
  readonly logger: Logger
}

/** Something of the tree is another now. */
export interface DatasetChange {
  /** Made here through this object; otherwise another device's, taken in. */
  readonly isOwn: boolean
  readonly nodes: ReadonlySet<NodeId>
  /** Folders whose listing may be another. */
  readonly folders: ReadonlySet<NodeId>
}

/** Attributes of something new. Times default to now. */
export interface NewNode {
  readonly mode?: number
  readonly mtimeNs?: bigint
}

/**
 * One dataset on one device: the tree as all held ops make it, contents read and written, and what this device writes kept and
 * signed. Calls that change the tree are synchronous and survive kill -9 when they return; they never wait for a network.
 *
 * Owns its own log; the stores are the caller's. Disposing signs what is left.
 */
export class Dataset implements Disposable {
  readonly root = ROOT_NODE
  readonly codec: SegmentCodec
  readonly reader: ContentReader
  readonly #parts: DatasetParts
  readonly #writer: ContentWriter
  readonly #merger: OpMerger
  readonly #log: OwnLog
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<DatasetChange>())
  readonly #cut = this.#owned.add(new Emitter<{ log: LogId; seq: number }>())
  readonly #openedMs: number
  readonly #nodes = new WeakMap<NodeRecord, DatasetNode>()

  readonly onDidChange = this.#changed.event
  /** A segment of this device, or of another one taken in, can be offered to others. */
  readonly onDidAddSegment = this.#cut.event

  constructor(parts: DatasetParts) {
    this.#parts = parts
    const { crypto, keys, store, chunks, signer, clock, deviceName } = parts
    this.#openedMs = clock.nowMs()
    this.codec = new SegmentCodec(crypto, keys)
    const cipher = new ChunkCipher(crypto, keys)
    this.reader = new ContentReader(chunks, cipher, parts.source)
    this.#writer = new ContentWriter({ store: chunks, cipher, cutter: new ChunkCutter(crypto, keys.idKey), reader: this.reader, clock })
    const copyId = (node: NodeId, op: string) => toHex(crypto.sha256(utf8(`elsewhere/copy/1/${node}/${op}`)).subarray(0, 16)) as NodeId
    this.#merger = new OpMerger({ store, copyId })
    this.#log = new OwnLog({
      store,
      codec: this.codec,
      crypto,
      signer,
      deviceName,
      clock,
      ...(parts.book && { book: parts.book }),
      onDidCut: (log, seq) => this.#cut.fire({ log, seq }),
    })
    this.#owned.add(this.#log)
  }

  // What there is

  node(id: NodeId): DatasetNode | undefined {
    if (id === ROOT_NODE) return rootNode(this.#openedMs)
    const record = this.#parts.store.node(id)
    const shown = this.#parts.store.shownName(id)
    return record && shown !== undefined ? this.#shown(record, shown, this.#parts.clock.nowMs()) : undefined
  }

  /** Records do not change, and are shown again and again; only what is ahead of the clock is shown as another each time. */
  #shown(record: NodeRecord, shown: string, nowMs: number): DatasetNode {
    const kept = this.#nodes.get(record)
    if (kept?.name === shown) return kept
    const node = nodeOf(record, shown, nowMs)
    if (node.changedMs <= nowMs) this.#nodes.set(record, node)
    return node
  }

  /** @throws FileError `file/not-found` */
  require(id: NodeId): DatasetNode {
    const node = this.node(id)
    if (!node) throw new FileError('file/not-found', 'this file or folder is not there any more')
    return node
  }

  lookup(parent: NodeId, name: string): DatasetNode | undefined {
    const id = this.#parts.store.shownNode(parent, name)
    return id && this.node(id)
  }

  /** In no order. @throws FileError `file/not-a-folder` */
  children(parent: NodeId): DatasetNode[] {
    this.#requireFolder(parent)
    const nowMs = this.#parts.clock.nowMs()
    return this.#parts.store.children(parent).map(({ record, shown }) => this.#shown(record, shown, nowMs))
  }

  /** `/a/b`, from the top of the dataset. */
  pathOf(id: NodeId): string {
    const names: string[] = []
    const seen = new Set<NodeId>()
    for (let at = this.node(id); at && at.id !== ROOT_NODE && !seen.has(at.id); at = this.node(at.parent)) {
      names.unshift(at.name)
      seen.add(at.id)
    }
    return `/${names.join('/')}`
  }

  /** The node at a path from the top. @throws FileError `file/not-found` */
  at(path: string): DatasetNode {
    let node = this.require(ROOT_NODE)
    for (const name of path.split('/')) {
      if (name === '' || name === '.') continue
      const next = name === '..' ? this.require(node.parent) : this.lookup(node.id, name)
      if (!next) throw new FileError('file/not-found', `${path} is not in this dataset`)
      node = next
    }
    return node
  }

  /** Versions that are kept, the newest first. */
  versions(id: NodeId): DatasetVersion[] {
    const nowMs = this.#parts.clock.nowMs()
    const { store } = this.#parts
    const copyOf = store.node(id)?.copyOf
    return store.versions(copyOf?.node ?? id).map((head) => versionOf(head, nowMs))
  }

  /** What was removed and can be restored, the last first. */
  removed(): { readonly node: DatasetNode; readonly removedAtMs: number }[] {
    const nowMs = this.#parts.clock.nowMs()
    const rows = this.#parts.store.removedNodes().map((record) => {
      const last = this.#lastContent(record)
      const shownAs = { ...record, heads: last ? [last] : record.heads }
      return { node: nodeOf(shownAs, record.name, nowMs), removedAtMs: (record.heads[0] as Head).stamp / 1000 }
    })
    return rows.sort((a, b) => b.removedAtMs - a.removedAtMs)
  }

  // Content

  /** At most `length` bytes from `offset`, of the version shown or another one. @throws ContentError, FileError */
  async readRange(id: NodeId, offset: number, length: number, options: { version?: OpId; signal?: AbortSignal } = {}): Promise<Uint8Array> {
    return this.reader.read(this.manifestOf(id, options.version), offset, length, options.signal)
  }

  /** @throws FileError `file/not-found`, `file/not-a-file` */
  manifestOf(id: NodeId, version?: OpId): Manifest {
    const node = version === undefined ? this.require(id) : undefined
    if (node) {
      if (node.kind !== 'file') throw new FileError('file/not-a-file', `${node.name} is not a file`)
      return node.manifest
    }
    const copyOf = this.#parts.store.node(id)?.copyOf
    const found = this.#parts.store.versions(copyOf?.node ?? id).find(({ op }) => op === version)
    if (found?.content.kind !== 'file') throw new FileError('file/not-found', 'that version is not kept any more')
    return found.content.manifest
  }

  /**
   * Stores new content as a change of the version `base` (undefined: of nothing) and makes it a version of `id`. Its bytes are in
   * the chunk store when this resolves; `sync` makes them safe against a power cut. When another device wrote meanwhile, both
   * versions are kept: this one shown, the other as a conflict copy.
   *
   * @throws ContentError `chunk/store-full`, `chunk/unavailable`; FileError `file/not-found`
   */
  async commitContent(id: NodeId, base: OpId | undefined, change: ContentChange, options: { mtimeNs?: bigint } = {}): Promise<DatasetNode> {
    const before = base === undefined ? EMPTY_MANIFEST : this.manifestOf(id, base)
    return this.setContent(id, base, await this.#writer.change(before, change), options)
  }

  /** As commitContent, for content that lies in the chunk store already. */
  setContent(id: NodeId, base: OpId | undefined, manifest: Manifest, options: { mtimeNs?: bigint } = {}): DatasetNode {
    this.#settle(id)
    const record = this.#record(id)
    if (record.kind === 'folder') throw new FileError('file/not-a-file', `${record.name} is a folder`)
    const winner = winnerOf(record)
    const content: Content = { kind: 'file', manifest }
    const seen = base ?? winner.op
    const isShown = seen === winner.op
    const bases = isShown ? record.heads.map(({ op }) => op) : [seen]
    this.#write([{ kind: 'write', node: id, content, mtimeNs: options.mtimeNs ?? this.#nowNs(), bases }])
    return this.require(id)
  }

  /** Written here a short while ago; it may belong to content that is not a version yet. */
  isFresh(id: ChunkId): boolean {
    return this.#writer.isFresh(id)
  }

  /** What was committed before is on the disk itself when this resolves. */
  async sync(): Promise<void> {
    await Promise.all([this.#parts.chunks.sync(), this.#parts.store.sync()])
  }

  /** Stores content that is nobody's yet: for `createFile` and `setContent`. */
  changeContent(base: Manifest, change: ContentChange): Promise<Manifest> {
    return this.#writer.change(base, change)
  }

  /** As changeContent, at once where it can be. */
  changeContentNow(change: ContentChange): Manifest | undefined {
    return this.#writer.changeNow(change)
  }

  // Changes of the tree

  /** @throws FileError `file/exists`, `file/not-a-folder`, `file/bad-path` */
  createFile(parent: NodeId, name: string, options: NewNode & { readonly manifest?: Manifest } = {}): DatasetNode {
    return this.#create(
      parent,
      name,
      { kind: 'file', manifest: options.manifest ?? EMPTY_MANIFEST },
      options.mode ?? 0o644,
      options.mtimeNs,
    )
  }

  makeFolder(parent: NodeId, name: string, options: NewNode = {}): DatasetNode {
    return this.#create(parent, name, { kind: 'folder' }, options.mode ?? 0o755, options.mtimeNs)
  }

  makeLink(parent: NodeId, name: string, target: string, options: NewNode = {}): DatasetNode {
    if (target === '' || utf8(target).length > 4095 || target.includes('\0'))
      throw new FileError('file/bad-path', 'a link cannot lead there')
    return this.#create(parent, name, { kind: 'link', target }, options.mode ?? 0o777, options.mtimeNs)
  }

  /**
   * `replace`: what is at the target is removed in the same step (a file by a file, an empty folder by a folder).
   * @throws FileError `file/exists`, `file/not-found`, `file/bad-path` (a folder into itself)
   */
  move(id: NodeId, parent: NodeId, name: string, options: { readonly replace?: boolean } = {}): DatasetNode {
    this.#settle(id)
    const node = this.require(id)
    this.#requireFolder(parent)
    requireName(name)
    for (let at = this.node(parent); at && at.id !== ROOT_NODE; at = this.node(at.parent)) {
      if (at.id === id) throw new FileError('file/bad-path', `${node.name} cannot be moved into itself`)
    }
    const there = this.lookup(parent, name)
    if (there?.id === id) return node
    const bodies: OpBody[] = []
    if (there) {
      if (!options.replace) throw new FileError('file/exists', `${name} is there already; choose another name`)
      if ((there.kind === 'folder') !== (node.kind === 'folder'))
        throw new FileError('file/exists', `${name} is there already and is no ${node.kind}`)
      bodies.push(...this.#removal(there))
    }
    bodies.push({ kind: 'move', node: id, ...(parent !== node.parent && { parent }), name })
    this.#write(bodies)
    return this.require(id)
  }

  /** The two change places. */
  exchange(a: NodeId, b: NodeId): void {
    for (const id of [a, b]) this.#settle(id)
    const [first, second] = [this.require(a), this.require(b)]
    this.#write([
      { kind: 'move', node: a, parent: second.parent, name: second.name },
      { kind: 'move', node: b, parent: first.parent, name: first.name },
    ])
  }

  /** To the trash of the dataset: `restore` brings it back. @throws FileError `file/exists` (a folder that is not empty) */
  remove(id: NodeId): void {
    this.#settle(id)
    this.#write(this.#removal(this.require(id)))
  }

  /** With everything in it, in one step. */
  removeAll(id: NodeId): void {
    this.#settle(id)
    const bodies: OpBody[] = []
    const visit = (node: DatasetNode) => {
      for (const child of node.kind === 'folder' ? this.children(node.id) : []) visit(child)
      if (!node.isConflictCopy) bodies.push(this.#removalOp(node.id))
    }
    const node = this.require(id)
    const settleAll = (at: DatasetNode) => {
      if (at.hasConflict) this.#settle(at.id)
      for (const child of at.kind === 'folder' ? this.children(at.id) : []) settleAll(child)
    }
    settleAll(node)
    visit(node)
    this.#write(bodies)
  }

  /** Makes an earlier version the newest one; without one, undoes a removal. @throws FileError `file/not-found` */
  restore(id: NodeId, version?: OpId): DatasetNode {
    this.#settle(id)
    const record = this.#record(id)
    const last = version === undefined ? this.#lastContent(record) : undefined
    const found = version === undefined ? last : this.#parts.store.versions(id).find(({ op }) => op === version)
    const content: Content | undefined = record.kind === 'folder' ? { kind: 'folder' } : found?.content
    if (!content || content.kind === 'removed') throw new FileError('file/not-found', 'that version is not kept any more')
    const bodies: OpBody[] = []
    for (let parent = record.parent; parent !== ROOT_NODE && !this.node(parent); ) {
      const folder = this.#parts.store.node(parent)
      if (!folder) {
        bodies.push({ kind: 'move', node: id, parent: ROOT_NODE })
        break
      }
      bodies.unshift({
        kind: 'write',
        node: parent,
        content: { kind: 'folder' },
        mtimeNs: folder.mtimeNs,
        bases: folder.heads.map(({ op }) => op),
      })
      parent = folder.parent
    }
    const mtimeNs = found?.mtimeNs ?? record.mtimeNs
    bodies.push({ kind: 'write', node: id, content, mtimeNs, bases: record.heads.map(({ op }) => op) })
    this.#write(bodies)
    return this.require(id)
  }

  setAttributes(id: NodeId, changes: { readonly mode?: number; readonly mtimeNs?: bigint }): DatasetNode {
    if (id === ROOT_NODE) return this.require(id)
    this.#settle(id)
    this.#record(id)
    this.#write([{ kind: 'attributes', node: id, ...changes }])
    return this.require(id)
  }

  /** `value` in base64; undefined removes it. */
  setXattr(id: NodeId, name: string, value: string | undefined): void {
    this.#settle(id)
    this.#record(id)
    this.#write([{ kind: 'xattr', node: id, name, value: value ?? null }])
  }

  // Logs

  /** How far each log is held. */
  frontier(): ReadonlyMap<LogId, number> {
    return new Map(this.#parts.store.heads().map(({ log, seq }) => [log, seq]))
  }

  /** Segments that a holder of `frontier` lacks, each after those it needs; at most `limitBytes`, at least one. */
  segmentsAfter(frontier: ReadonlyMap<LogId, number>, limitBytes: number): Uint8Array[] {
    return this.segmentPage(frontier, limitBytes).segments
  }

  /** As segmentsAfter; and whether there are more. */
  segmentPage(frontier: ReadonlyMap<LogId, number>, limitBytes: number): { segments: Uint8Array[]; isMore: boolean } {
    const { store } = this.#parts
    const segments: Uint8Array[] = []
    let bytes = 0
    for (const [log, seq] of store.segmentOrder()) {
      if (seq <= (frontier.get(log) ?? 0)) continue
      const segment = store.segment(log, seq) as Uint8Array
      if (segments.length > 0 && bytes + segment.length > limitBytes) return { segments, isMore: true }
      segments.push(segment)
      bytes += segment.length
    }
    return { segments, isMore: false }
  }

  /**
   * Takes in a segment of another device. False: it is held already, or what it needs is not (ask again from the frontier).
   * @throws ContentError `segment/malformed`, `segment/refused`, `segment/forked`, `chunk/no-key`
   */
  takeSegment(bytes: Uint8Array): boolean {
    const { store, isAuthor, clock } = this.#parts
    const head = this.codec.check(bytes)
    if (!isAuthor(head.device)) throw new ContentError('segment/refused', 'a segment of files is of a device that nobody here knows')
    const held = store.heads().find(({ log }) => log === head.log)
    if (head.seq <= (held?.seq ?? 0)) {
      const known = store.segment(head.log, head.seq)
      if (known && this.codec.hashOf(known) !== head.hash) throw forked(head.device)
      return false
    }
    if (head.seq !== (held?.seq ?? 0) + 1) return false
    if (head.prev !== (held?.hash ?? '0'.repeat(64))) throw forked(head.device)
    const segment = this.codec.open(head, bytes, clock.nowMs())
    if (segment.first !== (held?.ops ?? 0))
      throw new ContentError('segment/malformed', 'a segment of files does not follow the one before it')
    const frontier = this.frontier()
    if (segment.deps.some(([log, seq]) => (frontier.get(log) ?? 0) < seq)) return false
    const touched: Touched = { nodes: new Set(), folders: new Set() }
    const stamp = segment.ops.at(-1)?.stamp ?? 0
    store.transaction(() => {
      for (const op of segment.ops) this.#merger.apply(op, { device: segment.device, deviceName: segment.deviceName }, touched)
      const ops = segment.first + segment.ops.length
      store.putSegment(
        { log: head.log, seq: head.seq, bytes },
        { log: head.log, device: head.device, seq: head.seq, hash: head.hash, ops, stamp },
      )
      this.#parts.book?.(segment, false)
    })
    this.#log.see({ log: head.log, seq: head.seq, stamp })
    this.#cut.fire({ log: head.log, seq: head.seq })
    this.#changed.fire({ isOwn: false, ...touched })
    return true
  }

  /** Signs what was written so far, so that it can be offered. */
  flush(): void {
    this.#log.flush()
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #create(parent: NodeId, name: string, content: Content, mode: number, mtimeNs = this.#nowNs()): DatasetNode {
    this.#requireFolder(parent)
    requireName(name)
    if (this.#parts.store.shownNode(parent, name)) throw new FileError('file/exists', `${name} is there already; choose another name`)
    const node = toHex(this.#parts.crypto.randomBytes(16)) as NodeId
    this.#write([{ kind: 'create', node, parent, name, mode, mtimeNs, content }])
    return this.require(node)
  }

  #removal(node: DatasetNode): OpBody[] {
    if (node.kind === 'folder' && this.#parts.store.hasChildren(node.id)) {
      throw new FileError('file/exists', `${node.name} is not empty`)
    }
    if (node.id === ROOT_NODE) throw new FileError('file/no-permission', 'the top of a dataset cannot be removed')
    this.#settle(node.id)
    return [this.#removalOp(node.id)]
  }

  #removalOp(id: NodeId): OpBody {
    const bases = this.#record(id).heads.map(({ op }) => op)
    return { kind: 'write', node: id, content: { kind: 'removed' }, mtimeNs: this.#nowNs(), bases }
  }

  /** A conflict copy becomes a file of its own as soon as somebody works with it or with what it lost against (rule FT6). */
  #settle(id: NodeId): void {
    const { store } = this.#parts
    const found = store.node(id)
    const record = found?.copyOf ? store.node(found.copyOf.node) : found
    if (!record || record.copies.length === 0) return
    const winner = winnerOf(record)
    const copies = losersOf(record).flatMap((head, n): OpBody[] => {
      const copy = store.node(record.copies[n] as NodeId)
      if (!copy?.copyOf) return []
      const { parent, name, mode } = copy
      return [{ kind: 'create', node: copy.id, parent, name, mode, mtimeNs: head.mtimeNs, content: head.content }]
    })
    const bases = record.heads.map(({ op }) => op)
    this.#write([...copies, { kind: 'write', node: record.id, content: winner.content, mtimeNs: winner.mtimeNs, bases }])
  }

  #write(bodies: readonly OpBody[]): void {
    const { store, signer, deviceName } = this.#parts
    const touched: Touched = { nodes: new Set(), folders: new Set() }
    const author = { device: signer.device, deviceName: deviceName().slice(0, 80) }
    let ops: ReturnType<OwnLog['append']> = []
    try {
      store.transaction(() => {
        ops = this.#log.append(bodies)
        for (const op of ops) this.#merger.apply(op, author, touched)
      })
    } catch (error) {
      this.#log.rollBack(ops)
      throw error
    }
    this.#log.settle()
    this.#changed.fire({ isOwn: true, ...touched })
  }

  #lastContent(record: NodeRecord): Head | undefined {
    const kept = this.#parts.store.versions(record.id).find(({ content }) => content.kind !== 'removed')
    return kept ?? record.heads.find(({ content }) => content.kind !== 'removed')
  }

  #record(id: NodeId): NodeRecord {
    const record = this.#parts.store.node(id)
    if (!record) throw new FileError('file/not-found', 'this file or folder is not there any more')
    return record
  }

  #requireFolder(id: NodeId): void {
    const node = this.require(id)
    if (node.kind !== 'folder') throw new FileError('file/not-a-folder', `${node.name} is not a folder`)
  }

  #nowNs(): bigint {
    return BigInt(Math.floor(this.#parts.clock.nowMs() * 1000)) * 1000n
  }
}

function requireName(name: string): void {
  if (!isNodeName(name)) throw new FileError('file/bad-path', `${JSON.stringify(name.slice(0, 60))} cannot be a name`)
}

const forked = (device: string) =>
  new ContentError(
    'segment/forked',
    `device ${device.slice(0, 12)} wrote two logs of files in one: its data folder was copied. Neither is taken in`,
  )
