import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { systemClock } from '../../base/clock.ts'
import { utf8 } from '../../base/bytes.ts'
import { describeDatasetStore } from '../../files/dataset-store.suite.ts'
import { bringSegments, testFileDevice } from '../../testkit/file-device.ts'
import { silentLogger } from '../../base/logger.ts'
import type { LogId } from '../../files/op.ts'
import { WriteBehindStore } from '../../files/write-behind-store.ts'
import { FileJournal } from './file-journal.ts'
import { FilesSealer } from './files-sealer.ts'
import { PackChunkStore } from './pack-chunk-store.ts'
import { SqliteDatasetStore } from './sqlite-dataset-store.ts'

const sealer = () => new FilesSealer(new Uint8Array(32).fill(5))

describeDatasetStore('SQLite', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-dataset-'))
  const file = path.join(folder, 'home.sqlite')
  let store = new SqliteDatasetStore(file, sealer())
  return {
    store,
    reopen: () => {
      store.dispose()
      store = new SqliteDatasetStore(file, sealer())
      return store
    },
    dispose: () => {
      store.dispose()
      rmSync(folder, { recursive: true, force: true })
    },
  }
})

/** As a device has it; reopened as after kill -9: nothing was carried to SQLite. */
function journaled(folder: string) {
  const behind = new SqliteDatasetStore(path.join(folder, 'home.sqlite'), sealer())
  const journal = new FileJournal(folder, sealer(), silentLogger)
  const store = new WriteBehindStore({ behind, journal, clock: systemClock, log: silentLogger })
  return {
    store,
    kill: () => [journal, behind].map((owned) => owned.dispose()),
    dispose: () => [store, journal, behind].map((owned) => owned.dispose()),
  }
}

describeDatasetStore('SQLite behind a journal', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-dataset-'))
  let open = journaled(folder)
  return {
    store: open.store,
    reopen: () => {
      open.kill()
      open = journaled(folder)
      return open.store
    },
    dispose: () => {
      open.dispose()
      rmSync(folder, { recursive: true, force: true })
    },
  }
})

it('[DS7] an entry that a kill cut off ends the journal; what came before is taken', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-dataset-'))
  try {
    const first = journaled(folder)
    for (const key of ['a', 'b', 'c']) first.store.putValue('s', key, utf8(key))
    first.kill()
    const [name] = readdirSync(folder).filter((name) => name.startsWith('tree.journal-'))
    const file = path.join(folder, name as string)
    writeFileSync(file, readFileSync(file).subarray(0, -5))
    const again = journaled(folder)
    expect(
      again.store
        .values('s')
        .map(([key]) => key)
        .sort(),
    ).toEqual(['a', 'b'])
    again.dispose()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

it('[DS6] a dataset comes back from disk as it was, in a new log, and nothing on disk tells names or contents', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-dataset-'))
  const open = () => {
    const { store, kill, dispose } = journaled(folder)
    const chunks = new PackChunkStore(path.join(folder, 'chunks'))
    const device = testFileDevice(1, systemClock, { store, chunks })
    const close = (how: () => unknown) => [() => device.dataset.dispose(), () => chunks.dispose(), how].map((step) => step())
    return { ...device, kill: () => close(kill), close: () => close(dispose) }
  }
  try {
    const first = open()
    const docs = first.dataset.makeFolder(first.dataset.root, 'canary-folder')
    const file = first.dataset.createFile(docs.id, 'canary-name.txt')
    const text = utf8('canary-content, more than once: canary-content')
    await first.dataset.commitContent(file.id, file.version, {
      bytes: text.length,
      extents: [{ offset: 0, length: text.length }],
      read: (o, l) => text.subarray(o, o + l),
    })
    first.kill()
    const again = open()
    const back = again.dataset.at('/canary-folder/canary-name.txt')
    expect(await again.dataset.readRange(back.id, 0, 100)).toEqual(text)
    again.dataset.move(back.id, again.dataset.root, 'moved')
    const other = testFileDevice(2, systemClock)
    bringSegments(again.dataset, other.dataset)
    expect(
      other.dataset
        .children(other.dataset.root)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['canary-folder', 'moved'])
    expect(other.store.heads().length).toBe(2)
    again.kill()
    for (const name of readdirSync(folder, { recursive: true }) as string[]) {
      if (!/\.(sqlite|sqlite-wal|pack|journal-\d+)$/.test(name)) continue
      expect({ name, told: readFileSync(path.join(folder, name)).includes('canary') }).toEqual({ name, told: false })
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

it('[DS7] a batch is found at once, and of it a kill leaves all or nothing; whatever is changed in another way, or synced, ends it', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-dataset-'))
  const file = path.join(folder, 'home.sqlite')
  const store = new SqliteDatasetStore(file, sealer())
  let kills = 0
  /** What is there after a kill now. */
  const left = (): string[] => {
    const to = path.join(folder, `killed-${kills++}`)
    for (const suffix of ['', '-wal']) cpSync(file + suffix, to + suffix)
    const killed = new SqliteDatasetStore(to, sealer())
    const keys = killed.values('s').map(([key]) => key)
    killed.dispose()
    return keys.sort()
  }
  const put = (key: string) => store.putValue('s', key, utf8(key))
  try {
    store.beginBatch()
    put('a')
    store.beginBatch()
    put('b')
    expect([store.value('s', 'a'), left()]).toEqual([utf8('a'), []])
    store.endBatch()
    expect(left()).toEqual(['a', 'b'])
    store.beginBatch()
    put('c')
    store.undoBatch()
    expect([store.value('s', 'c'), left()]).toEqual([undefined, ['a', 'b']])
    const segment = { log: 'c'.repeat(24) as LogId, seq: 1, bytes: utf8('a segment') }
    const ends: readonly (readonly [key: string, end: () => unknown])[] = [
      ['d', () => store.transaction(() => {})],
      ['e', () => store.putSegmentBefore(segment)],
      ['f', () => store.sync()],
    ]
    for (const [key, end] of ends) {
      store.beginBatch()
      put(key)
      await end()
      expect({ key, isLeft: left().includes(key) }).toEqual({ key, isLeft: true })
    }
  } finally {
    store.dispose()
    rmSync(folder, { recursive: true, force: true })
  }
})

it('[DS6] a file takes a row of each kind, and no page of its own', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-dataset-'))
  const files = 500
  try {
    const open = journaled(folder)
    const device = testFileDevice(1, systemClock, { store: open.store })
    const manifest = await device.dataset.writer.write(utf8('what is in all of them'))
    for (let n = 0; n < files; n++) device.dataset.createFile(device.dataset.root, `a name as files have ${n}.txt`, { manifest })
    device.dataset.dispose()
    open.store.carryAll()
    open.dispose()
    expect(statSync(path.join(folder, 'home.sqlite')).size / files).toBeLessThan(2_048)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

it('[DS12] a tree that was opened on a full disk says that it is in use before a batch writes to it', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-mark-'))
  const file = path.join(folder, 'tree.sqlite')
  new SqliteDatasetStore(file, sealer()).dispose()
  const { exec } = DatabaseSync.prototype
  let isFull = true
  DatabaseSync.prototype.exec = function (sql: string) {
    if (isFull && sql.includes('user_version')) throw Object.assign(new Error('full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 })
    return exec.call(this, sql)
  }
  try {
    const store = new SqliteDatasetStore(file, sealer())
    expect(() => store.beginBatch()).toThrow('full')
    isFull = false
    store.beginBatch()
    store.putValue('s', 'a', utf8('a'))
    store.undoBatch()
    store.beginBatch()
    store.putValue('s', 'b', utf8('b'))
    store.endBatch()
    for (const suffix of ['', '-wal']) cpSync(file + suffix, `${file}-killed${suffix}`)
    const killed = new DatabaseSync(`${file}-killed`)
    expect(killed.prepare('pragma user_version').get()).toEqual({ user_version: 2 })
    killed.close()
    store.dispose()
  } finally {
    DatabaseSync.prototype.exec = exec
    rmSync(folder, { recursive: true, force: true })
  }
})
