import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fromBase58 } from '../../base/base58.ts'
import { fromBase64Url, toBase64Url } from '../../base/bytes.ts'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import { deviceIdOf } from '../../base/ids.ts'
import { silentLogger } from '../../base/logger.ts'
import { memosOf, readAnchor } from '../../identity/ledger/anchor.ts'
import { AnchorStore } from '../../identity/ledger/anchor-store.ts'
import { Ledger } from '../../identity/ledger/ledger.ts'
import { LedgerAnchorer } from '../../identity/ledger/ledger-anchorer.ts'
import { MemoryLedgerStore } from '../../identity/ledger/ledger-store.ts'
import { certifyWallet } from '../../identity/wallet/wallet-certificate.ts'
import { WalletKey } from '../../identity/wallet/wallet-key.ts'
import { createSolanaAnchorNetwork } from '../../platform/node/solana-anchor-network.ts'
import { readSolanaTransaction } from '../../identity/wallet/solana-message.ts'
import { DeviceWorld, PASSPHRASE, type WorldDevice } from '../../testkit/device-world.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { SolanaFacade } from '../../testkit/solana-facade.ts'
import type { LedgerAnchor } from '../../identity/ledger-contract.ts'

const SOL = 1_000_000_000
const FEE = 5_000
const HOUR_MS = 3_600_000

let world: DeviceWorld
let laptop: WorldDevice
let clock: ManualClock
let cluster: SolanaFacade
let rpcUrl: string

beforeEach(async () => {
  clock = new ManualClock(1_800_000_000_000)
  world = new DeviceWorld(clock)
  laptop = await world.install('laptop')
  await laptop.setUp()
  cluster = new SolanaFacade()
  rpcUrl = await cluster.listen()
})
afterEach(() => {
  expect(laptop.errors).toEqual([])
  world.dispose()
  cluster.dispose()
})

const turnOn = async (more: object = {}) => {
  const control = laptop.control()
  const { anchor } = await control.readSettings({})
  await control.writeSettings({ anchor: { ...anchor, network: 'custom', rpcUrl, ...more } })
  const { address } = await control.readWallet({})
  cluster.give(address, SOL)
  return { control, address }
}
const record = async (entries: number) => {
  for (let n = 0; n < entries; n++) {
    await laptop.control().addGrant({ grant: { target: { kind: 'shell' }, abilities: ['shell'], mayDelegate: false } })
  }
}
const restart = async () => {
  laptop.stop()
  await laptop.start()
  await laptop.control().unlockDevice({ passphrase: PASSPHRASE })
}
/** The clock goes on whenever something waits for it. */
const whileTimeGoes = async <T>(work: Promise<T>): Promise<T> => {
  const over = work.then(
    () => true,
    () => true,
  )
  const soon = () => new Promise<false>((resolve) => setTimeout(() => resolve(false), 1))
  while (!(await Promise.race([over, soon()]))) clock.advance(1_000)
  return work
}

describe('anchoring on the Solana runtime', () => {
  it('[ID120] any number of entries is one transaction, which says nothing to who has no salt', async () => {
    const { control, address } = await turnOn()
    expect((await control.readAnchor({ balance: true })).balanceLamports).toBe(SOL)
    await record(10)
    const state = await control.anchorLedger({})
    expect([cluster.transactions, cluster.balance(address)]).toEqual([1, SOL - FEE])
    expect(state).toMatchObject({ count: 1, uncovered: 0, spentTodayLamports: FEE, last: { feeLamports: FEE, network: cluster.genesis } })
    const [anchor] = (await control.listAnchors({})).anchors as [LedgerAnchor]
    expect(anchor.receipt.count).toBeGreaterThan(10)
    const transaction = readSolanaTransaction(fromBase64Url(anchor.transaction))
    expect(transaction && memosOf(transaction)).toEqual([expect.stringMatching(/^elsewhere-anchor\/1 [\w-]{43}$/)])
    const told = Buffer.from(fromBase64Url(anchor.transaction)).toString('latin1')
    for (const secret of [anchor.receipt.device, anchor.receipt.root]) {
      expect(told).not.toContain(secret)
      expect(told).not.toContain(
        Buffer.from(secret === anchor.receipt.root ? fromBase64Url(secret) : fromBase58(secret)).toString('latin1'),
      )
    }
    expect((await control.listLedger({ limit: 1 })).rows[0]).toMatchObject({ kind: 'anchored' })
    await expect(control.anchorLedger({})).rejects.toMatchObject({ code: 'anchor/nothing-new' })
  })

  it('[ID120] two thousand entries cost what one costs', async () => {
    const key = world.crypto.signingKey(new Uint8Array(32).fill(5))
    const signer = { device: deviceIdOf(key.publicKey), sign: (bytes: Uint8Array) => key.sign(bytes) }
    const wallet = new WalletKey(world.crypto.signingKey(new Uint8Array(32).fill(6)))
    const { crypto } = world
    const ledger = new Ledger({
      crypto,
      clock,
      logger: silentLogger,
      signer,
      person: signer.device as never,
      store: new MemoryLedgerStore(),
    })
    const port = (n: number) => ({ kind: 'port-shared' as const, peer: signer.device, port: n + 1 })
    ledger.recordAll(Array.from({ length: 1_999 }, (_, n) => port(n)))
    const anchorer = new LedgerAnchorer({ crypto, clock, ledger, store: new AnchorStore(new MemoryKeyValueStore()) })
    cluster.give(wallet.address, SOL)
    const network = createSolanaAnchorNetwork(rpcUrl, (url, init) => fetch(url, init))
    const paying = { certificate: certifyWallet(signer, wallet), sign: async (message: Uint8Array) => wallet.sign('transaction', message) }
    const anchor = await anchorer.anchor(paying, { network, genesisPrefix: cluster.genesis, dailyLamports: FEE })
    expect([anchor.receipt.count, anchor.feeLamports, cluster.transactions, cluster.balance(wallet.address)]).toEqual([
      2_000,
      FEE,
      1,
      SOL - FEE,
    ])
    expect(ledger.verify([anchor.receipt])).toBeUndefined()
  })

  it('[ID121] an anchor is checked part by part, and a changed part is found', async () => {
    const { control } = await turnOn()
    await control.anchorLedger({})
    const [anchor] = (await control.listAnchors({})).anchors as [LedgerAnchor]
    expect(readAnchor(world.crypto, JSON.parse(JSON.stringify(anchor)))).toEqual(anchor)
    const flipped = fromBase64Url(anchor.transaction)
    flipped[flipped.length - 5]! ^= 1
    const spoiled = [
      { ...anchor, salt: toBase64Url(new Uint8Array(32)) },
      { ...anchor, transaction: toBase64Url(flipped) },
      { ...anchor, signature: anchor.signature.replace(/^./, (first) => (first === '2' ? '3' : '2')) },
      { ...anchor, receipt: { ...anchor.receipt, count: 0 } },
      { ...anchor, wallet: { ...anchor.wallet, address: anchor.receipt.device } },
      { ...anchor, transaction: '' },
    ]
    for (const wrong of spoiled)
      expect(() => readAnchor(world.crypto, wrong)).toThrow(expect.objectContaining({ code: 'ledger/malformed' }))
  })

  it('[ID122] a proof leads to the anchored root, and verify holds the ledger against its anchors', async () => {
    const { control } = await turnOn()
    await control.anchorLedger({})
    await record(3)
    const proof = await control.proveLedger({ seq: 0 })
    expect(proof.anchor?.receipt).toEqual(proof.receipt)
    expect((await control.proveLedger({ seq: proof.receipt.count })).anchor).toBeUndefined()
    expect(await control.verifyLedger({ online: true })).toMatchObject({ anchors: 1 })
    expect((await control.verifyLedger({})).finding).toBeUndefined()
    const { ledger } = laptop
    ledger.records.clear()
    ledger.head = undefined
    await restart()
    expect((await laptop.control().verifyLedger({})).finding?.fault).toBe('truncated')
  })

  it('[ID123] asked, the network finds an anchor that it does not hold, and one that the device no longer knows', async () => {
    const { control } = await turnOn()
    await control.anchorLedger({})
    cluster.lie = (method) =>
      method === 'getTransaction' ? { slot: 1, transaction: ['AAAA', 'base64'], version: 0, meta: null } : undefined
    expect((await control.verifyLedger({ online: true })).finding?.fault).toBe('false-anchor')
    cluster.lie = undefined
    for (const [key] of laptop.ledgerValues.entries('anchors')) laptop.ledgerValues.delete('anchors', key)
    await restart()
    expect(await laptop.control().verifyLedger({})).toMatchObject({ anchors: 0 })
    expect((await laptop.control().verifyLedger({ online: true })).finding?.fault).toBe('lost-anchor')
  })

  it('[ID124] is off until somebody turns it on, and asks nobody anything', async () => {
    const control = laptop.control()
    expect((await control.readSettings({})).anchor.network).toBe('off')
    await expect(control.anchorLedger({})).rejects.toMatchObject({ code: 'anchor/off' })
    await expect(control.verifyLedger({ online: true })).rejects.toMatchObject({ code: 'anchor/off' })
    clock.advance(100 * HOUR_MS)
    expect(cluster.calls).toEqual([])
    const { anchor } = await control.readSettings({})
    for (const wrong of [{ rpcUrl: '' }, { rpcUrl: 'http://solana.test' }, { rpcUrl: 'ftp://x' }, { rpcUrl: 'x' }]) {
      await expect(control.writeSettings({ anchor: { ...anchor, network: 'custom', ...wrong } })).rejects.toMatchObject({
        code: 'settings/invalid',
      })
    }
  })

  it('[ID124] costs at most the cap of the day, nothing without money, and nothing at the server of another network', async () => {
    const { control, address } = await turnOn({ dailyLamports: FEE })
    await control.anchorLedger({})
    await record(1)
    await expect(control.anchorLedger({})).rejects.toMatchObject({ code: 'anchor/cap-reached' })
    clock.advance(24 * HOUR_MS)
    expect((await control.anchorLedger({})).spentTodayLamports).toBe(FEE)
    await record(1)
    const { anchor } = await control.readSettings({})
    await control.writeSettings({ anchor: { ...anchor, network: 'mainnet-beta', dailyLamports: 2 * FEE } })
    await expect(control.anchorLedger({})).rejects.toMatchObject({ code: 'anchor/wrong-network' })
    await control.writeSettings({ anchor: { ...anchor, dailyLamports: 2 * FEE } })
    cluster.lie = (method) => (method === 'getBalance' ? { context: { slot: 1 }, value: FEE - 1 } : undefined)
    await expect(control.anchorLedger({})).rejects.toMatchObject({ code: 'anchor/too-little' })
    expect([cluster.transactions, cluster.balance(address)]).toEqual([2, SOL - 2 * FEE])
  })

  it('[ID125] one that was sent and not heard of is asked for again, after a restart too, and never paid twice', async () => {
    const { control } = await turnOn()
    cluster.lie = (method) => (method === 'getSignatureStatuses' ? { context: { slot: 1 }, value: [null] } : undefined)
    await expect(whileTimeGoes(control.anchorLedger({}))).rejects.toMatchObject({ code: 'anchor/unconfirmed' })
    expect((await control.readAnchor({})).isPending).toBe(true)
    expect((await control.verifyLedger({ online: true })).finding).toBeUndefined() // sent, so no surprise
    await restart()
    cluster.lie = undefined
    const state = await laptop.control().anchorLedger({})
    expect([cluster.transactions, state.count, state.isPending, state.spentTodayLamports]).toEqual([1, 1, false, FEE])
    expect((await laptop.control().verifyLedger({ online: true })).finding).toBeUndefined()
  })

  it('[ID125] one that the network never took is given up once it cannot come any more, and made anew', async () => {
    const { control } = await turnOn()
    cluster.swallows = true
    const sending = whileTimeGoes(control.anchorLedger({}))
    await expect.poll(() => cluster.calls).toContain('sendTransaction')
    cluster.roll(200)
    await expect(sending).rejects.toMatchObject({ code: 'anchor/refused' })
    cluster.swallows = false
    expect((await control.anchorLedger({})).count).toBe(1)
    expect(cluster.transactions).toBe(1)
  })

  it('[ID124] a server that says it costs nothing does not get around the cap, nor does a clock that goes back and forth', async () => {
    const { control, address } = await turnOn({ dailyLamports: FEE })
    cluster.lie = (method) => (method === 'getFeeForMessage' ? { context: { slot: 1 }, value: 0 } : undefined)
    await control.anchorLedger({})
    await record(1)
    await expect(control.anchorLedger({})).rejects.toMatchObject({ code: 'anchor/cap-reached' })
    laptop.clockOffsetMs = -24 * HOUR_MS
    await control.anchorLedger({})
    await record(1)
    laptop.clockOffsetMs = 0
    await expect(control.anchorLedger({})).rejects.toMatchObject({ code: 'anchor/cap-reached' })
    expect([cluster.transactions, cluster.balance(address)]).toEqual([2, SOL - 2 * FEE])
  })

  it('[ID125] one that a server said it refused, and passed on, is found and not paid twice', async () => {
    const { control } = await turnOn()
    cluster.lie = (method) => {
      if (method === 'sendTransaction') throw new Error('Transaction simulation failed: This transaction has already been processed')
      return undefined
    }
    await expect(control.anchorLedger({})).rejects.toMatchObject({ code: 'anchor/refused' })
    cluster.lie = undefined
    expect(await control.anchorLedger({})).toMatchObject({ count: 1, isPending: false, spentTodayLamports: FEE })
    expect(cluster.transactions).toBe(1)
  })

  it('[ID123] [ID125] one that a server denied is given up; another that holds it accuses nobody, and it counts as paid', async () => {
    const { control } = await turnOn({ dailyLamports: FEE })
    cluster.lie = (method) => {
      if (method === 'getBlockHeight') return 1_000_000
      return method === 'getSignatureStatuses' ? { context: { slot: 1 }, value: [null] } : undefined
    }
    await expect(control.anchorLedger({})).rejects.toMatchObject({ code: 'anchor/refused' })
    cluster.lie = undefined
    await restart()
    expect((await laptop.control().verifyLedger({ online: true })).finding).toBeUndefined()
    expect(await laptop.control().readAnchor({})).toMatchObject({ count: 0, isPending: false, spentTodayLamports: FEE })
    await expect(laptop.control().anchorLedger({})).rejects.toMatchObject({ code: 'anchor/cap-reached' })
  })

  it('[ID125] a server that names a height without end holds nothing up for longer than a day', async () => {
    const { control } = await turnOn()
    cluster.swallows = true
    cluster.lie = (method, answer) =>
      method === 'getLatestBlockhash'
        ? { context: { slot: 1 }, value: { ...(answer as { value: object }).value, lastValidBlockHeight: 1e15 } }
        : undefined
    await expect(whileTimeGoes(control.anchorLedger({}))).rejects.toMatchObject({ code: 'anchor/unconfirmed' })
    cluster.lie = undefined
    cluster.swallows = false
    laptop.clockOffsetMs = 25 * HOUR_MS
    expect(await control.anchorLedger({})).toMatchObject({ count: 1, isPending: false })
  })

  it('[ID125] what is too late is told by blocks that are final', async () => {
    const asked: string[] = []
    const network = createSolanaAnchorNetwork(rpcUrl, (url, init) => {
      asked.push(init.body)
      return fetch(url, init)
    })
    await network.height()
    expect(asked).toEqual([expect.not.stringContaining('confirmed')])
  })

  it('[ID126] is made by itself again after a clock that was ahead', async () => {
    laptop.clockOffsetMs = 1_000 * HOUR_MS
    const { control } = await turnOn({ everyHours: 2 })
    await control.anchorLedger({})
    await record(1)
    laptop.clockOffsetMs = 0
    clock.advance(HOUR_MS)
    await expect.poll(() => cluster.transactions).toBe(2)
    await expect.poll(async () => (await control.readAnchor({})).count).toBe(2)
  })

  it('[ID126] is made by itself when it is due, and what goes wrong is said', async () => {
    const { control } = await turnOn({ everyHours: 2 })
    clock.advance(HOUR_MS / 6)
    await expect.poll(() => cluster.transactions).toBe(1)
    await expect.poll(async () => (await control.readAnchor({})).count).toBe(1)
    await record(1)
    clock.advance(HOUR_MS)
    expect(cluster.transactions).toBe(1)
    clock.advance(HOUR_MS)
    await expect.poll(async () => (await control.readAnchor({})).count).toBe(2)
    await record(1)
    cluster.lie = (method) => (method === 'getGenesisHash' ? 42 : undefined)
    clock.advance(3 * HOUR_MS)
    await expect.poll(async () => (await control.readAnchor({})).lastError?.code).toBeDefined()
    expect(cluster.transactions).toBe(2)
  })
})
