import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromBase64Url, toHex, utf8 } from '../base/bytes.ts'
import { SodiumCrypto } from '../platform/node/sodium-crypto.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MemoryVaultStore } from './memory-vault-store.ts'
import facts from './golden/vault-v1.facts.json' with { type: 'json' }
import { IdentityError } from './identity-error.ts'
import { passphraseBytes } from './passphrase.ts'
import { ARGON2_CEILING, ARGON2_FLOOR, decodeVault, encodeVault } from './vault-format.ts'
import { Vault } from './vault.ts'
import { roundsOfRun } from '../testkit/seeded-random.ts'

const crypto = new SodiumCrypto()
const golden = new Uint8Array(readFileSync(new URL('./golden/vault-v1.json', import.meta.url)))
const json = () => JSON.parse(new TextDecoder().decode(golden))
const codeOf = (file: Uint8Array): string => {
  try {
    decodeVault(file)
    return 'read'
  } catch (error) {
    expect(error).toBeInstanceOf(IdentityError)
    return (error as IdentityError).code
  }
}
const codeOfJson = (value: unknown) => codeOf(utf8(JSON.stringify(value)))

describe('vault format 1', () => {
  const load = async (unattended: boolean) => {
    const store = new MemoryVaultStore()
    store.files.set('vault', golden)
    if (unattended) store.files.set('unattended', fromBase64Url(facts.unattendedKey))
    return Vault.load({ crypto, store, clock: new ManualClock() })
  }
  const expectGolden = (vault: Vault) => {
    const { keys } = vault
    expect([keys.device, keys.person, toHex(keys.box.publicKey)]).toEqual([facts.device, facts.person, facts.boxKey])
    expect(toHex(keys.datasetKeys.rendezvousSecret)).toBe(facts.rendezvousSecret)
    expect(toHex(keys.sealer.lookupKey('text'))).toBe(facts.lookupKeyOfText)
    const { sealedRow, sealedUpdate } = facts
    expect(keys.sealer.open(fromBase64Url(sealedRow.bytes), sealedRow.context)).toEqual(utf8(sealedRow.plain))
    expect(keys.datasetKeys.open(sealedUpdate.epoch, fromBase64Url(sealedUpdate.bytes), sealedUpdate.context)).toEqual(
      utf8(sealedUpdate.plain),
    )
  }

  it('[ID14] opens the golden vault by its passphrase, with every key as it was', async () => {
    const vault = await load(false)
    expect(vault.label).toMatchObject({ deviceId: facts.device, deviceName: 'golden laptop', personName: 'Gölden' })
    await vault.unlock('d', passphraseBytes(facts.passphrase))
    expectGolden(vault)
    expect(toHex(vault.personKey.publicKey)).toHaveLength(64)
  })

  it('[ID14] opens the golden vault unattended', async () => {
    const vault = await load(true)
    expect(await vault.startUnattended()).toBe(true)
    expectGolden(vault)
  })

  it('[ID15] takes a passphrase composed or decomposed', async () => {
    const vault = await load(false)
    await vault.unlock('d', passphraseBytes(facts.passphrase.normalize('NFD')))
    expect(vault.phase).toBe('open')
  })

  it('[ID14] writes what it has read', () => {
    expect(decodeVault(encodeVault(decodeVault(golden)))).toEqual(decodeVault(golden))
  })

  it('[ID14] a newer vault says update, a damaged one says so', () => {
    expect(codeOfJson({ ...json(), version: 2, more: true })).toBe('vault/newer')
    for (const value of [{}, [], null, 7, { ...json(), format: 'other' }, { ...json(), version: 0 }, { ...json(), device: {} }]) {
      expect(codeOfJson(value)).toBe('vault/damaged')
    }
    expect(codeOfJson({ ...json(), deviceId: '0OIl' })).toBe('vault/damaged')
    expect(codeOfJson({ ...json(), deviceId: 'abc' })).toBe('vault/damaged')
    expect(codeOf(golden.subarray(0, 500))).toBe('vault/damaged')
    expect(codeOf(new Uint8Array(0))).toBe('vault/damaged')
    expect(codeOf(new Uint8Array(300 * 1024).fill(32))).toBe('vault/damaged')
    expect(codeOf(Uint8Array.of(0xff, 0xfe))).toBe('vault/damaged')
  })

  it('[ID15] refuses less work than the floor, and more than a machine should bear', () => {
    const withKdf = (kdf: object) => codeOfJson({ ...json(), kdf: { ...json().kdf, ...kdf } })
    expect(withKdf({})).toBe('read')
    expect(withKdf({ passes: ARGON2_FLOOR.passes - 1 })).toBe('vault/damaged')
    expect(withKdf({ memoryBytes: ARGON2_FLOOR.memoryBytes - 1024 })).toBe('vault/damaged')
    expect(withKdf({ passes: ARGON2_CEILING.passes + 1 })).toBe('vault/damaged')
    expect(withKdf({ memoryBytes: ARGON2_CEILING.memoryBytes * 2 })).toBe('vault/damaged')
    expect(withKdf({ name: 'pbkdf2' })).toBe('vault/damaged')
    expect(withKdf({ salt: 'AAAA' })).toBe('vault/damaged')
  })

  it('[ID14] any cut or flipped file is read or refused by name, never worse', () => {
    fc.assert(
      fc.property(fc.nat(golden.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, mask, cut) => {
        const broken = cut ? golden.subarray(0, at) : golden.map((byte, i) => (i === at ? byte ^ mask : byte))
        expect(['read', 'vault/damaged', 'vault/newer']).toContain(codeOf(broken))
      }),
      { seed: 14, numRuns: roundsOfRun(400, 4_000) },
    )
  })
})
