import { execFileSync } from 'node:child_process'
import { goodPath } from '../src/testkit/delay-line.ts'
import { LinkProcessClient } from '../src/testkit/link-process-client.ts'
import type { LinkProcessSetup } from '../src/testkit/link-process.ts'
import { createNetLab, type NetLab, whyNoNetLab } from '../src/testkit/netlab.ts'
import { createTestDevice } from '../src/testkit/test-devices.ts'
import { UdpProxy } from '../src/testkit/udp-proxy.ts'
import { type Bench, median, notMeasured, quantile, type Row } from './report.ts'

/* `npm run bench -- links [--long]`: what one link costs and gives. --long adds the cut of 60 s and the idle minutes. */

const A = createTestDevice(1).device
const B = createTestDevice(2).device
const CONNECTS = 10
const FILE_BYTES = 50e6

const setup = (seed: number, more: Partial<LinkProcessSetup> = {}): LinkProcessSetup => ({
  seed,
  members: [1, 2, 3],
  rendezvousUrls: [],
  runsRendezvous: false,
  usesLan: false,
  secret: 9,
  ...more,
})

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const row = (id: string, what: string, values: readonly number[], unit: string, goal?: string): Row => ({
  id,
  what,
  value: median(values),
  unit,
  must: undefined,
  met: undefined,
  goal,
  peers: values.length > 2 ? { p95: quantile(values, 0.95) } : {},
  n: values.length,
})

async function pair(net: NetLab) {
  const a = new LinkProcessClient(setup(1, { runsRendezvous: true }), net.machine('a'))
  const { urls } = await a.next('ready')
  const startB = () => new LinkProcessClient(setup(2, { rendezvousUrls: urls, runsRendezvous: true }), net.machine('b'))
  const b = startB()
  await Promise.all([a.next('linked'), b.next('linked')])
  return { a, b, startB }
}

const roundTrips = async (client: LinkProcessClient, peer: string, count: number): Promise<readonly number[]> =>
  (await client.ask({ t: 'roundTrips', peer, lane: 'session', count, pauseMs: 10 }, 'roundTrips')).ms

/** Session round trips while files are sent, and the speed of the files. */
async function load(from: LinkProcessClient, to: LinkProcessClient, bytes: number) {
  const begin = to.events.length
  const begunMs = Date.now()
  from.say({ t: 'sendFiles', peer: B, bytes })
  const [ms, done] = await Promise.all([roundTrips(from, B, 60), to.next('files', begin, (event) => event.bytes >= bytes)])
  return { ms, megabytesPerSecond: bytes / 1e3 / (done.atMs - begunMs) }
}

async function measureVeth(rows: Row[], isLong: boolean): Promise<void> {
  const net = createNetLab('a', 'b')
  try {
    const { a, b, startB } = await pair(net)
    rows.push(row('rtt-idle', 'session round trip, veth, idle', await roundTrips(a, B, 100), 'ms'))
    const loaded = await load(a, b, FILE_BYTES)
    rows.push(row('rtt-load', 'the same while files are sent', loaded.ms, 'ms', 'round trip + 10'))
    rows.push(row('files', '50 MB on the files lane, veth', [loaded.megabytesPerSecond], 'MB/s'))
    for (const cutMs of isLong ? [1_000, 10_000, 60_000] : [1_000, 10_000]) {
      const begin = b.events.length
      net.machine('b').cut()
      await sleep(cutMs)
      net.machine('b').heal()
      const healedMs = Date.now()
      if (cutMs > 5_000) await b.next('linked', begin)
      await roundTrips(b, A, 1)
      rows.push(
        row(
          `cut-${cutMs}`,
          `cable out for ${cutMs / 1000} s, own rendezvous only: first round trip after`,
          [Date.now() - healedMs],
          'ms',
          '2000',
        ),
      )
    }
    if (isLong) await measureIdle(rows, net)
    const connects: number[] = []
    let last = b
    for (let i = 0; i < CONNECTS; i++) {
      last.kill()
      await a.next('unlinked', a.events.length)
      last = startB()
      connects.push((await last.next('linked')).sinceOpenMs)
    }
    rows.push(row('connect', 'keys open > link up, rendezvous known, veth', connects, 'ms'))
    const begin = a.events.length
    last.kill()
    const killedMs = Date.now()
    rows.push(row('kill', 'kill -9 of a peer > link gone', [(await a.next('unlinked', begin)).atMs - killedMs], 'ms', '3000'))
    a.kill()
  } finally {
    net.dispose()
  }
}

async function measureIdle(rows: Row[], net: NetLab): Promise<void> {
  const sent = () => {
    const text = execFileSync('ip', ['netns', 'exec', net.machine('a').namespace, 'cat', '/proc/net/dev'], { encoding: 'utf8' })
    return Number(/eth0:\s*(?:\d+\s+){8}(\d+)/.exec(text)?.[1])
  }
  await sleep(45_000)
  const before = sent()
  await sleep(120_000)
  rows.push(row('idle', 'sent to an idle peer in a minute, all headers', [(sent() - before) / 2], 'B', '2000'))
}

async function measureProxy(rows: Row[], loss: number): Promise<void> {
  const proxy = new UdpProxy({ ...goodPath(5), delayMs: 40, loss })
  const path = `80 ms${loss > 0 ? `, ${loss * 100} % loss` : ''}`
  const id = loss > 0 ? '80-loss' : '80'
  const a = new LinkProcessClient(setup(1, { runsRendezvous: true, usesProxy: true }), undefined, proxy)
  const { urls } = await a.next('ready')
  const b = new LinkProcessClient(setup(2, { rendezvousUrls: urls, usesProxy: true }), undefined, proxy)
  try {
    rows.push(row(`connect-${id}`, `keys open > link up, ${path}`, [(await b.next('linked')).sinceOpenMs], 'ms'))
    await a.next('linked')
    rows.push(row(`rtt-${id}`, `session round trip, ${path}`, await roundTrips(a, B, 60), 'ms', '82 (ssh)'))
    const loaded = await load(a, b, loss > 0 ? 2e6 : 20e6)
    rows.push(row(`rtt-load-${id}`, 'the same while files are sent', loaded.ms, 'ms', 'round trip + 10'))
    rows.push(row(`files-${id}`, `files lane, ${path}`, [loaded.megabytesPerSecond], 'MB/s'))
  } finally {
    a.kill()
    b.kill()
    proxy.dispose()
  }
}

export const bench: Bench = {
  name: 'links',
  async run(args) {
    const rows: Row[] = []
    const why = whyNoNetLab()
    if (why === undefined) await measureVeth(rows, args.includes('--long'))
    else rows.push(notMeasured({ id: 'veth', what: 'links between two machines', unit: 'ms', must: undefined, goal: undefined }, why))
    await measureProxy(rows, 0)
    await measureProxy(rows, 0.01)
    return rows
  },
}
