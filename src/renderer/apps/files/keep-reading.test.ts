import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { keepReading } from './keep-reading.ts'

const REST_MS = 5_000
const SETTLE_MS = 60

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A reading whose answers come when the test says. */
function reading() {
  const waiting: ((restMs: number | undefined) => void)[] = []
  let begun = 0
  const kept = keepReading(() => {
    begun++
    return new Promise((resolve) => waiting.push(resolve))
  }, SETTLE_MS)
  const answer = async (rests: 'rests' | 'no rest' = 'rests') => {
    waiting.shift()?.(rests === 'rests' ? REST_MS : undefined)
    await vi.advanceTimersByTimeAsync(0)
  }
  return { kept, answer, begun: () => begun, pass: (ms: number) => vi.advanceTimersByTimeAsync(ms) }
}

it('[AP100] reads at once, and again after each rest', async () => {
  const { kept, answer, begun, pass } = reading()
  expect(begun()).toBe(1)
  await answer()
  await pass(REST_MS - 1)
  expect(begun()).toBe(1)
  await pass(1)
  expect(begun()).toBe(2)
  kept.dispose()
})

it('[AP100] a change that is heard just before an answer is read soon, not after the rest', async () => {
  const { kept, answer, begun, pass } = reading()
  kept.readSoon()
  await pass(SETTLE_MS - 1)
  await answer()
  await pass(1)
  expect(begun()).toBe(2)
  kept.dispose()
})

it('[AP100] one reading at a time; what was asked for meanwhile is read after it', async () => {
  const { kept, answer, begun, pass } = reading()
  kept.readSoon()
  await pass(SETTLE_MS)
  kept.readNow()
  expect(begun()).toBe(1)
  await answer()
  await pass(SETTLE_MS)
  expect(begun()).toBe(2)
  await answer()
  await pass(SETTLE_MS)
  expect(begun()).toBe(2)
  kept.dispose()
})

it('[AP100] changes that never pause are read every settling time', async () => {
  const { kept, answer, begun, pass } = reading()
  await answer()
  for (let change = 0; change < 60; change++) {
    kept.readSoon()
    await pass(1)
  }
  expect(begun()).toBe(2)
  kept.dispose()
})

it('[AP100] without a rest only a change is read; after dispose nothing is', async () => {
  const { kept, answer, begun, pass } = reading()
  await answer('no rest')
  await pass(10 * REST_MS)
  expect(begun()).toBe(1)
  kept.readSoon()
  await pass(SETTLE_MS)
  expect(begun()).toBe(2)
  kept.dispose()
  await answer()
  kept.readSoon()
  kept.readNow()
  await pass(10 * REST_MS)
  expect(begun()).toBe(2)
})
