import { type Disposable, DisposableStore } from '../base/disposable.ts'
import type { Event } from '../base/emitter.ts'
import type { DatasetId, DeviceId } from '../base/ids.ts'
import type { GrantState } from './authority/authority-state.ts'
import type { ProgramId } from './authority/program-id.ts'
import { IdentityError } from './identity-error.ts'

/**
 * What one device may ask of another, with the words a person reads. Checked where the thing happens: at the RPC or lane
 * that does it, never at the asker.
 */
export const ABILITIES = {
  'workspace:write': 'change what is open',
  'seat:claim': 'take the desk to one of its displays',
  'devices:change': 'add, rename and remove devices',
  'files:read': 'read files',
  'files:write': 'change files',
  shell: 'run programs in a shell',
  'tasks:read': 'see what runs',
  'tasks:end': 'end what runs',
  'jobs:run': 'run jobs',
  'ports:share': 'reach shared ports',
} as const
export type Ability = keyof typeof ABILITIES

export interface GrantQuestion {
  /** Who asks: the device proved by the link. */
  readonly device: DeviceId
  readonly ability: Ability
  /** On what: a path, terminal, port; for the message only. */
  readonly target?: string
  /** Which program asks, as the device that started it in a sandbox computed it. A grant to a program counts for that one only. */
  readonly program?: ProgramId
  /** For files of a dataset; without it a question about files means this account's own. */
  readonly dataset?: DatasetId
  /** For `jobs:run`. */
  readonly jobClass?: string
  /** For `ports:share`. */
  readonly port?: number
}

/** May this device do that here? Asked at every door, by whoever does the thing. */
export interface GrantCheck {
  allows(question: GrantQuestion): boolean
  /** @throws IdentityError `grant/refused` */
  require(question: GrantQuestion): void
  /**
   * For what goes on after it was allowed (a terminal, a stream): `lost` is called once, as soon as it is allowed no more, by
   * revocation, removal or time.
   */
  watch(question: GrantQuestion, lost: () => void): Disposable
  /** Grants in force here that are about its jobs in the sandbox: by a program, or of a contact to run some. */
  jobGrants(device: DeviceId): readonly GrantState[]
  /** In plain words, what is allowed to whom now; shown in Devices and by `elsewhere debug`. */
  describe(): string
}

/** @throws IdentityError `grant/refused` */
export function refuseGrant(question: GrantQuestion, why: string): never {
  const what = Object.hasOwn(ABILITIES, question.ability) ? ABILITIES[question.ability] : 'do that'
  const where = question.target === undefined ? 'here' : `here (${question.target.slice(0, 200)})`
  throw new IdentityError('grant/refused', `device ${question.device.slice(0, 12)}… may not ${what} ${where}: ${why}`)
}

/** What it answers from: who belongs, and when that changes. */
export interface MemberList {
  isMember(device: DeviceId): boolean
  readonly onDidChange?: Event<void>
}

/**
 * Allows every ability to each device on the person's own device list, and nothing to anyone else: what counts before the
 * authority log has begun (rule ID40). Roles and grants are `LogGrantCheck`'s.
 */
export class OwnDevicesGrantCheck implements GrantCheck {
  readonly #list: MemberList

  constructor(list: MemberList) {
    this.#list = list
  }

  allows(question: GrantQuestion): boolean {
    return Object.hasOwn(ABILITIES, question.ability) && this.#list.isMember(question.device)
  }

  require(question: GrantQuestion): void {
    if (!this.allows(question)) refuseGrant(question, 'it is not one of your devices; pair it first')
  }

  watch(question: GrantQuestion, lost: () => void): Disposable {
    return watchGrant(this, question, lost, [this.#list.onDidChange])
  }

  jobGrants(): readonly GrantState[] {
    return []
  }

  describe(): string {
    return 'Each of your own devices may do everything on this one, shells included; others may do nothing. Roles and grants begin with the authority log.'
  }
}

/** Asks now and again at every event; calls `lost` once. */
export function watchGrant(
  check: Pick<GrantCheck, 'allows'>,
  question: GrantQuestion,
  lost: () => void,
  events: readonly (Event<void> | undefined)[],
): Disposable {
  const owned = new DisposableStore()
  const ask = () => {
    if (owned.isDisposed || check.allows(question)) return
    owned.dispose()
    lost()
  }
  for (const event of events) if (event) owned.add(event(ask))
  ask() // it may have ended while its user was being set up
  return owned
}
