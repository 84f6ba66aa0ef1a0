import { expect, it } from 'vitest'
import { backoffMs } from './backoff.ts'

it('doubles from a quarter second and never waits longer than five seconds', () => {
  expect([0, 1, 2, 3, 4, 5, 60].map(backoffMs)).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000])
})
