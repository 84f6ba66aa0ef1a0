import { expect, it } from 'vitest'
import { fromUtf8, utf8 } from '../base/bytes.ts'
import { NodeFilesCrypto } from '../platform/node/node-files-crypto.ts'
import { bringSegments, testFileDevice, type TestFileDevice } from '../testkit/file-device.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import type { DatasetNode } from './dataset-node.ts'
import type { DatasetView } from './dataset-view.ts'
import { DroppedVersions } from './dropped-versions.ts'
import { FileError } from './file-error.ts'
import { PastTree } from './past-tree.ts'
import { thinVersions } from './thin-versions.ts'

const HOUR_MS = 3_600_000
const crypto = new NodeFilesCrypto()
const pause = async () => {}
const pastOf = ({ dataset, store }: TestFileDevice, clock: ManualClock, atMs: number) =>
  PastTree.of(dataset, store, { atMs, clock, crypto, pause })
const thin = ({ dataset, store }: TestFileDevice, clock: ManualClock) =>
  thinVersions({ store, dropped: new DroppedVersions(store), frontier: () => dataset.frontier(), nowMs: () => clock.nowMs(), pause })

const all = (view: DatasetView): DatasetNode[] => view.within(view.root).slice(0, -1)
const pathsOf = (view: DatasetView) =>
  all(view)
    .map((node) => `${view.pathOf(node.id)} ${node.kind} ${node.bytes}`)
    .sort()

async function write({ dataset }: TestFileDevice, node: DatasetNode, text: string): Promise<DatasetNode> {
  const bytes = utf8(text)
  const read = (offset: number, length: number) => bytes.subarray(offset, offset + length)
  return dataset.commitContent(node.id, node.version, { bytes: bytes.length, extents: [{ offset: 0, length: bytes.length }], read })
}

it('[FT12] whatever happened since, the tree of a moment is what it was then, on each device, with its contents', async () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  for (let round = 0; round < roundsOfRun(3, 200); round++) {
    const clock = new ManualClock(Date.UTC(2026, 10, 1))
    const device = testFileDevice(0, clock)
    const { dataset } = device
    const moments: { atMs: number; paths: string[]; texts: Map<string, string> }[] = []
    const textOf = async (id: DatasetNode['id'], version?: DatasetNode['version']) =>
      fromUtf8(await dataset.readRange(id, 0, 100, version ? { version } : {}))
    for (let step = 0; step < 80; step++) {
      clock.advance(1 + random.below(5_000))
      const nodes = all(dataset)
      const folders = nodes.filter(({ kind }) => kind === 'folder')
      const parent = folders.length > 0 && random.chance(0.6) ? random.pick(folders).id : dataset.root
      const name = random.pick(['a', 'b', 'c', 'd'])
      const any = nodes.length > 0 ? random.pick(nodes) : undefined
      try {
        const what = random.below(7)
        if (what <= 1) await write(device, dataset.createFile(parent, name), `text ${step}`)
        else if (what === 2) dataset.makeFolder(parent, name)
        else if (what === 3 && any) dataset.move(any.id, parent, name, { replace: true })
        else if (what === 4 && any) dataset.removeAll(any.id)
        else if (any?.kind === 'file') await write(device, any, `text ${step}`)
      } catch (error) {
        if (!(error instanceof FileError)) throw error
      }
      if (random.chance(0.15)) {
        clock.advance(1)
        const texts = new Map<string, string>()
        for (const node of all(dataset)) if (node.kind === 'file') texts.set(dataset.pathOf(node.id), await textOf(node.id))
        moments.push({ atMs: clock.nowMs(), paths: pathsOf(dataset), texts })
        clock.advance(1)
      }
    }
    const other = testFileDevice(1, clock)
    bringSegments(dataset, other.dataset)
    for (const { atMs, paths, texts } of moments) {
      const past = await pastOf(device, clock, atMs)
      expect({ seed, round, paths: pathsOf(past.view) }).toEqual({ seed, round, paths })
      expect(pathsOf((await pastOf(other, clock, atMs)).view)).toEqual(paths)
      for (const [path, text] of texts) {
        const { id } = past.view.at(path)
        expect(await textOf(id, past.versionOf(id).kept?.op)).toBe(text)
      }
    }
  }
})

it('[FT12] where the version of then was thinned an earlier one that is kept stands for it, and it says so', async () => {
  const clock = new ManualClock(Date.UTC(2026, 10, 24, 9, 55))
  const device = testFileDevice(0, clock)
  const { dataset } = device
  const file = await write(device, dataset.createFile(dataset.root, 'a'), 'before ten')
  clock.advance(10 * 60_000)
  const gone = await write(device, dataset.require(file.id), 'five past ten')
  clock.advance(60_000)
  const atMs = clock.nowMs()
  clock.advance(60_000)
  await write(device, dataset.require(file.id), 'now')
  dataset.flush()
  expect((await pastOf(device, clock, atMs)).versionOf(file.id)).toMatchObject({ isExact: true, kept: { op: gone.version } })
  expect(await thin(device, clock)).toBe(0)
  clock.advance(2 * HOUR_MS)
  expect(await thin(device, clock)).toBe(2) // the empty file it was created as, too: shown at no full hour
  expect(dataset.versions(file.id).map(({ version }) => version)).not.toContain(gone.version)
  expect((await pastOf(device, clock, atMs)).versionOf(file.id)).toMatchObject({ isExact: false, kept: { op: file.version } })
  expect([...new DroppedVersions(device.store).batches].flatMap(([, { versions }]) => versions.map(({ op }) => op))).toEqual([gone.version])
})

it('[FT13] what is emptied from the trash is gone on every device; an edit made meanwhile on another one stays', async () => {
  const clock = new ManualClock(Date.UTC(2026, 10, 24))
  const [a, b] = [testFileDevice(0, clock), testFileDevice(1, clock)]
  for (const name of ['kept', 'gone', 'edited']) await write(a, a.dataset.createFile(a.dataset.root, name), name)
  a.dataset.makeFolder(a.dataset.root, 'folder')
  bringSegments(a.dataset, b.dataset)
  clock.advance(1000)
  const of = (name: string) => a.dataset.at(`/${name}`).id
  const [gone, edited, folder] = [of('gone'), of('edited'), of('folder')]
  for (const id of [gone, edited, folder]) a.dataset.removeAll(id)
  await write(b, b.dataset.require(edited), 'edited elsewhere')
  a.dataset.forget(a.dataset.removed().map(({ node }) => node.id))
  expect(a.dataset.removed()).toEqual([])
  expect(() => a.dataset.restore(gone)).toThrow(expect.objectContaining({ code: 'file/not-found' }))
  bringSegments(b.dataset, a.dataset)
  bringSegments(a.dataset, b.dataset)
  for (const { dataset, store } of [a, b]) {
    expect(pathsOf(dataset)).toEqual(['/edited file 16', '/kept file 4'])
    expect(dataset.removed()).toEqual([])
    await thin({ dataset, store } as TestFileDevice, clock)
    expect(dataset.versions(gone).map(({ isRemoval }) => isRemoval)).toEqual([true])
  }
  expect(fromUtf8(await b.dataset.readRange(edited, 0, 100))).toBe('edited elsewhere')
})
