import { expect, it } from 'vitest'
import { ManualClock } from '../testkit/manual-clock.ts'
import { OWNER_THERE_MS, OwnerWatch } from './owner-watch.ts'

function watch() {
  const clock = new ManualClock()
  const signs: { input: number | undefined; waiting: number; totalMs: number; looks: number } = {
    input: undefined,
    waiting: 0,
    totalMs: 0,
    looks: 0,
  }
  const told: boolean[] = []
  const owner = new OwnerWatch(
    clock,
    {
      lastInputMs: () => {
        signs.looks += 1
        return signs.input
      },
      pressure: () => ({ lastTenSeconds: signs.waiting, totalMs: signs.totalMs }),
    },
    (paused) => told.push(paused),
  )
  /** Time in which something waits for a processor for `part` of it. */
  const pass = (ms: number, part: number) => {
    for (let left = ms; left > 0; left -= 1_000) {
      signs.totalMs += 1_000 * part
      signs.waiting = part
      clock.advance(1_000)
    }
  }
  return { clock, signs, told, owner, pass }
}

it('[JB48] input at a display or terminal holds jobs for a minute from then on', () => {
  const { clock, signs, told, owner } = watch()
  owner.touch()
  clock.advance(OWNER_THERE_MS - 1_000)
  owner.touch()
  clock.advance(OWNER_THERE_MS - 1_000)
  expect(told).toEqual([true])
  clock.advance(1_000)
  expect(told).toEqual([true, false])
  signs.input = 50_000 // ten seconds are left of it
  owner.setBusy(true)
  expect(told).toEqual([true, false, true])
  signs.input = undefined
  clock.advance(9_000)
  expect(told.length).toBe(3)
  clock.advance(1_000)
  expect(told).toEqual([true, false, true, false])
})

it('[JB48] an older sign does not shorten the minute after a newer one', () => {
  const { clock, signs, told, owner } = watch()
  owner.touch()
  signs.input = 50_000 // at a terminal, long before that
  owner.setBusy(true)
  signs.input = undefined
  clock.advance(OWNER_THERE_MS - 1_000)
  expect(told).toEqual([true])
  clock.advance(1_000)
  expect(told).toEqual([true, false])
})

it('[JB48] nothing is looked at while nothing runs here for others', () => {
  const { clock, signs, owner } = watch()
  clock.advance(3_600_000)
  expect(signs.looks).toBe(0)
  owner.setBusy(true)
  owner.setBusy(false)
  const { looks } = signs
  clock.advance(3_600_000)
  expect(signs.looks).toBe(looks)
})

it('[JB48] jobs make way while others wait for the processors of an unlocked machine', () => {
  const { told, owner, pass } = watch()
  owner.setBusy(true)
  pass(20_000, 0.5)
  expect(told).toEqual([]) // nobody has unlocked it
  owner.setDisplayOpen(true)
  pass(60_000, 0.5)
  expect(told).toEqual([true])
  pass(30_000, 0)
  expect(told).toEqual([true, false])
})

it('[JB48] pressure that goes away with the jobs was their own: they go on, and are not stopped for it again soon', () => {
  const { told, owner, pass } = watch()
  owner.setBusy(true)
  owner.setDisplayOpen(true)
  for (let turn = 0; turn < 120; turn++) pass(2_000, told.at(-1) === true ? 0 : 1)
  expect(told).toEqual([true, false])
})

it('[JB48] a lock in the middle lets them go on', () => {
  const { told, owner, pass } = watch()
  owner.setBusy(true)
  owner.setDisplayOpen(true)
  pass(10_000, 0.5)
  owner.setDisplayOpen(false)
  pass(4_000, 0.5)
  expect(told).toEqual([true, false])
})
