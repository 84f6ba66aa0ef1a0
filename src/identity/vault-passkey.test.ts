import { afterEach, describe, expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MemoryVaultStore } from './memory-vault-store.ts'
import { QuickCrypto } from '../testkit/quick-crypto.ts'
import { DatasetKeys } from './dataset-keys.ts'
import { ARGON2_FLOOR } from './vault-format.ts'
import { Vault } from './vault.ts'

const crypto = new QuickCrypto()
const PASS = 'correct horse battery'
const code = (expected: string) => expect.objectContaining({ code: expected })

describe('a passkey', () => {
  const made: Vault[] = []
  afterEach(() => {
    for (const vault of made.splice(0)) vault.dispose()
  })
  const setUp = async () => {
    const store = new MemoryVaultStore()
    const clock = new ManualClock(1_700_000_000_000)
    const load = async () => {
      const vault = await Vault.load({ crypto, store, clock, argon2: ARGON2_FLOOR })
      made.push(vault)
      return vault
    }
    const vault = await load()
    await vault.create({ display: 'd1', deviceName: 'laptop', personName: 'Ada', passphrase: utf8(PASS), unattended: false })
    const answer = crypto.bytes(32)
    const question = { credentialId: crypto.bytes(64), salt: crypto.bytes(32) }
    await vault.setPasskey(utf8(PASS), question, answer.slice())
    return { store, clock, load, vault, answer, question }
  }

  it('[ID29] opens both locks after a restart, as the passphrase does, and says what to ask before', async () => {
    const { load, answer, question, vault } = await setUp()
    const again = await load()
    expect([again.phase, again.passkey]).toEqual(['sealed', question])
    await again.unlockByPasskey('d2', answer.slice())
    expect([again.phase, again.isDisplayUnlocked('d2'), again.isPersonOpen]).toEqual(['open', true, true])
    expect(again.personKey.publicKey).toEqual(vault.personKey.publicKey)
    again.lockDisplay('d2')
    expect(again.isPersonOpen).toBe(false)
    again.lockDevice()
    await again.unlockByPasskey('d2', answer.slice())
    await again.changePassphrase(utf8(PASS), utf8('another passphrase'))
    again.lockDevice()
    await again.unlockByPasskey('d2', answer.slice())
    expect(again.isPersonOpen).toBe(true)
  })

  it('[ID29] [ID16] wrong answers are slowed as wrong passphrases are, by one count for both; the passphrase goes on working', async () => {
    const { load, answer, clock } = await setUp()
    const again = await load()
    await expect(again.unlockByPasskey('d2', crypto.bytes(32))).rejects.toThrow(code('vault/wrong-passkey'))
    await expect(again.unlockByPasskey('d2', answer.slice())).rejects.toThrow(code('vault/too-many-tries'))
    await expect(again.unlock('d2', utf8(PASS))).rejects.toThrow(code('vault/too-many-tries'))
    clock.advance(1_000)
    await expect(again.unlock('d2', utf8('not the passphrase'))).rejects.toThrow(code('vault/wrong-passphrase'))
    clock.advance(1_000)
    await expect(again.unlockByPasskey('d2', answer.slice())).rejects.toThrow(code('vault/too-many-tries'))
    clock.advance(1_000)
    await again.unlockByPasskey('d2', answer.slice())
    expect(again.phase).toBe('open')
  })

  it('[ID29] [ID16] the right answer forgives no wrong passphrase: they are slowed more each time, whatever lies between', async () => {
    const { load, answer, clock } = await setUp()
    const again = await load()
    const guess = () => again.unlock('d2', utf8('not the passphrase'))
    for (const waitMs of [1_000, 2_000, 4_000]) {
      await expect(guess()).rejects.toThrow(code('vault/wrong-passphrase'))
      clock.advance(waitMs - 1)
      await expect(guess()).rejects.toThrow(code('vault/too-many-tries'))
      clock.advance(1)
      await again.unlockByPasskey('d2', answer.slice())
    }
    await again.unlock('d2', utf8(PASS))
    await expect(guess()).rejects.toThrow(code('vault/wrong-passphrase'))
    clock.advance(1_000)
    await again.unlock('d2', utf8(PASS))
  })

  it('[ID29] one per vault: another takes its place, removing it takes the way, and setting one up needs the passphrase', async () => {
    const { vault, answer, store, clock } = await setUp()
    const other = { credentialId: crypto.bytes(16), salt: crypto.bytes(32) }
    await expect(vault.setPasskey(utf8('not the passphrase'), other, crypto.bytes(32))).rejects.toThrow(code('vault/wrong-passphrase'))
    clock.advance(1_000)
    const otherAnswer = crypto.bytes(32)
    await vault.setPasskey(utf8(PASS), other, otherAnswer.slice())
    expect(vault.passkey).toEqual(other)
    await expect(vault.unlockByPasskey('d2', answer)).rejects.toThrow(code('vault/wrong-passkey'))
    clock.advance(1_000)
    await vault.unlockByPasskey('d2', otherAnswer.slice())
    await vault.forgetPasskey()
    expect([vault.passkey, store.files.has('passkey')]).toEqual([undefined, false])
    await expect(vault.unlockByPasskey('d2', otherAnswer)).rejects.toThrow(code('vault/wrong-passkey'))
  })

  it('[ID29] any flipped, cut, foreign or mended file is as no passkey, and never keeps the passphrase from working', async () => {
    const { store, load, answer, question } = await setUp()
    const kept = store.files.get('passkey') as Uint8Array
    const stranger = await setUp()
    const bent = [kept.slice(0, 80), utf8('{}'), new Uint8Array(9000), stranger.store.files.get('passkey') as Uint8Array]
    const text = new TextDecoder().decode(kept)
    bent.push(utf8(text.replace('"version": 1', '"version": 2')), utf8(text.replace(/"salt": "./, '"salt": "!')))
    for (const file of bent) {
      store.files.set('passkey', file)
      const vault = await load()
      await expect(vault.unlockByPasskey('d2', answer.slice())).rejects.toThrow(code('vault/wrong-passkey'))
      store.files.set('vault', (store.files.get('vault') as Uint8Array).slice())
      const fresh = JSON.parse(new TextDecoder().decode(store.files.get('vault')))
      store.files.set('vault', utf8(JSON.stringify({ ...fresh, tries: { failed: 0, lastAtMs: 0 } })))
      const again = await load()
      await again.unlock('d2', utf8(PASS))
      expect(again.phase).toBe('open')
    }
    store.files.set('passkey', kept)
    expect((await load()).passkey).toEqual(question)
  })

  it('[ID29] [ID27] after joining another person it opens the device keys that remain', async () => {
    const { vault, answer } = await setUp()
    const keys = DatasetKeys.create(crypto)
    const person = vault.keys.person
    await vault.adopt({ person, personName: 'Bo', datasetKeys: keys.encode() })
    keys.dispose()
    vault.lockDevice()
    await vault.unlockByPasskey('d2', answer)
    expect([vault.phase, vault.isPersonOpen, vault.holdsPerson]).toEqual(['open', false, false])
  })
})
