import { toBase64Url } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { DocId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import { passphraseBytes } from '../../identity/passphrase.ts'
import type { Vault } from '../../identity/vault.ts'
import type { Handlers } from '../../rpc/contract.ts'
import { isDeviceDoc, isDocId } from '../../sync/documents.ts'
import type { deskContract } from './desk-contract.ts'
import { DeviceError } from '../device-error.ts'
import type { DisplaySession } from './display-session.ts'
import { serveDocument } from './document-channel.ts'
import type { DoorService } from './door-service.ts'
import type { Notices } from '../notices.ts'
import type { OpenDesk } from './open-desk.ts'
import { type Fetch, probePage } from './page-probe.ts'
import type { SeatService } from './seat-service.ts'
import type { SettingsService } from '../settings-service.ts'

export interface DeskServiceOptions {
  readonly vault: Vault
  readonly door: DoorService
  readonly seat: SeatService
  readonly notices: Notices
  readonly settings: SettingsService
  readonly clock: Clock
  readonly fetch: Fetch
  readonly log: Logger
  /** @throws DeviceError `device/locked` */
  desk(): OpenDesk
  /** Somebody is at a display of this device. */
  touchOwner(): void
  /** Closes the desk and wipes the device keys; answers what that stopped. */
  lockDevice(): string[]
  debugText(): Promise<string>
}

/** What an unlocked display may ask of the desk itself: documents, locks, settings, the seat's question. */
export class DeskService {
  readonly #options: DeskServiceOptions

  constructor(options: DeskServiceOptions) {
    this.#options = options
  }

  handlers(session: DisplaySession): Handlers<typeof deskContract> {
    const { vault, door, seat, notices, settings, clock, fetch, log } = this.#options
    return {
      attachDocument: ({ doc }, { openChannel }) => {
        const desk = this.#options.desk()
        const replica = desk.documents.open(requireDocId(doc))
        const channel = openChannel() // may be refused, and must not leave an attachment behind
        const attachment = replica.attachDisplay()
        session.hold(serveDocument(attachment, channel, desk.isReadOnly(doc as DocId), log))
        return { channel: channel.id, clientId: attachment.clientId }
      },
      dropText: ({ doc }) => {
        this.#options.desk().documents.drop(requireDocId(doc))
        return {}
      },
      changePassphrase: async ({ passphrase, next }) => {
        await vault.changePassphrase(passphraseBytes(passphrase), passphraseBytes(next))
        return {}
      },
      lockDisplay: () => {
        vault.lockDisplay(session.id)
        session.lock()
        return door.state(session)
      },
      lockDevice: () => ({ stopped: this.#options.lockDevice() }),
      keepOpener: async () => {
        const opener = await vault.keepOpener()
        return { opener: toBase64Url(opener) }
      },
      forgetOpener: async () => {
        await vault.forgetOpener()
        return {}
      },
      reportInput: () => {
        session.lastInputMs = clock.monotonicMs()
        this.#options.touchOwner()
        return {}
      },
      answerSeatQuestion: ({ answer }) => {
        seat.answer(session, answer)
        return {}
      },
      actOnNotice: async ({ code }) => {
        await notices.act(code)
        return {}
      },
      onDidChangeSeat: seat.onDidChange,
      onDidAskSeatQuestion: (listener) => seat.onDidAsk(({ session: asked, question }) => asked === session && listener(question)),
      onDidNotify: notices.onDidNotify,
      debugSnapshot: async () => ({ text: await this.#options.debugText() }),
      probePage: ({ url }, { signal }) => probePage(url, fetch, clock, signal),
      readSettings: () => this.#settings(),
      writeSettings: async (part) => {
        if (part.unattended !== undefined && part.unattended !== vault.unattended) await vault.setUnattended(part.unattended)
        if (part.deviceName !== undefined && part.deviceName !== vault.label?.deviceName) await this.rename(part.deviceName)
        settings.change(part)
        return this.#settings()
      },
    }
  }

  /** The vault is the truth of what it knows. */
  #settings() {
    const { vault, settings } = this.#options
    return { ...settings.current, deviceName: vault.label?.deviceName ?? settings.current.deviceName, unattended: vault.unattended }
  }

  /** This device's name, at the door and on the list. */
  async rename(deviceName: string): Promise<void> {
    const { devices, context } = this.#options.desk()
    devices.rename(context.signer.device, deviceName, context.signer)
    await this.#options.vault.rename({ deviceName })
  }
}

function requireDocId(doc: string): DocId {
  if (isDocId(doc) && !isDeviceDoc(doc)) return doc
  throw new DeviceError('document/bad-name', `there is no document called ${JSON.stringify(doc.slice(0, 40))}`)
}
