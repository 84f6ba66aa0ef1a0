import { expect, it } from 'vitest'
import { base64Of, bytesOfBase64 } from './base64.ts'

it('bytes of every length come back, and read as everybody else writes them', () => {
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 37 + length * 101) & 255)
    expect(base64Of(bytes)).toBe(Buffer.from(bytes).toString('base64'))
    expect(bytesOfBase64(base64Of(bytes))).toEqual(bytes)
  }
  expect(() => bytesOfBase64('no base64!')).toThrow()
})
