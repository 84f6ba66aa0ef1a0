import { fdatasync, fsync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import { silentLogger } from '../../base/logger.ts'
import type { ChunkId } from '../../files/chunk-id.ts'
import { LosingDisk } from '../../testkit/losing-disk.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import { FileJournal } from './file-journal.ts'
import { FilesSealer } from './files-sealer.ts'
import { PackChunkStore } from './pack-chunk-store.ts'
import { SqliteDatasetStore } from './sqlite-dataset-store.ts'

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  return { ...fs, fdatasync: vi.fn(fs.fdatasync), fsync: vi.fn(fs.fsync) }
})

let folder = ''
let disk: LosingDisk

function start(): void {
  folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-losing-'))
  disk = new LosingDisk(folder)
}
beforeEach(() => {
  start()
  const sync = (descriptor: number, done: (error: Error | null) => void): void => {
    let failed: Error | null = null
    try {
      disk.sync(descriptor)
    } catch (error) {
      failed = error as Error
    }
    setImmediate(() => done(failed))
  }
  vi.mocked(fdatasync).mockImplementation(sync as typeof fdatasync)
  vi.mocked(fsync).mockImplementation(sync as typeof fsync)
})
afterEach(() => {
  vi.mocked(fdatasync).mockReset()
  vi.mocked(fsync).mockReset()
  rmSync(folder, { recursive: true, force: true })
})

const failOnce = () => {
  let left = 1
  disk.fails = () => left-- > 0
}
const journalOf = () => new FileJournal(folder, new FilesSealer(new Uint8Array(32).fill(5)), silentLogger)
const entriesAfterCut = (journal: FileJournal): string[] => {
  journal.dispose()
  disk.cut()
  const again = journalOf()
  const entries = [...again.entries()].map(fromUtf8)
  again.dispose()
  return entries
}
const idOf = (n: number) => n.toString(16).padStart(64, '0') as ChunkId
const bytesOf = (n: number) => utf8(`sealed ${n} `.repeat(20))

it('[DS14] what a sync of the journal did not keep is written anew: who is told that all is well finds it after a power cut', async () => {
  const journal = journalOf()
  journal.append(utf8('a'))
  await journal.sync()
  for (const text of ['b', 'c']) journal.append(utf8(text))
  failOnce()
  await journal.sync()
  expect(disk.failed).toBe(1)
  journal.append(utf8('d'))
  await journal.sync()
  expect(entriesAfterCut(journal)).toEqual(['a', 'b', 'c', 'd'])
})

it('[DS14] a disk that goes on failing is told each time, fills no folder, and is made good when it works again', async () => {
  const journal = journalOf()
  journal.append(utf8('a'))
  disk.fails = () => true
  for (let n = 0; n < 5; n++) await expect(journal.sync()).rejects.toThrow(expect.objectContaining({ code: 'store/failed' }))
  expect(readdirSync(folder).length).toBe(1)
  journal.append(utf8('b'))
  disk.fails = () => false
  await journal.sync()
  expect(entriesAfterCut(journal)).toEqual(['a', 'b'])
})

it('[DS14] what cannot be read back of the journal is told each time it is asked for', async () => {
  const journal = journalOf()
  journal.append(utf8('a'))
  failOnce()
  const syncing = journal.sync()
  truncateSync(path.join(folder, readdirSync(folder)[0] as string), 3)
  await expect(syncing).rejects.toThrow()
  await expect(journal.sync()).rejects.toThrow(expect.objectContaining({ code: 'store/failed' }))
  journal.dispose()
})

it('[DS14] whatever is written, turned, forgotten, synced in vain and cut off: what was synced is there in its order', async () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  let failed = 0
  for (let round = 0; round < roundsOfRun(60, 2000); round++) {
    const journal = journalOf()
    disk.fails = () => random.chance(0.3)
    /** What each key was set to, in order; what of it must be found. */
    const history = new Map<string, number[]>()
    let [synced, forgotten, n] = [0, 0, 0]
    let forget: { readonly run: () => void; readonly upTo: number } | undefined
    for (let step = 0; step < 40; step++) {
      const what = random.below(10)
      if (what < 6) {
        const key = 'abcd'[random.below(4)] as string
        history.set(key, [...(history.get(key) ?? []), ++n])
        journal.append(utf8(`${key} ${n}`))
      } else if (what < 8) {
        const upTo = n
        const syncing = journal.sync().then(
          () => (synced = Math.max(synced, upTo)),
          () => {},
        )
        if (random.chance(0.5)) await syncing
      } else if (what === 8) forget = { run: journal.turn(), upTo: n }
      else if (forget) {
        // As whoever carries it does: what is forgotten lies elsewhere.
        forget.run()
        forgotten = Math.max(forgotten, forget.upTo)
        forget = undefined
      }
    }
    await journal.sync().then(
      () => (synced = n),
      () => {},
    )
    failed += disk.failed
    const isCut = random.chance(0.7)
    if (!isCut) {
      disk.cut = () => {}
      synced = n // killed only: all is there
    }
    const found = new Map(entriesAfterCut(journal).map((entry) => entry.split(' ') as [string, string]))
    for (const [key, all] of history) {
      const must = all.filter((at) => at <= synced && at > forgotten).at(-1)
      const at = Number(found.get(key) ?? 0)
      expect({ seed, round, key, at, must, isThere: must === undefined || at >= must }).toMatchObject({ isThere: true })
    }
    rmSync(folder, { recursive: true })
    start()
  }
  expect(failed).toBeGreaterThan(0)
})

it('[CS12] what a sync of packs did not keep is written anew: who is told that all is well finds it after a power cut', async () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  let failed = 0
  for (let round = 0; round < roundsOfRun(30, 1000); round++) {
    const packs = new PackChunkStore(folder, { packBytes: 4000 })
    disk.fails = () => random.chance(0.3)
    const held = new Set<number>()
    const safe = new Set<number>()
    let n = 0
    for (let step = 0; step < 40; step++) {
      if (random.below(10) < 7) {
        packs.put({ id: idOf(++n), epoch: 1, bytes: bytesOf(n) })
        held.add(n)
      } else if (random.chance(0.8)) {
        const so = [...held]
        const syncing = packs.sync().then(
          () => so.forEach((one) => safe.add(one)),
          () => {},
        )
        if (random.chance(0.5)) await syncing
      } else if (n > 0) {
        const gone = 1 + random.below(n)
        await packs.drop([idOf(gone)])
        held.delete(gone)
        safe.delete(gone)
      }
    }
    disk.fails = () => false
    if (random.chance(0.5)) await packs.sync()
    for (const one of held) expect((await packs.get(idOf(one)))?.bytes).toEqual(bytesOf(one))
    failed += disk.failed
    // What still waits for the disk ends before the power does.
    await packs.sync().catch(() => {})
    for (const one of held) safe.add(one)
    packs.dispose()
    disk.cut()
    const again = new PackChunkStore(folder, { packBytes: 4000 })
    for (const one of safe) {
      if (!held.has(one)) continue
      expect({ seed, round, one, bytes: (await again.get(idOf(one)))?.bytes }).toEqual({ seed, round, one, bytes: bytesOf(one) })
    }
    again.dispose()
    rmSync(folder, { recursive: true })
    start()
  }
  expect(failed).toBeGreaterThan(0)
})

it('[CS12] a chunk that the disk did not keep and does not give back is told to whoever syncs, till it is put again', async () => {
  const packs = new PackChunkStore(folder)
  packs.put({ id: idOf(1), epoch: 1, bytes: bytesOf(1) })
  await packs.sync()
  const [name] = readdirSync(folder) as [string]
  const { size } = statSync(path.join(folder, name))
  packs.put({ id: idOf(2), epoch: 1, bytes: bytesOf(2) })
  failOnce()
  const syncing = packs.sync()
  truncateSync(path.join(folder, name), size)
  await expect(syncing).rejects.toThrow('the disk failed')
  expect([packs.has(idOf(1)), packs.has(idOf(2))]).toEqual([true, false])
  await expect(packs.sync()).rejects.toThrow('the disk failed')
  packs.put({ id: idOf(2), epoch: 1, bytes: bytesOf(2) })
  await packs.sync()
  packs.dispose()
  disk.cut()
  const again = new PackChunkStore(folder)
  expect([(await again.get(idOf(1)))?.bytes, (await again.get(idOf(2)))?.bytes]).toEqual([bytesOf(1), bytesOf(2)])
  again.dispose()
})

it('[CS12] a disk that goes on failing is not filled with packs', async () => {
  const packs = new PackChunkStore(folder)
  packs.put({ id: idOf(1), epoch: 1, bytes: bytesOf(1) })
  disk.fails = () => true
  for (let n = 0; n < 5; n++) await expect(packs.sync()).rejects.toThrow('the disk failed')
  expect(readdirSync(folder).length).toBe(1)
  packs.dispose()
})

it('[DS14] what a sync of the tree did not keep is written into the tree itself: who is told that all is well does not need what was lost', async () => {
  const file = path.join(folder, 'tree.sqlite')
  const sealer = new FilesSealer(new Uint8Array(32).fill(5))
  const store = new SqliteDatasetStore(file, sealer)
  const waiting = () => statSync(`${file}-wal`).size
  const put = (key: string) => store.transaction(() => store.putValue('s', key, utf8(key)))
  put('a')
  await store.sync()
  expect(waiting()).toBeGreaterThan(0)
  put('b')
  failOnce()
  await expect(store.sync()).rejects.toThrow()
  expect(disk.failed).toBe(1)
  await store.sync()
  expect(waiting()).toBe(0)
  put('c')
  await store.sync()
  expect(waiting()).toBeGreaterThan(0) // as before
  store.dispose()
  const again = new SqliteDatasetStore(file, sealer)
  expect(
    again
      .values('s')
      .map(([key]) => key)
      .sort(),
  ).toEqual(['a', 'b', 'c'])
  again.dispose()
})

it.each(['journal', 'packs'])(
  '[DS14] a sync of the %s that closing comes between says that it is closed, and not that all is well',
  async (kind) => {
    const journal = journalOf()
    const packs = new PackChunkStore(folder)
    const store = kind === 'journal' ? journal : packs
    journal.append(utf8('a'))
    packs.put({ id: idOf(1), epoch: 0, bytes: bytesOf(1) })
    await store.sync() // nothing stops it
    journal.append(utf8('b'))
    packs.put({ id: idOf(2), epoch: 0, bytes: bytesOf(2) })
    const [running, waiting] = [store.sync(), store.sync()]
    journal.dispose()
    packs.dispose()
    for (const sync of [running, waiting, store.sync()]) await expect(sync).rejects.toMatchObject({ code: 'store/closed' })
  },
)

it('[DS14] what a killed process left in the journal, and a full disk keeps there, is on the disk itself when a sync resolves', async () => {
  const killed = journalOf()
  killed.append(utf8('a'))
  killed.dispose() // as a kill: nothing was synced
  const journal = journalOf()
  expect([...journal.entries()].map(fromUtf8)).toEqual(['a'])
  await journal.sync()
  expect(entriesAfterCut(journal)).toEqual(['a'])
})
