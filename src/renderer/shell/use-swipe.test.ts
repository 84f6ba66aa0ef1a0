import { expect, it } from 'vitest'
import { besideOf, keepOrder } from './use-swipe.ts'

it('[AP71] a swipe goes along the windows in the order they came, whatever is in front', () => {
  const first = keepOrder([], ['a', 'b', 'c'])
  expect(keepOrder(first, ['b', 'c', 'a'])).toEqual(['a', 'b', 'c'])
  expect(keepOrder(first, ['c', 'a', 'd'])).toEqual(['a', 'c', 'd'])
  expect([besideOf(first, 'c', 1), besideOf(first, 'a', -1), besideOf(first, 'a', 1)]).toEqual(['a', 'c', 'b'])
  expect([besideOf([], undefined, 1), besideOf(['a'], 'a', 1)]).toEqual([undefined, 'a'])
})
