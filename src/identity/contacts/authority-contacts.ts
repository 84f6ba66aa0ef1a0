import type { PersonId } from '../../base/ids.ts'
import type { AuthorityLog } from '../authority/authority-log.ts'
import { type ContactState, isAdmin } from '../authority/authority-state.ts'
import type { GrantSigners } from '../authority/authority-grants.ts'
import type { OperationBody, OperationSigner } from '../authority/operation.ts'
import { deviceOperationSigner } from '../authority/operation-codec.ts'
import type { DatasetKeys } from '../dataset-keys.ts'
import { IdentityError } from '../identity-error.ts'
import { type ContactCard, openContactCard, sealContactCard } from './contact-card.ts'

/** A contact as this person's own devices read it. Without a card: one this device holds no key for (yet). */
export interface Contact {
  readonly person: PersonId
  readonly name: string
  readonly card: ContactCard | undefined
  readonly checkedBy: 'qr' | 'words'
}

/** A person has at most so many contacts: each is a place where devices meet. */
export const MAX_CONTACTS = 64

/** Contacts, as operations of the authority log. Says who may before it signs, so that nothing void is written. */
export class AuthorityContacts {
  readonly #log: AuthorityLog
  readonly #keys: Pick<DatasetKeys, 'epoch' | 'seal' | 'open'>

  constructor(log: AuthorityLog, keys: Pick<DatasetKeys, 'epoch' | 'seal' | 'open'>) {
    this.#log = log
    this.#keys = keys
  }

  /** By name. */
  get all(): readonly Contact[] {
    const contacts = [...this.#log.state.contacts.values()].map((contact) => this.#read(contact))
    return contacts.sort((a, b) => (a.name === b.name ? (a.person < b.person ? -1 : 1) : a.name < b.name ? -1 : 1))
  }

  find(person: PersonId): Contact | undefined {
    const contact = this.#log.state.contacts.get(person)
    return contact && this.#read(contact)
  }

  /** May `by` add and remove contacts? */
  mayChange({ device, personKey }: GrantSigners): boolean {
    return personKey !== undefined || isAdmin(this.#log.state, device.device)
  }

  /** @throws IdentityError `contact/refused`, `contact/too-many`, `authority/malformed` */
  acquaint(person: PersonId, card: ContactCard, checkedBy: 'qr' | 'words', by: GrantSigners): void {
    if (person === this.#log.person)
      throw new IdentityError('contact/refused', 'that is you: one of your own devices is added under Devices')
    const { contacts } = this.#log.state
    if (!contacts.has(person) && contacts.size >= MAX_CONTACTS) {
      throw new IdentityError('contact/too-many', `a person has at most ${MAX_CONTACTS} contacts; remove one first`)
    }
    this.#say({ kind: 'acquaint', person, checkedBy, sealed: sealContactCard(this.#keys, person, card) }, by)
  }

  /** @throws IdentityError `contact/unknown`, `contact/refused`, `authority/malformed` */
  rename(person: PersonId, name: string, by: GrantSigners): void {
    const { card } = this.#require(person)
    if (!card) throw new IdentityError('contact/refused', 'this device cannot read that contact yet; do it on the device that added it')
    this.#say({ kind: 'contact-card', person, sealed: sealContactCard(this.#keys, person, { ...card, name }) }, by)
  }

  /** With every grant they have (rule ID150). @throws IdentityError `contact/unknown`, `contact/refused` */
  part(person: PersonId, by: GrantSigners): void {
    this.#require(person)
    this.#say({ kind: 'part', person }, by)
  }

  #require(person: PersonId): Contact {
    const contact = this.find(person)
    if (contact) return contact
    throw new IdentityError('contact/unknown', 'that person is no contact (any more); look at the list again')
  }

  #read({ person, name, sealed, checkedBy }: ContactState): Contact {
    const unnamed = { person, name: name ?? `${person.slice(0, 12)}…`, card: undefined, checkedBy }
    if (!sealed) return unnamed
    try {
      const card = openContactCard(this.#keys, person, sealed)
      return { ...unnamed, name: card.name, card }
    } catch (error) {
      if (error instanceof IdentityError && error.code !== 'identity/key-wiped') return unnamed // its key comes with the next link
      throw error
    }
  }

  #say(body: OperationBody, by: GrantSigners): void {
    const { device, personKey } = by
    const root: OperationSigner | undefined = personKey && { by: this.#log.person, sign: (message) => personKey.sign(message) }
    const signer = isAdmin(this.#log.state, device.device) ? deviceOperationSigner(device) : root
    if (!signer) {
      throw new IdentityError(
        'contact/refused',
        'this device may not change contacts: it takes an admin; do it on one of your devices that is',
      )
    }
    this.#log.append(body, signer)
  }
}
