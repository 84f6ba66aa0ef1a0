import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { errorCode } from '../../base/errors.ts'
import { WORKSPACE_DOC } from '../../base/ids.ts'
import { Documents } from '../../sync/documents.ts'
import { EnvelopeAuthor, updateOf } from '../../testkit/envelope-author.ts'
import { fakeDevice, fakeSealer } from '../../testkit/fake-identity.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { syncContext } from '../../testkit/sync-device.ts'
import { SqliteEnvelopeLog } from './sqlite-envelope-log.ts'
import { SqliteKeyValueStore } from './sqlite-key-value-store.ts'
import { SqliteStore } from './sqlite-store.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'elsewhere-full-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const openStore = (): SqliteStore => new SqliteStore({ path: join(folder, 'store.sqlite'), sealer: fakeSealer() })
/** SQLite's own limit gives the same SQLITE_FULL as a full disk, without one. */
const limitPages = (store: SqliteStore, pages: number): unknown => store.statement(`pragma max_page_count = ${pages}`).get()

it('[SY36] a full disk: said with store/disk-full, the change stays, and is kept as soon as there is room', () => {
  const store = openStore()
  const clock = new ManualClock()
  const context = syncContext(fakeDevice('A'), { log: new SqliteEnvelopeLog(store), store: new SqliteKeyValueStore(store), clock })
  const documents = new Documents(context)
  const replica = documents.open(WORKSPACE_DOC)
  const told: string[] = []
  documents.onDidFailToKeep(({ code }) => told.push(code))
  replica.edit((doc) => doc.getMap('m').set('small', 1))
  limitPages(store, 1)
  clock.advance(20)
  replica.edit((doc) => doc.getMap('m').set('large', 'x'.repeat(200_000)))
  expect(told).toEqual(['store/disk-full'])
  expect(replica.pendingBytes).toBeGreaterThan(200_000)
  expect(replica.doc.getMap('m').has('large')).toBe(true)
  limitPages(store, 1_000_000)
  clock.advance(5_000)
  expect(replica.pendingBytes).toBe(0)
  documents.dispose()
  store.dispose()
  const again = openStore()
  const reopened = new Documents(syncContext(fakeDevice('A'), { log: new SqliteEnvelopeLog(again), store: new SqliteKeyValueStore(again) }))
  expect(reopened.open(WORKSPACE_DOC).doc.getMap('m').has('large')).toBe(true)
  reopened.dispose()
  again.dispose()
})

it('[SY36] a full disk: an envelope of a peer is not taken, so that it is asked for again', () => {
  const store = openStore()
  const documents = new Documents(
    syncContext(fakeDevice('A'), { log: new SqliteEnvelopeLog(store), store: new SqliteKeyValueStore(store) }),
  )
  const replica = documents.open(WORKSPACE_DOC)
  const author = new EnvelopeAuthor('B')
  const bytes = author.forge(updateOf(author.doc(), (doc) => doc.getMap('m').set('x', 'y'.repeat(200_000))))
  limitPages(store, 1)
  const told: string[] = []
  documents.onDidFailToKeep(({ code }) => told.push(code))
  const receive = (): unknown => replica.receive(bytes, () => {})
  expect(receive).toThrow(expect.objectContaining({ code: 'store/disk-full' }))
  expect(replica.frontier.size).toBe(0)
  expect(told).toEqual(['store/disk-full'])
  limitPages(store, 1_000_000)
  expect(receive()).toMatchObject({ kind: 'pass' })
  documents.dispose()
  store.dispose()
})

it('[SY89] a folder that cannot be written: store/read-only, and the message says what to do', ({ skip }) => {
  const isRoot = process.getuid?.() === 0
  try {
    if (isRoot) execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', folder], { stdio: 'ignore' })
    else chmodSync(folder, 0o555)
  } catch {
    skip('root writes everywhere, and this machine does not let it mount a read-only folder')
  }
  try {
    let error: unknown
    try {
      openStore()
    } catch (thrown) {
      error = thrown
    }
    expect(errorCode(error)).toBe('store/read-only')
    expect(String(error)).toContain(`${folder} cannot be written: make the folder writable`)
  } finally {
    if (isRoot) execFileSync('umount', [folder])
    else chmodSync(folder, 0o755)
  }
})
