import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { argon2id } from '@noble/hashes/argon2.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex, utf8 } from '../base/bytes.ts'
import type { Crypto } from './crypto.ts'

/** The eight points of small order and their non-canonical forms (Chalkias et al., "Taming the many EdDSAs", table of section 4.1). */
export const SMALL_ORDER_KEYS = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '0000000000000000000000000000000000000000000000000000000000000000',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]

/** What every `Crypto` must do; the references are the published vectors and @noble. */
export function describeCrypto(create: () => Crypto): void {
  const crypto = create()
  const seed = () => Uint8Array.from({ length: 32 }, (_, i) => i)
  const flip = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))

  describe('ID1 signatures', () => {
    it('[ID1] signs as RFC 8032 test 2 says', () => {
      const key = crypto.signingKey(fromHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'))
      expect(toHex(key.publicKey)).toBe('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')
      const signature = key.sign(fromHex('72'))
      expect(toHex(signature)).toBe(
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
      )
      expect(crypto.verify(key.publicKey, fromHex('72'), signature)).toBe(true)
    })

    it('[ID1] refuses another message, a flipped signature and wrong sizes without throwing', () => {
      const key = crypto.signingKey(seed())
      const message = utf8('a message')
      const signature = key.sign(message)
      expect(crypto.verify(key.publicKey, utf8('b message'), signature)).toBe(false)
      for (const at of [0, 31, 32, 63]) expect(crypto.verify(key.publicKey, message, flip(signature, at))).toBe(false)
      expect(crypto.verify(key.publicKey, message, signature.subarray(1))).toBe(false)
      expect(crypto.verify(key.publicKey, message, new Uint8Array(65))).toBe(false)
      expect(crypto.verify(key.publicKey.subarray(1), message, signature)).toBe(false)
    })

    it('[ID1] signs the empty message', () => {
      const key = crypto.signingKey(seed())
      expect(crypto.verify(key.publicKey, new Uint8Array(0), key.sign(new Uint8Array(0)))).toBe(true)
      expect(toHex(key.sign(new Uint8Array(0)))).toBe(toHex(ed25519.sign(new Uint8Array(0), seed())))
    })

    it.each(SMALL_ORDER_KEYS)('[ID1] refuses the small-order key %s under which R = identity, s = 0 would verify', (hex) => {
      const identityThenZero = new Uint8Array(64)
      identityThenZero[0] = 1
      for (let n = 0; n < 16; n++) expect(crypto.verify(fromHex(hex), utf8(`message ${n}`), identityThenZero)).toBe(false)
    })

    it('[ID1] refuses a signature whose s was raised by the group order', () => {
      const key = crypto.signingKey(seed())
      const message = utf8('malleable?')
      const signature = key.sign(message)
      const order = (1n << 252n) + 27742317777372353535851937790883648493n
      let s = order
      for (let i = 0; i < 32; i++) s += BigInt(signature[32 + i] as number) << BigInt(8 * i)
      const raised = signature.slice()
      for (let i = 0; i < 32; i++) raised[32 + i] = Number((s >> BigInt(8 * i)) & 255n)
      expect(crypto.verify(key.publicKey, message, raised)).toBe(false)
    })

    it('[ID1] leaves the seed to its owner and says when a key was wiped', () => {
      const mine = seed()
      const key = crypto.signingKey(mine)
      expect(toHex(mine)).toBe(toHex(seed()))
      key.dispose()
      key.dispose()
      expect(() => key.sign(utf8('x'))).toThrow(expect.objectContaining({ code: 'identity/key-wiped' }))
      expect(() => crypto.signingKey(new Uint8Array(31))).toThrow(RangeError)
    })
  })

  describe('ID2 sealed boxes', () => {
    it('[ID2] opens what was sealed to it, and nothing else', () => {
      const mine = crypto.boxKey(seed())
      const other = crypto.boxKey(crypto.bytes(32))
      const sealed = crypto.sealTo(mine.publicKey, utf8('for you'))
      expect(mine.open(sealed)).toEqual(utf8('for you'))
      expect(other.open(sealed)).toBeUndefined()
      for (const at of [0, 32, sealed.length - 1]) expect(mine.open(flip(sealed, at))).toBeUndefined()
      expect(mine.open(sealed.subarray(0, 47))).toBeUndefined()
      expect(mine.open(crypto.sealTo(mine.publicKey, new Uint8Array(0)))).toHaveLength(0)
    })

    it('[ID2] is an X25519 key, apart from the Ed25519 key of the same seed', () => {
      const mine = crypto.boxKey(seed())
      expect(toHex(mine.publicKey)).not.toBe(toHex(crypto.signingKey(seed()).publicKey))
      expect(toHex(mine.publicKey)).toBe(toHex(x25519.getPublicKey(sha512(seed()).slice(0, 32))))
    })

    it('[ID2] seals nothing to the zero point or a key of the wrong size, and opens nothing after dispose', () => {
      expect(() => crypto.sealTo(new Uint8Array(32), utf8('x'))).toThrow(RangeError)
      expect(() => crypto.sealTo(new Uint8Array(31), utf8('x'))).toThrow(RangeError)
      const mine = crypto.boxKey(seed())
      const sealed = crypto.sealTo(mine.publicKey, utf8('late'))
      mine.dispose()
      expect(() => mine.open(sealed)).toThrow(expect.objectContaining({ code: 'identity/key-wiped' }))
    })
  })

  describe('ID3 authenticated encryption', () => {
    const context = utf8('table/row')

    it('[ID3] opens XChaCha20-Poly1305 as the draft (draft-irtf-cfrg-xchacha-03, A.3.1) sealed it', () => {
      const key = fromHex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f')
      const nonce = '404142434445464748494a4b4c4d4e4f5051525354555657'
      const body =
        'bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452' +
        '2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52e'
      const tag = 'c0875924c1c7987947deafd8780acf49'
      const plain = crypto.decrypt(key, fromHex(nonce + body + tag), fromHex('50515253c0c1c2c3c4c5c6c7'))
      expect(plain && new TextDecoder().decode(plain)).toMatch(/^Ladies and Gentlemen of the class of '99/)
    })

    it('[ID3] refuses another key, another context, and any flipped bit', () => {
      const key = crypto.bytes(32)
      const sealed = crypto.encrypt(key, utf8('plain'), context)
      expect(crypto.decrypt(key, sealed, context)).toEqual(utf8('plain'))
      expect(crypto.decrypt(crypto.bytes(32), sealed, context)).toBeUndefined()
      expect(crypto.decrypt(key, sealed, utf8('table/other'))).toBeUndefined()
      for (let at = 0; at < sealed.length; at++) expect(crypto.decrypt(key, flip(sealed, at), context)).toBeUndefined()
      expect(crypto.decrypt(key, sealed.subarray(0, 39), context)).toBeUndefined()
    })

    it('[ID3] never seals the same bytes twice alike, and takes empty bytes and an empty context', () => {
      const key = crypto.bytes(32)
      expect(toHex(crypto.encrypt(key, utf8('same'), context))).not.toBe(toHex(crypto.encrypt(key, utf8('same'), context)))
      const empty = crypto.encrypt(key, new Uint8Array(0), new Uint8Array(0))
      expect(crypto.decrypt(key, empty, new Uint8Array(0))).toHaveLength(0)
      expect(() => crypto.encrypt(new Uint8Array(31), utf8('x'), context)).toThrow(RangeError)
    })
  })

  describe('ID4 key derivation', () => {
    it('[ID4] Argon2id equals the reference', async () => {
      const salt = Uint8Array.from({ length: 16 }, (_, i) => i)
      const key = await crypto.argon2id(utf8('pässphrase'), salt, { passes: 2, memoryBytes: 64 * 1024 })
      expect(toHex(key.bytes)).toBe(toHex(argon2id(utf8('pässphrase'), salt, { t: 2, m: 64, p: 1, dkLen: 32 })))
      key.dispose()
      await expect(crypto.argon2id(utf8('x'), new Uint8Array(15), { passes: 2, memoryBytes: 65_536 })).rejects.toThrow(RangeError)
    })

    it('[ID4] HKDF, HMAC and SHA-256 equal the reference', () => {
      const key = seed()
      expect(toHex(crypto.hkdf(key, 'a use', 80).bytes)).toBe(toHex(hkdf(sha256, key, undefined, utf8('a use'), 80)))
      // RFC 4231 test case 2
      expect(toHex(crypto.hmacSha256(utf8('Jefe'), utf8('what do ya want for nothing?')))).toBe(
        '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
      )
      expect(toHex(crypto.sha256(utf8('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
      expect(toHex(crypto.sha256(new Uint8Array(0)))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
      for (const length of [511, 512, 513, 70_000]) {
        const bytes = new Uint8Array(length + 2).fill(7).subarray(1, length + 1) // a view, as most are
        expect(toHex(crypto.sha256(bytes)), `${length}`).toBe(toHex(sha256(bytes)))
      }
    })
  })

  describe('ID5 secrets', () => {
    it('[ID5] moves bytes into secret memory and wipes where they came from', () => {
      const plain = utf8('do not keep me')
      const secret = crypto.secret(plain)
      expect(new TextDecoder().decode(secret.bytes)).toBe('do not keep me')
      expect(plain.every((byte) => byte === 0)).toBe(true)
      const copy = secret.bytes.slice()
      copy.fill(1)
      expect(new TextDecoder().decode(secret.bytes)).toBe('do not keep me')
      secret.dispose()
      secret.dispose()
      expect(secret.bytes).toHaveLength(0)
    })

    it('[ID5] compares in full, also unequal lengths and nothing', () => {
      expect(crypto.equalSecrets(utf8('abc'), utf8('abc'))).toBe(true)
      expect(crypto.equalSecrets(utf8('abc'), utf8('abd'))).toBe(false)
      expect(crypto.equalSecrets(utf8('abc'), utf8('abcd'))).toBe(false)
      expect(crypto.equalSecrets(new Uint8Array(0), new Uint8Array(0))).toBe(true)
    })
  })

  describe('ID6 randomness', () => {
    it('[ID6] gives as many bytes as asked, never the same', () => {
      expect(crypto.bytes(0)).toHaveLength(0)
      const seen = new Set(Array.from({ length: 200 }, () => toHex(crypto.bytes(16))))
      expect(seen.size).toBe(200)
      expect(toHex(crypto.randomSecret(32).bytes)).not.toBe(toHex(crypto.randomSecret(32).bytes))
    })
  })
}
