import { afterEach, describe, expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { StoreError } from '../base/store-error.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MemoryVaultStore } from './memory-vault-store.ts'
import { QuickCrypto } from '../testkit/quick-crypto.ts'
import { DatasetKeys } from './dataset-keys.ts'
import { MAX_WAIT_MS } from './passphrase.ts'
import { ARGON2_FLOOR } from './vault-format.ts'
import { Vault } from './vault.ts'

const crypto = new QuickCrypto()
const PASS = 'correct horse battery'

describe('Vault', () => {
  const made: Vault[] = []
  afterEach(() => {
    for (const vault of made.splice(0)) vault.dispose()
  })

  const setUp = () => {
    const store = new MemoryVaultStore()
    const clock = new ManualClock(1_700_000_000_000)
    const load = async () => {
      const vault = await Vault.load({ crypto, store, clock, argon2: ARGON2_FLOOR })
      made.push(vault)
      return vault
    }
    const first = (more: { unattended?: boolean; passphrase?: Uint8Array } = {}) => ({
      display: 'd1',
      deviceName: 'laptop',
      personName: 'Ada',
      passphrase: utf8(PASS),
      unattended: false,
      ...more,
    })
    return { store, clock, load, first }
  }
  const create = async (more: { unattended?: boolean } = {}) => {
    const given = setUp()
    const vault = await given.load()
    await vault.create(given.first(more))
    return { ...given, vault }
  }
  const code = (expected: string) => expect.objectContaining({ code: expected })

  it('[ID13] starts with no vault, and has both kinds of key after the first run', async () => {
    const { load, first } = setUp()
    const vault = await load()
    expect([vault.phase, vault.label]).toEqual(['none', undefined])
    expect(() => vault.keys).toThrow(code('vault/locked'))
    await vault.create(first())
    expect(vault.phase).toBe('open')
    expect(vault.label).toMatchObject({ deviceId: vault.keys.device, deviceName: 'laptop', personName: 'Ada' })
    expect(vault.personKey.publicKey).not.toEqual(vault.keys.box.publicKey)
    expect(vault.isDisplayUnlocked('d1')).toBe(true)
    await expect(vault.create(first())).rejects.toThrow(code('vault/exists'))
  })

  it('[ID110] makes a wallet when it is wanted, keeps it before it is told, and through locks, restarts and joining', async () => {
    const { vault, store, load } = await create()
    expect(vault.keys.wallet).toBeUndefined()
    const write = store.write.bind(store)
    store.write = () => Promise.reject(StoreError.diskFull('the vault'))
    await expect(vault.openWallet()).rejects.toThrow(code('store/disk-full'))
    expect(vault.keys.wallet).toBeUndefined()
    store.write = write
    const [{ address }, again] = await Promise.all([vault.openWallet(), vault.openWallet()])
    expect([again.address, address === vault.keys.device]).toEqual([address, false])
    const kept = await vault.openWallet()
    const restarted = await load()
    await restarted.unlock('d2', utf8(PASS))
    expect(restarted.keys.wallet?.address).toBe(address)
    await restarted.adopt({ person: vault.keys.person, personName: 'Bo', datasetKeys: DatasetKeys.create(crypto).encode() })
    expect((await restarted.openWallet()).address).toBe(address)
    vault.lockDevice()
    expect(() => kept.sign('message', utf8('late'))).toThrow(code('identity/key-wiped'))
    await expect(vault.openWallet()).rejects.toThrow(code('vault/locked'))
  })

  it.each(['short', 'aaaaaaaaaaaaaaaa', 'ababababab'])('[ID15] refuses the weak passphrase %s and stores nothing', async (weak) => {
    const { load, first, store } = setUp()
    const vault = await load()
    await expect(vault.create(first({ passphrase: utf8(weak) }))).rejects.toThrow(code('vault/weak-passphrase'))
    expect([vault.phase, store.files.size]).toEqual(['none', 0])
  })

  it('[ID13] opens after a restart with the passphrase, with the same keys', async () => {
    const { vault, load } = await create()
    const again = await load()
    expect(again.phase).toBe('sealed')
    await again.unlock('d2', utf8(PASS))
    expect(again.phase).toBe('open')
    expect(again.keys.device).toBe(vault.keys.device)
    expect(again.keys.person).toBe(vault.keys.person)
    expect(again.keys.box.publicKey).toEqual(vault.keys.box.publicKey)
    expect(again.personKey.publicKey).toEqual(vault.personKey.publicKey)
    const sealed = vault.keys.sealer.seal(utf8('row'), 'table/1')
    expect(again.keys.sealer.open(sealed, 'table/1')).toEqual(utf8('row'))
    expect(again.keys.datasetKeys.rendezvousSecret).toEqual(vault.keys.datasetKeys.rendezvousSecret)
  })

  it('[ID17] wipes person keys with the last unlocked display, and keeps device keys', async () => {
    const { vault } = await create()
    await vault.unlock('d2', utf8(PASS))
    const kept = vault.personKey
    vault.lockDisplay('d1')
    expect(vault.personKey).toBe(kept)
    vault.lockDisplay('d2')
    expect(() => vault.personKey).toThrow(code('vault/locked'))
    expect(() => kept.sign(utf8('x'))).toThrow(code('identity/key-wiped'))
    expect(vault.phase).toBe('open')
    expect(vault.keys.signer.sign(utf8('x'))).toHaveLength(64)
    await vault.unlock('d1', utf8(PASS))
    expect(vault.personKey.sign(utf8('x'))).toHaveLength(64)
  })

  it('[ID17] a display that was never unlocked changes nothing by locking', async () => {
    const { vault } = await create()
    vault.lockDisplay('stranger')
    expect(vault.personKey.publicKey).toHaveLength(32)
  })

  it('[ID18] the device lock wipes everything, also for whoever kept an object', async () => {
    const { vault } = await create()
    const { signer, sealer, datasetKeys, box } = vault.keys
    const sealed = datasetKeys.seal(utf8('x'), 'c')
    vault.lockDevice()
    expect(vault.phase).toBe('sealed')
    expect(vault.isDisplayUnlocked('d1')).toBe(false)
    const wiped = code('identity/key-wiped')
    expect(() => signer.sign(utf8('x'))).toThrow(wiped)
    expect(() => sealer.seal(utf8('x'), 'c')).toThrow(wiped)
    expect(() => sealer.lookupKey('x')).toThrow(wiped)
    expect(() => datasetKeys.open(0, sealed, 'c')).toThrow(wiped)
    expect(() => datasetKeys.rendezvousSecret).toThrow(wiped)
    expect(() => box.open(sealed)).toThrow(wiped)
    expect(() => vault.keys).toThrow(code('vault/locked'))
    await vault.unlock('d1', utf8(PASS))
    expect(vault.keys.datasetKeys.open(0, sealed, 'c')).toEqual(utf8('x'))
  })

  it('[ID18] a device lock during an unlock wins', async () => {
    const { load } = await create()
    const vault = await load()
    const unlocking = vault.unlock('d1', utf8(PASS))
    await new Promise((resolve) => setImmediate(resolve)) // let it reach the passphrase's hard work
    vault.lockDevice()
    await expect(unlocking).rejects.toThrow(code('vault/locked'))
    expect(vault.phase).toBe('sealed')
  })

  it('[ID16] slows wrong tries, 1 s, 2 s, 4 s, and a restart gives none back', async () => {
    const { load, clock } = await create()
    let vault = await load()
    for (const waitMs of [1000, 2000, 4000]) {
      await expect(vault.unlock('d', utf8('not the passphrase'))).rejects.toThrow(code('vault/wrong-passphrase'))
      vault = await load()
      clock.advance(waitMs - 1)
      await expect(vault.unlock('d', utf8(PASS))).rejects.toThrow(code('vault/too-many-tries'))
      clock.advance(1)
    }
    await vault.unlock('d', utf8(PASS))
    await expect(vault.unlock('d', utf8('not the passphrase'))).rejects.toThrow(code('vault/wrong-passphrase'))
    clock.advance(1000)
    await vault.unlock('d', utf8(PASS))
  })

  it('[ID16] counts wrong tries also while the device is open', async () => {
    const { vault } = await create()
    await expect(vault.unlock('d2', utf8('not the passphrase'))).rejects.toThrow(code('vault/wrong-passphrase'))
    await expect(vault.unlock('d2', utf8(PASS))).rejects.toThrow(code('vault/too-many-tries'))
    expect(vault.isDisplayUnlocked('d2')).toBe(false)
  })

  it('[ID16] a clock set back a day keeps a person out no longer than the wait', async () => {
    const { load, clock } = await create()
    const vault = await load()
    await expect(vault.unlock('d', utf8('not the passphrase'))).rejects.toThrow()
    clock.advance(-86_400_000)
    const refusal = await vault.unlock('d', utf8(PASS)).catch((error: Error) => error.message)
    expect(refusal).toMatch(/wait 1 second /)
    clock.advance(1000)
    await vault.unlock('d', utf8(PASS))
    expect(MAX_WAIT_MS).toBeLessThanOrEqual(10 * 60_000)
  })

  it('[ID16] a full disk does not keep the right passphrase out', async () => {
    const { load, store } = await create()
    const vault = await load()
    store.failWith = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    await expect(vault.unlock('d', utf8('not the passphrase'))).rejects.toThrow(code('vault/wrong-passphrase'))
    await expect(vault.unlock('d', utf8(PASS))).rejects.toThrow(code('vault/too-many-tries'))
  })

  it('[ID15] wipes the passphrase it was given, right or wrong', async () => {
    const { load } = await create()
    const vault = await load()
    const right = utf8(PASS)
    const wrong = utf8('not the passphrase')
    await vault.unlock('d', right)
    await vault.unlock('d', wrong).catch(() => undefined)
    expect([...right, ...wrong].every((byte) => byte === 0)).toBe(true)
  })

  it('[ID19] starts unattended with device keys only', async () => {
    const { load } = await create({ unattended: true })
    const vault = await load()
    expect(vault.unattended).toBe(true)
    expect(await vault.startUnattended()).toBe(true)
    expect(vault.keys.signer.sign(utf8('x'))).toHaveLength(64)
    expect(() => vault.personKey).toThrow(code('vault/locked'))
    await vault.unlock('d', utf8(PASS))
    expect(vault.personKey.publicKey).toHaveLength(32)
  })

  it('[ID19] does not start by itself unless asked, and no more once unset', async () => {
    const { load, vault, store } = await create()
    expect(store.files.has('unattended')).toBe(false)
    const sealed = await load()
    expect(await sealed.startUnattended()).toBe(false)
    await expect(sealed.setUnattended(true)).rejects.toThrow(code('vault/locked'))
    await vault.setUnattended(true)
    expect(await (await load()).startUnattended()).toBe(true)
    await vault.setUnattended(false)
    expect(store.files.has('unattended')).toBe(false)
    expect(await (await load()).startUnattended()).toBe(false)
  })

  it('[ID28] opens device keys, and no more, with the key from a key store', async () => {
    const { vault, load, store } = await create()
    const opener = await vault.keepOpener()
    const again = await load()
    const given = opener.slice()
    await again.openBy(given)
    expect([again.phase, again.isPersonOpen, again.isDisplayUnlocked('d1')]).toEqual(['open', false, false])
    expect(again.keys.device).toBe(vault.keys.device)
    expect(given.every((byte) => byte === 0)).toBe(true)
    const sealed = store.files.get('opener') ?? new Uint8Array()
    expect(Buffer.from(sealed).includes(Buffer.from(opener))).toBe(false)
    await again.openBy(opener.slice()) // already open: nothing to do
    await expect(again.openBy(crypto.bytes(32))).rejects.toThrow(code('vault/wrong-opener'))
  })

  it('[ID28] another key, an older one, a damaged or a removed file open nothing', async () => {
    const { vault, load, store } = await create()
    const older = await vault.keepOpener()
    const opener = await vault.keepOpener()
    const again = await load()
    for (const wrong of [older, crypto.bytes(32), new Uint8Array(), new Uint8Array(31)])
      await expect(again.openBy(wrong.slice())).rejects.toThrow(code('vault/wrong-opener'))
    const kept = store.files.get('opener') ?? new Uint8Array()
    store.files.set('opener', kept.slice(1))
    await expect(again.openBy(opener.slice())).rejects.toThrow(code('vault/wrong-opener'))
    store.files.set('opener', kept)
    await again.openBy(opener.slice())
    await again.forgetOpener()
    expect(store.files.has('opener')).toBe(false)
    await expect((await load()).openBy(opener.slice())).rejects.toThrow(code('vault/wrong-opener'))
    await expect((await load()).keepOpener()).rejects.toThrow(code('vault/locked'))
  })

  it('[ID28] a device that sealed itself because its desk could not be opened is not one that a person locked', async () => {
    const { vault } = await create()
    const opener = await vault.keepOpener()
    vault.seal()
    expect(vault.phase).toBe('sealed')
    await vault.openBy(opener.slice())
    expect(vault.phase).toBe('open')
    vault.lockDevice()
    vault.seal() // what comes after does not undo what the person did
    await expect(vault.openBy(opener.slice())).rejects.toThrow(code('vault/locked'))
  })

  it('[ID28] nor does an unlock that the person overtook', async () => {
    const { vault } = await create()
    const opener = await vault.keepOpener()
    vault.seal()
    const unlocking = vault.unlock('d1', utf8(PASS))
    await new Promise((resolve) => setImmediate(resolve))
    vault.lockDevice()
    await expect(unlocking).rejects.toThrow(code('vault/locked'))
    await expect(vault.openBy(opener.slice())).rejects.toThrow(code('vault/locked'))
  })

  it('[ID28] what a person locked opens with the passphrase only', async () => {
    const { vault } = await create()
    const opener = await vault.keepOpener()
    vault.lockDevice()
    await expect(vault.openBy(opener.slice())).rejects.toThrow(code('vault/locked'))
    expect(vault.phase).toBe('sealed')
    await vault.unlock('d1', utf8(PASS))
    expect(vault.phase).toBe('open')
  })

  it('[ID19] says so when the unattended key is damaged, and still opens by passphrase', async () => {
    const { load, store } = await create({ unattended: true })
    for (const bytes of [new Uint8Array(7), new Uint8Array(32)]) {
      store.files.set('unattended', bytes)
      const vault = await load()
      await expect(vault.startUnattended()).rejects.toThrow(code('vault/damaged'))
      await vault.unlock('d', utf8(PASS))
      expect(vault.phase).toBe('open')
    }
  })

  it("[ID27] adopting a person keeps the machine's keys and drops the person made here", async () => {
    const { vault, load } = await create()
    const { device, person } = vault.keys
    const row = vault.keys.sealer.seal(utf8('kept'), 'row')
    const other = await create()
    const joined = { person: other.vault.keys.person, personName: 'Grace', datasetKeys: other.vault.keys.datasetKeys.encode() }
    await vault.adopt(joined)
    expect(vault.keys.device).toBe(device)
    expect(vault.keys.person).not.toBe(person)
    expect(() => vault.personKey).toThrow(code('vault/no-person-key'))
    const again = await load()
    await again.unlock('d', utf8(PASS))
    expect(again.keys.person).toBe(other.vault.keys.person)
    expect(again.label?.personName).toBe('Grace')
    expect(again.holdsPerson).toBe(false)
    expect(again.keys.sealer.open(row, 'row')).toEqual(utf8('kept'))
    expect(again.keys.datasetKeys.rendezvousSecret).toEqual(other.vault.keys.datasetKeys.rendezvousSecret)
  })

  it('[ID27] adopting garbage changes nothing', async () => {
    const { vault } = await create()
    const { person } = vault.keys
    const joined = { person, personName: 'x', datasetKeys: new Uint8Array(10) }
    await expect(vault.adopt(joined)).rejects.toThrow(code('keys/malformed'))
    expect(vault.keys.person).toBe(person)
    expect(vault.personKey.publicKey).toHaveLength(32)
  })

  it('[ID12] a new epoch survives a restart once saved', async () => {
    const { vault, load } = await create()
    vault.keys.datasetKeys.use(vault.keys.datasetKeys.take(1, crypto.bytes(32)))
    const sealed = vault.keys.datasetKeys.seal(utf8('new era'), 'c')
    await vault.saveKeys()
    const again = await load()
    await again.unlock('d', utf8(PASS))
    expect(again.keys.datasetKeys.epoch).toBe(1)
    expect(again.keys.datasetKeys.open(1, sealed, 'c')).toEqual(utf8('new era'))
  })

  it('[ID15] changes the passphrase: only the new one opens, keys stay', async () => {
    const { vault, load, clock } = await create()
    const { person } = vault.keys
    const weak = vault.changePassphrase(utf8(PASS), utf8('weak'))
    await expect(weak).rejects.toThrow(code('vault/weak-passphrase'))
    await expect(vault.changePassphrase(utf8('not the passphrase'), utf8('another good one'))).rejects.toThrow(
      code('vault/wrong-passphrase'),
    )
    clock.advance(1000)
    const [before, after] = [utf8(PASS), utf8('another good one')]
    await vault.changePassphrase(before, after)
    expect([...before, ...after].every((byte) => byte === 0)).toBe(true)
    const again = await load()
    await expect(again.unlock('d', utf8(PASS))).rejects.toThrow(code('vault/wrong-passphrase'))
    clock.advance(1000)
    await again.unlock('d', utf8('another good one'))
    expect(again.keys.person).toBe(person)
    expect(again.personKey.publicKey).toHaveLength(32)
  })

  it('[ID18] a device lock in the middle of a change of passphrase wins: the old one opens, the new one does not', async () => {
    /** The second time, the new passphrase is worked on. */
    class HeldCrypto extends QuickCrypto {
      times = 0
      onDidHold = () => {}
      goOn = () => {}
      override async argon2id(passphrase: Uint8Array, salt: Uint8Array) {
        if (++this.times === 2) {
          this.onDidHold()
          await new Promise<void>((resolve) => (this.goOn = resolve))
        }
        return super.argon2id(passphrase, salt)
      }
    }
    const { store, clock, vault: made } = await create()
    made.lockDevice()
    const held = new HeldCrypto()
    const vault = await Vault.load({ crypto: held, store, clock, argon2: ARGON2_FLOOR })
    await vault.unlock('d1', utf8(PASS))
    held.times = 0
    const isHeld = new Promise<void>((resolve) => (held.onDidHold = resolve))
    const [before, after] = [utf8(PASS), utf8('another good one')]
    const changing = vault.changePassphrase(before, after)
    changing.catch(() => {})
    await isHeld
    vault.lockDevice()
    held.goOn()
    await expect(changing).rejects.toThrow(code('vault/locked'))
    expect([vault.phase, ...before, ...after]).toEqual(['sealed', ...new Uint8Array(before.length + after.length)])
    await expect(vault.unlock('d1', utf8('another good one'))).rejects.toThrow(code('vault/wrong-passphrase'))
    clock.advance(1000)
    await vault.unlock('d1', utf8(PASS))
    expect(vault.phase).toBe('open')
    vault.dispose()
  })

  it('[ID14] renames at the door', async () => {
    const { vault, load } = await create()
    await vault.rename({ deviceName: 'kitchen' })
    expect((await load()).label).toMatchObject({ deviceName: 'kitchen', personName: 'Ada' })
  })

  it('[ID13] tells of each change', async () => {
    const { vault } = await create()
    const phases: string[] = []
    vault.onDidChange((phase) => phases.push(phase))
    vault.lockDevice()
    await vault.unlock('d', utf8(PASS))
    expect(phases).toEqual(['sealed', 'open'])
  })

  it('[ID13] no secret lies in the stored vault, only sealed bytes', async () => {
    const { vault, store } = await create()
    const file = new TextDecoder().decode(store.files.get('vault'))
    expect(file).not.toContain(PASS)
    const { datasetKeys } = vault.keys
    const secrets = [datasetKeys.encode().subarray(1, 33), datasetKeys.rendezvousSecret]
    for (const secret of secrets) expect(file).not.toContain(Buffer.from(secret).toString('base64url').slice(0, 40))
    const parsed = JSON.parse(file)
    expect(Object.keys(parsed).sort()).toEqual([
      'device',
      'deviceId',
      'deviceName',
      'format',
      'kdf',
      'person',
      'personName',
      'tries',
      'version',
    ])
  })

  it('[ID13] the parts of two vaults and the two locks cannot be swapped', async () => {
    const { store, load } = await create()
    const other = await create()
    const mine = JSON.parse(new TextDecoder().decode(store.files.get('vault')))
    const theirs = JSON.parse(new TextDecoder().decode(other.store.files.get('vault')))
    const swaps = [
      { ...mine, device: { ...mine.device, keys: theirs.device.keys } },
      { ...mine, device: { ...mine.device, keys: mine.person.keys } },
      { ...mine, person: { ...mine.person, lock: mine.device.lock } },
      { ...mine, person: { ...mine.person, keys: theirs.person.keys } },
    ]
    for (const swapped of swaps) {
      store.files.set('vault', utf8(JSON.stringify({ ...swapped, tries: { failed: 0, lastAtMs: 0 } })))
      await expect((await load()).unlock('d', utf8(PASS))).rejects.toThrow(code('vault/damaged'))
    }
    store.files.set('vault', utf8(JSON.stringify({ ...mine, device: theirs.device })))
    await expect((await load()).unlock('d', utf8(PASS))).rejects.toThrow(code('vault/wrong-passphrase'))
  })

  it('[ID12] keys of an epoch are told apart and unknown epochs named', () => {
    const keys = DatasetKeys.create(crypto)
    const sealed = keys.seal(utf8('x'), 'c')
    expect(() => keys.open(0, sealed, 'other')).toThrow(code('vault/unsealable'))
    expect(() => keys.open(1, sealed, 'c')).toThrow(code('keys/unknown-epoch'))
    keys.use(keys.take(1, crypto.bytes(32)))
    expect(() => keys.open(1, sealed, 'c')).toThrow(code('vault/unsealable'))
    expect(keys.open(0, sealed, 'c')).toEqual(utf8('x'))
  })
})
