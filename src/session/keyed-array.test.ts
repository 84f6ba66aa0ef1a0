import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { KeyedArray } from './keyed-array.ts'

function replica(clientId: number) {
  const doc = new Y.Doc()
  doc.clientID = clientId
  const records = new KeyedArray(doc, 'records')
  const set = (key: string, value: string | number) => doc.transact(() => records.set(key, value))
  const remove = (key: string) => doc.transact(() => records.delete(key))
  const pull = (from: { doc: Y.Doc }) => Y.applyUpdate(doc, Y.encodeStateAsUpdate(from.doc, Y.encodeStateVector(doc)), 'remote')
  return { doc, records, set, remove, pull }
}

describe('one replica', () => {
  it('[SE1] holds what was set last, and nothing that was deleted', () => {
    const { records, set, remove } = replica(1)
    set('a', 1)
    set('b', 2)
    set('a', 3)
    remove('b')
    remove('never there')
    expect([...records.keys()]).toEqual(['a'])
    expect(records.get('a')).toBe(3)
    expect(records.get('b')).toBeUndefined()
    expect(records.size).toBe(1)
  })

  it('[SE1] ten thousand writes of one key leave a handful of items', () => {
    const { doc, set } = replica(1)
    for (let i = 0; i < 10_000; i++) set('a', i)
    expect(doc.store.clients.get(1)!.length).toBeLessThan(6)
    expect(Y.encodeStateAsUpdate(doc).length).toBeLessThan(120)
  })

  it('[SE6] tells once for each transaction which keys changed', () => {
    const { doc, records, set } = replica(1)
    set('old', 1)
    const heard: string[][] = []
    records.onDidChange(({ keys }) => heard.push([...keys].sort()))
    doc.transact(() => {
      records.set('a', 1)
      records.set('b', 2)
      records.set('a', 3)
      records.delete('old')
    })
    expect(heard).toEqual([['a', 'b', 'old']])
  })

  it('[SE1] reads what is in the document already', () => {
    const first = replica(1)
    first.set('a', 1)
    expect(new KeyedArray(first.doc, 'records').get('a')).toBe(1)
  })

  it('[SE6] is quiet once disposed, and leaves the document alone', () => {
    const { doc, records, set } = replica(1)
    set('a', 1)
    records.dispose()
    const before = Y.encodeStateAsUpdate(doc)
    const again = new KeyedArray(doc, 'records')
    expect(again.get('a')).toBe(1)
    expect(Y.encodeStateAsUpdate(doc)).toEqual(before)
  })
})

describe('several replicas', () => {
  it('[SE5] writes made apart: the same one wins everywhere, the loser goes with the next write', () => {
    const [a, b, c] = [replica(1), replica(2), replica(3)]
    a.set('k', 'first')
    b.pull(a)
    c.pull(a)
    a.set('k', 'from a')
    b.set('k', 'from b')
    c.pull(b)
    c.pull(a)
    a.pull(b)
    b.pull(a)
    expect([a, b, c].map(({ records }) => records.get('k'))).toEqual(['from b', 'from b', 'from b'])
    expect(c.records.duplicates).toBe(1)
    c.set('k', 'from c')
    a.pull(c)
    b.pull(c)
    expect([a, b, c].map(({ records }) => [records.get('k'), records.duplicates])).toEqual([
      ['from c', 0],
      ['from c', 0],
      ['from c', 0],
    ])
  })

  it('[SE5] who wrote more often wins over who has the higher id', () => {
    const [a, b] = [replica(1), replica(2)]
    a.set('k', 'x')
    b.pull(a)
    b.set('k', 'once')
    a.set('k', 'twice')
    a.set('k', 'thrice')
    a.pull(b)
    b.pull(a)
    expect([a.records.get('k'), b.records.get('k')]).toEqual(['thrice', 'thrice'])
  })

  it('[SE2] deleting takes what was seen; what was written meanwhile stays', () => {
    const [a, b] = [replica(1), replica(2)]
    a.set('k', 'old')
    b.pull(a)
    a.remove('k')
    b.set('k', 'new')
    a.pull(b)
    b.pull(a)
    expect([a.records.get('k'), b.records.get('k')]).toEqual(['new', 'new'])
  })

  it('[SE5] a write comes before its duplicate is known: the index ends like one read anew', () => {
    const [a, b, c] = [replica(1), replica(2), replica(3)]
    for (let i = 0; i < 30; i++) {
      const [writer, reader] = [[a, b, c][i % 3]!, [a, b, c][(i * 7 + 1) % 3]!]
      writer.set(`k${i % 4}`, i)
      if (i % 5 === 0) writer.remove(`k${(i + 1) % 4}`)
      if (i % 2 === 0) reader.pull(writer)
    }
    for (const to of [a, b, c]) for (const from of [a, b, c]) to.pull(from)
    const values = (records: KeyedArray) => [...records.keys()].sort().map((key) => [key, records.get(key)])
    for (const { doc, records } of [a, b, c]) {
      expect(values(records)).toEqual(values(a.records))
      expect(values(new KeyedArray(doc, 'records'))).toEqual(values(records))
    }
  })

  it('[SE5] the client id may change while the document is open', () => {
    const [a, b] = [replica(1), replica(2)]
    a.set('k', 1)
    a.doc.clientID = 77
    a.set('k', 2)
    a.set('l', 3)
    b.pull(a)
    expect([b.records.get('k'), b.records.get('l'), b.records.duplicates]).toEqual([2, 3, 0])
    expect([...b.doc.getMap('records').keys()].sort()).toEqual(['1', '77'])
  })
})

describe('what others may put in there', () => {
  it.each([
    ['a number', 5],
    ['null', null],
    ['no key', { v: 1, t: 0 }],
    ['a key that is no text', { k: 1, v: 1, t: 0 }],
    ['a key without end', { k: 'x'.repeat(10_000), v: 1, t: 0 }],
    ['no value', { k: 'bad', t: 0 }],
    ['no count', { k: 'bad', v: 1 }],
    ['a count that is none', { k: 'bad', v: 1, t: 1e300 }],
    ['a negative count', { k: 'bad', v: 1, t: -1 }],
    ['a list', [1, 2]],
  ])('[SE3] %s is passed over', (_, rubbish) => {
    const { doc, records, set } = replica(1)
    set('a', 1)
    const array = doc.getMap('records').get('1') as Y.Array<unknown>
    array.push([rubbish])
    expect([...records.keys()]).toEqual(['a'])
    set('a', 2)
    expect(records.get('a')).toBe(2)
  })

  it('[SE3] something that is no array under a client id is passed over', () => {
    const { doc, records, set } = replica(1)
    set('a', 1)
    doc.getMap('records').set('9', 'hello')
    doc.getMap('records').set('10', new Y.Map([['k', 'v']]))
    ;(doc.getMap('records').get('10') as Y.Map<string>).set('more', 'x')
    expect([...records.keys()]).toEqual(['a'])
  })

  it("[SE3] replacing a client's whole array loses its records, and the index says so", () => {
    const [a, b] = [replica(1), replica(2)]
    a.set('a', 1)
    a.set('shared', 1)
    b.pull(a)
    b.set('shared', 2)
    b.set('b', 3)
    a.pull(b)
    const heard = new Set<string>()
    a.records.onDidChange(({ keys }) => keys.forEach((key) => heard.add(key)))
    a.doc.getMap('records').set('1', new Y.Array())
    expect([...a.records.keys()].sort()).toEqual(['b', 'shared'])
    expect(heard.has('a')).toBe(true)
    a.set('a', 9)
    expect(a.records.get('a')).toBe(9)
  })

  it('[SE3] a count at its end does not lock the key for its own device', () => {
    const { doc, records, set } = replica(1)
    set('a', 1)
    ;(doc.getMap('records').get('1') as Y.Array<unknown>).push([{ k: 'a', v: 'huge', t: Number.MAX_SAFE_INTEGER }])
    expect(records.get('a')).toBe('huge')
    set('a', 2)
    expect(records.get('a')).toBe(2)
  })
})
