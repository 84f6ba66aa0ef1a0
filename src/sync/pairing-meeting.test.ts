import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../base/clock.ts'
import { silentLogger } from '../base/logger.ts'
import { systemRandom } from '../base/random.ts'
import { FakeRtcNetwork } from '../testkit/fake-rtc.ts'
import { createFakeWebSocketPair } from '../testkit/fake-web-socket.ts'
import { joinPairing, offerPairing, type PairingMeetingOptions } from './pairing-meeting.ts'
import { MAX_PAIRING_MESSAGE_BYTES, type PairingPipe } from './pairing-pipe.ts'
import { RendezvousHub } from './rendezvous-hub.ts'
import { RendezvousPool } from './rendezvous-pool.ts'

const parts = { clock: systemClock, random: systemRandom, logger: silentLogger }

function setUp() {
  const hubs = new Map(['ws://one/', 'ws://two/'].map((url) => [url, new RendezvousHub(parts)]))
  const network = new FakeRtcNetwork()
  const side = (meetingNumber: string): PairingMeetingOptions => {
    const pool = new RendezvousPool({
      ...parts,
      openSocket: async (url) => {
        const { client, server } = createFakeWebSocketPair()
        hubs.get(url)?.accept(server, 'test')
        return client
      },
    })
    onTestFinished(() => pool.dispose())
    for (const url of hubs.keys()) pool.use(url)
    return { ...parts, meetingNumber, pool, rtc: network, rtcOptions: { iceServers: [] } }
  }
  return { side, network }
}

it('[SY64] two devices with one meeting number meet once, whoever comes first; both see the same fingerprints', async () => {
  for (const offersFirst of [true, false]) {
    const { side } = setUp()
    const pipes: PairingPipe[] = []
    const offer = () => offerPairing(side('4217')).onDidMeet((pipe) => pipes.push(pipe))
    if (offersFirst) offer()
    const joining = joinPairing(side('4217'))
    if (!offersFirst) offer()
    const join = await joining
    while (pipes.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    const [offering] = pipes as [PairingPipe]
    expect(join.localFingerprint).toEqual(offering.remoteFingerprint)
    expect(join.remoteFingerprint).toEqual(offering.localFingerprint)
    join.send(new Uint8Array(40_000).fill(3)) // before the other end listens
    await new Promise((resolve) => setTimeout(resolve, 5))
    const heard = await new Promise<Uint8Array>((resolve) => offering.onDidReceive(resolve))
    expect(heard).toEqual(new Uint8Array(40_000).fill(3))
    const closed = new Promise((resolve) => join.onDidClose(resolve))
    offering.dispose()
    await closed
    expect(pipes).toHaveLength(1)
    expect(() => join.send(Uint8Array.of(1))).toThrow(expect.objectContaining({ code: 'link/closed' }))
  }
})

it('[SY64] another number meets nobody, and looking can be given up', async () => {
  const { side } = setUp()
  let met = 0
  offerPairing(side('4217')).onDidMeet(() => met++)
  const giveUp = new AbortController()
  const joining = joinPairing({ ...side('4218'), signal: giveUp.signal })
  await new Promise((resolve) => setTimeout(resolve, 20))
  giveUp.abort(new Error('enough'))
  await expect(joining).rejects.toThrow('enough')
  expect(met).toBe(0)
})

it('[SY64] a message too large for pairing is refused', async () => {
  const { side } = setUp()
  offerPairing(side('1'))
  const join = await joinPairing(side('1'))
  expect(() => join.send(new Uint8Array(MAX_PAIRING_MESSAGE_BYTES + 1))).toThrow(
    expect.objectContaining({ code: 'link/message-too-large' }),
  )
})
