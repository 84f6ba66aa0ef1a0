import { expect, it } from 'vitest'
import { fromUtf8, utf8 } from '../base/bytes.ts'
import { silentLogger } from '../base/logger.ts'
import { bringSegments, testFileDevice } from '../testkit/file-device.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import type { Dataset } from './dataset.ts'
import { DatasetTree } from './dataset-tree.ts'
import { MemoryChunkStore } from './memory-chunk-store.ts'
import { type Ino, ROOT_INO, type TreeChange } from './mounted-tree.ts'

/** Two devices with one store of chunks, a mount on the first, and `f` on both, with 'first' in it. */
async function twoDevices() {
  const clock = new ManualClock(1_700_000_000_000)
  const chunks = new MemoryChunkStore()
  const [mine, theirs] = [testFileDevice(1, clock, { chunks }), testFileDevice(2, clock, { chunks })]
  const space = () => ({ totalBytes: 1000, freeBytes: 500, files: 0 })
  const tree = new DatasetTree({ datasets: [{ name: 'Home', dataset: mine.dataset }], clock, log: silentLogger, space })
  const home = tree.lookup(ROOT_INO, 'Home')?.ino as Ino
  const { ino } = tree.create(home, 'f', 0o644)
  await tree.write(ino, 0, utf8('first'))
  await tree.flush(ino)
  const { id } = mine.dataset.at('/f')
  const meet = () => {
    bringSegments(mine.dataset, theirs.dataset)
    bringSegments(theirs.dataset, mine.dataset)
  }
  meet()
  clock.advance(1_000)
  /** As after kill -9: another start over the same stores. */
  const restart = () => testFileDevice(1, clock, { store: mine.store, chunks }).dataset
  return { clock, mine: mine.dataset, theirs: theirs.dataset, tree, home, ino, id, meet, restart }
}

const replaceFile = async (dataset: Dataset, text: string) => {
  const { id } = dataset.createFile(dataset.root, 'f.tmp', { manifest: await dataset.writer.write(utf8(text)) })
  dataset.move(id, dataset.root, 'f', { replace: true })
}

const edit = async (dataset: Dataset, text: string) => {
  const { id } = dataset.at('/f')
  dataset.setContent(id, dataset.at('/f').version, await dataset.writer.write(utf8(text)))
}

const shown = async (dataset: Dataset): Promise<string[]> =>
  (await Promise.all(dataset.children(dataset.root).map(async ({ id }) => fromUtf8(await dataset.readRange(id, 0, 100))))).sort()

for (const who of ['another device', 'the pane'] as const) {
  for (const how of ['removes', 'replaces'] as const) {
    for (const end of ['close', 'fsync', 'fsync and a kill', 'quiet'] as const) {
      it(`[MT16] what is written into an open file that ${who} ${how} is kept: ${end}`, async () => {
        const { clock, mine, theirs, tree, ino, meet, restart } = await twoDevices()
        await tree.write(ino, 0, utf8('hours of work'))
        const other = who === 'the pane' ? mine : theirs
        if (how === 'removes') other.removeAll(other.at('/f').id)
        else await replaceFile(other, 'saved there')
        meet()
        expect(tree.getattr(ino).linkCount).toBe(1)
        if (end === 'close') await tree.flush(ino)
        else if (end !== 'quiet') await tree.fsync(ino)
        const kept = how === 'removes' ? ['hours of work'] : ['hours of work', 'saved there']
        if (end === 'fsync and a kill') expect(await shown(restart())).toEqual(kept)
        else {
          tree.forget(ino, 1)
          clock.advance(2_100)
          await expect.poll(() => shown(mine)).toEqual(kept)
          meet()
          expect(await shown(theirs)).toEqual(kept)
        }
        tree.dispose()
      })
    }
  }
}

it('[MT16] what programs write only after it was removed elsewhere is kept, with the folder it lay in, under the same number', async () => {
  const { mine, theirs, tree, home, meet } = await twoDevices()
  const folder = tree.mkdir(home, 'd', 0o755) as { ino: Ino }
  const { ino } = tree.create(folder.ino, 'g', 0o644)
  meet()
  theirs.removeAll(theirs.at('/d').id)
  meet()
  expect([tree.getattr(ino).linkCount, tree.lookup(home, 'd')]).toEqual([0, undefined])
  expect(() => tree.create(folder.ino, 'h', 0o644)).toThrow(expect.objectContaining({ code: 'tree/not-found' }))
  const told: TreeChange[] = []
  tree.onDidChange((change) => told.push(change))
  await tree.write(ino, 0, utf8('on'))
  await tree.flush(ino)
  expect(told).toContainEqual({ kind: 'entry', parent: home, name: 'd' })
  await tree.write(ino, 2, utf8(' and on'))
  await tree.flush(ino)
  expect(fromUtf8(await mine.readRange(mine.at('/d/g').id, 0, 100))).toBe('on and on')
  expect([mine.at('/d/g').hasConflict, tree.getattr(ino).linkCount]).toEqual([false, 1])
  tree.dispose()
})

it('[MT16] a file that is back goes by its number again, and whoever keeps copies hears of it', async () => {
  const { mine, theirs, tree, home, ino, meet } = await twoDevices()
  await tree.write(ino, 0, utf8('FIRST'))
  theirs.remove(theirs.at('/f').id)
  meet()
  const told: TreeChange[] = []
  tree.onDidChange((change) => told.push(change))
  await tree.flush(ino)
  expect(told).toContainEqual({ kind: 'entry', parent: home, name: 'f' })
  expect(tree.lookup(home, 'f')?.ino).toBe(ino)
  await tree.write(ino, 5, utf8(' and more'))
  await tree.flush(ino)
  expect([await shown(mine), mine.at('/f').hasConflict]).toEqual([['FIRST and more'], false])
  tree.dispose()
})

it.each(['removes', 'writes'] as const)(
  '[MT16] what programs set of an open file that another device %s is so of the file that comes back',
  async (how) => {
    const { mine, theirs, tree, ino, id, meet } = await twoDevices()
    await tree.write(ino, 0, utf8('mine!'))
    if (how === 'removes') theirs.remove(theirs.at('/f').id)
    else await edit(theirs, 'of them')
    meet()
    tree.setattr(ino, { mode: 0o600, mtimeNs: 5n })
    tree.setxattr(ino, 'user.by', utf8('me'), 'any')
    await tree.flush(ino)
    expect(mine.node(id)).toMatchObject({ mode: 0o600, mtimeNs: 5n, xattrs: new Map([['user.by', 'bWU']]) })
    expect([tree.getattr(ino).mode, await shown(mine)]).toEqual([0o600, how === 'removes' ? ['mine!'] : ['mine!', 'of them']])
    await tree.write(ino, 5, utf8(' more'))
    await tree.flush(ino)
    expect(await shown(mine)).toEqual(how === 'removes' ? ['mine! more'] : ['mine! more', 'of them'])
    meet()
    expect([await shown(theirs), theirs.node(id)?.mode]).toEqual([await shown(mine), 0o600])
    tree.dispose()
  },
)

it('[MT4] what a program here removed is gone with what it wrote and synced, after a kill, too', async () => {
  const { mine, tree, home, ino, restart } = await twoDevices()
  await tree.write(ino, 0, utf8('scratch'))
  await tree.fsync(ino)
  tree.unlink(home, 'f')
  await tree.write(ino, 0, utf8('SCRATCH'))
  await tree.fsync(ino)
  await tree.flush(ino)
  expect([await shown(mine), await shown(restart()), mine.syncedContents()]).toEqual([[], [], []])
  tree.dispose()
})

it('[MT4] what a program here removed is gone, also where another one had it open as it was before another device wrote it', async () => {
  const { clock, mine, theirs, tree, home, ino, meet, restart } = await twoDevices()
  await tree.write(ino, 0, utf8('scratch'))
  await tree.fsync(ino)
  await edit(theirs, 'of them')
  meet()
  expect(tree.lookup(home, 'f')?.ino).not.toBe(ino)
  tree.unlink(home, 'f')
  expect(tree.getattr(ino).linkCount).toBe(0)
  expect(await shown(restart())).toEqual([])
  await tree.write(ino, 0, utf8('SCRATCH'))
  await tree.flush(ino)
  clock.advance(20_000)
  await tree.settle()
  expect([await shown(mine), mine.syncedContents()]).toEqual([[], []])
  tree.dispose()
})

it('[MT12] after both were kept the open file goes on from what was written into it, and the folder’s readers hear of the copy', async () => {
  const { mine, theirs, tree, home, ino, meet } = await twoDevices()
  await tree.write(ino, 0, utf8('mine!'))
  await edit(theirs, 'of them')
  meet()
  expect(tree.getattr(ino).fileBytes).toBe(5)
  const told: TreeChange[] = []
  tree.onDidChange((change) => told.push(change))
  await tree.flush(ino)
  const copy = mine.children(mine.root).find(({ isConflictCopy }) => isConflictCopy)
  expect(told).toContainEqual({ kind: 'entry', parent: home, name: copy?.name })
  await tree.write(ino, 5, utf8(' more'))
  await tree.flush(ino)
  expect(await shown(mine)).toEqual(['mine! more', 'of them'])
  tree.dispose()
})

it('[MT12] an open file keeps its length when another device wrote it', async () => {
  const { theirs, tree, ino, meet } = await twoDevices()
  await edit(theirs, 'longer than before')
  meet()
  expect(tree.getattr(ino).fileBytes).toBe(5)
  theirs.remove(theirs.at('/f').id)
  meet()
  expect([tree.getattr(ino).fileBytes, fromUtf8((await tree.read(ino, 0, 100))[0] ?? utf8(''))]).toEqual([5, 'first'])
  tree.dispose()
})

for (const end of ['close', 'fsync and a kill'] as const) {
  it(`[MT16] what is written into a conflict copy that is none any more is a file of its own: ${end}`, async () => {
    const { clock, mine, theirs, tree, home, meet, restart } = await twoDevices()
    const third = testFileDevice(3, clock, { chunks: new MemoryChunkStore() }).dataset
    await edit(theirs, 'theirs')
    await edit(mine, 'mine')
    bringSegments(mine, third) // knows of this one only
    meet()
    const copy = mine.children(mine.root).find(({ isConflictCopy }) => isConflictCopy)
    const { ino } = tree.lookup(home, copy?.name as string) as { ino: Ino }
    await tree.write(ino, 0, utf8('chosen'))
    if (end === 'fsync and a kill') await tree.fsync(ino)
    third.remove(third.at('/f').id)
    bringSegments(third, mine)
    if (end === 'fsync and a kill') {
      const again = restart()
      expect([await shown(again), again.syncedContents()]).toEqual([['chosen', 'theirs'], []])
      expect(again.lookup(again.root, copy?.name as string)).toMatchObject({ isConflictCopy: false, mode: 0o644 })
      expect(await shown(restart())).toEqual(['chosen', 'theirs'])
    } else {
      await tree.flush(ino)
      await tree.write(ino, 6, utf8(' and on'))
      await tree.flush(ino)
      expect(await shown(mine)).toEqual(['chosen and on', 'theirs'])
    }
    tree.dispose()
  })
}
