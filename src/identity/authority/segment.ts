import type { AuthorityState } from './authority-state.ts'
import type { Operation, OperationId } from './operation.ts'

/** Operations in their order, with how deep each lies; and those whose past is not all here. */
export interface Ordered {
  readonly operations: readonly Operation[]
  readonly depths: readonly number[]
  readonly waiting: readonly Operation[]
}

/**
 * Sorts by depth, then id: every operation after all it names, and the same on every device (rule ID54). `isBelow` says
 * what lies before `base`. Repeats count once.
 */
export function orderOperations(
  operations: Iterable<Operation>,
  base: AuthorityState,
  isBelow: (id: OperationId) => boolean,
  without?: 'order',
): Ordered {
  const all = new Map<OperationId, Operation>()
  for (const operation of operations) if (!base.heads.has(operation.id) && !isBelow(operation.id)) all.set(operation.id, operation)
  const depthOf = new Map<OperationId, number>()
  const followers = new Map<OperationId, Operation[]>()
  const missing = new Map<OperationId, number>()
  const ready: Operation[] = []
  for (const operation of all.values()) {
    let open = 0
    for (const prev of operation.prevs) {
      if (base.heads.has(prev) || isBelow(prev)) continue
      open++
      const known = followers.get(prev)
      if (known) known.push(operation)
      else followers.set(prev, [operation])
    }
    missing.set(operation.id, open)
    if (open === 0 && (operation.prevs.length > 0 || (operation.by === base.person && base.count === 0))) ready.push(operation)
  }
  for (let next = ready.pop(); next; next = ready.pop()) {
    let depth = 0
    for (const prev of next.prevs) depth = Math.max(depth, depthOf.get(prev) ?? base.heads.get(prev) ?? 0)
    depthOf.set(next.id, next.prevs.length === 0 ? 0 : depth + 1)
    for (const follower of followers.get(next.id) ?? []) {
      const open = (missing.get(follower.id) as number) - 1
      missing.set(follower.id, open)
      if (open === 0) ready.push(follower)
    }
  }
  const sorted = [...depthOf].sort(([a, x], [b, y]) => x - y || (without === 'order' ? 0 : a < b ? -1 : 1))
  return {
    operations: sorted.map(([id]) => all.get(id) as Operation),
    depths: sorted.map(([, depth]) => depth),
    waiting: [...all.values()].filter(({ id }) => !depthOf.has(id)),
  }
}

/** Wider than any honest history: there is no cut where more operations begin at once. */
const MAX_BEGINNING = 64

/**
 * Every place where ordered operations can be cut: all behind it have all before it in their past. The fold decides piece by
 * piece, always at all of these, so that going on from a state kept at one of them is the same fold (rule ID59).
 */
export function cleanCuts(operations: readonly Operation[]): number[] {
  const at = new Map(operations.map(({ id }, i) => [id, i]))
  const beginningAfter = new Map<number, Operation[]>()
  for (const operation of operations) {
    const last = Math.max(-1, ...operation.prevs.map((prev) => at.get(prev) ?? -1))
    const known = beginningAfter.get(last)
    if (known) known.push(operation)
    else beginningAfter.set(last, [operation])
  }
  const cuts: number[] = []
  const heads = new Set<OperationId>()
  const beginning = new Set(beginningAfter.get(-1))
  for (const [i, operation] of operations.entries()) {
    for (const prev of operation.prevs) heads.delete(prev)
    heads.add(operation.id)
    beginning.delete(operation)
    for (const next of beginningAfter.get(i) ?? []) beginning.add(next)
    if (i + 1 === operations.length || beginning.size > MAX_BEGINNING) continue
    if ([...beginning].every(({ prevs }) => prevs.reduce((count, prev) => count + (heads.has(prev) ? 1 : 0), 0) === heads.size))
      cuts.push(i + 1)
  }
  return cuts
}

/** Bits, as many as asked for. */
class Bits {
  readonly #words: Uint32Array

  constructor(count: number, from?: Bits) {
    this.#words = from ? from.#words.slice() : new Uint32Array((count + 31) >>> 5)
  }

  set(bit: number): void {
    this.#words[bit >>> 5] = (this.#words[bit >>> 5] as number) | (1 << (bit & 31))
  }

  has(bit: number): boolean {
    return ((this.#words[bit >>> 5] as number) & (1 << (bit & 31))) !== 0
  }

  add(other: Bits): void {
    for (let i = 0; i < this.#words.length; i++) this.#words[i] = (this.#words[i] as number) | (other.#words[i] as number)
  }
}

/**
 * Who has seen what among the operations of one piece. Two questions, two answers: has an operation seen a *membership*
 * operation (bits handed down, shared along a line), and has a removal seen an operation (its past, walked once).
 */
export class Segment {
  readonly operations: readonly Operation[]
  readonly depths: readonly number[]
  readonly #parents: readonly (readonly number[])[]
  readonly #bitOf = new Map<number, number>()
  readonly #seen: Bits[] = []
  readonly #pasts = new Map<number, Bits>()

  constructor(operations: readonly Operation[], depths: readonly number[]) {
    this.operations = operations
    this.depths = depths
    const at = new Map(operations.map(({ id }, i) => [id, i]))
    this.#parents = operations.map(({ prevs }) => prevs.map((prev) => at.get(prev)).filter((i) => i !== undefined))
    for (const [i, { body }] of operations.entries()) {
      if (body.kind === 'add-device' || body.kind === 'remove-device' || body.kind === 'role') this.#bitOf.set(i, this.#bitOf.size)
    }
    const none = new Bits(this.#bitOf.size)
    for (const [i, parents] of this.#parents.entries()) {
      const only = parents.length === 1 ? (parents[0] as number) : undefined
      if (parents.length === 0) this.#seen[i] = none
      else if (only !== undefined && !this.#bitOf.has(only)) this.#seen[i] = this.#seen[only] as Bits
      else {
        const seen = new Bits(this.#bitOf.size, this.#seen[parents[0] as number])
        for (const parent of parents) {
          seen.add(this.#seen[parent] as Bits)
          const bit = this.#bitOf.get(parent)
          if (bit !== undefined) seen.set(bit)
        }
        this.#seen[i] = seen
      }
    }
  }

  /** Has the operation at `later` the membership operation at `earlier` in its past? Everything before the piece has been seen: -1. */
  hasSeen(later: number, earlier: number): boolean {
    if (earlier < 0) return true
    if (later < 0) return false
    const bit = this.#bitOf.get(earlier)
    return bit !== undefined && (this.#seen[later] as Bits).has(bit)
  }

  /** Has the removal at `removal` any operation at all in its past? */
  isInPastOf(removal: number, operation: number): boolean {
    if (operation < 0) return true
    if (removal < 0 || operation >= removal) return false
    let past = this.#pasts.get(removal)
    if (!past) this.#pasts.set(removal, (past = this.#walk(removal)))
    return past.has(operation)
  }

  #walk(from: number): Bits {
    const past = new Bits(from)
    const open = [...(this.#parents[from] as number[])]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (past.has(next)) continue
      past.set(next)
      for (const parent of this.#parents[next] as number[]) if (!past.has(parent)) open.push(parent)
    }
    return past
  }
}
