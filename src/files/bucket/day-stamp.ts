import type { Clock } from '../../base/clock.ts'

/** What was seen or read longer ago may be gone. */
export const COUNTS_MS = 24 * 60 * 60_000

/** By both clocks: the time of day may be set, and the other one stands while a machine sleeps. */
export interface DayStamp {
  readonly atMs: number
  readonly monotonicMs: number
}

export const stampOf = (clock: Clock): DayStamp => ({ atMs: clock.nowMs(), monotonicMs: clock.monotonicMs() })

/** Was it so lately, by both clocks: of one that was set, and of one that slept? */
export const isWithin = (clock: Clock, stamp: DayStamp, ms: number): boolean =>
  Math.abs(clock.nowMs() - stamp.atMs) < ms && Math.abs(clock.monotonicMs() - stamp.monotonicMs) < ms

/** Was it within a day? Never for what was not. */
export const isWithinDay = (clock: Clock, stamp: DayStamp | undefined): boolean => stamp !== undefined && isWithin(clock, stamp, COUNTS_MS)
