import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { SodiumCrypto } from '../platform/node/sodium-crypto.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import {
  ARGON2_TARGET_MS,
  calibrateArgon2,
  MAX_WAIT_MS,
  remainingWaitMs,
  requireStrongEnough,
  scaleArgon2,
  waitAfterMs,
} from './passphrase.ts'
import { ARGON2_CEILING, ARGON2_FLOOR } from './vault-format.ts'

const MIB = 1024 * 1024

describe('Argon2id calibration', () => {
  it.each([
    { name: 'a slow machine gets the floor', floorMs: 900, passes: 3, mib: 64 },
    { name: 'one right at the target too', floorMs: 500, passes: 3, mib: 64 },
    { name: 'half the target doubles the memory', floorMs: 250, passes: 3, mib: 128 },
    { name: 'in between, passes make up the rest', floorMs: 167, passes: 4, mib: 128 },
    { name: 'a fast machine gets 256 MiB and more passes', floorMs: 50, passes: 8, mib: 256 },
    { name: 'a clock that stood still asks for no more than the ceiling', floorMs: 0, passes: 64, mib: 256 },
  ])('[ID15] $name', ({ floorMs, passes, mib }) => {
    expect(scaleArgon2(floorMs, ARGON2_TARGET_MS)).toEqual({ passes, memoryBytes: mib * MIB })
  })

  it('[ID15] never goes below the floor or above what a vault may ask, and lands within a factor of two', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 10_000, noNaN: true }), (floorMs) => {
        const { passes, memoryBytes } = scaleArgon2(floorMs, ARGON2_TARGET_MS)
        expect(passes).toBeGreaterThanOrEqual(ARGON2_FLOOR.passes)
        expect(memoryBytes).toBeGreaterThanOrEqual(ARGON2_FLOOR.memoryBytes)
        expect(passes).toBeLessThanOrEqual(ARGON2_CEILING.passes)
        expect(memoryBytes).toBeLessThanOrEqual(ARGON2_CEILING.memoryBytes)
        const costMs = (floorMs * passes * memoryBytes) / (ARGON2_FLOOR.passes * ARGON2_FLOOR.memoryBytes)
        if (floorMs > 10 && floorMs < ARGON2_TARGET_MS) {
          expect(costMs).toBeGreaterThan(ARGON2_TARGET_MS / 2)
          expect(costMs).toBeLessThan(ARGON2_TARGET_MS * 2)
        }
      }),
      { seed: 15 },
    )
  })

  it('[ID15] measures with one run at the floor', async () => {
    const clock = new ManualClock()
    const crypto = new SodiumCrypto()
    const asked: unknown[] = []
    const measured = Object.assign(Object.create(crypto), {
      argon2id: async (_passphrase: Uint8Array, _salt: Uint8Array, params: unknown) => {
        asked.push(params)
        clock.advance(125)
        return crypto.randomSecret(32)
      },
    })
    expect(await calibrateArgon2(measured, clock)).toEqual({ passes: 3, memoryBytes: 256 * MIB })
    expect(asked).toEqual([ARGON2_FLOOR])
  })
})

describe('waits after wrong tries', () => {
  it('[ID16] double from 1 s to five minutes', () => {
    expect([0, 1, 2, 3, 4, 9, 10, 50].map(waitAfterMs)).toEqual([0, 1000, 2000, 4000, 8000, 256_000, MAX_WAIT_MS, MAX_WAIT_MS])
  })

  it('[ID16] never last longer than the wait, whatever the clock says', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.integer(), fc.integer(), (failed, lastAtMs, nowMs) => {
        const waitMs = remainingWaitMs({ failed, lastAtMs }, nowMs)
        expect(waitMs).toBeGreaterThanOrEqual(0)
        expect(waitMs).toBeLessThanOrEqual(waitAfterMs(failed))
      }),
      { seed: 16 },
    )
  })
})

describe('requireStrongEnough', () => {
  it.each(['', 'seven77', 'aaaaaaaaaa', 'abcabcabcabc'])('[ID15] refuses "%s"', (text) => {
    expect(() => requireStrongEnough(utf8(text))).toThrow(expect.objectContaining({ code: 'vault/weak-passphrase' }))
  })
  it.each(['eight888', 'four random words here', 'пароль'])('[ID15] takes "%s"', (text) => {
    expect(() => requireStrongEnough(utf8(text))).not.toThrow()
  })
})
