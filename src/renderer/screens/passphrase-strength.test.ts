import fc from 'fast-check'
import { expect, it } from 'vitest'
import { passphraseStrength } from './passphrase-strength.ts'

it.each([
  ['', 'none'],
  ['abc', 'weak'],
  ['aaaaaaaaaaaaaaaaaaaa', 'weak'],
  ['abcdefghijklmnop', 'weak'],
  ['password1234', 'weak'],
  ['MariaMaria99', 'weak'],
  ['coral tiger lamp', 'weak'],
  ['coral tiger lamp river', 'fair'],
  ['coral tiger lamp river seven', 'good'],
  ['x7#Kp2!vQz9&Lm4w', 'good'],
] as const)('%s is %s', (text, level) => {
  expect(passphraseStrength(text, ['Maria', 'kitchen']).level).toBe(level)
})

it('always says what to do, and never repeats the passphrase', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 12, maxLength: 60 }), (text) => {
      const { hint } = passphraseStrength(text)
      expect(hint.length).toBeGreaterThan(5)
      expect(hint).not.toContain(text)
    }),
  )
})
