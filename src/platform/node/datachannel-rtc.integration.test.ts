import { afterAll, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../base/clock.ts'
import { Emitter } from '../../base/emitter.ts'
import { type Logger, silentLogger } from '../../base/logger.ts'
import { systemRandom } from '../../base/random.ts'
import type { Link } from '../../sync/lane.ts'
import { RtcLinkSet } from '../../sync/link-set.ts'
import type { Signaling } from '../../sync/signal-note.ts'
import { Eavesdropper } from '../../testkit/eavesdropper.ts'
import { MemorySignaling } from '../../testkit/memory-signaling.ts'
import { createTestDevice, type TestDevice, TestMembers } from '../../testkit/test-devices.ts'
import { DatachannelRtc } from './datachannel-rtc.ts'

const A = createTestDevice(1)
const B = createTestDevice(2)

const rtc = new DatachannelRtc()
afterAll(() => rtc.release())

function setUp(device: TestDevice, signaling: Signaling, logger: Logger = silentLogger) {
  const set = new RtcLinkSet({
    signer: device.signer,
    check: new TestMembers(A, B),
    rtc,
    rtcOptions: () => ({ iceServers: [], bindAddress: '127.0.0.1' }),
    clock: systemClock,
    random: systemRandom,
    logger,
    onDidChangeNetwork: new Emitter<void>().event,
    onDidChangeMembers: new Emitter<void>().event,
  })
  set.addSignaling(signaling)
  onTestFinished(() => set.dispose())
  return set
}

const linked = (set: RtcLinkSet): Promise<Link> => new Promise((resolve) => set.onDidLink(resolve))

async function linkedPair() {
  const signaling = new MemorySignaling()
  const [a, b] = [setUp(A, signaling.join(A.device)), setUp(B, signaling.join(B.device))]
  const [linkA, linkB] = await Promise.all([linked(a), linked(b)])
  return { a, b, linkA, linkB }
}

it('[SY54] over real WebRTC: every lane carries messages of every size, in order', async () => {
  const { linkA, linkB } = await linkedPair()
  for (const name of ['control', 'session', 'tty', 'ports', 'jobs', 'files'] as const) {
    const got: Uint8Array[] = []
    linkB.lane(name).onDidReceive((bytes) => got.push(bytes))
    const sizes = [1, 0, 16_384, 16_385, 1_000_000, 3]
    for (const [index, size] of sizes.entries()) linkA.lane(name).send(new Uint8Array(size).fill(index))
    while (got.length < sizes.length) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(got.map(({ length }) => length)).toEqual(sizes)
    expect(got.every((bytes, index) => bytes.every((byte) => byte === index))).toBe(true)
  }
  const stats = linkA.stats()
  expect(stats).toMatchObject({ path: expect.stringMatching(/^(host|prflx)$/), localAddress: expect.stringContaining('127.0.0.1') })
  expect(stats.lanes.files.sentBytes).toBe(1_032_773)
})

it('[SY57] an end that closes is noticed by the other, which links again', async () => {
  const { b, linkA, linkB } = await linkedPair()
  const again = linked(b)
  const closed = new Promise<string>((resolve) => linkB.onDidClose(({ reason }) => resolve(reason)))
  linkA.dispose()
  expect(await closed).toContain('link/closed')
  await again
})

it('[SY52] somebody in the middle who ends DTLS on both sides and passes every byte on is found out by the proof', async () => {
  const eavesdropper = new Eavesdropper(rtc, { iceServers: [], bindAddress: '127.0.0.1' })
  onTestFinished(() => eavesdropper.dispose())
  const codes: unknown[] = []
  let tell = () => {}
  const told = new Promise<void>((resolve) => {
    tell = resolve
  })
  const logger: Logger = {
    ...silentLogger,
    warn(_message, details) {
      codes.push(details?.code)
      if (details?.code === 'link/refused') tell()
    },
  }
  const [a, b] = [
    setUp(A, eavesdropper.signalingFor(A.device, B.device), logger),
    setUp(B, eavesdropper.signalingFor(B.device, A.device), logger),
  ]
  await told
  expect(codes[0]).toBe('link/refused')
  expect(a.links.size + b.links.size).toBe(0)
  // It did get between them: both hellos and the knock's proof (since link version 3 with what the knocker knows of who belongs: a hash and a count) went through its hands. Nothing of the door's, nothing on a lane.
  expect(eavesdropper.overheard).toEqual(['0: 39 bytes', '0: 39 bytes', '0: 137 bytes'])
})
