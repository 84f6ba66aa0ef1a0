import { expect, it } from 'vitest'
import { ManualClock } from '../testkit/manual-clock.ts'
import { Lease } from './lease.ts'

it('[JB44] whichever clock says that more has passed counts: a laptop that slept knows it at once', () => {
  const clock = new ManualClock()
  const lease = new Lease(clock, 90_000)
  clock.advance(60_000)
  expect(lease.leftMs).toBe(30_000)
  clock.sleepThrough(7_200_000) // the monotonic clock stood still
  expect(lease.leftMs).toBeLessThan(0)
  lease.renew()
  clock.sleepThrough(-7_200_000) // somebody set the clock back
  clock.advance(60_000)
  expect(lease.leftMs).toBe(30_000)
  clock.advance(30_000)
  expect(lease.leftMs).toBe(0)
})
