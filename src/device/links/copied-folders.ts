import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorCode } from '../../base/errors.ts'
import type { DeviceId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import type { StartId } from '../../sync/client-ids.ts'
import type { Notices } from '../notices.ts'
import type { OpenDesk } from '../desk/open-desk.ts'
import type { Peer } from './peers.ts'

/** Before a copy lets go of its links: long enough to meet whoever is near and tell them, too short for a contest about one link. */
const LAST_WORDS_MS = 10_000
export const COPIED_FOLDER = 'sync/copied-folder'
export const COPIED_PEER = 'sync/copied-peer'

export interface CopiedFoldersOptions {
  readonly desk: Pick<OpenDesk, 'documents' | 'context' | 'sync' | 'devices'>
  readonly notices: Notices
  readonly clock: Clock
  readonly log: Logger
  /** Opens the desk anew, and with it a new start and links. */
  readonly renew: () => Promise<void>
}

/**
 * Copied data folders, as a person meets them: says so on every device, offers the choice on the copies, and passes the
 * choice on (rules DV36, SY33, SY47). A copy keeps to itself until then: two that took turns at one link would cut each other
 * off without end.
 */
export class CopiedFolders implements Disposable {
  readonly #options: CopiedFoldersOptions
  readonly #owned = new DisposableStore()
  readonly #paused = this.#owned.add(new Emitter<void>())
  /** This device is one of the copies: it must not be linked. */
  readonly onDidPauseSelf = this.#paused.event

  constructor(options: CopiedFoldersOptions) {
    this.#options = options
    const { documents } = options.desk
    this.#owned.add(
      documents.onDidFindCopy(({ device }) => {
        if (device === this.#self) this.#pauseSelf()
        else this.#say()
      }),
    )
    this.#say()
  }

  get isSelfPaused(): boolean {
    return this.#options.desk.context.paused.has(this.#self)
  }

  /** Another process runs with this device's key. Linked devices believe it of the device itself. */
  handleTwin(peers: readonly Peer[]): void {
    if (this.isSelfPaused) return
    this.#options.desk.context.paused.pauseUnproven(this.#self)
    for (const peer of peers) this.tell(peer)
    this.#pauseSelf()
  }

  /** To a peer that was just met: that this device is one of two copies, or which one a person has chosen. */
  tell({ control, device }: Pick<Peer, 'control' | 'device'>): void {
    const starts = [...this.#options.desk.context.paused.settledStarts(this.#self)]
    if (!this.isSelfPaused && starts.length === 0) return
    const told = this.isSelfPaused ? control.sayCopied({}) : control.settleCopy({ starts })
    told.catch((error: unknown) => this.#options.log.warn('a peer was not told of the copy', { peer: device, code: errorCode(error) }))
  }

  /** A linked device says that its own folder was copied: nothing more is taken from it. */
  pausePeer(device: DeviceId): void {
    this.#options.desk.context.paused.pauseUnproven(device)
    this.#say()
  }

  /** A linked device says that a person has chosen it: its changes are taken again. */
  resumePeer(device: DeviceId, starts: readonly StartId[]): void {
    const { documents, context, sync } = this.#options.desk
    if (starts.every((start) => context.paused.isSettled(device, start)) && !context.paused.has(device)) return
    documents.resume(device, starts)
    this.#say()
    sync.resync()
  }

  dispose(): void {
    this.#owned.dispose()
    for (const code of [COPIED_FOLDER, COPIED_PEER]) this.#options.notices.takeBack(code)
  }

  get #self(): DeviceId {
    return this.#options.desk.context.signer.device
  }

  #say(): void {
    const { notices, desk } = this.#options
    const { paused } = desk.context
    const peers = paused.all().filter((device) => device !== this.#self)
    const names = peers.map((device) => desk.devices.devices.get(device)?.name ?? device.slice(0, 12)).join(', ')
    if (peers.length === 0) notices.takeBack(COPIED_PEER)
    else notices.put({ code: COPIED_PEER, severity: 'warn', message: copiedPeer(names) })
    if (!paused.has(this.#self)) return notices.takeBack(COPIED_FOLDER)
    const name = desk.devices.devices.get(this.#self)?.name ?? 'this one'
    if (paused.wasCloned(this.#self)) return notices.put({ code: COPIED_FOLDER, severity: 'error', message: clonedWhileRunning(name) })
    notices.put({ code: COPIED_FOLDER, severity: 'error', message: copiedFolder(name), action: 'Keep this one' }, () => this.#keepThisOne())
  }

  #pauseSelf(): void {
    const { log, clock } = this.#options
    this.#say()
    log.error('the data folder of this device was copied: it keeps to itself until a person has chosen')
    this.#owned.add(clock.after(LAST_WORDS_MS, () => this.#paused.fire()))
  }

  async #keepThisOne(): Promise<void> {
    const { documents, context } = this.#options.desk
    documents.resume(this.#self, [context.start])
    await this.#options.renew()
  }
}

const copiedFolder = (name: string) =>
  `The data folder of this device was copied: two devices run as ${name}. Both keep to themselves until you choose; what you do here stays ` +
  'here. Choose “Keep this one” on the one to keep; end the other, give it an empty folder and pair it anew. If you made no copy, ' +
  'remove this device on another one of yours.'

const clonedWhileRunning = (name: string) =>
  `This device was copied while it ran: two devices run as ${name} and neither can go on under that identity. What is here stays here. ` +
  'Remove it on another device of yours, start it with an empty folder and pair it anew.'

const copiedPeer = (names: string) =>
  `The data folder of ${names} was copied: two devices run under one identity. Nothing is taken from it until you choose “Keep this one” ` +
  'on the right copy. If you made no copy, remove the device in Devices.'
