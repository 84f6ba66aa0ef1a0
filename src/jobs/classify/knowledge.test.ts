import { expect, it } from 'vitest'
import { knowledge, readEntry, readSpec } from './knowledge.ts'

it('[JB22] an entry is about a program: no name holds a blank, so none can be a command line', () => {
  const { names } = knowledge()
  expect(names.length).toBeGreaterThan(2_000)
  expect(names.filter((name) => /\s/.test(name))).toEqual([])
})

it('[JB22] data that says what nobody reads is refused', () => {
  expect(() => readSpec('bach files')).toThrow('begins with no label')
  expect(() => readSpec('batch filez')).toThrow('is not known')
  expect(() => readEntry({ verb: {} })).toThrow('field "verb" is not known')
})
