import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { WORKSPACE_DOC, type DocId } from '../../base/ids.ts'
import { createFakeLinkPair } from '../../testkit/fake-link.ts'
import { fakeSealer } from '../../testkit/fake-identity.ts'
import { SyncDevice } from '../../testkit/sync-device.ts'
import { SqliteEnvelopeLog } from './sqlite-envelope-log.ts'
import { SqliteKeyValueStore } from './sqlite-key-value-store.ts'
import { SqliteStore } from './sqlite-store.ts'

let folder = ''
const closers: (() => void)[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'elsewhere-heal-'))
})
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close()
  rmSync(folder, { recursive: true, force: true })
})

function boot(name: string): { device: SyncDevice; store: SqliteStore; stop: () => void } {
  const store = new SqliteStore({ path: join(folder, `${name}.sqlite`), sealer: fakeSealer() })
  const device = new SyncDevice(name, { log: new SqliteEnvelopeLog(store), store: new SqliteKeyValueStore(store) })
  device.documents.open(WORKSPACE_DOC)
  let isStopped = false
  const stop = (): void => {
    if (isStopped) return
    isStopped = true
    device.dispose()
    store.dispose()
  }
  closers.push(stop)
  return { device, store, stop }
}

function connect(a: SyncDevice, b: SyncDevice): void {
  const pair = createFakeLinkPair(a.id, b.id)
  a.sync.attach(pair.a)
  b.sync.attach(pair.b)
  closers.push(() => pair.cut())
}
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60))
const map = (device: SyncDevice, doc: DocId = WORKSPACE_DOC): Record<string, unknown> => device.documents.open(doc).doc.getMap('m').toJSON()

it('[SY94] a store that was overwritten while the device was down is healed from a peer, texts included', async () => {
  const first = boot('A')
  const peer = boot('B')
  connect(first.device, peer.device)
  for (let n = 0; n < 50; n++) first.device.documents.open(WORKSPACE_DOC).edit((doc) => doc.getMap('m').set(`k${n}`, n))
  first.device.documents.open('text/letter' as DocId).edit((doc) => doc.getMap('m').set('dear', 'friend'))
  await settle()
  const expected = map(first.device)
  first.stop()
  writeFileSync(join(folder, 'A.sqlite'), 'overwritten '.repeat(5_000))
  const again = boot('A')
  expect(again.store.setAsideAtStart?.path).toContain('damaged')
  expect(map(again.device)).toEqual({})
  connect(again.device, peer.device)
  await settle()
  expect(map(again.device)).toEqual(expected)
  expect(map(again.device, 'text/letter' as DocId)).toEqual({ dear: 'friend' })
  again.device.documents.open(WORKSPACE_DOC).edit((doc) => doc.getMap('m').set('goes', 'on'))
  await settle()
  expect(map(peer.device)).toEqual({ ...expected, goes: 'on' })
})

it('[SY95] rows that are damaged while the device runs: nothing is lost, here or for a peer that comes later', async () => {
  const { device, store, stop } = boot('A')
  for (let n = 0; n < 20; n++) {
    device.documents.open(WORKSPACE_DOC).edit((doc) => doc.getMap('m').set(`k${n}`, n))
    device.documents.open(WORKSPACE_DOC).flush()
  }
  store.write(() => store.statement('update envelope set bytes = zeroblob(40) where position > 5').run())
  const asides: string[] = []
  store.onDidSetAside(({ path }) => asides.push(path))
  const peer = boot('B')
  connect(device, peer.device) // reading the log for the peer meets the damage
  await settle()
  expect(asides.length).toBe(1)
  const relinked = boot('C')
  connect(device, relinked.device)
  await settle()
  expect(map(relinked.device)).toEqual(map(device))
  expect(Object.keys(map(device)).length).toBe(20)
  stop()
  expect(Object.keys(map(boot('A').device)).length).toBe(20)
})
