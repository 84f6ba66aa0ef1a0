import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { TEST_CANDIDATES_VARIABLE } from '../platform/node/candidate-exchange.ts'
import { LinkProcessClient } from '../testkit/link-process-client.ts'
import type { LinkProcessSetup } from '../testkit/link-process.ts'
import { createNetLab, type LabMachine, whyNoNetLab } from '../testkit/netlab.ts'
import { createTestDevice } from '../testkit/test-devices.ts'

const A = createTestDevice(1).device
const B = createTestDevice(2).device
const C = createTestDevice(3).device
const reason = whyNoNetLab()

const setup = (seed: number, more: Partial<LinkProcessSetup> = {}): LinkProcessSetup => ({
  seed,
  members: [1, 2, 3],
  rendezvousUrls: [],
  runsRendezvous: false,
  usesLan: false,
  secret: 9,
  isVerbose: process.env.DEBUG === 'sync',
  ...more,
})

const PROXY = fileURLToPath(new URL('../testkit/proxy-process.ts', import.meta.url))

function start(machine: LabMachine, options: LinkProcessSetup, env?: NodeJS.ProcessEnv): LinkProcessClient {
  const client = new LinkProcessClient(options, machine, undefined, env)
  onTestFinished(() => client.dispose())
  return client
}

function lab(...names: readonly string[]) {
  const made = createNetLab(...names)
  onTestFinished(() => made.dispose())
  return made
}

/** Two devices on two machines; the first runs a rendezvous that the second knows. */
async function linkedPair() {
  const net = lab('a', 'b')
  const a = start(net.machine('a'), setup(1, { runsRendezvous: true }))
  const { urls } = await a.next('ready')
  const b = start(net.machine('b'), setup(2, { rendezvousUrls: urls }))
  await Promise.all([a.next('linked'), b.next('linked')])
  return { net, a, b, urls }
}

describe.skipIf(reason !== undefined)(`links between machines${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  it('[SY54] two processes in two namespaces link over their network, and lanes move between them', async () => {
    const { a, b } = await linkedPair()
    const { ms } = await a.ask({ t: 'roundTrips', peer: B, lane: 'session', count: 20, pauseMs: 5 }, 'roundTrips')
    expect(ms).toHaveLength(20)
    const { stats } = await b.ask({ t: 'stats', peer: A }, 'stats')
    expect(stats.localAddress).toContain('10.98.0.2:')
    expect(stats.remoteAddress).toContain('10.98.0.1:')
    expect(stats.lanes.session).toMatchObject({ receivedMessages: 20, sentMessages: 20 })
    console.log('session round trip, idle:', summary(ms))
  })

  it('[SY56] 50 MB on files: all of it arrives, while keys keep their round trip', async () => {
    const { a, b } = await linkedPair()
    const idle = await a.ask({ t: 'roundTrips', peer: B, lane: 'session', count: 50, pauseMs: 5 }, 'roundTrips')
    const from = b.events.length
    const begunMs = Date.now()
    a.say({ t: 'sendFiles', peer: B, bytes: 50e6 })
    const [loaded, done] = await Promise.all([
      a.ask({ t: 'roundTrips', peer: B, lane: 'session', count: 50, pauseMs: 5 }, 'roundTrips'),
      b.next('files', from, ({ bytes }) => bytes >= 50e6),
    ])
    console.log(
      `files: ${(50e3 / (done.atMs - begunMs)).toFixed(1)} MB/s; round trip idle ${summary(idle.ms)}, under load ${summary(loaded.ms)}`,
    )
    const { stats } = await b.ask({ t: 'stats', peer: A }, 'stats')
    expect(stats.lanes.files.receivedBytes).toBe(763 * 65_536)
  })

  it('[SY57] kill -9 of a peer is noticed; started again it is linked again', async () => {
    const { net, a, b, urls } = await linkedPair()
    const from = a.events.length
    b.kill()
    const killedMs = Date.now()
    const { atMs, reason: why } = await a.next('unlinked', from)
    console.log(`kill -9 noticed after ${atMs - killedMs} ms: ${why}`)
    start(net.machine('b'), setup(2, { rendezvousUrls: urls }))
    await a.next('linked', from)
  })

  it('[SY60] a cable unplugged for a second breaks nothing; for ten seconds, the link comes back by itself', async () => {
    const { net, a, b } = await linkedPair()
    await a.ask({ t: 'roundTrips', peer: B, lane: 'session', count: 3, pauseMs: 1 }, 'roundTrips')
    for (const cutMs of [1_000, 10_000]) {
      const from = b.events.length
      net.machine('b').cut()
      await new Promise((resolve) => setTimeout(resolve, cutMs))
      net.machine('b').heal()
      const healedMs = Date.now()
      if (cutMs > 5_000) await b.next('linked', from)
      const { ms } = await b.ask({ t: 'roundTrips', peer: A, lane: 'session', count: 1, pauseMs: 0 }, 'roundTrips')
      expect(ms).toHaveLength(1)
      console.log(`cut for ${cutMs} ms: first round trip ${Date.now() - healedMs} ms after it is usable`)
    }
  })

  it('[SY65] two devices on one LAN find each other with nothing set up', async () => {
    const net = lab('a', 'b')
    const a = start(net.machine('a'), setup(1, { runsRendezvous: true, usesLan: true }))
    const b = start(net.machine('b'), setup(2, { runsRendezvous: true, usesLan: true }))
    const stranger = start(net.machine('b'), setup(3, { runsRendezvous: true, usesLan: true, secret: 10 }))
    await Promise.all([a.next('linked'), b.next('linked'), stranger.next('ready')])
    expect(stranger.events.some(({ t }) => t === 'linked')).toBe(false)
  })

  it('[SY66] devices that met at a rendezvous that is gone for ever find each other again at their own', async () => {
    const net = lab('a', 'b', 'c')
    const meeting = start(net.machine('c'), setup(3, { runsRendezvous: true, secret: 11 }))
    const { urls } = await meeting.next('ready')
    const a = start(net.machine('a'), setup(1, { runsRendezvous: true, rendezvousUrls: urls }))
    const b = start(net.machine('b'), setup(2, { runsRendezvous: true, rendezvousUrls: urls }))
    await Promise.all([a.next('linked'), b.next('linked')])
    meeting.kill()
    await a.ask({ t: 'roundTrips', peer: B, lane: 'session', count: 3, pauseMs: 1 }, 'roundTrips')
    const from = b.events.length
    net.machine('a').cut()
    await b.next('unlinked', from)
    net.machine('a').heal()
    await b.next('linked', from)
  })

  it('[SY54] whole devices run through a proxy on a third machine when told to', async () => {
    const net = lab('a', 'b', 'p')
    const proxy = net
      .machine('p')
      .spawn(process.execPath, [PROXY, net.machine('p').address, '{"delayMs":30}'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const url = await new Promise<string>((resolve) => proxy.stdout?.once('data', (text) => resolve(String(text).trim())))
    const env = { ...process.env, [TEST_CANDIDATES_VARIABLE]: url }
    const a = start(net.machine('a'), setup(1, { runsRendezvous: true }), env)
    const { urls } = await a.next('ready')
    const b = start(net.machine('b'), setup(2, { rendezvousUrls: urls }), env)
    await Promise.all([a.next('linked'), b.next('linked')])
    const { ms } = await a.ask({ t: 'roundTrips', peer: B, lane: 'session', count: 5, pauseMs: 1 }, 'roundTrips')
    expect(Math.min(...ms)).toBeGreaterThanOrEqual(60)
    const { stats } = await a.ask({ t: 'stats', peer: B }, 'stats')
    expect(stats.remoteAddress).toContain(`${net.machine('p').address}:`)
  })

  it('[SY51] a device with another key links to nobody and is told nothing', async () => {
    const { net, a, urls } = await linkedPair()
    const stranger = start(net.machine('b'), setup(3, { rendezvousUrls: urls, members: [1, 2, 3] }))
    await stranger.next('ready')
    // It claims a place in the workspace's topics, but its key is on nobody's list: a knows 1 to 3, so 3 is a member; 4 is not.
    const outsider = start(net.machine('b'), setup(4, { rendezvousUrls: urls, members: [1, 2, 3, 4] }))
    await outsider.next('ready')
    await a.next('linked', 0, ({ peer }) => peer === C)
    expect(outsider.events.filter(({ t }) => t === 'linked')).toEqual([])
    expect(a.events.some((event) => event.t === 'linked' && event.peer === createTestDevice(4).device)).toBe(false)
  })
})

const summary = (ms: readonly number[]): string => {
  const sorted = ms.toSorted((x, y) => x - y)
  const at = (part: number) => (sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(2)
  return `p50 ${at(0.5)} p95 ${at(0.95)} max ${at(1)} ms`
}
