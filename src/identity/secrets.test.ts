import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../base/bytes.ts'
import type { Logger } from '../base/logger.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { createPipes } from '../testkit/memory-pairing-pipe.ts'
import { MemoryVaultStore } from './memory-vault-store.ts'
import { createPairingDevice } from '../testkit/pairing-device.ts'
import { QuickCrypto } from '../testkit/quick-crypto.ts'
import type { Secret } from './crypto.ts'
import { Pairing } from './pairing.ts'
import { ARGON2_FLOOR } from './vault-format.ts'
import { Vault } from './vault.ts'

/* Canaries: what must stay inside is looked for in everything that comes out. */

const PASSPHRASE = 'canary-passphrase-3141592653'
const settle = () => new Promise((resolve) => setImmediate(resolve))

/** Remembers every secret it made, to look for later. */
class WatchedCrypto extends QuickCrypto {
  readonly made: Secret[] = []
  readonly bytesMade: string[] = []

  override secret(bytes: Uint8Array): Secret {
    return this.#watch(super.secret(bytes))
  }

  override randomSecret(length: number): Secret {
    return this.#watch(super.randomSecret(length))
  }

  override hkdf(key: Uint8Array, info: string, length: number): Secret {
    return this.#watch(super.hkdf(key, info, length))
  }

  override async argon2id(passphrase: Uint8Array, salt: Uint8Array): Promise<Secret> {
    return this.#watch(await super.argon2id(passphrase, salt))
  }

  get alive(): number {
    return this.made.filter(({ bytes }) => bytes.length > 0).length
  }

  #watch(secret: Secret): Secret {
    if (!this.made.includes(secret)) {
      this.made.push(secret)
      this.bytesMade.push(toHex(secret.bytes))
    }
    return secret
  }
}

const logOf = (lines: string[]): Logger => {
  const write = (...line: unknown[]) => void lines.push(inspect(line, { depth: 10 }))
  const logger: Logger = { error: write, warn: write, info: write, debug: write, child: () => logger }
  return logger
}

describe('secrets', () => {
  const setUp = async () => {
    const crypto = new WatchedCrypto()
    const store = new MemoryVaultStore()
    const clock = new ManualClock(1_700_000_000_000)
    const lines: string[] = []
    const load = () => Vault.load({ crypto, store, clock, logger: logOf(lines), argon2: ARGON2_FLOOR })
    const vault = await load()
    await vault.create({ display: 'd', deviceName: 'a', personName: 'b', passphrase: utf8(PASSPHRASE), unattended: false })
    return { crypto, store, clock, lines, load, vault }
  }

  it('[ID13] no key and no passphrase is in what the vault stores, in any of its lives', async () => {
    const { crypto, store, vault } = await setUp()
    const files: string[] = []
    const keep = () =>
      files.push(...[...store.files].filter(([name]) => name !== 'unattended').map(([, bytes]) => Buffer.from(bytes).toString('latin1')))
    keep()
    vault.keys.datasetKeys.use(vault.keys.datasetKeys.take(1, crypto.bytes(32)))
    await vault.saveKeys()
    keep()
    await vault.changePassphrase(utf8(PASSPHRASE), utf8('another-canary-271828'))
    keep()
    const stored = files.join('\n')
    expect(crypto.bytesMade.length).toBeGreaterThan(10)
    for (const hex of crypto.bytesMade) {
      const bytes = Buffer.from(hex, 'hex')
      for (const form of [hex, bytes.toString('base64url').slice(0, -2), bytes.toString('latin1')]) expect(stored).not.toContain(form)
    }
    for (const passphrase of [PASSPHRASE, 'another-canary-271828']) expect(stored).not.toContain(passphrase)
  })

  it('[ID15] no passphrase is in an error or a log line, whatever went wrong', async () => {
    const { store, lines, load, clock, vault } = await setUp()
    const errors: string[] = []
    const note = (error: unknown) => void errors.push(inspect(error, { depth: 10, showHidden: true }))
    await vault.unlock('d', utf8(`${PASSPHRASE}-wrong`)).catch(note)
    await vault.unlock('d', utf8(`${PASSPHRASE}-wrong`)).catch(note)
    clock.advance(10_000)
    store.failWith = new Error('no space left on device')
    await vault.unlock('d', utf8(`${PASSPHRASE}-wrong`)).catch(note)
    await vault.changePassphrase(utf8(PASSPHRASE), utf8('short')).catch(note)
    const again = await load()
    await again.create({ display: 'd', deviceName: 'a', personName: 'b', passphrase: utf8(PASSPHRASE), unattended: true }).catch(note)
    expect(errors).toHaveLength(5)
    expect(lines.length).toBeGreaterThan(0)
    expect([...errors, ...lines].join('\n')).not.toContain('canary')
  })

  it('[ID5] looking at a vault, its keys or an open lock shows nothing secret', async () => {
    const { crypto, vault } = await setUp()
    const seen = inspect([vault, vault.keys, vault.keys.datasetKeys, vault.keys.signer, vault.personKey], { depth: 10, showHidden: true })
    const json = JSON.stringify([vault.keys, vault.keys.datasetKeys, vault.keys.signer, vault.personKey])
    for (const hex of crypto.bytesMade) {
      expect(json).not.toContain(hex)
      expect(seen.replaceAll(/[^0-9a-f]/g, '')).not.toContain(hex)
      expect(seen.replaceAll(/\s/g, '')).not.toContain([...Buffer.from(hex, 'hex').subarray(0, 8)].join(','))
    }
  })

  it('[ID18] after the device lock no secret that was made is left, but for what others hold', async () => {
    const { crypto, vault } = await setUp()
    expect(crypto.alive).toBeGreaterThan(0)
    vault.lockDevice()
    expect(crypto.alive).toBe(0)
    await vault.unlock('d', utf8(PASSPHRASE))
    await vault.unlock('e', utf8(PASSPHRASE))
    const open = crypto.alive
    vault.lockDisplay('d')
    vault.lockDisplay('e')
    expect(crypto.alive).toBeLessThanOrEqual(open)
    vault.dispose()
    expect(crypto.alive).toBe(0)
  })

  it('[ID18] unlocking again and again leaves no more secrets behind than the first time', async () => {
    const { crypto, vault, clock } = await setUp()
    const open = crypto.alive
    for (let i = 0; i < 10; i++) {
      await vault.unlock('d', utf8(PASSPHRASE))
      await vault.unlock('d', utf8('wrong passphrase')).catch(() => undefined)
      clock.advance(1000)
      vault.lockDisplay('d')
    }
    await vault.changePassphrase(utf8(PASSPHRASE), utf8(PASSPHRASE))
    await vault.saveKeys()
    expect(crypto.alive).toBeLessThanOrEqual(open)
  })

  it('[ID30] pairing leaves no key of its own behind, and puts none on the wire or in the log', async () => {
    const crypto = new WatchedCrypto()
    const clock = new ManualClock()
    const lines: string[] = []
    const [a, b] = [createPairingDevice(crypto, clock, 'laptop'), createPairingDevice(crypto, clock, 'server')]
    const held = crypto.alive
    const sides = [a, b].map(({ introduction, sign, admit, adopt }) => {
      return new Pairing({ crypto, clock, logger: logOf(lines), self: () => introduction, sign, admit, adopt })
    }) as [Pairing, Pairing]
    const [offering, joining] = sides
    const pipes = createPipes()
    offering.offer()
    joining.join(offering.state.code as string)
    offering.attach(pipes.offer)
    joining.attach(pipes.join)
    await settle()
    offering.confirm(true)
    joining.confirm(true)
    await settle()
    expect([offering.state.step, joining.state.step]).toEqual(['done', 'done'])
    expect(crypto.alive).toBe(held)
    const out = [...pipes.offer.sent, ...pipes.join.sent].map(toHex).join('/') + lines.join('\n')
    for (const hex of crypto.bytesMade) expect(out).not.toContain(hex)
    for (const side of sides) side.dispose()
  })
})
