import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { describeKeyValueStore } from '../../base/key-value-store.suite.ts'
import { silentLogger } from '../../base/logger.ts'
import { fakeSealer } from '../../testkit/fake-identity.ts'
import { FolderKeyValueStore } from './folder-key-value-store.ts'

let folder = ''
let open: FolderKeyValueStore[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'elsewhere-values-'))
})
afterEach(() => {
  for (const store of open.splice(0)) store.dispose()
  rmSync(folder, { recursive: true, force: true })
})

const openStore = (key = 'key', log = silentLogger): FolderKeyValueStore => {
  const store = new FolderKeyValueStore(join(folder, 'values'), fakeSealer(key), log)
  open.push(store)
  return store
}
const files = (): string[] =>
  readdirSync(join(folder, 'values'), { recursive: true, withFileTypes: true }).flatMap((one) =>
    one.isFile() ? [join(one.parentPath, one.name)] : [],
  )

describeKeyValueStore('FolderKeyValueStore', () => ({
  store: openStore(),
  reopen: () => {
    for (const store of open.splice(0)) store.dispose()
    return openStore()
  },
  close: () => {},
}))

it('[SY93] neither name nor value can be read in the folder, and another key opens none', () => {
  openStore().put('space', 'a name', utf8('a value that is long enough to be found'))
  const all = files()
    .map((file) => file + readFileSync(file, 'latin1'))
    .join()
  for (const word of ['space', 'a name', 'a value']) expect(all).not.toContain(word)
  expect(openStore('another').get('space', 'a name')).toBeUndefined()
})

it('[SY102] a damaged value counts as absent, stays beside, and is written anew; the others are there', () => {
  const store = openStore()
  store.put('a', 'one', utf8('1'))
  const [file = ''] = files()
  store.put('a', 'two', utf8('2'))
  writeFileSync(file, readFileSync(file).subarray(0, -1))
  expect([store.get('a', 'one'), store.entries('a').length]).toEqual([undefined, 1])
  expect(files().some((name) => name.endsWith('.damaged'))).toBe(true)
  store.put('a', 'one', utf8('again'))
  expect(
    store
      .entries('a')
      .map(([key]) => key)
      .sort(),
  ).toEqual(['one', 'two'])
})

it('[SY96] after dispose every call says store/closed', () => {
  const store = openStore()
  store.dispose()
  for (const call of [
    () => store.get('a', 'k'),
    () => store.put('a', 'k', utf8('1')),
    () => store.delete('a', 'k'),
    () => store.entries('a'),
  ]) {
    expect(call).toThrow(expect.objectContaining({ code: 'store/closed' }))
  }
})

it('[SY102] a folder that cannot be made says what to do, and keeps nothing', () => {
  writeFileSync(join(folder, 'values'), 'not a folder')
  expect(() => openStore().put('a', 'k', utf8('1'))).toThrow(expect.objectContaining({ code: 'store/failed' }))
})

it('[SY102] what cannot be brought to the disk itself is said, and tried again at the end; what was written last is, too', async () => {
  const said: string[] = []
  const store = openStore('key', { ...silentLogger, warn: (_message, details) => said.push(String(details?.error)) })
  const putBroken = (key: string) => {
    const before = files()
    store.put('a', key, utf8(key))
    const [file = ''] = files().filter((name) => !before.includes(name))
    rmSync(file)
    symlinkSync(file, file) // it leads nowhere
  }
  store.put('a', 'gone', utf8('1'))
  store.delete('a', 'gone')
  putBroken('one')
  await expect.poll(() => said, { timeout: 20_000 }).toEqual([expect.stringContaining('ELOOP')])
  putBroken('two')
  store.dispose()
  expect(said).toEqual(Array.from({ length: 3 }, () => expect.stringContaining('ELOOP')))
})
