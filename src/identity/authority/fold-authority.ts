import type { PersonId } from '../../base/ids.ts'
import { emptyState, type AuthorityState } from './authority-state.ts'
import type { Operation, OperationId } from './operation.ts'
import { Removals, type FoldRule } from './removals.ts'
import { cleanCuts, orderOperations, Segment } from './segment.ts'
import { Standings } from './standing.ts'
import { type Piece, StateWriter, type VoidReason } from './state-writer.ts'

export type { FoldRule } from './removals.ts'
export type { VoidReason } from './state-writer.ts'

export interface FoldOptions {
  /** What everything in `operations` has seen: a checkpoint. Default: nothing. */
  readonly from?: AuthorityState
  /** Lies it before `from`? Such operations are left out, and may be named. */
  readonly isBelow?: (id: OperationId) => boolean
  /** Test-only: leave a rule out. */
  readonly without?: FoldRule
}

export interface Folded {
  readonly state: AuthorityState
  /** What has no effect, and why; newly folded ones only. */
  readonly voided: ReadonlyMap<OperationId, VoidReason>
  /** Their past is not all here: not folded. */
  readonly waiting: readonly Operation[]
}

/**
 * What a set of operations says of a person's devices, contacts, grants and keys (rules ID54-ID59): pure, without a clock,
 * and the same whatever order, grouping or repetition they come in. Signatures are not looked at: `decodeOperation` did.
 */
export function foldAuthority(person: PersonId, operations: Iterable<Operation>, options: FoldOptions = {}): Folded {
  const { without } = options
  const from = options.from ?? emptyState(person)
  const ordered = orderOperations(operations, from, options.isBelow ?? (() => false), without === 'order' ? without : undefined)
  const voided = new Map<OperationId, VoidReason>()
  const writer = new StateWriter(from, pieceOf([], [], from, without))
  let start = 0
  for (const end of [...cleanCuts(ordered.operations), ordered.operations.length]) {
    writer.write(pieceOf(ordered.operations.slice(start, end), ordered.depths.slice(start, end), writer.state, without), voided)
    start = end
  }
  return { state: writer.state, voided, waiting: ordered.waiting }
}

function pieceOf(operations: readonly Operation[], depths: readonly number[], base: AuthorityState, without: FoldRule | undefined): Piece {
  const segment = new Segment(operations, depths)
  const standings = new Standings(segment, base)
  return { segment, standings, removals: new Removals(segment, standings, base, without), without }
}
