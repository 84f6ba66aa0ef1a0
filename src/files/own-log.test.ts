import { expect, it } from 'vitest'
import { silentLogger } from '../base/logger.ts'
import { bringSegments, testFileDevice } from '../testkit/file-device.ts'
import { GarbageWorld } from '../testkit/garbage-world.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MemoryJournal } from '../testkit/memory-journal.ts'
import { SeededRandom } from '../testkit/seeded-random.ts'
import type { Dataset } from './dataset.ts'
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

it.each([
  { name: 'with changes that are not signed', isLeft: true },
  { name: 'with nothing left', isLeft: false },
])(
  '[OL4] a start on a full disk, $name: all is there, nothing more is taken, and when there is room all of it is signed, in logs that others follow',
  async ({ isLeft }) => {
    const [behind, journal] = [new MemoryDatasetStore(), new MemoryJournal()]
    const clock = new ManualClock()
    const start = () => {
      const store = new WriteBehindStore({ behind, journal, clock, log: silentLogger })
      return testFileDevice(0, clock, { store })
    }
    const first = start()
    first.dataset.createFile(first.dataset.root, 'before')
    first.dataset.flush()
    if (isLeft) first.dataset.createFile(first.dataset.root, 'not signed')
    journal.isFull = true // and it is killed
    const second = start()
    const names = () => second.dataset.children(second.dataset.root).map(({ name }) => name)
    expect(names().sort()).toEqual(isLeft ? ['before', 'not signed'] : ['before'])
    expect(() => second.dataset.createFile(second.dataset.root, 'refused')).toThrow('full')
    journal.isFull = false
    second.dataset.createFile(second.dataset.root, 'after')
    second.dataset.flush()
    // Killed once more: what is kept is of the start that is kept.
    second.dataset.createFile(second.dataset.root, 'last')
    const third = start()
    third.dataset.createFile(third.dataset.root, 'and on')
    third.dataset.flush()
    const other = testFileDevice(1, clock, { store: new MemoryDatasetStore() })
    bringSegments(third.dataset, other.dataset)
    const listed = (device: { dataset: Dataset }) => device.dataset.children(device.dataset.root).map(({ name }) => name)
    const all = ['before', ...(isLeft ? ['not signed'] : []), 'after', 'last', 'and on']
    expect([listed(third).sort(), listed(other).sort()]).toEqual([[...all].sort(), [...all].sort()])
  },
)
