import { describe, expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { errorCode } from '../base/errors.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MemoryVaultStore } from './memory-vault-store.ts'
import { QuickCrypto } from '../testkit/quick-crypto.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import { DatasetKeys } from './dataset-keys.ts'
import { waitAfterMs } from './passphrase.ts'
import { ARGON2_FLOOR } from './vault-format.ts'
import { Vault } from './vault.ts'

const SEED = seedOfRun()
const ROUNDS = roundsOfRun(60, 2000)
const STEPS = 40
const PASSPHRASES = ['first passphrase', 'second passphrase', 'third passphrase'] as const
const DISPLAYS = ['d1', 'd2', 'd3'] as const

/** What the vault should be, written down as plainly as possible. */
interface Model {
  exists: boolean
  passphrase: string
  open: boolean
  unattended: boolean
  holdsPerson: boolean
  readonly unlocked: Set<string>
  personOpen: boolean
  failed: number
  lastTryMs: number
}

/** A vault and its model, driven by the same random steps. A restart keeps the store and the clock, nothing else. */
class Run {
  readonly crypto = new QuickCrypto()
  readonly store = new MemoryVaultStore()
  readonly clock = new ManualClock(1_700_000_000_000)
  readonly random: SeededRandom
  readonly model: Model = {
    exists: false,
    passphrase: '',
    open: false,
    unattended: false,
    holdsPerson: false,
    unlocked: new Set(),
    personOpen: false,
    failed: 0,
    lastTryMs: 0,
  }
  readonly log: string[] = []
  vault!: Vault

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
  }

  async restart(): Promise<string> {
    this.vault?.dispose()
    this.vault = await Vault.load({ crypto: this.crypto, store: this.store, clock: this.clock, argon2: ARGON2_FLOOR })
    Object.assign(this.model, { open: false, personOpen: false })
    this.model.unlocked.clear()
    return 'ok'
  }

  async create(): Promise<string> {
    const { model, random } = this
    const [display, passphrase, unattended] = [random.pick(DISPLAYS), random.pick(PASSPHRASES), random.chance(0.5)]
    const expected = model.exists ? 'vault/exists' : 'ok'
    const first = { display, deviceName: 'a', personName: 'b', passphrase: utf8(passphrase), unattended }
    const got = await outcome(this.vault.create(first))
    expect(first.passphrase.every((byte) => byte === 0)).toBe(true)
    if (expected === 'ok') {
      Object.assign(model, { exists: true, passphrase, open: true, unattended, holdsPerson: true, personOpen: true })
      model.unlocked.add(display)
    }
    return this.#compare(got, expected)
  }

  async unlock(): Promise<string> {
    const { model, random } = this
    const [display, passphrase] = [random.pick(DISPLAYS), random.chance(0.6) ? model.passphrase : random.pick(PASSPHRASES)]
    const expected = this.#tried(passphrase)
    const given = utf8(passphrase)
    const got = await outcome(this.vault.unlock(display, given))
    expect(given.every((byte) => byte === 0)).toBe(true)
    if (expected === 'ok') {
      Object.assign(model, { open: true, personOpen: model.holdsPerson })
      model.unlocked.add(display)
    }
    return this.#compare(got, expected)
  }

  async changePassphrase(): Promise<string> {
    const { model, random } = this
    const [before, after] = [random.chance(0.7) ? model.passphrase : 'something else', random.pick([...PASSPHRASES, 'weak'])]
    const expected = after === 'weak' ? 'vault/weak-passphrase' : this.#tried(before)
    const got = await outcome(this.vault.changePassphrase(utf8(before), utf8(after)))
    if (expected === 'ok') model.passphrase = after
    return this.#compare(got, expected)
  }

  async lockDisplay(): Promise<string> {
    const display = this.random.pick(DISPLAYS)
    this.vault.lockDisplay(display)
    if (this.model.unlocked.delete(display) && this.model.unlocked.size === 0) this.model.personOpen = false
    return 'ok'
  }

  async lockDevice(): Promise<string> {
    this.vault.lockDevice()
    Object.assign(this.model, { open: false, personOpen: false })
    this.model.unlocked.clear()
    return 'ok'
  }

  async startUnattended(): Promise<string> {
    const { model } = this
    const expected = model.exists ? 'ok' : 'vault/missing'
    const got = await outcome(this.vault.startUnattended())
    if (model.exists && model.unattended) model.open = true
    return this.#compare(got, expected)
  }

  async setUnattended(): Promise<string> {
    const unattended = this.random.chance(0.5)
    const expected = this.model.open ? 'ok' : 'vault/locked'
    const got = await outcome(this.vault.setUnattended(unattended))
    if (expected === 'ok') this.model.unattended = unattended
    return this.#compare(got, expected)
  }

  async adopt(): Promise<string> {
    const { model, random } = this
    const person =
      this.vault.phase === 'open' && random.chance(0.5) ? this.vault.keys.person : ('4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM' as never)
    const expected = model.open ? 'ok' : 'vault/locked'
    const got = await outcome(this.vault.adopt({ person, personName: 'c', datasetKeys: DatasetKeys.create(this.crypto).encode() }))
    if (expected === 'ok') Object.assign(model, { holdsPerson: false, personOpen: false })
    return this.#compare(got, expected)
  }

  async wait(): Promise<string> {
    this.clock.advance(this.random.pick([100, 1000, 5000, 300_000, -3_600_000]))
    return 'ok'
  }

  /** What a try comes to, counting it. */
  #tried(passphrase: string): string {
    const { model, clock } = this
    if (!model.exists) return 'vault/missing'
    const elapsedMs = Math.max(0, clock.nowMs() - model.lastTryMs)
    if (elapsedMs < waitAfterMs(model.failed)) {
      model.lastTryMs = Math.min(model.lastTryMs, clock.nowMs()) // a clock set back: the wait starts again, once
      return 'vault/too-many-tries'
    }
    const right = passphrase === model.passphrase
    Object.assign(model, right ? { failed: 0, lastTryMs: 0 } : { failed: model.failed + 1, lastTryMs: clock.nowMs() })
    return right ? 'ok' : 'vault/wrong-passphrase'
  }

  #compare(got: string, expected: string): string {
    expect(got).toBe(expected)
    return got
  }

  /** Everything that can be seen of the vault is what the model says. */
  check(): void {
    const { vault, model } = this
    expect(vault.phase).toBe(!model.exists ? 'none' : model.open ? 'open' : 'sealed')
    expect([vault.unattended, vault.holdsPerson, vault.isPersonOpen]).toEqual([model.unattended, model.holdsPerson, model.personOpen])
    expect(DISPLAYS.filter((display) => vault.isDisplayUnlocked(display))).toEqual(
      DISPLAYS.filter((display) => model.unlocked.has(display)),
    )
    expect(this.store.files.has('unattended')).toBe(model.unattended)
    if (model.open) expect(vault.keys.signer.sign(utf8('x'))).toHaveLength(64)
    else expect(() => vault.keys).toThrow(expect.objectContaining({ code: 'vault/locked' }))
  }
}

const outcome = (call: Promise<unknown>): Promise<string> => call.then(() => 'ok', errorCode)

describe('Vault, against a model', () => {
  it(`[ID13-ID19] behaves as written down in ${ROUNDS} lives from seed ${SEED}`, { timeout: 300_000 }, async () => {
    const seen = new Set<string>()
    for (let round = 0; round < ROUNDS; round++) {
      const run = new Run(SEED + round)
      await run.restart()
      const steps = ['create', 'unlock', 'unlock', 'unlock', 'changePassphrase', 'lockDisplay', 'lockDevice', 'startUnattended'] as const
      const rarer = ['setUnattended', 'adopt', 'wait', 'wait', 'restart'] as const
      try {
        for (let i = 0; i < STEPS; i++) {
          const step = run.random.pick([...steps, ...rarer])
          run.log.push(step)
          seen.add(`${step}: ${await run[step]()}`)
          run.check()
        }
      } catch (error) {
        throw new Error(`seed ${SEED + round}: ${run.log.join(', ')}`, { cause: error })
      } finally {
        run.vault.dispose()
      }
    }
    for (const end of [
      'unlock: ok',
      'unlock: vault/wrong-passphrase',
      'unlock: vault/too-many-tries',
      'changePassphrase: ok',
      'adopt: ok',
      'create: vault/exists',
    ]) {
      expect(seen).toContain(end)
    }
  })
})
