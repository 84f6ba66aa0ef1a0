import { expect, it } from 'vitest'
import type { DeviceId, PersonId } from '../../base/ids.ts'
import { silentLogger } from '../../base/logger.ts'
import type { LedgerEvent } from '../../identity/ledger/ledger-event.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { ContactJobRecord, IDLE_MS, LOOK_MS } from './contact-job-record.ts'

const [bob, eve] = ['bob', 'eve'] as PersonId[] as [PersonId, PersonId]
const [laptop, phone] = ['laptop', 'phone'] as DeviceId[] as [DeviceId, DeviceId]

function world() {
  const clock = new ManualClock()
  const recorded: LedgerEvent[] = []
  const there = { askers: [] as string[], isAway: false }
  const client = async () => {
    if (there.isAway) throw new Error('the host is away')
    return { listForOthers: async () => there.askers.map((asker) => ({ asker })) }
  }
  const record = new ContactJobRecord({
    host: { client } as never,
    ledger: { record: (event) => recorded.push(event) },
    clock,
    log: silentLogger,
  })
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= LOOK_MS) {
      clock.advance(Math.min(LOOK_MS, left))
      for (let turns = 0; turns < 5; turns++) await Promise.resolve()
    }
  }
  return { clock, record, recorded, there, pass }
}

it('[ID168] what a contact runs here is in the ledger, from the first to the last, and how many; of each person apart', async () => {
  const { record, recorded, there, pass } = world()
  there.askers = [laptop]
  record.begin(bob, laptop)
  await pass(3 * IDLE_MS)
  record.begin(eve, 'tower' as DeviceId)
  expect(recorded).toEqual([
    { kind: 'jobs-begun', peer: laptop, person: bob },
    { kind: 'jobs-begun', peer: 'tower', person: eve },
  ])
  there.askers = ['tower', 'kitchen']
  await pass(2 * IDLE_MS)
  expect(recorded.slice(2)).toEqual([{ kind: 'jobs-ended', person: bob, count: 1, forMs: 3 * IDLE_MS }])
  record.dispose()
  expect(recorded.slice(3)).toEqual([{ kind: 'jobs-ended', person: eve, count: 1, forMs: 2 * IDLE_MS }])
})

it('[ID168] whoever runs a thousand short jobs, by several devices, writes two entries', async () => {
  const { record, recorded, pass } = world()
  for (let n = 0; n < 1_000; n++) {
    record.begin(bob, n % 2 === 0 ? laptop : phone)
    await pass(LOOK_MS)
  }
  await pass(2 * IDLE_MS)
  expect(recorded).toEqual([
    { kind: 'jobs-begun', peer: laptop, person: bob },
    { kind: 'jobs-ended', person: bob, count: 1_000, forMs: 999 * LOOK_MS },
  ])
})

it('[ID168] while the host is away nothing is said to have ended', async () => {
  const { record, recorded, there, pass } = world()
  record.begin(bob, laptop)
  there.isAway = true
  await pass(5 * IDLE_MS)
  expect(recorded).toHaveLength(1)
  there.isAway = false
  await pass(LOOK_MS)
  expect(recorded).toHaveLength(2)
})

it('[ID168] a device that runs nothing for contacts has no timer for it', async () => {
  const { clock, record, there, pass } = world()
  expect(clock.pendingTimers).toBe(0)
  there.askers = [laptop]
  record.begin(bob, laptop)
  record.begin(eve, phone)
  await pass(3 * LOOK_MS)
  expect(clock.pendingTimers).toBe(1)
  there.askers = []
  await pass(2 * IDLE_MS)
  expect(clock.pendingTimers).toBe(0)
})
