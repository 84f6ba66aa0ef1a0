import { expect, it, vi } from 'vitest'
import { fromUtf8 } from '../base/bytes.ts'
import { GarbageWorld } from '../testkit/garbage-world.ts'
import { SeededRandom } from '../testkit/seeded-random.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import type { OpenDataset } from './open-dataset.ts'
import { restorePast, restoreVersion } from './restore-version.ts'
import { trashSize } from './trash-size.ts'

const NEVER = new AbortController().signal

async function inWorld(devices: number, work: (world: GarbageWorld) => Promise<void>): Promise<void> {
  const world = new GarbageWorld(new SeededRandom(3), devices, () => new MemoryDatasetStore())
  try {
    await work(world)
  } finally {
    world.dispose()
  }
}

/** Waits for work that pauses by the world's clock. */
async function withTime<T>({ clock }: GarbageWorld, work: Promise<T>): Promise<T> {
  const ended = work.then(
    () => 'ended',
    () => 'ended',
  )
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  while ((await Promise.race([ended, turn()])) !== 'ended') clock.advance(1)
  return work
}

it('[FT10] a folder comes back with what was removed with it, each file in it written once, however deep it lies', () =>
  inWorld(1, async (world) => {
    const { dataset } = world.devices[0] as OpenDataset
    const root = dataset.makeFolder(dataset.root, 'a')
    let folder = root
    for (const name of ['b', 'c', 'd']) {
      folder = dataset.makeFolder(folder.id, name)
      await world.write(0, dataset.createFile(folder.id, 'file'))
    }
    const deepest = dataset.at('/a/b/c/d/file')
    const before = dataset.versions(deepest.id).length
    dataset.removeAll(root.id)
    await restoreVersion(world.devices[0] as OpenDataset, root.id, undefined, NEVER)
    expect(fromUtf8(await dataset.readRange(deepest.id, 0, 100))).toBe('text 3 of 0')
    expect(dataset.versions(deepest.id).length).toBe(before + 2) // its removal, and that it is back
  }))

it('[FT12] a folder as it was comes back with what were conflict copies in it then, whatever became of them', () =>
  inWorld(2, async (world) => {
    const [a, b] = world.devices as [OpenDataset, OpenDataset]
    const { dataset } = a
    const folder = dataset.makeFolder(dataset.root, 'folder')
    const names = ['resolved', 'edited', 'removed', 'z']
    for (const name of names) await world.write(0, dataset.createFile(folder.id, name))
    world.linkAll()
    await world.settle()
    world.cut(0)
    for (const name of names.slice(0, 3))
      for (const [n, open] of [a, b].entries()) {
        await world.write(n, open.dataset.at(`/folder/${name}`))
        world.clock.advance(1000)
      }
    world.linkAll()
    await world.settle()
    const listed = async () => {
      const files = dataset.children(folder.id).sort((x, y) => (x.name < y.name ? -1 : 1))
      return Promise.all(files.map(async ({ name, id }) => [name, fromUtf8(await dataset.readRange(id, 0, 100))]))
    }
    const then = await listed()
    const copies = dataset.children(folder.id).filter(({ isConflictCopy }) => isConflictCopy)
    expect([then.length, copies.length]).toEqual([7, 3])
    world.clock.advance(1000)
    const atMs = world.clock.nowMs()
    world.clock.advance(1000)
    const copyOf = (name: string) => copies.find((copy) => copy.name.startsWith(name))?.id as (typeof copies)[0]['id']
    // The other one chose: no file came of the copy. Somebody went on with another copy; and removed the third one.
    const { id, version } = dataset.at('/folder/resolved')
    dataset.remove(copyOf('resolved'))
    dataset.forget([copyOf('resolved')])
    await world.write(0, dataset.require(copyOf('edited')))
    expect(dataset.require(copyOf('edited')).hasConflict).toBe(false) // [FT6]
    dataset.remove(copyOf('removed'))
    await world.write(0, dataset.at('/folder/z'))
    expect(dataset.require(id).version).not.toBe(version)
    world.clock.advance(1000)
    const past = await withTime(world, a.past(atMs))
    expect(await withTime(world, restorePast(a, past, folder.id, NEVER))).toMatchObject({ missing: 0 })
    expect(await listed()).toEqual(then)
  }))

it('[GC1] what emptying the trash gives back is told without reading it, and others have the loop meanwhile', () =>
  inWorld(1, async (world) => {
    const open = world.devices[0] as OpenDataset
    const { dataset, chunks } = open
    for (let n = 0; n < 1200; n++) {
      const manifest = await dataset.writer.write(Uint8Array.of(n % 256, n >> 8, 1))
      const file = dataset.createFile(dataset.root, `f${n}`, { manifest })
      if (n !== 0) dataset.remove(file.id)
    }
    const get = chunks.get.bind(chunks)
    let reads = 0
    chunks.get = (id) => {
      reads++
      return get(id)
    }
    const pauses = vi.spyOn(world.clock, 'after')
    const asked = await withTime(world, trashSize(open, NEVER))
    expect(asked).toEqual({ entries: 1199, bytes: 1199 * 3, freedBytes: 1199 * (3 + 16) })
    expect(reads).toBe(0)
    expect(pauses.mock.calls.length).toBeGreaterThanOrEqual(4)
    const stop = new AbortController()
    const stopped = withTime(world, trashSize(open, stop.signal))
    stop.abort(new Error('nobody waits any more'))
    await expect(stopped).rejects.toThrow('nobody waits any more')
  }))
