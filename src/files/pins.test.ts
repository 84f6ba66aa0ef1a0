import { expect, it, vi } from 'vitest'
import { GarbageWorld } from '../testkit/garbage-world.ts'
import { SeededRandom } from '../testkit/seeded-random.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import type { OpenDataset } from './open-dataset.ts'

it('[PN1] what is pinned is fetched, also what comes into it later, and stays when the cache is cut; what is not goes', async () => {
  const world = new GarbageWorld(new SeededRandom(1), 3, () => new MemoryDatasetStore())
  try {
    world.linkAll()
    const [a, , c] = world.devices as [OpenDataset, OpenDataset, OpenDataset]
    const folder = a.dataset.makeFolder(a.dataset.root, 'kept')
    const put = async (parent: typeof folder.id, name: string) => world.write(0, a.dataset.createFile(parent, name))
    for (const name of ['1', '2', '3', '4', '5']) await put(folder.id, name)
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await put(a.dataset.root, name)
      await world.settle() // each in a segment of its own: who keeps what is decided for a whole one
    }
    const places = (names: string[]) => names.map((name) => c.placeOf(c.dataset.at(name).manifest))
    const [kept, other] = [['1', '2', '3', '4', '5'].map((n) => `/kept/${n}`), ['/a', '/b', '/c', '/d', '/e']]
    await world.evict(2)
    expect([...places(kept), ...places(other)]).toContain('away') // another device signed, too, and comes first
    c.pins.pin(folder.id, true)
    const fetched = () =>
      vi.waitFor(async () => {
        world.clock.advance(100)
        await world.settle()
        expect(c.pins.size().missingFiles).toBe(0)
      }, 30_000)
    await fetched()
    await put(folder.id, '6')
    await world.settle()
    await fetched()
    // What is moved into it here may lie elsewhere; what is made here is among what is kept.
    await world.evict(2)
    for (let n = 0; n < 5; n++) {
      world.clock.advance(1000)
      await world.settle()
    }
    const away = other.slice(1).find((name) => places([name])[0] === 'away') as string
    c.dataset.move(c.dataset.at(away).id, folder.id, 'moved')
    await world.write(2, c.dataset.createFile(folder.id, 'own'))
    expect(c.pins.size().files).toBe(8)
    await fetched()
    await world.evict(2)
    expect(places(['/kept/moved', '/kept/own'])).toEqual(['here', 'here'])
    expect(places([...kept, '/kept/6'])).toEqual(Array.from({ length: 6 }, () => 'here'))
    expect([c.pins.pinOf(c.dataset.at('/kept')), c.pins.pinOf(c.dataset.at('/kept/1')), c.pins.pinOf(c.dataset.at('/a'))]).toEqual([
      'self',
      'above',
      undefined,
    ])
    c.pins.pin(folder.id, false)
    await world.evict(2)
    expect(places(kept)).toContain('away')
  } finally {
    world.dispose()
  }
})
