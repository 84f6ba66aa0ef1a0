import type { DatasetId, DeviceId, PersonId } from '../../base/ids.ts'
import { comparePlaces } from './authority-state.ts'
import type { AuthorityState, ContactState, DeviceState, GrantState, RotationState, Vote } from './authority-state.ts'
import { isNarrower } from './grant-order.ts'
import type { DeviceEntry, LastCounted, Operation, OperationBody, OperationId, SignerId } from './operation.ts'
import type { Cut, FoldRule, Removal, Removals } from './removals.ts'
import type { Segment } from './segment.ts'
import { admissionOf, type Standing, type Standings } from './standing.ts'

/**
 * Why an operation has no effect. `not-a-member`: its signer was not one then. `removed`: undone with its signer, whose removal
 * had not seen it. `not-allowed`: it takes an admin or the root. `waits-for-second`: it takes another admin.
 * `no-target`: what it is about is not there.
 */
export type VoidReason = 'not-a-member' | 'removed' | 'not-allowed' | 'waits-for-second' | 'no-target'

/** Operations that are decided together, and what was decided. */
export interface Piece {
  readonly segment: Segment
  readonly standings: Standings
  readonly removals: Removals
  /** Test-only: a rule left out. */
  readonly without?: FoldRule | undefined
}

/** What a member's entry stands on. */
interface Current {
  readonly member: Standing
  readonly admin: Standing | undefined
}

const NEVER = { member: undefined, admin: undefined, removed: undefined }

/**
 * Writes operations, piece by piece and in order, over the state before them. Which removals stand is decided already; what
 * is left is plain: who may say a thing says it, and the later of two counts. Owns copies of the maps it is given.
 */
export class StateWriter {
  readonly #person: PersonId
  readonly #devices: Map<DeviceId, DeviceState>
  readonly #contacts: Map<PersonId, ContactState>
  readonly #grants: Map<OperationId, GrantState>
  /** Grants made from a grant. */
  readonly #delegated = new Map<OperationId, OperationId[]>()
  readonly #rotations: Map<DatasetId, readonly RotationState[]>
  readonly #seqs: Map<SignerId, number>
  readonly #forks: Map<SignerId, OperationId>
  readonly #heads: Map<OperationId, number>
  #count: number
  #votes: readonly Vote[]
  #piece: Piece
  #cutAt: ReadonlyMap<number, Cut> = new Map()
  /** The admission that a member's entry stands on, where this piece changed it. */
  #current = new Map<DeviceId, Current | undefined>()
  /** Admissions of this piece that were not theirs to make, or were undone. */
  #voidAdmissions = new Set<number>()
  /** Where this piece parted with a contact, and with whom. */
  #parted: { readonly at: number; readonly person: PersonId }[] = []

  constructor(base: AuthorityState, nothing: Piece) {
    this.#person = base.person
    this.#piece = nothing
    this.#devices = new Map(base.devices)
    this.#contacts = new Map(base.contacts)
    this.#grants = new Map(base.grants)
    for (const { id, from } of base.grants.values()) if (from) this.#delegated.set(from, [...(this.#delegated.get(from) ?? []), id])
    this.#rotations = new Map(base.rotations)
    this.#seqs = new Map(base.seqs)
    this.#forks = new Map(base.forks)
    this.#heads = new Map(base.heads)
    this.#count = base.count
    this.#votes = base.votes
  }

  /** What is written so far. Its maps change with the next piece: keep it only after the last one. */
  get state(): AuthorityState {
    return {
      person: this.#person,
      heads: this.#heads,
      count: this.#count,
      devices: this.#devices,
      contacts: this.#contacts,
      grants: this.#grants,
      rotations: this.#rotations,
      votes: this.#votes,
      seqs: this.#seqs,
      forks: this.#forks,
    }
  }

  /** @param voided  takes what has no effect, and why */
  write(piece: Piece, voided: Map<OperationId, VoidReason>): void {
    this.#piece = piece
    this.#cutAt = new Map(piece.removals.cuts.filter(({ at }) => at >= 0).map((cut) => [cut.at, cut]))
    this.#voidAdmissions = new Set()
    this.#current = new Map()
    this.#parted = []
    for (const [at, operation] of piece.segment.operations.entries()) {
      this.#note(at, operation)
      const reason = this.#act(at, operation, operation.body)
      if (reason) voided.set(operation.id, reason)
      for (const removal of piece.removals.endingAt(at)) this.#remove(removal, operation)
    }
    this.#votes = this.#openVotes()
  }

  #standingOf(device: DeviceId): Current | undefined {
    if (this.#current.has(device)) return this.#current.get(device)
    const { member, admin } = this.#devices.get(device) ?? {}
    if (!member) return undefined
    return { member: { at: -1, place: member, isAdmin: false }, admin: admin && { at: -1, place: admin, isAdmin: true } }
  }

  #note(at: number, { prevs, by, seq, id }: Operation): void {
    for (const prev of prevs) this.#heads.delete(prev)
    this.#heads.set(id, this.#piece.segment.depths[at] as number)
    this.#count++
    if (seq > (this.#seqs.get(by) ?? -1)) this.#seqs.set(by, seq)
    else if (!this.#forks.has(by)) this.#forks.set(by, id)
  }

  #act(at: number, operation: Operation, body: OperationBody): VoidReason | undefined {
    switch (body.kind) {
      case 'genesis':
        return undefined
      case 'add-device':
        return this.#admit(at, operation, body.entry)
      case 'role':
        return body.role === 'admin' ? this.#admit(at, operation, body.entry) : this.#judgeCut(at)
      case 'remove-device':
        return this.#judgeCut(at)
      case 'rename':
        return (
          this.#needs(at, operation, body.device === operation.by ? 'member' : 'admin') ?? this.#change(body.device, { name: body.name })
        )
      case 'box-key':
        if (operation.by === this.#person) return 'no-target'
        return this.#needs(at, operation, 'member') ?? this.#change(operation.by as DeviceId, { boxKey: body.boxKey })
      case 'contact': {
        const { person, name, checkedBy } = body
        return (
          this.#needs(at, operation, 'admin') ??
          this.#isParted(at, person) ??
          put(this.#contacts, person, { person, name, sealed: undefined, checkedBy, by: operation.by, id: operation.id })
        )
      }
      case 'acquaint': {
        const { person, sealed, checkedBy } = body
        return (
          this.#needs(at, operation, 'admin') ??
          this.#isParted(at, person) ??
          put(this.#contacts, person, { person, name: undefined, sealed, checkedBy, by: operation.by, id: operation.id })
        )
      }
      case 'contact-card':
        return this.#needs(at, operation, 'admin') ?? this.#isParted(at, body.person) ?? this.#renew(body.person, body.sealed)
      case 'part':
        return this.#needs(at, operation, 'admin') ?? this.#part(at, body.person)
      case 'grant':
        return this.#needs(at, operation, 'admin') ?? this.#isParted(at, body.grant.person) ?? this.#grant(operation, body.grant, undefined)
      case 'delegate':
        return (
          this.#needs(at, operation, 'member') ?? this.#isParted(at, body.grant.person) ?? this.#grant(operation, body.grant, body.from)
        )
      case 'revoke':
        return this.#revoke(at, operation, body.target)
      case 'rotate':
        return this.#needs(at, operation, 'admin') ?? this.#rotate(operation, body.dataset, body.epoch)
    }
  }

  /** Why the signer may not, at that point of the log; undefined when it may. */
  #needs(at: number, { by }: Operation, role: 'member' | 'admin'): VoidReason | undefined {
    if (by === this.#person) return undefined
    const seen = this.#piece.standings
      .of(by as DeviceId)
      .filter((standing) => this.#piece.segment.hasSeen(at, standing.at) && !this.#voidAdmissions.has(standing.at))
    if (seen.length === 0) return 'not-a-member'
    const fitting = seen.filter(({ isAdmin }) => role === 'member' || isAdmin)
    if (fitting.length === 0) return 'not-allowed'
    // As a member an admission of an admin counts like any other: only what takes membership away undoes it.
    const holds = fitting.some((standing) => !this.#piece.removals.isVoid(at, by as DeviceId, { ...standing, isAdmin: role === 'admin' }))
    return holds ? undefined : 'removed'
  }

  #admit(at: number, operation: Operation, entry: DeviceEntry): VoidReason | undefined {
    const admission = admissionOf(operation, this.#person)
    const reason = admission && entry.device !== String(this.#person) ? this.#needs(at, operation, 'admin') : 'not-allowed'
    const standing: Standing = {
      at,
      place: { depth: this.#piece.segment.depths[at] as number, id: operation.id },
      isAdmin: admission?.isAdmin ?? false,
    }
    if (reason || this.#isUndone(standing, entry.device, false)) {
      this.#voidAdmissions.add(at)
      // Named, never admitted: a removal may name it, and everybody must agree that it was there to be named.
      if (admission && !this.#devices.has(entry.device))
        this.#devices.set(entry.device, { ...entry, addedBy: operation.by, addedAtMs: operation.atMs, ...NEVER })
      return reason ?? 'removed'
    }
    const known = this.#standingOf(entry.device)
    const isAdmin = standing.isAdmin && !this.#isUndone(standing, entry.device, true)
    const admin = isAdmin ? standing : known?.admin
    this.#current.set(entry.device, { member: standing, admin })
    const before = this.#devices.get(entry.device)
    const places = { member: standing.place, admin: admin?.place, removed: undefined }
    // A member's entry is its own and the root's: another admin's *add* takes away neither its key nor its name.
    if (before && known && operation.by !== this.#person) this.#devices.set(entry.device, { ...before, ...places })
    else this.#devices.set(entry.device, { ...entry, addedBy: operation.by, addedAtMs: operation.atMs, ...places })
    return undefined
  }

  /** Was this very admission, as a member or as an admin, undone by a removal that had not seen it? */
  #isUndone(standing: Standing, device: DeviceId, isAdmin: boolean): boolean {
    return this.#piece.removals.isVoid(standing.at, device, { ...standing, isAdmin })
  }

  /** A cut that takes effect does so through `#remove`; here only why one does not. */
  #judgeCut(at: number): VoidReason | undefined {
    const cut = this.#cutAt.get(at)
    if (cut && this.#piece.removals.inEffect.has(cut)) return undefined
    const isOwn = cut !== undefined && cut.by === cut.target
    const reason = this.#needs(at, this.#piece.segment.operations[at] as Operation, isOwn ? 'member' : 'admin')
    if (reason || !cut) return reason ?? 'no-target'
    return this.#piece.removals.isVote(cut) ? 'waits-for-second' : 'removed'
  }

  #remove(removal: Removal, operation: Operation): void {
    const { target, removes, cuts } = removal
    const device = this.#devices.get(target)
    const current = this.#standingOf(target)
    if (device?.removed && !current) return this.#narrow(device, device.removed, operation)
    if (!device || !current) return
    const touches = (standing: Standing): boolean =>
      standing.at < 0 || !cuts.every((cut) => this.#piece.segment.hasSeen(standing.at, cut.at))
    if (removes && touches(current.member)) {
      const lastCounted = operation.body.kind === 'remove-device' ? operation.body.lastCounted : []
      this.#current.set(target, undefined)
      const removed = { by: operation.by, atMs: operation.atMs, id: operation.id, lastCounted }
      this.#devices.set(target, { ...device, member: undefined, admin: undefined, removed })
    } else if (current.admin && touches(current.admin)) {
      this.#current.set(target, { ...current, admin: undefined })
      this.#devices.set(target, { ...device, admin: undefined })
    }
  }

  /** Who was removed is removed again by somebody who knew: less of what it did counts. What either leaves out counts for nothing. */
  #narrow(device: DeviceState, removed: NonNullable<DeviceState['removed']>, { id, body }: Operation): void {
    const { operations } = this.#piece.segment
    const at = operations.findIndex((operation) => operation.id === id)
    const first = operations.findIndex((operation) => operation.id === removed.id) // -1: before this piece, which has seen all of it
    if (body.kind !== 'remove-device' || body.lastCounted.length === 0 || !this.#piece.segment.hasSeen(at, first)) return
    const keyOf = ({ doc, start }: LastCounted) => `${doc}\n${start}`
    const named = new Map(body.lastCounted.map((entry) => [keyOf(entry), entry.seq]))
    const lastCounted =
      removed.lastCounted.length === 0
        ? body.lastCounted
        : removed.lastCounted.map((entry) => ({ ...entry, seq: Math.min(entry.seq, named.get(keyOf(entry)) ?? 0) }))
    this.#devices.set(device.device, { ...device, removed: { ...removed, lastCounted } })
  }

  #change(device: DeviceId, change: Partial<Pick<DeviceState, 'name' | 'boxKey'>>): VoidReason | undefined {
    const known = this.#devices.get(device)
    if (!known) return 'no-target'
    this.#devices.set(device, { ...known, ...change })
    return undefined
  }

  #grant(operation: Operation, grant: GrantState['grant'], from: OperationId | undefined): VoidReason | undefined {
    if (from !== undefined) {
      const parent = this.#grants.get(from)
      if (!parent) return 'no-target'
      const isHolder = parent.grant.person === this.#person && (parent.grant.device === undefined || parent.grant.device === operation.by)
      if (!isHolder || !isNarrower(grant, parent.grant)) return 'not-allowed'
    }
    if (from !== undefined) this.#delegated.set(from, [...(this.#delegated.get(from) ?? []), operation.id])
    return put(this.#grants, operation.id, { id: operation.id, grant, by: operation.by, atMs: operation.atMs, from })
  }

  /** Takes back a grant with all that was delegated from it, or a contact. Admins may, and who made it. */
  #revoke(at: number, operation: Operation, target: OperationId): VoidReason | undefined {
    const grant = this.#grants.get(target)
    const contact = [...this.#contacts.values()].find(({ id }) => id === target)
    const made = grant ?? contact
    const reason = this.#needs(at, operation, made?.by === operation.by ? 'member' : 'admin')
    if (reason || !made) return reason ?? 'no-target'
    if (contact) this.#contacts.delete(contact.person)
    if (grant) this.#dropGrants([target])
    return undefined
  }

  /** These, with all that was delegated from them. */
  #dropGrants(open: OperationId[]): void {
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      this.#grants.delete(next)
      open.push(...(this.#delegated.get(next) ?? []))
    }
  }

  #renew(person: PersonId, sealed: Uint8Array): VoidReason | undefined {
    const contact = this.#contacts.get(person)
    return contact ? put(this.#contacts, person, { ...contact, name: undefined, sealed }) : 'no-target'
  }

  /** No contact any more, and no grant of theirs, whoever gave it (rule ID150). */
  #part(at: number, person: PersonId): VoidReason | undefined {
    if (person === this.#person) return 'no-target'
    this.#parted.push({ at, person })
    this.#contacts.delete(person)
    this.#dropGrants([...this.#grants.values()].filter(({ grant }) => grant.person === person).map(({ id }) => id))
    return undefined
  }

  /** What had not seen that the person was parted with makes them no contact again and gives them nothing. */
  #isParted(at: number, person: PersonId): VoidReason | undefined {
    const isUnseen = this.#parted.some((parted) => parted.person === person && !this.#piece.segment.isInPastOf(at, parted.at))
    return isUnseen && this.#piece.without !== 'unseen-part' ? 'removed' : undefined
  }

  #rotate({ id, by }: Operation, dataset: DatasetId, epoch: number): VoidReason | undefined {
    const rotations = [...(this.#rotations.get(dataset) ?? []), { epoch, id, by }]
    rotations.sort((a, b) => a.epoch - b.epoch || (a.id < b.id ? -1 : 1))
    return put(this.#rotations, dataset, rotations)
  }

  /** Votes that still wait for a second admin, under the standings that are now. */
  #openVotes(): Vote[] {
    const votes: Vote[] = []
    for (const cut of this.#piece.removals.cuts) {
      const { at, place, by, target, wish, as, against } = cut
      if (!as || !against || !this.#piece.removals.isVote(cut) || this.#piece.removals.inEffect.has(cut)) continue
      const stillHolds =
        this.#devices.get(by as DeviceId)?.admin?.id === as.place.id && this.#devices.get(target)?.admin?.id === against.place.id
      if (!stillHolds || (at >= 0 && this.#needs(at, this.#piece.segment.operations[at] as Operation, 'admin'))) continue
      const atMs =
        at >= 0 ? (this.#piece.segment.operations[at] as Operation).atMs : (this.#votes.find(({ id }) => id === place.id) as Vote).atMs
      votes.push({ ...place, by: by as DeviceId, target, wish, as: as.place.id, against: against.place.id, atMs })
    }
    return votes.sort(comparePlaces)
  }
}

function put<K, V>(map: Map<K, V>, key: K, value: V): undefined {
  map.set(key, value)
}
