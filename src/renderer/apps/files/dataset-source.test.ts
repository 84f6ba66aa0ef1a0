import { describe, expect, it } from 'vitest'
import { DATASET_ROOT, type DatasetNodeInfo } from '../../../files/dataset-contract.ts'
import { datasetSource, followLinks } from './dataset-source.ts'
import { copyName } from './home-path.ts'
import { holdersText } from './use-holders.ts'
import { conflictChoices, originalName } from './conflict-dialog.tsx'
import { datasetTexts } from './dataset-texts.ts'
import { sameEntry } from './use-folder.ts'
import { whereOf } from './where-mark.tsx'

type SourceCalls = Parameters<typeof datasetSource>[0]
type TextCalls = Parameters<typeof datasetTexts>[0]

const node = (name: string, more: Partial<DatasetNodeInfo> = {}): DatasetNodeInfo => ({
  node: name.padEnd(32, '1'),
  parent: DATASET_ROOT,
  name,
  kind: 'file',
  mode: 0o644,
  mtimeMs: 0,
  changedMs: 0,
  bytes: 0,
  version: `${'a'.repeat(24)}.1`,
  isConflictCopy: false,
  hasConflict: false,
  place: 'here',
  isSafe: true,
  ...more,
})

/** Answers of a device that has one dataset, Home, with these nodes at these paths. */
function device(at: Readonly<Record<string, DatasetNodeInfo>>, bytes = ''): SourceCalls & TextCalls & { readonly said: string[] } {
  const said: string[] = []
  const refuse = () => Promise.reject(new Error('not asked for here'))
  return {
    said,
    listDatasets: async () => [{ dataset: 'd', name: 'Home' }],
    datasetAt: async ({ path }) => {
      const found = path === '/' ? node('', { node: DATASET_ROOT, kind: 'folder' }) : at[path]
      if (!found) throw Object.assign(new Error(`${path} is not in this dataset`), { code: 'file/not-found' })
      return found
    },
    listDatasetFolder: async ({ from, limit }) => {
      said.push(`${from}+${limit}`)
      const all = Object.values(at)
      return { entries: all.slice(from, from + limit), total: all.length }
    },
    hasSeenVersion: async () => ({ isSeen: false }),
    readDatasetBytes: async ({ offset, length }) => ({ base64: btoa(bytes.slice(offset, offset + length)), bytes: bytes.length }),
    beginDatasetWrite: async ({ to }) => {
      said.push(JSON.stringify(to))
      return { write: 'w' }
    },
    appendDatasetWrite: async ({ base64 }) => ({ bytes: said.push(atob(base64)) }),
    commitDatasetWrite: async () => node('x', { version: `${'b'.repeat(24)}.2` }),
    abandonDatasetWrite: async () => {
      said.push('abandoned')
      return {}
    },
    searchDataset: refuse,
    makeDatasetFolder: refuse,
    moveDatasetNode: refuse,
    removeDatasetNode: refuse,
    restoreDatasetNode: refuse,
    copyDatasetNode: refuse,
  }
}
const signal = new AbortController().signal
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  )

describe('datasets as a place of the pane', () => {
  it('[AP100] the top lists datasets; a folder of several pages is read to its end', async () => {
    const many = Object.fromEntries(Array.from({ length: 4_500 }, (_, index) => [`/${index}`, node(`${index}`)]))
    const calls = device(many)
    const source = datasetSource(calls)
    expect((await source.list('/', { signal })).entries.map(({ name }) => name)).toEqual(['Home'])
    expect((await source.list('/Home', { signal })).entries).toHaveLength(4_500)
    expect(calls.said).toEqual(['0+2000', '2000+2000', '4000+2000'])
    expect(await code(source.list('/Nowhere', { signal }))).toBe('file/not-found')
    expect(await code(source.trash('/Home'))).toBe('file/bad-path')
  })

  it('[AP100] while the device opens its files that is said, not that they are gone', async () => {
    const source = datasetSource({ ...device({}), listDatasets: async () => [] })
    expect(await code(source.list('/Home', { signal }))).toBe('dataset/locked')
  })

  it('[AP100] links lead on among the datasets, and never in a circle', async () => {
    const link = (name: string, target: string) => node(name, { kind: 'link', target })
    const calls = device({ '/a/l': link('l', '../b'), '/b': node('b'), '/c': link('c', 'c'), '/o': link('o', '/etc/passwd') })
    expect((await followLinks(calls, '/Home/a/l')).info.name).toBe('b')
    expect(await code(followLinks(calls, '/Home/c'))).toBe('file/bad-path')
    expect(await code(followLinks(calls, '/Home/o'))).toBe('file/not-found')
  })

  it('[AP101] where the bytes are, in words', () => {
    // [AP162] What another device wrote is not said to be here alone.
    expect(whereOf({ place: 'here', isSafe: false })).toMatchObject({
      word: 'Not yet safe',
      sentence: expect.stringMatching(/^on this device/),
    })
    expect(whereOf({ place: 'away', isSafe: false })).toMatchObject({
      word: 'Not yet safe',
      sentence: expect.stringMatching(/^on another device/),
    })
    expect(whereOf({ place: 'here', isSafe: true }).word).toBe('Here')
    expect(whereOf({ place: 'part', isSafe: true }).word).toBe('Partly here')
    expect(whereOf({ place: 'away', isSafe: true }).word).toBe('On others')
  })

  it('[AP101] which devices have a file, in words', () => {
    const [here, kitchen, server] = [
      { name: 'laptop', how: 'here' },
      { name: 'kitchen', how: 'signed' },
      { name: 'server', how: 'wrote' },
    ] as const
    expect(holdersText([here])).toBe('Only on this device so far')
    expect(holdersText([here, kitchen])).toBe('On this device and kitchen')
    expect(holdersText([here, kitchen, server])).toBe('On this device, kitchen and server')
    expect(holdersText([])).toBe('On no device that is known here')
    expect(holdersText([], true)).toBe('Which devices have it is still being fetched')
    expect(holdersText([here], true)).toBe('On this device; where else is still being fetched')
    expect(holdersText([here, kitchen], true)).toBe('On this device and kitchen')
  })

  it('[AP106] a conflict copy names the file it was written beside', () => {
    expect(originalName('notes (conflict 2026-11-29 11.51 laptop).md')).toBe('notes.md')
    expect(originalName('Makefile (conflict 2026-11-29 11.51 laptop)')).toBe('Makefile')
    expect(originalName('a (b).md')).toBe('a (b).md')
  })

  it('[AP106] where the file itself is gone its copy is not offered for the trash', () => {
    expect(conflictChoices(true)).toEqual(['both', 'file', 'copy'])
    expect(conflictChoices(false)).toEqual(['copy'])
  })

  it('[AP103] a copy whose name is taken is counted on', () => {
    expect(copyName('a.txt', new Set())).toBe('a.txt')
    expect(copyName('a.txt', new Set(['a.txt', 'a 2.txt']))).toBe('a 3.txt')
    expect(copyName('Makefile', new Set(['Makefile']))).toBe('Makefile 2')
  })

  it('[AP103] an upload that is stopped is given up whole; one that is not keeps its time', async () => {
    const calls = device({})
    const source = datasetSource(calls)
    const leaving = new AbortController()
    const onBytes = () => leaving.abort()
    const big = new Blob(['x'.repeat(1024 * 1024 + 1)])
    await expect(source.upload('/Home/big', big, { signal: leaving.signal, onBytes })).rejects.toThrow()
    expect(calls.said.at(-1)).toBe('abandoned')
    const moved: number[] = []
    await source.upload('/Home/big', big, { signal, onBytes: (bytes) => moved.push(bytes), modifiedMs: 5 })
    expect(moved).toEqual([1024 * 1024, 1])
  })

  it('[AP102] a text is saved over the version it was made from, and over no other', async () => {
    const there = node('a.md')
    const calls = device({ '/a.md': there })
    const texts = datasetTexts(calls)
    const save = (expectedVersion: string | null, path = '/Home/a.md') =>
      texts.writeText({ device: 'elsewhere', path, text: 'hé', expectedVersion })
    expect(await code(save(`${'c'.repeat(24)}.9`))).toBe('file/changed')
    expect(await code(save(null))).toBe('file/exists')
    expect(calls.said).toEqual([])
    expect(await save(there.version)).toEqual({ version: `${'b'.repeat(24)}.2` })
    expect(calls.said).toEqual([JSON.stringify({ node: there.node, base: there.version }), 'h\xc3\xa9'])
    expect(await code(save(there.version, '/Home/gone.md'))).toBe('file/changed')
  })

  it('[AP102] a device that does not know the version another display saw is behind', async () => {
    const calls = device({ '/a.md': node('a.md', { bytes: 2 }) }, 'hi')
    const texts = datasetTexts(calls)
    const read = (path: string, seen?: string) => texts.readText({ device: 'elsewhere', path, ...(seen && { seen }) })
    expect((await read('/Home/a.md')).text).toBe('hi')
    expect(await code(read('/Home/a.md', `${'c'.repeat(24)}.9`))).toBe('file/behind')
    expect(await code(read('/Home/new.md', `${'c'.repeat(24)}.9`))).toBe('file/behind')
    expect(await code(read('/Home/new.md'))).toBe('file/not-found')
  })
})

it('[AP162] a listing in which only something of one entry is another is a new one: also what is kept here from now on', () => {
  const shared = { dataset: 'd', node: 'n', version: 'v', place: 'here', isSafe: true, isConflictCopy: false } as const
  const entry = { name: 'a', kind: 'file', bytes: 1, modifiedMs: 0, hidden: false, shared } as const
  expect(sameEntry(entry, { ...entry, shared: { ...shared } })).toBe(true)
  const changes = [{ pinned: 'self' }, { isLocal: true }, { isSafe: false }, { place: 'part' }, { isConflictCopy: true }] as const
  for (const change of changes) expect(sameEntry(entry, { ...entry, shared: { ...shared, ...change } })).toBe(false)
})
