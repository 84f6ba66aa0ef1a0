import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore, toDisposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import type { DeviceId, PersonId } from '../base/ids.ts'
import { isAdmin, type AuthorityState, type GrantState } from './authority/authority-state.ts'
import type { Grant, GrantTarget } from './authority/operation.ts'
import type { ContactLogs } from './contacts/contact-logs.ts'
import type { DeviceList } from './device-list.ts'
import {
  ABILITIES,
  type Ability,
  type GrantCheck,
  type GrantQuestion,
  OwnDevicesGrantCheck,
  refuseGrant,
  watchGrant,
} from './grant-check.ts'

/**
 * What a *member* may on every other device of the person without a grant (docs/decisions/0010): follow the desk, look, and use
 * what a device offers in a sandbox or on purpose. Whatever changes an account (files, shells, ending programs) takes a grant
 * or an admin: who can write one file of a home folder can run what it likes there.
 */
export const MEMBER_ABILITIES: ReadonlySet<Ability> = new Set<Ability>([
  'workspace:write',
  'seat:claim',
  'files:read',
  'tasks:read',
  'jobs:run',
  'ports:share',
])

/** What a grant can be about, by the kind of its target. The rest follows from the role alone. */
export const GRANTABLE: Readonly<Record<GrantTarget['kind'], readonly Ability[]>> = {
  /** This account on that machine. */
  shell: ['shell', 'files:read', 'files:write', 'tasks:read', 'tasks:end'],
  dataset: ['files:read', 'files:write'],
  jobs: ['jobs:run'],
  port: ['ports:share'],
}
/** What can be granted to another person: what is checked for them at every call. */
export const CONTACT_GRANTABLE: Readonly<Record<GrantTarget['kind'], readonly Ability[]>> = {
  /** On one device, for a time: who has a shell may all that this account may there, Elsewhere included. */
  shell: ['shell'],
  /** Through the device that is asked: no key is handed out. */
  dataset: ['files:read', 'files:write'],
  /** In the sandbox, in a copy of their folder, without the network. */
  jobs: ['jobs:run'],
  port: ['ports:share'],
}
/** What a grant to a program is about: what its sandbox can hold it to. */
export const PROGRAM_GRANTABLE: Readonly<Record<GrantTarget['kind'], readonly Ability[]>> = {
  shell: [],
  /** Mounted where the program finds it. */
  dataset: ['files:read', 'files:write'],
  jobs: ['jobs:run'],
  port: [],
}
/** A class of jobs that stands for all of them. */
export const ANY_JOB_CLASS = 'any'

/** What only tells that a grant has ended needs no timer longer than a day: it asks again then. */
const LONGEST_TIMER_MS = 24 * 3_600_000
/** While something goes on by a grant that ends, how often the clock is looked at: it may be set, and a machine that sleeps holds timers. */
const WATCHING_MS = 30_000
/** None is shorter: a clock that stands still would make it turn without end. */
const SHORTEST_TIMER_MS = 1_000

export interface LogGrantCheckOptions {
  readonly devices: DeviceList
  /** The device that asks: grants may hold on one device only. */
  readonly self: DeviceId
  readonly clock: Clock
  /** Whose devices ask, when they are a contact's: these have what is granted to that person, and no role (rule ID154). */
  readonly contact?: { readonly person: PersonId; readonly logs: ContactLogs }
}

/**
 * Roles and grants of the authority log, as they stand now, by this device's clock (rules ID77-ID81). Owns one timer, for the next
 * grant that ends, while anybody wants to know.
 */
export class LogGrantCheck implements GrantCheck, Disposable {
  readonly #options: LogGrantCheckOptions
  readonly #before: OwnDevicesGrantCheck
  readonly #owned = new DisposableStore()
  readonly #ended = this.#owned.add(new Emitter<void>())
  /** The clock was looked at: those who watch ask again. */
  readonly #looked = this.#owned.add(new Emitter<void>())
  #timer: Disposable | undefined
  #isOften = false

  constructor(options: LogGrantCheckOptions) {
    this.#options = options
    this.#before = new OwnDevicesGrantCheck(options.devices)
    this.#owned.defer(() => this.#timer?.dispose())
    this.#owned.add(options.devices.onDidChange(() => this.#plan()))
  }

  /** The time of a grant is over. */
  get onDidEnd(): Event<void> {
    return (listener) => {
      const heard = this.#ended.event(listener)
      if (!this.#timer) this.#plan()
      return heard
    }
  }

  allows(question: GrantQuestion): boolean {
    const { devices } = this.#options
    const state = devices.authority?.state
    const { contact } = this.#options
    if (contact) return this.#allowsContact(contact, question)
    if (!state) return this.#before.allows(question)
    if (!Object.hasOwn(ABILITIES, question.ability) || !devices.isMember(question.device)) return false
    if (question.program === undefined) {
      if (isAdmin(state, question.device) || MEMBER_ABILITIES.has(question.ability)) return true
    }
    return [...state.grants.values()].some((held) => this.#covers(held, question, state))
  }

  require(question: GrantQuestion): void {
    if (this.allows(question)) return
    if (this.#options.contact) refuseGrant(question, 'it is a device of a contact, who has no grant for that')
    const isMember = this.#options.devices.isMember(question.device)
    refuseGrant(
      question,
      isMember
        ? 'it is a member of your devices, and that takes a grant ("elsewhere grant add", or Devices), or the role of an admin'
        : 'it is not one of your devices; pair it first',
    )
  }

  watch(question: GrantQuestion, lost: () => void): Disposable {
    const { devices, contact } = this.#options
    const theirs: Event<void> | undefined = contact && ((listener) => contact.logs.onDidChange(() => listener()))
    const over = () => {
      this.#plan()
      lost()
    }
    const watching = watchGrant(this, question, over, [devices.onDidChange, this.#looked.event, theirs])
    if (!this.#isOften) this.#plan()
    return toDisposable(() => {
      watching.dispose()
      if (!this.#looked.hasListeners) this.#plan()
    })
  }

  describe(): string {
    const { devices } = this.#options
    if (!devices.authority) return this.#before.describe()
    const grants = [...devices.authority.state.grants.values()].filter((held) => this.#isInTime(held)).length
    return `Admins among your devices may do everything on this one; members follow, look, run jobs and reach shared ports. Grants in force: ${grants}.`
  }

  dispose(): void {
    this.#owned.dispose()
  }

  /** Grants of a contact that are in force here, to any of their devices. */
  grantsOf(device: DeviceId): readonly GrantState[] {
    const { contact } = this.#options
    if (!contact?.logs.isMember(contact.person, device)) return []
    return this.#inForce(contact.person, device).filter(
      ({ grant }) =>
        isForContacts(grant) &&
        (grant.program === undefined || grant.target.kind === 'jobs') &&
        grant.abilities.some((ability) => CONTACT_GRANTABLE[grant.target.kind].includes(ability as Ability)),
    )
  }

  jobGrants(device: DeviceId): readonly GrantState[] {
    const { devices, contact } = this.#options
    if (contact) return this.grantsOf(device).filter(({ grant }) => grant.target.kind === 'jobs')
    if (!devices.isMember(device)) return []
    return this.#inForce(devices.person, device).filter(({ grant }) => grant.program !== undefined)
  }

  #inForce(person: PersonId, device: DeviceId): readonly GrantState[] {
    const { devices, self } = this.#options
    return [...(devices.authority?.state.grants.values() ?? [])].filter(
      (held) =>
        held.grant.person === person &&
        (held.grant.device === undefined || held.grant.device === device) &&
        (held.grant.on === undefined || held.grant.on === self) &&
        this.#isInTime(held),
    )
  }

  #allowsContact({ person, logs }: NonNullable<LogGrantCheckOptions['contact']>, question: GrantQuestion): boolean {
    const state = this.#options.devices.authority?.state
    if (!state || !Object.hasOwn(ABILITIES, question.ability)) return false
    if (question.program !== undefined && question.ability !== 'jobs:run') return false
    if (!logs.isMember(person, question.device)) return false
    return [...state.grants.values()].some(
      (held) =>
        isForContacts(held.grant) &&
        CONTACT_GRANTABLE[held.grant.target.kind].includes(question.ability) &&
        this.#covers(held, question, { person }),
    )
  }

  #covers(held: GrantState, question: GrantQuestion, { person }: Pick<AuthorityState, 'person'>): boolean {
    const { grant } = held
    return (
      grant.person === person &&
      (grant.device === undefined || grant.device === question.device) &&
      (grant.on === undefined || grant.on === this.#options.self) &&
      (grant.program === undefined || grant.program === question.program) &&
      grant.abilities.includes(question.ability) &&
      GRANTABLE[grant.target.kind].includes(question.ability) &&
      isAbout(grant.target, question) &&
      this.#isInTime(held)
    )
  }

  #isInTime({ grant }: GrantState): boolean {
    return grant.untilMs === undefined || this.#options.clock.nowMs() < grant.untilMs
  }

  #plan(): void {
    this.#timer?.dispose()
    this.#timer = undefined
    this.#isOften = this.#looked.hasListeners
    if (this.#owned.isDisposed || !(this.#isOften || this.#ended.hasListeners)) return
    const { clock, devices } = this.#options
    const now = clock.nowMs()
    const next = [...(devices.authority?.state.grants.values() ?? [])].reduce(
      (first, { grant: { untilMs } }) => (untilMs !== undefined && untilMs > now ? Math.min(first, untilMs) : first),
      Number.POSITIVE_INFINITY,
    )
    if (next === Number.POSITIVE_INFINITY) return
    const longest = this.#isOften ? WATCHING_MS : LONGEST_TIMER_MS
    const delayMs = next - now > longest + SHORTEST_TIMER_MS ? longest : Math.max(next - now, SHORTEST_TIMER_MS)
    this.#timer = clock.after(delayMs, () => {
      this.#looked.fire()
      if (clock.nowMs() >= next) this.#ended.fire()
      this.#plan()
    })
  }
}

/** A shell for a contact counts only where it names one device and an end (rule ID165): one that was written otherwise gives nothing. */
export const isForContacts = ({ target, on, untilMs }: Pick<Grant, 'target' | 'on' | 'untilMs'>): boolean =>
  target.kind !== 'shell' || (on !== undefined && untilMs !== undefined)

/** Is the question about what the grant names? A question about files without a dataset is about the account. */
function isAbout(target: GrantTarget, { ability, dataset, jobClass, port }: GrantQuestion): boolean {
  switch (target.kind) {
    case 'dataset':
      return target.dataset === dataset
    case 'jobs':
      return target.jobClass === ANY_JOB_CLASS || target.jobClass === jobClass
    case 'port':
      return target.port === port
    case 'shell':
      return dataset === undefined && ability !== 'jobs:run'
  }
}
