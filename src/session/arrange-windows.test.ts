import { expect, it } from 'vitest'
import { arrangeWindows } from './arrange-windows.ts'
import type { ActivityId, WindowId } from './session-ids.ts'
import type { WindowState } from './session-state.ts'

const [HOME, WORK] = ['home', 'work'] as [ActivityId, ActivityId]

function windows(...list: readonly (Omit<Partial<WindowState>, 'id'> & { readonly id: string })[]): Record<WindowId, WindowState> {
  const usual = { activity: HOME, rank: 0, minimised: false, pinned: false, places: {}, tabs: [], activeTab: 't' }
  return Object.fromEntries(list.map((one) => [one.id, { ...usual, ...one } as unknown as WindowState]))
}

it('[SE20] by rank; equal ranks, as two displays may give, by id', () => {
  const all = windows({ id: 'c', rank: 1 }, { id: 'b', rank: 2 }, { id: 'a', rank: 2 }, { id: 'd', rank: 0 })
  expect(arrangeWindows(all, [HOME]).stack).toEqual(['d', 'c', 'a', 'b'])
})

it('[SE20] the order in which windows are listed does not count', () => {
  const list = [
    { id: 'a', rank: 5 },
    { id: 'b', rank: 5, pinned: true },
    { id: 'c', rank: 5 },
    { id: 'd', rank: 1, pinned: true },
  ]
  const expected = arrangeWindows(windows(...list), [HOME])
  expect(arrangeWindows(windows(...[...list].reverse()), [HOME])).toEqual(expected)
  expect(expected.stack).toEqual(['a', 'c', 'd', 'b'])
})

it('[SE21] one focus for each activity, also where nothing is open', () => {
  const all = windows({ id: 'a', rank: 5 }, { id: 'b', rank: 7, minimised: true }, { id: 'c', rank: 1, activity: WORK, minimised: true })
  expect(arrangeWindows(all, [HOME, WORK]).focus).toEqual({ home: 'a', work: null })
  expect(arrangeWindows({}, [HOME]).focus).toEqual({ home: null })
})

it('[SE21] a pinned window on top does not take the keys from the one that was focused last', () => {
  const all = windows({ id: 'a', rank: 5 }, { id: 'b', rank: 2, pinned: true })
  expect(arrangeWindows(all, [HOME])).toEqual({ stack: ['a', 'b'], focus: { home: 'a' } })
})
