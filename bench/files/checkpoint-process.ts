import { readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { toBase64Url } from '../../src/base/bytes.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLogger } from '../../src/base/logger.ts'
import { segmentsBehind } from '../../src/files/checkpoint/segments-behind.ts'
import { whenLoaded } from '../../src/files/checkpoint/still-loading.ts'
import { FilePeer } from '../../src/files/file-peer.ts'
import { OpenDataset } from '../../src/files/open-dataset.ts'
import { ROOT_NODE } from '../../src/files/op.ts'
import { NodeFilesCrypto } from '../../src/platform/node/node-files-crypto.ts'
import { openDatasetStores } from '../../src/platform/node/open-dataset-stores.ts'
import type { ByteChannel } from '../../src/rpc/channel.ts'
import { WireChannel } from '../../src/rpc/wire-channel.ts'
import { testSegmentSigner } from '../../src/testkit/file-device.ts'
import { testDatasetKeys } from '../../src/testkit/file-parts.ts'

/*
 * One device's files, as the files process opens them, on a real disk, joined to another one by a socket instead of a link.
 * `checkpoint-process.ts keep FOLDER SOCKET FILES`: makes so many files and a checkpoint of them, and serves. `start FOLDER SOCKET FILES`: a
 * new device; prints what it measured as JSON.
 */
const [, , role, folder = '', socketPath = '', count = '0'] = process.argv
const files = Number(count)
const own = role === 'keep' ? 0 : 1
/** Files in a folder, and folders in a folder: a million files are 10,000 folders. */
const FAN = 100
const CONTENTS = 500
const LOOKUPS = 20_000

function open(): OpenDataset {
  const crypto = new NodeFilesCrypto()
  const keys = testDatasetKeys()
  const devices = [0, 1].map((n) => ({ device: testSegmentSigner(n).device, name: `device ${n}`, isMember: true }))
  return new OpenDataset(
    {
      crypto,
      clock: systemClock,
      logger: silentLogger,
      openStores: (_dataset, storageKey, part) => openDatasetStores(path.join(folder, part), storageKey, process.env, silentLogger),
    },
    {
      dataset: keys.dataset,
      name: 'Home',
      device: testSegmentSigner(own).device,
      idKey: toBase64Url(new Uint8Array(32).fill(7)),
      epochs: [{ epoch: 0, key: toBase64Url(new Uint8Array(32).fill(0x40)) }],
      storageKey: toBase64Url(new Uint8Array(32).fill(own + 1)),
      segmentSeed: toBase64Url(new Uint8Array(32).fill(200 + own)),
      certificate: toBase64Url(testSegmentSigner(own).certificate),
      devices,
    },
  )
}

/** A channel over a socket: what is sent, what was consumed, the end; each with its length before it. */
function channelOver(socket: Socket): ByteChannel {
  const send = (kind: number, bytes: Uint8Array) => {
    const head = Buffer.alloc(5)
    head[0] = kind
    head.writeUInt32BE(bytes.length, 1)
    socket.write(head)
    socket.write(bytes)
  }
  const number = (value: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    return bytes
  }
  const channel = new WireChannel(
    1,
    {
      sendBytes: (bytes) => send(0, bytes),
      sendAck: (bytes) => send(1, number(bytes)),
      sendClose: () => socket.end(),
      forget: () => undefined,
    },
    () => undefined,
    false,
  )
  let parts: Buffer[] = []
  let held = 0
  socket.on('data', (part: Buffer) => {
    parts.push(part)
    held += part.length
    while (held >= 5) {
      const all = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
      parts = [all]
      const length = all.readUInt32BE(1)
      if (held < 5 + length) return
      const body = all.subarray(5, 5 + length)
      if (all[0] === 0) channel.handleBytes(new Uint8Array(body))
      else channel.handleAck(body.readUInt32BE(0))
      parts = [all.subarray(5 + length)]
      held -= 5 + length
    }
  })
  socket.on('close', () => channel.handleClose('gone'))
  socket.on('error', () => {})
  return channel
}

const peerOver = (socket: Socket, of: OpenDataset) => {
  const device = testSegmentSigner(1 - own).device
  const peer = new FilePeer({ device, channel: channelOver(socket), require: () => of, logger: silentLogger })
  peer.attach(of)
}

async function keep(): Promise<void> {
  const of = open()
  const { dataset } = of
  const contents = []
  for (let n = 0; n < CONTENTS; n++) contents.push(await dataset.writer.write(Buffer.from(`what is in some of the files, ${n}`)))
  let [made, top, within] = [0, ROOT_NODE, ROOT_NODE]
  for (; made < files; made++) {
    if (made % (FAN * FAN) === 0) top = dataset.makeFolder(ROOT_NODE, `top ${made / FAN / FAN}`).id
    if (made % FAN === 0) within = dataset.makeFolder(top, `folder ${made / FAN}`).id
    dataset.createFile(within, `file ${made}.txt`, { manifest: contents[made % CONTENTS] as (typeof contents)[number] })
    if (made % 1_000 === 0) await sleep(1)
  }
  await sleep(20_000) // one is made when nobody works, and what was written lies behind the journal then
  const before = process.cpuUsage()
  const begunMs = performance.now()
  await of.maker.make()
  const firstMs = performance.now() - begunMs
  const { user, system } = process.cpuUsage(before)
  dataset.createFile(within, 'one more.txt')
  const againMs = performance.now()
  await of.maker.make()
  const server = createServer((socket) => peerOver(socket, of))
  server.listen(socketPath, () => {
    const chunks = of.chunks.stats
    console.log(JSON.stringify({ firstMs, cpuSeconds: (user + system) / 1e6, againMs: performance.now() - againMs, bytes: chunks.bytes }))
  })
}

/** Highest so far, in MB. */
const peakMegabytes = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024

async function start(): Promise<void> {
  const of = open()
  const { dataset } = of
  const idle = peakMegabytes()
  const begunMs = performance.now()
  const since = () => (performance.now() - begunMs) / 1000
  peerOver(connect(socketPath), of)
  while (of.store.nodeCount() === 0) await sleep(1)
  const top = dataset.children(ROOT_NODE).length
  const rootSeconds = since()
  const waits: number[] = []
  const listing = (async () => {
    for (let askedMs = performance.now(); of.loader.isLoading; askedMs = performance.now()) {
      await sleep(5)
      if (dataset.children(ROOT_NODE).length < top) throw new Error('the top folder lost entries')
      waits.push(performance.now() - askedMs - 5)
    }
  })()
  const pathOf = (n: number) => `/top ${Math.floor(n / FAN / FAN)}/folder ${Math.floor(n / FAN)}/file ${n}.txt`
  const pathSeconds: number[] = []
  for (let n = 0; n < 5; n++) {
    const wanted = pathOf(Math.floor(((n + 0.9) * files) / 5) - 1)
    const askedMs = performance.now()
    await whenLoaded(() => dataset.at(wanted))
    if (of.loader.isLoading) pathSeconds.push((performance.now() - askedMs) / 1000)
  }
  await listing
  const wholeSeconds = since()
  const cpu = process.cpuUsage()
  const peak = peakMegabytes()
  const nodes = of.store.nodeCount()
  const places = Array.from({ length: LOOKUPS }, (_, n) => (n * 7_919) % files)
  const parents = new Map(places.map((n) => [Math.floor(n / FAN), dataset.at(path.dirname(pathOf(n))).id]))
  const askedMs = performance.now()
  const missing = places.filter((n) => !dataset.lookup(parents.get(Math.floor(n / FAN)) as typeof ROOT_NODE, `file ${n}.txt`)).length
  const lookupUs = ((performance.now() - askedMs) * 1000) / LOOKUPS
  const behind = async () => {
    while (segmentsBehind(of.store).size > 0) await sleep(20)
    return since()
  }
  const behindSeconds = await Promise.race([behind(), sleep(900_000, undefined)])
  const result = {
    top,
    nodes,
    missing,
    rootSeconds,
    longestMs: Math.max(0, ...waits),
    listings: waits.length,
    pathSeconds,
    wholeSeconds,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    idle,
    peak,
    lookupUs,
  }
  console.log(JSON.stringify({ ...result, behindSeconds, peakBehind: peakMegabytes() }))
  process.exit(0)
}

void (role === 'keep' ? keep() : start())
