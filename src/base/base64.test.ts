import { expect, it } from 'vitest'
import { base64Of, bytesOfBase64, isBase64 } from './base64.ts'

it('bytes of every length come back, and read as everybody else writes them', () => {
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 37 + length * 101) & 255)
    expect(base64Of(bytes)).toBe(Buffer.from(bytes).toString('base64'))
    expect(bytesOfBase64(base64Of(bytes))).toEqual(bytes)
  }
  expect(() => bytesOfBase64('no base64!')).toThrow()
})

it('what is base64 is told as the expression for it tells it', () => {
  const asked = [
    '',
    '=',
    '==',
    '===',
    'QQ==',
    'QUI=',
    'QUJD',
    'Q=Q=',
    'QUJ-',
    'QUJ_',
    'QU J',
    'QUJ\n',
    'QUJä',
    '\u0141QUJ',
    '+/az',
    'A='.repeat(3),
  ]
  for (const text of asked) expect([text, isBase64(text)]).toEqual([text, /^[A-Za-z0-9+/]*={0,2}$/.test(text)])
})
