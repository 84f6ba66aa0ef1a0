import { expect, it } from 'vitest'
import { codeParts, readPairingCode } from './pairing-code.ts'

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
