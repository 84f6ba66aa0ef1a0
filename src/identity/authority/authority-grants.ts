import type { PersonId } from '../../base/ids.ts'
import type { SigningKey } from '../crypto.ts'
import type { DeviceSigner } from '../device-keys.ts'
import { IdentityError } from '../identity-error.ts'
import type { AuthorityLog } from './authority-log.ts'
import { type GrantState, isAdmin, isMember } from './authority-state.ts'
import { isNarrower } from './grant-order.ts'
import type { Grant, OperationBody, OperationId, OperationSigner } from './operation.ts'
import { deviceOperationSigner } from './operation-codec.ts'

/** Who signs: this device, and the root where its key is open. */
export interface GrantSigners {
  readonly device: DeviceSigner
  readonly personKey: SigningKey | undefined
}

/** Grants, as operations of the authority log. Says who may before it signs, so that nothing void is written. */
export class AuthorityGrants {
  readonly #log: AuthorityLog

  constructor(log: AuthorityLog) {
    this.#log = log
  }

  /** In force and over, the oldest first. */
  get all(): readonly GrantState[] {
    return [...this.#log.state.grants.values()].sort((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1))
  }

  /** By an admin or the root. @throws IdentityError `grant/refused`, `authority/malformed` */
  add(grant: Grant, by: GrantSigners): void {
    this.#say({ kind: 'grant', grant }, by, isAdmin(this.#log.state, by.device.device))
  }

  /**
   * Passes on what this device was given, the same or less (rule ID61).
   * @throws IdentityError `grant/unknown`, `grant/not-narrower`, `grant/refused`
   */
  delegate(from: OperationId, grant: Grant, by: GrantSigners): void {
    const parent = this.#require(from)
    const { person, device } = parent.grant
    const isHolder = person === this.#log.person && (device === undefined || device === by.device.device)
    if (!isHolder) throw new IdentityError('grant/refused', 'only who was given a grant passes it on; this device was not')
    if (!isNarrower(grant, parent.grant)) {
      throw new IdentityError(
        'grant/not-narrower',
        'what is passed on must be the same or less than what was given, and allowed to be passed on',
      )
    }
    this.#say({ kind: 'delegate', from, grant }, by, isMember(this.#log.state, by.device.device))
  }

  /** With all that was made from it. By an admin, the root, or who gave it. @throws IdentityError `grant/unknown`, `grant/refused` */
  revoke(id: OperationId, by: GrantSigners): void {
    const held = this.#require(id)
    const { state } = this.#log
    const isOwn = held.by === by.device.device && isMember(state, by.device.device)
    this.#say({ kind: 'revoke', target: id }, by, isOwn || isAdmin(state, by.device.device))
  }

  /** May `by` grant? What the screen offers. */
  mayGrant({ device, personKey }: GrantSigners): boolean {
    return personKey !== undefined || isAdmin(this.#log.state, device.device)
  }

  #require(id: OperationId): GrantState {
    const held = this.#log.state.grants.get(id)
    if (held) return held
    throw new IdentityError('grant/unknown', 'there is no such grant (any more); look at the list again')
  }

  #say(body: OperationBody, { device, personKey }: GrantSigners, mayDevice: boolean): void {
    const person: PersonId = this.#log.person
    const root: OperationSigner | undefined = personKey && { by: person, sign: (message) => personKey.sign(message) }
    const signer = mayDevice ? deviceOperationSigner(device) : root
    if (!signer)
      throw new IdentityError('grant/refused', 'this device may not do that: it takes an admin; do it on one of your devices that is')
    this.#log.append(body, signer)
  }
}
