import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { toBase58 } from '../base/base58.ts'
import { errorCode } from '../base/errors.ts'
import type { DatasetId } from '../base/ids.ts'
import { KeyedArray } from '../session/keyed-array.ts'
import { HOME, isDatasetName, MAX_NAMED_DATASETS, NamedDatasets } from './named-datasets.ts'

const idOf = (n: number) => toBase58(Uint8Array.from({ length: 16 }, (_, at) => (at === 0 ? 200 : n + at) % 256)) as DatasetId
const home = idOf(250)

function device(client: number) {
  const doc = new Y.Doc()
  doc.clientID = client
  const records = new KeyedArray(doc, 'datasets')
  const write = (dataset: string, value: unknown) => doc.transact(() => records.write([[dataset, value as never]], []))
  const list = new NamedDatasets({ get: (dataset) => records.get(dataset), keys: () => records.keys(), write }, home)
  return { doc, list, write }
}
const code = (work: () => unknown) => {
  try {
    return work()
  } catch (error) {
    return errorCode(error)
  }
}
const join = (a: Y.Doc, b: Y.Doc) => {
  Y.applyUpdate(a, Y.encodeStateAsUpdate(b))
  Y.applyUpdate(b, Y.encodeStateAsUpdate(a))
}

it('[DL1] a dataset is made, renamed, put away and brought back', () => {
  const { list } = device(1)
  list.make(idOf(1), 'Work')
  expect(list.all).toEqual([{ dataset: idOf(1), name: 'Work', isAway: false }])
  expect(code(() => list.make(idOf(2), 'Work'))).toBe('dataset/name-taken')
  expect(code(() => list.make(idOf(2), HOME))).toBe('dataset/name-taken')
  expect(list.rename('Work', 'Studies')).toMatchObject({ name: 'Studies' })
  expect(code(() => list.rename('Work', 'x'))).toBe('dataset/unknown')
  expect(code(() => list.rename(HOME, 'x'))).toBe('dataset/is-home')
  expect(code(() => list.setAway(home, true))).toBe('dataset/is-home')
  expect(list.setAway('Studies', true)).toMatchObject({ name: 'Studies', isAway: true })
  expect(list.rename(idOf(1), 'Past')).toMatchObject({ name: 'Past', isAway: true })
  expect(list.setAway('Past', false)).toMatchObject({ name: 'Past', isAway: false })
})

it('[DL2] names are what a folder can be called everywhere, seen as they are', () => {
  for (const good of ['Work', 'Фото 2026', 'a', 'R&D', '写真']) expect([good, isDatasetName(good)]).toEqual([good, true])
  for (const bad of [
    '',
    '.',
    '..',
    '.hidden',
    ' a',
    'a ',
    'a/b',
    'a\\b',
    'c:',
    'a\0',
    'a\nb',
    'a\u202eb',
    'a\u2028b',
    '\ud800',
    'x'.repeat(61),
  ])
    expect([bad, isDatasetName(bad)]).toEqual([bad, false])
  const { list } = device(1)
  expect(code(() => list.make(idOf(1), '../x'))).toBe('dataset/bad-name')
  for (let n = 0; n < MAX_NAMED_DATASETS; n++) list.make(idOf(n), `D${n}`)
  expect(code(() => list.make(idOf(100), 'one more'))).toBe('dataset/too-many')
})

it('[DL3] what two devices do apart is the same on both afterwards: names differ, nothing made is gone, nonsense is not read', () => {
  const step = fc.record({ by: fc.nat(1), id: fc.nat(5), name: fc.constantFrom('Work', 'Play', 'Home', 'Work (aaaa)'), away: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.array(fc.nat(11), { maxLength: 3 }), (steps, meetings) => {
      const both = [device(1), device(2)] as const
      const made = new Set<string>()
      steps.forEach(({ by, id, name, away }, at) => {
        const { list, write } = both[by] ?? both[0]
        const isThere = list.all.some(({ dataset }) => dataset === idOf(id))
        if (name === 'Home')
          write(idOf(id + 50), { name, isAway: 7 }) // what no device of ours writes
        else if (!isThere) code(() => (list.make(idOf(id), name), made.add(idOf(id))))
        else if (away) list.setAway(idOf(id), at % 2 === 0)
        else code(() => list.rename(idOf(id), name))
        if (meetings.includes(at)) join(both[0].doc, both[1].doc)
      })
      join(both[0].doc, both[1].doc)
      const [a, b] = [both[0].list.all, both[1].list.all]
      expect(a).toEqual(b)
      expect(new Set(a.map(({ dataset }) => dataset as string))).toEqual(made)
      expect(new Set([HOME, ...a.map(({ name }) => name)]).size).toBe(a.length + 1)
    }),
  )
})
