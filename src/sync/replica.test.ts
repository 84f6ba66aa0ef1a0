import * as awarenessProtocol from 'y-protocols/awareness'
import * as Y from 'yjs'
import { afterEach, describe, expect, it } from 'vitest'
import { WORKSPACE_DOC, type DocId } from '../base/ids.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import { EnvelopeAuthor, updateOf } from '../testkit/envelope-author.ts'
import { FakeDeviceCheck, fakeDevice, fakeEnvelopeSeal, fakeSigner } from '../testkit/fake-identity.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { syncContext } from '../testkit/sync-device.ts'
import { writeAwareness } from './awareness-cut.ts'
import { CausalState } from './causal-state.ts'
import { decodeEnvelope } from './envelope.ts'
import { Frontier } from './frontier.ts'
import { MemoryEnvelopeLog } from './memory-envelope-log.ts'
import { Replica, type ReplicaOptions } from './replica.ts'
import { openSnapshot, signSnapshot } from './snapshot.ts'

const opened: Replica[] = []
afterEach(() => {
  for (const replica of opened.splice(0)) replica.dispose()
})

function setUp(options: ReplicaOptions = {}) {
  const clock = new ManualClock()
  const log = new MemoryEnvelopeLog()
  const store = new MemoryKeyValueStore()
  const open = (): Replica => {
    const replica = new Replica(syncContext(fakeDevice('A'), { clock, log, store }), WORKSPACE_DOC, options)
    opened.push(replica)
    return replica
  }
  const envelopes = () =>
    log.page(WORKSPACE_DOC, { after: 0, have: new Frontier(), maxBytes: 1e9 }).rows.map((row) => decodeEnvelope(row.bytes))
  return { clock, log, store, open, envelopes, replica: open() }
}

/** A display's own document, as the renderer keeps one. */
function display(replica: Replica, doc = new Y.Doc()) {
  const attachment = replica.attachDisplay()
  Y.applyUpdate(doc, attachment.state(), 'device')
  doc.clientID = attachment.clientId
  attachment.onDidUpdate((update) => Y.applyUpdate(doc, update, 'device'))
  return { attachment, doc, set: (key: string, value: unknown) => attachment.apply(updateOf(doc, () => doc.getMap('m').set(key, value))) }
}
const into = (replica: Replica) => (update: Uint8Array) => Y.applyUpdate(replica.doc, update, 'peer')

describe('batches', () => {
  it('[SY34] the first change after a quiet moment is in the log at once, more within 16 ms, one envelope for all', () => {
    const { clock, replica, envelopes } = setUp()
    const one = display(replica)
    one.set('a', 1)
    expect(envelopes().length).toBe(1)
    one.set('b', 2)
    one.set('c', 3)
    expect([envelopes().length, replica.pendingBytes > 0]).toEqual([1, true])
    clock.advance(16)
    expect([envelopes().length, replica.pendingBytes]).toEqual([2, 0])
    expect(clock.pendingTimers).toBe(0)
  })

  it('[SY34] while the lanes are backed up a batch takes 100 ms', () => {
    const { clock, replica, envelopes } = setUp()
    replica.isBackedUp = () => true
    const one = display(replica)
    one.set('a', 1)
    one.set('b', 2)
    clock.advance(99)
    expect(envelopes().length).toBe(1)
    clock.advance(1)
    expect(envelopes().length).toBe(2)
  })

  it('[SY35] an envelope names its predecessor, the heads it was made on, and the client ids it uses', () => {
    const { clock, replica, envelopes } = setUp()
    const one = display(replica)
    const two = display(replica)
    one.set('a', 1)
    const author = new EnvelopeAuthor('B')
    replica.receive(author.seal(updateOf(author.doc(), (doc) => doc.getMap('m').set('b', 1))), into(replica))
    one.set('c', 2)
    two.set('d', 3)
    clock.advance(16)
    const [first, theirs, last] = envelopes()
    expect([first?.seq, last?.seq]).toEqual([1, 2])
    expect(last?.deps).toEqual([{ device: theirs?.device, start: theirs?.start, seq: 1 }])
    expect(last?.clients.length).toBe(2)
  })

  it('[SY35] more heads than an envelope names are joined by empty ones first', () => {
    const { replica, envelopes } = setUp()
    for (let n = 0; n < 150; n++) {
      const author = new EnvelopeAuthor('B', { start: n.toString(16).padStart(16, '0') })
      replica.receive(author.seal(Uint8Array.of(0, 0), { clients: [] }), into(replica))
    }
    replica.edit((doc) => doc.getMap('m').set('a', 1))
    const own = envelopes().filter(({ device }) => device === fakeDevice('A'))
    expect(own.map(({ deps }) => deps.length)).toEqual([64, 64, 22])
  })
})

describe('displays', () => {
  it('[SY40] a display sees the changes of others and not its own again', () => {
    const { replica } = setUp()
    const one = display(replica)
    const two = display(replica)
    let echoes = 0
    one.attachment.onDidUpdate(() => echoes++)
    one.set('a', 1)
    expect([two.doc.getMap('m').get('a'), echoes]).toEqual([1, 0])
    expect(two.attachment.clientId).not.toBe(one.attachment.clientId)
  })

  it('[SY41] changes under a client id that it was not given are refused whole', () => {
    const { replica, envelopes } = setUp()
    const one = display(replica)
    const two = display(replica)
    const foreign = new Y.Doc()
    for (const clientId of [two.attachment.clientId, 12_345]) {
      foreign.clientID = clientId
      const update = updateOf(foreign, (doc) => doc.getMap('m').set('x', 1))
      expect(() => one.attachment.apply(update)).toThrow(expect.objectContaining({ code: 'sync/foreign-client' }))
    }
    expect([replica.doc.getMap('m').size, envelopes().length]).toEqual([0, 0])
  })

  it('[SY42] a display that outlived its device flushes what the device lost, under its old id', () => {
    const { replica, open, envelopes } = setUp()
    const one = display(replica)
    one.set('kept', 1)
    one.set('in the batch', 2)
    replica.discard() // killed before the batch was sealed
    const again = open()
    expect(again.doc.getMap('m').toJSON()).toEqual({ kept: 1 })
    const back = display(again, one.doc)
    expect(back.attachment.clientId).not.toBe(one.attachment.clientId)
    back.attachment.apply(Y.encodeStateAsUpdate(one.doc, Y.encodeStateVector(again.doc)))
    expect(again.doc.getMap('m').toJSON()).toEqual({ kept: 1, 'in the batch': 2 })
    const [first, second] = envelopes()
    expect(second?.clients).toEqual(first?.clients)
    expect(second?.start).not.toBe(first?.start)
  })

  it('[SY43] awareness is cut to the display that speaks, and goes with it', () => {
    const { replica } = setUp()
    const one = display(replica)
    const two = display(replica)
    const heard = new awarenessProtocol.Awareness(new Y.Doc())
    two.attachment.onDidChangeAwareness((update) => awarenessProtocol.applyAwarenessUpdate(heard, update, 'device'))
    one.attachment.applyAwareness(
      writeAwareness([
        { clientId: one.attachment.clientId, clock: 1, json: '{"drag":1}' },
        { clientId: two.attachment.clientId, clock: 1, json: '{"drag":"forged"}' },
      ]),
    )
    expect(heard.getStates().get(one.attachment.clientId)).toEqual({ drag: 1 })
    expect(heard.getStates().has(two.attachment.clientId)).toBe(false)
    expect(two.attachment.awarenessState()).toBeDefined()
    one.attachment.dispose()
    expect(heard.getStates().has(one.attachment.clientId)).toBe(false)
    expect(() => two.attachment.applyAwareness(Uint8Array.of(9, 9))).toThrow(expect.objectContaining({ code: 'sync/malformed' }))
    heard.destroy()
  })
})

describe('load and snapshots', () => {
  it('[SY37] a load starts from the cached state and replays only what came after', () => {
    const { replica, open, log } = setUp()
    replica.edit((doc) => doc.getMap('m').set('a', 1))
    replica.saveState()
    const { state } = { state: log.loadState(WORKSPACE_DOC) }
    replica.flush()
    replica.edit((doc) => doc.getMap('m').set('b', 2))
    replica.flush()
    replica.discard()
    expect(log.loadState(WORKSPACE_DOC)).toEqual(state)
    const again = open()
    expect(again.doc.getMap('m').toJSON()).toEqual({ a: 1, b: 2 })
    again.edit((doc) => doc.getMap('m').set('c', 3))
    expect(again.frontier.size).toBe(2)
  })

  it('[SY38] a snapshot brings a new device everything; the log goes on behind it', () => {
    const source = setUp()
    for (let n = 0; n < 5; n++) source.replica.edit((doc) => doc.getMap('m').set(`k${n}`, n))
    source.replica.makeSnapshot()
    const snapshot = source.log.loadSnapshot(WORKSPACE_DOC) as Uint8Array
    const target = setUp()
    expect(target.replica.receiveSnapshot(snapshot, into(target.replica))).toBe(true)
    expect(target.replica.doc.getMap('m').size).toBe(5)
    expect(target.replica.frontier.compare(source.replica.frontier)).toBe('same')
    expect(target.replica.receiveSnapshot(snapshot, into(target.replica))).toBe(false)
    target.replica.discard()
    expect(target.open().doc.getMap('m').size).toBe(5)
  })

  it('[SY38] envelopes that came before the snapshot they need are let in by it', () => {
    const author = new EnvelopeAuthor('B')
    const work = author.doc()
    const source = setUp()
    const first = author.seal(updateOf(work, (doc) => doc.getMap('m').set('one', 1)))
    source.replica.receive(first, into(source.replica))
    source.replica.makeSnapshot()
    const target = setUp()
    const second = author.seal(updateOf(work, (doc) => doc.getMap('m').set('two', 2)))
    expect(target.replica.receive(second, into(target.replica)).kind).toBe('wait')
    target.replica.receiveSnapshot(source.log.loadSnapshot(WORKSPACE_DOC) as Uint8Array, into(target.replica))
    expect([target.replica.waiting, target.replica.doc.getMap('m').toJSON()]).toEqual([0, { one: 1, two: 2 }])
  })

  it.each(['byte', 'doc'] as const)('[SY38] a snapshot with another %s is refused', (what) => {
    const source = setUp()
    source.replica.edit((doc) => doc.getMap('m').set('a', 1))
    source.replica.makeSnapshot()
    const snapshot = Uint8Array.from(source.log.loadSnapshot(WORKSPACE_DOC) as Uint8Array)
    if (what === 'byte') snapshot[snapshot.length - 90] = (snapshot[snapshot.length - 90] as number) ^ 1
    const context = syncContext(fakeDevice('B'))
    const target = new Replica(context, (what === 'doc' ? 'text/other' : WORKSPACE_DOC) as DocId)
    opened.push(target)
    const code = what === 'doc' ? 'sync/wrong-doc' : 'sync/bad-signature'
    expect(() => target.receiveSnapshot(snapshot, into(target))).toThrow(expect.objectContaining({ code }))
    expect(target.doc.getMap('m').size).toBe(0)
  })

  it('[SY99] a member makes no snapshot, and one that it signed all the same is refused', () => {
    const { replica, log, clock } = setUp()
    replica.edit((doc) => doc.getMap('m').set('a', 1))
    const check = new FakeDeviceCheck([fakeDevice('A'), fakeDevice('B')])
    check.plain.add(fakeDevice('B'))
    const member = new Replica(syncContext(fakeDevice('B'), { clock, check }), WORKSPACE_DOC)
    opened.push(member)
    member.edit((doc) => doc.getMap('m').set('b', 2))
    member.makeSnapshot()
    const forged = signSnapshot(WORKSPACE_DOC, new CausalState(), member.state(), fakeEnvelopeSeal, fakeSigner(fakeDevice('B')))
    const reader = new Replica(syncContext(fakeDevice('A'), { clock, log, check }), WORKSPACE_DOC)
    opened.push(reader)
    expect(() => reader.receiveSnapshot(forged, into(reader))).toThrow(expect.objectContaining({ code: 'sync/not-an-admin' }))
    check.plain.clear() // the same bytes of an admin would have been read
    expect(() => openSnapshot(forged, WORKSPACE_DOC, check, fakeEnvelopeSeal)).not.toThrow()
  })

  it('[SY39] a snapshot is made by itself after so many envelopes, and old log behind it goes', () => {
    const { clock, replica, log } = setUp({ snapshotEvery: 10 })
    for (let n = 0; n < 10; n++) {
      replica.edit((doc) => doc.getMap('m').set('k', n))
      clock.advance(20)
    }
    clock.advance(1_000)
    expect(log.loadSnapshot(WORKSPACE_DOC)).toBeDefined()
    expect(log.size(WORKSPACE_DOC).envelopes).toBe(10)
    clock.advance(91 * 24 * 3_600_000)
    replica.edit((doc) => doc.getMap('m').set('k', 'new'))
    replica.makeSnapshot()
    expect(log.size(WORKSPACE_DOC).envelopes).toBe(1)
  })

  it('[SY39] envelopes are counted over restarts', () => {
    const { clock, replica, log, open } = setUp({ snapshotEvery: 10 })
    const write = (to: Replica): void => {
      for (let n = 0; n < 6; n++) {
        to.edit((doc) => doc.getMap('m').set('k', n))
        clock.advance(20)
      }
    }
    write(replica)
    replica.dispose()
    write(open())
    clock.advance(1_000)
    expect(log.loadSnapshot(WORKSPACE_DOC)).toBeDefined()
  })
})

describe('envelopes of peers', () => {
  it('[SY31] one that comes before its predecessor waits, and enters behind it', () => {
    const { replica } = setUp()
    const author = new EnvelopeAuthor('B')
    const work = author.doc()
    const first = author.seal(updateOf(work, (doc) => doc.getMap('m').set('a', 1)))
    const second = author.seal(updateOf(work, (doc) => doc.getMap('m').set('b', 2)))
    expect(replica.receive(second, into(replica)).kind).toBe('wait')
    expect([replica.waiting, replica.doc.getMap('m').size]).toEqual([1, 0])
    expect(replica.receive(first, into(replica)).kind).toBe('pass')
    expect([replica.waiting, replica.doc.getMap('m').toJSON()]).toEqual([0, { a: 1, b: 2 }])
  })

  it('[SY31] the room to wait in is bounded', () => {
    const { replica } = setUp()
    const author = new EnvelopeAuthor('B')
    const verdicts = Array.from({ length: 1_030 }, (_, n) =>
      replica.receive(author.forge(Uint8Array.of(0, 0), { seq: n + 2 }), into(replica)),
    )
    expect(replica.waiting).toBe(1_024)
    expect(verdicts.at(-1)).toMatchObject({ kind: 'refused', code: 'sync/waiting-full', isForged: false })
  })

  it('[SY33] a copied folder pauses its device, over restarts, until a person resumes it', () => {
    const { replica, store } = setUp()
    const author = new EnvelopeAuthor('B')
    const found: string[] = []
    replica.onDidFindCopy(({ device }) => found.push(device))
    replica.receive(author.forge(Uint8Array.of(0, 0), { clients: [] }), into(replica))
    replica.receive(author.forge(Uint8Array.of(0, 0)), into(replica))
    expect(found).toEqual([author.device])
    const context = syncContext(fakeDevice('A'), { store })
    expect(context.paused.all()).toEqual([author.device])
    context.paused.resume(author.device, [])
    expect(syncContext(fakeDevice('A'), { store }).paused.all()).toEqual([])
  })
})
