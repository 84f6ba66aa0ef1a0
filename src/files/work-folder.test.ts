import { expect, it } from 'vitest'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MemoryTree } from '../testkit/memory-tree.ts'
import { testFileDevice } from '../testkit/file-device.ts'
import { SeededRandom } from '../testkit/seeded-random.ts'
import type { Dataset } from './dataset.ts'
import { fingerprintAt, MISSING } from './fingerprint.ts'
import { layOut } from './lay-out.ts'
import { takeIn } from './take-in.ts'

const clock = new ManualClock()
const someDataset = () => testFileDevice(1, clock).dataset

async function write(dataset: Dataset, path: string, bytes: Uint8Array | string, mode = 0o644): Promise<void> {
  const names = path.split('/')
  const name = names.pop() as string
  let parent = dataset.root
  for (const one of names) parent = (dataset.lookup(parent, one) ?? dataset.makeFolder(parent, one)).id
  const manifest = await dataset.writer.write(typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes)
  const there = dataset.lookup(parent, name)
  if (there) dataset.setContent(there.id, there.version, manifest)
  else dataset.createFile(parent, name, { manifest, mode })
}
const big = (seed: number) => new SeededRandom(seed).bytes(3_000_000)

it('[FW1] a digest is of content, names and leave to run; not of times, versions or what was in between', async () => {
  const [one, other] = [someDataset(), someDataset()]
  await write(one, 'a/b/c', 'text')
  await write(one, 'a/big', big(1))
  await write(other, 'a/big', 'something else first')
  clock.advance(5_000)
  await write(other, 'a/big', big(1))
  await write(other, 'a/b/c', 'text')
  for (const path of ['/a', '/a/b', '/a/b/c', '/a/big', '/']) expect(fingerprintAt(other, path), path).toBe(fingerprintAt(one, path))
  const before = fingerprintAt(one, '/a')
  const file = one.at('/a/b/c')
  one.setAttributes(file.id, { mode: 0o755 })
  const runs = fingerprintAt(one, '/a')
  one.move(file.id, file.parent, 'd')
  const renamed = fingerprintAt(one, '/a')
  await write(one, 'a/b/d', 'text.')
  expect(new Set([before, runs, renamed, fingerprintAt(one, '/a')]).size).toBe(4)
  for (const path of ['/none', '/a/big/below', '/a/none/below']) expect(fingerprintAt(one, path)).toBe(MISSING)
})

it('[FW2][FW3] what is laid out and taken in elsewhere is the same, whatever it is', async () => {
  const [one, other] = [someDataset(), someDataset()]
  await write(one, 'a/b/c', 'text')
  await write(one, 'a/empty', '')
  await write(one, 'a/run', '#!/bin/sh', 0o755)
  await write(one, 'a/big', big(2))
  one.makeLink(one.at('/a').id, 'link', 'b/c')
  const folder = new MemoryTree()
  const laid = { files: 0, bytes: 0 }
  await layOut(one, { path: '/a', at: 'in/a' }, folder, laid)
  expect(laid).toEqual({ files: 4, bytes: 3_000_013 })
  await takeIn(other, { path: '/deep/down/a', at: 'in/a' }, folder)
  expect(fingerprintAt(other, '/deep/down/a')).toBe(fingerprintAt(one, '/a'))
  await expect(layOut(one, { path: '/none', at: 'none' }, folder, laid)).rejects.toMatchObject({ code: 'file/not-found' })
})

it('[FW3] what is the same makes no version; what a folder has no more, and what is of another kind, goes to the trash', async () => {
  const dataset = someDataset()
  const folder = new MemoryTree()
  await folder.makeFolder('out', 0o755)
  folder.write('out/a', 'one')
  folder.write('out/b', 'two')
  await folder.makeFolder('out/c', 0o755)
  folder.write('out/c/d', 'three')
  const take = () => takeIn(dataset, { path: '/out', at: 'out' }, folder)
  await take()
  const versions = () => ['/out/a', '/out/b', '/out/c/d'].map((path) => dataset.versions(dataset.at(path).id).length)
  await take()
  expect(versions()).toEqual([1, 1, 1])
  folder.write('out/a', 'another')
  await take()
  expect(versions()).toEqual([2, 1, 1])
  await folder.remove('out/b')
  await folder.remove('out/c/d')
  await folder.remove('out/c')
  folder.write('out/c', 'a file now')
  await take()
  expect(
    dataset
      .children(dataset.at('/out').id)
      .map(({ name, kind }) => `${name} ${kind}`)
      .toSorted(),
  ).toEqual(['a file', 'c file'])
  expect(dataset.removed().map(({ node }) => node.name)).toContain('b')
  await expect(takeIn(dataset, { path: '/none', at: 'none' }, folder)).rejects.toMatchObject({
    code: 'file/not-found',
    message: 'none was not put out',
  })
  await expect(takeIn(dataset, { path: '/out/a/below', at: 'out' }, folder)).rejects.toMatchObject({ code: 'file/not-a-folder' })
})
