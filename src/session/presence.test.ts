import { expect, it } from 'vitest'
import { FALLBACK_PLACE } from './place.ts'
import { dragsElsewhere, presencesOf } from './presence.ts'

const display = (name: string, more: object = {}) => ({
  display: name,
  displayName: `Chromium on ${name}`,
  device: 'laptop',
  activity: 'home',
  focus: null,
  drag: null,
  editing: null,
  ...more,
})
const drag = (window: string, x: number) => ({ drag: { window, displayClass: 'medium-landscape', place: { ...FALLBACK_PLACE, x } } })

it('[SE90] other displays are read, in one order everywhere; our own and rubbish are left out', () => {
  const states = new Map<number, unknown>([
    [9, display('nine')],
    [2, display('two')],
    [5, display('own')],
    [6, { display: 'half' }],
    [7, null],
    [8, display('eight', { drag: { window: '../etc', displayClass: 'medium-landscape', place: FALLBACK_PLACE } })],
  ])
  expect(presencesOf(states, 5).map((other) => other.display)).toEqual(['two', 'nine'])
})

it('[SE90] at most 64 displays', () => {
  const states = new Map(Array.from({ length: 200 }, (_, i) => [i, display(`d${i}`)]))
  expect(presencesOf(states, 0).length).toBe(64)
})

it('[SE90] drags of our class are shown; two hands on one window: the same one on all', () => {
  const states = new Map<number, unknown>([
    [1, display('b', drag('w1', 0.5))],
    [2, display('a', drag('w1', 0.2))],
    [3, display('c', drag('w2', 0.7))],
    [4, display('d', { drag: { window: 'w3', displayClass: 'huge-landscape', place: FALLBACK_PLACE } })],
  ])
  const drags = dragsElsewhere(presencesOf(states, 99), 'medium-landscape')
  expect([...drags].map(([window, other]) => [window, other.display, other.drag?.place.x])).toEqual([
    ['w1', 'a', 0.2],
    ['w2', 'c', 0.7],
  ])
})
