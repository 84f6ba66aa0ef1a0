import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { DeviceId } from '../../base/ids.ts'
import { DeviceListCopy } from '../../identity/device-list-copy.ts'
import type { PairingGrant } from '../../identity/pairing-wire.ts'
import { SeatClaims } from '../../identity/seat-claims.ts'
import type { Vault } from '../../identity/vault.ts'
import { CopiedFolders } from '../links/copied-folders.ts'
import { watchCuts } from '../links/cut-watch.ts'
import { watchDesk } from './desk-watch.ts'
import { DeviceError } from '../device-error.ts'
import type { DeviceParts } from '../device-parts.ts'
import { watchOwnRemoval } from '../trust/own-removal.ts'
import { packLuggage } from '../trust/joining.ts'
import { LastScreens } from './last-screens.ts'
import { LastTexts } from '../files/last-texts.ts'
import { type LinkedDeskOptions, linkDesk } from '../links/linked-desk.ts'
import type { Notices } from '../notices.ts'
import type { SealedBecause } from './desk-contract.ts'
import { openDesk, type OpenDesk } from './open-desk.ts'

/**
 * Links begin this long after the desk is open: the display that unlocked it has its workspace and the text in front by then,
 * and needs no link for them.
 */
const LINKS_AFTER_MS = 250

/** A desk with what lives beside its documents. */
export interface KeptDesk {
  readonly desk: OpenDesk
  readonly claims: SeatClaims
  readonly lastScreens: LastScreens
  readonly lastTexts: LastTexts
}

/** Why the device keys are closed, and what in plain sentences that stopped. */
export interface SealedState {
  readonly because: SealedBecause
  readonly stopped: readonly string[]
}

export interface DeskKeeperOptions extends Omit<LinkedDeskOptions, 'desk' | 'claims' | 'lastScreens' | 'copies'> {
  readonly parts: DeviceParts
  readonly vault: Vault
  readonly notices: Notices
  /** The desk is about to be opened anew: displays that are open now go on with it. */
  keepDisplays(): void
}

/**
 * Opens and closes the desk with the device keys: store, replicas, seat, links. Everything that needs open keys asks here.
 * Invariant: a desk is open only while the vault is.
 */
export class DeskKeeper implements Disposable {
  readonly #options: DeskKeeperOptions
  readonly #willClose = new Emitter<void>()
  readonly #opened = new Emitter<KeptDesk>()
  #open: (KeptDesk & { readonly owned: DisposableStore }) | undefined
  #opening: Promise<void> | undefined
  #sealed: SealedState = { because: 'started', stopped: [] }

  /** The desk is about to close: displays let go of it. */
  readonly onWillClose = this.#willClose.event
  readonly onDidOpen = this.#opened.event

  constructor(options: DeskKeeperOptions) {
    this.#options = options
  }

  get current(): KeptDesk | undefined {
    return this.#open
  }

  /** Of the last lock; says something only while the device keys are closed. */
  get sealed(): SealedState {
    return this.#sealed
  }

  /** @throws DeviceError `device/locked` */
  require(): KeptDesk {
    if (this.#open) return this.#open
    throw new DeviceError('device/locked', 'this device is locked; unlock it with your passphrase first')
  }

  /** @throws DeviceError `device/locked` */
  self(): DeviceId {
    return this.require().desk.context.signer.device
  }

  /** Opens the desk if it is not. When it cannot be opened the device keys are wiped again. @throws StoreError, IdentityError */
  open(): Promise<void> {
    if (this.#open) return Promise.resolve()
    this.#opening ??= this.#openNow().finally(() => (this.#opening = undefined))
    return this.#opening
  }

  close(): void {
    const closing = this.#open
    if (!closing) return
    this.#willClose.fire()
    this.#open = undefined
    closing.owned.dispose()
  }

  /** Closes the desk and wipes the device keys. Says in plain words what that stopped. */
  lock(because: Exclude<SealedBecause, 'started'> = 'asked'): string[] {
    const { peers, vault } = this.#options
    const linked = peers.all.length
    const isRemoved = because === 'removed'
    const stopped = isRemoved ? [] : ['Changes made on your other devices reach this one when you unlock it again.']
    if (linked > 0) stopped.push(linked === 1 ? 'The link to one device is closed.' : `The links to ${linked} devices are closed.`)
    stopped.push(
      isRemoved ? 'Programs in terminals go on.' : 'Programs in terminals go on; your other devices cannot reach them until you unlock.',
    )
    this.#sealed = { because, stopped } // first: the door says it as soon as the keys are gone
    this.close()
    vault.lockDevice()
    return stopped
  }

  /**
   * Joins another person's devices: what is open here goes along as an activity named after this device. Crash-safe: what is
   * packed lies in the store before the keys change.
   */
  async adopt({ person, personName, deviceList, datasetKeys }: PairingGrant): Promise<void> {
    const { vault, parts } = this.#options
    const { desk } = this.require()
    for (const replica of desk.documents.all()) replica.flush()
    packLuggage(desk, { person, deviceList }, vault.label?.deviceName ?? parts.hostName)
    this.#options.keepDisplays()
    this.close()
    try {
      await vault.adopt({ person, personName, datasetKeys })
      await DeviceListCopy.forget(parts.vaultStore, parts.log.child('identity'))
    } finally {
      await this.open() // the joined desk, or the one that was open when the keys could not be written
    }
    parts.log.info('joined another desk', { devices: this.require().desk.devices.members.length })
  }

  /** Closes the desk and opens it again, under a new start. */
  async renew(): Promise<void> {
    this.#options.keepDisplays()
    this.close()
    await this.open()
  }

  dispose(): void {
    this.close()
    this.#willClose.dispose()
    this.#opened.dispose()
  }

  /** This device was removed: it locks, and opens only by a passphrase from now on. */
  async #leave(desk: OpenDesk): Promise<void> {
    if (this.#open?.desk !== desk) return
    const { vault, parts } = this.#options
    parts.log.warn('this device was removed from the devices of its person: locked')
    try {
      if (vault.unattended) await vault.setUnattended(false)
      await vault.forgetOpener()
      await vault.forgetPasskey()
    } finally {
      this.lock('removed')
    }
  }

  async #openNow(): Promise<void> {
    const { parts, vault, notices, seat, links } = this.#options
    const { crypto, clock, log } = parts
    const owned = new DisposableStore()
    try {
      const desk = owned.add(await openDesk(parts, vault, notices))
      owned.add(watchDesk(desk, vault, notices, log))
      const { signer, check } = desk.context
      const claims = owned.add(SeatClaims.open({ crypto, clock, person: vault.keys.person, list: check, store: desk.values }))
      const lastScreens = new LastScreens(desk.values)
      const nameOf = (device: string) => desk.devices.devices.get(device as DeviceId)?.name ?? device.slice(0, 12)
      owned.add(seat.use({ claims, signer, nameOf }))
      owned.add(desk.devices.onDidChange(() => links.tell()))
      this.#open = { desk, claims, lastScreens, lastTexts: new LastTexts(desk.values), owned }
      owned.add(
        watchOwnRemoval({
          devices: desk.devices,
          self: signer.device,
          notices,
          leave: () => void this.#leave(desk).catch((error) => log.error('could not lock after the removal', { error })),
        }),
      )
      const copies = owned.add(new CopiedFolders({ desk, notices, clock, log, renew: () => this.renew() }))
      owned.add(watchCuts({ desk, notices, log, renew: () => this.renew() }))
      const link = () => {
        try {
          owned.add(linkDesk({ ...this.#options, desk, claims, lastScreens, copies }))
        } catch (error) {
          log.error('the links could not be opened', { error })
          notices.put({
            code: errorCode(error),
            severity: 'error',
            message: `This device could not open its links: ${errorMessage(error)}`,
          })
        }
      }
      owned.add(clock.after(LINKS_AFTER_MS, link))
      log.info('the desk is open', { documents: desk.documents.all().length, devices: desk.devices.members.length })
      this.#opened.fire(this.#open)
    } catch (error) {
      this.#open = undefined
      owned.dispose()
      this.#sealed = { because: 'failed', stopped: [] }
      vault.seal()
      log.error('the desk could not be opened', { error })
      const code = errorCode(error)
      notices.put({ code, severity: 'error', message: `This device could not open its desk: ${errorMessage(error)}` })
      throw error
    }
  }
}
