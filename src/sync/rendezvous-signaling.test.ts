import { expect, it, onTestFinished } from 'vitest'
import { silentLogger } from '../base/logger.ts'
import { systemRandom } from '../base/random.ts'
import type { DeviceId } from '../base/ids.ts'
import { createFakeWebSocketPair } from '../testkit/fake-web-socket.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { createTestDevice, TestMembers } from '../testkit/test-devices.ts'
import { DAY_MS, HOUR_MS, workspaceMeeting } from './meeting-keys.ts'
import { RendezvousHub } from './rendezvous-hub.ts'
import { RendezvousPool } from './rendezvous-pool.ts'
import { RendezvousSignaling } from './rendezvous-signaling.ts'
import { SealedTopic } from './sealed-topic.ts'
import type { SignalNote } from './signal-note.ts'

const SECRET = new Uint8Array(32).fill(3)
const devices = [createTestDevice(1), createTestDevice(2)]
const [A, B] = devices.map(({ device }) => device) as [DeviceId, DeviceId]
const NOTE: SignalNote = { kind: 'candidates', attempt: 'a'.repeat(32), list: [] }

function setUp() {
  const clock = new ManualClock(20_000.5 * DAY_MS)
  const parts = { clock, random: systemRandom, logger: silentLogger }
  const hub = new RendezvousHub(parts)
  const seenByHub: string[] = []
  const createPool = () => {
    const pool = new RendezvousPool({
      ...parts,
      openSocket: async () => {
        const { client, server } = createFakeWebSocketPair()
        hub.accept(server, String(Math.random()))
        server.onDidReceive((text) => seenByHub.push(text))
        return client
      },
    })
    onTestFinished(() => pool.dispose())
    pool.use('ws://x')
    return pool
  }
  const join = (self: DeviceId, isMember: (device: DeviceId) => boolean = () => true) => {
    const pool = createPool()
    const signer = devices.find(({ device }) => device === self)?.signer ?? { device: self, sign: () => new Uint8Array(64) }
    const check = Object.assign(new TestMembers(), { isMember })
    const signaling = new RendezvousSignaling({ signer, check, rendezvousSecret: SECRET, pool, clock, random: systemRandom })
    return { signaling, pool }
  }
  return { clock, seenByHub, join, createPool }
}

const until = async (what: () => boolean): Promise<void> => {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 1))
}

it('[SY63] two devices see each other once, and notes reach the one they are for; the rendezvous reads nothing', async () => {
  const { join, seenByHub } = setUp()
  const [a, b] = [join(A).signaling, join(B).signaling]
  const seen: DeviceId[] = []
  a.onDidSeePeer((peer) => seen.push(peer))
  await until(() => a.peers.has(B) && b.peers.has(A))
  const got: unknown[] = []
  b.onDidReceive((received) => got.push(received))
  expect(a.send(B, NOTE)).toBe(true)
  await until(() => got.length > 0)
  expect(got).toEqual([{ from: A, note: NOTE }])
  expect(seen).toEqual([B])
  for (const text of seenByHub) for (const secret of [A, B, NOTE.attempt]) expect(text).not.toContain(secret)
})

it('[SY63] who leaves cannot be reached any more', async () => {
  const { join } = setUp()
  const [a, b] = [join(A), join(B)]
  await until(() => a.signaling.peers.has(B))
  b.pool.dispose()
  await until(() => !a.signaling.peers.has(B))
  expect(a.signaling.send(B, NOTE)).toBe(false)
})

it('[SY63] devices that stay up for days still meet those that come later', async () => {
  const { join, clock } = setUp()
  const early = join(A).signaling
  for (let hour = 0; hour < 72; hour++) {
    clock.advance(HOUR_MS)
    await new Promise((resolve) => setTimeout(resolve, 0))
  }
  const late = join(B).signaling
  await until(() => {
    clock.advance(1_000)
    return early.peers.has(B) && late.peers.has(A)
  })
})

it('[SY63] somebody removed who still knows the secret cannot crowd out members, nor say anything else that counts', async () => {
  const { join, createPool, clock } = setUp()
  const a = join(A, (device) => device === B).signaling
  const keys = workspaceMeeting(SECRET, Math.floor(clock.nowMs() / DAY_MS))
  for (let part = 0; part < 3; part++) {
    const crowd = new SealedTopic(createPool().clients[0] as never, keys, systemRandom)
    const joined = new Promise<void>((resolve) => crowd.onDidJoin(resolve))
    await joined
    for (const text of ['{"kind":"here"}', '[]', 'not json', '{"kind":"note","from":"x","to":"y","note":{}}']) crowd.send(text)
    for (let i = 0; i < 100; i++) {
      crowd.send(JSON.stringify({ kind: 'here', from: createTestDevice(10 + part * 100 + i).device, isAnswer: true }))
    }
    await until(() => a.peers.size >= Math.min(256, (part + 1) * 100))
  }
  expect(a.peers.size).toBe(256)
  join(B)
  await until(() => a.peers.has(B))
})

it('[SY68] two processes with one key find each other; a name alone and our own echo mean nothing', async () => {
  const { join, createPool, clock } = setUp()
  const twins = (signaling: RendezvousSignaling) => {
    const told: string[] = []
    signaling.onDidMeetTwin(() => told.push('twin'))
    return told
  }
  const one = join(A)
  const told = twins(one.signaling)
  one.pool.use('ws://the-same-by-another-way') // we hear ourselves
  await until(() => one.pool.clients.every(({ isConnected }) => isConnected))
  // Whoever holds the secret can say our name, and answer with anything but our signature.
  const day = workspaceMeeting(SECRET, Math.floor(clock.nowMs() / DAY_MS))
  const pool = createPool()
  const liar = new SealedTopic(pool.clients[0] as never, day, systemRandom)
  const asked: string[] = []
  liar.onDidReceive(({ text, from }) => {
    const letter = JSON.parse(text)
    if (letter.kind !== 'twin-asked') return
    asked.push(letter.nonce)
    const sig = Buffer.alloc(64, 7).toString('base64url')
    liar.send(JSON.stringify({ kind: 'twin-here', from: A, nonce: letter.nonce, sig }), from)
    liar.send(JSON.stringify({ kind: 'twin-asked', from: A, nonce: letter.nonce }), from) // sign it for me
  })
  liar.onDidJoin(() => liar.send(JSON.stringify({ kind: 'here', from: A, isAnswer: false })))
  await until(() => asked.length > 0)
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setTimeout(resolve, 1))
  expect(told).toEqual([])

  const other = twins(join(A).signaling)
  await until(() => {
    clock.advance(100)
    return told.length > 0 && other.length > 0
  })
  expect([told, other]).toEqual([['twin'], ['twin']])
})
