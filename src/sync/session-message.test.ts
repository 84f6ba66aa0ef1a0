import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../base/bytes.ts'
import { errorCode } from '../base/errors.ts'
import { WORKSPACE_DOC, type DocId } from '../base/ids.ts'
import { EnvelopeAuthor, updateOf } from '../testkit/envelope-author.ts'
import { createFakeLinkPair } from '../testkit/fake-link.ts'
import { fakeDevice, fakeSigner } from '../testkit/fake-identity.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { SyncDevice } from '../testkit/sync-device.ts'
import type { StartId } from './client-ids.ts'
import { Frontier } from './frontier.ts'
import { decodeMessage, encodeMessage, type SessionMessage } from './session-message.ts'
import { signTombstone } from './tombstone.ts'
import { roundsOfRun } from '../testkit/seeded-random.ts'

const START = '0102030405060708' as StartId
const TEXT = 'text/letter' as DocId

/**
 * What a device B said to A in the first released protocol: hello, its frontier, two envelopes of the workspace, one of a text, a
 * display's awareness, the text dropped. Made once, kept as golden/v1-conversation.txt, one message in hex a line.
 */
function conversation(): SessionMessage[] {
  const author = new EnvelopeAuthor('B', { start: START })
  const work = author.doc()
  const first = author.seal(updateOf(work, (doc) => doc.getMap('m').set('window', 'open')))
  const second = author.seal(updateOf(work, (doc) => doc.getMap('m').set('window', 'moved')))
  const writer = new EnvelopeAuthor('B', { start: START, doc: TEXT })
  const typed = writer.seal(updateOf(writer.doc(), (doc) => doc.getText('text').insert(0, 'dear')))
  return [
    { kind: 'hello', protocol: 1, oldest: 1 },
    { kind: 'have', doc: WORKSPACE_DOC, epoch: 1, frontier: new Frontier([author.lastRef]) },
    { kind: 'envelopes', doc: WORKSPACE_DOC, isLast: false, envelopes: [first] },
    { kind: 'envelopes', doc: WORKSPACE_DOC, isLast: true, envelopes: [second] },
    { kind: 'have', doc: TEXT, epoch: 1, frontier: new Frontier([writer.lastRef]) },
    { kind: 'envelopes', doc: TEXT, isLast: true, envelopes: [typed] },
    { kind: 'awareness', doc: WORKSPACE_DOC, entries: [{ start: START, n: 1, clock: 4, json: '{"drag":{"x":7}}' }] },
    { kind: 'dropped', tombstone: signTombstone(TEXT, new Frontier([writer.lastRef]), 1_700_000_000_000, fakeSigner(fakeDevice('B'))) },
  ]
}

const golden = (): Uint8Array[] =>
  readFileSync(new URL('golden/v1-conversation.txt', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map(fromHex)

describe('messages', () => {
  it('[SY7] the recorded conversation of version 1 is what we still say', () => {
    expect(conversation().map((message) => toHex(encodeMessage(message)))).toEqual(golden().map(toHex))
  })

  it('[SY7] a device of today understands the recorded conversation of version 1', async () => {
    const device = new SyncDevice('A', { clock: new ManualClock() })
    device.documents.open(WORKSPACE_DOC)
    const pair = createFakeLinkPair(device.id, fakeDevice('B'))
    device.sync.attach(pair.a)
    const dropped: string[] = []
    const typed: string[] = []
    device.documents.onDidOpen(({ docId, doc }) => doc.on('update', () => typed.push(`${docId} ${doc.getText('text').toString()}`)))
    device.documents.onDidDrop(({ doc }) => dropped.push(doc))
    for (const bytes of golden()) {
      pair.b.lane('session').send(bytes)
      for (let hop = 0; hop < 10; hop++) await new Promise((resolve) => setImmediate(resolve))
    }
    const replica = device.documents.open(WORKSPACE_DOC)
    expect(pair.a.fault).toBeUndefined()
    expect(replica.doc.getMap('m').toJSON()).toEqual({ window: 'moved' })
    expect([...replica.awareness.getStates().values()]).toEqual([{ drag: { x: 7 } }])
    expect([typed, dropped]).toEqual([[`${TEXT} dear`], [TEXT]])
    device.dispose()
  })

  it('[SY7] a hello may grow: what a newer peer adds behind it is passed over', () => {
    expect(decodeMessage(Uint8Array.of(0x10, 1, 1, 99, 98))).toEqual({ kind: 'hello', protocol: 1, oldest: 1 })
  })

  it('[SY12] every message is read back as it was', () => {
    const more: SessionMessage[] = [
      { kind: 'snapshot', doc: WORKSPACE_DOC, snapshot: Uint8Array.of(1, 2, 3) },
      { kind: 'copied', doc: WORKSPACE_DOC, first: Uint8Array.of(1), second: Uint8Array.of(2) },
    ]
    for (const message of [...conversation(), ...more]) expect(decodeMessage(encodeMessage(message))).toEqual(message)
  })

  /** Reads recorded messages with a byte changed, or cut: what is thrown has a code of ours. @throws Error  with seed and example */
  function fuzzDecoder(decode: (bytes: Uint8Array) => unknown): void {
    const all = conversation().map(encodeMessage)
    const change = fc.record({
      which: fc.nat({ max: all.length - 1 }),
      at: fc.nat({ max: 2_000 }),
      value: fc.nat({ max: 255 }),
      cut: fc.boolean(),
    })
    fc.assert(
      fc.property(change, ({ which, at, value, cut }) => {
        const bytes = Uint8Array.from(all[which] as Uint8Array)
        bytes[at % bytes.length] = value
        try {
          decode(cut ? bytes.subarray(0, at % bytes.length) : bytes)
        } catch (error) {
          expect(errorCode(error)).toMatch(/^sync\//)
        }
      }),
      { numRuns: roundsOfRun(5_000, 50_000) },
    )
  }

  it('[SY6] any change of a byte, any cut: read, or refused with a code of ours', () => fuzzDecoder(decodeMessage))

  it('[SY6] the fuzz finds a decoder that believes a length (planted)', () => {
    const believing = (bytes: Uint8Array) => {
      if (bytes[0] === 0x14 && (bytes[1] ?? 0) > bytes.length) throw new RangeError('planted: read beyond the end')
      return decodeMessage(bytes)
    }
    expect(() => fuzzDecoder(believing)).toThrow(/seed/)
  })

  it('[SY6] a device takes any bytes after the hello without a throw, and goes on', { timeout: 60_000 }, async () => {
    const device = new SyncDevice('A', { clock: new ManualClock() })
    const replica = device.documents.open(WORKSPACE_DOC)
    const all = conversation().map(encodeMessage)
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.tuple(fc.constantFrom(...all), fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 })).map(([message, changes]) => {
        const changed = Uint8Array.from(message)
        for (const [at, value] of changes) changed[at % changed.length] = value
        return changed
      }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 6 }), async (messages) => {
        const pair = createFakeLinkPair(device.id, fakeDevice('C'))
        device.sync.attach(pair.a)
        pair.b.lane('session').send(all[0] as Uint8Array)
        for (const message of messages) if (!pair.b.isClosed) pair.b.lane('session').send(message)
        await new Promise((resolve) => setImmediate(resolve))
        pair.cut()
        expect(replica.doc.store.pendingStructs).toBeNull()
      }),
      { numRuns: roundsOfRun(300, 3_000) },
    )
    replica.edit((doc) => doc.getMap('own').set('still', 'works'))
    expect(replica.pendingBytes).toBe(0)
    device.dispose()
  })
})
