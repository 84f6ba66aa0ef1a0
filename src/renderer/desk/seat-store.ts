import { create } from 'zustand'
import type { SeatState } from '../../device/desk/desk-contract.ts'

/** "You also unlocked on X": asked after a cut, answered here or by the clock. */
export interface SeatQuestion {
  readonly displayName: string
  readonly atMs: number
  readonly locksAtMs: number
}

export const useSeat = create<{ readonly seat: SeatState | undefined; readonly question: SeatQuestion | undefined }>(() => ({
  seat: undefined,
  question: undefined,
}))
