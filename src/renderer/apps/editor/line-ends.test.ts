import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readLineEnds, writeLineEnds } from './line-ends.ts'

it('[AP27] Windows line ends are edited as one character and saved as they were', () => {
  expect(readLineEnds('a\r\nb\r\n')).toEqual({ text: 'a\nb\n', lineEnd: '\r\n' })
  expect(readLineEnds('a\r\nb\n')).toEqual({ text: 'a\r\nb\n', lineEnd: '\n' })
})

it('[AP27] a text that was only opened and saved has not changed', () => {
  const text = fc.array(fc.constantFrom('a', '\n', '\r\n', '\r')).map((parts) => parts.join(''))
  fc.assert(
    fc.property(text, (before) => {
      const { text: edited, lineEnd } = readLineEnds(before)
      expect(writeLineEnds(edited, lineEnd)).toBe(before)
    }),
  )
})
