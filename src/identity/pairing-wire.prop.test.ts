import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toBase58 } from '../base/base58.ts'
import type { DeviceId, PersonId } from '../base/ids.ts'
import {
  ABORT_CODES,
  decodeIntroduction,
  decodePairingMessage,
  decodeSealedMessage,
  encodeIntroduction,
  encodePairingMessage,
  encodeSealedMessage,
  type PairingIntroduction,
  type PairingMessage,
  type SealedMessage,
} from './pairing-wire.ts'
import { roundsOfRun } from '../testkit/seeded-random.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const name = fc.string({ minLength: 1, maxLength: 80, unit: 'grapheme-ascii' })
const id = bytes(32).map((key) => toBase58(key))

const message: fc.Arbitrary<PairingMessage> = fc.oneof(
  fc.record({ kind: fc.constant('join-hello' as const), version: fc.nat(255), nonce: bytes(16), commitment: bytes(32) }),
  fc.record({ kind: fc.constant('offer-hello' as const), nonce: bytes(16), commitment: bytes(32), share: bytes(32) }),
  fc.record({ kind: fc.constant('join-proof' as const), share: bytes(32), proof: bytes(32) }),
  fc.record({ kind: fc.constant('offer-proof' as const), proof: bytes(32) }),
  fc.record({ kind: fc.constant('sealed' as const), bytes: fc.uint8Array({ maxLength: 300 }) }),
  fc.record({ kind: fc.constant('abort' as const), code: fc.constantFrom(...ABORT_CODES) }),
)
const sealed: fc.Arbitrary<SealedMessage> = fc.oneof(
  fc.record({
    kind: fc.constant('introduce' as const),
    blind: bytes(32),
    introduction: fc.uint8Array({ maxLength: 300 }),
    signature: bytes(64),
  }),
  fc.record({ kind: fc.constant('answer' as const), accept: fc.boolean() }),
  fc.record({
    kind: fc.constant('grant' as const),
    grant: fc.record({
      person: id.map((text) => text as PersonId),
      personName: name,
      deviceList: fc.uint8Array({ maxLength: 500 }),
      datasetKeys: fc.uint8Array({ maxLength: 500 }),
    }),
  }),
  fc.record({ kind: fc.constant('done' as const) }),
)
const introduction: fc.Arbitrary<PairingIntroduction> = fc.record({
  device: id.map((text) => text as DeviceId),
  boxKey: bytes(32),
  name,
  platform: name,
  personName: name,
})
const malformed = expect.objectContaining({ code: 'pairing/malformed' })

describe('pairing on the wire', () => {
  it('[ID32] reads what it wrote', () => {
    fc.assert(
      fc.property(message, sealed, introduction, (open, closed, self) => {
        expect(decodePairingMessage(encodePairingMessage(open))).toEqual(open)
        expect(decodeSealedMessage(encodeSealedMessage(closed))).toEqual(closed)
        expect(decodeIntroduction(encodeIntroduction(self))).toEqual(self)
      }),
      { seed: 32, numRuns: roundsOfRun(300, 3_000) },
    )
  })

  it('[ID32] refuses by name what is cut or has something behind it', () => {
    fc.assert(
      fc.property(message, introduction, fc.nat(), (open, self, at) => {
        const [encoded, introduced] = [encodePairingMessage(open), encodeIntroduction(self)]
        if (open.kind !== 'sealed') {
          expect(() => decodePairingMessage(encoded.subarray(0, at % encoded.length))).toThrow(malformed)
          expect(() => decodePairingMessage(Uint8Array.from([...encoded, 0]))).toThrow(malformed)
        }
        expect(() => decodeIntroduction(introduced.subarray(0, at % introduced.length))).toThrow(malformed)
        expect(() => decodeIntroduction(Uint8Array.from([...introduced, 0]))).toThrow(malformed)
      }),
      { seed: 33, numRuns: roundsOfRun(300, 3_000) },
    )
  })

  function fuzzReader(read: (bytes: Uint8Array) => unknown, numRuns: number): void {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (garbage) => {
        try {
          read(garbage)
        } catch (error) {
          expect(error).toMatchObject({ code: 'pairing/malformed' })
        }
      }),
      { seed: 34, numRuns },
    )
  }

  it.each([decodePairingMessage, decodeSealedMessage, decodeIntroduction])(
    '[ID32] garbage is read or refused by name, never worse: %o',
    (read) => fuzzReader(read, roundsOfRun(2_000, 20_000)),
  )

  it('[ID32] the fuzz finds a reader that believes a length (planted)', () => {
    const believing = (bytes: Uint8Array) => {
      if (bytes[0] === 3 && (bytes[1] ?? 0) > bytes.length) throw new RangeError('planted: read beyond the end')
      return decodePairingMessage(bytes)
    }
    expect(() => fuzzReader(believing, 2_000)).toThrow(/seed/)
  })

  it.each(['', 'x'.repeat(81), 'tab\tbed', 'upside\u202Edown'])('[ID32] refuses the name %j', (bad) => {
    const self = { device: toBase58(new Uint8Array(32).fill(1)) as DeviceId, boxKey: new Uint8Array(32), platform: 'p', personName: 'p' }
    const written = encodeIntroduction({ ...self, name: bad })
    if (bad.length > 80) expect(decodeIntroduction(written).name).toHaveLength(80)
    else expect(() => decodeIntroduction(written)).toThrow(malformed)
  })

  it('[ID32] a declared length beyond what came is refused, not believed', () => {
    const claimsMuch = Uint8Array.from([2, ...new Uint8Array(32), 1, 65, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3])
    expect(() => decodeSealedMessage(claimsMuch)).toThrow(malformed)
  })
})
