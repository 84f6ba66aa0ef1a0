import { expect, it } from 'vitest'
import { codeParts, readJoinLink, readPairingCode } from './pairing-code.ts'

it.each([
  ['4217-guitar-ozone', '4217-guitar-ozone'],
  ['  4217 Guitar  OZONE ', '4217-guitar-ozone'],
  ['4217 – 123456', '4217-123456'],
  ['4217', undefined],
  ['guitar-ozone', undefined],
  ['', undefined],
  ['4217-guitar-ozone!', undefined],
  ['1 a b c d e f g', undefined],
])('[AP60] "%s" is read as %s', (typed, code) => expect(readPairingCode(typed)).toBe(code))

it('[AP60] a code is shown in parts that can be read aloud', () =>
  expect(codeParts('4217-guitar-ozone')).toEqual(['4217', 'guitar', 'ozone']))

it.each([
  [' elsewhere://join/1?s=AAAAAAAAAAAAAAAAAAAAAA&at=ws%3A%2F%2F10.0.0.1%3A8917%2F\n', true],
  ['elsewhere://join/2?s=x', true],
  ['https://example.org/join', false],
  ['elsewhere://join/1?s=two words', false],
  [`elsewhere://join/1?s=${'A'.repeat(700)}`, false],
  ['4217-guitar-ozone', false],
])('[AP60] "%s" is taken for a link: %s', (typed, isLink) => expect(readJoinLink(typed)).toBe(isLink ? typed.trim() : undefined))

it('[AP61] a link for one thing is not taken for the other', () => {
  const link = 'elsewhere://contact/1?s=AAAAAAAAAAAAAAAAAAAAAA'
  expect(readJoinLink(link)).toBeUndefined()
  expect(readJoinLink(link, 'contact')).toBe(link)
  expect(readJoinLink(link.replace('contact', 'join'), 'contact')).toBeUndefined()
})
