import { ristretto255_hasher } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex, utf8 } from '../base/bytes.ts'
import { finishCpace, generatorString, joinWithLengths, multiplyVerified, scalarOf, startCpace, withLength } from './cpace.ts'
import { roundsOfRun } from '../testkit/seeded-random.ts'
import vectors from './golden/cpace-ristr255-sha512.json' with { type: 'json' }

const refused = expect.objectContaining({ code: 'pake/refused-point' })
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((bytes) => bytes.some((byte) => (byte & 15) !== 0))

describe("[ID31] CPace equals the draft's vectors", () => {
  const [prs, ci, sid] = [fromHex(vectors.prs), fromHex(vectors.ci), fromHex(vectors.sid)]
  const associated = { initiator: fromHex(vectors.ada), responder: fromHex(vectors.adb) }

  it('[ID31] generator string and generator', () => {
    const text = generatorString(prs, ci, sid)
    expect(toHex(text)).toBe(vectors.generatorString)
    expect(toHex(ristretto255_hasher.deriveToCurve?.(sha512(text)).toBytes() as Uint8Array)).toBe(vectors.generator)
  })

  it('[ID31] shares, secret point and key of both sides', () => {
    const a = startCpace(prs, ci, sid, fromHex(vectors.ya))
    const b = startCpace(prs, ci, sid, fromHex(vectors.yb))
    expect([toHex(a.share), toHex(b.share)]).toEqual([vectors.shareA, vectors.shareB])
    expect(toHex(multiplyVerified(a.scalar, b.share))).toBe(vectors.k)
    expect(toHex(multiplyVerified(b.scalar, a.share))).toBe(vectors.k)
    expect(toHex(finishCpace(a, 'initiator', b.share, associated))).toBe(vectors.isk)
    expect(toHex(finishCpace(b, 'responder', a.share, associated))).toBe(vectors.isk)
  })

  it('[ID31] multiplies valid points and refuses the invalid ones', () => {
    const scalar = scalarOf(fromHex(vectors.validScalar))
    expect(toHex(multiplyVerified(scalar, fromHex(vectors.validPoint)))).toBe(vectors.validProduct)
    for (const point of vectors.invalidPoints) expect(() => multiplyVerified(scalar, fromHex(point))).toThrow(refused)
  })
})

describe('CPace', () => {
  const run = (secret: string, random: number, channel = 'c', session = 's') =>
    startCpace(utf8(secret), utf8(channel), utf8(session), new Uint8Array(32).fill(random))
  const ad = { initiator: utf8('A'), responder: utf8('B') }

  it.each([
    { what: 'the secret', a: run('ab', 1), b: run('ac', 2) },
    { what: 'the channel', a: run('ab', 1), b: run('ab', 2, 'd') },
    { what: 'the session', a: run('ab', 1), b: run('ab', 2, 'c', 't') },
  ])('[ID31] gives different keys when $what differs', ({ a, b }) => {
    expect(toHex(finishCpace(a, 'initiator', b.share, ad))).not.toBe(toHex(finishCpace(b, 'responder', a.share, ad)))
  })

  it('[ID31] gives different keys when either side sees other associated data', () => {
    const [a, b] = [run('ab', 1), run('ab', 2)]
    const key = toHex(finishCpace(a, 'initiator', b.share, ad))
    expect(toHex(finishCpace(b, 'responder', a.share, ad))).toBe(key)
    expect(toHex(finishCpace(b, 'responder', a.share, { ...ad, responder: utf8('evil') }))).not.toBe(key)
    expect(toHex(finishCpace(b, 'responder', a.share, { initiator: utf8(''), responder: utf8('AB') }))).not.toBe(key)
  })

  it('[ID32] refuses the neutral point, points of the wrong size and every string that is no point', () => {
    const a = run('ab', 1)
    expect(() => finishCpace(a, 'initiator', new Uint8Array(32), ad)).toThrow(refused)
    expect(() => finishCpace(a, 'initiator', a.share.subarray(1), ad)).toThrow(refused)
    expect(() => finishCpace(a, 'initiator', new Uint8Array(0), ad)).toThrow(refused)
    const isPoint = (bytes: Uint8Array) => {
      try {
        return finishCpace(a, 'initiator', bytes, ad).length === 64
      } catch (error) {
        expect(error).toMatchObject({ code: 'pake/refused-point' })
        return false
      }
    }
    let points = 0
    fc.assert(
      fc.property(bytes32, (bytes) => {
        if (isPoint(bytes)) points++
      }),
      { seed: 31, numRuns: roundsOfRun(400, 4_000) },
    )
    expect(points).toBeLessThan(100) // about one in sixteen strings is a canonical point
  })

  it('[ID31] agrees for any secret and randomness', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes32, bytes32, (secret, x, y) => {
        const a = startCpace(secret, utf8('c'), utf8('s'), x)
        const b = startCpace(secret, utf8('c'), utf8('s'), y)
        expect(finishCpace(a, 'initiator', b.share, ad)).toEqual(finishCpace(b, 'responder', a.share, ad))
      }),
      { seed: 7, numRuns: 25 },
    )
  })

  it('[ID31] refuses randomness that is none', () => {
    expect(() => scalarOf(new Uint8Array(32))).toThrow(RangeError)
    expect(() => scalarOf(new Uint8Array(31).fill(1))).toThrow(RangeError)
  })

  it('[ID31] lengths are LEB128 and parts cannot be shifted', () => {
    expect(toHex(withLength(new Uint8Array(0)))).toBe('00')
    expect(toHex(withLength(new Uint8Array(127)).subarray(0, 2))).toBe('7f00')
    expect(toHex(withLength(new Uint8Array(128)).subarray(0, 3))).toBe('800100')
    expect(toHex(joinWithLengths(utf8('ab'), utf8('c')))).not.toBe(toHex(joinWithLengths(utf8('a'), utf8('bc'))))
  })
})
