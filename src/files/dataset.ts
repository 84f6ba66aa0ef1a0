import { toHex, utf8 } from '../base/bytes.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import { ChunkCipher } from './chunk-cipher.ts'
import type { ChunkId } from './chunk-id.ts'
import { ContentHolds } from './content-holds.ts'
import { ContentReader } from './content-reader.ts'
import { type ContentChange, ContentWriter } from './content-writer.ts'
import { ChunkCutter } from './cut-chunks.ts'
import { basesOf, restoringBodies, settlingBodies } from './dataset-bodies.ts'
import type { DatasetNode } from './dataset-node.ts'
import type { DatasetChange, DatasetParts, NewNode } from './dataset-parts.ts'
import { DatasetSegments } from './dataset-segments.ts'
import { DatasetView, requireName } from './dataset-view.ts'
import type { LogHead } from './dataset-store.ts'
import { FileError } from './file-error.ts'
import { keptVersions } from './kept-versions.ts'
import { EMPTY_MANIFEST, type Manifest, type Piece, sameManifest } from './manifest.ts'
import { copyIdOf, OpMerger, type Touched } from './merge-op.ts'
import { sameContent, winnerOf } from './node-record.ts'
import { type Content, type LogId, type NodeId, type OpBody, type OpId, ROOT_NODE } from './op.ts'
import { SegmentCodec } from './op-segment.ts'
import { POLICY_NODE, policyBodies, type ReplicaPolicy } from './replica-policy.ts'
import { OwnLog } from './own-log.ts'
import { markedName } from './shown-name.ts'
import { takeLeftBodies } from './left-ops.ts'
import { type LastPlace, type SyncedContent, SyncedContents } from './synced-contents.ts'

/** Chunks asked for at once when a whole content is wanted. */
const FETCHED_AT_ONCE = 64
/** Of many contents, and their bytes. */
const SHORT_AT_ONCE = 256
const SHORT_BYTES = 4 * 1024 * 1024

/**
 * One dataset on one device: the tree as all held ops make it, contents read and written, and what this device writes kept and
 * signed. Calls that change the tree are synchronous and survive kill -9 when they return; they never wait for a network.
 *
 * Owns its own log; the stores are the caller's. Disposing signs what is left.
 */
export class Dataset extends DatasetView implements Disposable {
  readonly codec: SegmentCodec
  readonly reader: ContentReader
  /** What it stores is nobody's before `createFile` or `setContent` names it. */
  readonly writer: ContentWriter
  readonly holds = new ContentHolds()
  readonly #parts: DatasetParts
  readonly #merger: OpMerger
  readonly #log: OwnLog
  readonly #segments: DatasetSegments
  readonly #synced: SyncedContents
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<DatasetChange>())
  readonly #cut = this.#owned.add(new Emitter<{ log: LogId; seq: number }>())

  readonly onDidChange = this.#changed.event
  /** A segment of this device, or of another one taken in, can be offered to others. */
  readonly onDidAddSegment = this.#cut.event

  constructor(parts: DatasetParts) {
    super(parts)
    this.#parts = parts
    const { crypto, keys, store, chunks, signer, clock, deviceName } = parts
    this.codec = new SegmentCodec(crypto, keys)
    const cipher = new ChunkCipher(crypto, keys)
    this.reader = new ContentReader(chunks, cipher, parts.source, () => new Promise((resolve) => void parts.clock.after(1, resolve)))
    this.writer = new ContentWriter({ store: chunks, cipher, cutter: new ChunkCutter(crypto, keys.idKey), reader: this.reader, clock })
    this.#merger = new OpMerger({ store, copyId: copyIdOf(crypto) })
    this.#log = new OwnLog({
      store,
      codec: this.codec,
      crypto,
      signer,
      deviceName,
      clock,
      logger: parts.logger,
      ...(parts.book && { book: parts.book }),
      ...(parts.unbook && { unbook: parts.unbook }),
      ...(parts.isLocal && { isLocal: true }),
      onDidCut: (log, seq) => this.#cut.fire({ log, seq }),
    })
    this.#owned.add(this.#log)
    this.#segments = new DatasetSegments({
      store,
      codec: this.codec,
      merger: this.#merger,
      log: this.#log,
      clock,
      isAuthor: parts.isAuthor,
      book: parts.book,
      unbook: parts.unbook,
      onDidTake: ({ log, seq }, touched) => {
        this.#cut.fire({ log, seq })
        this.#changed.fire({ isOwn: false, ...touched })
      },
    })
    const left = takeLeftBodies(store)
    if (left) this.#write(left.bodies, left.drop)
    this.#synced = new SyncedContents(store)
    for (const left of this.#synced.all()) this.#takeSynced(left)
  }

  /** What an earlier start synced, and no version names: nothing of it is dropped because its node is gone. */
  #takeSynced({ node, base, manifest, mtimeNs, last }: SyncedContent): void {
    const before = this.node(node) ?? this.removedNode(node)
    if (before?.kind === 'file' && sameManifest(before.manifest, manifest)) this.#synced.drop(node, base)
    else if (this.#parts.store.node(node)) this.setContent(node, base, manifest, { mtimeNs, endsSynced: true })
    else if (last) this.keepAsNew(last, manifest, mtimeNs, { node, base })
  }

  // Content

  /** At most `length` bytes from `offset`, of the version shown or another one. @throws ContentError, FileError */
  async readRange(id: NodeId, offset: number, length: number, options: { version?: OpId; signal?: AbortSignal } = {}): Promise<Uint8Array> {
    return this.reader.read(this.manifestOf(id, options.version), offset, length, options.signal)
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
    return this.setContent(id, base, await this.writer.change(before, change), options)
  }

  /** As commitContent, for content that lies in the chunk store already. `endsSynced`: it is what `keepSynced` kept, or follows it. */
  setContent(
    id: NodeId,
    base: OpId | undefined,
    manifest: Manifest,
    options: { readonly mtimeNs?: bigint; readonly endsSynced?: boolean } = {},
  ): DatasetNode {
    // A conflict copy's version is one of the file it lost against until it is settled, which names it anew.
    const copied = this.#parts.store.node(id)?.copyOf?.op
    this.#settle(id)
    const record = this.record(id)
    if (record.kind === 'folder') throw new FileError('file/not-a-file', `${record.name} is a folder`)
    const winner = winnerOf(record)
    const content: Content = { kind: 'file', manifest }
    const seen = base === undefined || base === copied ? winner.op : base
    const bases = seen === winner.op || this.#isContentOf(id, seen, winner.content) ? basesOf(record) : [seen]
    const body: OpBody = { kind: 'write', node: id, content, mtimeNs: options.mtimeNs ?? this.#nowNs(), bases }
    this.#write([body], () => options.endsSynced && this.#synced.drop(id, seen))
    return this.require(id)
  }

  /**
   * A conflict copy is none any more when what it lost against is gone: what was written into it (`of` as it was synced) is a file of
   * its own, as near to where it lay as can be.
   */
  keepAsNew(last: LastPlace, manifest: Manifest, mtimeNs: bigint, of: { readonly node: NodeId; readonly base: OpId }): DatasetNode {
    const parent = this.node(last.parent)?.kind === 'folder' ? last.parent : ROOT_NODE
    let { name } = last
    for (let n = 2; this.lookup(parent, name); n++) name = markedName(last.name, String(n))
    return this.#create(parent, name, { kind: 'file', manifest }, last.mode, mtimeNs, () => this.#synced.drop(of.node, of.base))
  }

  /** Settling names anew what is shown: who had seen those bytes has seen it. */
  #isContentOf(id: NodeId, version: OpId, content: Content): boolean {
    const found = this.#parts.store.versions(id).find(({ op }) => op === version)
    return found !== undefined && sameContent(found.content, content)
  }

  /** For content that is synced and goes on being written: found after a power cut when `sync` resolves, and a version then. */
  keepSynced(content: SyncedContent): void {
    this.#synced.keep(content)
  }

  /** The file was removed by who synced it: that is not to be found again. */
  dropSynced(id: NodeId, base: OpId): void {
    this.#synced.drop(id, base)
  }

  /** Contents that are in use and that no version may name. */
  contentsInUse(): Manifest[] {
    return [...this.holds.all(), ...this.syncedContents().map(({ manifest }) => manifest)]
  }

  /** What was synced and is no version yet. */
  syncedContents(): readonly SyncedContent[] {
    return this.#synced.all()
  }

  /** Contents that were stored before are on the disk itself when this resolves; what names them may not be. */
  syncContents(): Promise<void> {
    return this.#parts.chunks.sync()
  }

  /** What was committed before is on the disk itself when this resolves. */
  async sync(): Promise<void> {
    // What names them comes after: a power cut in between leaves what was there before.
    await this.#parts.chunks.sync()
    await this.#parts.store.sync()
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
    this.requireFolder(parent)
    requireName(name)
    for (const at of this.upFrom(parent)) {
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
    for (const { id: at, hasConflict } of this.within(id)) if (hasConflict || at === id) this.#settle(at)
    const all = this.within(id).filter(({ isConflictCopy }) => !isConflictCopy)
    this.#write(all.map((node) => this.#removalOp(node.id)))
  }

  /** Makes an earlier version the newest one; without one, undoes a removal. @throws FileError `file/not-found` */
  restore(id: NodeId, version?: OpId): DatasetNode {
    this.#settle(id)
    const record = this.record(id)
    const last = version === undefined ? this.lastContent(record) : undefined
    const found = version === undefined ? last : this.#parts.store.versions(id).find(({ op }) => op === version)
    this.#write(restoringBodies(this.#parts.store, record, found, (folder) => this.node(folder) !== undefined))
    return this.require(id)
  }

  /** What `restore` would make the content; undefined: no bytes. @throws FileError `file/not-found` */
  restorable(id: NodeId, version?: OpId): Manifest | undefined {
    const record = this.record(id)
    const found = version === undefined ? this.lastContent(record) : this.#parts.store.versions(id).find(({ op }) => op === version)
    return found?.content.kind === 'file' ? found.content.manifest : undefined
  }

  /** Does history keep this version now, whether or not it was thinned already? */
  keeps(node: NodeId, op: OpId): boolean {
    const { store, clock } = this.#parts
    const record = store.node(node)
    // Nearly always it is what is shown.
    if (record?.heads.some((head) => head.op === op)) return true
    return record !== undefined && keptVersions(store.versions(node), record, clock.nowMs()).has(op)
  }

  /** Has all bytes of a content on this device, for a version that will name it within the hour. @throws ContentError `chunk/unavailable` */
  async bringHere(manifest: Manifest, signal?: AbortSignal): Promise<void> {
    await this.#fetch(manifest, signal, (id) => this.writer.noteUsed(id))
    await this.#fetch(manifest, signal) // what went between is fetched again, and stays now
  }

  /** As bringHere, to be kept by whoever asked: nothing holds it here. @throws ContentError `chunk/unavailable` */
  fetch(manifest: Manifest, signal?: AbortSignal): Promise<void> {
    return this.#fetch(manifest, signal)
  }

  /** Is every chunk of a content on this device? Nobody is asked for its lists. */
  async isHere(manifest: Manifest): Promise<boolean> {
    let isAllHere = true
    const look = (pieces: readonly Piece[]) => {
      isAllHere &&= pieces.every(({ id }) => id === undefined || this.#parts.chunks.has(id))
    }
    look(manifest.pieces)
    return isAllHere && (await this.reader.eachListedHere(manifest, look)) && isAllHere
  }

  /** As fetch, of many: what is short is asked for together, and each does not take a round trip of its own. */
  async fetchAll(manifests: readonly Manifest[]): Promise<void> {
    let wanted = new Set<ChunkId>()
    let bytes = 0
    const bring = async () => {
      const ids = [...wanted]
      wanted = new Set()
      bytes = 0
      await this.ensureAll(ids)
    }
    for (const manifest of manifests) {
      if (manifest.depth > 0) await this.#fetch(manifest)
      else
        for (const { id, length } of manifest.pieces) {
          if (id === undefined || wanted.has(id)) continue
          wanted.add(id)
          bytes += length
          if (wanted.size >= SHORT_AT_ONCE || bytes >= SHORT_BYTES) await bring()
        }
    }
    await bring()
  }

  async #fetch(manifest: Manifest, signal?: AbortSignal, note?: (id: ChunkId) => void): Promise<void> {
    let wanted = new Set<ChunkId>() // equal bytes are one chunk
    const bring = async () => {
      const ids = [...wanted]
      wanted = new Set()
      await this.ensureAll(ids, signal)
    }
    const add = async (pieces: readonly Piece[]) => {
      for (const { id } of pieces) {
        if (id === undefined) continue
        note?.(id)
        wanted.add(id)
        if (wanted.size >= FETCHED_AT_ONCE) await bring()
      }
    }
    await add(manifest.pieces)
    await this.reader.eachListed(manifest, add, signal)
    await bring()
  }

  /** When one cannot be had, nothing of the others is under way any more: whoever tries again would have them asked for twice. */
  async ensureAll(ids: readonly ChunkId[], signal?: AbortSignal): Promise<void> {
    const stop = new AbortController()
    const ended = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
    const all = ids.map((id) => this.reader.ensure(id, ended))
    try {
      await Promise.all(all)
    } catch (error) {
      stop.abort()
      await Promise.allSettled(all)
      throw error
    }
  }

  /** What is in the trash, or some of it, is forgotten on every device, for good. */
  forget(ids: readonly NodeId[]): void {
    this.#write(ids.filter((id) => this.#parts.store.shownName(id) === undefined).map((node) => ({ kind: 'forget', node })))
  }

  setAttributes(id: NodeId, changes: { readonly mode?: number; readonly mtimeNs?: bigint }): DatasetNode {
    if (id === ROOT_NODE) return this.require(id)
    this.#settle(id)
    this.record(id)
    this.#write([{ kind: 'attributes', node: id, ...changes }])
    return this.require(id)
  }

  /** `value` in base64; undefined removes it. */
  setXattr(id: NodeId, name: string, value: string | undefined): void {
    this.#settle(id)
    this.record(id)
    this.#write([{ kind: 'xattr', node: id, name, value: value ?? null }])
  }

  /** Where contents have to be, from now on, on all devices (rule RP6). */
  setPolicy(policy: ReplicaPolicy): void {
    this.#write(policyBodies(this.#parts.store.node(POLICY_NODE), policy, this.#nowNs()))
  }

  // Logs

  /** How far each log is held. */
  frontier(): ReadonlyMap<LogId, number> {
    return this.#segments.frontier()
  }

  /** Segments that a holder of `frontier` lacks, each after those it needs; at most `limitBytes`, at least one. */
  segmentsAfter(frontier: ReadonlyMap<LogId, number>, limitBytes: number): Uint8Array[] {
    return this.#segments.after(frontier, limitBytes)
  }

  /** As segmentsAfter; and whether there are more. */
  segmentPage(frontier: ReadonlyMap<LogId, number>, limitBytes: number): { segments: Uint8Array[]; isMore: boolean } {
    return this.#segments.page(frontier, limitBytes)
  }

  /** Segments of these logs up to these numbers, the last first; at most `limitBytes`, at least one. */
  segmentsBehind(tips: ReadonlyMap<LogId, number>, limitBytes: number): Uint8Array[] {
    return this.#segments.behind(tips, limitBytes)
  }

  /** What a checkpoint says of logs is seen, as if their segments had been taken in: what is written from now on comes after it. */
  see(heads: readonly LogHead[]): void {
    for (const head of heads) this.#log.see(head)
  }

  /** Takes in a segment of another device: see DatasetSegments.take. Not while a checkpoint is loaded. @throws ContentError */
  takeSegment(bytes: Uint8Array): boolean {
    if (this.#parts.isLoading?.()) return false
    return this.#segments.take(bytes)
  }

  /** Was it written here, and not signed yet? */
  isUnsigned(version: OpId): boolean {
    return this.#log.isUnsigned(version)
  }

  /** Signs what was written so far, so that it can be offered. */
  flush(): void {
    this.#log.flush()
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #create(parent: NodeId, name: string, content: Content, mode: number, mtimeNs = this.#nowNs(), also?: () => void): DatasetNode {
    this.requireFolder(parent)
    requireName(name)
    if (this.#parts.store.shownNode(parent, name)) throw new FileError('file/exists', `${name} is there already; choose another name`)
    const node = toHex(this.#parts.crypto.randomBytes(16)) as NodeId
    this.#write([{ kind: 'create', node, parent, name, mode, mtimeNs, content }], also, node)
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
    return { kind: 'write', node: id, content: { kind: 'removed' }, mtimeNs: this.#nowNs(), bases: basesOf(this.record(id)) }
  }

  /** A conflict copy becomes a file of its own as soon as somebody works with it or with what it lost against (rule FT6). */
  #settle(id: NodeId): void {
    const bodies = settlingBodies(this.#parts.store, id)
    if (bodies.length > 0) this.#write(bodies)
  }

  /** A checkpoint brought these to the top folder: whoever keeps that nothing was there is told. */
  tellBrought(nodes: ReadonlySet<NodeId>): void {
    this.#changed.fire({ isOwn: false, nodes, folders: new Set([ROOT_NODE]) })
  }

  /** `also`: what goes into the same transaction. `drawn`: nobody has this id yet. */
  #write(bodies: readonly OpBody[], also?: () => void, drawn?: NodeId): void {
    const { store, signer, deviceName } = this.#parts
    const touched: Touched = { nodes: new Set(), folders: new Set() }
    const author = { device: signer.device, deviceName: deviceName().slice(0, 80) }
    let ops: ReturnType<OwnLog['append']> = []
    try {
      store.transaction(() => {
        if (drawn !== undefined) store.noteDrawn?.(drawn)
        ops = this.#log.append(bodies)
        for (const op of ops) this.#merger.apply(op, author, touched)
        also?.()
      })
    } catch (error) {
      this.#log.rollBack(ops)
      throw error
    }
    this.#log.settle()
    this.#changed.fire({ isOwn: true, ...touched })
  }

  #nowNs(): bigint {
    return BigInt(Math.floor(this.#parts.clock.nowMs() * 1000)) * 1000n
  }
}
