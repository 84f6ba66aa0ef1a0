import * as Y from 'yjs'
import { describe, expect, it } from 'vitest'
import { EnvelopeAuthor, updateOf } from '../testkit/envelope-author.ts'
import { GateBench } from '../testkit/gate-bench.ts'
import {
  burnClock,
  deleteNothing,
  deleteTheFuture,
  eraseAll,
  hugeCounts,
  setPrototype,
  skipRange,
  spoof,
  withholdFirst,
} from '../testkit/yjs-attacks.ts'

/** Fifty records by the honest author B, at the gate and in a bare document. */
function scene() {
  const honest = new EnvelopeAuthor('B')
  const mallory = new EnvelopeAuthor('M')
  const bench = new GateBench()
  const work = honest.doc()
  const records = updateOf(work, (doc) => {
    for (let i = 0; i < 50; i++) doc.getMap('records').set(`k${i}`, i)
  })
  expect(bench.judge(honest.seal(records))).toBe('pass')
  const bare = new Y.Doc()
  Y.applyUpdate(bare, records)
  return { honest, mallory, bench, work, bare }
}

/** What B does afterwards must still arrive. */
function honestGoesOn({ honest, bench, work }: ReturnType<typeof scene>): void {
  const update = updateOf(work, (doc) => doc.getMap('records').set('later', 'kept'))
  expect(bench.judge(honest.seal(update))).toBe('pass')
  expect(bench.doc.getMap('records').get('later')).toBe('kept')
  expect(bench.hasPending).toBe(false)
}

describe('attacks that a bare Y.Doc falls for', () => {
  it('[SY22] clock burn: one emptied range mutes its victim for ever', () => {
    const one = scene()
    const attack = burnClock(one.honest.clientId(), Y.getState(one.bare.store, one.honest.clientId()))
    Y.applyUpdate(one.bare, attack)
    Y.applyUpdate(
      one.bare,
      updateOf(one.honest.doc(one.work), (doc) => doc.getMap('records').set('muted', 1)),
    )
    expect(one.bare.getMap('records').get('muted')).toBeUndefined() // it worked
    expect(one.bench.judge(one.mallory.forge(attack))).toBe('sync/foreign-client')
    expect(one.bench.judge(one.mallory.forge(burnClock(one.mallory.clientId())))).toBe('sync/clock-jump')
    honestGoesOn(one)
  })

  it('[SY20] spoofed client id: replicas differ for ever', () => {
    const one = scene()
    const attack = spoof(one.honest.clientId(), one.bare)
    const other = new Y.Doc()
    Y.applyUpdate(other, Y.encodeStateAsUpdate(one.bare))
    Y.applyUpdate(one.bare, attack)
    const real = updateOf(one.honest.doc(one.work), (doc) => doc.getMap('records').set('real', 1))
    Y.applyUpdate(other, real)
    Y.applyUpdate(one.bare, real)
    Y.applyUpdate(other, attack)
    expect(one.bare.getMap('records').toJSON()).not.toEqual(other.getMap('records').toJSON()) // it worked
    expect(one.bench.judge(one.mallory.forge(attack))).toBe('sync/foreign-client')
    const borrowed = { clients: [{ start: one.honest.start, n: 1 }] }
    expect(one.bench.judge(one.mallory.forge(attack, borrowed))).toBe('sync/foreign-client')
    honestGoesOn(one)
  })

  it('[SY21] withheld first change: the rest lies in memory and in every state that is sent', () => {
    const one = scene()
    const attack = withholdFirst(one.mallory.doc(one.bare))
    Y.applyUpdate(one.bare, attack)
    expect(one.bare.store.pendingStructs).not.toBeNull() // it worked
    expect(one.bench.judge(one.mallory.forge(attack))).toBe('sync/clock-gap')
    honestGoesOn(one)
  })

  it('[SY24] deletes of the future: what the victim writes next is gone as it arrives', () => {
    const one = scene()
    const attack = deleteTheFuture(one.honest.clientId())
    Y.applyUpdate(one.bare, attack)
    const next = updateOf(one.honest.doc(one.work), (doc) => doc.getMap('records').set('next', 1))
    Y.applyUpdate(one.bare, next)
    expect(one.bare.getMap('records').get('next')).toBeUndefined() // it worked
    expect(one.bench.judge(one.mallory.forge(attack, { clients: [] }))).toBe('sync/deletes-the-future')
    honestGoesOn(one)
  })

  it('[SY24] an empty deletion behind the end: Yjs throws in the middle of a transaction', () => {
    const one = scene()
    const attack = deleteNothing(one.honest.clientId(), Y.getState(one.bare.store, one.honest.clientId()))
    expect(() => Y.applyUpdate(one.bare, attack)).toThrow() // it worked
    expect(one.bench.judge(one.mallory.forge(attack, { clients: [] }))).toBe('sync/deletes-the-future')
    honestGoesOn(one)
  })

  it('[SY25] prototype key: reading the map as an object replaces its prototype', () => {
    const one = scene()
    const attack = setPrototype(one.mallory.doc(one.bare))
    Y.applyUpdate(one.bare, attack)
    expect(Object.getPrototypeOf(one.bare.getMap('records').toJSON())).toEqual({ polluted: true }) // it worked
    expect(one.bench.judge(one.mallory.forge(attack))).toBe('sync/forbidden-content')
    honestGoesOn(one)
  })

  it('[SY25] a skipped range: later changes of that author stay pending', () => {
    const one = scene()
    const attack = skipRange(one.mallory.clientId())
    expect(one.bench.judge(one.mallory.forge(attack))).toBe('sync/forbidden-content')
    honestGoesOn(one)
  })

  it('[SY26] counts beyond the bytes: an error at once, not a long loop', () => {
    const one = scene()
    expect(() => Y.applyUpdate(one.bare, hugeCounts())).toThrow() // it worked: uncaught, it ends the process
    expect(one.bench.judge(one.mallory.forge(hugeCounts()))).toBe('sync/malformed')
    honestGoesOn(one)
  })

  it('[SY27] a member may delete what exists: its signed envelope is the evidence, and the document without it has everything', () => {
    const one = scene()
    const attack = eraseAll(one.bare)
    Y.applyUpdate(one.bare, attack)
    expect([attack.length < 40, one.bare.getMap('records').size]).toEqual([true, 0]) // it worked
    expect(one.bench.judge(one.mallory.seal(attack, { clients: [] }))).toBe('pass')
    expect(one.bench.doc.getMap('records').size).toBe(0)
    const log = one.bench.log.find('workspace' as never, { ...one.honest.lastRef })
    const without = new GateBench()
    expect(without.judge(log as Uint8Array)).toBe('pass')
    expect(without.doc.getMap('records').size).toBe(50)
  })

  it('[SY20] an outsider gets nothing in, whatever it signs', () => {
    const one = scene()
    const outsider = new EnvelopeAuthor('X')
    expect(one.bench.judge(outsider.forge(eraseAll(one.bare), { clients: [] }))).toBe('sync/not-a-member')
    honestGoesOn(one)
  })
})
