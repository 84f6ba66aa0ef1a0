import { equalBytes } from '../base/bytes.ts'
import { publicKeyOf, type DeviceId, type DocId, type PersonId } from '../base/ids.ts'
import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import type { KeyValueStore } from '../base/key-value-store.ts'
import { AuthorityDevices, type RemovalTerms } from './authority/authority-devices.ts'
import { headOf } from './authority/authority-head.ts'
import { AuthorityLog, type AuthorityQuestion, type AuthorityReport } from './authority/authority-log.ts'
import type { AuthorityStore } from './authority/authority-store.ts'
import { isAdmin, type Vote } from './authority/authority-state.ts'
import type { LastCounted, Operation, OperationId, Role } from './authority/operation.ts'
import { decodeOperation, parse } from './authority/operation-codec.ts'
import { outcomeOfRemoval, type RemovalWays, waysToRemove } from './authority/removal-ways.ts'
import { decodeOperationList, encodeOperationList, OPERATION_LIST_FORMAT, stateOfList } from './authority/operation-list.ts'
import { CountedEnvelopes } from './counted-envelopes.ts'
import type { Crypto, SigningKey } from './crypto.ts'
import type { DeviceSigner } from './device-keys.ts'
import { decodeList, encodeList, listBytes, MAX_DEVICES, MAX_LIST_BYTES, MAX_STATEMENTS } from './device-list-codec.ts'
import { hasControlCharacter, MAX_NAME_LENGTH, signStatement, type DeviceClaim, type DeviceStatement } from './device-statement.ts'
import { foldDevices, type DeviceRecord, type FoldedDevices } from './fold-devices.ts'
import { IdentityError } from './identity-error.ts'

export { MAX_DEVICES, MAX_LIST_BYTES } from './device-list-codec.ts'
export type { RemovalTerms } from './authority/authority-devices.ts'
export type { DeviceRecord } from './fold-devices.ts'

/** Where the list lies in the store: one entry per person. */
const STORE_SPACE = 'device-list'

/** What a device says of itself when it is added. */
export interface DeviceIntroduction {
  readonly device: DeviceId
  readonly boxKey: Uint8Array
  readonly name: string
  readonly platform: string
}

export interface DeviceListOptions {
  readonly crypto: Crypto
  readonly store: KeyValueStore
  readonly clock: Clock
  readonly person: PersonId
  /** Where the authority log lies. Without one, there is only the list of statements that came before it. */
  readonly authority?: AuthorityStore
  /** This device. */
  readonly self?: DeviceId
}

/**
 * Which devices are this person's, answered from the authority log (rules ID51-ID70).
 *
 * Until the root key has begun the log, from the list of signed statements that came before it: removal there is a
 * tombstone that honest devices obey (see fold-devices.ts). Once there is a log, those statements say nothing any more.
 *
 * Invariant: holds only what was signed by whom it says and hangs from the person's root key. Owns no keys.
 */
export class DeviceList implements Disposable {
  readonly person: PersonId
  readonly #crypto: Crypto
  readonly #store: KeyValueStore
  readonly #clock: Clock
  readonly #onDidChange = new Emitter<void>()
  readonly #log: AuthorityLog | undefined
  readonly #authority: AuthorityDevices | undefined
  #folded: FoldedDevices

  private constructor(options: DeviceListOptions, folded: FoldedDevices) {
    this.person = options.person
    const { authority: store, crypto, clock, person, self } = options
    this.#log = store && AuthorityLog.open({ crypto, clock, person, store, ...(self ? { self } : {}) })
    this.#authority = this.#log && new AuthorityDevices(this.#log)
    this.#log?.onDidChange(() => this.#onDidChange.fire())
    this.#crypto = options.crypto
    this.#store = options.store
    this.#clock = options.clock
    this.#folded = folded
  }

  /** What is stored for `person`; a stored list of another person is left unread. @throws IdentityError `devices/malformed` */
  static open(options: DeviceListOptions): DeviceList {
    const stored = options.store.get(STORE_SPACE, options.person)
    const statements = stored ? decodeList(options.crypto, options.person, stored) : []
    return new DeviceList(options, foldDevices(options.person, statements))
  }

  /** Everything known, members and removed, by device id. */
  get devices(): ReadonlyMap<DeviceId, DeviceRecord> {
    return this.#inForce?.records ?? this.#folded.devices
  }

  /** Those that belong now. */
  get members(): readonly DeviceRecord[] {
    return [...this.devices.values()].filter((record) => record.removedAtMs === undefined)
  }

  isMember(device: DeviceId): boolean {
    const record = this.devices.get(device)
    return record !== undefined && record.removedAtMs === undefined
  }

  /** Who removed a device, by name; undefined: it was not removed, or that is not known. */
  removerOf(device: DeviceId): string | undefined {
    const by = this.#log?.state.devices.get(device)?.removed?.by
    if (by === undefined) return undefined
    return by === this.person ? 'your person key' : this.#log?.state.devices.get(by as DeviceId)?.name
  }

  /** The log itself, once there is one. */
  get authority(): AuthorityLog | undefined {
    return this.#log?.isEmpty === false ? this.#log : undefined
  }

  /** Operations new here, to be told to peers; before `onDidChange`. */
  onDidTake(listener: (operations: readonly Operation[]) => void): Disposable {
    return this.#log?.onDidTake(listener) ?? NOTHING
  }

  /** What a person should hear of: forks and rollbacks. */
  onDidReport(listener: (report: AuthorityReport) => void): Disposable {
    return this.#log?.onDidReport(listener) ?? NOTHING
  }

  /** Fires after the list changed in memory; it is durable when the call that changed it returns. */
  get onDidChange(): Event<void> {
    return this.#onDidChange.event
  }

  /**
   * Where the root key is open: begins the authority log with the members of the list before it, or with this device. Every
   * one becomes an admin: the list knew nothing less (rule ID69). Does nothing when there is a log: who was removed stays out.
   */
  found(introduction: DeviceIntroduction, personKey: SigningKey): void {
    if (this.#log && this.#authority) {
      if (!this.#log.isEmpty) return
      const others = this.members.filter(({ device }) => device !== introduction.device)
      return this.#authority.found([introduction, ...others].map(namedEntry), personKey)
    }
    if (this.isMember(introduction.device)) return
    this.#say(introduction.device, this.#addOf(introduction), this.person, (message) => personKey.sign(message))
  }

  /**
   * Adds a device, or one that was removed anew: as an admin where the root key is given, else as a member.
   * @throws IdentityError `devices/refused`, `devices/too-many`
   */
  add(introduction: DeviceIntroduction, by: DeviceSigner, personKey?: SigningKey): void {
    this.#requireMember(by.device)
    if (this.isMember(introduction.device)) return
    if (this.#inForce) {
      if (this.members.length >= MAX_DEVICES) throw tooMany()
      return this.#inForce.add(namedEntry(introduction), by, personKey)
    }
    this.#say(introduction.device, this.#addOf(introduction), by.device, by.sign)
  }

  /** @throws IdentityError `devices/unknown`, `devices/refused` */
  rename(device: DeviceId, name: string, by: DeviceSigner, personKey?: SigningKey): void {
    this.#requireMember(by.device)
    this.#requireKnown(device)
    if (this.#inForce) return this.#inForce.rename(device, requireName(name), by, personKey)
    const counter = 1 + this.#highest(device, 'rename')
    this.#say(device, { kind: 'rename', name: requireName(name), counter }, by.device, by.sign)
  }

  /**
   * Also for oneself. Where this device may not alone, the root key does, when it is given. `terms` go with it in one write.
   * @throws IdentityError `devices/unknown`, `devices/refused`, `devices/needs-second` (asked: another admin must, too)
   */
  remove(device: DeviceId, by: DeviceSigner, personKey?: SigningKey, terms: RemovalTerms = {}): void {
    this.#requireMember(by.device)
    this.#requireKnown(device)
    if (!this.isMember(device)) return
    if (this.#inForce) return this.#inForce.remove(device, by, personKey, terms)
    this.#say(device, { kind: 'remove', round: this.#highest(device, 'add') }, by.device, by.sign)
  }

  /** Less of what a removed device did counts. @throws IdentityError `devices/unknown`, `devices/refused` */
  narrow(device: DeviceId, lastCounted: readonly LastCounted[], by: DeviceSigner, personKey?: SigningKey): void {
    this.#requireMember(by.device)
    this.#requireKnown(device)
    if (!this.#inForce || this.isMember(device)) throw new IdentityError('devices/refused', 'remove that device first')
    this.#inForce.narrow(device, lastCounted, by, personKey)
  }

  /**
   * Only the root makes admins; who may remove an admin may also make it a member.
   * @throws IdentityError `devices/unknown`, `devices/refused`, `devices/needs-second`
   */
  changeRole(device: DeviceId, role: Role, by: DeviceSigner, personKey?: SigningKey): void {
    this.#requireMember(by.device)
    this.#requireKnown(device)
    if (!this.#inForce)
      throw new IdentityError('devices/refused', 'roles begin with the authority log: unlock once where your person key is')
    if (this.isMember(device)) this.#inForce.changeRole(device, role, by, personKey)
  }

  /**
   * Takes in a peer's list, or a log in one piece. True when anything changed. Statements whose signer does not count are left
   * out, and all of them once there is a log.
   * @throws IdentityError `devices/malformed`, `devices/refused` (another person's list), `devices/too-many`; nothing is taken then
   * @throws StoreError  taken, but not durable
   */
  merge(encoded: Uint8Array): boolean {
    if (encoded[0] === OPERATION_LIST_FORMAT) return this.takeOperations(decodeOperationList(this.person, encoded)).changed
    const statements = decodeList(this.#crypto, this.person, encoded)
    return this.#inForce ? false : this.#take(statements)
  }

  /** All there is, for a device that joins or the copy beside the vault. @throws IdentityError `devices/too-many` */
  encode(): Uint8Array {
    return this.#inForce && this.#log ? encodeOperationList(this.person, this.#log.all()) : this.encodeStatements()
  }

  /** The list before the log: for peers that hold no log yet. */
  encodeStatements(): Uint8Array {
    return encodeList(this.person, this.#folded.statements.values())
  }

  /** What to ask a peer with: see `operationsFor`. */
  get landmarks(): readonly OperationId[] {
    return this.#log?.landmarks() ?? []
  }

  /** Removals that wait for a second admin (rule ID57). */
  get openVotes(): readonly Vote[] {
    return this.#log?.state.votes.filter(({ wish }) => wish === 'remove') ?? []
  }

  /** Every way to remove `device` now (rule ID60); before there is a log, every member may alone. */
  waysToRemove(device: DeviceId): RemovalWays {
    return this.#inForce && this.#log ? waysToRemove(this.#log.state, device) : { alone: this.members.map((member) => member.device) }
  }

  /** What comes of `by` removing `device` now. */
  outcomeOfRemoval(device: DeviceId, by: DeviceId): 'removed' | 'asked' | 'refused' {
    if (this.#inForce && this.#log) return outcomeOfRemoval(this.#log.state, device, by)
    return this.isMember(by) ? 'removed' : 'refused'
  }

  /** What this device knows of who belongs, for the proof of a link. */
  get head(): Uint8Array {
    return headOf(this.#crypto, this.#log?.state)
  }

  /** How many operations the log holds. */
  get operationCount(): number {
    return this.#log?.state.count ?? 0
  }

  /** A page of operations that the asker may lack, in order; empty: there is nothing more. */
  operationsFor(question: AuthorityQuestion, maxBytes: number): Uint8Array[] {
    return (this.#log?.missingFor(question, maxBytes) ?? []).map(({ bytes }) => bytes)
  }

  /** Takes in operations. `isComplete`: nothing they rest on is missing. @throws IdentityError  the first that was malformed; StoreError */
  takeOperations(operations: readonly Uint8Array[]): { readonly changed: boolean; readonly isComplete: boolean } {
    if (!this.#log) return { changed: false, isComplete: true }
    const { taken, refused, missing } = this.#log.receive(operations)
    const malformed = refused.find(({ code }) => code === 'authority/malformed')
    if (malformed) throw malformed
    return { changed: taken.length > 0, isComplete: missing.length === 0 }
  }

  /** By what the root itself added `device`: shown to devices that were not there (rule ID160). */
  admissionOf(device: DeviceId): Uint8Array | undefined {
    const operations = (this.#log?.all() ?? []).map(({ bytes }) => parse(this.#crypto, bytes))
    return operations.findLast((operation) => this.#admits(operation) === device)?.bytes
  }

  /**
   * Takes in what somebody who is no member (yet) shows: nothing but the root's own word that a device belongs. Returns that
   * device when it is a member now; whoever shows another thing changes nothing.
   */
  takeAdmission(bytes: Uint8Array): DeviceId | undefined {
    if (!this.#inForce) return undefined
    try {
      const device = this.#admits(decodeOperation(this.#crypto, bytes))
      if (device === undefined) return undefined
      this.takeOperations([bytes])
      return this.isMember(device) ? device : undefined
    } catch {
      return undefined // a stranger's, or the disk is full: it is shown again
    }
  }

  #admits({ by, body }: Operation): DeviceId | undefined {
    return body.kind === 'add-device' && by === this.person ? body.entry.device : undefined
  }

  dispose(): void {
    this.#log?.dispose()
    this.#onDidChange.dispose()
  }

  /** The log's devices, once there is a log. */
  get #inForce(): AuthorityDevices | undefined {
    return this.#log?.isEmpty === false ? this.#authority : undefined
  }

  #addOf(introduction: DeviceIntroduction): DeviceClaim {
    const { boxKey, device } = introduction
    const round = Math.max(this.#highest(device, 'add'), this.#highest(device, 'remove')) + 1
    return { kind: 'add', boxKey, name: requireName(introduction.name), platform: requireName(introduction.platform), round }
  }

  #say(device: DeviceId, claim: DeviceClaim, by: DeviceId | PersonId, sign: DeviceSigner['sign']): void {
    this.#take([signStatement(this.#crypto, { claim, device, by, atMs: this.#clock.nowMs() }, sign)])
  }

  #take(statements: readonly DeviceStatement[]): boolean {
    const before = this.#folded
    const next = foldDevices(this.person, [...before.statements.values(), ...statements])
    if (next.devices.size > MAX_DEVICES || next.statements.size > MAX_STATEMENTS || listBytes(next.statements.values()) > MAX_LIST_BYTES) {
      throw tooMany()
    }
    if (next.statements.size === before.statements.size && [...next.statements.keys()].every((id) => before.statements.has(id)))
      return false
    this.#folded = next // in force at once, also when the disk is full: a removal must not wait for space
    this.#onDidChange.fire()
    this.#store.put(STORE_SPACE, this.person, this.encodeStatements())
    return true
  }

  /** -1 when nothing of that kind was said of `device`. */
  #highest(device: DeviceId, kind: DeviceClaim['kind']): number {
    let highest = -1
    for (const { claim, device: about } of this.#folded.statements.values()) {
      if (about === device && claim.kind === kind) highest = Math.max(highest, claim.kind === 'rename' ? claim.counter : claim.round)
    }
    return highest
  }

  #requireMember(device: DeviceId): void {
    if (this.isMember(device)) return
    throw new IdentityError('devices/refused', 'this device is not on the device list (any more), so it cannot change it; pair it again')
  }

  #requireKnown(device: DeviceId): void {
    if (this.devices.has(device)) return
    throw new IdentityError('devices/unknown', `no device ${device.slice(0, 12)}… is on the list; look at Devices again`)
  }
}

/** Who may speak, and whether they said it. Fits sync's `DeviceCheck`. */
export function createDeviceCheck(
  crypto: Crypto,
  list: Pick<DeviceList, 'isMember'> & Partial<Pick<DeviceList, 'authority'>>,
  self?: DeviceId,
) {
  const counted = new CountedEnvelopes(crypto, self)
  return {
    countsUpTo: (doc: DocId, ref: { readonly device: DeviceId; readonly start: string }): number | undefined => {
      const state = list.authority?.state
      return state && counted.countsUpTo(state, doc, ref)
    },
    cuts: (doc: DocId): Uint8Array | undefined => {
      const state = list.authority?.state
      return state && counted.cuts(state, doc)
    },
    isMember: (device: DeviceId): boolean => list.isMember(device),
    /** Before there is a log, no member is less than another. */
    maySnapshot: (device: DeviceId): boolean => {
      const state = list.authority?.state
      return state ? isAdmin(state, device) : list.isMember(device)
    },
    verify: (device: DeviceId, message: Uint8Array, signature: Uint8Array): boolean => {
      let publicKey: Uint8Array
      try {
        publicKey = publicKeyOf(device)
      } catch {
        return false // not base58: nobody's key
      }
      return crypto.verify(publicKey, message, signature)
    },
  }
}

/** Is this a list of `person` on which exactly these keys stand for these devices, all members? For a list not taken in yet. */
export function isListFor(crypto: Crypto, person: PersonId, encoded: Uint8Array, expected: readonly DeviceIntroduction[]): boolean {
  if (encoded[0] === OPERATION_LIST_FORMAT) {
    const { devices } = stateOfList(crypto, person, encoded)
    return expected.every(({ device, boxKey }) => {
      const entry = devices.get(device)
      return entry?.member !== undefined && equalBytes(entry.boxKey, boxKey)
    })
  }
  const { devices } = foldDevices(person, decodeList(crypto, person, encoded))
  return expected.every(({ device, boxKey }) => {
    const record = devices.get(device)
    return record !== undefined && record.removedAtMs === undefined && equalBytes(record.boxKey, boxKey)
  })
}

const NOTHING: Disposable = { dispose: () => {} }

const tooMany = () => new IdentityError('devices/too-many', `a person has at most ${MAX_DEVICES} devices; remove some first`)

const namedEntry = (introduction: DeviceIntroduction): DeviceIntroduction => ({
  ...introduction,
  name: requireName(introduction.name),
  platform: requireName(introduction.platform),
})

function requireName(name: string): string {
  const trimmed = name.trim().slice(0, MAX_NAME_LENGTH)
  if (trimmed.length > 0 && !hasControlCharacter(trimmed)) return trimmed
  throw new IdentityError('devices/refused', 'a device needs a name that can be shown: 1 to 80 characters without control characters')
}
