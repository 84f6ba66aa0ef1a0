import { expect, it } from 'vitest'
import { Emitter } from '../../base/emitter.ts'
import { silentLogger } from '../../base/logger.ts'
import type { GuestJob } from '../../jobs/guest-jobs-contract.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { GuestJobs } from './guest-jobs.ts'

const settle = () => new Promise((resolve) => setImmediate(resolve))

it('[JB111] whoever begins and ends jobs over and over makes displays hear no more often, and of the last of it', async () => {
  const clock = new ManualClock()
  const changed = new Emitter<object>()
  let asked = 0
  let now: Partial<GuestJob>[] = []
  const listForOthers = async () => {
    asked++
    return now
  }
  const client = { onDidChangeForOthers: changed.event, listForOthers }
  const local = {
    client: async () => client,
    onDidConnect: (listener: (host: object) => void) => (listener(client), { dispose: () => {} }),
  }
  const jobs = new GuestJobs({ local: local as never, clock, log: silentLogger })
  changed.fire({})
  clock.advance(1_000)
  await settle()
  expect([asked, clock.pendingTimers]).toEqual([0, 0]) // nobody looks
  const told: number[] = []
  jobs.handlers().onDidChangeGuestJobs((list) => told.push(list.length))
  for (let count = 1; count <= 1_000; count++) {
    now = Array.from({ length: count % 7 }, () => ({}))
    changed.fire({})
    clock.advance(1)
  }
  clock.advance(300)
  await settle()
  expect(asked).toBeLessThanOrEqual(4)
  expect(told.at(-1)).toBe(1_000 % 7)
  jobs.dispose()
  changed.fire({})
  expect(clock.pendingTimers).toBe(0)
})
