import { expect, it } from 'vitest'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MAX_FAILED_TRIES, PairingTries, type PairingTriesStore, TRIES_WINDOW_MS } from './pairing-tries.ts'

const NOON = 1_700_000_000_000
const closed = expect.objectContaining({ code: 'pairing/too-many-tries' })

function memory(): PairingTriesStore & { kept: readonly number[] } {
  const store = {
    kept: [] as readonly number[],
    read: () => store.kept,
    write: (failedAtMs: readonly number[]) => void (store.kept = failedAtMs),
  }
  return store
}

it('[ID34] a restart does not open pairing again; ten minutes do', () => {
  const store = memory()
  const clock = new ManualClock(NOON)
  const before = new PairingTries(clock, store)
  for (let n = 0; n < MAX_FAILED_TRIES; n++) {
    before.requireOpen()
    before.recordFailure()
    clock.advance(1_000)
  }
  expect(() => before.requireOpen()).toThrow(closed)
  const again = new ManualClock(clock.nowMs()) // its monotonic clock starts anew
  const after = new PairingTries(again, store)
  expect(() => after.requireOpen()).toThrow(closed)
  again.advance(TRIES_WINDOW_MS - MAX_FAILED_TRIES * 1_000)
  after.requireOpen()
})

it('[ID34] a clock that was set back keeps it closed for ten minutes and no longer', () => {
  const store = memory()
  const before = new PairingTries(new ManualClock(NOON), store)
  for (let n = 0; n < MAX_FAILED_TRIES; n++) before.recordFailure()
  const clock = new ManualClock(NOON - 24 * 3_600_000)
  const after = new PairingTries(clock, store)
  expect(() => after.requireOpen()).toThrow(closed)
  clock.advance(TRIES_WINDOW_MS)
  after.requireOpen()
})
