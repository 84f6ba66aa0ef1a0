import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../base/bytes.ts'
import { errorCode } from '../base/errors.ts'
import type { DocId } from '../base/ids.ts'
import { fakeDevice, fakeSigner, FakeDeviceCheck } from '../testkit/fake-identity.ts'
import { clientIdOf, type StartId } from './client-ids.ts'
import { decodeEnvelope, hashEnvelope, MAX_DEPS, NO_HASH, signedPartOf, signEnvelope, type Envelope } from './envelope.ts'
import { roundsOfRun } from '../testkit/seeded-random.ts'

const START = '0001020304050607' as StartId
const golden = (name: string): string => readFileSync(new URL(`golden/${name}`, import.meta.url), 'utf8').trim()

/** The envelope behind golden/v1-envelope.hex. */
const sample = (): Omit<Envelope, 'sig' | 'device'> => ({
  doc: 'workspace' as DocId,
  start: START,
  seq: 3,
  prevHash: new Uint8Array(32).fill(0xab),
  epoch: 2,
  deps: [{ device: fakeDevice('B'), start: 'ffeeddccbbaa9988' as StartId, seq: 70_000 }],
  clients: [
    { start: START, n: 1 },
    { start: 'ffeeddccbbaa9988' as StartId, n: 300 },
  ],
  update: Uint8Array.of(1, 2, 3, 4),
})

describe('envelopes', () => {
  it('[SY12] the format of version 1 does not change', () => {
    const { bytes } = signEnvelope(sample(), fakeSigner(fakeDevice('A')))
    expect(toHex(bytes)).toBe(golden('v1-envelope.hex'))
    const read = decodeEnvelope(fromHex(golden('v1-envelope.hex')))
    expect(read).toEqual({ ...sample(), device: fakeDevice('A'), sig: expect.any(Uint8Array) })
    expect(toHex(hashEnvelope(bytes))).toBe('4666e7d92154d268bfeac50e01e7ab909c15b7cf05a8e37c67f0c10dfc1c7037')
  })

  it('[SY12] the signature covers every byte but itself, under a prefix of its own', () => {
    const device = fakeDevice('A')
    const { bytes, envelope } = signEnvelope(sample(), fakeSigner(device))
    const check = new FakeDeviceCheck([device])
    expect(check.verify(device, signedPartOf(bytes), envelope.sig)).toBe(true)
    for (let at = 0; at < bytes.length - 64; at++) {
      const changed = Uint8Array.from(bytes)
      changed[at] = (changed[at] as number) ^ 1
      expect(check.verify(device, signedPartOf(changed), envelope.sig)).toBe(false)
    }
    expect(new TextDecoder().decode(signedPartOf(bytes).subarray(0, 22))).toBe('elsewhere/envelope/v1\0')
  })

  it('[SY12] whatever fits the caps is read back as it was', () => {
    const start = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => toHex(bytes) as StartId)
    const count = fc.nat({ max: Number.MAX_SAFE_INTEGER })
    const envelope = fc.record({
      doc: fc.stringMatching(/^text\/[a-z0-9]{1,20}$/).map((doc) => doc as DocId),
      start,
      seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      prevHash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      epoch: count,
      deps: fc.array(fc.record({ device: fc.constantFrom(fakeDevice('B'), fakeDevice('C')), start, seq: count }), { maxLength: 5 }),
      clients: fc.array(fc.record({ start, n: fc.nat({ max: 0xffff_ffff }) }), { maxLength: 5 }),
      update: fc.uint8Array({ maxLength: 300 }),
    })
    fc.assert(
      fc.property(envelope, (given) => {
        const signed = signEnvelope(given, fakeSigner(fakeDevice('A')))
        expect(decodeEnvelope(signed.bytes)).toEqual(signed.envelope)
      }),
    )
  })

  it('[SY12] cut short anywhere, or with bytes behind: malformed', () => {
    const { bytes } = signEnvelope(sample(), fakeSigner(fakeDevice('A')))
    const codeOf = (given: Uint8Array): string => {
      try {
        decodeEnvelope(given)
        return 'read'
      } catch (error) {
        return errorCode(error)
      }
    }
    for (let end = 0; end < bytes.length; end++) expect(codeOf(bytes.subarray(0, end))).toBe('sync/malformed')
    expect(codeOf(Uint8Array.of(...bytes, 0))).toBe('sync/malformed')
  })

  it('[SY12] arbitrary bytes are refused with a code of ours, never another error', () => {
    const { bytes } = signEnvelope(sample(), fakeSigner(fakeDevice('A')))
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 }),
        (changes) => {
          const changed = Uint8Array.from(bytes)
          for (const [at, value] of changes) changed[at] = value
          try {
            decodeEnvelope(changed)
          } catch (error) {
            expect(errorCode(error)).toMatch(/^sync\/(malformed|too-large|version)$/)
          }
        },
      ),
      { numRuns: roundsOfRun(2_000, 20_000) },
    )
  })

  it('[SY12] more dependencies than the cap are refused', () => {
    const deps = Array.from({ length: MAX_DEPS + 1 }, (_, n) => ({ device: fakeDevice('B'), start: START, seq: n }))
    const { bytes } = signEnvelope({ ...sample(), prevHash: NO_HASH, deps }, fakeSigner(fakeDevice('A')))
    expect(() => decodeEnvelope(bytes)).toThrow(expect.objectContaining({ code: 'sync/too-large' }))
  })

  it('[SY10] client ids are 53 bits of a hash: these never change', () => {
    const ids = [1, 2, 0xffff_ffff].map((n) => clientIdOf(fakeDevice('A'), { start: START, n }))
    expect(ids).toEqual(JSON.parse(golden('v1-client-ids.json')))
    expect(ids.every((id) => Number.isSafeInteger(id) && id >= 0)).toBe(true)
    expect(clientIdOf(fakeDevice('B'), { start: START, n: 1 })).not.toBe(ids[0])
  })
})
