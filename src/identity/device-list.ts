import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { equalBytes } from '../base/bytes.ts'
import { publicKeyOf, type DeviceId, type PersonId } from '../base/ids.ts'
import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import type { KeyValueStore } from '../base/key-value-store.ts'
import type { Crypto, SigningKey } from './crypto.ts'
import type { DeviceSigner } from './device-keys.ts'
import {
  decodeStatement,
  hasControlCharacter,
  MAX_NAME_LENGTH,
  signStatement,
  type DeviceClaim,
  type DeviceStatement,
} from './device-statement.ts'
import { foldDevices, type DeviceRecord, type FoldedDevices } from './fold-devices.ts'
import { IdentityError } from './identity-error.ts'

export type { DeviceRecord } from './fold-devices.ts'

const FORMAT = 1
/** More devices than any person has; a list beyond it is refused, not cut. */
export const MAX_DEVICES = 128
/** One add per device and signer, one rename and one remove per device, and room to spare. */
export const MAX_STATEMENTS = 8 * MAX_DEVICES
export const MAX_LIST_BYTES = 48 * 1024
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
}

/**
 * Which devices are this person's: signed statements chained to the person's root key. Merging is equal in every order.
 * The seam that the authority log replaces: removal here is a tombstone that honest devices obey (see fold-devices.ts).
 *
 * Invariant: holds only statements whose signature was checked and whose signer counts. Owns no keys.
 */
export class DeviceList implements Disposable {
  readonly person: PersonId
  readonly #crypto: Crypto
  readonly #store: KeyValueStore
  readonly #clock: Clock
  readonly #onDidChange = new Emitter<void>()
  #folded: FoldedDevices

  private constructor(options: DeviceListOptions, folded: FoldedDevices) {
    this.person = options.person
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
    return this.#folded.devices
  }

  /** Those that belong now. */
  get members(): readonly DeviceRecord[] {
    return [...this.#folded.devices.values()].filter((record) => record.removedAtMs === undefined)
  }

  isMember(device: DeviceId): boolean {
    const record = this.#folded.devices.get(device)
    return record !== undefined && record.removedAtMs === undefined
  }

  /** Fires after the list changed in memory; it is durable when the call that changed it returns. */
  get onDidChange(): Event<void> {
    return this.#onDidChange.event
  }

  /** The first entry, signed by the person's root key. Does nothing when `introduction.device` is a member already. */
  found(introduction: DeviceIntroduction, personKey: SigningKey): void {
    if (this.isMember(introduction.device)) return
    this.#say(introduction.device, this.#addOf(introduction), this.person, (message) => personKey.sign(message))
  }

  /** Adds a device, or one that was removed anew. @throws IdentityError `devices/refused`, `devices/too-many` */
  add(introduction: DeviceIntroduction, by: DeviceSigner): void {
    this.#requireMember(by.device)
    if (this.isMember(introduction.device)) return
    this.#say(introduction.device, this.#addOf(introduction), by.device, by.sign)
  }

  /** @throws IdentityError `devices/unknown`, `devices/refused` */
  rename(device: DeviceId, name: string, by: DeviceSigner): void {
    this.#requireMember(by.device)
    this.#requireKnown(device)
    const counter = 1 + this.#highest(device, 'rename')
    this.#say(device, { kind: 'rename', name: requireName(name), counter }, by.device, by.sign)
  }

  /** A tombstone; also for oneself. @throws IdentityError `devices/unknown`, `devices/refused` */
  remove(device: DeviceId, by: DeviceSigner): void {
    this.#requireMember(by.device)
    this.#requireKnown(device)
    if (!this.isMember(device)) return
    this.#say(device, { kind: 'remove', round: this.#highest(device, 'add') }, by.device, by.sign)
  }

  /**
   * Takes in a peer's list. True when anything changed. Statements whose signer does not count are left out.
   * @throws IdentityError `devices/malformed`, `devices/refused` (another person's list), `devices/too-many`; nothing is taken then
   * @throws StoreError  taken, but not durable
   */
  merge(encoded: Uint8Array): boolean {
    return this.#take(decodeList(this.#crypto, this.person, encoded))
  }

  /** The whole list, for a peer or the disk. */
  encode(): Uint8Array {
    return encodeList(this.person, this.#folded.statements.values())
  }

  dispose(): void {
    this.#onDidChange.dispose()
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
    if (next.devices.size > MAX_DEVICES || next.statements.size > MAX_STATEMENTS || encodedBytes(next) > MAX_LIST_BYTES) {
      throw new IdentityError('devices/too-many', `a person has at most ${MAX_DEVICES} devices; remove some first`)
    }
    if (next.statements.size === before.statements.size && [...next.statements.keys()].every((id) => before.statements.has(id)))
      return false
    this.#folded = next // in force at once, also when the disk is full: a removal must not wait for space
    this.#onDidChange.fire()
    this.#store.put(STORE_SPACE, this.person, this.encode())
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
    if (this.#folded.devices.has(device)) return
    throw new IdentityError('devices/unknown', `no device ${device.slice(0, 12)}… is on the list; look at Devices again`)
  }
}

/** Who may speak, and whether they said it. Fits sync's `DeviceCheck`. */
export function createDeviceCheck(crypto: Crypto, list: Pick<DeviceList, 'isMember'>) {
  return {
    isMember: (device: DeviceId): boolean => list.isMember(device),
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
  const { devices } = foldDevices(person, decodeList(crypto, person, encoded))
  return expected.every(({ device, boxKey }) => {
    const record = devices.get(device)
    return record !== undefined && record.removedAtMs === undefined && equalBytes(record.boxKey, boxKey)
  })
}

function requireName(name: string): string {
  const trimmed = name.trim().slice(0, MAX_NAME_LENGTH)
  if (trimmed.length > 0 && !hasControlCharacter(trimmed)) return trimmed
  throw new IdentityError('devices/refused', 'a device needs a name that can be shown: 1 to 80 characters without control characters')
}

function encodedBytes({ statements }: FoldedDevices): number {
  let bytes = 64
  for (const statement of statements.values()) bytes += statement.bytes.length + 2
  return bytes
}

function encodeList(person: PersonId, statements: Iterable<DeviceStatement>): Uint8Array {
  const encoder = encoding.createEncoder()
  const lines = [...statements].sort((a, b) => (a.id < b.id ? -1 : 1))
  encoding.writeUint8(encoder, FORMAT)
  encoding.writeVarString(encoder, person)
  encoding.writeVarUint(encoder, lines.length)
  for (const { bytes } of lines) encoding.writeVarUint8Array(encoder, bytes)
  return encoding.toUint8Array(encoder)
}

/** @throws IdentityError `devices/malformed`, `devices/refused` */
function decodeList(crypto: Crypto, person: PersonId, encoded: Uint8Array): DeviceStatement[] {
  const malformed = (why: string, cause?: unknown) =>
    new IdentityError('devices/malformed', `this device list cannot be read (${why}); the one held here stays`, { cause })
  if (encoded.length > MAX_LIST_BYTES) throw malformed('too long')
  try {
    const decoder = decoding.createDecoder(encoded)
    if (decoding.readUint8(decoder) !== FORMAT) throw malformed('another version')
    if (decoding.readVarString(decoder) !== person) {
      throw new IdentityError('devices/refused', "this is another person's device list; it is not taken in")
    }
    const count = decoding.readVarUint(decoder)
    if (count > MAX_STATEMENTS) throw malformed('too many lines')
    const statements: DeviceStatement[] = []
    for (let i = 0; i < count; i++) statements.push(decodeStatement(crypto, decoding.readVarUint8Array(decoder).slice()))
    if (decoding.hasContent(decoder)) throw malformed('bytes left over')
    return statements
  } catch (cause) {
    throw cause instanceof IdentityError ? cause : malformed('it ends early', cause)
  }
}
