import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DeviceId, DocId } from '../base/ids.ts'
import { EnvelopeAuthor } from '../testkit/envelope-author.ts'
import { fakeDevice } from '../testkit/fake-identity.ts'
import type { StartId } from './client-ids.ts'
import type { EnvelopeRef } from './envelope.ts'
import type { EnvelopeLog } from './envelope-log.ts'
import { Frontier } from './frontier.ts'

const DOC = 'workspace' as DocId
const OTHER = 'text/other' as DocId
const ref = (seq: number, device: DeviceId = fakeDevice('A'), start = '0011223344556677'): EnvelopeRef => ({
  device,
  start: start as StartId,
  seq,
})
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder().decode(value)

/** Rules SY80-SY87: what every implementation of EnvelopeLog does. `make` opens an empty log. */
export function describeEnvelopeLog(name: string, make: () => { log: EnvelopeLog; reopen: () => EnvelopeLog; close: () => void }): void {
  describe(name, () => {
    let made: ReturnType<typeof make>
    let log: EnvelopeLog
    beforeEach(() => {
      made = make()
      log = made.log
    })
    afterEach(() => made.close())

    const page = (doc: DocId, after: number, have = new Frontier(), maxBytes = 1_000) => {
      const { rows, next, isLast } = log.page(doc, { after, have, maxBytes })
      return { texts: rows.map((row) => text(row.bytes)), next, isLast }
    }

    it('[SY80] what was appended is found and paged in order, per document', () => {
      const first = log.append(DOC, ref(1), bytes('one'), 5)
      log.append(OTHER, ref(1), bytes('elsewhere'), 5)
      const second = log.append(DOC, ref(2), bytes('two'), 6)
      expect(second).toBeGreaterThan(first)
      expect(text(log.find(DOC, ref(2)))).toBe('two')
      expect(log.find(DOC, ref(3))).toBeUndefined()
      expect(log.positionOf(DOC, ref(2))).toBe(second)
      expect(log.positionOf(DOC, ref(3))).toBeUndefined()
      expect(page(DOC, 0)).toEqual({ texts: ['one', 'two'], next: second, isLast: true })
      expect(page(DOC, first)).toEqual({ texts: ['two'], next: second, isLast: true })
      expect(page(DOC, second)).toEqual({ texts: [], next: second, isLast: true })
      expect(log.size(DOC)).toEqual({ envelopes: 2, bytes: expect.any(Number) })
      expect([...log.docs()].sort()).toEqual([OTHER, DOC])
    })

    it('[SY81] appending the same envelope again changes nothing', () => {
      const first = log.append(DOC, ref(1), bytes('one'), 5)
      expect(log.append(DOC, ref(1), bytes('one'), 9)).toBe(first)
      expect(page(DOC, 0).texts).toEqual(['one'])
    })

    it('[SY82] a page leaves out what the asker has and stops at its size, never before the first', () => {
      for (let seq = 1; seq <= 4; seq++) log.append(DOC, ref(seq), bytes(`a${seq}`.padEnd(400, '.')), 0)
      log.append(DOC, ref(1, fakeDevice('B')), bytes('b1'), 0)
      const have = new Frontier([ref(2)])
      const first = page(DOC, 0, have, 100)
      expect([first.texts.map((one) => one?.slice(0, 2)), first.isLast]).toEqual([['a3'], false])
      const second = page(DOC, first.next, have, 450)
      expect([second.texts.map((one) => one?.slice(0, 2)), second.isLast]).toEqual([['a4', 'b1'], true])
    })

    it('[SY83] state and snapshot are kept, newest only', () => {
      expect([log.loadState(DOC), log.loadSnapshot(DOC)]).toEqual([undefined, undefined])
      log.saveState(DOC, bytes('state 1'))
      log.saveState(DOC, bytes('state 2'))
      log.saveSnapshot(DOC, bytes('snapshot'))
      expect([text(log.loadState(DOC)), text(log.loadSnapshot(DOC))]).toEqual(['state 2', 'snapshot'])
      expect(log.docs()).toEqual([DOC])
    })

    it('[SY84] pruning forgets what is both old and covered', () => {
      log.append(DOC, ref(1), bytes('old, covered'), 10)
      log.append(DOC, ref(2), bytes('new, covered'), 90)
      const last = log.append(DOC, ref(1, fakeDevice('B')), bytes('old, not covered'), 10)
      expect(log.prune(DOC, new Frontier([ref(2)]), 50)).toBe(1)
      expect(page(DOC, 0).texts).toEqual(['new, covered', 'old, not covered'])
      expect(log.append(DOC, ref(3), bytes('later'), 99)).toBeGreaterThan(last)
    })

    it('[SY84] forgets cached state and snapshot, and nothing else', () => {
      log.append(DOC, ref(1), bytes('one'), 5)
      log.saveState(DOC, bytes('state'))
      log.saveSnapshot(DOC, bytes('snapshot'))
      log.forgetStates(DOC)
      log.forgetStates(OTHER)
      expect([log.loadState(DOC), log.loadSnapshot(DOC), page(DOC, 0).texts, log.docs()]).toEqual([undefined, undefined, ['one'], [DOC]])
    })

    it('[SY84] tells the first envelope of each start of a device since a time', () => {
      const [one, again, other] = [new EnvelopeAuthor('A'), new EnvelopeAuthor('A', { start: 'ff'.repeat(8) }), new EnvelopeAuthor('B')]
      for (const [author, atMs] of [
        [one, 1],
        [one, 5],
        [one, 9],
        [other, 6],
        [again, 7],
        [again, 8],
      ] as const) {
        const sealed = author.seal(Uint8Array.of(0, 0), { clients: [] })
        log.append(DOC, author.lastRef, sealed, atMs)
      }
      const since = (atMs: number) =>
        log
          .firstSince(DOC, one.device, atMs)
          .map(({ start, seq }) => `${start.slice(0, 2)} ${seq}`)
          .sort()
      expect([since(0), since(5), since(9), since(10)]).toEqual([['01 1', 'ff 1'], ['01 2', 'ff 1'], ['01 3'], []])
    })

    it('[SY85] dropping a document leaves its tombstone only', () => {
      log.append(OTHER, ref(1), bytes('one'), 0)
      log.saveState(OTHER, bytes('state'))
      log.saveSnapshot(OTHER, bytes('snapshot'))
      log.drop(OTHER, bytes('dropped'), 7)
      expect(log.docs()).toEqual([])
      expect(page(OTHER, 0).texts).toEqual([])
      expect([log.loadState(OTHER), log.loadSnapshot(OTHER), log.find(OTHER, ref(1))]).toEqual([undefined, undefined, undefined])
      expect(text(log.tombstone(OTHER))).toBe('dropped')
    })

    it('[SY86] tombstones are bounded by count and age', () => {
      for (let i = 0; i < 4; i++) log.drop(`text/${i}` as DocId, bytes('x'), i * 10)
      log.pruneTombstones(3, 15)
      expect([0, 1, 2, 3].map((i) => log.tombstone(`text/${i}` as DocId) !== undefined)).toEqual([false, false, true, true])
    })

    it('[SY87] everything is there after closing and opening', () => {
      const position = log.append(DOC, ref(1), bytes('one'), 5)
      log.saveState(DOC, bytes('state'))
      log.saveSnapshot(DOC, bytes('snapshot'))
      log.drop(OTHER, bytes('dropped'), 7)
      log = made.reopen()
      expect(page(DOC, 0)).toEqual({ texts: ['one'], next: position, isLast: true })
      expect([text(log.loadState(DOC)), text(log.loadSnapshot(DOC)), text(log.tombstone(OTHER))]).toEqual(['state', 'snapshot', 'dropped'])
      expect(log.append(DOC, ref(2), bytes('two'), 5)).toBeGreaterThan(position)
    })
  })
}
