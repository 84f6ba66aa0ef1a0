import { fromBase64Url } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import type { DatasetId, DeviceId } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { type CacheLimit, type DiskRoom, limitBytesOf } from './cache-limit-contract.ts'
import type { BucketAccess } from './bucket/bucket-contract.ts'
import { DatasetBucket } from './bucket/dataset-bucket.ts'
import type { BucketSizes } from './bucket/bucket-upload.ts'
import type { ObjectStore } from './bucket/object-store.ts'
import { CheckpointLoader, withoutCheckpoint } from './checkpoint/checkpoint-loader.ts'
import { CheckpointMaker } from './checkpoint/checkpoint-maker.ts'
import { CheckpointOffers } from './checkpoint/checkpoint-offers.ts'
import { GivenUpCheckpoints, type GivenUpWhy } from './checkpoint/given-up.ts'
import { PageKeeper } from './checkpoint/page-keeper.ts'
import { PartialStore } from './checkpoint/partial-store.ts'
import { setAside, SetAsideSegments } from './checkpoint/set-aside.ts'
import { segmentsBehind, SegmentsBehind } from './checkpoint/segments-behind.ts'
import { ChunkCipher } from './chunk-cipher.ts'
import type { SealedChunk } from './chunk-id.ts'
import type { ChunkStore } from './chunk-store.ts'
import type { DatasetStatus } from './dataset-contract.ts'
import { HeldDatasetKeys } from './dataset-key-source.ts'
import type { OpenDatasetInput } from './dataset-keys-contract.ts'
import { byName, type DatasetNode } from './dataset-node.ts'
import type { DatasetStore } from './dataset-store.ts'
import { Dataset } from './dataset.ts'
import type { DirectDials, DirectSockets } from './direct-sockets.ts'
import { DatasetPolicy } from './dataset-policy.ts'
import { DroppedVersions } from './dropped-versions.ts'
import { FileExchange } from './file-exchange.ts'
import type { FilesCrypto } from './files-crypto.ts'
import { Housekeeping } from './housekeeping.ts'
import { makeRoom } from './keep-cache.ts'
import type { Manifest } from './manifest.ts'
import type { NodeId, OpId } from './op.ts'
import { LocalFolders } from './local-folders.ts'
import type { PastTree } from './past-tree.ts'
import { PastTrees } from './past-trees.ts'
import { PeerChunks } from './peer-chunks.ts'
import { Pins } from './pins.ts'
import { policyState } from './policy-state.ts'
import { Prefetch } from './prefetch.ts'
import { POLICY_NODE, type PolicyInForce } from './replica-policy.ts'
import { ReplicationBook } from './replication-book.ts'
import { UnheardDevices } from './unheard-devices.ts'
import { WatchedChunkStore } from './watched-chunk-store.ts'

/** Where a dataset lies on this device; opened with its keys, closed with them. */
export interface DatasetStores extends Disposable {
  readonly store: DatasetStore
  readonly chunks: ChunkStore
  /** Of the contents, at most, whatever this device's setting says: decided for this process, by hand or by a test. */
  readonly limitBytes?: number | undefined
  /** The disk they lie on. */
  disk?(): DiskRoom
  /** The tree was damaged and is set aside under this name; left out: it was not. */
  readonly setAside?: string | undefined
  /** The tree is found to be damaged while it is used: it is to be closed, and opened as `isDamaged`. */
  readonly onDidDamage?: Event<void>
}

export interface DatasetHostParts {
  readonly crypto: FilesCrypto
  readonly clock: Clock
  readonly logger: Logger
  /** How this process reaches another one's without their links; absent: it does not. */
  readonly directSockets?: DirectSockets | undefined
  /** The same where no TCP connection comes about; absent: it does not. */
  readonly directDials?: DirectDials | undefined
  /** A bucket that holds datasets, too; left out: this process reaches none. */
  readonly openBucket?: ((access: BucketAccess) => ObjectStore) | undefined
  /** For tests: other sizes than 8 and 64 MiB, or a bug. */
  readonly bucketSizes?: BucketSizes
  /** The other datasets of this device, which share its limit; left out: there are none. */
  readonly beside?: (() => readonly OpenDataset[]) | undefined
  /** Bytes of this machine's network cost; left out: nobody says so. */
  readonly isMetered?: (() => Promise<boolean>) | undefined
  /** `part`: what others have, too, or folders of this device only. `storageKey` is the caller's to wipe. @throws StoreError */
  openStores(dataset: DatasetId, storageKey: Uint8Array, part: 'shared' | 'local', isDamaged?: boolean): DatasetStores
}

/** Sorted folders kept, for displays that read them page by page. */
const KEPT_FOLDERS = 8
/** Somebody writes while a dataset starts over: it is begun again so often. */
const MAX_SETTLES = 50
/** How often the cache is cut to its limit, however little is put in: other programs fill the disk, too, and a limit may be another. */
const CACHE_CHECK_MS = 30_000

/** One dataset while the device is open. */
export class OpenDataset implements Disposable {
  readonly id: DatasetId
  name: string
  readonly dataset: Dataset
  readonly book: ReplicationBook
  readonly exchange: FileExchange
  readonly dropped: DroppedVersions
  readonly housekeeping: Housekeeping
  /** Folders of this device only. */
  readonly local: LocalFolders
  /** What this device keeps whole. */
  readonly pins: Pins
  /** Where its contents have to be. */
  readonly policy: DatasetPolicy
  /** What is fetched when this device is unlocked. */
  readonly prefetch: Prefetch
  readonly store: PartialStore
  readonly chunks: ChunkStore
  readonly clock: Clock
  /** Makes checkpoints for new devices. */
  readonly maker: CheckpointMaker
  /** Starts this device with one, if it is new. */
  readonly loader: CheckpointLoader
  /** The bucket that holds it, if there is one. */
  readonly bucket: DatasetBucket
  /** Own changes that wait for what they follow on. */
  readonly setAside: SetAsideSegments
  readonly #givenUp: GivenUpCheckpoints
  readonly #gaveUp = new Emitter<void>()
  readonly #stores: DatasetStores
  readonly #damaged = new Emitter<'shared' | 'local'>()
  readonly #setAside: string[] = []
  readonly #keys: HeldDatasetKeys
  /** While there are some, nothing is let go of. */
  readonly #unheard: UnheardDevices
  readonly #owned = new DisposableStore()
  readonly #sorted = new Map<NodeId, readonly DatasetNode[]>()
  readonly #self: DeviceId
  readonly #pasts: PastTrees
  #devices: OpenDatasetInput['devices']
  readonly #beside: () => readonly OpenDataset[]
  #isAlwaysOn: boolean
  #cacheLimit: CacheLimit
  #failed: { readonly checkpoint: Uint8Array; readonly why: GivenUpWhy } | undefined
  /** The checkpoint that it was started with cannot be had: whoever opened it has it start over, and opens it anew. */
  readonly onDidGiveUp = this.#gaveUp.event
  /** One of its trees cannot be read: whoever opened it opens it anew, with that one as damaged. */
  readonly onDidDamage = this.#damaged.event
  #turn: Promise<unknown> = Promise.resolve()

  /** `opened`: its shared stores, if somebody opened them already; they are this object's then. */
  constructor(parts: DatasetHostParts, input: OpenDatasetInput, opened?: DatasetStores, damaged?: 'shared' | 'local') {
    this.#beside = parts.beside ?? (() => [])
    this.id = input.dataset as DatasetId
    this.name = input.name
    this.#self = input.device as DeviceId
    this.#devices = input.devices
    this.#isAlwaysOn = input.isAlwaysOn === true
    this.#cacheLimit = input.cacheLimit ?? { kind: 'first' }
    const { crypto, clock, logger } = parts
    this.clock = clock
    const keys = new HeldDatasetKeys(this.id, fromBase64Url(input.idKey), epochsOf(input.epochs))
    this.#keys = this.#owned.add(keys)
    const storageKey = fromBase64Url(input.storageKey)
    const seed = fromBase64Url(input.segmentSeed)
    try {
      this.#stores = this.#owned.add(opened ?? parts.openStores(this.id, storageKey, 'shared'))
      this.#watch('shared', this.#stores)
      const store = (this.store = new PartialStore(this.#stores.store))
      const room = (bytes: number) => this.makeRoom(bytes)
      const look = () =>
        this.#owned.isDisposed ? Promise.resolve() : room(0).catch((error) => logger.warn('the cache could not be cut', { error }))
      this.chunks = new WatchedChunkStore(this.#stores.chunks, { limitBytes: () => this.limitBytes, look })
      this.#unheard = new UnheardDevices(store, () => clock.nowMs())
      const signer = { device: input.device as DeviceId, key: crypto.signingKey(seed), certificate: fromBase64Url(input.certificate) }
      const isMember = (device: string) => this.isMember(device)
      const isAuthor = (device: string) => this.#devices.some((known) => known.device === device)
      const isInBucket = (segment: string, number: number) => this.bucket.has(segment, number)
      this.bucket = this.#owned.add(
        new DatasetBucket({ crypto, keys, store, open: parts.openBucket, sizes: parts.bucketSizes, clock, logger }),
      )
      this.policy = this.#owned.add(new DatasetPolicy(store))
      this.policy.noteDepartures(departuresIn(input.devices))
      const book = new ReplicationBook({
        crypto,
        dataset: this.id,
        store,
        signer,
        isMember,
        policy: () => this.policy.current,
        isAlwaysOn: () => this.#isAlwaysOn,
        isInBucket,
      })
      this.book = book
      const source = this.#owned.add(new PeerChunks(clock, logger, (chunk) => this.#isGenuine(chunk)))
      this.dataset = this.#owned.add(
        new Dataset({
          source,
          // Own changes that come back are still this device's to look after.
          book: (segment, isOwn) =>
            book.book(segment, isOwn || (this.setAside.count > 0 && book.own.some(({ hash }) => hash === segment.hash))),
          unbook: (hash) => book.unbook(hash),
          crypto,
          keys,
          store,
          chunks: this.chunks,
          signer,
          isLoading: () => store.gate !== undefined,
          deviceName: () => this.nameOf(input.device),
          isAuthor,
          clock,
          logger,
        }),
      )
      const { dataset, chunks } = this
      this.policy.follow(dataset)
      this.#pasts = this.#owned.add(new PastTrees({ dataset, store, clock, crypto }))
      const pages = this.#owned.add(new PageKeeper({ chunks, store, cipher: new ChunkCipher(crypto, keys), holds: dataset.holds }))
      const base = { dataset, id: this.id, store, pages, crypto, clock, logger }
      const mayMake = (device: string) =>
        this.#devices.some((known) => known.device === device && known.isMember && known.isAdmin !== false)
      const isAdmin = () => mayMake(this.#self)
      const maker = this.#owned.add(new CheckpointMaker({ ...base, chunks, signer, isAdmin, epoch: () => keys.current.epoch }))
      this.maker = maker
      const onDidLoad: typeof maker.adopted = (...loaded) => {
        this.policy.review()
        return maker.adopted(...loaded)
      }
      this.#givenUp = new GivenUpCheckpoints(base)
      const loader = this.#owned.add(
        new CheckpointLoader({
          ...{ ...base, mayMake, isAuthor, onDidLoad },
          isLinked: () => !source.isAlone,
          allows: (checkpoint) => this.#givenUp.allows(checkpoint),
          onDidGiveUp: (checkpoint, why) => {
            this.#failed = { checkpoint, why }
            this.#gaveUp.fire()
          },
        }),
      )
      this.loader = loader
      this.setAside = this.#owned.add(new SetAsideSegments(base))
      const behind = this.#owned.add(
        new SegmentsBehind({
          ...base,
          book: (segment, isOwn) => book.book(segment, isOwn),
          unbook: (hash) => book.unbook(hash),
          onDidBring: () => void this.exchange.copy(),
        }),
      )
      const offers = new CheckpointOffers({ id: this.id, loader, crypto, clock, logger })
      const own = this.#owned.add(parts.openStores(this.id, storageKey, 'local', damaged === 'local'))
      this.#watch('local', own)
      const isLocal = { isLocal: true, isAuthor: () => false, deviceName: () => '', signer, crypto, keys, clock, logger }
      const inside = this.#owned.add(new Dataset({ ...isLocal, store: own.store, chunks: own.chunks }))
      this.local = new LocalFolders({ host: dataset, dataset: inside, store: own.store, chunks: own.chunks, log: logger })
      const placeOf = (manifest: Manifest) => this.placeOf(manifest)
      this.pins = this.#owned.add(
        new Pins({ dataset, store, clock, logger, placeOf, makeRoom: (bytes) => this.makeRoom(bytes), keepsAll: () => this.keepsAll }),
      )
      const { isMetered } = parts
      const makeRoom = (bytes: number) => this.makeRoom(bytes)
      this.prefetch = this.#owned.add(
        new Prefetch({ dataset, store, chunks, clock, logger, limitBytes: () => this.limitBytes, makeRoom, isMetered }),
      )
      const dropped = (this.dropped = new DroppedVersions(store))
      const acknowledgements = new Acknowledgements({ store, others: () => this.otherDevices, nowMs: () => clock.nowMs() })
      const inTurn = <T>(work: () => Promise<T>) => this.#inTurn(work)
      this.housekeeping = this.#owned.add(
        new Housekeeping({
          ...{ dataset, store, chunks, dropped, book, acknowledgements, local: this.local, clock, logger },
          isLoading: () => loader.isLoading || this.#isHeld,
        }),
      )
      this.exchange = this.#owned.add(
        new FileExchange({
          ...{ dataset, id: this.id, store, chunks, book, acknowledgements, source, clock, logger, makeRoom: room, inTurn },
          mostBytes: () => this.limitBytes,
          pause: () => new Promise((resolve) => void clock.after(1, resolve)),
          onDidHear: (device) => this.#unheard.hear(device),
          begin: (client, device) => offers.begin(client, device),
          behind: (client) => {
            this.setAside.take()
            return behind.fetch(client)
          },
        }),
      )
      const isGenuine = (chunk: SealedChunk) => this.#isGenuine(chunk)
      this.bucket.serve({
        self: this.#self,
        dataset,
        chunks,
        dropped,
        book,
        source,
        behind: (segments) => behind.give(segments),
        isGenuine,
        isLoading: () => loader.isLoading || store.gate !== undefined,
      })
      this.bucket.use(input.bucket)
      this.#owned.add(this.policy.onDidChange(() => this.#reviewHolders()))
      // A kill may have come between what was seen and what follows from it.
      if (!isFirst(this.policy.current)) book.reviewHolders()
      book.renewPromises()
      this.#owned.add(clock.every(CACHE_CHECK_MS, () => void look()))
    } catch (error) {
      this.#owned.dispose()
      throw error
    } finally {
      storageKey.fill(0)
      seed.fill(0)
    }
    this.#owned.add(
      this.dataset.onDidChange(({ folders, nodes, isOwn }) => {
        if (!isOwn) this.#pasts.clear() // it may have been written before, and come late
        for (const folder of folders) this.#sorted.delete(folder)
        for (const node of nodes) this.#sorted.delete(this.dataset.node(node)?.parent ?? node)
      }),
    )
  }

  renew({ epochs, devices, isAlwaysOn, cacheLimit }: Pick<OpenDatasetInput, 'epochs' | 'devices' | 'isAlwaysOn' | 'cacheLimit'>): void {
    this.#keys.replace(epochsOf(epochs))
    this.#devices = devices
    if (isAlwaysOn !== undefined) this.#isAlwaysOn = isAlwaysOn
    this.policy.noteDepartures(departuresIn(devices))
    this.book.review()
    if (cacheLimit && JSON.stringify(cacheLimit) !== JSON.stringify(this.#cacheLimit)) {
      this.#cacheLimit = cacheLimit
      this.#fetchWanted() // what there was no room for
    }
  }

  /** What this device keeps of the contents of all datasets at most, in bytes. */
  get limitBytes(): number {
    const { limitBytes, disk } = this.#stores
    if (limitBytes !== undefined || !disk) return limitBytes ?? Number.MAX_SAFE_INTEGER
    return limitBytesOf(this.#cacheLimit, disk(), this.chunks.stats.bytes + this.#besideBytes)
  }

  /** Taken by the other datasets, where they share the limit. */
  get #besideBytes(): number {
    if (this.#stores.limitBytes !== undefined) return 0
    return this.#beside().reduce((sum, { chunks }) => sum + chunks.stats.bytes, 0)
  }

  /** Does the policy name this device? Then all of it is kept here. */
  get keepsAll(): boolean {
    return this.policy.current.on.includes(this.#self)
  }

  /** @returns false  it is called so already */
  rename(name: string): boolean {
    const before = this.name
    this.name = name
    return name !== before
  }

  /** Names of files with damaged trees that were set aside when it was opened. */
  get setAsideFiles(): readonly string[] {
    return this.#setAside
  }

  /** This device. */
  get self(): DeviceId {
    return this.#self
  }

  /** It was removed. */
  hasLeft(device: string): boolean {
    return this.#devices.some((known) => known.device === device && !known.isMember)
  }

  isMember(device: string): boolean {
    return this.#devices.some((known) => known.device === device && known.isMember)
  }

  nameOf(device: string): string {
    return this.#devices.find((known) => known.device === device)?.name ?? device.slice(0, 8)
  }

  /**
   * Forgets what was loaded of a checkpoint that cannot be had, for good; what was written here meanwhile is set aside until what it follows
   * on is here. Whoever calls it disposes this object in the same turn in which it resolves, and opens it anew. @throws StoreError; then it goes on at the next start
   */
  async startOver(): Promise<void> {
    const { dataset, store } = this
    if (!this.#failed) return
    const { checkpoint, why } = this.#failed
    for (let tries = 0; tries < MAX_SETTLES; tries++) {
      dataset.flush()
      await store.settle()
      const values = [...setAside(store, this.#self), ...withoutCheckpoint(store), ...this.#givenUp.note(checkpoint, why)]
      if (store.startOver(values)) return
    }
    throw new Error('these files are written to all the time')
  }

  /** By name, as people sort: folders and files alike, `2` before `10`. */
  sortedChildren(folder: NodeId): readonly DatasetNode[] {
    const kept = this.#sorted.get(folder)
    if (kept) return kept
    const sorted = byName(this.dataset.children(folder))
    this.#sorted.set(folder, sorted)
    if (this.#sorted.size > KEPT_FOLDERS) this.#sorted.delete(this.#sorted.keys().next().value as NodeId)
    return sorted
  }

  /** Where the bytes of a content are, as its first list tells: a list of lists counts as one piece. */
  placeOf({ pieces }: Manifest): 'here' | 'part' | 'away' {
    const own = pieces.filter(({ id }) => id !== undefined)
    const held = own.filter(({ id }) => id !== undefined && this.chunks.has(id)).length
    return held === own.length ? 'here' : held > 0 ? 'part' : 'away'
  }

  /** The tree as it was at `atMs`, by the clocks of those who wrote. @throws StoreError, ContentError */
  past(atMs: number): Promise<PastTree> {
    return this.#pasts.at(atMs)
  }

  /**
   * Cuts the cache so that `bytes` more fit (rule RP4), and after it those of the other datasets, the largest first (rule RP8); false: they
   * do not. @param signal  a bucket is not waited for any more
   */
  async makeRoom(bytes: number, limitBytes?: number, signal?: AbortSignal): Promise<boolean> {
    if (limitBytes !== undefined) return this.#cut(bytes, limitBytes, signal)
    const own = () => this.limitBytes - this.#besideBytes
    if (await this.#cut(bytes, own(), signal)) return true
    // In no turn of this one: the others may wait for room, too.
    for (const other of [...this.#beside()].sort((a, b) => b.chunks.stats.bytes - a.chunks.stats.bytes)) {
      const over = this.chunks.stats.bytes + bytes - own()
      if (over > 0 && this.#besideBytes > 0) await other.makeRoom(0, other.chunks.stats.bytes - over, signal)
    }
    return this.#cut(bytes, own(), signal)
  }

  get #held(): DatasetStatus['held'] {
    const unheard = this.#unheard.waiting((device) => this.isMember(device))
    const { unreadable } = this.setAside
    if (unreadable === 0 && !unheard) return undefined
    return { unreadable, ...(unheard && { unheard: unheard.devices.map((device) => this.nameOf(device)), untilMs: unheard.untilMs }) }
  }

  /** May what seems to be nobody's be somebody's? Then nothing is let go of. */
  get #isHeld(): boolean {
    return this.#held !== undefined
  }

  #cut(bytes: number, limitBytes: number, signal?: AbortSignal): Promise<boolean> {
    const { dataset, store, dropped, chunks, book, pins, bucket } = this
    if (this.#isHeld) return Promise.resolve(chunks.stats.bytes + bytes <= limitBytes)
    return this.#inTurn(() => makeRoom({ dataset, store, dropped, chunks, book, pins, bucket, limitBytes, signal }, bytes))
  }

  /** Is the op one of those held, or written here? */
  hasSeen(version: OpId): boolean {
    this.dataset.flush()
    const dot = version.indexOf('.')
    const head = this.store.heads().find(({ log }) => log === version.slice(0, dot))
    return head !== undefined && Number(version.slice(dot + 1)) < head.ops
  }

  /** Is a version of so many bytes on enough other devices? What was written a moment ago and is not signed is on none (rule RP1). */
  isSafe(version: OpId, bytes: number): boolean {
    return this.book.isSafe(version) && !(bytes > 0 && this.dataset.isUnsigned(version))
  }

  /** Part of what others wrote and signed for is still to come: who has a file may not be known yet. */
  get isHistoryComing(): boolean {
    return this.loader.isLoading || segmentsBehind(this.store).size > 0
  }

  status(): DatasetStatus {
    this.dataset.flush()
    this.bucket.review()
    const { chunks, bytes } = this.chunks.stats
    const unsafe = this.book.unsafeContents
    const held = this.#held
    const behind = [...segmentsBehind(this.store).values()].reduce((sum, { seq }) => sum + seq, 0)
    return {
      dataset: this.id,
      name: this.name,
      nodes: this.store.nodeCount() - (this.store.node(POLICY_NODE) ? 1 : 0),
      unsafeVersions: unsafe.versions,
      unsafeBytes: unsafe.bytes,
      cachedChunks: chunks,
      cachedBytes: bytes,
      limitBytes: this.limitBytes,
      policy: policyState(this),
      isCutShort: this.pins.isCutShort || (this.keepsAll && this.exchange.isCutShort),
      localNodes: this.local.size.nodes,
      localBytes: this.local.size.bytes,
      pinned: this.pins.size(),
      prefetch: this.prefetch.status,
      ...(this.loader.isLoading && {
        loading: { rows: this.loader.loadedRows, ...(this.loader.rows !== undefined && { of: this.loader.rows }) },
      }),
      ...(behind > 0 && { behind }),
      ...(held && { held }),
      linked: this.exchange.linked.map(({ device, missing }) => ({ device, name: this.nameOf(device), missingSegments: missing })),
    }
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #watch(part: 'shared' | 'local', { setAside, onDidDamage }: DatasetStores): void {
    if (setAside !== undefined) this.#setAside.push(setAside)
    if (onDidDamage) this.#owned.add(onDidDamage(() => this.#damaged.fire(part)))
  }

  /** What must not see a cache half cut. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#turn.then(work, work)
    this.#turn = next.catch(() => {})
    return next
  }

  /** Who counts as a holder, or what is asked of them, is another. */
  #reviewHolders(): void {
    this.book.renewPromises()
    this.book.reviewHolders()
    this.#fetchWanted()
  }

  #fetchWanted(): void {
    this.pins.review()
    void this.exchange.copy()
  }

  /** Other devices that have not left. */
  get otherDevices(): DeviceId[] {
    return this.#devices.flatMap(({ device, isMember }) => (isMember && device !== this.#self ? [device as DeviceId] : []))
  }

  #isGenuine(chunk: SealedChunk): boolean {
    try {
      this.dataset.reader.open(chunk)
      return true
    } catch {
      return false
    }
  }
}

const departuresIn = (devices: OpenDatasetInput['devices']) => devices.filter(({ isMember }) => !isMember).length

const isFirst = ({ generation, departures }: PolicyInForce) => generation === 0 && departures === 0

const epochsOf = (epochs: OpenDatasetInput['epochs']) => epochs.map(({ epoch, key }) => ({ epoch, key: fromBase64Url(key) }))
