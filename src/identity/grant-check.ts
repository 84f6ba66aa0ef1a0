import type { DeviceId } from '../base/ids.ts'
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
  /** On what: a path, terminal, port; for the message and, later, for grants that name it. */
  readonly target?: string
}

/** May this device do that here? The seam behind which grants come; callers ask it today already, at every door. */
export interface GrantCheck {
  allows(question: GrantQuestion): boolean
  /** @throws IdentityError `grant/refused` */
  require(question: GrantQuestion): void
  /** In plain words, what is allowed to whom now; shown in Devices and by `elsewhere debug`. */
  describe(): string
}

/**
 * Allows every ability to each device on the person's own device list, and nothing to anyone else (rule ID40). **There are
 * no grants yet**: a paired device may do here whatever its person may, a shell included. That ends with the identity
 * work, which puts signed grants behind this same interface.
 */
export class OwnDevicesGrantCheck implements GrantCheck {
  readonly #list: { isMember(device: DeviceId): boolean }

  constructor(list: { isMember(device: DeviceId): boolean }) {
    this.#list = list
  }

  allows(question: GrantQuestion): boolean {
    return Object.hasOwn(ABILITIES, question.ability) && this.#list.isMember(question.device)
  }

  require(question: GrantQuestion): void {
    if (this.allows(question)) return
    const what = Object.hasOwn(ABILITIES, question.ability) ? ABILITIES[question.ability] : 'do that'
    const where = question.target === undefined ? 'here' : `here (${question.target.slice(0, 200)})`
    throw new IdentityError(
      'grant/refused',
      `device ${question.device.slice(0, 12)}… may not ${what} ${where}: it is not one of your devices; pair it first`,
    )
  }

  describe(): string {
    return 'Each of your own devices may do everything on this one, shells included; others may do nothing. Grants that say less do not exist yet.'
  }
}
