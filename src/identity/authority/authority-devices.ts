import type { DeviceId } from '../../base/ids.ts'
import type { SigningKey } from '../crypto.ts'
import type { DeviceSigner } from '../device-keys.ts'
import type { DeviceRecord } from '../fold-devices.ts'
import { IdentityError } from '../identity-error.ts'
import type { AuthorityLog } from './authority-log.ts'
import { isAdmin, isMember, type AuthorityState } from './authority-state.ts'
import type { DeviceEntry, LastCounted, OperationBody, OperationSigner, Role } from './operation.ts'
import { deviceOperationSigner } from './operation-codec.ts'
import { outcomeOfRemoval } from './removal-ways.ts'

/** What goes with a removal, in one write (rules ID63, ID72). */
export interface RemovalTerms {
  readonly lastCounted?: readonly LastCounted[]
  readonly rotations?: readonly OperationBody[]
}

/**
 * The devices of a person as their authority log has them, and the operations that change them. Says who may before it
 * signs, so that nothing void is written; whoever holds the root key here is asked only where the device alone may not.
 */
export class AuthorityDevices {
  readonly #log: AuthorityLog
  #known: AuthorityState | undefined
  #records: ReadonlyMap<DeviceId, DeviceRecord> = new Map()

  constructor(log: AuthorityLog) {
    this.#log = log
  }

  /** Members and removed ones; never those that somebody named without the right to. */
  get records(): ReadonlyMap<DeviceId, DeviceRecord> {
    const { state } = this.#log
    if (this.#known !== state) {
      this.#known = state
      this.#records = recordsOf(state)
    }
    return this.#records
  }

  /** The first operations of a log: the root makes these devices admins. All or none: whoever a begun log lacks is out. */
  found(devices: readonly DeviceEntry[], personKey: SigningKey): void {
    const bodies = devices.map((entry) => ({ kind: 'add-device', role: 'admin', entry }) as const)
    this.#log.appendAll(bodies, this.#root(personKey))
  }

  /** As an admin where the root signs, else as a member. @throws IdentityError `devices/refused` */
  add(entry: DeviceEntry, by: DeviceSigner, personKey?: SigningKey): void {
    if (personKey) this.#log.append({ kind: 'add-device', role: 'admin', entry }, this.#root(personKey))
    else {
      if (!isAdmin(this.#log.state, by.device)) throw refused('add a device')
      this.#log.append({ kind: 'add-device', role: 'member', entry }, deviceOperationSigner(by))
    }
  }

  /** @throws IdentityError `devices/refused` */
  rename(device: DeviceId, name: string, by: DeviceSigner, personKey?: SigningKey): void {
    const { state } = this.#log
    const may = isAdmin(state, by.device) || (device === by.device && isMember(state, device))
    if (!may && !personKey) throw refused('rename another device')
    this.#log.append({ kind: 'rename', device, name }, may || !personKey ? deviceOperationSigner(by) : this.#root(personKey))
  }

  /**
   * Removes a member, by the device where it may alone or seconds another admin, else by the root where its key is open.
   * @throws IdentityError `devices/needs-second` (asked, and kept), `devices/refused`
   */
  remove(device: DeviceId, by: DeviceSigner, personKey: SigningKey | undefined, terms: RemovalTerms): void {
    const outcome = outcomeOfRemoval(this.#log.state, device, by.device)
    const body = { kind: 'remove-device', device, lastCounted: terms.lastCounted ?? [] } as const
    const mayRotate = isAdmin(this.#log.state, by.device) && device !== by.device // who leaves hands out no keys
    const bodies = [body, ...(terms.rotations ?? [])]
    if (outcome === 'removed') this.#log.appendAll(mayRotate ? bodies : [body], deviceOperationSigner(by))
    else if (personKey) this.#log.appendAll(bodies, this.#root(personKey))
    else if (outcome === 'refused') throw refused('remove it')
    else {
      const { votes } = this.#log.state
      if (!votes.some((vote) => vote.target === device && vote.by === by.device)) this.#log.append(body, deviceOperationSigner(by))
      throw needsSecond(this.#log.state.devices.get(device)?.name ?? 'that device')
    }
  }

  /** Of a device that was removed, less counts from now on. By an admin or the root. @throws IdentityError `devices/refused` */
  narrow(device: DeviceId, lastCounted: readonly LastCounted[], by: DeviceSigner, personKey?: SigningKey): void {
    const mayAlone = isAdmin(this.#log.state, by.device)
    if (!mayAlone && !personKey) throw refused('take out what it did')
    const signer = mayAlone || !personKey ? deviceOperationSigner(by) : this.#root(personKey)
    this.#log.append({ kind: 'remove-device', device, lastCounted }, signer)
  }

  /** @throws IdentityError `devices/needs-second` (asked, and kept), `devices/refused` */
  changeRole(device: DeviceId, role: Role, by: DeviceSigner, personKey?: SigningKey): void {
    const { state } = this.#log
    const known = state.devices.get(device)
    if (!known || isAdmin(state, device) === (role === 'admin')) return
    if (role === 'admin') {
      if (!personKey) throw new IdentityError('devices/refused', 'only your person key makes a device an admin: do it where that key is')
      const { boxKey, name, platform } = known
      this.#log.append({ kind: 'role', role, entry: { device, boxKey, name, platform } }, this.#root(personKey))
      return
    }
    const outcome = outcomeOfRemoval(state, device, by.device)
    const body = { kind: 'role', role, device } as const
    if (outcome === 'removed') this.#log.append(body, deviceOperationSigner(by))
    else if (personKey) this.#log.append(body, this.#root(personKey))
    else if (outcome === 'refused') throw refused('take its role')
    else {
      const isAsked = state.votes.some((vote) => vote.target === device && vote.by === by.device && vote.wish === 'demote')
      if (!isAsked) this.#log.append(body, deviceOperationSigner(by))
      throw needsSecond(known.name)
    }
  }

  #root(personKey: SigningKey): OperationSigner {
    return { by: this.#log.person, sign: (message) => personKey.sign(message) }
  }
}

function recordsOf(state: AuthorityState): ReadonlyMap<DeviceId, DeviceRecord> {
  const records = new Map<DeviceId, DeviceRecord>()
  for (const [id, { device, boxKey, name, platform, addedBy, addedAtMs, member, admin, removed }] of state.devices) {
    if (!member && !removed) continue
    const role = admin ? ('admin' as const) : ('member' as const)
    records.set(id, { device, boxKey, name, platform, addedBy, addedAtMs, role, ...(removed ? { removedAtMs: removed.atMs } : {}) })
  }
  return records
}

const needsSecond = (name: string) =>
  new IdentityError(
    'devices/needs-second',
    `${name} was made an admin before this device, so one alone cannot remove it: remove it on a second device that is an admin, too, or where your person key is`,
  )

const refused = (what: string) =>
  new IdentityError('devices/refused', `this device may not ${what}: that takes an admin; do it on one of your devices that is`)
