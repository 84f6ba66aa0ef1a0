import { afterAll, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { systemClock } from '../../base/clock.ts'
import { Emitter } from '../../base/emitter.ts'
import { silentLogger } from '../../base/logger.ts'
import { systemRandom } from '../../base/random.ts'
import { RtcLinkSet } from '../../sync/link-set.ts'
import { RendezvousPool } from '../../sync/rendezvous-pool.ts'
import { RendezvousSignaling } from '../../sync/rendezvous-signaling.ts'
import { createTestDevice, type TestDevice, TestMembers } from '../../testkit/test-devices.ts'
import { DatachannelRtc } from './datachannel-rtc.ts'
import { runRendezvous } from './rendezvous-server.ts'
import { openNodeWebSocket } from './rendezvous-socket.ts'

const devices = [createTestDevice(1), createTestDevice(2), createTestDevice(3)]
const SECRET = new Uint8Array(32).fill(7)
const rtc = new DatachannelRtc()
afterAll(() => rtc.release())

function setUp(device: TestDevice, urls: readonly string[], secret = SECRET) {
  const parts = { clock: systemClock, random: systemRandom, logger: silentLogger }
  const pool = new RendezvousPool({ ...parts, openSocket: openNodeWebSocket })
  const uses = urls.map((url) => pool.use(url))
  const signaling = new RendezvousSignaling({
    ...parts,
    signer: device.signer,
    check: new TestMembers(...devices),
    rendezvousSecret: secret,
    pool,
  })
  const set = new RtcLinkSet({
    ...parts,
    signer: device.signer,
    check: new TestMembers(...devices),
    rtc,
    rtcOptions: () => ({ iceServers: [], bindAddress: '127.0.0.1' }),
    onDidChangeNetwork: new Emitter<void>().event,
    onDidChangeMembers: new Emitter<void>().event,
  })
  set.addSignaling(signaling)
  onTestFinished(() => {
    set.dispose()
    signaling.dispose()
    pool.dispose()
  })
  return { set, pool, signaling, uses }
}

const until = async (what: () => boolean): Promise<void> => {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 5))
}

it('[SY63] three devices meet at one rendezvous and are all linked; they stay so when it goes', async () => {
  const rendezvous = await runRendezvous({ port: 0, host: '127.0.0.1', logger: silentLogger })
  const all = devices.map((device) => setUp(device, [`ws://127.0.0.1:${rendezvous.port}`]))
  await until(() => all.every(({ set }) => set.links.size === 2))
  await rendezvous.close()
  await until(() => all.every(({ pool }) => pool.clients.every(({ isConnected }) => !isConnected)))
  const [first, second] = all
  const got: string[] = []
  second?.set.links
    .get(devices[0]?.device as never)
    ?.lane('control')
    .onDidReceive((bytes) => got.push(String(bytes)))
  first?.set.links
    .get(devices[1]?.device as never)
    ?.lane('control')
    .send(Uint8Array.of(1, 2))
  await until(() => got.length === 1)
  expect(got).toEqual(['1,2'])
})

it('[SY63] somebody with another secret sees nobody and is seen by nobody', async () => {
  const rendezvous = await runRendezvous({ port: 0, host: '127.0.0.1', logger: silentLogger })
  onTestFinished(() => rendezvous.close())
  const [a, b, c] = devices as [TestDevice, TestDevice, TestDevice]
  const url = `ws://127.0.0.1:${rendezvous.port}`
  const [setA, setB] = [setUp(a, [url]), setUp(b, [url])]
  const stranger = setUp(c, [url], new Uint8Array(32).fill(8))
  await until(() => setA.set.links.size === 1 && setB.set.links.size === 1 && stranger.pool.clients.every(({ isConnected }) => isConnected))
  expect(stranger.signaling.peers.size).toBe(0)
  expect([...setA.signaling.peers]).toEqual([b.device])
})

it('[SY61] a taken port is told by its code', async () => {
  const first = await runRendezvous({ port: 0, host: '127.0.0.1', logger: silentLogger })
  onTestFinished(() => first.close())
  await expect(runRendezvous({ port: first.port, host: '127.0.0.1', logger: silentLogger })).rejects.toMatchObject({
    code: 'rendezvous/busy-port',
  })
})

it('[SY61] binary and oversized WebSocket messages end that client only', async () => {
  const rendezvous = await runRendezvous({ port: 0, host: '127.0.0.1', logger: silentLogger })
  onTestFinished(() => rendezvous.close())
  const open = async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${rendezvous.port}`)
    socket.on('error', () => {})
    await new Promise((resolve) => socket.once('open', resolve))
    return socket
  }
  const [binary, large, good] = [await open(), await open(), await open()]
  const closed = [binary, large].map((socket) => new Promise((resolve) => socket.once('close', resolve)))
  binary.send(Uint8Array.of(1, 2, 3))
  large.send('x'.repeat(100_000))
  await Promise.all(closed)
  const pong = new Promise<string>((resolve) => good.once('message', (data) => resolve(String(data))))
  good.send('{"t":"ping"}')
  expect(await pong).toBe('{"t":"pong"}')
  good.terminate()
})

it('[SY61] a web page is turned away', async () => {
  const rendezvous = await runRendezvous({ port: 0, host: '127.0.0.1', logger: silentLogger })
  onTestFinished(() => rendezvous.close())
  const page = new WebSocket(`ws://127.0.0.1:${rendezvous.port}`, { origin: 'https://example.org' })
  const refused = new Promise<string>((resolve) => page.once('error', ({ message }) => resolve(message)))
  expect(await refused).toContain('401')
  expect(rendezvous.connections).toBe(0)
})
