import { expect, it } from 'vitest'
import { SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import type { SegmentRange } from './dataset-store.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import type { LogId } from './op.ts'
import { SegmentQueue } from './segment-queue.ts'

/** Counts what is looked up in it. */
class CountedStore extends MemoryDatasetStore {
  lookedUp = 0
  override segmentOrder(): ReturnType<MemoryDatasetStore['segmentOrder']> {
    throw new Error('all of them')
  }
  override segmentsOf(log: LogId, range: SegmentRange) {
    const found = super.segmentsOf(log, range)
    this.lookedUp += found.length
    return found
  }
}

const logOf = (n: number) => `${n}`.padStart(24, '0') as LogId

function filled(logs: number, count: number, random: SeededRandom) {
  const store = new CountedStore()
  const seqs = new Map<LogId, number>()
  const order: (readonly [LogId, number])[] = []
  for (let n = 0; n < count; n++) {
    const log = logOf(random.below(logs))
    const seq = (seqs.get(log) ?? 0) + 1
    seqs.set(log, seq)
    order.push([log, seq])
    store.putSegment({ log, seq, bytes: new Uint8Array(1) }, { log, device: 'd', start: '', seq, hash: '', ops: n, stamp: n })
  }
  return { store, seqs, order }
}

function all(queue: SegmentQueue): (readonly [LogId, number])[] {
  const found: (readonly [LogId, number])[] = []
  for (let { next } = queue; next; { next } = queue) {
    found.push([next.log, next.seq])
    queue.skip()
  }
  return found
}

it('[OL8] what another device lacks comes in the order in which it came here, and the other way round', () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  for (const logs of [1, 2, 7, 40]) {
    const { store, seqs, order } = filled(logs, 600, random)
    const limits = new Map([...seqs].map(([log, seq]) => [log, random.below(seq + 2)]))
    expect(all(new SegmentQueue(store, limits)), `${seed}`).toEqual(order.filter(([log, seq]) => seq > (limits.get(log) ?? 0)))
    const before = order.filter(([log, seq]) => seq <= (limits.get(log) ?? 0)).reverse()
    expect(all(new SegmentQueue(store, limits, true)), `${seed}`).toEqual(before)
  }
})

it('[OL8] a device that lacks little is answered without looking through all that is held', () => {
  const { store, seqs } = filled(3, 3_000, new SeededRandom(1))
  const lacked = [...seqs].map(([log, seq]) => [log, seq - 1] as const)
  expect(all(new SegmentQueue(store, lacked)).length).toBe(3)
  expect(store.lookedUp).toBe(3)
  const queue = new SegmentQueue(
    store,
    [...seqs.keys()].map((log) => [log, 0] as const),
  )
  for (let n = 0; n < 10; n++) queue.skip()
  expect(store.lookedUp).toBeLessThan(3 + 4 * 64)
})
