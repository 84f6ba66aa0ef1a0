import { createHmac, hkdfSync } from 'node:crypto'
import { expect, it } from 'vitest'
import { NodeFilesCrypto } from './node-files-crypto.ts'

it('[FC1] the name of a chunk is the HMAC of its bytes, of whatever length they and the key are, one after another', () => {
  const crypto = new NodeFilesCrypto()
  for (const keyBytes of [0, 16, 32, 64, 65, 200]) {
    for (const bytes of [16 * 1024 + 1, 16 * 1024, 1000, 65, 64, 63, 1, 0]) {
      const key = Uint8Array.from({ length: keyBytes }, (_, n) => 255 - n)
      const message = Uint8Array.from({ length: bytes }, (_, n) => 7 * n)
      expect(crypto.hmacSha256Hex(key, message)).toBe(createHmac('sha256', key).update(message).digest('hex'))
    }
  }
})

it('[FC1] keys of more than one hash in length are those of HKDF, too', () => {
  const key = Uint8Array.from({ length: 32 }, (_, n) => n)
  for (const length of [1, 16, 32, 33, 64, 100]) {
    const expected = new Uint8Array(hkdfSync('sha256', key, '', 'of a chunk', length))
    expect(new NodeFilesCrypto().hkdf(key, Buffer.from('of a chunk'), length)).toEqual(expected)
  }
})
