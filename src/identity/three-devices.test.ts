import { describe, expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { createPipes } from '../testkit/memory-pairing-pipe.ts'
import { MemoryVaultStore } from './memory-vault-store.ts'
import { QuickCrypto } from '../testkit/quick-crypto.ts'
import { createDeviceCheck, DeviceList } from './device-list.ts'
import { DeviceListCopy } from './device-list-copy.ts'
import { OwnDevicesGrantCheck } from './grant-check.ts'
import { Pairing } from './pairing.ts'
import { ARGON2_FLOOR } from './vault-format.ts'
import { Vault } from './vault.ts'

/* The room as a whole: vaults, lists and pairing joined the way device/ joins them, without sync. */

const crypto = new QuickCrypto()
const settle = () => new Promise((resolve) => setImmediate(resolve))

class TestMachine {
  readonly vaultStore = new MemoryVaultStore()
  store = new MemoryKeyValueStore()
  vault!: Vault
  list!: DeviceList
  pairing!: Pairing
  readonly name: string
  readonly clock: ManualClock

  constructor(name: string, clock: ManualClock) {
    this.name = name
    this.clock = clock
  }

  async firstRun(): Promise<void> {
    await this.#load()
    const passphrase = utf8(`passphrase of ${this.name}`)
    await this.vault.create({ display: 'd', deviceName: this.name, personName: `person of ${this.name}`, passphrase, unattended: false })
    await this.#open()
    this.list.found(this.#introduction(), this.vault.personKey)
  }

  async restart(options: { loseStore?: boolean } = {}): Promise<void> {
    await settle()
    this.pairing.dispose()
    this.vault.dispose()
    if (options.loseStore) this.store = new MemoryKeyValueStore()
    await this.#load()
    await this.vault.unlock('d', utf8(`passphrase of ${this.name}`))
    await this.#open()
  }

  get device() {
    return this.vault.keys.device
  }

  async #load(): Promise<void> {
    this.vault = await Vault.load({ crypto, store: this.vaultStore, clock: this.clock, argon2: ARGON2_FLOOR })
    this.pairing = new Pairing({
      crypto,
      clock: this.clock,
      self: () => ({ ...this.#introduction(), personName: this.vault.label?.personName ?? '' }),
      sign: (message) => this.vault.keys.signer.sign(message),
      admit: async (device) => {
        this.list.add(device, this.vault.keys.signer)
        const { person, datasetKeys } = this.vault.keys
        return { person, personName: this.vault.label?.personName ?? '', deviceList: this.list.encode(), datasetKeys: datasetKeys.encode() }
      },
      adopt: async ({ person, personName, deviceList, datasetKeys }) => {
        await this.vault.adopt({ person, personName, datasetKeys })
        await this.#open()
        this.list.merge(deviceList)
      },
    })
  }

  async #open(): Promise<void> {
    const { person } = this.vault.keys
    this.list = DeviceList.open({ crypto, clock: this.clock, person, store: this.store })
    await new DeviceListCopy(this.vaultStore, this.vault.keys).follow(this.list)
  }

  #introduction() {
    return { device: this.vault.keys.device, boxKey: this.vault.keys.box.publicKey, name: this.name, platform: 'linux' }
  }
}

async function pair(offering: TestMachine, joining: TestMachine): Promise<void> {
  const pipes = createPipes()
  offering.pairing.offer()
  joining.pairing.join(offering.pairing.state.code as string)
  offering.pairing.attach(pipes.offer)
  joining.pairing.attach(pipes.join)
  await settle()
  expect(offering.pairing.state.safetyWords).toEqual(joining.pairing.state.safetyWords)
  offering.pairing.confirm(true)
  joining.pairing.confirm(true)
  for (let i = 0; i < 20 && joining.pairing.state.step === 'confirm'; i++) await settle()
  await settle()
  expect([offering.pairing.state.step, joining.pairing.state.step]).toEqual(['done', 'done'])
}

describe('three devices of one person', () => {
  const world = async () => {
    const clock = new ManualClock(1_700_000_000_000)
    const machines = ['laptop', 'server', 'phone'].map((name) => new TestMachine(name, clock)) as [TestMachine, TestMachine, TestMachine]
    for (const machine of machines) await machine.firstRun()
    const [laptop, server, phone] = machines
    await pair(laptop, server)
    await pair(server, phone)
    laptop.list.merge(server.list.encode())
    return { laptop, server, phone, machines }
  }

  it('[ID30] need two codes, and then are one person with one list and one workspace', async () => {
    const { laptop, machines } = await world()
    for (const machine of machines) {
      expect(machine.vault.keys.person).toBe(laptop.vault.keys.person)
      expect(machine.list.members.map(({ name }) => name).sort()).toEqual(['laptop', 'phone', 'server'])
      expect(machine.list.encode()).toEqual(laptop.list.encode())
      expect(machine.vault.label?.personName).toBe('person of laptop')
      expect(machine.vault.keys.datasetKeys.rendezvousSecret).toEqual(laptop.vault.keys.datasetKeys.rendezvousSecret)
    }
    expect(machines.map(({ vault }) => vault.holdsPerson)).toEqual([true, false, false])
  })

  it('[ID24] read what the others seal and believe what they sign', async () => {
    const { machines } = await world()
    for (const from of machines) {
      const sealed = from.vault.keys.datasetKeys.seal(utf8('an update'), 'workspace/1')
      const signature = from.vault.keys.signer.sign(sealed)
      for (const to of machines) {
        expect(to.vault.keys.datasetKeys.open(0, sealed, 'workspace/1')).toEqual(utf8('an update'))
        const check = createDeviceCheck(crypto, to.list)
        expect([check.isMember(from.device), check.verify(from.device, sealed, signature)]).toEqual([true, true])
        expect(new OwnDevicesGrantCheck(to.list).allows({ device: from.device, ability: 'shell' })).toBe(true)
      }
    }
  })

  it('[ID27] all of it is there after each has restarted with its own passphrase', async () => {
    const { machines, laptop } = await world()
    const before = laptop.list.encode()
    const { rendezvousSecret } = laptop.vault.keys.datasetKeys
    for (const machine of machines) {
      await machine.restart()
      expect(machine.list.encode()).toEqual(before)
      expect(machine.vault.keys.datasetKeys.rendezvousSecret).toEqual(rendezvousSecret)
    }
  })

  it('[ID25] one whose store is lost still knows all three', async () => {
    const { phone, laptop } = await world()
    await phone.restart({ loseStore: true })
    expect(phone.list.encode()).toEqual(laptop.list.encode())
  })

  it('[ID21] removing one reaches all, and it can add nobody more', async () => {
    const { laptop, server, phone } = await world()
    laptop.list.remove(server.device, laptop.vault.keys.signer)
    phone.list.merge(laptop.list.encode())
    server.list.merge(laptop.list.encode())
    for (const { list } of [laptop, server, phone]) {
      expect(list.isMember(server.device)).toBe(false)
      expect(new OwnDevicesGrantCheck(list).allows({ device: server.device, ability: 'files:read' })).toBe(false)
    }
    expect(() => server.list.rename(phone.device, 'x', server.vault.keys.signer)).toThrow(
      expect.objectContaining({ code: 'devices/refused' }),
    )
    // The phone was added by the one that went, and stays.
    expect(laptop.list.isMember(phone.device)).toBe(true)
  })

  it('[ID30] a locked device neither shows nor takes a code', async () => {
    const { server } = await world()
    server.vault.lockDevice()
    expect(() => server.pairing.offer()).toThrow(expect.objectContaining({ code: 'vault/locked' }))
    expect(() => server.pairing.join('4217-guitar-oasis')).toThrow(expect.objectContaining({ code: 'vault/locked' }))
    expect(server.pairing.state.code).toBeUndefined()
  })

  it('[ID30] a device locked while it decides shares nothing', async () => {
    const clock = new ManualClock(1_700_000_000_000)
    const [laptop, server] = ['laptop', 'server'].map((name) => new TestMachine(name, clock)) as [TestMachine, TestMachine]
    await laptop.firstRun()
    await server.firstRun()
    const pipes = createPipes()
    laptop.pairing.offer()
    server.pairing.join(laptop.pairing.state.code as string)
    laptop.pairing.attach(pipes.offer)
    server.pairing.attach(pipes.join)
    await settle()
    laptop.vault.lockDevice()
    laptop.pairing.confirm(true)
    server.pairing.confirm(true)
    await settle()
    expect(laptop.pairing.state).toMatchObject({ step: 'failed', error: { code: 'vault/locked' } })
    expect(server.pairing.state.step).toBe('failed')
    expect(server.vault.holdsPerson).toBe(true)
  })
})
