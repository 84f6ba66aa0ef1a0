import { expect, it } from 'vitest'
import { fromUtf8 } from '../base/bytes.ts'
import { GarbageWorld } from '../testkit/garbage-world.ts'
import { SeededRandom } from '../testkit/seeded-random.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import type { OpenDataset } from './open-dataset.ts'

const DAY_MS = 24 * 3_600_000

it('[GC5] what history dropped stays on the device that had to keep it as long as a version names it that is still to be fetched there', async () => {
  const world = new GarbageWorld(new SeededRandom(5), 3, () => new MemoryDatasetStore())
  try {
    const [first, ...others] = world.devices as [OpenDataset, OpenDataset, OpenDataset]
    world.clock.advance(5 * 60_000)
    world.linkAll()
    await world.write(0, first.dataset.createFile(first.dataset.root, 'first'))
    await world.settle()
    const { id, manifest, version } = first.dataset.at('/first')
    const [keeper, other] = others[0]?.book.mustKeep(version) ? [1, 2] : [2, 1]
    const at = (n: number) => world.devices[n] as OpenDataset
    await world.evict(other)
    expect([at(keeper), at(other)].map((device) => device.placeOf(manifest))).toEqual(['here', 'away'])

    // A device names those bytes again without having them, and replaces what named them first; nobody can fetch all of that yet.
    world.cut(other)
    world.clock.advance(60_000)
    at(other).dataset.createFile(first.dataset.root, 'copy', { manifest })
    await world.write(other, at(other).dataset.at('/first'))
    at(other).dataset.flush()
    const later = at(other)
      .dataset.at('/first')
      .manifest.pieces.flatMap(({ id }) => id ?? [])
    const kept = await Promise.all(later.map((one) => at(other).chunks.get(one)))
    await at(other).chunks.drop(later)
    world.linkAll()
    await world.settle()
    expect([first, at(keeper)].map(({ book }) => book.owed.length)).toEqual([1, 1])

    world.clock.advance(2 * DAY_MS)
    for (let round = 0; round < 2; round++) {
      for (const n of [0, 1, 2]) await world.tidy(n)
      for (const n of [0, 1]) world.cut(n)
      world.linkAll()
      await world.settle()
    }
    for (const n of [0, 1, 2]) await world.evict(n)
    expect(
      at(keeper)
        .dataset.versions(id)
        .map((one) => one.version),
    ).not.toContain(version)
    expect(world.devices.map((device) => device.placeOf(manifest)).filter((place) => place === 'here')).toEqual(['here'])
    expect(fromUtf8(await at(other).dataset.reader.read(manifest, 0, 100))).toBe('text 1 of 0')

    // Once it is fetched it is kept for that, and for nothing else.
    for (const chunk of kept) if (chunk) await at(other).chunks.put(chunk)
    for (const n of [0, 1]) world.cut(n)
    world.linkAll()
    world.clock.advance(10_000)
    await world.settle()
    expect([first, at(keeper)].map(({ book }) => book.owed.length)).toEqual([0, 0])
    await world.tidy(keeper)
    expect([...at(keeper).dropped.batches]).toEqual([])
  } finally {
    world.dispose()
  }
})
