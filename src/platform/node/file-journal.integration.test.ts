import { fdatasync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import { type Logger, silentLogger } from '../../base/logger.ts'
import type { ChunkId } from '../../files/chunk-id.ts'
import { FileJournal } from './file-journal.ts'
import { FilesSealer } from './files-sealer.ts'
import { PackChunkStore } from './pack-chunk-store.ts'

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  return { ...fs, fdatasync: vi.fn(fs.fdatasync), writeSync: vi.fn(fs.writeSync) }
})

type Done = (error: Error | null) => void

let folder = ''
/** Syncs that wait for the disk. */
let waiting: Done[] = []
const turns = () => new Promise((resolve) => setTimeout(resolve, 20))

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-journal-'))
  waiting = []
})
afterEach(() => {
  vi.mocked(fdatasync).mockReset()
  vi.mocked(writeSync).mockReset()
  rmSync(folder, { recursive: true, force: true })
})

const holdSyncs = () => vi.mocked(fdatasync).mockImplementation(((_: number, done: Done) => void waiting.push(done)) as typeof fdatasync)
const journalOf = (log: Logger = silentLogger) => new FileJournal(folder, new FilesSealer(new Uint8Array(32).fill(5)), log)

describe('two who sync at once', () => {
  const stores = {
    'the journal': () => {
      const journal = journalOf()
      return { write: () => journal.append(utf8('a')), sync: () => journal.sync(), dispose: () => journal.dispose() }
    },
    packs: () => {
      const packs = new PackChunkStore(folder)
      let n = 0
      const write = () => packs.put({ id: (n++).toString(16).padStart(64, '0') as ChunkId, epoch: 1, bytes: utf8('sealed') })
      return { write, sync: () => packs.sync(), dispose: () => packs.dispose() }
    },
  }

  it.each(Object.keys(stores) as (keyof typeof stores)[])('[DS7] both wait until it lies on the disk: %s', async (name) => {
    holdSyncs()
    const store = stores[name]()
    store.write()
    const done: string[] = []
    const first = store.sync().then(() => done.push('first'))
    const second = store.sync().then(() => done.push('second'))
    await turns()
    expect({ done, waiting: waiting.length }).toEqual({ done: [], waiting: 1 })
    waiting.splice(0).forEach((end) => end(null))
    await Promise.all([first, second])
    store.dispose()
  })

  it.each(Object.keys(stores) as (keyof typeof stores)[])('[DS7] a sync that failed is not forgotten: %s', async (name) => {
    holdSyncs()
    const store = stores[name]()
    store.write()
    const first = store.sync()
    first.catch(() => {})
    // Once where it was, and once where it is written anew: failed-sync.integration.test.ts.
    for (let n = 0; n < 2; n++) {
      await turns()
      expect(waiting.length).toBe(1)
      waiting.splice(0).forEach((end) => end(Object.assign(new Error('no'), { code: 'EIO' })))
    }
    await expect(first).rejects.toThrow()
    const second = store.sync()
    await turns()
    expect(waiting.length).toBe(1)
    waiting.splice(0).forEach((end) => end(null))
    await second
    store.dispose()
  })
})

const partsIn = () => readdirSync(folder).filter((name) => name.includes('journal'))
const full = () => {
  throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
}

it('[DS7] while the disk is full no part after part is begun', () => {
  const journal = journalOf()
  journal.append(utf8('a'))
  vi.mocked(writeSync).mockImplementation(full)
  for (let n = 0; n < 5; n++) {
    journal.turn()
    expect(() => journal.append(utf8('b'))).toThrow(expect.objectContaining({ code: 'store/disk-full' }))
  }
  vi.mocked(writeSync).mockReset()
  expect(partsIn().length).toBe(2)
  journal.append(utf8('c'))
  journal.dispose()
  expect([...journalOf().entries()].map(fromUtf8)).toEqual(['a', 'c'])
})

it('[DS7] nothing is begun once it is closed', () => {
  const journal = journalOf()
  journal.dispose()
  expect(() => journal.append(utf8('a'))).toThrow(expect.objectContaining({ code: 'store/closed' }))
  expect(partsIn()).toEqual([])
})

it('[DS7] a change of very much is one entry: a folder of 60,000 files is removed at once', () => {
  const journal = journalOf()
  journal.append(new Uint8Array(65 * 1024 * 1024))
  journal.dispose()
  expect([...journalOf().entries()].map(({ length }) => length)).toEqual([65 * 1024 * 1024])
})

describe('what is not whole', () => {
  const warned = () => {
    const warn = vi.fn()
    return { warn, log: { ...silentLogger, warn } as Logger }
  }
  const written = (...texts: string[]) => {
    const journal = journalOf()
    for (const text of texts) journal.append(utf8(text))
    journal.dispose()
    return path.join(folder, partsIn().at(-1) as string)
  }

  it('[DS7] what a kill cut off is left out without a word', () => {
    const file = written('a', 'b')
    writeFileSync(file, readFileSync(file).subarray(0, -5))
    const { warn, log } = warned()
    const journal = journalOf(log)
    expect([...journal.entries()].map(fromUtf8)).toEqual(['a'])
    journal.turn()()
    expect([partsIn(), warn.mock.calls.length]).toEqual([[], 0])
  })

  it.each([0, 1, 2])('[DS7] damage of entry %s is said, ends its part, and the part is kept', (n) => {
    const file = written('a', 'b', 'c')
    const bytes = readFileSync(file)
    const at = Math.floor((bytes.length / 3) * (n + 0.5))
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
    writeFileSync(file, bytes)
    written('d')
    const { warn, log } = warned()
    const journal = journalOf(log)
    expect([...journal.entries()].map(fromUtf8)).toEqual([...['a', 'b', 'c'].slice(0, n), 'd'])
    journal.turn()()
    expect(partsIn()).toEqual([expect.stringMatching(/^tree\.journal-00000001-\d+\.damaged$/)])
    expect(readFileSync(path.join(folder, partsIn()[0] as string))).toEqual(bytes)
    expect(warn).toHaveBeenCalledTimes(1)
    expect([...journalOf().entries()]).toEqual([])
  })
})
