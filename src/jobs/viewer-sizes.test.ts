import fc from 'fast-check'
import { expect, it } from 'vitest'
import { chosenSize, noViewers, reduceViewers, type ViewerEvent } from './viewer-sizes.ts'

const NOW = { columns: 80, rows: 24 }
const size = (columns: number) => ({ columns, rows: 24 })
const attach = (viewer: string, columns: number): ViewerEvent<string> => ({ type: 'attach', viewer, size: size(columns) })

it.each<{ name: string; events: ViewerEvent<string>[]; columns: number }>([
  { name: 'nobody looks: it stays', events: [], columns: 80 },
  { name: 'the only viewer has its size', events: [attach('a', 100)], columns: 100 },
  {
    name: 'a second viewer that only looks changes nothing',
    events: [attach('a', 100), { type: 'type', viewer: 'a' }, attach('b', 200)],
    columns: 100,
  },
  {
    name: 'the viewer typed in last has its size',
    events: [attach('a', 100), attach('b', 200), { type: 'type', viewer: 'a' }, { type: 'type', viewer: 'b' }],
    columns: 200,
  },
  {
    name: 'a resize of the typist counts',
    events: [attach('a', 100), attach('b', 200), { type: 'type', viewer: 'a' }, { type: 'resize', viewer: 'a', size: size(120) }],
    columns: 120,
  },
  {
    name: 'a resize of another does not',
    events: [attach('a', 100), attach('b', 200), { type: 'type', viewer: 'a' }, { type: 'resize', viewer: 'b', size: size(120) }],
    columns: 100,
  },
  {
    name: 'the last one left has its size',
    events: [attach('a', 100), attach('b', 200), { type: 'type', viewer: 'a' }, { type: 'detach', viewer: 'a' }],
    columns: 200,
  },
  {
    name: 'a stranger is not heard',
    events: [attach('a', 100), { type: 'type', viewer: 'ghost' }, { type: 'resize', viewer: 'ghost', size: size(300) }],
    columns: 100,
  },
])('[JB6] $name', ({ events, columns }) => {
  const state = events.reduce(reduceViewers<string>, noViewers<string>())
  expect(chosenSize(state, NOW).columns).toBe(columns)
})

it('[JB6] the size is always one that somebody attached wishes, or the present one', () => {
  const viewer = fc.constantFrom('a', 'b', 'c')
  const event: fc.Arbitrary<ViewerEvent<string>> = fc.oneof(
    fc.record({ type: fc.constantFrom('attach' as const, 'resize' as const), viewer, size: fc.integer({ min: 2, max: 9 }).map(size) }),
    fc.record({ type: fc.constantFrom('type' as const, 'detach' as const), viewer }),
  )
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const state = events.reduce(reduceViewers<string>, noViewers<string>())
      expect([NOW, ...state.wishes.values()]).toContainEqual(chosenSize(state, NOW))
      if (state.typist !== undefined) expect(state.wishes.has(state.typist)).toBe(true)
    }),
  )
})
