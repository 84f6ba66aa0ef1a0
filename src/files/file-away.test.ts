import { afterEach, expect, it } from 'vitest'
import { GarbageWorld } from '../testkit/garbage-world.ts'
import { SeededRandom } from '../testkit/seeded-random.ts'
import { fileAway } from './file-away.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import type { OpenDataset } from './open-dataset.ts'

let world: GarbageWorld | undefined
afterEach(() => world?.dispose())

it('[FC6] a file that cannot be read here is named, with who has it and what to do; no piece of it is, and the code stays', async () => {
  world = new GarbageWorld(new SeededRandom(6), 2, () => new MemoryDatasetStore(), [2 ** 40, 100_000])
  const [a, b] = world.devices as [OpenDataset, OpenDataset]
  a.dataset.createFile(a.dataset.root, 'report.pdf', { manifest: await a.dataset.writer.write(new SeededRandom(1).bytes(400_000)) })
  world.linkAll()
  await world.settle()
  world.cut(0)
  const { id, version } = b.dataset.at('/report.pdf')
  const told = async (of = version) => {
    const error = await b.dataset.readRange(id, 0, 10).catch((reason: unknown) => reason)
    return fileAway(b, id, of, error) as Error & { code: string }
  }
  const { code, message } = await told()
  expect([code, message]).toEqual([
    'chunk/unavailable',
    '“report.pdf” is not on this device: device 0 has it, and is not linked now; it can be read when it is on and linked',
  ])
  expect((await told('some other' as never)).message).toMatch(
    /^“report.pdf” is not on this device, and no device that is linked now has it/,
  )
  const other = new Error('something else')
  expect(fileAway(b, id, version, other)).toBe(other)
})
