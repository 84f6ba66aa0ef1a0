import { afterEach, expect, it, vi } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { StoreError } from '../base/store-error.ts'
import { GarbageWorld } from '../testkit/garbage-world.ts'
import { SeededRandom } from '../testkit/seeded-random.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import type { OpenDataset } from './open-dataset.ts'

const LIMIT_BYTES = 200_000
const FILE_BYTES = 3_000
const worlds: GarbageWorld[] = []
afterEach(() => {
  for (const world of worlds.splice(0)) world.dispose()
})

/** The first device wrote more in one go than the second keeps: nothing of it is copied there by itself. */
async function worldOf(isMetered?: () => Promise<boolean>) {
  const world = new GarbageWorld(new SeededRandom(2), 2, () => new MemoryDatasetStore(), [2 ** 30, LIMIT_BYTES], isMetered)
  worlds.push(world)
  const [a, b] = world.devices as [OpenDataset, OpenDataset]
  const folder = a.dataset.makeFolder(a.dataset.root, 'docs')
  const write = async (parent: typeof folder.id, name: string, bytes = FILE_BYTES) => {
    const manifest = await a.dataset.writer.write(utf8(name.padEnd(bytes, '.')))
    return a.dataset.createFile(parent, name, { manifest })
  }
  for (const name of ['old', 'seen', 'large']) await write(a.dataset.root, name, name === 'large' ? LIMIT_BYTES : FILE_BYTES)
  for (const name of ['x', 'y']) await write(folder.id, name)
  for (let n = 0; n < 60; n++) await write(a.dataset.root, `recent ${n}`)
  world.linkAll()
  await world.settle()
  const placeOf = (path: string) => b.placeOf(b.dataset.at(path).manifest)
  const until = (state: string) =>
    vi.waitFor(
      async () => {
        world.clock.advance(1000)
        await world.settle()
        expect(b.prefetch.status.state).toBe(state)
      },
      { timeout: 30_000, interval: 1 },
    )
  return { world, a, b, placeOf, until }
}

it('[PF1] what is in view is fetched, then what was written last, a tenth of the cache at most; it is read when the link is cut', async () => {
  const { world, b, placeOf, until } = await worldOf()
  const paths = ['/seen', '/docs', '/large', '/nowhere']
  expect(['/seen', '/docs/x', '/recent 59'].map(placeOf)).toEqual(['away', 'away', 'away'])
  b.prefetch.want(paths)
  world.clock.advance(1)
  expect(b.prefetch.status.state).toBe('fetching')
  await until('idle')
  world.cut(0)
  expect(new TextDecoder().decode(await b.dataset.readRange(b.dataset.at('/seen').id, 0, 4))).toBe('seen')
  expect(['/seen', '/docs/x', '/docs/y', '/recent 59', '/recent 57', '/large', '/old'].map(placeOf)).toEqual([
    'here',
    'here',
    'here',
    'here',
    'here',
    'away', // more than a tenth
    'away',
  ])
  expect(b.prefetch.status).toEqual({ state: 'idle', files: 6, bytes: 6 * FILE_BYTES, doneFiles: 6, doneBytes: 6 * FILE_BYTES })
})

it('[PF1] what cannot be had waits for a device that has it; what is written meanwhile in a file in view is fetched, too', async () => {
  const { world, a, b, placeOf, until } = await worldOf()
  world.cut(0)
  b.prefetch.want(['/seen'])
  await until('waiting')
  expect(placeOf('/seen')).toBe('away')
  const seen = a.dataset.at('/seen')
  await a.dataset.commitContent(seen.id, seen.version, { bytes: 4, extents: [{ offset: 0, length: 4 }], read: () => utf8('news') })
  world.linkAll()
  await until('idle')
  expect([placeOf('/seen'), b.dataset.at('/seen').bytes]).toEqual(['here', 4])
})

it('[PF1] what goes wrong once ends nothing: it is tried again, and what is wanted meanwhile is not kept waiting', async () => {
  const { world, b, placeOf, until } = await worldOf()
  vi.spyOn(b.dataset, 'at').mockImplementationOnce(() => {
    throw StoreError.failed('store', new Error('once'))
  })
  b.prefetch.want(['/seen'])
  await until('waiting')
  b.prefetch.want(['/seen'])
  world.clock.advance(1)
  expect(b.prefetch.status.state).toBe('fetching')
  await until('idle')
  expect(placeOf('/seen')).toBe('here')
})

it('[PF2] nothing is fetched while the network is metered, or there is no room; what is pinned stays', async () => {
  let isMetered = true
  const { world, b, placeOf, until } = await worldOf(async () => isMetered)
  b.prefetch.want(['/seen'])
  await until('metered')
  expect(placeOf('/seen')).toBe('away')
  isMetered = false
  b.pins.pin(b.dataset.at('/large').id, true)
  await vi.waitFor(
    async () => {
      world.clock.advance(1000)
      await world.settle()
      expect(placeOf('/large')).toBe('here')
    },
    { timeout: 30_000, interval: 1 },
  )
  await until('full')
  expect([placeOf('/seen'), placeOf('/large')]).toEqual(['away', 'here'])
})
