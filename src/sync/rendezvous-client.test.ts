import { expect, it } from 'vitest'
import { silentLogger } from '../base/logger.ts'
import { systemRandom } from '../base/random.ts'
import { createFakeWebSocketPair, type FakeWebSocket } from '../testkit/fake-web-socket.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { RendezvousClient } from './rendezvous-client.ts'
import { RendezvousHub } from './rendezvous-hub.ts'
import { parseRendezvousUrl, RendezvousPool } from './rendezvous-pool.ts'
import { PING_EVERY_MS } from './rendezvous-protocol.ts'

const TOPIC = 'T'.repeat(43)
const ticks = () => new Promise((resolve) => setTimeout(resolve, 0))

function setUp() {
  const clock = new ManualClock()
  const parts = { clock, random: systemRandom, logger: silentLogger }
  const hub = new RendezvousHub(parts)
  const tries: number[] = []
  const state = { isUp: true, isDeaf: false }
  const sockets: FakeWebSocket[] = []
  const openSocket = async () => {
    tries.push(clock.monotonicMs())
    if (!state.isUp) throw new Error('not there')
    const { client, server } = createFakeWebSocketPair()
    sockets.push(client)
    if (!state.isDeaf) hub.accept(server, 'test')
    return client
  }
  const create = () => new RendezvousClient({ ...parts, url: 'ws://x/', openSocket })
  const pass = async (ms: number) => {
    clock.advance(ms)
    await ticks()
  }
  return { clock, hub, tries, state, sockets, create, pass, parts, openSocket }
}

it('[SY62] comes back by itself with growing waits, and is in its topics again', async () => {
  const { create, state, sockets, tries, pass } = setUp()
  const client = create()
  let joins = 0
  client.join(TOPIC).onDidJoin(() => joins++)
  await ticks()
  await ticks()
  expect({ joins, isConnected: client.isConnected }).toEqual({ joins: 1, isConnected: true })
  state.isUp = false
  sockets.at(-1)?.dispose()
  for (let second = 0; second < 120; second++) await pass(1_000)
  const inTwoMinutes = tries.length - 1
  expect(inTwoMinutes).toBeGreaterThan(5)
  expect(inTwoMinutes).toBeLessThan(25)
  state.isUp = true
  for (let second = 0; second < 21; second++) await pass(1_000)
  await ticks()
  expect(joins).toBe(2)
})

it('[SY62] in a hurry it connects anew at once and then tries every second', async () => {
  const { create, state, tries, pass, sockets } = setUp()
  const client = create()
  await ticks()
  state.isUp = false
  client.hurry()
  expect(sockets[0]?.isClosed).toBe(true)
  for (let second = 0; second < 60; second++) await pass(1_000)
  expect(tries.length).toBeGreaterThan(50)
})

it('[SY62] in a hurry a try that hangs does not hold up the next; the first to come through is taken, alone', async () => {
  const { parts, openSocket, pass } = setUp()
  const waiting: { readonly take: () => void; readonly signal: AbortSignal }[] = []
  const client = new RendezvousClient({
    ...parts,
    url: 'ws://x/',
    openSocket: (_url, signal) => new Promise((resolve) => waiting.push({ take: () => resolve(openSocket()), signal })),
  })
  client.hurry()
  for (let step = 0; step < 8; step++) await pass(500)
  expect(waiting.length).toBeGreaterThan(3)
  const [, second, third] = waiting
  third?.take()
  await ticks()
  expect(client.isConnected).toBe(true)
  second?.take()
  await ticks()
  const before = waiting.length
  for (let step = 0; step < 8; step++) await pass(500)
  expect(waiting).toHaveLength(before)
  expect(waiting.every(({ signal }) => signal.aborted)).toBe(true)
})

it('[SY62] one that does not answer any more is left', async () => {
  const { create, state, pass } = setUp()
  state.isDeaf = true
  const client = create()
  await ticks()
  expect(client.isConnected).toBe(true)
  await pass(PING_EVERY_MS)
  await pass(PING_EVERY_MS)
  expect(client.isConnected).toBe(false)
})

it.each(['{not json', '{"t":"what"}', `{"t":"data","topic":"${TOPIC}","from":"x","data":"y"}`])(
  '[SY62] something that is no rendezvous (%s) is left and tried again later',
  async (text) => {
    const { create, state, sockets, tries, pass } = setUp()
    state.isDeaf = true
    const client = create()
    await ticks()
    sockets[0]?.receive(text)
    expect(client.isConnected).toBe(false)
    await pass(1_000)
    expect(tries).toHaveLength(2)
  },
)

it('[SY62] a rendezvous wanted by two parts is connected to once and left when both let go', async () => {
  const { parts, openSocket, tries, hub } = setUp()
  const pool = new RendezvousPool({ ...parts, openSocket })
  const [one, two] = [pool.use('ws://Host.example:80'), pool.use('WS://host.example:80/')]
  await ticks()
  expect(tries).toHaveLength(1)
  one.dispose()
  expect(pool.clients).toHaveLength(1)
  two.dispose()
  await ticks()
  expect({ clients: pool.clients.length, connections: hub.connections }).toEqual({ clients: 0, connections: 0 })
})

it.each([
  ['host:4000', 'ws://host:4000/'],
  ['wss://meet.example.org', 'wss://meet.example.org/'],
  ['ws://[fd00::1]:9/', 'ws://[fd00::1]:9/'],
])('[SY62] %s is read as %s', (text, url) => expect(parseRendezvousUrl(text)).toBe(url))

it.each([
  'http://host',
  'ws://',
  'ws://host:0',
  'ws://host:70000',
  'ws://user@host',
  'ws://host/path?x',
  `ws://${'h'.repeat(600)}`,
  'ws://ho st',
])('[SY62] %s is no rendezvous', (text) =>
  expect(() => parseRendezvousUrl(text)).toThrow(expect.objectContaining({ code: 'rendezvous/bad-url' })),
)
