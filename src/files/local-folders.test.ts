import { expect, it } from 'vitest'
import { silentLogger } from '../base/logger.ts'
import { errorCode } from '../base/errors.ts'
import { testFileDevice } from '../testkit/file-device.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import type { ChunkId } from './chunk-id.ts'
import { DatasetTree } from './dataset-tree.ts'
import { LocalFolders } from './local-folders.ts'
import { MemoryChunkStore } from './memory-chunk-store.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import { describeMountedTree } from './mounted-tree.suite.ts'
import { type Ino, ROOT_INO } from './mounted-tree.ts'
import type { OpId } from './op.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const space = () => ({ totalBytes: 1000, freeBytes: 500, files: 0 })

/** A device whose stores are there, from an earlier start, or new. */
function open(clock: ManualClock, kept = [0, 1].map(() => ({ store: new MemoryDatasetStore(), chunks: new MemoryChunkStore() }))) {
  const [shared, own] = kept as [(typeof kept)[0], (typeof kept)[0]]
  const { dataset } = testFileDevice(1, clock, shared)
  const inside = testFileDevice(1, clock, { ...own, isLocal: true }).dataset
  const folders = new LocalFolders({ host: dataset, dataset: inside, ...own, log: silentLogger })
  const home = { name: 'Home', dataset, local: { folders, of: { name: 'Home/local', dataset: inside } } }
  const tree = new DatasetTree({ datasets: [home], clock, log: silentLogger, space })
  const root = tree.lookup(ROOT_INO, 'Home')?.ino as Ino
  const names = (ino: Ino) => tree.readdir(ino, 0, 100).map(({ name }) => name)
  const put = async (parent: Ino, name: string, text: string) => {
    const { ino } = tree.create(parent, name, 0o644)
    await tree.write(ino, 0, bytes(text))
    await tree.flush(ino)
  }
  const text = async (ino: Ino) => (await tree.read(ino, 0, 1000)).map((piece) => new TextDecoder().decode(piece)).join('')
  return { kept, dataset, inside, folders, tree, root, names, put, text }
}
const code = async (work: () => unknown) => {
  try {
    return await work()
  } catch (error) {
    return errorCode(error)
  }
}

/** Time goes on by itself where a suite expects it to. */
function tickingClock(): ManualClock {
  const clock = new ManualClock()
  const now = clock.nowMs.bind(clock)
  let ticks = 0
  clock.nowMs = () => now() + ++ticks
  return clock
}

describeMountedTree('DatasetTree, in a folder of this device only', async () => {
  const { tree, root } = open(tickingClock())
  const { ino } = await tree.mkdir(root, 'node_modules', 0o755)
  return { tree, root: ino, close: async () => tree.dispose() }
})

it('[LF2] what is in it has no log and no history, is in no dataset, and is there after a restart', async () => {
  const clock = new ManualClock()
  const { kept, tree, root, dataset, inside, put, folders } = open(clock)
  const project = (await tree.mkdir(root, 'project', 0o755)).ino
  const before = dataset.frontier()
  const modules = (await tree.mkdir(project, 'node_modules', 0o755)).ino
  const left = (await tree.mkdir(modules, 'left', 0o755)).ino
  await put(left, 'index.js', 'one')
  await put(left, 'gone.js', 'gone')
  tree.unlink(left, 'gone.js')
  const again = tree.lookup(left, 'index.js')?.ino as Ino
  await tree.write(again, 0, bytes('two'))
  await tree.flush(again)
  dataset.flush()
  inside.flush()
  expect([dataset.children(dataset.at('/project').id), inside.frontier().size, kept[1]?.store.tail()]).toEqual([[], 0, []])
  expect([...dataset.frontier()].length).toBeLessThanOrEqual(before.size + 1) // the folder around it
  await folders.tidy(async () => {})
  expect([kept[1]?.store.removedNodes(), kept[1]?.store.versionedNodes(undefined, 10, 2)]).toEqual([[], []])
  tree.dispose()

  const next = open(clock, kept)
  const there = next.tree.lookup(next.tree.lookup(next.root, 'project')?.ino as Ino, 'node_modules')?.ino as Ino
  expect(next.names(there)).toEqual(['left'])
  const file = next.tree.lookup(next.tree.lookup(there, 'left')?.ino as Ino, 'index.js')?.ino as Ino
  expect(await next.text(file)).toBe('two')
  next.tree.dispose()
})

it('[LF3] it is listed beside the rest, moves with its folder and keeps being one under any name; across programs copy', async () => {
  const { tree, root, dataset, names, put, text } = open(new ManualClock())
  const project = (await tree.mkdir(root, 'project', 0o755)).ino
  await put(project, 'package.json', '{}')
  const modules = (await tree.mkdir(project, 'node_modules', 0o755)).ino
  await put(modules, 'a', 'inside')
  expect(names(project).sort()).toEqual(['node_modules', 'package.json'])
  expect(await code(() => tree.mkdir(project, 'node_modules', 0o755))).toBe('tree/exists')
  expect(await code(() => tree.rename(project, 'package.json', modules, 'p', 'replace'))).toBe('tree/other-disk')
  expect(await code(() => tree.rename(modules, 'a', project, 'a', 'replace'))).toBe('tree/other-disk')
  expect(await code(() => tree.unlink(project, 'node_modules'))).toBe('tree/is-a-folder')
  expect(await code(() => tree.rmdir(project, 'node_modules'))).toBe('tree/not-empty')
  tree.rename(project, 'node_modules', project, 'old', 'replace')
  tree.rename(root, 'project', root, 'renamed', 'replace')
  expect(names(tree.lookup(root, 'renamed')?.ino as Ino).sort()).toEqual(['old', 'package.json'])
  tree.rename(project, 'old', root, 'node_modules', 'keep')
  expect([names(root).sort(), names(project)]).toEqual([['node_modules', 'renamed'], ['package.json']])
  expect(await text(tree.lookup(tree.lookup(root, 'node_modules')?.ino as Ino, 'a')?.ino as Ino)).toBe('inside')
  expect(dataset.children(dataset.root).map(({ name }) => name)).toEqual(['renamed'])
  const deep = (await tree.mkdir(project, '.venv', 0o755)).ino
  await put(deep, 'x', 'x')
  tree.unlink(project, 'package.json')
  expect(await code(() => tree.rmdir(root, 'renamed'))).toBe('tree/not-empty')
  tree.unlink(deep, 'x')
  tree.rmdir(project, '.venv')
  tree.rmdir(root, 'renamed')
  expect(names(root)).toEqual(['node_modules'])
  tree.dispose()
})

it('[LF2] much that goes is forgotten in pieces, others have the loop between; moves of folders are not kept for anybody', async () => {
  const { kept, tree, root, put, folders, dataset, inside } = open(new ManualClock())
  const [, own] = kept as [(typeof kept)[0], (typeof kept)[0]]
  const project = (await tree.mkdir(root, 'project', 0o755)).ino
  const modules = (await tree.mkdir(project, 'node_modules', 0o755)).ino
  for (let n = 0; n < 60; n++) tree.mkdir(modules, `a${n}`, 0o755)
  for (let n = 0; n < 60; n++) await put(modules, `f${n}`, String(n))
  for (let n = 0; n < 60; n++) tree.rename(modules, `a${n}`, modules, `b${n}`, 'replace')
  const { id } = dataset.at('/project')
  dataset.removeAll(id)
  dataset.forget([id])
  const sizes: number[] = []
  const pause = async () =>
    void sizes.push(
      inside.within(inside.root).length + own.store.removedNodes().length + own.store.movesAfter({ stamp: 0, op: '' as OpId }).length,
    )
  await folders.tidy(pause)
  expect([own.store.nodeCount(), own.store.movesAfter({ stamp: 0, op: '' as OpId }), own.chunks.stats.chunks]).toEqual([0, [], 60]) // written within the hour
  expect(sizes.length).toBeGreaterThan(5)
  expect(Math.max(...sizes.slice(1).map((size, n) => (sizes[n] as number) - size))).toBeLessThanOrEqual(100)
  tree.dispose()
})

it('[LF1] rules that could not be read count as soon as they can be', async () => {
  const { tree, root, dataset, folders, put, kept } = open(new ManualClock())
  await put(root, '.elsewhereignore', 'generated\n')
  const chunks = kept[0]?.chunks as MemoryChunkStore
  const held = await chunks.get(dataset.at('/.elsewhereignore').manifest.pieces[0]?.id as ChunkId)
  if (held) await chunks.drop([held.id])
  await tree.mkdir(root, 'generated', 0o755)
  expect(folders.children(dataset.root)).toEqual([])
  if (held) await chunks.put(held)
  const project = (await tree.mkdir(root, 'project', 0o755)).ino
  await tree.mkdir(project, 'generated', 0o755)
  expect(folders.children(dataset.at('/project').id).map(({ name }) => name)).toEqual(['generated'])
  tree.dispose()
})

it('[LF1] a file of rules counts for its folder and those below, as soon as it is written', async () => {
  const { tree, root, dataset, folders, put } = open(new ManualClock())
  const project = (await tree.mkdir(root, 'project', 0o755)).ino
  await put(root, '.elsewhereignore', 'generated\n!node_modules\n')
  for (const name of ['generated', 'node_modules', 'src']) await tree.mkdir(project, name, 0o755)
  const { id } = dataset.at('/project')
  expect(folders.children(id).map(({ name }) => name)).toEqual(['generated'])
  expect(dataset.children(id).map(({ name }) => name)).toEqual(['node_modules', 'src'])
  const rules = tree.lookup(root, '.elsewhereignore')?.ino as Ino
  await tree.write(rules, 0, bytes('#########\n'))
  await tree.flush(rules)
  await tree.mkdir(root, 'generated', 0o755)
  expect(dataset.at('/generated').kind).toBe('folder')
  tree.dispose()
})
