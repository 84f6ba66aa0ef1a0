import { fromBase64Url } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { type Disposable, toDisposable } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import { errorMessage } from '../base/errors.ts'
import type { DatasetId, DeviceId } from '../base/ids.ts'
import type { ByteChannel } from '../rpc/channel.ts'
import type { Handlers } from '../rpc/contract.ts'
import { checkDataset, type CheckResult } from './check-dataset.ts'
import { ContentError } from './content-error.ts'
import { HeldDatasetKeys } from './dataset-key-source.ts'
import type { datasetKeysContract, OpenDatasetInput } from './dataset-keys-contract.ts'
import type { DatasetNode } from './dataset-node.ts'
import type { DialWay, DirectKind } from './direct-sockets.ts'
import { FilePeer } from './file-peer.ts'
import type { FilesCrypto } from './files-crypto.ts'
import { type NodeId, ROOT_NODE } from './op.ts'
import { type DatasetHostParts, type DatasetStores, OpenDataset } from './open-dataset.ts'
import { isToBeRebuilt } from './left-ops.ts'
import { rebuildTree } from './rebuild-tree.ts'

/** How this process may reach a peer's beside the link. */
interface LinkWay {
  readonly address?: string | undefined
  readonly remote?: string | undefined
  readonly rtc?: DialWay | undefined
}

/** Segments taken in again before others have the loop. */
const REBUILT_AT_ONCE = 5

/** The datasets that are open in the files process: those whose keys the device process has handed over, until it locks. */
export class DatasetHost {
  readonly crypto: FilesCrypto
  readonly clock: Clock
  readonly #parts: DatasetHostParts
  readonly #open = new Map<string, OpenDataset>()
  /** With what each was opened: one that starts over is opened again. */
  readonly #inputs = new Map<string, OpenDatasetInput>()
  readonly #peers = new Set<FilePeer>()
  readonly #changed = new Emitter<{ dataset: string; nodes: ReadonlySet<NodeId>; folders: ReadonlySet<NodeId> }>()
  readonly #opened = new Emitter<void>()
  readonly #direct = new Emitter<{ device: string; connections: number; kind?: DirectKind }>()
  readonly #refused = new Emitter<{ dataset: string; name: string; device: string }>()
  readonly #setAside = new Emitter<{ dataset: string; name: string; file: string }>()
  readonly #beforeClose = new Set<(which?: OpenDataset) => Promise<void> | undefined>()
  #closing: Promise<void> = Promise.resolve()
  readonly #opening = new Map<string, Promise<void>>()
  /** How often all were closed: who waited to open one meanwhile does not. */
  #closes = 0
  /** Those whose last work is being done. */
  readonly #leaving = new WeakSet<OpenDataset>()

  readonly onDidChange = this.#changed.event
  /** A dataset was opened or closed. */
  readonly onDidChangeOpen = this.#opened.event

  constructor(parts: DatasetHostParts) {
    this.#parts = parts
    this.crypto = parts.crypto
    this.clock = parts.clock
  }

  get open(): readonly OpenDataset[] {
    return [...this.#open.values()]
  }

  /** The open ones that are not just being closed. */
  get staying(): readonly OpenDataset[] {
    return this.open.filter((one) => !this.#leaving.has(one))
  }

  /** @throws ContentError `dataset/locked` */
  require(dataset: string): OpenDataset {
    const open = this.#open.get(dataset)
    if (!open) throw new ContentError('dataset/locked', 'these files are closed: unlock this device to open them')
    return open
  }

  /** Runs a commit and says in which dataset its node is. */
  async committed(commit: () => Promise<DatasetNode>): Promise<{ open: OpenDataset; node: DatasetNode }> {
    const node = await commit()
    const open = this.open.find(({ dataset, local }) => dataset.node(node.id) !== undefined || local.dataset.node(node.id) !== undefined)
    if (!open) throw new ContentError('dataset/locked', 'these files were closed while something was written')
    return { open, node }
  }

  /** The shared stores of a dataset, whose tree is made again where it was damaged. @throws StoreError */
  async #stores(input: OpenDatasetInput, isDamaged = false): Promise<DatasetStores> {
    const { crypto, clock, logger } = this.#parts
    const dataset = input.dataset as DatasetId
    const storageKey = fromBase64Url(input.storageKey)
    let stores: DatasetStores
    try {
      stores = this.#parts.openStores(dataset, storageKey, 'shared', isDamaged)
    } finally {
      storageKey.fill(0)
    }
    const { store } = stores
    if (!isToBeRebuilt(store)) return stores
    const keys = new HeldDatasetKeys(
      dataset,
      fromBase64Url(input.idKey),
      input.epochs.map(({ epoch, key }) => ({ epoch, key: fromBase64Url(key) })),
    )
    const seed = fromBase64Url(input.segmentSeed)
    try {
      const signer = { device: input.device as DeviceId, key: crypto.signingKey(seed), certificate: fromBase64Url(input.certificate) }
      const deviceName = input.devices.find(({ device }) => device === input.device)?.name ?? ''
      const isAuthor = (device: string) => input.devices.some((known) => known.device === device)
      const isMember = (device: string) => input.devices.some((known) => known.device === device && known.isMember)
      const others = input.devices.flatMap(({ device }) => (isMember(device) && device !== input.device ? [device as DeviceId] : []))
      const who = { signer, deviceName, isAuthor, isMember, others }
      let n = 0
      for await (const _ of rebuildTree({ store, crypto, keys, clock, logger, ...who }))
        if (++n % REBUILT_AT_ONCE === 0) await new Promise<void>((resolve) => clock.after(1, resolve))
      return stores
    } catch (error) {
      stores.dispose()
      throw error
    } finally {
      keys.dispose()
      seed.fill(0)
    }
  }

  #begin(input: OpenDatasetInput, stores?: DatasetStores, damaged?: 'shared' | 'local'): OpenDataset {
    let opened: OpenDataset
    try {
      const beside = () => this.open.filter((other) => other !== opened)
      opened = new OpenDataset({ ...this.#parts, beside }, input, stores, damaged)
    } catch (error) {
      stores?.dispose()
      throw error
    }
    this.#open.set(input.dataset, opened)
    opened.dataset.onDidChange(({ nodes, folders }) => this.#changed.fire({ dataset: opened.id, nodes, folders }))
    // What happens in a folder of this device only is told of that folder's place.
    opened.local.dataset.onDidChange(({ nodes, folders }) => this.#changed.fire({ dataset: opened.id, nodes, folders }))
    opened.bucket.onDidChangeHolds(() => this.#changed.fire({ dataset: opened.id, nodes: new Set(), folders: new Set() }))
    opened.exchange.onDidSign(() => this.#changed.fire({ dataset: opened.id, nodes: new Set(), folders: new Set() }))
    opened.onDidGiveUp(() => {
      this.#startOver(opened).catch((error: unknown) => {
        this.#parts.logger.error('files could not be fetched anew; this is tried again at the next start', { error: errorMessage(error) })
      })
    })
    opened.onDidDamage((part) => {
      this.rebuild(opened, part).catch((error: unknown) => {
        this.#parts.logger.error('a damaged tree of files could not be made again; this is tried again at the next start', {
          error: errorMessage(error),
        })
      })
    })
    opened.exchange.onDidRefuse(({ author }) => {
      const device = author === undefined ? 'a device' : opened.nameOf(author)
      this.#refused.fire({ dataset: opened.id, name: opened.name, device: device.slice(0, 80) })
    })
    for (const file of opened.setAsideFiles) this.#setAside.fire({ dataset: opened.id, name: opened.name, file })
    for (const peer of this.#peers) peer.attach(opened)
    this.#opened.fire()
    return opened
  }

  /** Looks through all that is kept of a dataset; a tree that is not what its logs say is made again of them (rules CK1, DS12). */
  async check(dataset: string, signal?: AbortSignal): Promise<Omit<CheckResult, 'damaged'>> {
    const opened = this.require(dataset)
    const pause = () => new Promise<void>((resolve) => this.clock.after(1, resolve))
    const { damaged, ...result } = await checkDataset(opened, { pause, ...(signal && { signal }) })
    const [part] = damaged
    if (part === undefined) return result
    await this.rebuild(opened, part)
    return { ...result, problems: [...result.problems, 'the tree was set aside, and made again of its logs: check once more'].slice(-1000) }
  }

  /** Sets its tree aside and makes it again of its logs (rule DS12): what is read meanwhile says that these files are closed. */
  async rebuild(opened: OpenDataset, part: 'shared' | 'local'): Promise<void> {
    const input = this.#inputs.get(opened.id)
    if (this.#open.get(opened.id) !== opened || !input) return
    this.#parts.logger.warn('a tree of files is damaged: it is made again of its logs', { name: opened.name, part })
    await this.#lastWork(opened) // what is written and no version yet
    if (this.#open.get(opened.id) !== opened) return
    this.#open.delete(opened.id)
    opened.dispose()
    await this.#openNow(input, part)
    this.#changed.fire({ dataset: opened.id, nodes: new Set(), folders: new Set([ROOT_NODE]) })
  }

  /** One is opened at a time; unless it is closed meanwhile. @throws StoreError, ContentError */
  #openNow(input: OpenDatasetInput, damaged?: 'shared' | 'local'): Promise<void> {
    const work = async () => {
      const stores = await this.#stores(input, damaged === 'shared')
      const latest = this.#inputs.get(input.dataset)
      if (!latest || this.#open.has(input.dataset)) return stores.dispose()
      const opened = this.#begin(latest, stores, damaged)
      this.#parts.logger.info('a dataset is open', { name: input.name, nodes: opened.store.nodeCount() })
    }
    const opening = work().finally(() => this.#opening.delete(input.dataset))
    this.#opening.set(input.dataset, opening)
    const both = [this.#closing, opening.catch(() => {})] // who asked is told
    this.#closing = Promise.all(both).then(() => {})
    return opening
  }

  /** The checkpoint that it was started with cannot be had: without it, as a device that is new (rule CP10). */
  async #startOver(opened: OpenDataset): Promise<void> {
    const isOpen = () => this.#open.get(opened.id) === opened
    await this.#lastWork(opened)
    if (!isOpen()) return
    try {
      await opened.startOver()
    } catch (error) {
      if (isOpen()) this.#stays(opened)
      throw error
    }
    if (!isOpen()) return
    this.#open.delete(opened.id)
    opened.dispose()
    const input = this.#inputs.get(opened.id)
    if (!input) return this.#opened.fire() // it is closed
    const again = this.#begin(input)
    this.#changed.fire({ dataset: again.id, nodes: new Set(), folders: new Set([ROOT_NODE]) })
  }

  /** For the device process. */
  handlers(): Handlers<typeof datasetKeysContract> {
    return {
      onDidChangeDirect: this.#direct.event,
      onDidSetAside: this.#setAside.event,
      onDidRefuseLog: this.#refused.event,
      noteLive: () => {
        for (const { direct } of this.#peers) direct?.noteLive()
        return {}
      },
      linkFiles: ({ device, direct }, context) => {
        const channel = context.openChannel()
        this.link(device as DeviceId, channel, direct)
        return { channel: channel.id }
      },
      openDataset: async (input) => {
        const closes = this.#closes
        const isOurs = () => {
          if (closes !== this.#closes) throw new ContentError('dataset/locked', 'these files were closed meanwhile')
        }
        await this.#closing // a tree may be made again for minutes
        isOurs()
        this.#inputs.set(input.dataset, input)
        for (let opening = this.#opening.get(input.dataset); opening; opening = this.#opening.get(input.dataset)) {
          await opening.catch(() => {})
          isOurs()
        }
        const open = this.#open.get(input.dataset)
        if (!open) {
          await this.#openNow(input)
          isOurs()
          return {}
        }
        this.#renew(open, input)
        open.bucket.use(input.bucket)
        if (open.rename(input.name)) this.#opened.fire()
        return {}
      },
      renewDataset: (input) => {
        const open = this.#open.get(input.dataset)
        const before = this.#inputs.get(input.dataset)
        if (before) this.#inputs.set(input.dataset, { ...before, ...input })
        if (open) this.#renew(open, input)
        return {}
      },
      prefetchDatasets: ({ paths }) => {
        for (const { name, prefetch } of this.open) {
          const top = `/${name}`
          const within = paths.filter((path) => path === top || path.startsWith(`${top}/`))
          prefetch.want(within.map((path) => path.slice(top.length) || '/'))
        }
        return {}
      },
      closeDataset: async ({ dataset }) => {
        const open = this.#open.get(dataset)
        if (open) await this.#close(open)
        return {}
      },
      closeDatasets: async () => {
        await this.close()
        return {}
      },
    }
  }

  #renew(open: OpenDataset, input: Pick<OpenDatasetInput, 'epochs' | 'devices'>): void {
    open.renew(input)
    for (const peer of [...this.#peers]) {
      // The device process ends the link, too; until then nothing more is said.
      if (open.hasLeft(peer.device)) peer.dispose()
      else peer.attach(open)
    }
  }

  /** A linked device's files process; until the channel ends. */
  link(device: DeviceId, channel: ByteChannel, way?: LinkWay): void {
    const { logger, clock, crypto, directSockets: sockets, directDials: dials } = this.#parts
    const randomBytes = (length: number) => crypto.randomBytes(length)
    const rtc = way?.rtc && dials && { dials, way: way.rtc }
    const direct = way && (sockets || rtc) ? { sockets, rtc, address: way.address, remote: way.remote, clock, randomBytes } : undefined
    const peer = new FilePeer({ device, channel, require: (dataset) => this.require(dataset), logger, direct })
    this.#peers.add(peer)
    peer.direct?.onDidChange(() => {
      const { connections = 0, kind } = peer.direct?.path ?? {}
      this.#direct.fire({ device, connections, ...(kind && { kind }) })
    })
    peer.onDidClose(() => this.#peers.delete(peer))
    for (const open of this.#open.values()) peer.attach(open)
  }

  /** Work to be done while datasets, or one of them, can still be used: it is waited for before keys go. undefined: there is none. */
  beforeClose(work: (which?: OpenDataset) => Promise<void> | undefined): Disposable {
    this.#beforeClose.add(work)
    return toDisposable(() => this.#beforeClose.delete(work))
  }

  async #lastWork(open: OpenDataset): Promise<void> {
    this.#leaving.add(open)
    this.#logFailed(await Promise.allSettled([...this.#beforeClose].map((work) => work(open))))
  }

  #logFailed(results: readonly PromiseSettledResult<void>[]): void {
    for (const result of results) {
      if (result.status === 'rejected')
        this.#parts.logger.error('the last work before closing files failed', { error: String(result.reason) })
    }
  }

  /** Closing it is called off after its last work: who let go of it takes it up again. */
  #stays(open: OpenDataset): void {
    this.#leaving.delete(open)
    this.#opened.fire()
  }

  /** One of them; the others go on. */
  async #close(open: OpenDataset): Promise<void> {
    this.#inputs.delete(open.id)
    await this.#lastWork(open)
    if (this.#open.get(open.id) !== open) return // closed meanwhile
    if (this.#inputs.has(open.id)) return this.#stays(open) // asked for again
    this.#open.delete(open.id)
    open.dispose()
    this.#opened.fire()
    this.#changed.fire({ dataset: open.id, nodes: new Set(), folders: new Set([ROOT_NODE]) })
  }

  /** Closes all, after those who asked have done their last work; at once when there is none. */
  close(): Promise<void> {
    this.#closes++
    const last = [...this.#beforeClose].map((work) => work()).filter((work) => work !== undefined)
    const close = () => {
      const open = [...this.#open.values()]
      this.#open.clear()
      this.#inputs.clear()
      for (const dataset of open) dataset.dispose()
      if (open.length > 0) this.#opened.fire()
    }
    if (last.length === 0) close()
    else {
      const closed = Promise.allSettled(last).then((results) => {
        this.#logFailed(results)
        close()
      })
      this.#closing = Promise.all([this.#closing, closed]).then(() => {})
    }
    return this.#closing
  }

  /** Closes all and ends. */
  async stop(): Promise<void> {
    for (const peer of [...this.#peers]) peer.dispose()
    await this.close()
    this.#changed.dispose()
    this.#opened.dispose()
    this.#direct.dispose()
    this.#setAside.dispose()
    this.#refused.dispose()
  }
}
