import type { DeviceId, PersonId } from '../../base/ids.ts'
import { comparePlaces, isBefore, type AuthorityState, type Place } from './authority-state.ts'
import type { OperationId, SignerId } from './operation.ts'
import type { Segment } from './segment.ts'
import type { Standing, Standings } from './standing.ts'

/** A rule that a test can leave out, to prove that the fuzz would find its absence. Never left out in the product. */
export type FoldRule = 'unseen-acts' | 'unseen-part' | 'order'

/** One signed wish to remove or demote. `at` is -1 for a vote cast before the piece. */
export interface Cut {
  readonly at: number
  readonly place: Place
  readonly by: SignerId
  readonly target: DeviceId
  readonly wish: 'remove' | 'demote'
  /** The signer's standing, as an admin or, for who leaves, as any; undefined for the root. */
  readonly as: Standing | undefined
  /** The target's admin standing as the signer saw it; undefined for a mere member. */
  readonly against: Standing | undefined
}

/**
 * What takes effect together: one cut of somebody who may alone, or two admins' against one senior to them. The lower `rank`
 * is the stronger; it decides only between removals that undo each other.
 */
export interface Removal {
  readonly cuts: readonly Cut[]
  readonly target: DeviceId
  readonly removes: boolean
  /** Set where it may only because this one, which its signer had seen, took the target's admin role before. */
  readonly after?: Removal
  /** Whose seniority it has, and whether it goes before (0) or with (1) what that one does alone. */
  readonly rank: readonly [Place, 0 | 1]
}

const TOP: Place = { depth: -1, id: '' as OperationId }

/**
 * Finds the removals of a piece and which of them stand (rules ID55-ID58).
 *
 * A removal falls when the signer of one of its cuts was removed by another that had not seen that cut: an unseen act of a
 * removed device is void. A removal stands when all that would undo it fall. Where removals undo each other in a ring, the
 * strongest stands: the root's, then by the seniority of who signed; two admins together outrank the one they remove.
 */
export class Removals {
  readonly #segment: Segment
  readonly #standings: Standings
  readonly #person: PersonId
  readonly #without: FoldRule | undefined
  readonly cuts: readonly Cut[]
  /** Cuts that some removal which stands is made of. */
  readonly inEffect = new Set<Cut>()
  readonly #standing = new Map<DeviceId, Removal[]>()
  readonly #endingAt = new Map<number, Removal[]>()

  constructor(segment: Segment, standings: Standings, base: AuthorityState, without?: FoldRule) {
    this.#segment = segment
    this.#standings = standings
    this.#person = base.person
    this.#without = without
    this.cuts = [...votesBefore(base), ...this.#cutsOf(base)]
    for (const removal of this.#decide(this.#removalsOf())) {
      for (const cut of removal.cuts) this.inEffect.add(cut)
      push(this.#standing, removal.target, removal)
      push(this.#endingAt, Math.max(...removal.cuts.map(({ at }) => at)), removal)
    }
  }

  /** The removals that take effect with the operation at `at`. */
  endingAt(at: number): readonly Removal[] {
    return this.#endingAt.get(at) ?? []
  }

  /**
   * Does what lies at `at`, and rests on this standing of `device`, fall to a removal of it that had not seen it? An admission
   * rests on itself.
   */
  isVoid(at: number, device: DeviceId, standing: Standing): boolean {
    return (this.#standing.get(device) ?? []).some(
      (removal) => (removal.removes || standing.isAdmin) && this.#undoes(removal, at) && !isExempt(this.#segment, removal, standing),
    )
  }

  /** Is this cut one that another admin must second? Then it is a vote. */
  isVote(cut: Cut): boolean {
    return cut.as !== undefined && cut.against !== undefined && !this.#mayAlone(cut)
  }

  #undoes({ cuts }: Removal, at: number): boolean {
    if (this.#without === 'unseen-acts') return cuts.every((cut) => this.#segment.operations[at] !== undefined && at > cut.at)
    return !cuts.some((cut) => this.#segment.isInPastOf(cut.at, at))
  }

  #cutsOf(base: AuthorityState): Cut[] {
    const cuts: Cut[] = []
    for (const [at, { id, by, body }] of this.#segment.operations.entries()) {
      if (body.kind !== 'remove-device' && !(body.kind === 'role' && body.role === 'member')) continue
      const target = body.device
      const isOwn = by === target
      const as = isOwn ? this.#standings.lastSeenBy(at, target) : this.#standings.adminSeenBy(at, by as DeviceId)
      const isKnown = base.devices.has(target) || this.#standings.of(target).some((standing) => this.#segment.hasSeen(at, standing.at))
      if (by !== this.#person && (!isKnown || !as)) continue
      const against = this.#standings.adminSeenBy(at, target)
      const wish = body.kind === 'role' ? 'demote' : 'remove'
      cuts.push({ at, place: { depth: this.#segment.depths[at] as number, id }, by, target, wish, as, against })
    }
    return cuts
  }

  #mayAlone({ by, target, as, against }: Cut): boolean {
    if (by === this.#person || by === target || !against) return true
    return isBefore((as as Standing).place, against.place)
  }

  #removalsOf(): Removal[] {
    const votes = this.cuts.filter((cut) => !this.#mayAlone(cut))
    const removals = this.cuts.filter((cut) => this.#mayAlone(cut)).map((cut) => this.#alone(cut))
    for (const [i, one] of votes.entries()) {
      for (const two of votes.slice(i + 1)) {
        if (!this.#agree(one, two)) continue
        const removes = one.wish === 'remove' || two.wish === 'remove'
        removals.push({ cuts: [one, two], target: one.target, removes, rank: [(one.against as Standing).place, 0] })
      }
    }
    const before = [...removals]
    for (const cut of votes) {
      for (const after of before) if (this.#knewOutdated(cut, after)) removals.push({ ...this.#alone(cut), after })
    }
    return removals
  }

  #alone(cut: Cut): Removal {
    const seniority = cut.as?.place ?? TOP
    return { cuts: [cut], target: cut.target, removes: cut.wish === 'remove', rank: [seniority, 1] }
  }

  /** Had the signer seen that the role it cut against was taken before? Then the target is a mere member to it. */
  #knewOutdated(cut: Cut, after: Removal): boolean {
    if (after.target !== cut.target || after.cuts.includes(cut) || isExempt(this.#segment, after, cut.against as Standing)) return false
    return cut.at >= 0 && after.cuts.every(({ at }) => this.#segment.hasSeen(cut.at, at))
  }

  /** Two admins against the same standing of one device, neither cast under a standing that the other knew to be outdated. */
  #agree(one: Cut, two: Cut): boolean {
    if (one.target !== two.target || one.by === two.by || one.against?.place.id !== two.against?.place.id) return false
    return this.#stillHolds(one, two) && this.#stillHolds(two, one)
  }

  #stillHolds(earlier: Cut, later: Cut): boolean {
    if (later.at < 0 || !this.#segment.hasSeen(later.at, earlier.at)) return true
    return this.#standings.adminSeenBy(later.at, earlier.by as DeviceId)?.place.id === earlier.as?.place.id
  }

  #decide(all: readonly Removal[]): Removal[] {
    const undoers = new Map(all.map((removal) => [removal, all.filter((other) => other !== removal && this.#isUndoneBy(removal, other))]))
    const stands = new Set<Removal>()
    const falls = new Set<Removal>()
    const open = new Set([...all].sort(compareRanks))
    while (open.size > 0) {
      let moved = false
      for (const removal of open) {
        const against = undoers.get(removal) as Removal[]
        const { after } = removal
        if (against.some((other) => stands.has(other)) || (after && falls.has(after))) falls.add(removal)
        else if (against.every((other) => falls.has(other)) && (!after || stands.has(after))) stands.add(removal)
        else continue
        open.delete(removal)
        moved = true
      }
      const strongest = moved ? undefined : [...open].find(({ after }) => !after || stands.has(after))
      if (strongest) {
        stands.add(strongest)
        open.delete(strongest)
      }
    }
    return [...stands]
  }

  /** Would `other`, if it stood, void one of the cuts that `removal` is made of? */
  #isUndoneBy(removal: Removal, other: Removal): boolean {
    return removal.cuts.some((cut, i) => {
      if (cut.by !== other.target) return false // nobody removes the root
      if (!other.removes && cut.by === cut.target) return false // leaving takes no admin
      if (cut.as && isExempt(this.#segment, other, cut.as)) return false
      const partner = removal.cuts[1 - i]
      const partnerKnew = partner !== undefined && other.cuts.every(({ at }) => this.#segment.hasSeen(partner.at, at))
      return this.#undoes(other, cut.at) || (partnerKnew && partner.at >= 0)
    })
  }
}

/** An admission that had seen the whole removal is not touched by it: who was removed and is added anew belongs. */
const isExempt = (segment: Segment, { cuts }: Removal, { at }: Standing): boolean =>
  at >= 0 && cuts.every((cut) => segment.hasSeen(at, cut.at))

function votesBefore(base: AuthorityState): Cut[] {
  return base.votes.map((vote) => ({
    at: -1,
    place: { depth: vote.depth, id: vote.id },
    by: vote.by,
    target: vote.target,
    wish: vote.wish,
    as: { at: -1, isAdmin: true, place: base.devices.get(vote.by)?.admin as Place },
    against: { at: -1, isAdmin: true, place: base.devices.get(vote.target)?.admin as Place },
  }))
}

function compareRanks(a: Removal, b: Removal): number {
  const bySeniority = comparePlaces(a.rank[0], b.rank[0]) || a.rank[1] - b.rank[1]
  if (bySeniority !== 0) return bySeniority
  for (const [i, cut] of a.cuts.entries()) {
    const other = b.cuts[i]
    const difference = other ? comparePlaces(cut.place, other.place) : 1
    if (difference !== 0) return difference
  }
  return a.cuts.length - b.cuts.length
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}
