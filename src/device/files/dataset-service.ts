import { toBase64Url } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { DatasetId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import type { BucketAccess } from '../../files/bucket/bucket-contract.ts'
import type { datasetContract } from '../../files/dataset-contract.ts'
import type { OpenDatasetInput } from '../../files/dataset-keys-contract.ts'
import type { mountContract } from '../../files/mount-contract.ts'
import { segmentKeyStatement } from '../../files/op-segment.ts'
import { isAdmin } from '../../identity/authority/authority-state.ts'
import type { Crypto } from '../../identity/crypto.ts'
import type { Vault } from '../../identity/vault.ts'
import { datasetPathsInView } from '../../session/dataset-paths.ts'
import type { CallContext, CallOptions, Handlers } from '../../rpc/contract.ts'
import type { FilesClient, ProcessConnection } from '../device-parts.ts'
import type { DeskKeeper } from '../desk/desk-keeper.ts'
import type { DisplaySession } from '../desk/display-session.ts'
import { HOME } from '../../files/named-datasets.ts'
import type { Notices } from '../notices.ts'
import type { DatasetListService } from './dataset-list-service.ts'
import { homeDatasetOf, datasetKeysOf } from './home-dataset.ts'
import type { SettingsService } from '../settings-service.ts'
import type { OpenDesk } from '../desk/open-desk.ts'

export interface DatasetServiceOptions {
  readonly local: ProcessConnection<FilesClient>
  readonly keeper: DeskKeeper
  readonly vault: Vault
  readonly settings: SettingsService
  readonly crypto: Crypto
  readonly clock: Clock
  readonly log: Logger
  /** Which there are beside Home. */
  readonly list: Pick<DatasetListService, 'shown' | 'onDidChange'>
  readonly notices: Notices
  /** What opens the bucket that holds the files, too. */
  readonly bucket: () => Promise<BucketAccess | undefined>
}

/**
 * When windows' files are fetched ahead: after the display that unlocked has drawn them, and what links bring in then together. Nothing
 * waits for it.
 */
const PREFETCH_AFTER_MS = 1_000

type DatasetEvent = Parameters<Parameters<FilesClient['onDidChangeDataset']>[0]>[0]

/**
 * Hands the keys of datasets to the files process when this device opens, and whenever that process was started again; has it
 * wipe them when the device locks. Displays' calls about datasets are passed to it.
 */
export class DatasetService implements Disposable {
  readonly #options: DatasetServiceOptions
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<DatasetEvent>())
  /** Datasets that the files process has been given the keys of. */
  readonly #opened = new Set<DatasetId>()
  #turn: Promise<void> = Promise.resolve()
  #desk: DisposableStore | undefined
  #prefetching: Disposable | undefined
  #watched: OpenDesk | undefined
  /** What was told last, and to which files process. */
  #told: { readonly client: FilesClient; readonly paths: string } | undefined

  constructor(options: DatasetServiceOptions) {
    this.#options = options
    const { local, keeper, list, settings, log, notices } = options
    this.#owned.add(
      local.onDidConnect((client) => {
        client.onDidChangeDataset((change) => this.#changed.fire(change))
        client.onDidRefuseLog(({ name, device }) => notices.put(refusedLog(name, device)))
        client.onDidSetAside(({ name, file }) => notices.put(damagedFiles(name, file)))
        const desk = keeper.current?.desk
        this.#opened.clear() // they ended with the process before
        if (desk) void this.#openInTurn(client, desk)
      }),
    )
    this.#owned.add(
      keeper.onDidOpen(({ desk }) => {
        const owned = (this.#desk = new DisposableStore())
        owned.add(list.onDidChange(() => void this.#withClient((client) => this.#openInTurn(client, desk))))
        const again = () => void this.#withClient((client) => this.#openInTurn(client, desk))
        owned.add(desk.devices.onDidChange(again))
        owned.add(desk.keyring.onDidChange(again))
        owned.add(settings.onDidChange(again))
        again()
      }),
    )
    this.#owned.add(
      keeper.onWillClose(() => {
        this.#prefetching?.dispose()
        this.#prefetching = this.#told = undefined
        this.#opened.clear()
        this.#desk?.dispose()
        this.#desk = undefined
        void this.#withClient((client) => client.closeDatasets({}))
        log.debug('datasets are being closed')
      }),
    )
  }

  handlers(session: DisplaySession): Handlers<typeof datasetContract & typeof mountContract> {
    const { local } = this.#options
    const pass =
      <Input, Output>(call: (files: FilesClient) => (input: Input, options: CallOptions) => Promise<Output>) =>
      async (input: Input, { signal }: CallContext) =>
        call(await local.client())(input, { signal })
    const begin = pass((files) => files.beginDatasetWrite)
    return {
      listDatasets: pass((files) => files.listDatasets),
      datasetStatus: pass((files) => files.datasetStatus),
      datasetAt: pass((files) => files.datasetAt),
      datasetNode: pass((files) => files.datasetNode),
      listDatasetFolder: pass((files) => files.listDatasetFolder),
      searchDataset: pass((files) => files.searchDataset),
      readDatasetBytes: pass((files) => files.readDatasetBytes),
      beginDatasetWrite: async (input, context) => {
        const begun = await begin(input, context)
        const { write } = begun
        session.hold({ dispose: () => void this.#withClient((client) => client.abandonDatasetWrite({ write })) })
        return begun
      },
      appendDatasetWrite: pass((files) => files.appendDatasetWrite),
      commitDatasetWrite: pass((files) => files.commitDatasetWrite),
      abandonDatasetWrite: pass((files) => files.abandonDatasetWrite),
      putDatasetFiles: pass((files) => files.putDatasetFiles),
      makeDatasetFolder: pass((files) => files.makeDatasetFolder),
      makeDatasetLink: pass((files) => files.makeDatasetLink),
      pinDatasetNode: pass((files) => files.pinDatasetNode),
      setDatasetPolicy: pass((files) => files.setDatasetPolicy),
      moveDatasetNode: pass((files) => files.moveDatasetNode),
      copyDatasetNode: pass((files) => files.copyDatasetNode),
      removeDatasetNode: pass((files) => files.removeDatasetNode),
      listDatasetTrash: pass((files) => files.listDatasetTrash),
      datasetTrashSize: pass((files) => files.datasetTrashSize),
      emptyDatasetTrash: pass((files) => files.emptyDatasetTrash),
      tidyDataset: pass((files) => files.tidyDataset),
      hasSeenVersion: pass((files) => files.hasSeenVersion),
      restoreDatasetPast: pass((files) => files.restoreDatasetPast),
      datasetVersions: pass((files) => files.datasetVersions),
      datasetHolders: pass((files) => files.datasetHolders),
      restoreDatasetNode: pass((files) => files.restoreDatasetNode),
      checkDataset: pass((files) => files.checkDataset),
      mountStatus: pass((files) => files.mountStatus),
      mountDatasets: pass((files) => files.mountDatasets),
      unmountDatasets: pass((files) => files.unmountDatasets),
      onDidChangeDataset: this.#changed.event,
    }
  }

  /** Tells the files process anew what it needs: a bucket came or went. */
  async reopen(): Promise<void> {
    const desk = this.#options.keeper.current?.desk
    if (desk) await this.#openInTurn(await this.#options.local.client(), desk)
  }

  dispose(): void {
    this.#prefetching?.dispose()
    this.#desk?.dispose()
    this.#owned.dispose()
  }

  /** One after the other: what is asked for last is what stays. */
  #openInTurn(client: FilesClient, desk: OpenDesk): Promise<void> {
    this.#turn = this.#turn.catch(() => {}).then(() => this.#open(client, desk))
    return this.#turn
  }

  /** Home, what the list names beside it, and nothing else. */
  async #open(client: FilesClient, desk: OpenDesk): Promise<void> {
    const { vault, crypto, keeper, list, log } = this.#options
    const isOver = () => keeper.current?.desk !== desk
    if (isOver()) return
    const bucket = await this.#options.bucket()
    if (isOver()) return
    const wanted = [{ dataset: homeDatasetOf(crypto, vault.keys.person), name: HOME }, ...list.shown]
    // One that cannot be opened keeps no other one shut, and none from the keys of a new epoch.
    const attempt = async (what: string, work: () => Promise<unknown>) => {
      try {
        await work()
        return true
      } catch (error) {
        log.warn(`${what}; tried again when devices, keys or the list change, or the files process is back`, {
          code: errorCode(error),
          error: errorMessage(error),
        })
        return false
      }
    }
    for (const { dataset, name } of wanted) {
      if (isOver()) return
      const isOpen = await attempt('files of this person could not be opened', () =>
        client.openDataset(this.#inputOf(desk, dataset, name, bucket)),
      )
      if (isOpen && !isOver()) this.#opened.add(dataset)
    }
    for (const dataset of [...this.#opened]) {
      if (isOver() || wanted.some((one) => one.dataset === dataset)) continue
      if (await attempt('files that were put away could not be closed', () => client.closeDataset({ dataset })))
        this.#opened.delete(dataset)
    }
    if (!isOver()) this.#prefetchSoon(desk)
  }

  #inputOf(desk: OpenDesk, dataset: DatasetId, name: string, bucket: BucketAccess | undefined): OpenDatasetInput {
    const { vault, crypto } = this.#options
    const { keys } = vault
    const seed = crypto.bytes(32)
    const segmentKey = crypto.signingKey(seed)
    const certificate = keys.signer.sign(segmentKeyStatement(dataset, segmentKey.publicKey))
    const storageKey = keys.sealer.lookupKey('elsewhere/files-store-key/1')
    const state = desk.devices.authority?.state
    const devices = [...desk.devices.devices.values()].map(({ device, name: called, removedAtMs }) => ({
      device,
      name: called.slice(0, 80),
      isMember: removedAtMs === undefined,
      isAdmin: state ? isAdmin(state, device) : removedAtMs === undefined,
    }))
    const input = {
      dataset,
      name,
      device: keys.device,
      ...datasetKeysOf(crypto, keys.datasetKeys, dataset),
      storageKey: toBase64Url(storageKey),
      segmentSeed: toBase64Url(seed),
      certificate: toBase64Url(certificate),
      devices: devices.some(({ device }) => device === keys.device)
        ? devices
        : [...devices, { device: keys.device, name: vault.label?.deviceName ?? 'this device', isMember: true }],
      isAlwaysOn: vault.unattended,
      cacheLimit: this.#options.settings.current.cacheLimit,
      ...(bucket && { bucket }),
    }
    segmentKey.dispose()
    for (const secret of [seed, storageKey]) crypto.wipe(secret)
    return input
  }

  #prefetchSoon(desk: OpenDesk): void {
    const { clock, keeper, log } = this.#options
    this.#prefetching ??= clock.after(PREFETCH_AFTER_MS, () => {
      this.#prefetching = undefined
      if (keeper.current?.desk !== desk) return
      // Windows of other devices come with their links. Not watched from the start: reading the desk costs what an unlock waits for.
      if (this.#watched !== desk) this.#desk?.add(desk.workspace.onDidChange(({ local }) => !local && this.#prefetchSoon(desk)))
      this.#watched = desk
      void this.#withClient(async (client) => {
        const paths = datasetPathsInView(desk.workspace.state)
        if (this.#told?.client === client && this.#told.paths === paths.join('\n')) return
        this.#told = { client, paths: paths.join('\n') }
        await client.prefetchDatasets({ paths: [...paths] })
        log.debug('files of windows are fetched ahead', { count: paths.length })
      })
    })
  }

  async #withClient(work: (client: FilesClient) => Promise<unknown>): Promise<void> {
    try {
      await work(await this.#options.local.client())
    } catch (error) {
      this.#options.log.debug('the files process was not reached', { error: errorMessage(error) })
    }
  }
}

const damagedFiles = (name: string, file: string) => ({
  code: 'files/set-aside',
  severity: 'warn' as const,
  message: `What this device keeps of ${name} was damaged. It is kept as ${file}, and made again of what could be read and of what your other devices have: link them. "elsewhere fs check" says whether something is missing.`,
})

const refusedLog = (name: string, device: string) => ({
  code: 'files/log-refused',
  severity: 'warn' as const,
  message: `Changes of ${name} by ${device} cannot be taken in from some point on: they are not what an Elsewhere writes, or its data folder was copied. What others wrote goes on. Look at that device; if it is not what it should be, remove it.`,
})
