import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import { errorMessage } from '../base/errors.ts'
import type { DatasetId, DeviceId } from '../base/ids.ts'
import type { KeyValueStore } from '../base/key-value-store.ts'
import type { Logger } from '../base/logger.ts'
import type { AuthorityLog } from './authority/authority-log.ts'
import { currentRotation, type RotationState } from './authority/authority-state.ts'
import { isEpochStale, rankAmongAdmins, recipientsOfNext } from './authority/epoch-plan.ts'
import type { OperationBody, OperationId, OperationSigner } from './authority/operation.ts'
import { deviceOperationSigner } from './authority/operation-codec.ts'
import { KEY_BYTES, type Crypto, type SigningKey } from './crypto.ts'
import type { KeyName } from './dataset-keys.ts'
import type { DeviceKeys } from './device-keys.ts'
import type { DeviceList } from './device-list.ts'
import { openPrevious, sealPrevious } from './epoch-previous.ts'
import { type EpochRoot, HeldEpochs } from './held-epochs.ts'
import { IdentityError } from './identity-error.ts'
import { decodeEpochRoots, encodeEpochRoots, MAX_SHARED_EPOCHS } from './shared-epochs.ts'
import { workspaceDatasetOf } from './workspace-dataset.ts'

/** Whoever removes a device rotates in the same write. Where that did not happen the first admin does after a moment ... */
const FIRST_WAIT_MS = 1_500
/** ... and each junior one only when its seniors have not: two rotations at once are one too many, and no harm. */
const NEXT_WAIT_MS = 4_000
/** Keys held in all before shared ones are left out: a linked device must not fill this one, nor keep new epochs from it. */
const MAX_HELD = 512

export interface DatasetKeyringOptions {
  readonly crypto: Crypto
  readonly clock: Clock
  readonly logger: Logger
  readonly devices: DeviceList
  readonly keys: DeviceKeys
  readonly values: KeyValueStore
  /** The root key, while it is open here. */
  personKey(): SigningKey | undefined
  /** The workspace's keys changed: they are to be written into the vault. */
  save(): Promise<void>
}

/** One key of a dataset. `root` is the keyring's: not to be kept or changed. */
export interface EpochKey {
  readonly epoch: number
  readonly root: Uint8Array
}

/**
 * The keys of every dataset that this device may read, as the authority log hands them out: each epoch is a *rotate*
 * operation that seals its key to the X25519 key of each device (rules ID72-ID76). The workspace is a dataset like the others;
 * its keys lie in the vault as well, since they say where to meet.
 *
 * Makes a new epoch when the current one lies with somebody who was removed. Owns the keys of datasets, not the workspace's.
 */
export class DatasetKeyring implements Disposable {
  readonly workspace: DatasetId
  readonly #options: DatasetKeyringOptions
  readonly #held: HeldEpochs
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<void>())
  /** Which key each rotation made, of those that are held. */
  readonly #keyOf = new Map<OperationId, KeyName>()
  #due: Disposable | undefined

  constructor(options: DatasetKeyringOptions) {
    this.#options = options
    this.workspace = workspaceDatasetOf(options.crypto, options.devices.person)
    this.#held = new HeldEpochs(options.crypto, options.values)
    this.#owned.defer(() => this.#held.dispose())
    this.#owned.defer(() => this.#due?.dispose())
    this.#owned.add(options.devices.onDidChange(() => this.#follow()))
    this.#follow()
  }

  /** A key came, or another one counts. */
  get onDidChange(): Event<void> {
    return this.#changed.event
  }

  /** Names of all keys held; equal names are equal keys. */
  get names(): readonly KeyName[] {
    const datasets = [...this.#datasets].filter((dataset) => dataset !== this.workspace)
    return [...this.#options.keys.datasetKeys.names, ...datasets.flatMap((dataset) => this.#held.of(dataset).map(({ name }) => name))]
  }

  /** The key that counts; undefined: there is none yet, or it has not come. */
  currentOf(dataset: DatasetId): EpochKey | undefined {
    const rotation = this.#log && currentRotation(this.#log.state, dataset)
    const name = rotation && this.#keyOf.get(rotation.id)
    return this.#held.of(dataset).find((held) => held.name === name)
  }

  /** Every key held of one epoch: two that were made at once have one number. */
  keysOf(dataset: DatasetId, epoch: number): readonly EpochKey[] {
    return this.#held.of(dataset).filter((held) => held.epoch === epoch)
  }

  /**
   * Begins a dataset: its epoch 0, for every device of the person. Repeating it does nothing.
   * @throws IdentityError `devices/refused`  this device is no admin, and the root key is not open
   */
  begin(dataset: DatasetId): void {
    const log = this.#log
    if (log && currentRotation(log.state, dataset)) return
    const signer = this.#signer()
    if (!log || !signer) throw new IdentityError('devices/refused', 'this device may not begin a dataset: that takes an admin')
    log.append(this.#rotation(dataset), signer)
  }

  /** New epochs of everything that `leaving` can read: written together with its removal (rule ID72). */
  rotationsWithout(leaving: DeviceId): OperationBody[] {
    return this.#staleDatasets(leaving).map((dataset) => this.#rotation(dataset, leaving))
  }

  /**
   * The keys that `have` lacks, sealed to `device`; undefined when it lacks nothing or is no member (rule ID75).
   * A device that was added while somebody rotated has no wrap of its own.
   */
  share(device: DeviceId, have: ReadonlySet<string>): Uint8Array | undefined {
    const { crypto, devices } = this.#options
    const record = devices.devices.get(device)
    if (!record || !devices.isMember(device)) return undefined
    const lacking = this.#roots(have).slice(0, MAX_SHARED_EPOCHS)
    if (lacking.length === 0) return undefined
    const plain = encodeEpochRoots(lacking)
    try {
      return crypto.sealTo(record.boxKey, plain)
    } finally {
      crypto.wipe(plain)
      for (const { root } of lacking) crypto.wipe(root)
    }
  }

  /** Takes what `share` gave. They open what was sealed under them; only the log says which one seals. @throws IdentityError `keys/malformed` */
  takeShared(sealed: Uint8Array): boolean {
    const { crypto, keys } = this.#options
    const plain = keys.box.open(sealed)
    if (!plain) throw new IdentityError('keys/malformed', 'keys that a linked device shared cannot be opened; they are left out')
    const before = this.names.length
    try {
      const known = this.#datasets
      for (const shared of decodeEpochRoots(plain)) {
        if (known.has(shared.dataset) && this.names.length < MAX_HELD) this.#take(shared, true)
        else crypto.wipe(shared.root)
      }
    } finally {
      crypto.wipe(plain)
    }
    const isNews = this.names.length > before
    if (isNews) {
      this.#follow()
      this.#save()
      this.#changed.fire()
    }
    return isNews
  }

  dispose(): void {
    this.#owned.dispose()
  }

  get #log(): AuthorityLog | undefined {
    return this.#options.devices.authority
  }

  get #datasets(): ReadonlySet<DatasetId> {
    return new Set([this.workspace, ...(this.#log?.state.rotations.keys() ?? [])])
  }

  #signer(): OperationSigner | undefined {
    const { keys, devices } = this.#options
    const log = this.#log
    if (log && rankAmongAdmins(log.state, keys.device) !== undefined) return deviceOperationSigner(keys.signer)
    const personKey = this.#options.personKey()
    return personKey && { by: devices.person, sign: (message) => personKey.sign(message) }
  }

  /** Takes in what the log hands this device, and makes a new epoch where that is due. */
  #follow(): void {
    const log = this.#log
    if (!log || this.#owned.isDisposed) return
    const namesBefore = this.names.length
    for (const dataset of this.#datasets) {
      if (dataset !== this.workspace) this.#held.load(dataset)
      for (const rotation of log.state.rotations.get(dataset) ?? []) this.#learn(log, dataset, rotation)
    }
    const { datasetKeys } = this.#options.keys
    const before = datasetKeys.current
    const rotation = currentRotation(log.state, this.workspace)
    const name = rotation ? this.#keyOf.get(rotation.id) : datasetKeys.shared
    if (name !== undefined && name !== before) datasetKeys.use(name)
    if (datasetKeys.current !== before) this.#options.logger.info('the workspace has a new epoch', { epoch: datasetKeys.epoch })
    if (datasetKeys.current !== before || this.names.length > namesBefore) {
      this.#save()
      this.#changed.fire()
    }
    this.#planRotation(log)
  }

  #learn(log: AuthorityLog, dataset: DatasetId, { id, epoch }: RotationState): void {
    if (this.#keyOf.has(id)) return
    const body = log.find(id)?.body
    if (body?.kind !== 'rotate' || body.previous === undefined) return
    const { crypto, keys } = this.#options
    const wrap = body.wraps.find(({ device }) => device === keys.device)
    const root = wrap && keys.box.open(wrap.sealed)
    const candidates = [
      ...(root ? [{ dataset, epoch, root }] : []),
      ...this.#roots(new Set(), dataset).filter((held) => held.epoch === epoch),
    ]
    for (const candidate of candidates) {
      const before = openPrevious(crypto, candidate.root, { dataset, epoch }, body.previous)
      if (!before) continue
      if (before.some((byte) => byte !== 0)) this.#take({ dataset, epoch: epoch - 1, root: before }, false)
      crypto.wipe(before)
      this.#keyOf.set(id, this.#take({ dataset, epoch, root: candidate.root.slice() }, false))
      break
    }
    for (const candidate of candidates) crypto.wipe(candidate.root)
  }

  #take(shared: EpochRoot, keep: boolean): KeyName {
    if (shared.dataset === this.workspace) return this.#options.keys.datasetKeys.take(shared.epoch, shared.root)
    return this.#held.take(shared, keep)
  }

  /** Copies of the keys that `have` lacks; of one dataset or all. The caller wipes them. */
  #roots(have: ReadonlySet<string>, only?: DatasetId): EpochRoot[] {
    const { datasetKeys } = this.#options.keys
    const datasets = only === undefined ? [...this.#datasets] : [only]
    return datasets.flatMap((dataset) => {
      if (dataset !== this.workspace) {
        const held = this.#held.of(dataset).filter(({ name }) => !have.has(name))
        return held.map(({ epoch, root }) => ({ dataset, epoch, root: root.slice() }))
      }
      const lacking = datasetKeys.names.filter((name) => !have.has(name) && !datasetKeys.isShared(name))
      return lacking.map((name) => ({ dataset, ...(datasetKeys.rootOf(name) as { epoch: number; root: Uint8Array }) }))
    })
  }

  /** A copy; the caller wipes it. */
  #rootOf(dataset: DatasetId, name: KeyName | undefined): Uint8Array | undefined {
    if (name === undefined) return undefined
    if (dataset === this.workspace) return this.#options.keys.datasetKeys.rootOf(name)?.root
    return this.#held
      .of(dataset)
      .find((held) => held.name === name)
      ?.root.slice()
  }

  #staleDatasets(leaving?: DeviceId): DatasetId[] {
    const log = this.#log
    if (!log) return []
    const recipientsOf = (dataset: DatasetId) => {
      const rotation = currentRotation(log.state, dataset)
      const body = rotation && log.find(rotation.id)?.body
      return body?.kind === 'rotate' ? body.wraps : undefined
    }
    return [...this.#datasets].filter((dataset) => isEpochStale(log.state, dataset, recipientsOf, leaving))
  }

  #rotation(dataset: DatasetId, leaving?: DeviceId): OperationBody {
    const { crypto } = this.#options
    const state = (this.#log as AuthorityLog).state
    const current = currentRotation(state, dataset)
    const isFirst = current === undefined && dataset !== this.workspace
    const epoch = isFirst ? 0 : (current?.epoch ?? 0) + 1
    const root = crypto.randomSecret(KEY_BYTES)
    const before = current && this.#rootOf(dataset, this.#keyOf.get(current.id))
    try {
      const wraps = recipientsOfNext(state, leaving).map(({ device, boxKey }) => ({ device, sealed: crypto.sealTo(boxKey, root.bytes) }))
      const previous = sealPrevious(crypto, root.bytes, { dataset, epoch }, before)
      return { kind: 'rotate', dataset, epoch, wraps, previous }
    } finally {
      root.dispose()
      if (before) crypto.wipe(before)
    }
  }

  /** A removal that brought no new epoch with it (a second vote, a removal on two sides at once) is made good by an admin. */
  #planRotation(log: AuthorityLog): void {
    if (this.#due || this.#staleDatasets().length === 0) return
    const rank = rankAmongAdmins(log.state, this.#options.keys.device)
    if (rank === undefined && !this.#options.personKey()) return
    this.#due = this.#options.clock.after(FIRST_WAIT_MS + NEXT_WAIT_MS * (rank ?? 0), () => {
      this.#due = undefined
      this.#rotateStale(log)
    })
  }

  #rotateStale(log: AuthorityLog): void {
    const stale = this.#staleDatasets()
    const signer = this.#signer()
    if (stale.length === 0 || !signer) return
    try {
      log.appendAll(
        stale.map((dataset) => this.#rotation(dataset)),
        signer,
      )
      this.#options.logger.info('new epochs after a removal', { datasets: stale.length })
    } catch (error) {
      this.#options.logger.warn('new epochs could not be made; tried again with the next change', { error: errorMessage(error) })
    }
  }

  #save(): void {
    this.#options.save().catch((error: unknown) => {
      this.#options.logger.warn('new keys could not be written into the vault; the authority log holds them', {
        error: errorMessage(error),
      })
    })
  }
}
