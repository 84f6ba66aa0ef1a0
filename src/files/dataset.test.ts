import { expect, it } from 'vitest'
import { fromUtf8, utf8 } from '../base/bytes.ts'
import { StoreError } from '../base/store-error.ts'
import { bringSegments, testFileDevice, type TestFileDevice } from '../testkit/file-device.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import type { Dataset } from './dataset.ts'
import type { DatasetNode } from './dataset-node.ts'
import type { LogHead, StoredSegment } from './dataset-store.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'

const START_MS = Date.UTC(2026, 10, 22, 9, 30)

const world = (offsets = [0, 0]) => {
  const clocks = offsets.map((offset) => new ManualClock(START_MS + offset))
  const devices = clocks.map((clock, n) => {
    const fetch = async (id: never) => {
      for (const { chunks } of devices) {
        const chunk = await chunks.get(id)
        if (chunk) return chunk
      }
      return undefined
    }
    return testFileDevice(n, clock, { source: { fetch } })
  }) as TestFileDevice[]
  const [a, b] = devices as [TestFileDevice, TestFileDevice]
  const meet = () => {
    bringSegments(a.dataset, b.dataset)
    bringSegments(b.dataset, a.dataset)
    bringSegments(a.dataset, b.dataset)
  }
  const later = (ms: number) => {
    for (const clock of clocks) clock.advance(ms)
  }
  return { a: a.dataset, b: b.dataset, devices, clocks, meet, later }
}

async function put(dataset: Dataset, path: string, text: string): Promise<DatasetNode> {
  const [folder, name] = [path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1)]
  const parent = dataset.at(folder)
  const node = dataset.lookup(parent.id, name) ?? dataset.createFile(parent.id, name)
  const bytes = utf8(text)
  const read = (offset: number, length: number) => bytes.subarray(offset, offset + length)
  return dataset.commitContent(node.id, node.version, { bytes: bytes.length, extents: [{ offset: 0, length: bytes.length }], read })
}

const read = async (dataset: Dataset, path: string) => fromUtf8(await dataset.readRange(dataset.at(path).id, 0, 1000))
const names = (dataset: Dataset, path = '/') =>
  dataset
    .children(dataset.at(path).id)
    .map(({ name }) => name)
    .sort()

it('[FT2] the last writer of a name, a mode and a place wins, each by itself', async () => {
  const { a, b, meet, later } = world()
  const file = await put(a, '/a.txt', 'x')
  a.makeFolder(a.root, 'dir')
  meet()
  a.move(file.id, a.root, 'by-a.txt')
  a.setAttributes(file.id, { mode: 0o600 })
  later(1000)
  b.move(file.id, b.at('/dir').id, 'a.txt')
  meet()
  for (const dataset of [a, b]) {
    expect(names(dataset, '/dir')).toEqual(['a.txt'])
    expect(dataset.require(file.id).mode).toBe(0o600)
  }
})

it('[FT3] of two contents written at once the later is shown and the other kept as a conflict copy', async () => {
  const { a, b, meet, later } = world()
  await put(a, '/plan.txt', 'base')
  meet()
  await put(a, '/plan.txt', 'from a')
  later(60_000)
  await put(b, '/plan.txt', 'from b')
  meet()
  for (const dataset of [a, b]) {
    expect(names(dataset)).toEqual(['plan (conflict 2026-11-22 09.30 device 0).txt', 'plan.txt'])
    expect(await read(dataset, '/plan.txt')).toBe('from b')
    expect(await read(dataset, '/plan (conflict 2026-11-22 09.30 device 0).txt')).toBe('from a')
    expect(dataset.at('/plan.txt').hasConflict).toBe(true)
  }
})

it('[FT3] one content written on two devices is no conflict', async () => {
  const { a, b, meet } = world()
  await put(a, '/same', 'base')
  meet()
  await put(a, '/same', 'equal')
  await put(b, '/same', 'equal')
  meet()
  expect([names(a), names(b)]).toEqual([['same'], ['same']])
})

it('[FT4] an edit beats a removal, whichever came first; so does a file made in a removed folder', async () => {
  for (const editFirst of [true, false]) {
    const { a, b, meet, later } = world()
    a.makeFolder(a.root, 'dir')
    await put(a, '/dir/f', 'base')
    meet()
    if (editFirst) await put(b, '/dir/f', 'edited')
    later(1000)
    a.removeAll(a.at('/dir').id)
    later(1000)
    if (!editFirst) await put(b, '/dir/new', 'made')
    meet()
    for (const dataset of [a, b]) expect(names(dataset, '/dir')).toEqual(editFirst ? ['f'] : ['new'])
    a.removeAll(a.at('/dir').id)
    meet()
    expect([names(a), names(b)]).toEqual([[], []])
  }
})

it('[FT5] two folders moved into each other: the later move is undone', () => {
  const { a, b, meet, later } = world()
  a.makeFolder(a.root, 'x')
  a.makeFolder(a.root, 'y')
  meet()
  a.move(a.at('/x').id, a.at('/y').id, 'x')
  later(1000)
  b.move(b.at('/y').id, b.at('/x').id, 'y')
  meet()
  expect([names(a), names(a, '/y'), names(b), names(b, '/y')]).toEqual([['y'], ['x'], ['y'], ['x']])
})

it('[FT6] a conflict copy that somebody works with is a file of its own; the other one is then the file', async () => {
  const { a, b, meet, later } = world()
  await put(a, '/f', 'base')
  meet()
  await put(a, '/f', 'from a')
  later(1000)
  await put(b, '/f', 'from b')
  meet()
  const copy = a.children(a.root).find(({ isConflictCopy }) => isConflictCopy) as DatasetNode
  a.move(copy.id, a.root, 'mine')
  a.remove(a.at('/f').id)
  meet()
  for (const dataset of [a, b]) {
    expect(names(dataset)).toEqual(['mine'])
    expect(await read(dataset, '/mine')).toBe('from a')
  }
})

it('[FT7] two new files of one name are both kept; the first has it, the other carries a mark', async () => {
  const { a, b, meet, later } = world()
  await put(a, '/note.txt', 'of a')
  later(1000)
  await put(b, '/note.txt', 'of b')
  meet()
  expect(names(a)).toEqual(names(b))
  expect(names(a)).toEqual([expect.stringMatching(/^note \([0-9a-f]{8}\)\.txt$/), 'note.txt'])
  expect(await read(b, '/note.txt')).toBe('of a')
  a.remove(a.at('/note.txt').id)
  meet()
  expect([names(a), names(b)]).toEqual([['note.txt'], ['note.txt']])
})

it('[FT8] what an op had seen comes before it, also when its clock is a day behind', async () => {
  const { a, b, meet } = world([86_400_000, 0])
  const file = await put(a, '/f', 'first')
  meet()
  await put(b, '/f', 'second')
  b.move(file.id, b.root, 'renamed')
  meet()
  expect([names(a), await read(a, '/renamed'), names(b)]).toEqual([['renamed'], 'second', ['renamed']])
})

it('[FT9] a clock more than 5 minutes ahead is shown as 5 minutes, and marked', async () => {
  const { a, b, meet, clocks } = world([86_400_000, 0])
  await put(a, '/f', 'x')
  meet()
  const nowMs = clocks[1]?.nowMs() as number
  expect(b.at('/f').changedMs).toBe(nowMs + 300_000)
  expect(b.versions(b.at('/f').id)[0]?.atMs).toBe(nowMs + 300_000)
  expect(Number(b.at('/f').mtimeNs / 1_000_000n)).toBe(nowMs + 300_000)
  const marks = () => [b.at('/f').isClockAhead, b.versions(b.at('/f').id)[0]?.isClockAhead, a.at('/f').isClockAhead]
  expect(marks()).toEqual([true, true, false])
  clocks[1]?.advance(86_400_000)
  expect(marks()).toEqual([false, false, false])
})

it('[FT10] a removed file and an earlier version can be restored, with the folders it lay in', async () => {
  const { a, b, meet } = world()
  a.makeFolder(a.root, 'dir')
  const file = await put(a, '/dir/f', 'one')
  await put(a, '/dir/f', 'two')
  a.removeAll(a.at('/dir').id)
  expect(
    a
      .removed()
      .map(({ node }) => node.name)
      .sort(),
  ).toEqual(['dir', 'f'])
  a.restore(file.id)
  expect(await read(a, '/dir/f')).toBe('two')
  const oldest = a
    .versions(file.id)
    .filter(({ bytes, isRemoval }) => bytes > 0 && !isRemoval)
    .at(-1)
  a.restore(file.id, oldest?.version)
  meet()
  expect(await read(b, '/dir/f')).toBe('one')
})

it('[OL1] a segment that was changed, is of a stranger, of another dataset or a fork is refused, and nothing of it taken in', async () => {
  const clock = new ManualClock(START_MS)
  const writer = testFileDevice(1, clock)
  await put(writer.dataset, '/f', 'x')
  writer.dataset.flush()
  const [segment] = writer.dataset.segmentsAfter(new Map(), 1e9) as [Uint8Array]
  const reader = testFileDevice(2, clock)
  for (let at = 0; at < segment.length; at += 7) {
    const changed = segment.slice()
    changed[at] = (changed[at] as number) ^ 0x10
    expect(() => reader.dataset.takeSegment(changed), `byte ${at}`).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^segment\//) }),
    )
  }
  for (const length of [0, 10, segment.length - 1]) {
    expect(() => reader.dataset.takeSegment(segment.slice(0, length))).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^segment\//) }),
    )
  }
  const strict = testFileDevice(3, clock, { isAuthor: () => false })
  expect(() => strict.dataset.takeSegment(segment)).toThrow(expect.objectContaining({ code: 'segment/refused' }))
  expect([names(reader.dataset), names(strict.dataset)]).toEqual([[], []])
  expect([reader.dataset.takeSegment(segment), reader.dataset.takeSegment(segment)]).toEqual([true, false])
})

it('[OL2] a segment whose past is not here waits', async () => {
  const { a, b, devices } = world()
  await put(a, '/f', 'one')
  bringSegments(a, b)
  await put(b, '/f', 'two')
  b.flush()
  const third = testFileDevice(5, new ManualClock(START_MS))
  const own = b.segmentsAfter(new Map(a.frontier()), 1e9)
  expect(own.map((segment) => third.dataset.takeSegment(segment))).toEqual([false])
  bringSegments(b, third.dataset)
  expect(names(third.dataset)).toEqual(['f'])
  expect(devices.length).toBe(2)
})

it('[OL4] a disk that is full when changes are signed ends nothing: they are signed when there is room, or by the next start', async () => {
  const clock = new ManualClock(START_MS)
  const store = new (class extends MemoryDatasetStore {
    isFull = false
    override putSegment(segment: StoredSegment, head: LogHead): void {
      if (this.isFull) throw StoreError.diskFull('here')
      super.putSegment(segment, head)
    }
  })()
  const { dataset } = testFileDevice(1, clock, { store })
  store.isFull = true
  dataset.makeFolder(dataset.root, 'a')
  clock.advance(1_000)
  expect(store.segmentOrder().length).toBe(0)
  store.isFull = false
  clock.advance(10_000)
  expect([store.segmentOrder().length, store.tail().length]).toEqual([1, 0])
  store.isFull = true
  dataset.makeFolder(dataset.root, 'b')
  dataset.dispose()
  store.isFull = false
  const again = testFileDevice(1, clock, { store }).dataset
  expect([names(again), store.segmentOrder().length, store.tail().length]).toEqual([['a', 'b'], 2, 0])
})

it('[RP10] of fetches of which one fails, none goes on when the call has ended, and whoever called gets the first error', async () => {
  const clock = new ManualClock(START_MS)
  const far = testFileDevice(1, clock)
  const manifests = await Promise.all(['a', 'b', 'c'].map((text) => far.dataset.writer.write(utf8(text))))
  const lacking = manifests[0]?.pieces[0]?.id
  let underWay = 0
  const fetch = (id: string, signal?: AbortSignal) => {
    if (id === lacking) return Promise.resolve(undefined)
    underWay++
    return new Promise<undefined>((_, reject) =>
      signal?.addEventListener('abort', () => {
        underWay--
        reject(signal.reason)
      }),
    )
  }
  const { dataset } = testFileDevice(2, clock, { source: { fetch } })
  const unavailable = { code: 'chunk/unavailable' }
  await expect(dataset.fetchAll(manifests)).rejects.toMatchObject(unavailable)
  expect(underWay).toBe(0)
  const together = { bytes: 3, depth: 0, pieces: manifests.flatMap(({ pieces }) => pieces) }
  await expect(dataset.fetch(together)).rejects.toMatchObject(unavailable)
  await expect(dataset.fetch(together, new AbortController().signal)).rejects.toMatchObject(unavailable)
  expect(underWay).toBe(0)
})
