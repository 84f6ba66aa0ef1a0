import { expect, it } from 'vitest'
import { passes, verdictText } from './ledger-words.ts'

it('a check is said in words, with the first entry that is wrong', () => {
  expect(verdictText({ count: 1 })).toBe('The one entry is as it was written.')
  expect(verdictText({ count: 12 })).toBe('All 12 entries are as they were written.')
  expect(verdictText({ count: 12, finding: { fault: 'edited', at: 3 } })).toBe('Entry 3 was changed after this device signed it.')
})

it('a filter shows its kinds, and kinds of newer versions only among all', () => {
  expect(['linked', 'granted', 'teleported'].map((kind) => passes('links', kind))).toEqual([true, false, false])
  expect(passes('all', 'teleported')).toBe(true)
})
