import { Emitter, type Event } from '../base/emitter.ts'
import { systemClock } from '../base/clock.ts'
import { silentLogger } from '../base/logger.ts'
import type { DirectConnection, DirectDial, DirectDials, DirectSockets } from '../files/direct-sockets.ts'
import { FilePeer } from '../files/file-peer.ts'
import { MemoryDatasetStore } from '../files/memory-dataset-store.ts'
import { DatachannelRtc } from '../platform/node/datachannel-rtc.ts'
import { listenUnixSocket } from '../platform/node/listen-unix-socket.ts'
import { NodeFilesCrypto } from '../platform/node/node-files-crypto.ts'
import { RtcDirectDials } from '../platform/node/rtc-direct-dials.ts'
import { TlsDirectSockets } from '../platform/node/tls-direct-sockets.ts'
import { connectUnixSocket } from '../platform/node/unix-socket-transport.ts'
import { type ByteChannel, CHANNEL_HIGH_BYTES, type Transport } from '../rpc/channel.ts'
import { GarbageWorld } from './garbage-world.ts'
import { SeededRandom } from './seeded-random.ts'

/*
 * What matters of a files process, in a machine of a NetLab: `files-link-process.ts SETUP as JSON`. Two of them have one dataset; the
 * one that `has` writes a file, the other copies it. Their link is a Unix socket, which network namespaces do not separate. Takes
 * and gives messages by `process.send`.
 */

export interface FilesLinkSetup {
  readonly role: 'has' | 'wants'
  readonly socketPath: string
  readonly address: string
  readonly remote: string
  readonly bytes: number
  /** The link tells other fingerprints than the certificates have. */
  readonly liesAboutFingerprints?: boolean
  readonly dials?: boolean
}

/** What was seen when it was asked for. */
export interface FilesLinkReport {
  readonly connections: number
  readonly kind: string | undefined
  /** Chunks held, of those that the content has. */
  readonly chunks: number
  readonly isWhole: boolean
  /** TCP connections that were tried, and that came about. */
  readonly tcp: { readonly tried: number; readonly made: number; readonly errors: readonly string[] }
  /** Each WebRTC connection that came about: bytes taken, and whether it is over. */
  readonly rtc: readonly { readonly receivedBytes: number; readonly isClosed: boolean }[]
  readonly dialled: number
  /** Chunk ids that were asked for over the link. */
  readonly overLink: readonly string[]
  /** Chunk ids that came by WebRTC, in the order of their first parts, each as often as it came. */
  readonly overRtc: readonly string[]
}

export type FilesLinkCommand = { readonly t: 'report' } | { readonly t: 'endOne' } | { readonly t: 'endLink' } | { readonly t: 'garbage' }

/** As slow as one WebRTC connection on a poor path: what else there is has its time to come about. */
const LINK_BYTES_PER_MS = 2_000

/** The outer channel of a link's files lane, over a socket. */
function socketChannel(transport: Transport): ByteChannel {
  let queuedBytes = 0
  let freeAtMs = 0
  const send = (bytes: Uint8Array) => {
    queuedBytes += bytes.length
    freeAtMs = Math.max(freeAtMs, performance.now()) + bytes.length / LINK_BYTES_PER_MS
    setTimeout(() => {
      queuedBytes -= bytes.length
      transport.send(bytes)
    }, freeAtMs - performance.now())
  }
  const received = new Emitter<Uint8Array>()
  const held: Uint8Array[] = []
  transport.onDidReceive((message) => {
    if (typeof message === 'string') return
    if (received.hasListeners) received.fire(message.slice())
    else held.push(message.slice())
  })
  const onDidReceive: Event<Uint8Array> = (listener) => {
    const subscription = received.event(listener)
    for (const message of held.splice(0)) listener(message)
    return subscription
  }
  return {
    id: 0,
    highBytes: CHANNEL_HIGH_BYTES,
    send,
    sendParts: (head, bytes) => send(Buffer.concat([head, bytes])),
    get unackedBytes() {
      return queuedBytes + transport.bufferedBytes
    },
    onDidDrain: new Emitter<void>().event,
    onDidReceive,
    onDidClose: transport.onDidClose,
    setPaused: () => {},
    close: (reason) => transport.close(reason),
    dispose: () => transport.dispose(),
  }
}

/** As `sockets`, counted. */
function counted(sockets: DirectSockets, tcp: { tried: number; made: number; errors: string[] }): DirectSockets {
  return {
    listen: (address, keys) => sockets.listen(address, keys),
    connect: async (...args) => {
      tcp.tried++
      try {
        const connection = await sockets.connect(...args)
        tcp.made++
        return connection
      } catch (error) {
        tcp.errors.push(String((error as { code?: string }).code ?? error))
        throw error
      }
    },
  }
}

interface Seen {
  readonly connection: DirectConnection
  receivedBytes: number
  isClosed: boolean
}

function watched(dials: DirectDials, seen: Seen[], dialled: () => void): DirectDials {
  const watch = (connection: DirectConnection): DirectConnection => {
    const one: Seen = { connection, receivedBytes: 0, isClosed: false }
    seen.push(one)
    connection.onDidClose(() => (one.isClosed = true))
    return Object.create(connection, {
      onDidReceive: {
        value: (listener: (bytes: Uint8Array) => void) =>
          connection.onDidReceive((bytes) => {
            one.receivedBytes += bytes.length
            noteHeads(bytes)
            listener(bytes)
          }),
      },
      ...Object.fromEntries(
        (['bufferedBytes', 'kind', 'mostUnconfirmedBytes', 'onDidDrain', 'onDidClose'] as const).map((name) => [
          name,
          { get: () => connection[name] },
        ]),
      ),
      send: { value: (bytes: Uint8Array) => connection.send(bytes) },
      dispose: { value: () => connection.dispose() },
    }) as DirectConnection
  }
  return {
    dial: async (way) => {
      dialled()
      const dial = await dials.dial(way)
      const wrapped: DirectDial = {
        offer: async () => lie(await dial.offer()),
        answer: async (offer) => lie(await dial.answer(offer)),
        accept: (answer) => dial.accept(answer),
        addCandidate: (candidate) => dial.addCandidate(candidate),
        onDidFindCandidate: dial.onDidFindCandidate,
        onDidConnect: (listener) => dial.onDidConnect((connection) => listener(watch(connection))),
        onDidFail: dial.onDidFail,
        dispose: () => dial.dispose(),
      }
      return wrapped
    },
  }
}

const setup = JSON.parse(process.argv[2] ?? '{}') as FilesLinkSetup
const overRtc: string[] = []

/** A data channel keeps the borders of messages, and each is one frame: the head of a chunk is in the first part of its message. */
function noteHeads(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytes.length > 51 && bytes[4] === 3 && view.getUint32(15) === 0) overRtc.push(Buffer.from(bytes.subarray(19, 51)).toString('hex'))
}

const lie = (sdp: string): string =>
  setup.liesAboutFingerprints ? sdp.replace(/(sha-256 )([0-9A-F])/i, (_all, head, digit) => `${head}${digit === '0' ? '1' : '0'}`) : sdp

const garbage = new GarbageWorld(new SeededRandom(7), 2, () => new MemoryDatasetStore())
const [has, wants] = garbage.devices
if (!has || !wants) throw new Error('a world of two has two devices')
const [self, other] = setup.role === 'has' ? [has, wants] : [wants, has]
const content = new SeededRandom(8).bytes(setup.bytes)
const { dataset } = has
const file = dataset.createFile(dataset.root, 'file')
const read = (offset: number, length: number) => content.subarray(offset, offset + length)
const written = await dataset.commitContent(file.id, file.version, {
  bytes: setup.bytes,
  extents: [{ offset: 0, length: setup.bytes }],
  read,
})

const tcp = { tried: 0, made: 0, errors: [] as string[] }
const seen: Seen[] = []
const overLink: string[] = []
let dialled = 0
const rtc = new DatachannelRtc()
const dials = new RtcDirectDials({ load: async () => rtc })
const crypto = new NodeFilesCrypto()
let peer: FilePeer | undefined

function link(transport: Transport): void {
  const channel = socketChannel(transport)
  const send = channel.send
  channel.send = (message) => {
    const text = message.length < 8192 ? Buffer.from(message).toString('latin1') : ''
    if (text.includes('"fetchChunks"')) overLink.push(...(text.match(/[0-9a-f]{64}/g) ?? []))
    send(message)
  }
  peer = new FilePeer({
    device: other.self,
    channel,
    require: () => self,
    logger: silentLogger,
    direct: {
      sockets: counted(new TlsDirectSockets(), tcp),
      rtc:
        setup.dials === false ? undefined : { dials: watched(dials, seen, () => dialled++), way: { iceServers: [], remote: setup.remote } },
      address: setup.address,
      remote: setup.remote,
      clock: systemClock,
      randomBytes: (length) => crypto.randomBytes(length),
    },
  })
  peer.attach(self)
}

if (setup.role === 'has') await listenUnixSocket(setup.socketPath, (transport) => (link(transport), { dispose: () => {} }))
else link(await connectUnixSocket(setup.socketPath))

async function report(): Promise<FilesLinkReport> {
  const { connections = 0, kind } = peer?.direct?.path ?? {}
  const chunks = [...self.chunks.ids()].length
  const isOwed = self.book.owed.length > 0 || self.dataset.children(self.dataset.root).length === 0
  const isWhole = !isOwed && Buffer.from(await self.dataset.reader.read(written.manifest, 0, setup.bytes)).equals(content)
  const ends = seen.map(({ receivedBytes, isClosed }) => ({ receivedBytes, isClosed }))
  return { connections, kind, chunks, isWhole, tcp, rtc: ends, dialled, overLink, overRtc }
}

process.on('message', ({ t }: FilesLinkCommand) => {
  if (t === 'report') void report().then((value) => process.send?.(value))
  if (t === 'endOne') seen.find(({ isClosed }) => !isClosed)?.connection.dispose()
  if (t === 'endLink') peer?.dispose()
  if (t === 'garbage') seen.find(({ isClosed }) => !isClosed)?.connection.send(new Uint8Array(5000).fill(255))
})
process.send?.({ ready: true })
