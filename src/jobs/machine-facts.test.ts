import { expect, it } from 'vitest'
import { fixedCondition } from '../testkit/fixed-condition.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { deviceFacts } from './device-facts-contract.ts'
import { MachineFacts } from './machine-facts.ts'

it('[JB34] load is of the time between two samples; the rest is read when asked', async () => {
  const samples = [
    { atMs: 0, busyMs: 100, totalMs: 200 },
    { atMs: 1_000, busyMs: 150, totalMs: 400 },
    { atMs: 2_000, busyMs: 350, totalMs: 600 },
    { atMs: 4_000, busyMs: 350, totalMs: 600 },
  ]
  const rest = { cores: 8, memoryBytes: 3e9, memoryTotalBytes: 16e9, lastMinute: undefined }
  const clock = new ManualClock()
  const facts = new MachineFacts({
    reader: { load: () => ({ ...rest, ...(samples.shift() as (typeof samples)[0]) }) },
    condition: fixedCondition({
      battery: () => ({ discharging: true, percent: 40 }),
      missing: (tools) => tools.filter((tool) => tool === 'cargo'),
    }),
    clock,
  })
  const first = facts.read('laptop', ['cargo', 'make'])
  await new Promise((resolve) => setTimeout(resolve, 0))
  clock.advance(300)
  const told = deviceFacts.parse(await first)
  expect(told).toMatchObject({
    device: 'laptop',
    cores: 8,
    busy: 0.25,
    memoryFreeBytes: 13e9,
    missingTools: ['cargo'],
    battery: { percent: 40 },
  })
  expect(told).not.toHaveProperty('lastInputMs')
  expect((await facts.read('laptop', [])).busy).toBe(0.25) // a second later it still counts
  expect((await facts.read('laptop', [])).busy).toBe(1)
})

it('[JB34] the first look after a pause waits for nothing: the average of the last minute counts', async () => {
  const samples = [
    { atMs: 0, busyMs: 0, totalMs: 0, lastMinute: 2 },
    { atMs: 2_500, busyMs: 100, totalMs: 400, lastMinute: 2 },
    { atMs: 60_000, busyMs: 100, totalMs: 400, lastMinute: 40 },
  ]
  const rest = { cores: 8, memoryBytes: 3e9, memoryTotalBytes: 16e9 }
  const facts = new MachineFacts({
    reader: { load: () => ({ ...rest, ...(samples.shift() as (typeof samples)[0]) }) },
    condition: fixedCondition(),
    clock: new ManualClock(), // stands still: who waits, waits for ever
  })
  expect((await facts.read('laptop', [])).busy).toBe(0.25)
  expect((await facts.read('laptop', [])).busy).toBe(0.25) // measured now: 100 of 400
  expect((await facts.read('laptop', [])).busy).toBe(1)
})
