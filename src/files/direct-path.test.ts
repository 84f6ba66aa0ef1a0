import { expect, it } from 'vitest'
import { equalBytes, toHex } from '../base/bytes.ts'
import { silentLogger } from '../base/logger.ts'
import { GarbageWorld } from '../testkit/garbage-world.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { memoryChannelPair } from '../testkit/memory-channels.ts'
import { MemoryDirectConnection, MemoryDirectSockets } from '../testkit/memory-direct-sockets.ts'
import { SeededRandom } from '../testkit/seeded-random.ts'
import type { ChunkId } from './chunk-id.ts'
import { DIRECT_CONNECTIONS } from './direct-contract.ts'
import { type DirectFrame, DirectFrameReader, encodeDirectFrame, LONG_PART_BYTES, PART_BYTES } from './direct-frame.ts'
import { DirectPath } from './direct-path.ts'
import { DirectWindow } from './direct-window.ts'
import { FilePeer } from './file-peer.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import type { OpenDataset } from './open-dataset.ts'

const turns = async (count: number) => {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve))
}
const until = async (isSo: () => boolean) => {
  for (let n = 0; n < 20_000 && !isSo(); n++) await turns(1)
  expect(isSo()).toBe(true)
}
const id = (n: number) => n.toString(16).padStart(64, '0') as ChunkId

/** Two devices; what the first wrote is known to the second, which holds nothing of it. */
async function world(bytes: number) {
  const random = new SeededRandom(7)
  const garbage = new GarbageWorld(random, 2, () => new MemoryDatasetStore())
  const [a, b] = garbage.devices as readonly [OpenDataset, OpenDataset]
  const content = random.bytes(bytes)
  const { dataset } = a
  const file = dataset.createFile(dataset.root, 'file')
  const read = (offset: number, length: number) => content.subarray(offset, offset + length)
  const written = await dataset.commitContent(file.id, file.version, { bytes, extents: [{ offset: 0, length: bytes }], read })
  const sockets = new MemoryDirectSockets()
  const calls: string[] = []
  const link = (isDirect: boolean, addresses: readonly (string | undefined)[] = ['10.0.0.1', '10.0.0.2']) => {
    const [near, far] = memoryChannelPair()
    const way = { sockets, clock: garbage.clock, randomBytes: (length: number) => random.bytes(length) }
    const [nearAddress, farAddress] = addresses
    const send = far.send.bind(far)
    far.send = (message) => {
      if (message.length < 8192) calls.push(new TextDecoder().decode(message))
      send(message)
    }
    const peers = [
      { open: a, other: b, channel: near, address: nearAddress, remote: '10.0.0.2' },
      { open: b, other: a, channel: far, address: farAddress, remote: '10.0.0.1' },
    ].map(({ open, other, channel, address, remote }) => {
      const direct = isDirect ? { ...way, address, remote } : undefined
      const peer = new FilePeer({ device: other.self, channel, require: () => open, logger: silentLogger, direct })
      peer.attach(open)
      return peer
    }) as [FilePeer, FilePeer]
    return { peers, cut: () => near.close('link/gone') }
  }
  const asked = () => calls.filter((text) => text.includes('"fetchChunks"')).map((text) => text.match(/[0-9a-f]{64}/g) ?? [])
  return { garbage, a, b, sockets, link, asked, content, manifest: written.manifest }
}

it('[TR6] the first read from the middle of a file that is elsewhere takes one call, lists and all', async () => {
  const { garbage, b, link, asked, content, manifest } = await world(8 * 1024 * 1024)
  const { cut } = link(false)
  await until(() => b.book.owed.length === 0 && [...b.chunks.ids()].length > 64)
  cut()
  await b.chunks.drop([...b.chunks.ids()])
  const before = asked().length
  link(false)
  await turns(20)
  const again = asked().length
  expect(again).toBe(before) // nothing is owed: nothing is copied
  const bytes = await b.dataset.reader.read(manifest, 4_000_000, 4096)
  expect(bytes).toEqual(content.subarray(4_000_000, 4_004_096))
  expect(asked().length - again).toBe(1)
  garbage.dispose()
})

it('[TR7] chunks cross direct connections beside the link; what these owe when they end comes over the link, and nothing a second time', async () => {
  const { garbage, b, sockets, link, asked, content, manifest } = await world(8 * 1024 * 1024)
  link(true)
  await until(() => sockets.made.length === DIRECT_CONNECTIONS)
  expect(sockets.listeners.size).toBe(0) // nobody is waited for any more
  const sentBytes = () =>
    sockets.made.flat().reduce((sum, { sent }) => sum + sent.reduce((all, f) => all + (f.kind === 'part' ? f.bytes.length : 0), 0), 0)
  await until(() => sentBytes() > 1024 * 1024)
  const held = new Set<string>(b.chunks.ids())
  expect(held.size).toBeGreaterThan(5)
  const before = asked().length
  const first = sockets.made.flat()
  expect(sockets.made.every(([a, b]) => a.sent.length + b.sent.length > 5)).toBe(true) // all have their share
  first[2]?.dispose() // one of eight: the others follow
  await until(() => b.book.owed.length === 0)
  expect(first.every(({ isClosed }) => isClosed)).toBe(true)
  const overLink = asked().slice(before).flat()
  expect(overLink.length).toBeGreaterThan(5)
  expect(overLink.filter((one) => held.has(one))).toEqual([])
  const heads = sockets.made
    .flat()
    .flatMap(({ sent }) => sent.flatMap((f) => (f.kind === 'part' && f.at === 0 ? [toHex(f.bytes.subarray(0, 32))] : [])))
  expect(new Set(heads).size).toBe(heads.length)
  expect(equalBytes(await b.dataset.reader.read(manifest, 0, content.length), content)).toBe(true)
  garbage.dispose()
})

it('[TR9] when the link ends, in the middle of a transfer too, no connection stays and nothing more comes', async () => {
  const { garbage, b, sockets, link } = await world(6 * 1024 * 1024)
  const { cut } = link(true)
  await until(
    () => sockets.made.length === DIRECT_CONNECTIONS && sockets.made.flat().some(({ sent }) => sent.some(({ kind }) => kind === 'part')),
  )
  cut()
  await turns(3)
  expect(sockets.made.flat().every(({ isClosed }) => isClosed)).toBe(true)
  expect(sockets.listeners.size).toBe(0)
  const held = [...b.chunks.ids()].length
  await turns(100)
  expect([...b.chunks.ids()].length).toBe(held)
  expect(b.book.owed.length).toBe(1)
  garbage.dispose()
})

it('[TR9] a device without direct connections, or where neither is told an address, uses the link and listens to nobody', async () => {
  for (const isDirect of [false, true]) {
    const { garbage, b, sockets, link } = await world(600_000)
    link(isDirect, [undefined, undefined])
    await until(() => b.book.owed.length === 0)
    await turns(20)
    expect([sockets.made.length, sockets.listeners.size]).toEqual([0, 0])
    garbage.dispose()
  }
})

it.each([
  ['who wants chunks', [undefined, '10.0.0.2'] as const],
  ['who has them', ['10.0.0.1', undefined] as const],
])('[TR7] where only %s can listen, the other connects to it', async (_who, addresses) => {
  const { garbage, b, sockets, link } = await world(600_000)
  link(true, addresses)
  await until(() => sockets.made.length === DIRECT_CONNECTIONS)
  await until(() => b.book.owed.length === 0)
  expect(sockets.made).toHaveLength(DIRECT_CONNECTIONS)
  garbage.dispose()
})

it('[TR7] when all connections swallow what is sent, in the middle of a transfer, the rest comes over the link', async () => {
  const { garbage, b, sockets, link, asked, content, manifest } = await world(8 * 1024 * 1024)
  link(true)
  const parts = () => sockets.made.flat().reduce((sum, { sent }) => sum + sent.filter(({ kind }) => kind === 'part').length, 0)
  await until(() => sockets.made.length === DIRECT_CONNECTIONS && parts() > 60)
  const before = asked().length
  const first = sockets.made.flat()
  for (const one of first) one.isCut = true
  await turns(20)
  expect(b.book.owed.length).toBe(1)
  garbage.clock.advance(999)
  await turns(20)
  expect(first.some(({ isClosed }) => isClosed)).toBe(false)
  for (let n = 0; n < 4; n++) {
    garbage.clock.advance(1000)
    await turns(20)
  }
  expect(first.every(({ isClosed }) => isClosed)).toBe(true)
  await until(() => b.book.owed.length === 0)
  expect(asked().slice(before).flat().length).toBeGreaterThan(5)
  expect(equalBytes(await b.dataset.reader.read(manifest, 0, content.length), content)).toBe(true)
  garbage.dispose()
})

it('[TR7] connections are not left while the link does not answer either, nor while they bring something now and then', async () => {
  const [own, peer] = MemoryDirectConnection.pair()
  const clock = new ManualClock()
  let answer: () => void = () => {}
  let asked = 0
  const probe = () => new Promise<void>((resolve) => [asked++, (answer = resolve)])
  const direct = new DirectPath({
    clock,
    logger: silentLogger,
    answer: async () => ({ more: [], frame: async () => new Uint8Array(1) }),
    probe,
  })
  direct.add(own)
  peer.isCut = true
  void direct.ask('d', [id(1)], new AbortController().signal)
  clock.advance(10_000)
  await turns(1)
  expect([direct.isClosed, asked]).toEqual([false, 1])
  for (let n = 0; n < 10; n++) {
    if (n % 2 === 0) own.hear(part({ at: 10 * n, bytes: new Uint8Array(10) }))
    answer()
    await turns(1)
    clock.advance(1000)
  }
  expect(direct.isClosed).toBe(false)
  for (let n = 0; n < 3; n++) {
    answer()
    await turns(1)
    clock.advance(1000)
  }
  expect(direct.isClosed).toBe(true)
})

/** Parts that one end has sent and the other has not confirmed. */
function unconfirmedBytes([own, other]: readonly MemoryDirectConnection[]): number {
  const sent = own?.sent.reduce((sum, it) => sum + (it.kind === 'part' ? it.bytes.length : 0), 0) ?? 0
  return sent - (other?.sent.reduce((sum, it) => sum + (it.kind === 'got' ? it.bytes : 0), 0) ?? 0)
}

it.each([
  ['[TR7] in whatever order eight connections bring what they carry', 'tls', DIRECT_CONNECTIONS],
  ['[TR12] in whatever order eight WebRTC connections bring what they carry, none with more unconfirmed than it may have', 'webrtc', 8],
] as const)('%s, all of it is taken, and what is cancelled is not sent', async (_what, kind, count) => {
  for (let seed = 1; seed <= 10; seed++) {
    const random = new SeededRandom(seed)
    const queues: (() => void)[][] = []
    const read: ChunkId[] = []
    const clock = new ManualClock()
    const [near, far] = [0, 1].map(() => {
      const frameOf = async (one: ChunkId) => {
        read.push(one)
        return new Uint8Array(40_000).fill(Number(`0x${one.slice(-2)}`))
      }
      const answer = async () => ({ more: Array.from({ length: 10 }, (_, n) => id(n + 2)), frame: frameOf })
      const bare = async () => ({ more: [], frame: frameOf })
      return new DirectPath({
        clock,
        logger: silentLogger,
        answer: (_dataset, _ids, stretch) => (stretch ? answer() : bare()),
        probe: async () => {},
      })
    }) as [DirectPath, DirectPath]
    const pairs = Array.from({ length: count }, () => MemoryDirectConnection.pair(kind))
    const most = 2 * PART_BYTES
    for (const ends of pairs) {
      if (kind === 'webrtc') for (const end of ends) end.mostUnconfirmedBytes = most
      for (const end of ends) {
        const queue: (() => void)[] = []
        queues.push(queue)
        end.later = (arrive) => void queue.push(arrive)
      }
      near.add(ends[0])
      far.add(ends[1])
    }
    const heard: number[] = []
    const closed: string[] = []
    const stop = new AbortController()
    const cancelled = Array.from({ length: 60 }, (_, n) => id(n + 100))
    void near.ask('d', cancelled, stop.signal).catch(() => {})
    stop.abort(new Error('enough'))
    const stretched = near.ask('d', [id(1)], new AbortController().signal, { offset: 0, length: 100 })
    void stretched.then(({ flow, more }) => {
      expect(more.length).toBe(10)
      flow.onDidReceive((message) => heard.push(message[0] as number))
      flow.onDidClose(({ reason }) => closed.push(reason))
    })
    let idle = 0
    for (let n = 0; n < 5_000 && idle < 10; n++) {
      await turns(1)
      clock.advance(1) // what little a connection brought is confirmed a moment later
      const full = queues.filter((queue) => queue.length > 0)
      idle = full.length === 0 ? idle + 1 : 0
      if (full.length > 0) full[random.below(full.length)]?.shift()?.()
      if (kind === 'webrtc') expect(Math.max(...pairs.map(([a, b]) => unconfirmedBytes([b, a])))).toBeLessThanOrEqual(most)
    }
    expect([seed, closed, near.isClosed, far.isClosed]).toEqual([seed, ['rpc/closed'], false, false])
    expect(heard.sort((x, y) => x - y)).toEqual(Array.from({ length: 11 }, (_, n) => n + 1))
    expect(read.filter((one) => cancelled.includes(one)).length).toBeLessThan(60)
    near.dispose()
    far.dispose()
  }
})

it('[TR10] what says twice what comes, or unasked, or more than can come, ends the connections', async () => {
  const twice = path()
  void twice.direct.ask('d', [id(1)], new AbortController().signal, { offset: 0, length: 10 }).catch(() => {})
  twice.own.hear(frame({ kind: 'more', request: 1, ids: [id(2)] }))
  expect(twice.direct.isClosed).toBe(false)
  twice.own.hear(frame({ kind: 'more', request: 1, ids: [id(2)] }))
  expect(twice.direct.isClosed).toBe(true)
  for (const bytes of [frame({ kind: 'more', request: 1, ids: [id(2)] }), frame({ kind: 'end', request: 1, messages: 2 })]) {
    const one = path()
    void one.direct.ask('d', [id(1)], new AbortController().signal).catch(() => {})
    one.own.hear(bytes)
    expect(one.direct.isClosed).toBe(true)
  }
})

it('[TR10] more calls than the other side lets wait are not asked for here; cancelled ones count until their work has ended', async () => {
  const { direct } = path()
  const stop = new AbortController()
  for (let n = 0; n < 128; n++) void direct.ask('d', [id(n)], stop.signal).catch(() => {})
  await expect(direct.ask('d', [id(200)], stop.signal)).rejects.toMatchObject({ code: 'chunk/unavailable' })
  stop.abort(new Error('enough'))
  void direct.ask('d', [id(201)], new AbortController().signal)
  expect(direct.isClosed).toBe(false)
  direct.dispose()

  const [own] = MemoryDirectConnection.pair()
  let answering = 0
  const never = () => new Promise<never>(() => answering++)
  const busy = new DirectPath({ clock: new ManualClock(), logger: silentLogger, answer: never, probe: async () => {} })
  busy.add(own)
  for (let request = 1; request <= 300; request++) {
    own.hear(frame({ kind: 'want', request, dataset: 'd', ids: [id(1)] }))
    own.hear(frame({ kind: 'cancel', request }))
  }
  expect([answering, busy.isClosed]).toEqual([256, false])
  expect(own.sent.filter(({ kind }) => kind === 'end').length).toBe(44) // nothing comes: the link is asked
  busy.dispose()
})

it('[TR11] a question that the link refuses does not end the asking', async () => {
  const [own] = MemoryDirectConnection.pair()
  const clock = new ManualClock()
  let asked = 0
  const probe = (): Promise<unknown> => {
    asked++
    throw new Error('too many calls')
  }
  const answer = async () => ({ more: [], frame: async () => new Uint8Array(50_000) })
  const direct = new DirectPath({ clock, logger: silentLogger, answer, probe })
  direct.add(own)
  own.hear(frame({ kind: 'want', request: 1, dataset: 'd', ids: [id(1)] }))
  await until(() => own.sent.some(({ kind }) => kind === 'end'))
  for (let n = 0; n < 3; n++) {
    clock.advance(25)
    await turns(1)
  }
  expect(asked).toBe(4)
  expect(direct.isClosed).toBe(false)
  direct.dispose()
})

it('[TR9] a path that ends with the last that came leaves no timer', async () => {
  const [own] = MemoryDirectConnection.pair()
  const clock = new ManualClock()
  const direct = new DirectPath({ clock, logger: silentLogger, answer: () => new Promise<never>(() => {}), probe: async () => {} })
  direct.add(own)
  const { flow } = await direct.ask('d', [id(1)], new AbortController().signal)
  flow.onDidReceive(() => direct.dispose())
  own.hear(frame({ kind: 'part', request: 1, message: 0, total: 3, at: 0, bytes: new Uint8Array(3) }))
  expect([direct.isClosed, clock.pendingTimers]).toEqual([true, 0])
})

it('[TR7] a connection that a lost packet holds up gets no more while others bring something, and goes on when it does', async () => {
  const clock = new ManualClock()
  const answer = async () => ({ more: [], frame: async () => new Uint8Array(50_000) })
  const direct = new DirectPath({ clock, logger: silentLogger, answer, probe: async () => {} })
  const [held, quick] = [MemoryDirectConnection.pair()[0], MemoryDirectConnection.pair()[0]]
  direct.add(held)
  direct.add(quick)
  const bytesOf = ({ sent }: MemoryDirectConnection) => sent.reduce((sum, it) => sum + (it.kind === 'part' ? it.bytes.length : 0), 0)
  const told = new Map<MemoryDirectConnection, number>()
  const confirm = (one: MemoryDirectConnection) => {
    const bytes = bytesOf(one) - (told.get(one) ?? 0)
    told.set(one, bytesOf(one))
    if (bytes > 0) one.hear(frame({ kind: 'got', bytes }))
  }
  const ask = (request: number) =>
    held.hear(frame({ kind: 'want', request, dataset: 'd', ids: Array.from({ length: 40 }, (_, n) => id(n)) }))
  const ended = () => held.sent.filter(({ kind }) => kind === 'end').length
  ask(1)
  for (let n = 0; n < 100 && ended() < 1; n++) {
    await turns(5)
    clock.advance(10)
    confirm(quick)
  }
  expect(ended()).toBe(1)
  expect(bytesOf(held)).toBeLessThan(200_000)
  expect(bytesOf(quick)).toBeGreaterThan(1_800_000)
  confirm(held)
  const before = bytesOf(held)
  ask(2)
  for (let n = 0; n < 100 && ended() < 2; n++) {
    await turns(5)
    clock.advance(10)
    confirm(held)
    confirm(quick)
  }
  expect(ended()).toBe(2)
  expect(bytesOf(held) - before).toBeGreaterThan(50_000)
  direct.dispose()
})

function path(kind: 'tls' | 'webrtc' = 'tls') {
  const [own, peer] = MemoryDirectConnection.pair(kind)
  const direct = new DirectPath({
    clock: new ManualClock(),
    logger: silentLogger,
    answer: async () => ({ more: [], frame: async () => new Uint8Array(50_000) }),
    probe: async () => {},
  })
  direct.add(own)
  return { direct, own, peer }
}
const frame = (it: DirectFrame) => encodeDirectFrame(it)
const part = (changes: Partial<DirectFrame & { kind: 'part' }>): Uint8Array =>
  frame({ kind: 'part', request: 1, message: 0, total: 100, at: 0, bytes: new Uint8Array(50), ...changes })

it.each([
  ['what is no frame', Uint8Array.of(255, 255, 255, 255, 1)],
  ['an empty frame', Uint8Array.of(0, 0, 0, 0)],
  ['an unknown kind', Uint8Array.of(0, 0, 0, 5, 9, 0, 0, 0, 0)],
  ['parts nobody asked for', part({ request: 2 })],
  ['another message than was asked for', part({ message: 1 })],
  ['a part beyond its message', frame({ kind: 'part', request: 1, message: 0, total: 10, at: 0, bytes: new Uint8Array(11) })],
  ['a message longer than any chunk', part({ total: 300_000 })],
  ['more confirmed than was sent', frame({ kind: 'got', bytes: 1 })],
  ['a list that names no id whole', Uint8Array.of(0, 0, 0, 8, 2, 0, 0, 0, 1, 1, 2, 3)],
  ['a want of nothing', Uint8Array.of(0, 0, 0, 7, 1, 0, 0, 0, 1, 0, 0)],
])('[TR10] %s ends the connections and what waits for them', async (_what, bytes) => {
  const { direct, own } = path()
  const { flow } = await direct.ask('d', [id(1)], new AbortController().signal)
  const closed: string[] = []
  flow.onDidClose(({ reason }) => closed.push(reason))
  own.hear(bytes)
  expect([direct.isClosed, own.isClosed]).toEqual([true, true])
  expect(closed).toEqual(['link/gone'])
})

it('[TR7] what says that nothing more comes waits for what other connections still bring', async () => {
  const { direct, own } = path()
  const { flow } = await direct.ask('d', [id(1), id(2)], new AbortController().signal)
  const heard: string[] = []
  flow.onDidReceive((message) => heard.push(`${message.length} bytes`))
  flow.onDidClose(() => heard.push('closed'))
  own.hear(part({ bytes: new Uint8Array(100) }))
  own.hear(frame({ kind: 'end', request: 1, messages: 2 }))
  own.hear(part({ message: 1 }))
  own.hear(part({ message: 1, at: 50 }))
  expect(heard).toEqual(['100 bytes', '100 bytes', 'closed'])
  expect(direct.isClosed).toBe(false)
})

it('[TR10] one part again and again, or a thousand calls at once, ends the connections', async () => {
  const first = path()
  void first.direct.ask('d', [id(1)], new AbortController().signal)
  for (let n = 0; n < 3; n++) first.own.hear(part({ total: 120 }))
  expect(first.direct.isClosed).toBe(true)
  const second = path()
  for (let request = 0; request < 1000; request++) second.own.hear(frame({ kind: 'want', request, dataset: 'd', ids: [id(1)] }))
  expect(second.direct.isClosed).toBe(true)
})

it.each(['tls', 'webrtc'] as const)(
  '[TR10] frames changed at random over %s are taken or end that path, and throw nothing',
  async (kind) => {
    const random = new SeededRandom(11)
    const frames = [
      frame({ kind: 'want', request: 1, dataset: 'd', ids: [id(1)], stretch: { offset: 10, length: 10 } }),
      frame({ kind: 'more', request: 1, ids: [id(4)] }),
      part({}),
      part({ at: 50 }),
      frame({ kind: 'end', request: 1, messages: 1 }),
      frame({ kind: 'cancel', request: 1 }),
      frame({ kind: 'got', bytes: 77 }),
    ]
    let ended = 0
    for (let round = 0; round < 400; round++) {
      const { direct, own } = path(kind)
      void direct.ask('d', [id(1), id(2)], new AbortController().signal).catch(() => {})
      for (let n = 0; n < 20 && !direct.isClosed; n++) {
        const bytes = random.pick(frames).slice(0, random.chance(0.2) ? 1 + random.below(20) : undefined)
        for (let change = random.below(3); change > 0; change--) bytes[random.below(bytes.length)] = random.below(256)
        own.hear(bytes)
      }
      await turns(1)
      if (direct.isClosed) ended++
      expect(own.isClosed).toBe(direct.isClosed)
      direct.dispose()
    }
    expect(ended).toBeGreaterThan(300)
  },
)

it('[TR10] frames cut anywhere are read as one piece', () => {
  const frames: DirectFrame[] = [
    { kind: 'want', request: 1, dataset: 'dataset', ids: [id(1), id(2)], stretch: { offset: 5_000_000_000, length: 10 } },
    { kind: 'want', request: 2, dataset: 'd', ids: [id(3)] },
    { kind: 'more', request: 1, ids: [id(4)] },
    { kind: 'part', request: 1, message: 3, total: 200_000, at: 7, bytes: new Uint8Array(500).fill(9) },
    { kind: 'part', request: 1, message: 3, total: 200_000, at: 507, bytes: new Uint8Array(PART_BYTES).fill(9) },
    { kind: 'part', request: 1, message: 4, total: 200_000, at: 7, bytes: new Uint8Array(LONG_PART_BYTES).fill(8) },
    { kind: 'end', request: 1, messages: 4 },
    { kind: 'cancel', request: 2 },
    { kind: 'got', bytes: 77 },
  ]
  const all = Buffer.concat(frames.map(frame))
  const random = new SeededRandom(3)
  for (let round = 0; round < 20; round++) {
    const reader = new DirectFrameReader()
    const read: DirectFrame[] = []
    for (let at = 0; at < all.length; ) {
      const length = 1 + random.below(round < 2 ? 100 : 9000)
      read.push(...reader.take(new Uint8Array(all.subarray(at, at + length))))
      at += length
    }
    expect(joined(read)).toEqual(joined(frames))
  }
})

/** Parts that go on where the one before ended, as one: a long one is given on as it comes. */
function joined(frames: readonly DirectFrame[]): DirectFrame[] {
  const all: DirectFrame[] = []
  for (const one of frames) {
    const last = all.at(-1)
    if (one.kind !== 'part') all.push(one)
    else if (last?.kind === 'part' && last.message === one.message && last.at + last.bytes.length === one.at)
      all[all.length - 1] = { ...last, bytes: new Uint8Array(Buffer.concat([last.bytes, one.bytes])) }
    else all.push({ ...one, bytes: new Uint8Array(one.bytes) })
  }
  return all
}

it.each(['tls', 'webrtc'] as const)(
  '[TR7, TR12] what comes over %s is confirmed, many parts at once where much may be on its way',
  async (kind) => {
    const clock = new ManualClock()
    const body = new Uint8Array(120_000)
    const paths = [0, 1].map(
      () =>
        new DirectPath({
          clock,
          logger: silentLogger,
          answer: async () => ({ more: [], frame: async () => body }),
          probe: async () => {},
        }),
    ) as [DirectPath, DirectPath]
    const ends = MemoryDirectConnection.pair(kind)
    if (kind === 'webrtc') for (const end of ends) end.mostUnconfirmedBytes = 4 * PART_BYTES
    paths.forEach((path, n) => path.add(ends[n] as MemoryDirectConnection))
    const { flow } = await paths[0].ask('d', [id(1)], new AbortController().signal)
    const heard: Uint8Array[] = []
    flow.onDidReceive((message) => heard.push(message))
    await until(() => heard.length === 1)
    const got = () => ends[0].sent.flatMap((one) => (one.kind === 'got' ? [one.bytes] : []))
    const sum = () => got().reduce((all, bytes) => all + bytes, 0)
    expect(got().length).toBe(kind === 'webrtc' ? 8 : 1)
    clock.advance(1)
    expect([sum(), got().length]).toEqual([body.length, kind === 'webrtc' ? 8 : 2])
    for (const path of paths) path.dispose()
  },
)

it("[TR11] while somebody is at work, what may be on its way shrinks as soon as the link answers later; else the path is TCP's", () => {
  const clock = new ManualClock()
  const window = new DirectWindow(clock)
  const probe = (tripMs: number, times: number) => {
    for (let n = 0; n < times; n++) {
      window.noteInFlight(window.bytes)
      clock.advance(25)
      window.probed(tripMs)
    }
  }
  probe(80, 1)
  probe(500, 100)
  expect(window.bytes).toBe(16 * 1024 * 1024) // nobody waits
  window.noteLive()
  probe(80, 5)
  expect(window.bytes).toBe(16 * 1024 * 1024)
  probe(500, 1)
  expect(window.bytes).toBe(16 * 1024 * 1024) // one late answer may be a busy process
  probe(500, 60)
  const narrow = window.bytes
  expect(narrow).toBeLessThan(512 * 1024)
  window.noteLive()
  probe(80, 20)
  expect(window.bytes).toBeGreaterThan(narrow)
  clock.advance(200)
  window.probed(80) // what was filled until then
  const idle = window.bytes
  clock.advance(200)
  window.probed(80)
  expect(window.bytes).toBe(idle) // nobody fills it
})

it('[TR11, TR12] over WebRTC every second late answer is enough to narrow it, over TCP it may be a busy process', () => {
  const bytesAfter = (isCostly: boolean) => {
    const clock = new ManualClock()
    const window = new DirectWindow(clock)
    for (let n = 0; n < 100; n++) {
      window.noteLive()
      window.noteInFlight(window.bytes)
      clock.advance(25)
      window.probed(n > 10 && n % 4 < 2 ? 200 : 80, isCostly)
    }
    return window.bytes
  }
  expect(bytesAfter(false)).toBe(16 * 1024 * 1024)
  expect(bytesAfter(true)).toBeLessThan(1024 * 1024)
})
