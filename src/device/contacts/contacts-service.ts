import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { type DeviceId, type PersonId, publicKeyOf } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import type { AuthorityContacts } from '../../identity/contacts/authority-contacts.ts'
import type { ContactList, ContactRow, contactsContract } from '../../identity/contacts-contract.ts'
import { MAX_CARD_PLACE_LETTERS, MAX_CARD_PLACES } from '../../identity/contacts/contact-card.ts'
import type { GrantSigners } from '../../identity/authority/authority-grants.ts'
import type { Crypto, SigningKey } from '../../identity/crypto.ts'
import { IdentityError } from '../../identity/identity-error.ts'
import type { MakingContacts } from '../../identity/pairing.ts'
import type { PairingIntroduction } from '../../identity/pairing-wire.ts'
import { safetyWords } from '../../identity/safety-words.ts'
import type { HostTerminal } from '../../jobs/host-contract.ts'
import type { PortSockets } from '../../jobs/port-socket.ts'
import type { Client } from '../../rpc/client.ts'
import type { Handlers } from '../../rpc/contract.ts'
import type { contactShellContract } from './contact-contract.ts'
import type { SharedPorts } from './contact-port-share.ts'
import type { ContactSession, ContactSessionOptions } from './contact-session.ts'
import { ContactPorts } from './contact-ports.ts'
import { DeviceError } from '../device-error.ts'
import { ContactShells, endLeftShells } from './contact-shells.ts'
import type { LocalTerminals } from '../desk/local-terminals.ts'
import { ContactJobRecord } from './contact-job-record.ts'
import { LinkedContacts } from './linked-contacts.ts'
import { ShellsOnContacts } from './shells-on-contacts.ts'
import type { MeetingService } from '../links/meeting-service.ts'
import type { peerJobsContract } from '../links/peer-contract.ts'
import type { OpenDesk } from '../desk/open-desk.ts'
import { PairingService } from '../trust/pairing-service.ts'

export interface ContactsServiceOptions {
  readonly crypto: Crypto
  readonly clock: Clock
  readonly log: Logger
  readonly meeting: MeetingService
  readonly ports: SharedPorts
  readonly sockets: Pick<PortSockets, 'listen'>
  readonly files: ContactSessionOptions['files']
  readonly host: ContactSessionOptions['host']
  readonly terminals: LocalTerminals
  /** @throws DeviceError `device/locked` */
  desk(): OpenDesk
  introduction(): PairingIntroduction
  /** The root key, while it is open here. */
  personKey(): SigningKey | undefined
}

/** Other persons as displays see them: met, named, parted with. */
export class ContactsService implements Disposable {
  readonly #options: ContactsServiceOptions
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<ContactList>())
  readonly #met = this.#owned.add(new Emitter<DeviceId>())
  readonly #shellChanged = this.#owned.add(new Emitter<{ readonly device: DeviceId; readonly terminal: HostTerminal }>())
  readonly #pairing: PairingService
  /** A contact's device is linked, and can be asked. */
  readonly onDidMeet = this.#met.event
  /** A shell that this device has on one of a contact's. */
  readonly onDidChangeShell = this.#shellChanged.event
  #followed: Following | undefined

  constructor(options: ContactsServiceOptions) {
    this.#options = options
    const { crypto, clock, log, meeting, desk, introduction } = options
    const self = () => ({ ...introduction(), person: desk().devices.person })
    const contacts = { card: () => this.#card(), acquaint: (theirs: Theirs) => this.#acquaint(theirs) }
    this.#pairing = this.#owned.add(new PairingService({ crypto, clock, log, meeting, desk, self, deed: { contacts } }))
    this.#owned.add(endLeftShells(options.host, (terminalId) => this.#followed?.shells.has(terminalId) === true, log))
  }

  /** The desk has just been opened: follows its contacts until it closes. */
  follow(desk: OpenDesk): void {
    this.close()
    const { meeting, ports, files, host, terminals, sockets, clock, log } = this.#options
    const scope = new DisposableStore()
    const onDidChange = () => queueMicrotask(() => this.tell())
    const { devices, contactLogs: logs, ledger } = desk
    const shells = scope.add(new ContactShells({ terminals, devices, self: desk.context.signer.device, logs, ledger, clock, log }))
    const guestJobs = scope.add(new ContactJobRecord({ host, ledger, clock, log }))
    const linked = scope.add(
      new LinkedContacts({
        ...{ desk, meeting, ports, shells, files, host, guestJobs, clock, log, onDidChange },
        onDidMeet: (device) => {
          void this.#followed?.entered.lookAgain(device)
          this.#met.fire(device)
        },
        onDidChangeShell: (device, terminal) => {
          this.#followed?.entered.handleChange(device, terminal)
          this.#shellChanged.fire({ device, terminal })
        },
      }),
    )
    const opened = scope.add(new ContactPorts({ sockets, linked, ledger: desk.ledger, clock, log }))
    const entered = scope.add(new ShellsOnContacts({ linked, ledger, clock, log }))
    this.#followed = { scope, linked, opened, entered, shells }
    scope.add(desk.devices.onDidChange(() => this.tell()))
    scope.add(desk.contactLogs.onDidChange(() => this.tell()))
  }

  /** The desk closes, and with it every link to a contact. */
  close(): void {
    this.#followed?.scope.dispose()
    this.#followed = undefined
  }

  /** Call when a contact, their devices or a link changed. */
  tell(): void {
    if (!this.#followed) return
    const { persons } = this.#options.desk().contactLogs
    const { opened, entered } = this.#followed
    for (const each of [opened, entered]) each.settle((person) => persons.has(person))
    if (this.#changed.hasListeners) this.#changed.fire(this.list())
  }

  /** A linked device of a contact, for what it runs for this one. */
  jobsOf(device: string): Client<typeof peerJobsContract> | undefined {
    return this.#followed?.linked.find(device)?.jobs
  }

  /** As `jobsOf`, for shells on it. */
  shellsOf(device: string): Client<typeof contactShellContract> | undefined {
    return this.#followed?.linked.find(device)?.shells
  }

  /** Such a shell was opened there, for a display of this device. */
  noteShell(device: string, terminal: HostTerminal): void {
    this.#followed?.entered.enter(device, terminal)
  }

  /** "desktop of Bob": undefined: it is no device of a contact. */
  nameOf(device: string): string | undefined {
    if (!this.#followed) return undefined
    const { contacts, contactLogs } = this.#options.desk()
    for (const { person, name } of contacts?.all ?? []) {
      const found = contactLogs.devicesOf(person).find((one) => one.device === device)
      if (found) return `${found.name} of ${name}`
    }
    return undefined
  }

  list(): ContactList {
    const { contacts } = this.#options.desk()
    if (!contacts) return { contacts: [], mayChange: false }
    return { contacts: contacts.all.map((contact) => this.#row(contact)), mayChange: contacts.mayChange(this.#signers()) }
  }

  handlers(): Handlers<typeof contactsContract> {
    return {
      listContacts: () => this.list(),
      onDidChangeContacts: this.#changed.event,
      offerContact: () => {
        this.#requireRight()
        return this.#pairing.offer()
      },
      joinContact: ({ code, rendezvousUrl }) => {
        this.#requireRight()
        return this.#pairing.join(code, rendezvousUrl)
      },
      confirmContact: ({ accept }) => this.#pairing.confirm(accept),
      cancelContact: () => this.#pairing.cancel(),
      readContactPairing: () => this.#pairing.state,
      onDidChangeContactPairing: this.#pairing.onDidChange,
      renameContact: ({ person, name }) => {
        this.#contacts().rename(person as PersonId, name, this.#signers())
        return {}
      },
      openContactPort: async ({ person, deviceId, port }) => {
        const here = await this.#following().opened.open(person as PersonId, deviceId as DeviceId, port)
        this.tell()
        return { here }
      },
      listContactFolder: ({ person, deviceId, dataset, path, from }, { signal }) =>
        this.#session(person, deviceId).files.listShared({ dataset, path, from }, { signal }),
      readContactFile: async ({ person, deviceId, dataset, path, version, offset, length }, { signal }) => {
        const { files } = this.#session(person, deviceId)
        const known = version ?? (await files.statShared({ dataset, path }, { signal })).version
        return { version: known, ...(await files.readShared({ dataset, path, version: known, offset, length }, { signal })) }
      },
      beginContactWrite: ({ person, deviceId, ...at }, { signal }) =>
        this.#session(person, deviceId).files.beginSharedWrite(at, { signal }),
      appendContactWrite: ({ person, deviceId, ...piece }, { signal }) =>
        this.#session(person, deviceId).files.appendSharedWrite(piece, { signal }),
      commitContactWrite: ({ person, deviceId, write }, { signal }) =>
        this.#session(person, deviceId).files.commitSharedWrite({ write }, { signal }),
      makeContactFolder: ({ person, deviceId, ...at }, { signal }) =>
        this.#session(person, deviceId).files.makeSharedFolder(at, { signal }),
      removeContactEntry: async ({ person, deviceId, ...at }, { signal }) => {
        const { files } = this.#session(person, deviceId)
        const { version } = await files.statShared(at, { signal })
        return files.removeShared({ ...at, version }, { signal })
      },
      closeContactPort: ({ person, deviceId, port }) => {
        this.#following().opened.close(person as PersonId, deviceId as DeviceId, port)
        this.tell()
        return {}
      },
      removeContact: ({ person }) => {
        this.#contacts().part(person as PersonId, this.#signers())
        return {}
      },
    }
  }

  dispose(): void {
    this.close()
    this.#owned.dispose()
  }

  #signers(): GrantSigners {
    return { device: this.#options.desk().context.signer, personKey: this.#options.personKey() }
  }

  /** @throws DeviceError `device/locked`, `contact/away` */
  #session(person: string, deviceId: string): ContactSession {
    return this.#following().linked.require(person as PersonId, deviceId as DeviceId)
  }

  /** @throws DeviceError `device/locked` */
  #following(): Following {
    this.#options.desk()
    if (this.#followed) return this.#followed
    throw new DeviceError('device/locked', 'this device is locked; unlock it with your passphrase first')
  }

  /** @throws IdentityError `contact/refused` */
  #contacts(): AuthorityContacts {
    const { contacts } = this.#options.desk()
    if (contacts) return contacts
    throw new IdentityError('contact/refused', 'contacts begin with the authority log: unlock once where your person key is')
  }

  /** Before a code is shown or looked for, rather than after both have said yes. @throws IdentityError `contact/refused` */
  #requireRight(): void {
    if (this.#contacts().mayChange(this.#signers())) return
    throw new IdentityError('contact/refused', 'this device may not add contacts: it takes an admin; do it on one of your devices that is')
  }

  #card() {
    const { desk, meeting } = this.#options
    const places = [...new Set(meeting.links?.placesForOthers)].filter(({ length }) => length <= MAX_CARD_PLACE_LETTERS)
    return { log: desk().devices.encode(), places: places.slice(0, MAX_CARD_PLACES) }
  }

  #acquaint({ peer, offer, meeting, wasLink }: Theirs): void {
    const { contactLogs } = this.#options.desk()
    const { person, personName } = peer
    if (person === undefined) throw new IdentityError('contact/refused', 'it did not say whose device it is')
    contactLogs.begin(person, offer.log)
    const known = this.#contacts().find(person)
    const card = { name: known?.card ? known.name : personName, meeting, places: offer.places }
    this.#contacts().acquaint(person, card, wasLink ? 'qr' : 'words', this.#signers())
    this.#options.log.info('a person became a contact', { person })
  }

  #row({ person, name, checkedBy }: AuthorityContacts['all'][number]): ContactRow {
    const { devices, contactLogs } = this.#options.desk()
    const keyOf = (id: PersonId) => publicKeyOf(id as string as DeviceId)
    const theirs = contactLogs.devicesOf(person).slice(0, 128)
    return {
      person,
      name,
      checkedBy,
      safetyWords: [...safetyWords(this.#options.crypto, [keyOf(devices.person), keyOf(person)])],
      devices: theirs.map(({ device, name }) => {
        const session = this.#followed?.linked.sessionOf(person, device)
        return {
          deviceId: device,
          name,
          state: this.#followed?.linked.stateOf(person, device) ?? 'away',
          offersLeftOut: session?.offersLeftOut ?? 0,
          offers: (session?.offers ?? []).map((offer) => {
            if (offer.kind !== 'port') return offer
            const here = this.#followed?.opened.hereOf(person, device, offer.port)
            return here === undefined ? offer : { ...offer, here }
          }),
        }
      }),
    }
  }
}

/** While the desk is open. */
interface Following {
  readonly scope: DisposableStore
  readonly linked: LinkedContacts
  readonly opened: ContactPorts
  readonly entered: ShellsOnContacts
  readonly shells: ContactShells
}
type Theirs = Parameters<MakingContacts['contacts']['acquaint']>[0]
