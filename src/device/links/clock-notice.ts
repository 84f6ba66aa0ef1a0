import type { StandingNotice } from '../notices.ts'

/** Clocks of healthy machines agree within seconds; five minutes is what people notice and what certificates forgive. */
export const CLOCK_TOLERANCE_MS = 5 * 60_000
export const CLOCK_NOTICE = 'clock/differs'
const HOUR_MS = 3_600_000

/** How far off, in the largest unit that says it: "2 days", "3 hours", "12 minutes". */
function plainSpan(ms: number): string {
  const days = Math.round(ms / (24 * HOUR_MS))
  const hours = Math.round(ms / HOUR_MS)
  // A few seconds short of a day are a day.
  const [rounded, unit] = hours >= 24 ? [days, 'day'] : hours >= 1 ? [hours, 'hour'] : [Math.round(ms / 60_000), 'minute']
  return `${rounded} ${unit}${rounded === 1 ? '' : 's'}`
}

/**
 * What to say when a peer's clock and this device's disagree; undefined when they agree well enough. Nothing is ordered by
 * clocks alone, so nothing is lost: what goes wrong is what people read (times in lists) and, over two days, meeting at all.
 *
 * @param offsetMs  the peer's clock minus this device's
 */
export function clockNotice(peerName: string, offsetMs: number): StandingNotice | undefined {
  if (Math.abs(offsetMs) <= CLOCK_TOLERANCE_MS) return undefined
  const side = offsetMs > 0 ? 'ahead of' : 'behind'
  return {
    code: CLOCK_NOTICE,
    severity: 'warn',
    message:
      `The clock of ${peerName} is ${plainSpan(Math.abs(offsetMs))} ${side} this device’s. Nothing is lost, but times will look wrong, ` +
      'and devices more than a day apart may not find each other. Set the clock of the one that is wrong.',
  }
}
