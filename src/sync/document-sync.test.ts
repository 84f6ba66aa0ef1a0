import * as Y from 'yjs'
import { afterEach, expect, it, vi } from 'vitest'
import { WORKSPACE_DOC, type DocId } from '../base/ids.ts'
import { writeAwareness } from './awareness-cut.ts'
import { createFakeLinkPair, type FakeLinkPair } from '../testkit/fake-link.ts'
import { FakeDeviceCheck, fakeDevice } from '../testkit/fake-identity.ts'
import { SyncDevice, type SyncDeviceOptions } from '../testkit/sync-device.ts'

const made: SyncDevice[] = []
afterEach(() => {
  for (const device of made.splice(0)) device.dispose()
})

const device = (name: string, options?: SyncDeviceOptions): SyncDevice => {
  const one = new SyncDevice(name, options)
  one.documents.open(WORKSPACE_DOC)
  made.push(one)
  return one
}

const connect = (a: SyncDevice, b: SyncDevice): FakeLinkPair => {
  const pair = createFakeLinkPair(a.id, b.id)
  a.sync.attach(pair.a)
  b.sync.attach(pair.b)
  return pair
}

const faults = (...pairs: FakeLinkPair[]): unknown[] => pairs.flatMap(({ a, b }) => [a.fault, b.fault]).filter(Boolean)

/** Lets everything under way arrive: all of it runs in microtasks and short timers. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 40))

const map = (one: SyncDevice, doc: DocId = WORKSPACE_DOC): Record<string, unknown> => one.documents.open(doc).doc.getMap('m').toJSON()
const set = (one: SyncDevice, key: string, value: unknown, doc: DocId = WORKSPACE_DOC): void =>
  one.documents.open(doc).edit((yDoc) => yDoc.getMap('m').set(key, value))

it('[SY1] what was there before the link and what comes after reaches the peer, and one further on', async () => {
  const [a, b, c] = [device('A'), device('B'), device('C')]
  set(a, 'before', 1)
  set(b, 'too', 2)
  const links = [connect(a, b), connect(b, c)]
  await settle()
  expect(map(c)).toEqual({ before: 1, too: 2 })
  set(a, 'after', 3)
  await settle()
  expect(map(c)).toEqual({ before: 1, too: 2, after: 3 })
  expect(map(b)).toEqual(map(a))
  expect(faults(...links)).toEqual([])
})

it('[SY99] a member keeps the snapshots that an admin passes on, gives them to who comes new, and makes none', async () => {
  const check = new FakeDeviceCheck(['A', 'B', 'C'].map(fakeDevice))
  check.plain.add(fakeDevice('B'))
  const [admin, member] = [device('A', { check }), device('B', { check })]
  connect(admin, member)
  await settle()
  set(admin, 'x', 1)
  set(member, 'y', 2)
  await settle()
  const held = () => member.context.log.loadSnapshot(WORKSPACE_DOC)
  member.documents.open(WORKSPACE_DOC).makeSnapshot()
  expect(held()).toBeUndefined()
  admin.documents.open(WORKSPACE_DOC).makeSnapshot()
  await vi.waitFor(() => expect(held()).toEqual(admin.context.log.loadSnapshot(WORKSPACE_DOC)), { timeout: 30_000 })
  const first = held()
  set(member, 'z', 3)
  await settle()
  admin.documents.open(WORKSPACE_DOC).makeSnapshot()
  await vi.waitFor(() => expect(held()).not.toEqual(first), { timeout: 30_000 })
  const late = device('C', { check })
  const link = connect(member, late)
  await vi.waitFor(() => expect(map(late)).toEqual({ x: 1, y: 2, z: 3 }), { timeout: 30_000 })
  expect(faults(link)).toEqual([])
})

it('[SY2] no frame of y-webrtc crosses a link; one that arrives closes it', async () => {
  const [a, b] = [device('A'), device('B')]
  const link = connect(a, b)
  const first: number[] = []
  for (const end of [link.a, link.b]) end.lane('session').onDidReceive((bytes) => first.push(bytes[0] as number))
  set(a, 'x', 1)
  await settle()
  expect(first.length).toBeGreaterThan(3)
  expect(Math.min(...first)).toBeGreaterThanOrEqual(0x10)
  expect(a.sync.frameCounts.forbidden).toBe(0)
  link.a.lane('session').send(Uint8Array.of(0, 2, 2, 0, 0))
  await settle()
  expect(link.b.fault?.code).toBe('link/forbidden-frame')
  expect(b.sync.frameCounts.forbidden).toBe(1) // the spy of every end-to-end test sees it
})

it('[SY3] without the attachments of y-webrtc nothing follows', async () => {
  const [a, b] = [device('A'), device('B')]
  connect(a, b)
  await settle()
  b.sync.detachFromProvider()
  set(a, 'x', 1)
  await settle()
  expect(map(b)).toEqual({})
})

it('[SY4] a text that only the peer has is opened here by itself, and dropped when the peer drops it', async () => {
  const [a, b] = [device('A'), device('B')]
  const link = connect(a, b)
  await settle()
  const doc = 'text/one' as DocId
  set(a, 'k', 1, doc)
  await settle()
  expect(b.documents.get(doc) && map(b, doc)).toEqual({ k: 1 })
  b.documents.drop(doc)
  await settle()
  expect([a.documents.get(doc), b.documents.get(doc)]).toEqual([undefined, undefined])
  expect(() => a.documents.open(doc)).toThrow(expect.objectContaining({ code: 'sync/dropped' }))
  expect(faults(link)).toEqual([])
})

it('[SY5] a display gets what others do, and its awareness travels until it goes', async () => {
  const [a, b] = [device('A'), device('B')]
  const link = connect(a, b)
  await settle()
  const shown = b.documents.open(WORKSPACE_DOC).attachDisplay()
  const doc = new Y.Doc()
  Y.applyUpdate(doc, shown.state())
  shown.onDidUpdate((update) => Y.applyUpdate(doc, update))
  set(a, 'x', 'y')
  await settle()
  expect(doc.getMap('m').toJSON()).toEqual({ x: 'y' })
  const author = a.documents.open(WORKSPACE_DOC).attachDisplay()
  author.applyAwareness(writeAwareness([{ clientId: author.clientId, clock: 1, json: '{"drag":1}' }]))
  await settle()
  const states = b.documents.open(WORKSPACE_DOC).awareness.getStates()
  expect(states.get(author.clientId)).toEqual({ drag: 1 })
  link.cut()
  await settle()
  expect(states.size).toBe(0)
})
