import { expect, it } from 'vitest'
import { silentLogger } from '../base/logger.ts'
import { GarbageWorld } from '../testkit/garbage-world.ts'
import { MemoryJournal } from '../testkit/memory-journal.ts'
import { SeededRandom } from '../testkit/seeded-random.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import type { OpenDataset } from './open-dataset.ts'
import { WriteBehindStore } from './write-behind-store.ts'

it('[OL4] a segment that could not be kept, own or of another device, is in no book: what is not yet safe is counted once', async () => {
  const journals: MemoryJournal[] = []
  const world = new GarbageWorld(new SeededRandom(9), 2, (clock) => {
    const journal = new MemoryJournal()
    journals.push(journal)
    return new WriteBehindStore({ behind: new MemoryDatasetStore(), journal, clock, log: silentLogger })
  })
  try {
    const [a, b] = world.devices as [OpenDataset, OpenDataset]
    const [nearly, other] = journals as [MemoryJournal, MemoryJournal]
    await world.write(0, a.dataset.createFile(a.dataset.root, 'one'))
    nearly.isFull = true
    for (let n = 0; n < 3; n++) expect(() => a.dataset.flush()).toThrow('full')
    expect(a.book.unsafe).toEqual([])
    nearly.isFull = false
    a.dataset.flush()
    expect([a.book.unsafe.length, a.book.unsafeContents.versions]).toEqual([1, 1])
    other.isFull = true
    for (const segment of a.dataset.segmentsAfter(new Map(), 1000)) expect(() => b.dataset.takeSegment(segment)).toThrow('full')
    expect(b.book.owed).toEqual([])
    other.isFull = false
    world.linkAll()
    await world.settle()
    expect([a.book.unsafe.length, b.book.owed.length]).toEqual([0, 0])
  } finally {
    world.dispose()
  }
})
