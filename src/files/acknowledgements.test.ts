import { expect, it } from 'vitest'
import type { DeviceId } from '../base/ids.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import type { LogId } from './op.ts'

const DAY_MS = 24 * 3_600_000
const [one, two] = ['1', '2'].map((n) => n.repeat(24) as LogId) as [LogId, LogId]
const [server, phone] = ['server', 'phone'] as unknown as [DeviceId, DeviceId]

function world(others: readonly DeviceId[] = [server, phone]) {
  const clock = new ManualClock(Date.UTC(2026, 0, 1))
  const store = new MemoryDatasetStore()
  const acknowledgements = new Acknowledgements({ store, others: () => others, nowMs: () => clock.nowMs() })
  acknowledgements.noteThere()
  const live = (days: number) => {
    for (let day = 0; day < days; day++) {
      clock.advance(DAY_MS)
      acknowledgements.noteThere()
    }
  }
  return { clock, acknowledgements, live }
}
const dropped = new Map([[one, 5]])
const held = new Map([
  [one, 9],
  [two, 3],
])

it('[GC2] past is what every other device has seen, when all it wrote before is here', () => {
  const { acknowledgements } = world()
  acknowledgements.keep(server, new Map([[one, 5]]))
  expect(acknowledgements.isPast(dropped, held)).toBe(false)
  acknowledgements.keep(phone, new Map([[one, 4]]))
  expect(acknowledgements.isPast(dropped, held)).toBe(false)
  acknowledgements.keep(
    phone,
    new Map([
      [one, 6],
      [two, 4],
    ]),
  )
  expect(acknowledgements.isPast(dropped, held)).toBe(false) // its fourth segment is not here: it may name what was dropped
  expect(acknowledgements.isPast(dropped, new Map([...held, [two, 4]]))).toBe(true)
  expect(world([]).acknowledgements.isPast(dropped, held)).toBe(true)
})

it('[GC4] nobody waits for a device that was silent for 90 days in which this one was there', () => {
  const { acknowledgements, live } = world()
  acknowledgements.keep(server, held)
  live(80)
  acknowledgements.keep(server, held)
  live(10)
  expect(acknowledgements.isPast(dropped, held)).toBe(false)
  live(1)
  expect(acknowledgements.isPast(dropped, held)).toBe(true)
})

it('[GC4] who was away for a year takes nobody for silent: it tells the others first, and waits for them', () => {
  const { clock, acknowledgements, live } = world()
  live(5)
  clock.sleep(365 * DAY_MS)
  acknowledgements.noteThere()
  expect(acknowledgements.isPast(dropped, held)).toBe(false)
  live(60)
  expect(acknowledgements.isPast(dropped, held)).toBe(false)
  for (const device of [server, phone]) acknowledgements.keep(device, held)
  expect(acknowledgements.isPast(dropped, held)).toBe(true)
})

it('[GC2] what a device says again and again is put into the store once an hour, what is news at once', () => {
  const clock = new ManualClock(Date.UTC(2026, 0, 1))
  let puts = 0
  const store = new (class extends MemoryDatasetStore {
    override putValue(space: string, key: string, value: Uint8Array | undefined): void {
      puts++
      super.putValue(space, key, value)
    }
  })()
  const acknowledgements = new Acknowledgements({ store, others: () => [server], nowMs: () => clock.nowMs() })
  for (let n = 0; n < 50; n++) acknowledgements.keep(server, new Map(held))
  expect(puts).toBe(1)
  acknowledgements.keep(server, new Map([[one, 10]]))
  acknowledgements.keep(server, new Map([[two, 10]]))
  expect([puts, acknowledgements.of(server)?.frontier]).toEqual([3, new Map([[two, 10]])])
  clock.advance(3_600_000)
  acknowledgements.keep(server, new Map([[two, 10]]))
  expect([puts, acknowledgements.of(server)?.atMs]).toEqual([4, clock.nowMs()])
})
