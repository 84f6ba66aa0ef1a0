import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import type { DocId, PersonId } from '../../base/ids.ts'
import { describeKeyValueStore } from '../../base/key-value-store.suite.ts'
import type { OperationId } from '../../identity/authority/operation.ts'
import { describeAuthorityStore } from '../../identity/authority/authority-store.suite.ts'
import { describeEnvelopeLog } from '../../sync/envelope-log.suite.ts'
import type { StartId } from '../../sync/client-ids.ts'
import { fakeDevice, fakeSealer } from '../../testkit/fake-identity.ts'
import { SqliteAuthorityStore } from './sqlite-authority-store.ts'
import { SqliteEnvelopeLog } from './sqlite-envelope-log.ts'
import { SqliteKeyValueStore } from './sqlite-key-value-store.ts'
import { SqliteStore } from './sqlite-store.ts'

let folder = ''
let open: SqliteStore[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'elsewhere-store-'))
})
afterEach(() => {
  for (const store of open.splice(0)) store.dispose()
  rmSync(folder, { recursive: true, force: true })
})

const path = (): string => join(folder, 'store.sqlite')
const openStore = (key = 'key'): SqliteStore => {
  const store = new SqliteStore({ path: path(), sealer: fakeSealer(key) })
  open.push(store)
  return store
}
const reopenStore = (): SqliteStore => {
  for (const store of open.splice(0)) store.dispose()
  return openStore()
}
const DOC = 'workspace' as DocId
const ref = (seq: number) => ({ device: fakeDevice('A'), start: '0011223344556677' as StartId, seq })

describeEnvelopeLog('SqliteEnvelopeLog', () => ({
  log: new SqliteEnvelopeLog(openStore()),
  reopen: () => new SqliteEnvelopeLog(reopenStore()),
  close: () => {},
}))

describeKeyValueStore('SqliteKeyValueStore', () => ({
  store: new SqliteKeyValueStore(openStore()),
  reopen: () => new SqliteKeyValueStore(reopenStore()),
  close: () => {},
}))

describe('SqliteAuthorityStore', () =>
  describeAuthorityStore(() => ({
    store: new SqliteAuthorityStore(openStore(), 'person' as PersonId),
    reopen: () => new SqliteAuthorityStore(reopenStore(), 'person' as PersonId),
  })))

it('[ID65] the authority log outlives damage, up to the first line that cannot be read', () => {
  const store = openStore()
  const log = new SqliteAuthorityStore(store, 'person' as PersonId)
  const operation = (n: number) => ({ id: n.toString(16).padStart(64, '0') as OperationId, bytes: Uint8Array.of(n) })
  log.append([operation(1), operation(2), operation(3)])
  store.setAside('a test')
  expect([log.count, log.read(0)]).toEqual([3, [operation(1), operation(2), operation(3)]])
  store.write(() => store.statement('update operation set bytes = zeroblob(60) where position = 2').run())
  expect(() => log.read(0)).toThrow(expect.objectContaining({ code: 'store/damaged' }))
  expect([log.count, log.read(0)]).toEqual([2, [operation(1), operation(2)]])
  log.append([operation(3)])
  expect(new SqliteAuthorityStore(reopenStore(), 'person' as PersonId).read(1)).toEqual([operation(2), operation(3)])
})

describe('SqliteStore', () => {
  it('[SY97] a store that could not be opened is not kept locked: the next try opens it', () => {
    const sealer = fakeSealer('key')
    const failing = {
      ...sealer,
      seal: () => {
        throw new Error('the sealer fails, once')
      },
    }
    expect(() => new SqliteStore({ path: path(), sealer: failing })).toThrow(expect.objectContaining({ code: 'store/failed' }))
    new SqliteKeyValueStore(openStore()).put('space', 'key', utf8('value'))
  })

  it('[SY93] nothing that was put can be read in the folder: not names, not keys, not values', () => {
    const store = openStore()
    new SqliteKeyValueStore(store).put('canary-space', 'canary-key', utf8('canary-value'))
    const log = new SqliteEnvelopeLog(store)
    log.append('text/canary-doc' as DocId, ref(1), utf8('canary-envelope'), 0)
    log.saveState('text/canary-doc' as DocId, utf8('canary-state'))
    log.saveSnapshot('text/canary-doc' as DocId, utf8('canary-snapshot'))
    log.drop('text/canary-gone' as DocId, utf8('canary-tombstone'), 0)
    const all = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name)))).toString('latin1')
    expect(all.length).toBeGreaterThan(1_000)
    expect(all).not.toContain('canary-')
    expect(all).not.toContain(fakeDevice('A'))
  })

  it('[SY94] a file that is no database is set aside, reported, and an empty store starts', () => {
    writeFileSync(path(), 'this is not a database '.repeat(400))
    const store = openStore()
    expect(store.setAsideAtStart?.path).toContain('store.sqlite.damaged-')
    expect(readFileSync(store.setAsideAtStart?.path as string, 'utf8')).toContain('not a database')
    expect(new SqliteEnvelopeLog(store).docs()).toEqual([])
  })

  it('[SY94] overwritten pages are found at the start after a crash', () => {
    const log = new SqliteEnvelopeLog(openStore())
    new SqliteKeyValueStore(open[0] as SqliteStore).put('devices', 'list', utf8('my devices'))
    for (let seq = 1; seq <= 500; seq++) log.append(DOC, ref(seq), utf8('x'.repeat(300)), 0)
    for (const store of open.splice(0)) store.dispose()
    const bytes = readFileSync(path())
    const isClean = Buffer.from('clean')
    bytes.fill(0xaa, 16 * 4096, bytes.length)
    // a crash leaves no mark of a clean end
    for (let at = bytes.indexOf(isClean); at >= 0; at = bytes.indexOf(isClean, at + 1)) bytes.fill(0x78, at, at + 5)
    writeFileSync(path(), bytes)
    const store = openStore()
    expect(store.setAsideAtStart?.reason).toContain('is damaged')
    expect(new SqliteEnvelopeLog(store).docs()).toEqual([])
    // small entries that can be read are carried over: the device must know the peers that heal it
    expect(new SqliteKeyValueStore(store).entries('devices').map(([key]) => key)).toEqual(['list'])
  })

  it('[SY94] a store sealed under another key is set aside', () => {
    new SqliteKeyValueStore(openStore('one')).put('a', 'k', utf8('v'))
    for (const store of open.splice(0)) store.dispose()
    const store = openStore('two')
    expect(store.setAsideAtStart?.reason).toContain('cannot be unsealed')
    expect(new SqliteKeyValueStore(store).get('a', 'k')).toBeUndefined()
  })

  it('[SY95] a value that cannot be unsealed sets the store aside while it is in use; small entries are carried over, positions go on', () => {
    const store = openStore()
    const log = new SqliteEnvelopeLog(store)
    const values = new SqliteKeyValueStore(store)
    values.put('devices', 'list', utf8('my devices'))
    log.append(DOC, ref(1), utf8('one'), 0)
    const last = log.append(DOC, ref(2), utf8('two'), 0)
    store.write(() => store.statement("update envelope set bytes = x'00112233445566778899'").run())
    const told: string[] = []
    log.onDidSetAside(({ path: where }) => told.push(where))
    expect(() => log.find(DOC, ref(1))).toThrow(expect.objectContaining({ code: 'store/damaged' }))
    expect(told).toEqual([expect.stringContaining('.damaged-')])
    expect(log.docs()).toEqual([])
    expect(new TextDecoder().decode(values.get('devices', 'list'))).toBe('my devices')
    expect(log.append(DOC, ref(1), utf8('again'), 0)).toBeGreaterThan(last)
  })

  it('[SY96] after dispose every call says store/closed', () => {
    const store = openStore()
    store.dispose()
    expect(() => new SqliteKeyValueStore(store).get('a', 'k')).toThrow(expect.objectContaining({ code: 'store/closed' }))
  })
})
