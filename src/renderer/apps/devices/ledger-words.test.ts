import { expect, it } from 'vitest'
import { passes, verdictText } from './ledger-words.ts'

it('a check is said in words, with the first entry that is wrong', () => {
  const text = (count: number, anchors = 0, network: 'asked' | 'silent' | 'none' = 'none') => verdictText({ count, anchors }, network)
  expect(text(1)).toBe('The one entry is as it was written.')
  expect(text(12)).toBe('All 12 entries are as they were written.')
  expect(text(12, 1, 'asked')).toBe('All 12 entries are as they were written, and as the anchor says, which the network holds.')
  expect(text(12, 3, 'silent')).toBe('All 12 entries are as they were written, and as 3 anchors say. The network could not be asked.')
  expect(text(12, 3)).toBe('All 12 entries are as they were written, and as 3 anchors say.')
  const finding = { fault: 'edited', at: 3 } as const
  expect(verdictText({ count: 12, anchors: 0, finding }, 'none')).toBe('Entry 3 was changed after this device signed it.')
})

it('a filter shows its kinds, and kinds of newer versions only among all', () => {
  expect(['linked', 'granted', 'teleported'].map((kind) => passes('links', kind))).toEqual([true, false, false])
  expect(passes('all', 'teleported')).toBe(true)
})
