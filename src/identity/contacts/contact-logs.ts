import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import type { DeviceId, PersonId } from '../../base/ids.ts'
import { AuthorityLog } from '../authority/authority-log.ts'
import { type DeviceState, isMember } from '../authority/authority-state.ts'
import type { AuthorityStore } from '../authority/authority-store.ts'
import { decodeOperationList } from '../authority/operation-list.ts'
import type { Operation } from '../authority/operation.ts'
import type { Crypto } from '../crypto.ts'
import type { DeviceList } from '../device-list.ts'
import { IdentityError } from '../identity-error.ts'

/** A contact's log beyond this is not kept: it is they who write it, on this disk. Years of honest use are a few thousand. */
export const MAX_CONTACT_OPERATIONS = 20_000

export interface ContactLogsOptions {
  readonly crypto: Crypto
  readonly clock: Clock
  /** Whose contacts these are. */
  readonly devices: DeviceList
  openStore(person: PersonId): AuthorityStore
  /** Kept of one contact's log; MAX_CONTACT_OPERATIONS unless a test says less. */
  readonly maxOperations?: number
}

/**
 * The authority logs of this person's contacts: which devices are theirs, under their own root (rule ID153). Only of who is a
 * contact now; what was kept of others says nothing. Owns the logs, not their stores.
 */
export class ContactLogs implements Disposable {
  readonly #options: ContactLogsOptions
  readonly #owned = new DisposableStore()
  readonly #logs = new Map<PersonId, AuthorityLog>()
  readonly #changed = this.#owned.add(new Emitter<PersonId>())
  readonly #taken = this.#owned.add(new Emitter<{ readonly person: PersonId; readonly operations: readonly Operation[] }>())

  /** A contact's devices changed, or somebody became a contact or is none any more. */
  readonly onDidChange = this.#changed.event
  /** Operations new here, to be told to this person's other devices. */
  readonly onDidTake = this.#taken.event

  constructor(options: ContactLogsOptions) {
    this.#options = options
    let before = this.persons
    this.#owned.add(
      options.devices.onDidChange(() => {
        const [then, now] = [before, this.persons]
        before = now
        for (const person of then) {
          if (now.has(person)) continue
          this.#logs.get(person)?.dispose()
          this.#logs.delete(person)
          this.#changed.fire(person)
        }
        for (const person of now) if (!then.has(person)) this.#changed.fire(person)
      }),
    )
    this.#owned.defer(() => {
      for (const log of this.#logs.values()) log.dispose()
    })
  }

  /** Who is a contact now. */
  get persons(): ReadonlySet<PersonId> {
    return new Set(this.#options.devices.authority?.state.contacts.keys())
  }

  /** Of who is a contact; else undefined. */
  of(person: PersonId): AuthorityLog | undefined {
    return this.persons.has(person) ? this.#open(person) : undefined
  }

  /** Is this a device of that contact, as their log has it now? */
  isMember(person: PersonId, device: DeviceId): boolean {
    const log = this.of(person)
    return log !== undefined && log.state.count < this.maxOperations && isMember(log.state, device)
  }

  /** A contact's devices of now. */
  devicesOf(person: PersonId): readonly DeviceState[] {
    return [...(this.of(person)?.state.devices.values() ?? [])].filter(({ member }) => member !== undefined)
  }

  /** What a person showed who is about to become a contact. @throws IdentityError `authority/malformed`, `contact/too-many`; StoreError */
  begin(person: PersonId, list: Uint8Array): void {
    this.#receive(person, this.#open(person), decodeOperationList(person, list))
  }

  /**
   * Takes in operations of a contact's log, whoever passed them on. `isComplete`: nothing they rest on is missing.
   * @throws IdentityError `contact/unknown`, `authority/malformed`, `contact/too-many`; StoreError
   */
  take(person: PersonId, operations: readonly Uint8Array[]): { readonly isComplete: boolean } {
    const log = this.of(person)
    if (!log) throw new IdentityError('contact/unknown', 'that person is no contact (any more)')
    return this.#receive(person, log, operations)
  }

  /** Kept of one contact's log. */
  get maxOperations(): number {
    return this.#options.maxOperations ?? MAX_CONTACT_OPERATIONS
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #open(person: PersonId): AuthorityLog {
    const known = this.#logs.get(person)
    if (known) return known
    const { crypto, clock, openStore } = this.#options
    const log = AuthorityLog.open({ crypto, clock, person, store: openStore(person) })
    this.#logs.set(person, log)
    log.onDidTake((operations) => this.#taken.fire({ person, operations }))
    log.onDidChange(() => this.#changed.fire(person))
    return log
  }

  #receive(person: PersonId, log: AuthorityLog, operations: readonly Uint8Array[]): { readonly isComplete: boolean } {
    // A log that is full lets nobody in (isMember): whoever fills it cannot outlive being removed from it.
    if (log.state.count >= this.maxOperations || operations.length > this.maxOperations) {
      throw new IdentityError('contact/too-many', `the log of ${person.slice(0, 12)}… is longer than this device keeps of a contact`)
    }
    const { refused, missing } = log.receive(operations)
    const malformed = refused.find(({ code }) => code === 'authority/malformed')
    if (malformed) throw malformed
    return { isComplete: missing.length === 0 }
  }
}
