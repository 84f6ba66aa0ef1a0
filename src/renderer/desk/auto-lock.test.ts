import { expect, it } from 'vitest'
import type { Clock } from '../../base/clock.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { AutoLock } from './auto-lock.ts'

const MINUTE_MS = 60_000

function setUp(minutes: number) {
  const clock = new ManualClock()
  let locks = 0
  const autoLock = new AutoLock(clock, async () => void locks++)
  autoLock.setLimit(minutes * MINUTE_MS)
  return { clock, autoLock, locks: () => locks }
}

it('[AP90] locks when nobody has touched the display for as long as is set, counted from the last touch', () => {
  const { clock, autoLock, locks } = setUp(15)
  clock.advance(14 * MINUTE_MS)
  autoLock.touch()
  clock.advance(14 * MINUTE_MS)
  expect(locks()).toBe(0)
  clock.advance(2 * MINUTE_MS)
  expect(locks()).toBe(1)
})

it('[AP90] a shorter or longer time counts at once, from the last touch; never is never', () => {
  const { clock, autoLock, locks } = setUp(60)
  clock.advance(10 * MINUTE_MS)
  autoLock.setLimit(5 * MINUTE_MS)
  expect(locks()).toBe(1)
  const never = setUp(15)
  never.autoLock.setLimit(0)
  never.clock.advance(24 * 60 * MINUTE_MS)
  expect([never.locks(), never.clock.pendingTimers]).toEqual([0, 0])
})

it('[AP90] a lock that could not be done is tried again, unless somebody is back', async () => {
  const { clock, autoLock, locks } = setUp(5)
  clock.advance(6 * MINUTE_MS)
  await Promise.resolve()
  clock.advance(MINUTE_MS)
  expect(locks()).toBe(2)
  await Promise.resolve()
  autoLock.touch()
  clock.advance(4 * MINUTE_MS)
  expect(locks()).toBe(2)
  autoLock.dispose()
  expect(clock.pendingTimers).toBe(0)
})

it('[AP90] who comes after the time was up, while the timers slept with the machine, meets the lock; by itself it comes soon after', () => {
  const clock = new ManualClock()
  let asleepMs = 0
  const wall: Clock = {
    nowMs: () => clock.nowMs() + asleepMs,
    monotonicMs: () => clock.monotonicMs(),
    after: (delayMs, callback) => clock.after(delayMs, callback),
    every: (periodMs, callback) => clock.every(periodMs, callback),
  }
  const locks: string[] = []
  const [touched, left] = ['touched', 'left alone'].map((name) => new AutoLock(wall, async () => void locks.push(name)))
  for (const autoLock of [touched, left]) autoLock?.setLimit(15 * MINUTE_MS)
  clock.advance(MINUTE_MS)
  asleepMs = 8 * 60 * MINUTE_MS
  touched?.touch()
  expect(locks).toEqual(['touched'])
  clock.advance(MINUTE_MS / 2)
  expect(locks).toEqual(['touched', 'left alone'])
})
