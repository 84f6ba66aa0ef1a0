import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toBase58 } from '../base/base58.ts'
import type { DeviceId, PersonId } from '../base/ids.ts'
import { SodiumCrypto } from '../platform/node/sodium-crypto.ts'
import type { SigningKey } from './crypto.ts'
import { decodeStatement, signStatement, type DeviceClaim, type DeviceStatement } from './device-statement.ts'
import { foldDevices } from './fold-devices.ts'
import { roundsOfRun } from '../testkit/seeded-random.ts'

const crypto = new SodiumCrypto()
const keyOf = (seed: number): SigningKey => crypto.signingKey(new Uint8Array(32).fill(seed + 1))
/** 0 is the person's root key, 1..5 are devices. */
const KEYS = Array.from({ length: 6 }, (_, seed) => keyOf(seed))
const IDS = KEYS.map((key) => toBase58(key.publicKey) as DeviceId)
const PERSON = IDS[0] as string as PersonId

const claim: fc.Arbitrary<DeviceClaim> = fc.oneof(
  fc.record({
    kind: fc.constant('add' as const),
    boxKey: fc.constant(new Uint8Array(32)),
    name: fc.constantFrom('a', 'b'),
    platform: fc.constant('p'),
    round: fc.nat(2),
  }),
  fc.record({ kind: fc.constant('rename' as const), name: fc.constantFrom('x', 'y'), counter: fc.nat(2) }),
  fc.record({ kind: fc.constant('remove' as const), round: fc.nat(2) }),
)
const statement: fc.Arbitrary<DeviceStatement> = fc
  .record({ claim, about: fc.integer({ min: 1, max: 5 }), by: fc.integer({ min: 0, max: 5 }), atMs: fc.nat(3) })
  .map(({ claim, about, by, atMs }) =>
    signStatement(crypto, { claim, device: IDS[about] as DeviceId, by: IDS[by] as DeviceId, atMs }, (message) =>
      (KEYS[by] as SigningKey).sign(message),
    ),
  )
const statements = fc.array(statement, { maxLength: 24 })
const fold = (said: Iterable<DeviceStatement>) => foldDevices(PERSON, said)
const shape = (said: Iterable<DeviceStatement>) => {
  const { statements, devices } = fold(said)
  return { ids: [...statements.keys()].sort(), devices: [...devices.values()].map((record) => ({ ...record, boxKey: 0 })) }
}

describe('foldDevices', () => {
  it('[ID20] gives the same list in every order, with repeats', () => {
    fc.assert(
      fc.property(statements, fc.infiniteStream(fc.nat()), (said, order) => {
        const shuffled = [...said, ...said].map((one) => [order.next().value as number, one] as const).sort((a, b) => a[0] - b[0])
        expect(shape(shuffled.map(([, one]) => one))).toEqual(shape(said))
      }),
      { seed: 20, numRuns: roundsOfRun(150, 1_500) },
    )
  })

  it('[ID20] merging folded lists equals folding all: what was dropped never mattered', () => {
    fc.assert(
      fc.property(statements, statements, statements, (x, y, z) => {
        const [a, b, c] = [x, y, z].map((said) => [...fold(said).statements.values()]) as [
          DeviceStatement[],
          DeviceStatement[],
          DeviceStatement[],
        ]
        const left = [...fold([...a, ...b]).statements.values()]
        const right = [...fold([...b, ...c]).statements.values()]
        expect(shape([...left, ...c])).toEqual(shape([...a, ...right]))
        expect(shape([...b, ...a])).toEqual(shape(left))
        expect(shape(left)).toEqual(shape(fold(left).statements.values()))
      }),
      { seed: 21, numRuns: roundsOfRun(100, 1_000) },
    )
  })

  it('[ID20] no device is on the list without a chain of adds from the root key', () => {
    fc.assert(
      fc.property(statements, (said) => {
        const { devices, statements: kept } = fold(said)
        for (const record of devices.values()) {
          const seen = new Set<string>()
          const reaches = (device: string): boolean => {
            if (device === PERSON) return true
            if (seen.has(device)) return false
            seen.add(device)
            return [...kept.values()].some((one) => one.claim.kind === 'add' && one.device === device && reaches(one.by))
          }
          expect(reaches(record.device)).toBe(true)
        }
      }),
      { seed: 22, numRuns: roundsOfRun(100, 1_000) },
    )
  })

  it('[ID23] no flipped bit of a statement is taken, and nothing but a named error is thrown', () => {
    fc.assert(
      fc.property(statement, fc.nat(), fc.integer({ min: 0, max: 7 }), ({ bytes }, at, bit) => {
        const broken = bytes.slice()
        broken[at % bytes.length] = (broken[at % bytes.length] as number) ^ (1 << bit)
        expect(() => decodeStatement(crypto, broken)).toThrow(expect.objectContaining({ code: 'devices/malformed' }))
      }),
      { seed: 23, numRuns: roundsOfRun(300, 3_000) },
    )
  })

  it('[ID23] garbage of any length is refused by name', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1200 }), (bytes) => {
        expect(() => decodeStatement(crypto, bytes)).toThrow(expect.objectContaining({ code: 'devices/malformed' }))
      }),
      { seed: 24, numRuns: roundsOfRun(300, 3_000) },
    )
  })
})
