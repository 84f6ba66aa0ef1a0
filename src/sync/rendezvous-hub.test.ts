import { expect, it } from 'vitest'
import { systemClock } from '../base/clock.ts'
import { silentLogger } from '../base/logger.ts'
import { systemRandom } from '../base/random.ts'
import { createFakeWebSocketPair } from '../testkit/fake-web-socket.ts'
import { MAX_CONNECTIONS_PER_SOURCE, RendezvousHub } from './rendezvous-hub.ts'

const TOPIC = 'T'.repeat(43)
const OTHER = 'O'.repeat(43)
const ticks = () => new Promise((resolve) => setTimeout(resolve, 0))

function setUp() {
  const hub = new RendezvousHub({ clock: systemClock, random: systemRandom, logger: silentLogger })
  const connect = (source = '10.0.0.1') => {
    const { client, server } = createFakeWebSocketPair()
    hub.accept(server, source)
    return {
      client,
      say: (message: unknown) => client.send(JSON.stringify(message)),
      heard: () => client.log.map((text) => JSON.parse(text) as Record<string, unknown>),
    }
  }
  return { hub, connect }
}

it('[SY61] passes to all others of a topic, or to one, with an address it made up; to nobody outside', async () => {
  const { connect } = setUp()
  const [a, b, c, outside] = [connect(), connect(), connect(), connect()]
  for (const member of [a, b, c]) member.say({ t: 'join', topic: TOPIC })
  outside.say({ t: 'join', topic: OTHER })
  await ticks()
  a.say({ t: 'send', topic: TOPIC, data: 'to-all' })
  await ticks()
  const [, fromA] = b.heard()
  expect(fromA).toMatchObject({ t: 'data', topic: TOPIC, data: 'to-all' })
  b.say({ t: 'send', topic: TOPIC, to: fromA?.from, data: 'to-a' })
  outside.say({ t: 'send', topic: TOPIC, to: fromA?.from, data: 'intruder' })
  outside.say({ t: 'send', topic: OTHER, to: fromA?.from, data: 'intruder' })
  await ticks()
  expect(a.heard().map(({ data }) => data)).toEqual([undefined, 'to-a'])
  expect(c.heard().map(({ data }) => data)).toEqual([undefined, 'to-all'])
  expect(outside.heard()).toHaveLength(1)
})

it('[SY61] says who left', async () => {
  const { connect } = setUp()
  const [a, b] = [connect(), connect()]
  a.say({ t: 'join', topic: TOPIC })
  b.say({ t: 'join', topic: TOPIC })
  await ticks()
  b.client.dispose()
  await ticks()
  expect(b.heard()[0]?.members).toHaveLength(1)
  expect(a.heard().at(-1)).toMatchObject({ t: 'left', topic: TOPIC, member: expect.stringMatching(/^[\w-]{22}$/) })
})

it.each([
  { name: 'no JSON', text: '{not json', code: 'rendezvous/bad-message' },
  { name: 'unknown message', text: '{"t":"who"}', code: 'rendezvous/bad-message' },
  { name: 'a field too many', text: `{"t":"join","topic":"${TOPIC}","x":1}`, code: 'rendezvous/bad-message' },
  { name: 'a short topic', text: '{"t":"join","topic":"short"}', code: 'rendezvous/bad-message' },
  { name: 'too long', text: `{"t":"send","topic":"${TOPIC}","data":"${'x'.repeat(50_000)}"}`, code: 'rendezvous/bad-message' },
])('[SY61] $name: that client is told the code and dropped, others go on', async ({ text, code }) => {
  const { hub, connect } = setUp()
  const [bad, good] = [connect(), connect()]
  good.say({ t: 'join', topic: TOPIC })
  bad.client.send(text)
  await ticks()
  expect(bad.heard().at(-1)).toEqual({ t: 'error', code })
  expect(bad.client.isClosed).toBe(true)
  good.say({ t: 'ping' })
  await ticks()
  expect(good.heard().at(-1)).toEqual({ t: 'pong' })
  expect(hub.connections).toBe(1)
})

it('[SY61] a client that floods is dropped', async () => {
  const { hub, connect } = setUp()
  const flood = connect()
  for (let i = 0; i < 300; i++) flood.say({ t: 'ping' })
  await ticks()
  expect(flood.heard().at(-1)).toEqual({ t: 'error', code: 'rendezvous/too-fast' })
  expect(hub.connections).toBe(0)
})

it('[SY61] one source gets so many connections and no more; another still gets in', async () => {
  const { hub, connect } = setUp()
  for (let i = 0; i < MAX_CONNECTIONS_PER_SOURCE; i++) connect('10.0.0.9')
  const tooMany = connect('10.0.0.9')
  await ticks()
  expect(tooMany.heard()).toEqual([{ t: 'error', code: 'rendezvous/full' }])
  connect('10.0.0.8')
  expect(hub.connections).toBe(MAX_CONNECTIONS_PER_SOURCE + 1)
})

it('[SY61] no more topics than a device needs', async () => {
  const { connect } = setUp()
  const greedy = connect()
  for (let i = 0; i < 33; i++) greedy.say({ t: 'join', topic: String(i).padStart(43, 'x') })
  await ticks()
  expect(greedy.heard().at(-1)).toEqual({ t: 'error', code: 'rendezvous/too-many-topics' })
})
