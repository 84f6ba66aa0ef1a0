import { expect, it } from 'vitest'
import { Emitter } from '../base/emitter.ts'
import { silentLogger } from '../base/logger.ts'
import { systemRandom } from '../base/random.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import type { LanDiscovery, LanFinding } from './lan-discovery.ts'
import { LanMeeting } from './lan-meeting.ts'
import { HOUR_MS, lanTag, pairingLanTag } from './meeting-keys.ts'
import { RendezvousPool } from './rendezvous-pool.ts'
import type { WebSocketLike } from './web-socket-like.ts'

const SECRET = new Uint8Array(32).fill(1)

/** Answers, and says nothing. */
const aSocket = (): WebSocketLike => ({
  send() {},
  bufferedBytes: 0,
  onDidReceive: () => ({ dispose() {} }),
  onDidClose: () => ({ dispose() {} }),
  dispose() {},
})

function setUp(rendezvousSecret: Uint8Array | undefined, answers = false) {
  const clock = new ManualClock(100 * HOUR_MS)
  const found = new Emitter<LanFinding>()
  const announced: { tags: readonly string[]; port: number | undefined }[] = []
  let queries = 0
  const lan: LanDiscovery = {
    announce: (tags, port) => announced.push({ tags, port }),
    query: () => queries++,
    onDidFind: found.event,
    dispose() {},
  }
  const parts = { clock, random: systemRandom, logger: silentLogger }
  const pool = new RendezvousPool({ ...parts, openSocket: () => (answers ? Promise.resolve(aSocket()) : new Promise(() => {})) })
  const meeting = new LanMeeting({ lan, pool, rendezvousSecret, ownPort: 4000, clock, logger: silentLogger })
  const urls = () => pool.clients.map(({ url }) => url)
  return { clock, found, announced, pool, meeting, urls, queries: () => queries }
}

it("[SY65] announces the hour's tag and its port, and another tag in another hour", () => {
  const { clock, announced } = setUp(SECRET)
  expect(announced.at(-1)).toEqual({ tags: [lanTag(SECRET, 100)], port: 4000 })
  clock.advance(HOUR_MS)
  expect(announced.at(-1)?.tags).toEqual([lanTag(SECRET, 101)])
})

it('[SY65] uses what carries our tag of this hour or one beside it, once, and nothing else', () => {
  const { found, urls, meeting, announced } = setUp(SECRET)
  found.fire({ tag: lanTag(SECRET, 101), url: 'ws://10.0.0.2:5/' })
  found.fire({ tag: lanTag(SECRET, 101), url: 'ws://10.0.0.2:5/' })
  found.fire({ tag: lanTag(SECRET, 103), url: 'ws://10.0.0.3:5/' })
  found.fire({ tag: lanTag(new Uint8Array(32), 100), url: 'ws://10.0.0.4:5/' })
  found.fire({ tag: lanTag(SECRET, 100), url: 'nonsense of somebody' })
  expect(urls()).toEqual(['ws://10.0.0.2:5/'])
  meeting.dispose()
  expect(urls()).toEqual([])
  expect(announced.at(-1)).toEqual({ tags: [], port: undefined })
})

it.each(['127.0.0.1', '127.9.9.9', '0.0.0.0', '169.254.169.254', '224.0.0.1', '255.255.255.255', 'localhost', '[::1]'])(
  '[SY65] who says our tag cannot lead us to %s',
  (address) => {
    const { found, urls } = setUp(SECRET)
    found.fire({ tag: lanTag(SECRET, 100), url: `ws://${address}:8080/` })
    expect(urls()).toEqual([])
  },
)

it('[SY65] who floods the LAN with our tags gets eight places', () => {
  const { found, urls } = setUp(SECRET)
  for (let i = 0; i < 50; i++) found.fire({ tag: lanTag(SECRET, 100), url: `ws://10.0.0.${i}:5/` })
  expect(urls()).toHaveLength(8)
})

it('[SY65] places of rendezvous that were left behind are given to those that are here', () => {
  const { found, urls, clock } = setUp(SECRET)
  for (let i = 0; i < 8; i++) found.fire({ tag: lanTag(SECRET, 100), url: `ws://10.0.${i}.1:5/` }) // a laptop that has been about
  clock.advance(60_000)
  found.fire({ tag: lanTag(SECRET, 100), url: 'ws://192.168.1.2:5/' })
  expect(urls()).toHaveLength(8)
  expect(urls()).toContain('ws://192.168.1.2:5/')
})

it('[SY65] one machine gets two places, whatever ports it names', () => {
  const { found, urls } = setUp(SECRET)
  for (let port = 1; port < 50; port++) found.fire({ tag: lanTag(SECRET, 100), url: `ws://10.0.0.66:${port}/` })
  expect(urls()).toEqual(['ws://10.0.0.66:1/', 'ws://10.0.0.66:2/'])
  found.fire({ tag: lanTag(SECRET, 100), url: 'ws://10.0.0.2:5/' })
  expect(urls()).toContain('ws://10.0.0.2:5/')
})

it('[SY65] eight hostile addresses that answer keep the real one out for one turn, not longer', async () => {
  const { found, urls, clock, pool } = setUp(SECRET, true)
  const flood = () => {
    for (let i = 1; i <= 8; i++) found.fire({ tag: lanTag(SECRET, 100), url: `ws://10.6.6.${i}:5/` })
  }
  const real = { tag: lanTag(SECRET, 100), url: 'ws://10.0.0.2:5/' }
  flood()
  await expect.poll(() => pool.clients.every(({ isConnected }) => isConnected)).toBe(true)
  found.fire(real)
  expect(urls()).not.toContain(real.url)
  clock.advance(60_000)
  flood()
  found.fire(real)
  expect(urls()).toHaveLength(8)
  expect(urls()).toContain(real.url)
})

it('[SY64] a device without a workspace announces and finds a meeting number while pairing only', () => {
  const { found, urls, meeting, announced } = setUp(undefined)
  const offering = meeting.pair('4217', 'offer')
  expect(announced.at(-1)?.tags).toContain(pairingLanTag('4217'))
  offering.dispose()
  expect(announced.at(-1)?.tags).not.toContain(pairingLanTag('4217'))
  found.fire({ tag: pairingLanTag('4217'), url: 'ws://10.0.0.2:5/' })
  expect(urls()).toEqual([])
  const joining = meeting.pair('4217', 'join')
  found.fire({ tag: pairingLanTag('4217'), url: 'ws://10.0.0.2:5/' })
  expect(urls()).toEqual(['ws://10.0.0.2:5/'])
  expect(announced.at(-1)?.tags).not.toContain(pairingLanTag('4217'))
  joining.dispose()
})

it('[SY65] a pairing that goes on is still announced, and looked for, when the secrets of the workspace change', () => {
  const { meeting, announced, found, urls } = setUp(SECRET)
  meeting.pair('4711', 'offer')
  meeting.pair('0815', 'join')
  found.fire({ tag: lanTag(SECRET, 100), url: 'ws://10.0.0.2:5/' })
  const other = new Uint8Array(32).fill(2)
  meeting.take({ rendezvousSecret: other })
  expect(announced.at(-1)?.tags).toEqual([lanTag(other, 100), pairingLanTag('4711')])
  expect(urls()).toEqual([]) // found by what is no longer ours
  found.fire({ tag: pairingLanTag('0815'), url: 'ws://10.0.0.3:5/' })
  meeting.take({ rendezvousSecret: SECRET, otherSecrets: [other] })
  expect(urls()).toEqual(['ws://10.0.0.3:5/'])
  expect(announced.at(-1)?.tags).toEqual([lanTag(SECRET, 100), pairingLanTag('4711')])
})
