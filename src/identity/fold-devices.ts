import type { DeviceId, PersonId } from '../base/ids.ts'
import type { DeviceStatement } from './device-statement.ts'

/** One device as the list stands. */
export interface DeviceRecord {
  readonly device: DeviceId
  readonly boxKey: Uint8Array
  readonly name: string
  readonly platform: string
  readonly addedBy: DeviceId | PersonId
  readonly addedAtMs: number
  /** Its place in the authority log; the list before it knew none. */
  readonly role?: 'admin' | 'member'
  /** Set once removed; such a device gets no link. */
  readonly removedAtMs?: number
}

/** The statements that count, without those they outdo, and what they say. */
export interface FoldedDevices {
  readonly statements: ReadonlyMap<string, DeviceStatement>
  readonly devices: ReadonlyMap<DeviceId, DeviceRecord>
}

/**
 * What a set of statements says: a pure function, equal in every order (rules ID20-ID22).
 *
 * A statement counts when its signer is the person's root key, or was ever admitted by a chain of *add* from it. A device
 * is a member when it was added in a later round than it was last removed. Kept are: per device and signer the last *add*,
 * per device the last *rename* and the last *remove* (ties by id).
 *
 * What this does not do until authority has a log of its own: a device that was removed can still sign, and two that
 * remove each other are both out. A removed device has no links, so what it signs afterwards reaches nobody who knows.
 */
export function foldDevices(person: PersonId, statements: Iterable<DeviceStatement>): FoldedDevices {
  const all = [...statements]
  const admitted = admittedBy(person, all)
  const kept = new Map<string, DeviceStatement>()
  const best = new Map<string, DeviceStatement>()
  for (const statement of all) {
    if (statement.by !== person && !admitted.has(statement.by as DeviceId)) continue
    if (statement.claim.kind !== 'add' && !admitted.has(statement.device)) continue
    const slot = `${statement.claim.kind}/${statement.device}/${statement.claim.kind === 'add' ? statement.by : ''}`
    const other = best.get(slot)
    if (!other || outdoes(statement, other)) best.set(slot, statement)
  }
  for (const statement of best.values()) kept.set(statement.id, statement)
  return { statements: kept, devices: recordsOf(best.values()) }
}

/** Every device that some chain of `add` reaches from the root key. */
function admittedBy(person: PersonId, statements: readonly DeviceStatement[]): Set<DeviceId> {
  const addedBy = new Map<DeviceId | PersonId, DeviceId[]>()
  for (const { claim, by, device } of statements) {
    if (claim.kind === 'add') addedBy.set(by, [...(addedBy.get(by) ?? []), device])
  }
  const admitted = new Set<DeviceId>()
  const reached: (DeviceId | PersonId)[] = [person]
  for (let signer = reached.pop(); signer !== undefined; signer = reached.pop()) {
    for (const device of addedBy.get(signer) ?? []) {
      if (admitted.has(device)) continue
      admitted.add(device)
      reached.push(device)
    }
  }
  return admitted
}

function recordsOf(statements: Iterable<DeviceStatement>): Map<DeviceId, DeviceRecord> {
  const adds = new Map<DeviceId, DeviceStatement>()
  const renames = new Map<DeviceId, DeviceStatement>()
  const removes = new Map<DeviceId, DeviceStatement>()
  const of = { add: adds, rename: renames, remove: removes }
  for (const statement of statements) {
    const last = of[statement.claim.kind].get(statement.device)
    if (!last || outdoes(statement, last)) of[statement.claim.kind].set(statement.device, statement)
  }
  const devices = new Map<DeviceId, DeviceRecord>()
  for (const [device, { claim, by, atMs }] of [...adds].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (claim.kind !== 'add') continue
    const rename = renames.get(device)?.claim
    const remove = removes.get(device)
    const isRemoved = remove !== undefined && rankOf(remove) >= claim.round
    devices.set(device, {
      device,
      boxKey: claim.boxKey,
      name: rename?.kind === 'rename' ? rename.name : claim.name,
      platform: claim.platform,
      addedBy: by,
      addedAtMs: atMs,
      ...(isRemoved ? { removedAtMs: remove.atMs } : {}),
    })
  }
  return devices
}

const rankOf = ({ claim }: DeviceStatement): number => (claim.kind === 'rename' ? claim.counter : claim.round)

function outdoes(statement: DeviceStatement, other: DeviceStatement): boolean {
  const difference = rankOf(statement) - rankOf(other)
  return difference !== 0 ? difference > 0 : statement.id > other.id
}
