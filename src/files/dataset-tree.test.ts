import { expect, it } from 'vitest'
import { errorCode } from '../base/errors.ts'
import { silentLogger } from '../base/logger.ts'
import { checkpointDevice } from '../testkit/checkpoint-device.ts'
import { bringSegments, testFileDevice, type TestFileDevice } from '../testkit/file-device.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import type { SealedChunk } from './chunk-id.ts'
import { ContentError } from './content-error.ts'
import { DatasetTree } from './dataset-tree.ts'
import type { TreeDataset } from './tree-slots.ts'
import { MemoryChunkStore } from './memory-chunk-store.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import { describeMountedTree } from './mounted-tree.suite.ts'
import { type Ino, ROOT_INO, type TreeChange } from './mounted-tree.ts'
import { ROOT_NODE } from './op.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const space = () => ({ totalBytes: 1000, freeBytes: 500, files: 0 })

function treeOf(clock: ManualClock, device: TestFileDevice = testFileDevice(1, clock)) {
  const tree = new DatasetTree({ datasets: [{ name: 'Home', dataset: device.dataset }], clock, log: silentLogger, space })
  const home = tree.lookup(ROOT_INO, 'Home')?.ino as Ino
  const text = async (ino: Ino) => (await tree.read(ino, 0, 1 << 20)).map((piece) => new TextDecoder().decode(piece)).join('')
  return { ...device, tree, home, text, close: async () => tree.dispose() }
}

/** Time goes on by itself where a suite expects it to. */
function tickingClock(): ManualClock {
  const clock = new ManualClock()
  const now = clock.nowMs.bind(clock)
  let ticks = 0
  clock.nowMs = () => now() + ++ticks
  return clock
}

describeMountedTree('DatasetTree', async () => {
  const made = treeOf(tickingClock())
  return { tree: made.tree, root: made.home, close: made.close }
})

it('[MT10] the root lists datasets and is not written to; nothing moves between datasets', async () => {
  const clock = new ManualClock()
  const datasets = [1, 2].map((n) => ({ name: `D${n}`, dataset: testFileDevice(n, clock).dataset }))
  const tree = new DatasetTree({ datasets, clock, log: silentLogger, space })
  expect(tree.readdir(ROOT_INO, 0, 10).map(({ name }) => name)).toEqual(['D1', 'D2'])
  const code = (work: () => unknown) => {
    try {
      return work()
    } catch (error) {
      return errorCode(error)
    }
  }
  expect(code(() => tree.create(ROOT_INO, 'f', 0o644))).toBe('tree/not-permitted')
  const [one, two] = ['D1', 'D2'].map((name) => tree.lookup(ROOT_INO, name)?.ino as Ino) as [Ino, Ino]
  tree.create(one, 'f', 0o644)
  expect(code(() => tree.rename(one, 'f', two, 'f', 'replace'))).toBe('tree/other-disk')
  tree.dispose()
})

it('[MT15] datasets come, go and are renamed while the tree is in use; what is open in the others stays', async () => {
  const clock = new ManualClock()
  const [one, two] = [1, 2].map((n) => ({ name: `D${n}`, dataset: testFileDevice(n, clock).dataset })) as [TreeDataset, TreeDataset]
  const tree = new DatasetTree({ datasets: [one], clock, log: silentLogger, space })
  const told: string[] = []
  tree.onDidChange((change) => told.push(change.kind === 'entry' ? `${change.parent} ${change.name}` : `${change.ino}`))
  const names = () => tree.readdir(ROOT_INO, 0, 10).map(({ name }) => name)
  const first = tree.lookup(ROOT_INO, 'D1')?.ino as Ino
  const open = tree.create(first, 'open', 0o644)
  const [{ cookie } = { cookie: 0 }] = tree.readdir(ROOT_INO, 0, 1)
  tree.join(two)
  expect(told).toEqual([`${ROOT_INO} D2`, `${ROOT_INO}`])
  expect(tree.readdir(ROOT_INO, cookie, 10).map(({ name }) => name)).toEqual(['D2']) // a listing goes on where it was
  const second = tree.lookup(ROOT_INO, 'D2')?.ino as Ino
  const written = tree.create(second, 'f', 0o644)
  await tree.write(written.ino, 0, bytes('kept'))
  tree.renameDataset(two, 'Work')
  expect(names()).toEqual(['D1', 'Work'])
  expect(told.slice(-3)).toEqual([`${ROOT_INO} D2`, `${ROOT_INO} Work`, `${ROOT_INO}`])
  expect(tree.getattr(written.ino).fileBytes).toBe(4)
  await tree.leave(two)
  expect(names()).toEqual(['D1'])
  expect(two.dataset.at('/f').bytes).toBe(4) // a version before it went
  expect(() => tree.getattr(written.ino)).toThrow()
  await tree.write(open.ino, 0, bytes('on'))
  expect(tree.getattr(open.ino).fileBytes).toBe(2)
  tree.dispose()
})

it('[MT14] what was synced is there after a kill, and is no version before the file is closed or quiet', async () => {
  const clock = new ManualClock()
  const device = testFileDevice(1, clock)
  const { tree, home, dataset } = treeOf(clock, device)
  const { ino } = tree.create(home, 'data.db', 0o644)
  const { id } = dataset.at('/data.db')
  const versions = () => dataset.versions(id).length
  const before = versions()
  for (let n = 0; n < 5; n++) {
    await tree.write(ino, n, bytes(String(n)))
    await tree.fsync(ino)
  }
  expect([versions() - before, dataset.at('/data.db').bytes]).toEqual([0, 0])
  // As after kill -9: another start over the same stores.
  const again = testFileDevice(1, clock, { store: device.store, chunks: device.chunks })
  const found = again.dataset.at('/data.db')
  expect([new TextDecoder().decode(await again.dataset.readRange(found.id, 0, 10)), found.hasConflict]).toEqual(['01234', false])
  expect(device.store.values('synced')).toEqual([])
  tree.dispose()
})

it('[MT14] the bytes of what was synced are on the disk before anything names them', async () => {
  const clock = new ManualClock()
  const steps: string[] = []
  const chunks = new (class extends MemoryChunkStore {
    override async sync(): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, 5))
      steps.push('contents')
    }
  })()
  const store = new (class extends MemoryDatasetStore {
    override putValue(space: string, key: string, value: Uint8Array | undefined): void {
      if (space === 'synced') steps.push(value ? 'named' : 'dropped')
      super.putValue(space, key, value)
    }
  })()
  const { tree, home, dataset, close } = treeOf(clock, testFileDevice(1, clock, { chunks, store }))
  const { ino } = tree.create(home, 'f', 0o644)
  await tree.write(ino, 0, bytes('one'))
  await tree.fsync(ino)
  expect(steps.slice(0, 2)).toEqual(['contents', 'named'])
  // The same when a version takes its place.
  steps.length = 0
  await tree.write(ino, 0, bytes('ONE'))
  await tree.flush(ino)
  expect([dataset.at('/f').bytes, ...steps]).toEqual([3, 'contents', 'dropped'])
  // Closed while it is synced: the version is the news, and nothing older is kept over it.
  await tree.write(ino, 3, bytes('two'))
  await Promise.all([tree.fsync(ino), tree.flush(ino)])
  expect([dataset.at('/f').bytes, store.values('synced').length]).toEqual([6, 0])
  await close()
})

it('[MT14] what was synced outlasts a version that another way into the dataset makes, and is what was synced last', async () => {
  const clock = new ManualClock()
  const device = testFileDevice(1, clock)
  const { tree, home, dataset } = treeOf(clock, device)
  const { ino } = tree.create(home, 'f', 0o644)
  const { id, version } = dataset.at('/f')
  for (const text of ['one', 'two']) {
    await tree.write(ino, 0, bytes(text))
    await tree.fsync(ino)
  }
  const desk = bytes('of the desk')
  const read = (offset: number, length: number) => desk.subarray(offset, offset + length)
  await dataset.commitContent(id, version, { bytes: desk.length, extents: [{ offset: 0, length: desk.length }], read })
  const again = testFileDevice(1, clock, { store: device.store, chunks: device.chunks }).dataset
  const texts = await Promise.all(again.children(again.root).map(async (node) => again.readRange(node.id, 0, 100)))
  expect(texts.map((text) => new TextDecoder().decode(text)).sort()).toEqual(['of the desk', 'two'])
  tree.dispose()
})

it('[MT14] what was synced and then undone comes back as it was undone', async () => {
  const clock = new ManualClock()
  const device = testFileDevice(1, clock)
  const { tree, home } = treeOf(clock, device)
  const { ino } = tree.create(home, 'f', 0o644)
  await tree.write(ino, 0, bytes('before'))
  await tree.flush(ino)
  for (const text of ['change', 'before']) {
    await tree.write(ino, 0, bytes(text))
    await tree.fsync(ino)
  }
  const again = testFileDevice(1, clock, { store: device.store, chunks: device.chunks }).dataset
  expect(new TextDecoder().decode(await again.readRange(again.at('/f').id, 0, 100))).toBe('before')
  tree.dispose()
})

it('[MT14] a synced file that is closed is one version, and nothing is left of the sync', async () => {
  const clock = new ManualClock()
  const device = testFileDevice(1, clock)
  const { tree, home, dataset, close } = treeOf(clock, device)
  const { ino } = tree.create(home, 'f', 0o644)
  const { id } = dataset.at('/f')
  await tree.write(ino, 0, bytes('one'))
  await tree.fsync(ino)
  const before = dataset.versions(id).length
  await tree.flush(ino)
  await tree.flush(ino)
  expect([dataset.versions(id).length - before, dataset.at('/f').bytes, device.store.values('synced').length]).toEqual([1, 3, 0])
  await tree.write(ino, 3, bytes(' two'))
  await tree.fsync(ino)
  clock.advance(3_000)
  await tree.flush(ino)
  expect([dataset.versions(id).length - before, dataset.at('/f').bytes, device.store.values('synced').length]).toEqual([2, 7, 0])
  await close()
})

it('[MT11] what was written is a version when it is closed, or quiet for 2 s; nothing new makes none', async () => {
  const clock = new ManualClock()
  const { tree, home, dataset, close } = treeOf(clock)
  const { ino } = tree.create(home, 'f', 0o644)
  const node = dataset.at('/f')
  await tree.write(ino, 0, bytes('one'))
  expect(dataset.at('/f').bytes).toBe(0)
  await tree.flush(ino)
  expect(dataset.at('/f').bytes).toBe(3)
  await tree.flush(ino)
  await tree.write(ino, 3, bytes('two'))
  clock.advance(2_100)
  await expect.poll(() => dataset.at('/f').bytes).toBe(6)
  await tree.flush(ino)
  expect(dataset.versions(node.id).length).toBe(3)
  await close()
})

it('[MT11] what is written while a version is made becomes one, too, when it is quiet', async () => {
  const clock = new ManualClock()
  const held: (() => void)[] = []
  const chunks = new (class extends MemoryChunkStore {
    override async put(chunk: SealedChunk): Promise<void> {
      if (held.length < 2) await new Promise<void>((resolve) => held.push(resolve))
      return super.put(chunk)
    }
  })()
  const { tree, home, dataset, close } = treeOf(clock, testFileDevice(1, clock, { chunks }))
  const { ino } = tree.create(home, 'f', 0o644)
  await tree.write(ino, 0, bytes('one'))
  clock.advance(2_100)
  await expect.poll(() => held.length).toBe(2) // asked at once, and again by who waits
  await tree.write(ino, 3, bytes('two'))
  for (const go of held) go()
  await expect.poll(() => dataset.at('/f').bytes).toBe(3)
  clock.advance(2_100)
  await expect.poll(() => dataset.at('/f').bytes).toBe(6)
  await close()
})

it('[MT11] what could not be made a version is tried again, also after the file was closed', async () => {
  const clock = new ManualClock()
  const chunks = new (class extends MemoryChunkStore {
    isFull = true
    override async put(chunk: SealedChunk): Promise<void> {
      if (this.isFull) throw new ContentError('chunk/store-full', 'full')
      return super.put(chunk)
    }
  })()
  const { tree, home, dataset, close } = treeOf(clock, testFileDevice(1, clock, { chunks }))
  const { ino } = tree.create(home, 'f', 0o644)
  await tree.write(ino, 0, bytes('one'))
  await expect(tree.flush(ino)).rejects.toMatchObject({ code: 'tree/full' })
  tree.forget(ino, 1)
  for (const isFull of [true, false]) {
    chunks.isFull = isFull
    clock.advance(10_100)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(dataset.at('/f').bytes).toBe(3)
  await close()
})

it('[MT12] another device’s version gets a new number, which is told; the old number reads on as it was', async () => {
  const clock = new ManualClock()
  const mine = treeOf(clock)
  const other = testFileDevice(2, clock, { chunks: mine.chunks })
  const { ino } = mine.tree.create(mine.home, 'f', 0o644)
  await mine.tree.write(ino, 0, bytes('mine'))
  await mine.tree.flush(ino)
  bringSegments(mine.dataset, other.dataset)
  const changes: TreeChange[] = []
  mine.tree.onDidChange((change) => changes.push(change))
  const theirs = other.dataset.at('/f')
  const text = bytes('theirs')
  await other.dataset.commitContent(theirs.id, theirs.version, {
    bytes: 6,
    extents: [{ offset: 0, length: 6 }],
    read: (o, l) => text.subarray(o, o + l),
  })
  other.dataset.createFile(other.dataset.root, 'g')
  bringSegments(other.dataset, mine.dataset)
  expect(changes).toContainEqual({ kind: 'entry', parent: mine.home, name: 'f' })
  expect(changes).toContainEqual({ kind: 'entry', parent: mine.home, name: 'g' })
  expect(changes).toContainEqual({ kind: 'content', ino: mine.home })
  const now = mine.tree.lookup(mine.home, 'f')?.ino as Ino
  expect(now).not.toBe(ino)
  expect([await mine.text(ino), await mine.text(now)]).toEqual(['mine', 'theirs'])
  await mine.close()
})

it('[MT12] written here and there at once: both are kept', async () => {
  const clock = new ManualClock()
  const mine = treeOf(clock)
  const other = testFileDevice(2, clock, { chunks: mine.chunks })
  const { ino } = mine.tree.create(mine.home, 'f', 0o644)
  await mine.tree.flush(ino)
  bringSegments(mine.dataset, other.dataset)
  await mine.tree.write(ino, 0, bytes('mine'))
  const theirs = other.dataset.at('/f')
  const text = bytes('theirs')
  await other.dataset.commitContent(theirs.id, theirs.version, {
    bytes: 6,
    extents: [{ offset: 0, length: 6 }],
    read: (o, l) => text.subarray(o, o + l),
  })
  bringSegments(other.dataset, mine.dataset)
  await mine.tree.flush(ino)
  const contents = await Promise.all(mine.tree.readdir(mine.home, 0, 10).map(({ attributes }) => mine.text(attributes.ino)))
  expect(contents.sort()).toEqual(['mine', 'theirs'])
  await mine.close()
})

it('[MT13] random writes, cuts and holes, stored in between, read as from a plain buffer', async () => {
  const seed = seedOfRun()
  const problem = await writeAtRandom(seed, roundsOfRun(400, 20_000))
  expect({ seed, problem }).toEqual({ seed, problem: undefined })
})

it('[MT13] the random writes find a cut that is forgotten (planted)', async () => {
  expect(await writeAtRandom(seedOfRun(), 400, 'forgotten-cut')).toBeDefined()
})

async function writeAtRandom(seed: number, rounds: number, plant?: 'forgotten-cut'): Promise<string | undefined> {
  const random = new SeededRandom(seed)
  const { tree, home, close } = treeOf(new ManualClock())
  const { ino } = tree.create(home, 'f', 0o644)
  let model = new Uint8Array(0)
  const lengthen = (to: number) => {
    if (to <= model.length) return
    const longer = new Uint8Array(to)
    longer.set(model)
    model = longer
  }
  const waiting: Promise<unknown>[] = []
  for (let round = 0; round < rounds; round++) {
    const offset = random.below(400_000)
    const length = 1 + random.below(random.chance(0.8) ? 5_000 : 200_000)
    const kind = random.below(10)
    if (kind < 4) {
      const written = new Uint8Array(length).fill(random.below(256))
      await tree.write(ino, offset, written)
      lengthen(offset + length)
      model.set(written, offset)
    } else if (kind === 4) {
      if (!(plant && round > 20)) await tree.setattr(ino, { fileBytes: offset })
      lengthen(offset)
      model = model.slice(0, offset)
    } else if (kind === 5) {
      tree.allocate(ino, 'punch', offset, length)
      model.fill(0, offset, offset + length)
    } else if (kind === 6) waiting.push(Promise.resolve(tree.flush(ino)))
    else {
      const got = (await tree.read(ino, offset, length)).flatMap((piece) => [...piece])
      const want = [...model.subarray(offset, offset + length)]
      const at = want.findIndex((byte, n) => byte !== got[n])
      if (at >= 0 || got.length !== want.length) return `round ${round}: at ${offset}+${at} of ${length}`
    }
  }
  await Promise.all(waiting)
  await tree.flush(ino)
  const whole = Buffer.concat(await tree.read(ino, 0, 1 << 20))
  await close()
  return whole.equals(Buffer.from(model)) ? undefined : 'differs in the end'
}

it('[MT12] names that a checkpoint brings are told: a mount may keep that they were not there', async () => {
  const clock = new ManualClock(1_700_000_000_000)
  const theirs = checkpointDevice(1, clock)
  theirs.dataset.createFile(ROOT_NODE, 'f')
  expect(await theirs.maker.make()).toBeTruthy()
  const ours = checkpointDevice(2, clock, { source: { fetch: (id) => theirs.chunks.get(id) } })
  const tree = new DatasetTree({ datasets: [{ name: 'Home', dataset: ours.dataset }], clock, log: silentLogger, space })
  const home = tree.lookup(ROOT_INO, 'Home')?.ino as Ino
  expect(tree.lookup(home, 'f')).toBeUndefined()
  const changes: TreeChange[] = []
  tree.onDidChange((change) => changes.push(change))
  expect(await ours.loader.offer(theirs.maker.last as Uint8Array)).toBe(true)
  expect(tree.lookup(home, 'f')).toBeDefined()
  expect(changes).toContainEqual({ kind: 'entry', parent: home, name: 'f' })
  for (const one of [tree, ours, theirs]) one.dispose()
})
