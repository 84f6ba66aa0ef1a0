import { afterEach, beforeEach, expect, it } from 'vitest'
import { toBase64Url } from '../base/bytes.ts'
import { systemClock } from '../base/clock.ts'
import { DisposableStore } from '../base/disposable.ts'
import type { Logger } from '../base/logger.ts'
import { silentLogger } from '../base/logger.ts'
import { channelTransport } from '../rpc/channel-transport.ts'
import type { Transport } from '../rpc/channel.ts'
import { localChannelPair } from '../rpc/local-channels.ts'
import { fuzzContract } from '../testkit/contract-fuzz.ts'
import { TestDatasetHost } from '../testkit/dataset-hosts.ts'
import { testSegmentSigner } from '../testkit/file-device.ts'
import { testDatasetKeys } from '../testkit/file-parts.ts'
import { MemoryDirectSockets } from '../testkit/memory-direct-sockets.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import { checkDataset } from './check-dataset.ts'
import { filePeerContract } from './file-peer-contract.ts'
import { FilePeer } from './file-peer.ts'
import { ROOT_NODE } from './op.ts'
import type { OpenDataset } from './open-dataset.ts'

const DATASET = testDatasetKeys().dataset
const PEER = testSegmentSigner(1).device
let owned: DisposableStore
let host: TestDatasetHost
let bugs: string[]

beforeEach(async () => {
  owned = new DisposableStore()
  bugs = []
  host = owned.add(new TestDatasetHost(0, 2, systemClock))
  await host.unlock()
  const { dataset } = host.open
  dataset.createFile(ROOT_NODE, 'long', { manifest: await dataset.writer.write(new SeededRandom(3).bytes(6 * 1024 * 1024)) })
  for (let n = 0; n < 20; n++) {
    dataset.makeFolder(ROOT_NODE, `folder ${n}`)
    dataset.flush()
  }
})
afterEach(() => owned.dispose())

/** Serves a linked device, which then misuses it. @param require  where a bug is planted */
function served(require: (dataset: string) => OpenDataset, hear?: (transport: Transport, message: string | Uint8Array) => void) {
  const error = (message: string, details?: unknown) => void bugs.push(`${message} ${JSON.stringify(details)}`)
  const logger: Logger = { ...silentLogger, error, child: () => logger }
  const [near, far] = localChannelPair()
  const random = new SeededRandom(5)
  const randomBytes = (length: number) => random.bytes(length)
  const sockets = new MemoryDirectSockets()
  const way = { sockets, address: '10.0.0.1', remote: '10.0.0.2', clock: systemClock, randomBytes }
  const transport = channelTransport(near)
  transport.onDidReceive((message) => hear?.(transport, message))
  const peer = owned.add(new FilePeer({ device: PEER, channel: far, require, logger, direct: way }))
  peer.attach(host.open)
  return transport
}

/** What an honest device would ask, but for a little. */
function plausible(random: SeededRandom) {
  const { dataset, chunks } = host.open
  const [log = 'a'.repeat(24)] = [...dataset.frontier().keys()]
  const ids = [...chunks.ids()]
  const hash = () => random.pick([random.pick(ids), random.pick(ids), 'f'.repeat(64), 'x', ''])
  const seq = () => random.pick([0, 1, 2, 20, 2 ** 32 - 1, 2 ** 32, -1, 0.5])
  const frontier = () => Array.from({ length: random.below(5) }, () => [random.pick([log, 'b'.repeat(24), '']), seq()])
  const list = dataset.at('/long').manifest.pieces.map(({ id }) => id)
  return {
    dataset: random.pick([DATASET, DATASET, DATASET, 'another', '']),
    frontier: frontier(),
    tips: frontier(),
    ids: random.chance(0.3) ? list : Array.from({ length: random.below(70) }, hash),
    ...(random.chance(0.5) && {
      stretch: { offset: random.pick([0, 1, 5_000_000, 2 ** 53 - 1, -1]), length: random.pick([1, 65_536, 2 ** 24, 0]) },
    }),
    segments: Array.from({ length: random.below(4) }, hash),
    offer: {
      address: random.pick(['10.0.0.2', '10.0.0.1', '127.0.0.1', '::1', 'localhost']),
      port: random.pick([1, 65_535, 70_000]),
      keys: [{ identity: toBase64Url(random.bytes(16)), key: toBase64Url(random.bytes(random.pick([32, 32, 31]))) }],
    },
    dial: toBase64Url(random.bytes(16)),
    offers: [random.pick(['', 'v=0', 'x'.repeat(10_000)])],
    list: [{ at: random.pick([0, 7, 8]), candidate: random.pick(['', 'candidate:1']), mid: '0' }],
  }
}

it('[TR14] whatever a linked device asks of the files process, it is answered with a stable code; what is here stays as it is', async () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  const peer = served((dataset) => host.host.require(dataset))
  const relay = (transport: Parameters<Parameters<typeof fuzzContract>[1]>[0]) => {
    transport.onDidReceive((message) => peer.send(message))
    peer.onDidReceive((message) => transport.send(message))
  }
  const before = [...host.open.dataset.frontier()]
  const { codes, accepted, problems } = await fuzzContract(filePeerContract, relay, random, roundsOfRun(600, 20_000), () =>
    plausible(random),
  )
  console.info(`calls of a linked device about files: seed ${seed}, ${accepted} accepted, refused: ${JSON.stringify([...codes])}`)
  expect({ seed, problems, bugs }).toEqual({ seed, problems: [], bugs: [] })
  expect([...codes.keys()]).toEqual(expect.arrayContaining(['rpc/bad-input', 'rpc/unknown-method', 'dataset/locked']))
  expect(accepted).toBeGreaterThan(15)
  expect([...host.open.dataset.frontier()]).toEqual(before)
  expect((await checkDataset(host.open)).problems).toEqual([])
})

it('[TR14] the fuzz of files finds a call that breaks on a rare input (planted)', async () => {
  const random = new SeededRandom(seedOfRun())
  const peer = served((dataset) => {
    if (dataset === 'another') throw new TypeError('planted')
    return host.host.require(dataset)
  })
  const relay = (transport: Parameters<Parameters<typeof fuzzContract>[1]>[0]) => {
    transport.onDidReceive((message) => peer.send(message))
    peer.onDidReceive((message) => transport.send(message))
  }
  const { problems } = await fuzzContract(filePeerContract, relay, random, 600, () => plausible(random))
  expect(problems.join()).toContain('base/bug')
})

it('[TR14] odd facts told by a linked device, and odd answers of it, change nothing and break nothing', async () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  const ownReceipt = host.open.book.unsafe[0]?.hash ?? ''
  expect(ownReceipt).not.toBe('')
  const before = [...host.open.dataset.frontier()]
  const text = () => random.pick(['', 'AAAA', toBase64Url(random.bytes(225)), toBase64Url(random.bytes(2000)), '!!', 'x'.repeat(100)])
  let answered = 0
  let closed = 0
  const link = () =>
    served(
      (dataset) => host.host.require(dataset),
      (to, message) => {
        const send = (one: unknown) => to.send(JSON.stringify(one))
        if (typeof message !== 'string') return
        const { t, id } = JSON.parse(message) as { t: string; id: number }
        if (t !== 'call') return
        answered++
        if (random.chance(0.2)) return // silence
        const p = random.pick([
          { segments: [text(), text()], isMore: random.chance(0.5), frontier: [['a'.repeat(24), 7]] },
          { segments: [], isMore: true, frontier: [] },
          { receipts: [text()] },
          { checkpoint: text() },
          { channel: random.pick([0, 1, 2, -1, 1e9]) },
          {},
          null,
        ])
        if (random.chance(0.8)) send({ t: 'ok', id, r: p })
        else send({ t: 'error', id, code: 'x/y', message: text() })
      },
    )
  let isClosed = false
  const linked = () => {
    const made = link()
    isClosed = false
    made.onDidClose(() => (isClosed = true))
    return made
  }
  let peer = linked()
  for (let n = 0; n < roundsOfRun(200, 4_000); n++) {
    const p = random.pick([
      { dataset: DATASET },
      { dataset: DATASET, receipts: [text()] },
      { dataset: DATASET, receipts: 'x' },
      { dataset: 7 },
      null,
      [],
    ])
    peer.send(JSON.stringify({ t: 'event', n: random.pick(['onDidAddSegments', 'onDidSignReceipts', 'onDidNothing']), p }))
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
    if (!isClosed) continue
    closed++ // what is nonsense ends the link; it comes again
    peer = linked()
  }
  expect({ seed, bugs }).toEqual({ seed, bugs: [] })
  expect(answered).toBeGreaterThan(3)
  expect(closed).toBeGreaterThan(1)
  expect(host.open.book.unsafe[0]?.hash).toBe(ownReceipt) // nobody signed for it
  expect([...host.open.dataset.frontier()]).toEqual(before)
  expect((await checkDataset(host.open)).problems).toEqual([])
})
