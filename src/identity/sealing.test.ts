import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../base/bytes.ts'
import { SodiumCrypto } from '../platform/node/sodium-crypto.ts'
import { DatasetKeys, MAX_EPOCHS } from './dataset-keys.ts'
import { StorageSealer } from './storage-sealer.ts'

const crypto = new SodiumCrypto()
const code = (expected: string) => expect.objectContaining({ code: expected })

describe('StorageSealer', () => {
  const key = new Uint8Array(32).fill(7)
  const sealer = new StorageSealer(crypto, key)

  it('[ID11] opens what it sealed, in its place only', () => {
    const sealed = sealer.seal(utf8('value'), 'table/1')
    expect(sealer.open(sealed, 'table/1')).toEqual(utf8('value'))
    expect(() => sealer.open(sealed, 'table/2')).toThrow(code('vault/unsealable'))
    const other = new StorageSealer(crypto, new Uint8Array(32).fill(8))
    expect(() => other.open(sealed, 'table/1')).toThrow(code('vault/unsealable'))
  })

  it('[ID11] look-up keys are stable, apart from the value key, and tell nothing of their text', () => {
    expect(sealer.lookupKey('doc')).toEqual(new StorageSealer(crypto, key).lookupKey('doc'))
    expect(sealer.lookupKey('doc')).not.toEqual(sealer.lookupKey('doc2'))
    expect(sealer.lookupKey('doc')).not.toEqual(crypto.hmacSha256(key, utf8('doc')))
    expect(sealer.lookupKey('doc')).toHaveLength(32)
  })

  it('[ID11] no cut or flipped value opens', () => {
    const sealed = sealer.seal(utf8('a longer value'), 'c')
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, mask, cut) => {
        const broken = cut ? sealed.subarray(0, at) : sealed.map((byte, i) => (i === at ? byte ^ mask : byte))
        expect(() => sealer.open(broken, 'c')).toThrow(code('vault/unsealable'))
      }),
      { seed: 11 },
    )
  })
})

describe('DatasetKeys', () => {
  it('[ID12] survive being written and read', () => {
    const keys = DatasetKeys.create(crypto)
    const sealed = keys.seal(utf8('old'), 'c')
    keys.use(keys.take(2, crypto.bytes(32)))
    const other = keys.take(2, crypto.bytes(32))
    const again = DatasetKeys.decode(crypto, keys.encode())
    expect(again.epoch).toBe(2)
    expect(again.open(0, sealed, 'c')).toEqual(utf8('old'))
    expect(again.encode()).toEqual(keys.encode())
    expect(again.rendezvousSecret).toEqual(keys.rendezvousSecret)
    expect(again.leftRendezvousSecrets).toHaveLength(2)
    expect([again.current, again.has(other), again.names.length]).toEqual([keys.current, true, 3])
  })

  it('[ID12] of two epochs with one number both open, the one in use seals, and each has topics of its own', () => {
    const keys = DatasetKeys.create(crypto)
    const [a, b] = [keys.take(1, crypto.bytes(32)), keys.take(1, crypto.bytes(32))]
    keys.use(a)
    const [underA, meetA] = [keys.seal(utf8('a'), 'c'), keys.rendezvousSecret]
    keys.use(b)
    expect(keys.open(1, underA, 'c')).toEqual(utf8('a'))
    expect(keys.open(1, keys.seal(utf8('b'), 'c'), 'c')).toEqual(utf8('b'))
    expect(keys.rendezvousSecret).not.toEqual(meetA)
    expect(keys.leftRendezvousSecrets).toContainEqual(meetA)
    expect(keys.use('0'.repeat(16) as typeof a)).toBe(false)
  })

  it('[ID12] the rendezvous secret is derived: neither the secret itself nor an epoch key', () => {
    const keys = DatasetKeys.create(crypto)
    expect(toHex(keys.encode())).not.toContain(toHex(keys.rendezvousSecret))
    expect(keys.rendezvousSecret).not.toEqual(DatasetKeys.create(crypto).rendezvousSecret)
    const before = keys.rendezvousSecret
    keys.rendezvousSecret.fill(0)
    expect(keys.rendezvousSecret).toEqual(before)
  })

  it('[ID12] two sets that happen to share a number do not open each other', () => {
    const sealed = DatasetKeys.create(crypto).seal(utf8('x'), 'c')
    expect(() => DatasetKeys.create(crypto).open(0, sealed, 'c')).toThrow(code('vault/unsealable'))
  })

  it('[ID12] malformed keys are refused by name', () => {
    const good = DatasetKeys.create(crypto).encode()
    const twice = Uint8Array.from([...good, ...good.subarray(33)])
    for (const bad of [new Uint8Array(0), good.subarray(0, 33), good.subarray(0, 50), Uint8Array.from([3, ...good.subarray(1)]), twice]) {
      expect(() => DatasetKeys.decode(crypto, bad)).toThrow(code('keys/malformed'))
    }
    expect(() => DatasetKeys.decode(crypto, new Uint8Array(33 + 36 * (MAX_EPOCHS + 1)).fill(1))).toThrow(code('keys/malformed'))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          expect(DatasetKeys.decode(crypto, bytes).encode()).toHaveLength(bytes.length)
        } catch (error) {
          expect(error).toMatchObject({ code: 'keys/malformed' })
        }
      }),
      { seed: 12 },
    )
  })
})
