import { expect, it } from 'vitest'
import { keepIfEqual, keepIfSameList, shallowEqual } from './keep-equal.ts'

it('[SE4] what says the same keeps its identity', () => {
  const inner = {}
  const before = { a: 1, inner }
  expect(keepIfEqual(before, { a: 1, inner })).toBe(before)
  const other = { a: 1, inner: {} }
  expect(keepIfEqual(before, other)).toBe(other)
  expect(keepIfEqual(undefined, other)).toBe(other)
})

it('[SE4] a name more, a name less, or another one is a difference', () => {
  expect(shallowEqual({ a: 1 }, { a: 1, b: 2 })).toBe(false)
  expect(shallowEqual({ a: 1, b: 2 }, { a: 1 })).toBe(false)
  expect(shallowEqual({ a: undefined }, { b: undefined })).toBe(false)
  expect(shallowEqual({ a: Number.NaN }, { a: Number.NaN })).toBe(true)
})

it('[SE4] lists', () => {
  const before = [1, 2]
  expect(keepIfSameList(before, [1, 2])).toBe(before)
  expect(keepIfSameList(before, [2, 1])).toEqual([2, 1])
  expect(keepIfSameList(before, [1])).toEqual([1])
  expect(keepIfSameList(before, [1, 2, 3])).toEqual([1, 2, 3])
})
