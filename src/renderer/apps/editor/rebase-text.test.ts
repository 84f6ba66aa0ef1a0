import fc from 'fast-check'
import { expect, it } from 'vitest'
import { carryOver, changeBetween, type TextChange } from './rebase-text.ts'

const apply = (text: string, change: TextChange | undefined) =>
  change ? text.slice(0, change.at) + change.inserted + text.slice(change.at + change.removed) : text

it('[AP24] the change between two texts turns one into the other and is no longer than needed', () => {
  expect(changeBetween('one two', 'one and two')).toEqual({ at: 4, removed: 0, inserted: 'and ' })
  expect(changeBetween('same', 'same')).toBeUndefined()
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (before, after) => {
      expect(apply(before, changeBetween(before, after))).toBe(after)
    }),
  )
})

it('[AP24] half a surrogate pair is never cut off', () => {
  const change = changeBetween('a😀b', 'a😁b')
  expect(change).toEqual({ at: 1, removed: 2, inserted: '😁' })
})

it.each([
  ['before theirs', 'a b c', 'A b c', 'a b C', 'A b C'],
  ['after theirs', 'a b c', 'a b CC', 'aaa b c', 'aaa b CC'],
  ['same place', 'a', 'a mine', 'a theirs', 'a theirs mine'],
])('[AP24] what was typed here is carried over: %s', (_name, base, mine, theirs, both) => {
  expect(apply(theirs, carryOver(base, mine, theirs))).toBe(both)
})

it('[AP24] what the other typed always stays', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (base, mine, theirs) => {
      const inserted = changeBetween(base, theirs)?.inserted ?? ''
      expect(apply(theirs, carryOver(base, mine, theirs))).toContain(inserted)
    }),
  )
})
