import type { DatasetId, DeviceId, PersonId } from '../../base/ids.ts'
import type { Grant, LastCounted, OperationId, SignerId } from './operation.ts'

/** Where an operation stands in the order of all: how long the longest way back to genesis is, then its id. */
export interface Place {
  readonly depth: number
  readonly id: OperationId
}

/** Earlier is senior. Equal on every device, whatever came first there. */
export const isBefore = (a: Place, b: Place): boolean => (a.depth !== b.depth ? a.depth < b.depth : a.id < b.id)
export const comparePlaces = (a: Place, b: Place): number => (isBefore(a, b) ? -1 : isBefore(b, a) ? 1 : 0)

/** One device, member or removed. */
export interface DeviceState {
  readonly device: DeviceId
  readonly boxKey: Uint8Array
  readonly name: string
  readonly platform: string
  readonly addedBy: SignerId
  readonly addedAtMs: number
  /** Set while it belongs. */
  readonly member: Place | undefined
  /** Set while it is an admin: its seniority among them. */
  readonly admin: Place | undefined
  /** Set once removed; gone when it is added anew. */
  readonly removed:
    | { readonly by: SignerId; readonly atMs: number; readonly id: OperationId; readonly lastCounted: readonly LastCounted[] }
    | undefined
}

export interface ContactState {
  readonly person: PersonId
  /** In plain, as the first builds wrote it; with a card it is in there. */
  readonly name: string | undefined
  /** What only the person's own devices read of them. */
  readonly sealed: Uint8Array | undefined
  readonly checkedBy: 'qr' | 'words'
  readonly by: SignerId
  readonly id: OperationId
}

export interface GrantState {
  readonly id: OperationId
  readonly grant: Grant
  readonly by: SignerId
  readonly atMs: number
  /** The grant this one was made from. */
  readonly from: OperationId | undefined
}

/** One new epoch of a dataset. The wraps stay in the operation that `id` names. */
export interface RotationState {
  readonly epoch: number
  readonly id: OperationId
  readonly by: SignerId
}

/** An admin's wish to remove or demote one senior to it: without a second admin, or the root, nothing happens (rule ID57). */
export interface Vote extends Place {
  readonly by: DeviceId
  readonly target: DeviceId
  readonly wish: 'remove' | 'demote'
  /** The voter's and the target's admin standing when it was cast; when either changes, the vote is void. */
  readonly as: OperationId
  readonly against: OperationId
  readonly atMs: number
}

/**
 * What a log says: a pure function of the set of its operations (rule ID54). Maps are never changed in place.
 * `heads` are the operations nothing follows, with their depth: what the next operation names.
 */
export interface AuthorityState {
  readonly person: PersonId
  readonly heads: ReadonlyMap<OperationId, number>
  /** Operations folded, void ones included. */
  readonly count: number
  readonly devices: ReadonlyMap<DeviceId, DeviceState>
  readonly contacts: ReadonlyMap<PersonId, ContactState>
  readonly grants: ReadonlyMap<OperationId, GrantState>
  /** Per dataset, by epoch, then id. */
  readonly rotations: ReadonlyMap<DatasetId, readonly RotationState[]>
  readonly votes: readonly Vote[]
  /** Last sequence number of each signer. */
  readonly seqs: ReadonlyMap<SignerId, number>
  /** Who signed one sequence number twice (a copied folder, a stolen key, a restored backup), and the operation that showed it. */
  readonly forks: ReadonlyMap<SignerId, OperationId>
}

export const emptyState = (person: PersonId): AuthorityState => ({
  person,
  heads: new Map(),
  count: 0,
  devices: new Map(),
  contacts: new Map(),
  grants: new Map(),
  rotations: new Map(),
  votes: [],
  seqs: new Map(),
  forks: new Map(),
})

export const isMember = (state: AuthorityState, device: DeviceId): boolean => state.devices.get(device)?.member !== undefined
export const isAdmin = (state: AuthorityState, device: DeviceId): boolean => state.devices.get(device)?.admin !== undefined

/** The epoch that counts: the highest, and of two made at once the one with the lower id. */
export function currentRotation(state: AuthorityState, dataset: DatasetId): RotationState | undefined {
  const rotations = state.rotations.get(dataset) ?? []
  const highest = rotations.at(-1)?.epoch
  return rotations.find(({ epoch }) => epoch === highest)
}
