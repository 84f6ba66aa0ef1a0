import type { DisplayId } from '../base/ids.ts'
import { isHigherClaim, type SeatClaim } from './seat-claim.ts'

/** Input within this long means that somebody sits at the display. */
export const RECENT_INPUT_MS = 30_000
/** How long the question "You also unlocked on X" waits for an answer before the display locks. */
export const SEAT_QUESTION_MS = 60_000

/** `stay`: nothing happens. `hand-over`: lock and say where the desk went. `ask`: somebody sits here; let them choose. */
export type SeatVerdict = 'stay' | 'hand-over' | 'ask'

/** One unlocked display of this device, as the rule sees it. */
export interface SeatedDisplay {
  readonly display: DisplayId
  /** The claim with which it was unlocked. */
  readonly claim: SeatClaim
  /** Its last key or pointer input (this device's clock); undefined: none since the unlock. */
  readonly lastInputAtMs: number | undefined
}

/**
 * What a display does about a claim it hears (rules ID36, ID37). A higher *move* locks it. Only when the claim comes late,
 * over a link that had been cut when it was made, and the display had input in the last 30 s, is the person asked.
 *
 * @param heardAfterCut  the claiming device was not linked when it claimed
 */
export function judgeClaim(seated: SeatedDisplay, claim: SeatClaim, now: { nowMs: number; heardAfterCut: boolean }): SeatVerdict {
  if (claim.how !== 'move' || claim.display === seated.display || !isHigherClaim(claim, seated.claim)) return 'stay'
  if (!now.heardAfterCut || seated.lastInputAtMs === undefined) return 'hand-over'
  const quietMs = now.nowMs - seated.lastInputAtMs
  return quietMs <= RECENT_INPUT_MS ? 'ask' : 'hand-over'
}

/**
 * How an open question stands. *Stay* means that the display claims the seat anew (a higher *move*), so that the other one
 * hands over; no answer within 60 s locks.
 */
export function settleQuestion(askedAtMs: number, nowMs: number, answer: 'stay' | 'lock' | undefined): 'claim-anew' | 'lock' | 'wait' {
  if (answer === 'lock') return 'lock'
  if (answer === 'stay') return 'claim-anew'
  return nowMs - askedAtMs >= SEAT_QUESTION_MS ? 'lock' : 'wait'
}
