import { silentLogger } from '../../src/base/logger.ts'
import { systemClock } from '../../src/base/clock.ts'
import { MemoryKeyValueStore } from '../../src/base/key-value-store.ts'
import { deviceIdOf, type PersonId } from '../../src/base/ids.ts'
import { AnchorStore } from '../../src/identity/ledger/anchor-store.ts'
import { Ledger } from '../../src/identity/ledger/ledger.ts'
import { LedgerAnchorer } from '../../src/identity/ledger/ledger-anchorer.ts'
import { MemoryLedgerStore } from '../../src/identity/ledger/ledger-store.ts'
import { certifyWallet } from '../../src/identity/wallet/wallet-certificate.ts'
import { WalletKey } from '../../src/identity/wallet/wallet-key.ts'
import type { SodiumCrypto } from '../../src/platform/node/sodium-crypto.ts'
import { createSolanaAnchorNetwork } from '../../src/platform/node/solana-anchor-network.ts'
import { type Busy, keepBusy, until } from '../../src/testkit/busy-intruder.ts'
import { DeviceWorld, type WorldDevice } from '../../src/testkit/device-world.ts'
import { SolanaFacade } from '../../src/testkit/solana-facade.ts'

const isLinked = async (device: WorldDevice, links: number) => (await device.control().status({})).links >= links || undefined

async function pair(offers: WorldDevice, joins: WorldDevice): Promise<void> {
  const [a, b] = [offers.control(), joins.control()]
  const { code } = await a.offerPairing({})
  await b.joinPairing({ code: code as string })
  for (const side of [a, b]) await until(async () => (await side.readPairing({})).step === 'confirm' || undefined)
  const before = (await a.status({})).links
  for (const side of [a, b]) await side.confirmPairing({ accept: true })
  await until(() => isLinked(offers, before + 1))
}

/**
 * Wall milliseconds from the word of one device that another is removed until that one is out of a terminal, a job and a read of
 * a third device. Whole devices with links in memory: what a network adds on the way of the news is not in it.
 */
export async function cutMs(): Promise<Readonly<Record<Busy, number>>> {
  const world = new DeviceWorld()
  try {
    const devices = await Promise.all(['laptop', 'server', 'phone'].map((name) => world.install(name)))
    const [laptop, server, phone] = devices as [WorldDevice, WorldDevice, WorldDevice]
    for (const device of devices) await device.setUp()
    await pair(laptop, server)
    await pair(laptop, phone)
    for (const device of devices) await until(() => isLinked(device, 2))
    const rows = await laptop.control().listDevices({})
    const ids = Object.fromEntries(rows.map(({ name, deviceId }) => [name, deviceId]))
    const busy = await keepBusy(phone, laptop, ids)
    const startMs = performance.now()
    const took = (over: Promise<void>) => over.then(() => performance.now() - startMs)
    const { terminal, job, transfer } = busy.ended
    const all = Promise.all([took(terminal), took(job), took(transfer)])
    await server.control().removeDevice({ deviceId: ids['phone'] as string })
    const [terminalMs, jobMs, transferMs] = await all
    return { terminal: terminalMs, job: jobMs, transfer: transferMs }
  } finally {
    world.dispose()
  }
}

/** Transactions and lamports that anchoring a ledger of so many entries takes, on the Solana runtime in this process. */
export async function anchorCost(
  crypto: SodiumCrypto,
  entries: number,
): Promise<{ readonly transactions: number; readonly lamports: number }> {
  const cluster = new SolanaFacade()
  try {
    const url = await cluster.listen()
    const key = crypto.signingKey(crypto.bytes(32))
    const signer = { device: deviceIdOf(key.publicKey), sign: (bytes: Uint8Array) => key.sign(bytes) }
    const wallet = new WalletKey(crypto.signingKey(crypto.bytes(32)))
    const parts = { crypto, clock: systemClock }
    const person = signer.device as string as PersonId
    const ledger = new Ledger({ ...parts, logger: silentLogger, signer, person, store: new MemoryLedgerStore() })
    ledger.recordAll(
      Array.from({ length: entries - 1 }, (_, n) => ({ kind: 'port-shared' as const, peer: signer.device, port: 1 + (n % 60_000) })),
    )
    const anchorer = new LedgerAnchorer({ ...parts, ledger, store: new AnchorStore(new MemoryKeyValueStore()) })
    cluster.give(wallet.address, 1_000_000_000)
    const network = createSolanaAnchorNetwork(url, (address, init) => fetch(address, init))
    const paying = { certificate: certifyWallet(signer, wallet), sign: async (message: Uint8Array) => wallet.sign('transaction', message) }
    const { receipt, feeLamports } = await anchorer.anchor(paying, { network, genesisPrefix: cluster.genesis, dailyLamports: 50_000 })
    if (receipt.count !== entries) throw new Error(`the anchor of the bench is over ${receipt.count} entries, not ${entries}`)
    return { transactions: cluster.transactions, lamports: feeLamports }
  } finally {
    cluster.dispose()
  }
}
