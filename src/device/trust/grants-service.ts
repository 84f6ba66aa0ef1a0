import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { type DeviceId, parseDeviceId, type PersonId } from '../../base/ids.ts'
import { AuthorityGrants, type GrantSigners } from '../../identity/authority/authority-grants.ts'
import { malformedOperation } from '../../identity/authority/authority-error.ts'
import type { GrantState } from '../../identity/authority/authority-state.ts'
import type { Grant, GrantTarget, OperationId } from '../../identity/authority/operation.ts'
import { parseDatasetId, parseGrantedProgram } from '../../identity/authority/program-id.ts'
import type { SigningKey } from '../../identity/crypto.ts'
import { ABILITIES, type Ability } from '../../identity/grant-check.ts'
import { grantSentence } from '../../identity/grant-words.ts'
import type { AccessRow, GrantInput, GrantList, GrantRow, grantsContract } from '../../identity/grants-contract.ts'
import { IdentityError } from '../../identity/identity-error.ts'
import {
  CONTACT_GRANTABLE,
  GRANTABLE,
  isForContacts,
  LogGrantCheck,
  MEMBER_ABILITIES,
  PROGRAM_GRANTABLE,
} from '../../identity/log-grant-check.ts'
import type { Handlers } from '../../rpc/contract.ts'
import type { OpenDesk } from '../desk/open-desk.ts'

export interface GrantsServiceOptions {
  readonly clock: Clock
  /** @throws DeviceError `device/locked` */
  desk(): OpenDesk
  /** The root key, while it is open here. */
  personKey(): SigningKey | undefined
}

/** Grants as displays and the command line see them: in sentences, and who may do what here. */
export class GrantsService implements Disposable {
  readonly #options: GrantsServiceOptions
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<GrantList>())
  #scope: DisposableStore | undefined

  constructor(options: GrantsServiceOptions) {
    this.#options = options
  }

  /** The desk has just been opened: follows its list until it closes. */
  follow(desk: OpenDesk): void {
    this.#scope?.dispose()
    this.#scope = new DisposableStore()
    this.#scope.add(desk.devices.onDidChange(() => this.#changed.hasListeners && this.#changed.fire(this.list())))
  }

  list(): GrantList {
    const { devices, context } = this.#options.desk()
    const log = devices.authority
    const words = Object.entries(ABILITIES).map(([ability, text]) => ({ ability, words: text }))
    if (!log) return { grants: [], access: [], abilities: words, mayGrant: false }
    const signers = this.#signers()
    const grants = new AuthorityGrants(log)
    const mayGrant = grants.mayGrant(signers)
    const rows = grants.all.map((held) => this.#row(held, mayGrant || held.by === context.signer.device))
    return { grants: rows, access: this.#access(), abilities: words, mayGrant }
  }

  handlers(): Handlers<typeof grantsContract> {
    return {
      listGrants: () => this.list(),
      onDidChangeGrants: this.#changed.event,
      addGrant: ({ grant, from }) => {
        const parsed = this.#parse(grant)
        if (from === undefined) this.#grants().add(parsed, this.#signers())
        else this.#grants().delegate(from as OperationId, parsed, this.#signers())
        return {}
      },
      revokeGrant: ({ id }) => {
        this.#grants().revoke(id as OperationId, this.#signers())
        return {}
      },
    }
  }

  dispose(): void {
    this.#scope?.dispose()
    this.#owned.dispose()
  }

  #signers(): GrantSigners {
    return { device: this.#options.desk().context.signer, personKey: this.#options.personKey() }
  }

  #grants(): AuthorityGrants {
    const log = this.#options.desk().devices.authority
    if (log) return new AuthorityGrants(log)
    throw new IdentityError('grant/refused', 'grants begin with the authority log: unlock once where your person key is')
  }

  /** Ids are checked and abilities must fit what they are about, so that no grant is written that never counts. @throws IdentityError */
  #parse({ contact, device, program, on, target, abilities, mayDelegate, untilMs }: GrantInput): Grant {
    const { devices } = this.#options.desk()
    const named = program === undefined ? undefined : parseGrantedProgram(program)
    const kinds = contact !== undefined ? CONTACT_GRANTABLE : program === undefined ? GRANTABLE : PROGRAM_GRANTABLE
    const grantable = kinds[target.kind]
    for (const ability of abilities) {
      if (grantable.includes(ability as Ability)) continue
      const whom = contact !== undefined ? ' to a contact' : program === undefined ? '' : ' to a program, which it has in its sandbox only'
      throw malformedOperation(`"${ability}" cannot be granted on ${target.kind}${whom}; what can: ${grantable.join(', ') || 'nothing'}`)
    }
    const known = (id: string): DeviceId => {
      const parsed = toDeviceId(id)
      if (parsed && devices.isMember(parsed)) return parsed
      throw new IdentityError('devices/unknown', `${id.slice(0, 12)}… is none of your devices; look at Devices`)
    }
    if (contact !== undefined && program !== undefined && target.kind !== 'jobs') {
      throw malformedOperation('what a program of a contact may is to run here: a class of jobs')
    }
    const to = contact === undefined ? undefined : this.#requireContact(contact, { device, mayDelegate })
    const grant: Grant = {
      person: to?.person ?? devices.person,
      ...(device === undefined ? {} : { device: to?.device ?? known(device) }),
      ...(named === undefined ? {} : { program: named }),
      ...(on === undefined ? {} : { on: known(on) }),
      target: (target.kind === 'dataset' ? { ...target, dataset: parseDatasetId(target.dataset) } : target) as GrantTarget,
      abilities: [...new Set(abilities)].sort(),
      mayDelegate,
      ...(untilMs === undefined ? {} : { untilMs }),
    }
    if (to && !isForContacts(grant)) {
      throw malformedOperation('a shell for a contact is on one of your devices and until a time: name both')
    }
    return grant
  }

  /** @throws IdentityError `contact/unknown`, `devices/unknown`, `authority/malformed` */
  #requireContact(
    id: string,
    { device, mayDelegate }: Pick<GrantInput, 'device' | 'mayDelegate'>,
  ): { readonly person: PersonId; readonly device: DeviceId | undefined } {
    const { contacts, contactLogs } = this.#options.desk()
    const person = id as PersonId
    if (!contacts?.find(person)) throw new IdentityError('contact/unknown', 'that person is no contact (any more); look at the list again')
    if (mayDelegate) throw malformedOperation('what a contact was given cannot be passed on')
    const own = device === undefined ? undefined : toDeviceId(device)
    if (device !== undefined && (!own || !contactLogs.isMember(person, own))) {
      throw new IdentityError('devices/unknown', `${device.slice(0, 12)}… is no device of that contact`)
    }
    return { person, device: own }
  }

  #row({ id, grant, by, atMs, from }: GrantState, canRevoke: boolean): GrantRow {
    const { devices, contacts, contactLogs } = this.#options.desk()
    const ofContact = (device: DeviceId) => contactLogs.of(grant.person)?.state.devices.get(device)?.name
    const nameOf = (device: DeviceId) => devices.devices.get(device)?.name ?? ofContact(device) ?? `${device.slice(0, 12)}…`
    const isOwn = grant.person === devices.person
    const contact = isOwn ? undefined : (contacts?.find(grant.person)?.name ?? `${grant.person.slice(0, 12)}…`)
    return {
      id,
      ...(isOwn ? {} : { contact: grant.person }),
      target: grant.target,
      abilities: [...grant.abilities],
      sentence: grantSentence(grant, nameOf, contact),
      ...(grant.untilMs === undefined ? {} : { untilMs: grant.untilMs }),
      isOver: grant.untilMs !== undefined && grant.untilMs <= this.#options.clock.nowMs(),
      by: by === devices.person ? 'your person key' : nameOf(by as DeviceId),
      atMs,
      ...(from === undefined ? {} : { from }),
      canRevoke,
    }
  }

  /** What each other device may here. */
  #access(): AccessRow[] {
    const { devices, context } = this.#options.desk()
    const self = context.signer.device
    const check = new LogGrantCheck({ devices, self, clock: this.#options.clock })
    try {
      const others = devices.members.filter(({ device }) => device !== self)
      return others.map(({ device, name, role = 'member' }) => {
        const entries = (Object.keys(ABILITIES) as Ability[]).map((ability) => {
          if (role === 'admin' || MEMBER_ABILITIES.has(ability)) return [ability, 'role'] as const
          return [ability, check.allows({ device, ability }) ? 'grant' : 'no'] as const
        })
        return { deviceId: device, name, role, may: Object.fromEntries(entries) }
      })
    } finally {
      check.dispose()
    }
  }
}

function toDeviceId(text: string): DeviceId | undefined {
  try {
    return parseDeviceId(text)
  } catch {
    return undefined // not base58 of a key
  }
}
