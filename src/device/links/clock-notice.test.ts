import { expect, it } from 'vitest'
import { CLOCK_TOLERANCE_MS, clockNotice } from './clock-notice.ts'

const DAY_MS = 24 * 3_600_000

it.each([
  [0, undefined],
  [CLOCK_TOLERANCE_MS, undefined],
  [-CLOCK_TOLERANCE_MS, undefined],
  [12 * 60_000, '12 minutes ahead of'],
  [-3 * 3_600_000, '3 hours behind'],
  [DAY_MS, '1 day ahead of'],
  [-40 * DAY_MS, '40 days behind'],
  [DAY_MS - 4_000, '1 day ahead of'],
  [40 * 60_000, '1 hour ahead of'],
  [29 * 60_000, '29 minutes ahead of'],
])('[DV35] a peer whose clock is off by %d ms: %s', (offsetMs, words) => {
  const notice = clockNotice('kitchen', offsetMs)
  if (words === undefined) expect(notice).toBeUndefined()
  else
    expect(notice).toMatchObject({
      code: 'clock/differs',
      severity: 'warn',
      message: expect.stringContaining(`The clock of kitchen is ${words} this device’s.`),
    })
})
