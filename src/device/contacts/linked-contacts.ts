import { toHex, utf8 } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { DeviceId, PersonId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import type { Contact } from '../../identity/contacts/authority-contacts.ts'
import type { ContactCard } from '../../identity/contacts/contact-card.ts'
import { LogGrantCheck } from '../../identity/log-grant-check.ts'
import type { HostTerminal } from '../../jobs/host-contract.ts'
import type { Link } from '../../sync/lane.ts'
import type { RtcLinkSet } from '../../sync/link-set.ts'
import type { SharedPorts } from './contact-port-share.ts'
import { ContactSession, type ContactSessionOptions } from './contact-session.ts'
import { DeviceError } from '../device-error.ts'
import { recordLink } from '../links/link-record.ts'
import type { MeetingService } from '../links/meeting-service.ts'
import type { OpenDesk } from '../desk/open-desk.ts'

export interface LinkedContactsOptions {
  readonly desk: OpenDesk
  readonly meeting: MeetingService
  readonly ports: SharedPorts
  readonly shells: ContactSessionOptions['shells']
  readonly files: ContactSessionOptions['files']
  readonly host: ContactSessionOptions['host']
  readonly guestJobs: ContactSessionOptions['guestJobs']
  readonly clock: Clock
  readonly log: Logger
  /** A link, or what is offered over one, changed. */
  readonly onDidChange: () => void
  readonly onDidChangeShell: (device: DeviceId, terminal: HostTerminal) => void
  /** A device was met, and said what it offers. */
  readonly onDidMeet: (device: DeviceId) => void
}

interface Met {
  /** Where both meet, as text: another one is another meeting. */
  readonly at: string
  readonly set: RtcLinkSet
  readonly scope: DisposableStore
  readonly sessions: Map<DeviceId, ContactSession>
}

/**
 * Links to the devices of this person's contacts, each contact by itself, while the desk is open and linked. Who comes is checked
 * against that contact's own log, and gets what is granted to that contact (rules ID153, ID154). Owns the links.
 */
export class LinkedContacts implements Disposable {
  readonly #options: LinkedContactsOptions
  readonly #owned = new DisposableStore()
  readonly #met = new Map<PersonId, Met>()

  constructor(options: LinkedContactsOptions) {
    this.#options = options
    const { desk, meeting } = options
    this.#owned.add(
      meeting.onDidOpen(() => {
        for (const person of [...this.#met.keys()]) this.#leave(person)
        this.#settle()
      }),
    )
    this.#owned.add(desk.devices.onDidChange(() => this.#settle()))
    this.#owned.add(desk.keyring.onDidChange(() => this.#settle()))
    this.#owned.defer(() => {
      for (const person of [...this.#met.keys()]) this.#leave(person)
    })
  }

  stateOf(person: PersonId, device: DeviceId): 'linked' | 'connecting' | 'away' {
    return this.#met.get(person)?.set.stateOf(device) ?? 'away'
  }

  /** Undefined while that device is not linked. */
  sessionOf(person: PersonId, device: DeviceId): ContactSession | undefined {
    return this.#met.get(person)?.sessions.get(device)
  }

  /** Whosever device that is; undefined while it is not linked, or none of a contact. */
  find(device: string): ContactSession | undefined {
    for (const { sessions } of this.#met.values()) {
      const session = sessions.get(device as DeviceId)
      if (session) return session
    }
    return undefined
  }

  /** @throws DeviceError `contact/away` */
  require(person: PersonId, device: DeviceId): ContactSession {
    const session = this.sessionOf(person, device)
    if (session) return session
    throw new DeviceError('contact/away', 'that device is not linked now; try again when Contacts shows it as linked')
  }

  dispose(): void {
    this.#owned.dispose()
  }

  /** Whoever is a contact is met, whoever is none any more is left at once. */
  #settle(): void {
    const { desk, meeting } = this.#options
    if (!meeting.links?.set || this.#owned.isDisposed) return
    const contacts = new Map((desk.contacts?.all ?? []).map((contact) => [contact.person, contact]))
    for (const [person, { at }] of this.#met) {
      const card = contacts.get(person)?.card
      if (!card || placeOf(card) !== at) this.#leave(person)
    }
    for (const contact of contacts.values()) if (contact.card && !this.#met.has(contact.person)) this.#meet(contact, contact.card)
  }

  #leave(person: PersonId): void {
    const met = this.#met.get(person)
    if (!met) return
    this.#met.delete(person)
    this.#options.meeting.links?.leaveContact(met.set)
    met.scope.dispose()
    this.#options.onDidChange()
  }

  #meet({ person }: Contact, card: ContactCard): void {
    const { desk, meeting, clock } = this.#options
    const { links } = meeting
    if (!links) return
    const { signer, check } = desk.context
    const { contactLogs, devices } = desk
    const scope = new DisposableStore()
    const grants = scope.add(new LogGrantCheck({ devices, self: signer.device, clock, contact: { person, logs: contactLogs } }))
    const set = links.meetContact({
      signer,
      check: { isMember: (device) => contactLogs.isMember(person, device), verify: (...signed) => check.verify(...signed) },
      head: () => devices.head,
      scope: scopeOf(devices.person, person),
      meetingSecret: card.meeting,
      places: card.places,
      // After the peers have been told, as among devices of one person.
      onDidChangeMembers: (listener) => contactLogs.onDidChange((changed) => changed === person && queueMicrotask(() => listener())),
    })
    const met: Met = { at: placeOf(card), set, scope, sessions: new Map() }
    this.#met.set(person, met)
    scope.add(set.onDidLink((link) => this.#take(person, met, grants, link)))
    scope.add(set.onDidUnlink(() => this.#options.onDidChange()))
    for (const link of set.links.values()) this.#take(person, met, grants, link)
  }

  #take(person: PersonId, { scope, sessions }: Met, grants: LogGrantCheck, link: Link): void {
    const { desk, ports, shells, files, host, guestJobs, clock, log, onDidChange, onDidChangeShell } = this.#options
    log.info('linked with a contact', { person, peer: link.peer })
    const own = scope.add(new DisposableStore())
    own.add(recordLink(desk.ledger, link, clock))
    own.add(link.onDidClose(() => scope.release(own)))
    const { devices, contactLogs: logs, values, ledger } = desk
    const session = own.add(
      new ContactSession(link, {
        person,
        devices,
        logs,
        values,
        ledger,
        grants,
        ports,
        shells,
        files,
        host,
        guestJobs,
        clock,
        log,
        onDidChangeOffers: onDidChange,
        onDidChangeShell: (terminal) => onDidChangeShell(link.peer, terminal),
      }),
    )
    sessions.set(link.peer, session)
    own.defer(() => sessions.get(link.peer) === session && sessions.delete(link.peer))
    void session
      .meet()
      .then(() => this.#options.onDidMeet(link.peer))
      .catch((error) =>
        log.warn("meeting a contact's device failed", { peer: link.peer, code: errorCode(error), why: errorMessage(error) }),
      )
    onDidChange()
  }
}

const placeOf = ({ meeting, places }: ContactCard): string => [toHex(meeting), ...places].join(' ')

/** Names both persons, the same for either: a proof between them is none between others (SY73). */
const scopeOf = (a: PersonId, b: PersonId): Uint8Array => utf8([a, b].sort().join(' '))
