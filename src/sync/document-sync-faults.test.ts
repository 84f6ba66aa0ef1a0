import * as Y from 'yjs'
import { afterEach, describe, expect, it } from 'vitest'
import { WORKSPACE_DOC, type DocId } from '../base/ids.ts'
import { EnvelopeAuthor, updateOf } from '../testkit/envelope-author.ts'
import { createFakeLinkPair, type FakeLinkPair } from '../testkit/fake-link.ts'
import { FakeDeviceCheck, fakeDevice } from '../testkit/fake-identity.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { SyncDevice, type SyncDeviceOptions } from '../testkit/sync-device.ts'
import { burnClock } from '../testkit/yjs-attacks.ts'
import { writeAwareness } from './awareness-cut.ts'
import type { StartId } from './client-ids.ts'
import { Frontier } from './frontier.ts'
import { MemoryEnvelopeLog } from './memory-envelope-log.ts'
import { decodeMessage, encodeMessage, type SessionMessage } from './session-message.ts'

const clock = new ManualClock()
const made: SyncDevice[] = []
afterEach(() => {
  for (const device of made.splice(0)) device.dispose()
})

const device = (name: string, options?: SyncDeviceOptions): SyncDevice => {
  const one = new SyncDevice(name, { clock, ...options })
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
/** Rooms open, links deliver, and no time passes. */
const settle = async (): Promise<void> => {
  for (let hop = 0; hop < 30; hop++) await new Promise((resolve) => setImmediate(resolve))
}
const set = (one: SyncDevice, key: string, value: unknown, doc: DocId = WORKSPACE_DOC): void => {
  one.documents.open(doc).edit((yDoc) => yDoc.getMap('m').set(key, value))
  one.documents.open(doc).flush()
}
const map = (one: SyncDevice, doc: DocId = WORKSPACE_DOC): Record<string, unknown> => one.documents.open(doc).doc.getMap('m').toJSON()

/** A device that a test plays by hand: says hello, then what it is told to; hears everything. */
function puppet(of: SyncDevice, name = 'M') {
  const pair = createFakeLinkPair(of.id, fakeDevice(name))
  const heard: SessionMessage[] = []
  pair.b.lane('session').onDidReceive((bytes) => heard.push(decodeMessage(bytes)))
  of.sync.attach(pair.a)
  const say = (message: SessionMessage): void => pair.b.lane('session').send(encodeMessage(message))
  say({ kind: 'hello', protocol: 1, oldest: 1 })
  return { pair, heard, say, sendRaw: (bytes: Uint8Array) => pair.b.lane('session').send(bytes) }
}
const envelopes = (...given: Uint8Array[]): SessionMessage => ({ kind: 'envelopes', doc: WORKSPACE_DOC, isLast: true, envelopes: given })
const members = (): FakeDeviceCheck => new FakeDeviceCheck(['A', 'B', 'C', 'M'].map(fakeDevice))

describe('faults of a peer', () => {
  it.each([
    ['a frame of y-webrtc', Uint8Array.of(0, 0, 1, 0), 'link/forbidden-frame'],
    ['an unknown type', Uint8Array.of(0x3f), 'sync/malformed'],
    ['nothing', new Uint8Array(), 'sync/malformed'],
    ['a message cut short', Uint8Array.of(0x12, 9), 'sync/malformed'],
    ['bytes behind a message', Uint8Array.of(...encodeMessage(envelopes()), 0), 'sync/malformed'],
    [
      'a document of an impossible name',
      encodeMessage({ kind: 'have', doc: '../etc' as DocId, epoch: 1, frontier: new Frontier() }),
      'sync/wrong-doc',
    ],
    ['an envelope that is none', encodeMessage(envelopes(Uint8Array.of(1, 2, 3))), 'sync/malformed'],
    ['a hello of another age', encodeMessage({ kind: 'hello', protocol: 9, oldest: 7 }), 'sync/version'],
  ])('[SY6] %s closes its link with a code, and no other', async (_name, bytes, code) => {
    const [a, b] = [device('A', { check: members() }), device('B', { check: members() })]
    const good = connect(a, b)
    const bad = puppet(a)
    await settle()
    bad.sendRaw(bytes)
    await settle()
    expect(bad.pair.a.fault?.code).toBe(code)
    set(b, 'x', 1)
    await settle()
    expect(map(a)).toEqual({ x: 1 })
    expect(good.a.fault).toBeUndefined()
  })

  it('[SY6] what comes before the hello closes the link', async () => {
    const a = device('A')
    const pair = createFakeLinkPair(a.id, fakeDevice('B'))
    a.sync.attach(pair.a)
    pair.b.lane('session').send(encodeMessage(envelopes()))
    await settle()
    expect(pair.a.fault?.code).toBe('sync/malformed')
  })

  it('[SY6] a hostile envelope of its own closes the link; one it passed on does not', async () => {
    const a = device('A', { check: members() })
    const evil = new EnvelopeAuthor('M')
    const attack = evil.forge(burnClock(evil.clientId()))
    const forwarder = puppet(a, 'B')
    await settle()
    forwarder.say(envelopes(attack))
    await settle()
    expect(forwarder.pair.a.fault).toBeUndefined()
    const author = puppet(a, 'M')
    await settle()
    author.say(envelopes(attack))
    await settle()
    expect(author.pair.a.fault?.code).toBe('sync/clock-jump')
  })

  it('[SY7] a peer of another protocol is told apart: update one of the two', async () => {
    const a = device('A')
    const told: string[] = []
    a.sync.onDidMeetOtherProtocol(({ message }) => told.push(message))
    const newer = puppet(a, 'B')
    newer.say({ kind: 'hello', protocol: 8, oldest: 5 })
    await settle()
    expect(told).toEqual([expect.stringContaining('update Elsewhere on this device')])
  })

  it('[SY8] awareness is only of the peer’s own displays, whatever it names', async () => {
    const a = device('A', { check: members() })
    const shown = a.documents.open(WORKSPACE_DOC).attachDisplay()
    const name = a.documents.open(WORKSPACE_DOC).ownClientName(shown.clientId)
    const bad = puppet(a, 'M')
    await settle()
    bad.say({
      kind: 'awareness',
      doc: WORKSPACE_DOC,
      entries: [{ start: name?.start as never, n: name?.n as number, clock: 9, json: '{"forged":1}' }],
    })
    await settle()
    const states = a.documents.open(WORKSPACE_DOC).awareness.getStates()
    expect(states.has(shown.clientId)).toBe(false)
    expect(states.size).toBe(1)
  })
})

it('[SY5] while a lane is full only the newest awareness of a display waits for it', async () => {
  const a = device('A', { check: members() })
  const shown = a.documents.open(WORKSPACE_DOC).attachDisplay()
  const asker = puppet(a, 'B')
  await settle()
  asker.pair.hold()
  set(a, 'large', 'x'.repeat(400_000))
  asker.say({ kind: 'have', doc: WORKSPACE_DOC, epoch: 1, frontier: new Frontier() })
  await settle()
  asker.pair.release()
  asker.pair.hold()
  await settle()
  for (let n = 1; n <= 50; n++) shown.applyAwareness(writeAwareness([{ clientId: shown.clientId, clock: n, json: `{"x":${n}}` }]))
  asker.pair.release()
  await settle()
  const said = asker.heard
    .filter((message) => message.kind === 'awareness')
    .flatMap((message) => message.entries.map((entry) => entry.json))
  expect(said.at(-1)).toBe('{"x":50}')
  expect(said.length).toBeLessThan(50)
})

describe('answers from the log', () => {
  it('[SY9] a long log comes in pages of 64 KiB, and waits while the lane is full', async () => {
    const a = device('A', { check: members() })
    for (let n = 0; n < 40; n++) set(a, `k${n}`, 'x'.repeat(30_000))
    const asker = puppet(a, 'B')
    await settle()
    asker.pair.hold()
    asker.say({ kind: 'have', doc: WORKSPACE_DOC, epoch: 1, frontier: new Frontier() })
    asker.pair.release()
    await settle()
    const pages = asker.heard.filter((message) => message.kind === 'envelopes')
    expect(pages.length).toBeGreaterThan(18)
    expect(pages.flatMap((page) => page.envelopes).length).toBe(40)
    expect(pages.map((page) => page.isLast)).toEqual([...Array.from({ length: pages.length - 1 }, () => false), true])
    expect(Math.max(...pages.map((page) => page.envelopes.reduce((sum, one) => sum + one.length, 0)))).toBeLessThan(64 << 10)
  })

  it('[SY9] a device behind the kept log gets the snapshot and what came after; a third gets all of it from that one', async () => {
    const a = device('A')
    for (let n = 0; n < 20; n++) set(a, `k${n}`, n)
    const replica = a.documents.open(WORKSPACE_DOC)
    clock.advance(91 * 24 * 3_600_000)
    replica.makeSnapshot()
    expect(a.context.log.size(WORKSPACE_DOC).envelopes).toBe(0)
    set(a, 'after', true)
    const [b, c] = [device('B'), device('C')]
    set(c, 'own', 1)
    connect(a, b)
    await settle()
    expect(a.sync.frameCounts.snapshot).toBe(1)
    connect(b, c)
    await settle()
    expect(Object.keys(map(c)).length).toBe(22)
    expect(map(a)).toEqual(map(c))
    expect(map(b)).toEqual(map(c))
  })

  it('[SY9] a newcomer gets a long log as one fresh snapshot, a short one as envelopes', async () => {
    const a = device('A')
    for (let n = 0; n < 400; n++) set(a, `k${n % 10}`, n)
    const b = device('B')
    connect(a, b)
    await settle()
    expect([a.sync.frameCounts.snapshot, b.context.log.size(WORKSPACE_DOC).envelopes]).toEqual([0, 400])
    for (let n = 0; n < 200; n++) set(a, `k${n % 10}`, n)
    const c = device('C')
    connect(a, c)
    await settle()
    expect([a.sync.frameCounts.snapshot, c.context.log.size(WORKSPACE_DOC).envelopes]).toEqual([1, 0])
    expect(map(c)).toEqual(map(a))
  })

  it('[SY9] news of a device that is not on the list yet is asked for again when it is', async () => {
    const check = new FakeDeviceCheck(['A', 'B'].map(fakeDevice))
    const a = device('A', { check })
    const [b, c] = [device('B'), device('C')]
    const link = connect(a, b)
    connect(b, c)
    await settle()
    set(c, 'new', 1)
    set(c, 'newer', 2)
    await settle()
    expect([map(a), map(b)]).toEqual([{}, { new: 1, newer: 2 }])
    check.members.add(c.id)
    a.sync.resync()
    await settle()
    expect(map(a)).toEqual({ new: 1, newer: 2 })
    expect(link.a.fault).toBeUndefined()
  })

  it('[SY9] a new device gets what a device wrote that has left the list since, by snapshot, and so does one that missed its last', async () => {
    const names = ['A', 'B', 'C', 'D'].map(fakeDevice)
    const check = new FakeDeviceCheck(names)
    const [a, b, c] = [device('A', { check }), device('B', { check }), device('C', { check })]
    connect(a, c)
    const ab = connect(a, b)
    set(c, 'by c', 1)
    await settle()
    ab.cut()
    set(c, 'last of c', 2)
    set(a, 'by a', 3)
    await settle()
    check.members.delete(c.id)
    set(a, 'after', 4)
    const d = device('D', { check })
    const links = [connect(a, d), connect(a, b)]
    await settle()
    expect(map(d)).toEqual({ 'by c': 1, 'last of c': 2, 'by a': 3, after: 4 })
    expect(map(b)).toEqual(map(d))
    set(d, 'by d', 5)
    await settle()
    expect(map(b)).toEqual({ ...map(a) })
    expect(Object.keys(map(b)).length).toBe(5)
    expect(links.map((link) => [link.a.fault, link.b.fault]).flat()).toEqual([undefined, undefined, undefined, undefined])
  })

  it('[SY33] a copied folder: every linked device hears of it with proof, and the copies fall silent', async () => {
    const [a, b] = [device('A'), device('B')]
    const start = 'cccccccccccccccc' as StartId
    const one = device('C', { start, log: new MemoryEnvelopeLog() })
    const told: string[] = []
    for (const [name, each] of Object.entries({ a, b, one }))
      each.documents.onDidFindCopy(({ device: who }) => told.push(`${name} ${who === one.id}`))
    set(one, 'x', 'first')
    connect(one, a)
    connect(a, b)
    await settle()
    // the copy was made while the process ran: same start, same sequence, other content
    const second = new EnvelopeAuthor('C', { start })
    const twin = second.forge(updateOf(second.doc(), (doc) => doc.getMap('m').set('x', 'second')))
    const copy = puppet(b, 'C')
    await settle()
    copy.say(envelopes(twin))
    await settle()
    expect(told.sort()).toEqual(['a true', 'b true', 'one true'])
    expect(copy.heard.some((message) => message.kind === 'copied')).toBe(true)
    set(one, 'y', 'after')
    await settle()
    expect([map(a), map(b)]).toEqual([{ x: 'first' }, { x: 'first' }])
  })
})

describe('a copied data folder', () => {
  it('[SY33] two devices that run from copies of one folder are found as soon as each has built on the other', async () => {
    const [a, b, original] = [device('A'), device('B'), device('C')]
    const copy = device('C')
    expect(copy.context.start).not.toBe(original.context.start)
    const told: string[] = []
    for (const [name, each] of Object.entries({ a, b, original, copy })) {
      each.documents.onDidFindCopy(({ device: who }) => told.push(`${name} ${who === original.id}`))
    }
    connect(a, b)
    connect(original, a)
    connect(copy, b)
    await settle()
    for (let n = 0; n < 2 && told.length === 0; n++) {
      set(original, `original ${n}`, n)
      await settle()
      set(copy, `copy ${n}`, n)
      await settle()
    }
    expect(told.sort()).toEqual(['a true', 'b true', 'copy true', 'original true'])
  })

  /** Two processes run from copies of one folder until somebody notices; `a` has met both, `b` none. */
  async function copied() {
    const a = device('A')
    const log = new MemoryEnvelopeLog()
    const original = device('C', { log })
    const copy = device('C')
    connect(original, a)
    const links = [connect(copy, a)] // replaces the one before, as links do
    for (let n = 0; n < 4 && !a.context.paused.has(original.id); n++) {
      set(copy, `copy ${n}`, n)
      await settle()
      links.push(connect(original, a))
      await settle()
      set(original, `original ${n}`, n)
      await settle()
      links.push(connect(copy, a))
      await settle()
    }
    expect(a.context.paused.all()).toEqual([original.id])
    return { a, original, copy, log }
  }

  it('[SY33] the copy that was not linked when it was found hears of it when it links, also after a restart of its peer', async () => {
    const { a, original, copy } = await copied()
    const store = a.context.store
    const b = device('B', { store })
    expect(b.context.paused.proofs().length).toBe(1)
    for (const one of [original, copy]) {
      const again = device('C', { log: one.context.log }) // nobody has told this one yet
      const told: string[] = []
      again.documents.onDidFindCopy(({ device: who }) => told.push(who))
      connect(again, b)
      await settle()
      expect(told).toEqual([one.id])
    }
  })

  it('[SY47] the copy a person keeps goes on under a new start; what was settled proves nothing; the other one is found anew', async () => {
    const { a, original, copy, log } = await copied()
    const proof = a.context.paused.proofs()[0]
    expect(a.context.paused.wasCloned(original.id)).toBe(false)
    set(original, 'said while paused', 1)
    original.documents.resume(original.id)
    const kept = device('C', { log, store: original.context.store })
    expect(kept.context.paused.all()).toEqual([])
    a.documents.resume(kept.id, kept.context.paused.settledStarts(kept.id))
    const link = connect(kept, a)
    set(kept, 'kept', true)
    await settle()
    expect(map(a)).toMatchObject({ kept: true, 'said while paused': 1 })
    set(a, 'from a', true)
    await settle()
    expect(map(kept)).toMatchObject({ 'from a': true })
    // somebody who was away until now still believes the old proof
    kept.documents.get(WORKSPACE_DOC)?.receiveCopyProof(proof?.first ?? new Uint8Array(), proof?.second ?? new Uint8Array())
    expect([kept.context.paused.all(), a.context.paused.all(), link.a.fault, link.b.fault]).toEqual([[], [], undefined, undefined])

    const zombie = device('C', { log: copy.context.log })
    for (let n = 0; n < 4 && a.context.paused.all().length === 0; n++) {
      for (const one of [zombie, kept]) {
        const again = connect(one, a)
        await settle()
        set(one, `${one === kept ? 'kept' : 'zombie'} ${n}`, n)
        await settle()
        again.cut()
      }
    }
    expect(a.context.paused.all()).toEqual([kept.id])
  })

  it('[SY33] a device that is killed and started again and again is no copy of itself', async () => {
    const a = device('A')
    const log = new MemoryEnvelopeLog()
    const told: unknown[] = []
    a.documents.onDidFindCopy((found) => told.push(found))
    for (let n = 0; n < 5; n++) {
      const c = device('C', { log })
      const link = connect(a, c)
      set(c, `c${n}`, n)
      set(a, `a${n}`, n)
      await settle()
      set(c, `c${n} again`, n)
      await settle()
      link.cut()
      for (const replica of c.documents.all()) replica.discard()
    }
    expect(told).toEqual([])
    expect(Object.keys(map(a)).length).toBe(15)
  })
})

describe('texts', () => {
  it('[SY45] dropped while a device was away: it drops it when it is back, and keeps aside what nobody had seen', async () => {
    const [a, b] = [device('A'), device('B')]
    const doc = 'text/letter' as DocId
    const first = connect(a, b)
    await settle()
    set(a, 'k', 'seen', doc)
    await settle()
    first.cut()
    set(b, 'k', 'unseen', doc)
    a.documents.drop(doc)
    const aside: unknown[] = []
    b.documents.onDidDrop(({ unseen }) => {
      const kept = new Y.Doc()
      if (unseen) Y.applyUpdate(kept, unseen)
      aside.push(kept.getMap('m').toJSON())
    })
    const second = connect(a, b)
    await settle()
    expect(aside).toEqual([{ k: 'unseen' }])
    expect([a.documents.get(doc), b.documents.get(doc), second.a.fault, second.b.fault]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })

  it('[SY46] the workspace cannot be dropped, by nobody', () => {
    const a = device('A')
    expect(() => a.documents.drop(WORKSPACE_DOC)).toThrow(expect.objectContaining({ code: 'sync/wrong-doc' }))
  })

  it('[SY46] a hostile member cannot make this device open texts without end', async () => {
    const a = device('A', { check: members() })
    const flood = puppet(a, 'M')
    await settle()
    for (let n = 0; n < 2_100; n++) flood.say({ kind: 'have', doc: `text/f${n}` as DocId, epoch: 1, frontier: new Frontier() })
    await settle()
    expect(a.documents.all().length).toBe(2_000)
    set(a, 'still', 'works')
    expect(map(a)).toEqual({ still: 'works' })
  })
})

it('[SY95] a damaged store while in use: replicas write themselves again, and peers get on', async () => {
  class BreakingLog extends MemoryEnvelopeLog {
    readonly told: ((value: { path: string; reason: string }) => void)[] = []
    override readonly onDidSetAside = (listener: (value: { path: string; reason: string }) => void) => {
      this.told.push(listener)
      return { dispose: () => {} }
    }
  }
  const log = new BreakingLog()
  const a = device('A', { log })
  set(a, 'x', 1)
  log.prune(WORKSPACE_DOC, a.documents.open(WORKSPACE_DOC).frontier, clock.nowMs() + 1)
  for (const tell of log.told) tell({ path: 'store', reason: 'damaged' })
  const b = device('B')
  connect(a, b)
  await settle()
  expect(map(b)).toEqual({ x: 1 })
})
