import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { errorMessage } from '../../base/errors.ts'
import type { Clock } from '../../base/clock.ts'
import type { DeviceId, PersonId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import type { ContactOfferRow } from '../../identity/contacts-contract.ts'
import type { LedgerRecorder } from '../../identity/ledger/ledger-event.ts'
import { joinSocket, type PortSocket, type PortSockets } from '../../jobs/port-socket.ts'
import { DeviceError } from '../device-error.ts'
import type { LinkedContacts } from './linked-contacts.ts'

export interface ContactPortsOptions {
  readonly sockets: Pick<PortSockets, 'listen'>
  readonly linked: LinkedContacts
  readonly ledger: LedgerRecorder
  readonly clock: Clock
  readonly log: Logger
}

interface OpenPort {
  readonly person: PersonId
  readonly device: DeviceId
  readonly port: number
  readonly here: number
  readonly listener: Disposable
  readonly sinceMs: number
}

/**
 * Ports that contacts share with this device, on its loopback: opened by a person, the same number if it is free, until they are
 * closed, offered no more, or the desk closes. Each connection is a channel; the grant is asked over there. Owns its listeners.
 */
export class ContactPorts implements Disposable {
  readonly #options: ContactPortsOptions
  readonly #owned = new DisposableStore()
  readonly #open = new Map<string, OpenPort>()

  constructor(options: ContactPortsOptions) {
    this.#options = options
    this.#owned.defer(() => {
      for (const key of [...this.#open.keys()]) this.#close(key)
    })
  }

  /** Where it can be reached on this machine; undefined: it was not opened. */
  hereOf(person: PersonId, device: DeviceId, port: number): number | undefined {
    return this.#open.get(keyOf(person, device, port))?.here
  }

  /** @throws DeviceError `contact/away`, `contact/not-offered` */
  async open(person: PersonId, device: DeviceId, port: number): Promise<number> {
    const { sockets, ledger, clock } = this.#options
    this.#requireOffer(person, device, port)
    const key = keyOf(person, device, port)
    const known = this.#open.get(key)
    if (known) return known.here
    const listener = await sockets.listen(port, (socket) => void this.#join(person, device, port, socket))
    try {
      this.#requireOffer(person, device, port) // they may have parted, or taken it back, while it was opened
    } catch (error) {
      listener.dispose()
      throw error
    }
    const other = this.#open.get(key)
    if (other || this.#owned.isDisposed) {
      listener.dispose()
      return other?.here ?? listener.port
    }
    this.#open.set(key, { person, device, port, here: listener.port, listener, sinceMs: clock.monotonicMs() })
    ledger.record({ kind: 'port-opened', peer: device, port, here: listener.port })
    return listener.port
  }

  close(person: PersonId, device: DeviceId, port: number): void {
    this.#close(keyOf(person, device, port))
  }

  /** What is offered, or who is linked, has changed: what a linked device offers no more is closed. */
  settle(isContact: (person: PersonId) => boolean): void {
    const { linked } = this.#options
    for (const [key, { person, device, port }] of this.#open) {
      const session = linked.sessionOf(person, device)
      const isOver = session?.hasMet === true && !session.offers.some((offer) => isPort(offer, port))
      if (isOver || !isContact(person)) this.#close(key)
    }
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #requireOffer(person: PersonId, device: DeviceId, port: number): void {
    const { offers } = this.#options.linked.require(person, device)
    if (offers.some((offer) => isPort(offer, port))) return
    throw new DeviceError('contact/not-offered', `port ${port} is not shared with this device (any more); ask the person for it`)
  }

  #close(key: string): void {
    const open = this.#open.get(key)
    if (!open) return
    const { ledger, clock } = this.#options
    const { device: peer, port, here, listener, sinceMs } = open
    this.#open.delete(key)
    listener.dispose()
    ledger.record({ kind: 'port-ended', peer, port, here, forMs: Math.max(0, Math.round(clock.monotonicMs() - sinceMs)) })
  }

  async #join(person: PersonId, device: DeviceId, port: number, socket: PortSocket): Promise<void> {
    const { linked, log } = this.#options
    socket.setPaused(true)
    let isGone = false
    socket.onDidClose(() => (isGone = true))
    try {
      const channel = await linked.sessionOf(person, device)?.connectPort(port)
      if (isGone || !channel) {
        channel?.dispose()
        return socket.dispose()
      }
      joinSocket(socket, channel)
      socket.setPaused(false)
    } catch (error) {
      log.debug("a connection to a contact's port was refused", { port, why: errorMessage(error) })
      socket.dispose()
    }
  }
}

const isPort = (offer: ContactOfferRow, port: number): boolean => offer.kind === 'port' && offer.port === port
const keyOf = (person: PersonId, device: DeviceId, port: number): string => `${person} ${device} ${port}`
