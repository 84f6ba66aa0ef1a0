import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import { updateOf } from '../testkit/envelope-author.ts'
import { voidUpdate } from './void-update.ts'

const fork = (from: Y.Doc, clientID: number) => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(from))
  doc.clientID = clientID
  return doc
}
const changeOf = updateOf // what a transaction did, as envelopes carry it: not the deletes of others
const apply = (doc: Y.Doc, ...updates: Uint8Array[]) => {
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc
}

const shown = (doc: Y.Doc) => [doc.getText('t').toString(), doc.getArray('a').toJSON()]

describe('voidUpdate', () => {
  it('[SY48] what was erased is back, what was written is gone, what others wrote inside it stays in its place', () => {
    const base = new Y.Doc()
    base.clientID = 1
    const first = changeOf(base, (doc) => doc.getText('t').insert(0, 'honest'))
    const thief = fork(base, 2)
    const erased = changeOf(thief, (doc) => {
      doc.getText('t').delete(0, 6)
      doc.getText('t').insert(0, 'STOLEN')
    })
    const other = fork(thief, 3)
    const inside = changeOf(other, (doc) => doc.getText('t').insert(3, 'kept'))
    const healed = apply(new Y.Doc(), first, voidUpdate(erased), inside)
    expect(healed.getText('t').toString().replace('kept', '')).toBe('honest')
    expect(healed.getText('t').toString()).toContain('kept')
    expect(healed.store.pendingStructs).toBeNull()
  })

  it('[SY48] entries of arrays, nested types and what lies in them go, later work of others stays', () => {
    const base = new Y.Doc()
    base.clientID = 1
    const first = changeOf(base, (doc) => doc.getArray('a').push(['one']))
    const thief = fork(base, 2)
    const made = changeOf(thief, (doc) => doc.getArray('a').push([new Y.Map([['x', 1]]), 'bad']))
    const other = fork(thief, 3)
    const added = changeOf(other, (doc) => {
      ;(doc.getArray('a').get(1) as Y.Map<number>).set('y', 2) // lies in what goes
      doc.getArray('a').push(['two'])
    })
    const healed = apply(new Y.Doc(), first, voidUpdate(made), added)
    expect(healed.getArray('a').toJSON()).toEqual(['one', 'two'])
    expect(healed.store.pendingStructs).toBeNull()
  })

  it.each(Array.from({ length: roundsOfRun(20, 500) }, (_, i) => seedOfRun() + i))(
    '[SY48] whatever the order, devices that void the same changes end equal (seed %i)',
    (seed: number) => {
      const random = new SeededRandom(seed)
      const docs = [1, 2, 3].map((clientID) => Object.assign(new Y.Doc(), { clientID }))
      const updates: { by: number; update: Uint8Array }[] = []
      for (let step = 0; step < 40; step++) {
        const by = random.below(3)
        const doc = docs[by] as Y.Doc
        const text = doc.getText('t')
        const list = doc.getArray('a')
        const update = changeOf(doc, () => {
          if (random.chance(0.3) && text.length > 2) text.delete(random.below(text.length - 1), 1)
          else if (random.chance(0.5)) text.insert(random.below(text.length + 1), `${'abc'[by]}`)
          else if (list.length > 1 && random.chance(0.3)) list.delete(random.below(list.length - 1), 1)
          else list.insert(random.below(list.length + 1), [random.chance(0.3) ? new Y.Map([['k', step]]) : step])
        })
        updates.push({ by, update })
        if (random.chance(0.5)) apply(docs[random.below(3)] as Y.Doc, ...updates.filter(() => random.chance(0.7)).map((one) => one.update))
      }
      const seen = updates.map(({ by, update }) => (by === 1 ? voidUpdate(update) : update))
      const ends = [0, 1, 2].map((turn) => {
        const order = turn === 0 ? seen : turn === 1 ? seen.toReversed() : [...seen].sort(() => random.next() - 0.5)
        return apply(new Y.Doc(), ...order)
      })
      for (const end of ends) {
        expect(end.store.pendingStructs).toBeNull()
        expect(Y.equalSnapshots(Y.snapshot(end), Y.snapshot(ends[0] as Y.Doc))).toBe(true)
        expect(shown(end)).toEqual(shown(ends[0] as Y.Doc))
        expect(end.getText('t').toString()).not.toContain('b')
      }
    },
  )

  it('[SY48] rubbish is told, not swallowed', () => {
    expect(() => voidUpdate(Uint8Array.of(9, 9, 9, 9))).toThrow()
  })
})
