import { afterEach, expect, it } from 'vitest'
import { systemClock } from '../base/clock.ts'
import { errorCode } from '../base/errors.ts'
import type { DeviceId } from '../base/ids.ts'
import { silentLogger } from '../base/logger.ts'
import type { ByteChannel } from '../rpc/channel.ts'
import { channelTransport } from '../rpc/channel-transport.ts'
import { createClient } from '../rpc/client.ts'
import { Wire } from '../rpc/wire.ts'
import { linkHosts, openInput, TestDatasetHost } from '../testkit/dataset-hosts.ts'
import { GarbageWorld } from '../testkit/garbage-world.ts'
import { memoryChannelPair } from '../testkit/memory-channels.ts'
import { MemoryDirectSockets } from '../testkit/memory-direct-sockets.ts'
import { SeededRandom } from '../testkit/seeded-random.ts'
import { testDatasetKeys } from '../testkit/file-parts.ts'
import { testSegmentSigner } from '../testkit/file-device.ts'
import { DIRECT_CONNECTIONS } from './direct-contract.ts'
import { FilePeer } from './file-peer.ts'
import { filePeerContract } from './file-peer-contract.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import { ROOT_NODE } from './op.ts'
import type { OpenDataset } from './open-dataset.ts'

const DATASET = testDatasetKeys().dataset
const owned: { dispose(): void }[] = []
afterEach(() => {
  for (const one of owned.splice(0).reverse()) one.dispose()
})
const own = <T extends { dispose(): void }>(one: T): T => (owned.push(one), one)
const turns = async (count: number) => {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve))
}
const until = async (isSo: () => boolean) => {
  for (let n = 0; n < 20_000 && !isSo(); n++) await turns(1)
  expect(isSo()).toBe(true)
}

/** Device 0 of two or three, with 8 MiB in a file that nobody else has. */
async function holder(count = 3): Promise<TestDatasetHost> {
  const host = own(new TestDatasetHost(0, count, systemClock))
  await host.unlock()
  const { dataset } = host.open
  dataset.createFile(ROOT_NODE, 'secret', { manifest: await dataset.writer.write(new SeededRandom(3).bytes(8 * 1024 * 1024)) })
  dataset.flush()
  return host
}

/** Who asks as `device`, past everything that an honest one would do. */
function asker(host: TestDatasetHost, device: DeviceId) {
  const [near, far] = memoryChannelPair()
  host.host.link(device, far)
  const wire = own(new Wire(channelTransport(near)))
  return { client: createClient(filePeerContract, wire), near }
}

/** The device process tells that these are the members. */
const renew = (host: TestDatasetHost, isMember: (n: number) => boolean, count = 3) => {
  const { dataset, epochs, devices } = openInput(0, count)
  const told = devices.map((device, n) => ({ ...device, isMember: isMember(n) }))
  return host.host.handlers().renewDataset({ dataset, epochs, devices: told }, {} as never)
}

it.each([
  ['a device that never was a member', () => testSegmentSigner(7).device, () => true],
  ['a device that was removed', () => testSegmentSigner(1).device, (n: number) => n !== 1],
] as const)('[TR13] %s is refused whatever it asks for, and told nothing', async (_, deviceOf, isMember) => {
  const host = await holder()
  await renew(host, isMember)
  const { client } = asker(host, deviceOf())
  const told: string[] = []
  client.onDidAddSegments(() => told.push('segments'))
  client.onDidSignReceipts(() => told.push('receipts'))
  const [id] = [...host.chunks.ids()]
  const asks = [
    client.pullSegments({ dataset: DATASET, frontier: [] }),
    client.pullSegmentsBehind({ dataset: DATASET, tips: [] }),
    client.pullCheckpoint({ dataset: DATASET }),
    client.pullReceipts({ dataset: DATASET, segments: [] }),
    client.fetchChunks({ dataset: DATASET, ids: [id as string] }),
    client.fetchChunks({ dataset: DATASET, ids: [id as string], stretch: { offset: 0, length: 1 } }),
  ]
  const codes = await Promise.all(asks.map((ask) => ask.then(() => 'answered', errorCode)))
  expect(new Set(codes)).toEqual(new Set(['dataset/no-member']))
  host.open.dataset.makeFolder(ROOT_NODE, 'new')
  host.open.dataset.flush()
  await turns(20)
  expect(told).toEqual([])
})

it('[TR13] a device that is removed in the middle of chunks that it asked for gets no more of them', async () => {
  const host = await holder()
  const { client } = asker(host, testSegmentSigner(1).device)
  const ids = [...host.chunks.ids()].slice(0, 40)
  host.chunks.takes = () => turns(1) // as a disk does
  const { channel } = await client.fetchChunks({ dataset: DATASET, ids })
  const flow: ByteChannel = client.channel(channel)
  let [got, isClosed] = [0, false]
  flow.onDidClose(() => (isClosed = true))
  flow.onDidReceive(() => got++)
  await until(() => got > 2)
  await renew(host, (n) => n !== 1)
  const before = got
  await turns(200)
  expect({ got, isClosed }).toEqual({ got: before, isClosed: true })
  expect(got).toBeLessThan(40)
  expect(await client.fetchChunks({ dataset: DATASET, ids }).then(() => 'answered', errorCode)).toMatch(/^rpc\//)
})

it('[TR13] a device that is removed in the middle of a direct transfer gets no more, whoever ends the link', async () => {
  const garbage = own(new GarbageWorld(new SeededRandom(7), 2, () => new MemoryDatasetStore()))
  const [a, b] = garbage.devices as readonly [OpenDataset, OpenDataset]
  const content = new SeededRandom(8).bytes(8 * 1024 * 1024)
  a.dataset.createFile(ROOT_NODE, 'file', { manifest: await a.dataset.writer.write(content) })
  const sockets = new MemoryDirectSockets()
  const [near, far] = memoryChannelPair()
  const random = new SeededRandom(9)
  const way = { sockets, clock: garbage.clock, randomBytes: (length: number) => random.bytes(length) }
  for (const [open, other, channel, address, remote] of [
    [a, b, near, '10.0.0.1', '10.0.0.2'],
    [b, a, far, '10.0.0.2', '10.0.0.1'],
  ] as const) {
    const peer = new FilePeer({
      device: other.self,
      channel,
      require: () => open,
      logger: silentLogger,
      direct: { ...way, address, remote },
    })
    peer.attach(open)
  }
  await until(() => sockets.made.length === DIRECT_CONNECTIONS && b.chunks.stats.chunks > 3)
  // Only the check of each answer is left: the link, and what crosses beside it, stays up.
  const { epochs, devices } = openInput(0, 2)
  a.renew({ epochs, devices: devices.map((device, n) => ({ ...device, isMember: n === 0 })) })
  await turns(300)
  const { chunks } = b.chunks.stats
  await turns(300)
  expect(b.chunks.stats.chunks).toBe(chunks)
  expect(chunks).toBeLessThan(a.chunks.stats.chunks - 20)
  near.close('gone')
})

it('[TR13] a device that was linked before this one heard that it is a member exchanges when it does', async () => {
  const host = await holder()
  await renew(host, (n) => n !== 1)
  const other = own(new TestDatasetHost(1, 3, systemClock))
  await other.unlock()
  const { devices, ...input } = openInput(0, 3)
  await host.host.handlers().renewDataset({ ...input, devices: devices.filter((_, n) => n !== 1) }, {} as never)
  own(linkHosts(host, other))
  await turns(50)
  expect(other.open.dataset.children(ROOT_NODE)).toEqual([])
  await renew(host, () => true)
  await until(() => other.open.dataset.lookup(ROOT_NODE, 'secret') !== undefined)
})
