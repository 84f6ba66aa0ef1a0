import { expect, it } from 'vitest'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import { LastTexts } from './last-texts.ts'

const text = (of: string, version = of, atMs = 1_000) => ({ text: of, version, atMs })

it('[DV39] the last text of a file is kept by device and path, across a restart', () => {
  const store = new MemoryKeyValueStore()
  new LastTexts(store).keep('server', '/a', text('one'))
  new LastTexts(store).keep('studio', '/a', text('two'))
  new LastTexts(store).keep('server', '/a', text('three', 'v3', 2_000))
  const kept = new LastTexts(store)
  expect(kept.read('server', '/a')).toEqual(text('three', 'v3', 2_000))
  expect(kept.read('studio', '/a')?.text).toBe('two')
  expect(kept.read('server', '/b')).toBeUndefined()
})

it('[DV39] neither paths nor device names are keys of the store', () => {
  const store = new MemoryKeyValueStore()
  new LastTexts(store).keep('server', '/home/kim/secret plans', text('one'))
  expect(store.entries('last-texts').map(([key]) => key)).toEqual(['0', 'index'])
})

it('[DV39] at most 64 files: the one longest unused gives way, and its room is used again', () => {
  const store = new MemoryKeyValueStore()
  const kept = new LastTexts(store)
  for (let i = 0; i < 64; i++) kept.keep('server', `/${i}`, text(`t${i}`, 'v', i))
  kept.keep('server', '/0', text('t0', 'v', 100_000)) // used again: now the newest
  kept.keep('server', '/new', text('new', 'v', 100_001))
  expect([kept.read('server', '/1'), kept.read('server', '/0')?.text, kept.read('server', '/new')?.text]).toEqual([undefined, 't0', 'new'])
  for (let i = 2; i < 64; i++) expect(kept.read('server', `/${i}`)?.text).toBe(`t${i}`)
  expect(store.entries('last-texts')).toHaveLength(65)
})

it('[DV39] a text that grew too large is forgotten, not shown as it was before', () => {
  const store = new MemoryKeyValueStore()
  const kept = new LastTexts(store)
  kept.keep('server', '/a', text('small'))
  kept.keep('server', '/a', text('x'.repeat(300_000), 'v2', 2_000))
  expect(kept.read('server', '/a')).toBeUndefined()
  expect(store.entries('last-texts').map(([key]) => key)).toEqual(['index'])
})

it('[DV39] reading the same version again and again writes nothing', () => {
  const store = new MemoryKeyValueStore()
  const kept = new LastTexts(store)
  kept.keep('server', '/a', text('one', 'v', 1_000))
  kept.keep('server', '/a', text('one', 'v', 30_000))
  expect(kept.read('server', '/a')?.atMs).toBe(1_000)
  kept.keep('server', '/a', text('one', 'v', 70_000))
  expect(kept.read('server', '/a')?.atMs).toBe(70_000)
})
