import { expect, it, vi } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { GarbageWorld } from '../../testkit/garbage-world.ts'
import { SeededRandom } from '../../testkit/seeded-random.ts'
import { checkDataset } from '../check-dataset.ts'
import { MemoryDatasetStore } from '../memory-dataset-store.ts'
import { holdersOf } from '../dataset-holders.ts'
import type { OpenDataset } from '../open-dataset.ts'
import { ROOT_NODE } from '../op.ts'
import { segmentsBehind } from './segments-behind.ts'
import { whenLoaded } from './still-loading.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

async function filled(count: number) {
  const world = new GarbageWorld(new SeededRandom(7), count, () => new MemoryDatasetStore())
  const [a] = world.devices as [OpenDataset]
  for (let n = 0; n < 60; n++) {
    const folder = a.dataset.makeFolder(ROOT_NODE, `folder ${n}`)
    for (let k = 0; k < 40; k++)
      a.dataset.createFile(folder.id, `file ${k}`, { manifest: await a.dataset.writer.write(utf8(`text ${n} ${k}`)) })
  }
  /** The clock goes on until it is so. */
  const until = async (isSo: () => boolean) => {
    for (let n = 0; !isSo() && n < 20_000; n++) {
      world.clock.advance(1)
      await turn()
    }
    expect(isSo()).toBe(true)
  }
  const done = async <T>(work: Promise<T>): Promise<T> => {
    let isDone = false
    void work.finally(() => (isDone = true)).catch(() => {})
    await until(() => isDone)
    return work
  }
  return { world, a, until, done }
}

it('[CP5] a new device lists the top folder before the rest is here, then any path, and writes meanwhile; in the end it holds all, with what lies behind', async () => {
  const { world, a, until, done } = await filled(3)
  const b = world.devices[1] as OpenDataset
  await done(a.maker.make())
  world.link(0, 1)
  await until(() => b.loader.isLoading)
  await until(() => b.store.nodeCount() > 0)
  expect(b.dataset.children(ROOT_NODE).length).toBe(60)
  // The tree has 2,461.
  expect(b.store.nodeCount()).toBeLessThan(1_300)
  const found = await done(Promise.resolve(whenLoaded(() => b.dataset.at('/folder 41/file 3'))))
  expect(found.bytes).toBe('text 41 3'.length)
  const folder = b.dataset.at('/folder 41')
  b.dataset.createFile(folder.id, 'new here')
  b.dataset.move(found.id, folder.id, 'renamed')
  expect(b.loader.isLoading).toBe(true)
  a.dataset.makeFolder(ROOT_NODE, 'made beside')
  await until(() => !b.loader.isLoading)
  await until(
    () => segmentsBehind(b.store).size === 0 && a.book.unsafe.length === 0 && b.dataset.lookup(ROOT_NODE, 'made beside') !== undefined,
  )
  await until(() => a.dataset.lookup(folder.id, 'renamed') !== undefined && a.dataset.lookup(folder.id, 'new here') !== undefined)
  const paths = ({ dataset }: OpenDataset) =>
    dataset
      .within(ROOT_NODE)
      .map(({ id, version }) => `${dataset.pathOf(id)} ${version}`)
      .sort()
  expect(paths(b)).toEqual(paths(a))
  expect((await checkDataset(b)).problems).toEqual([])
  expect(holdersOf(b, b.dataset.at('/folder 5/file 5').id).map(({ how }) => how)).toEqual(['here', 'wrote'])
  expect((await done(b.past(world.clock.nowMs()))).view.children(ROOT_NODE).length).toBe(61)
  // It gives what it started with to the next one, with no help of the maker.
  world.cut(0)
  const c = world.devices[2] as OpenDataset
  world.link(1, 2)
  await until(() => c.store.nodeCount() > 0 && !c.loader.isLoading && segmentsBehind(c.store).size === 0)
  await until(() => paths(c).join('\n') === paths(a).join('\n'))
  world.dispose()
})

it('[CP6] making one again costs what changed, not what there is', async () => {
  const { world, a, done } = await filled(1)
  await done(a.maker.make())
  const before = new Set(a.chunks.ids())
  a.dataset.createFile(a.dataset.at('/folder 3').id, 'one more')
  await done(a.maker.make())
  // A leaf or two, the page above, and the frontier's.
  expect([...a.chunks.ids()].filter((id) => !before.has(id)).length).toBeLessThan(6)
  await world.tidy(0)
  expect(a.maker.last).toBeDefined()
  world.dispose()
})

it('[CP6] pages of a checkpoint that was given away stay for a month: the device that starts with it may be away in the middle', async () => {
  const { world, a, done } = await filled(1)
  const before = new Set(a.chunks.ids())
  await done(a.maker.make())
  const pages = [...a.chunks.ids()].filter((id) => !before.has(id))
  await a.maker.give()
  const work = async (days: number) => {
    for (const { id } of a.dataset.children(ROOT_NODE).slice(0, 20)) a.dataset.removeAll(id)
    await done(a.maker.make())
    world.clock.advance(days * 86_400_000)
    await done(a.maker.make())
    await world.tidy(0)
    await world.evict(0)
  }
  await work(7)
  expect(pages.length).toBeGreaterThan(8)
  expect(pages.filter((id) => !a.chunks.has(id))).toEqual([])
  await work(30)
  expect(pages.filter((id) => !a.chunks.has(id)).length).toBeGreaterThan(8)
  world.dispose()
})

it('[CP6] one is made in a quiet moment once many changes are new, and its pages outlive the collection of garbage and a full cache', async () => {
  const { world, a, until } = await filled(2)
  expect(a.maker.last).toBeUndefined()
  world.clock.advance(61_000)
  await until(() => a.maker.last !== undefined)
  await world.tidy(0)
  await world.evict(0)
  const b = world.devices[1] as OpenDataset
  world.link(0, 1)
  await until(() => b.store.nodeCount() > 0 && !b.loader.isLoading)
  expect(b.dataset.at('/folder 59/file 39').kind).toBe('file')
  world.dispose()
})

it('[CP6] while very much is taken in none is made, but in a lull, or after ten minutes', async () => {
  const world = new GarbageWorld(new SeededRandom(7), 1, () => new MemoryDatasetStore())
  const [a] = world.devices as [OpenDataset]
  const manifest = await a.dataset.writer.write(utf8('what is in all of them'))
  const make = vi.spyOn(a.maker, 'make').mockResolvedValue(undefined)
  let made = 0
  /** So many files, one after the other, over that time. */
  const work = (files: number, seconds: number) => {
    for (let n = 0; n < files; n++) {
      a.dataset.createFile(ROOT_NODE, `file ${made++}`, { manifest })
      world.clock.advance((seconds * 1000) / files)
    }
  }
  work(25_000, 120)
  expect(make).not.toHaveBeenCalled()
  world.clock.advance(36_000)
  expect(make).toHaveBeenCalledTimes(1)
  work(300, 500)
  expect(make).toHaveBeenCalledTimes(1)
  work(300, 200)
  expect(make).toHaveBeenCalledTimes(2)
  world.dispose()
})
