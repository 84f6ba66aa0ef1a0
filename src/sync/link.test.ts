import { expect, it } from 'vitest'
import { FakeRtcNetwork } from '../testkit/fake-rtc.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { linkOverFakeRtc } from '../testkit/raw-link.ts'
import { BUSY_FOR_MS } from './link-heartbeat.ts'
import { FrameCutter, MAX_FRAME_BYTES, MAX_MESSAGE_BYTES } from './lane-frame.ts'
import { decodeWire, encodeWire, type WireMessage } from './link-wire.ts'
import { LIVE_WINDOW_BYTES } from './link.ts'

const ticks = () => new Promise((resolve) => setTimeout(resolve, 0))

async function setUp(role: 'knock' | 'door' = 'knock') {
  const clock = new ManualClock()
  const network = new FakeRtcNetwork()
  const raw = await linkOverFakeRtc(network, clock, role)
  await ticks()
  const reasons: string[] = []
  raw.link.onDidClose(({ reason }) => reasons.push(reason))
  const said = () => raw.heardOnWire.map((bytes) => decodeWire(bytes, 'test'))
  const pings = () => said().filter(({ type }) => type === 'ping')
  /** Moves the clock and lets what was sent arrive. */
  const pass = async (ms: number) => {
    clock.advance(ms)
    await ticks()
  }
  const answer = (message: WireMessage) => raw.rawWire(encodeWire(message))
  let answered = 0
  const answerPings = () => {
    const last = pings().at(-1)
    if (last?.type !== 'ping' || last.n === answered) return
    answered = last.n
    answer({ type: 'pong', n: last.n })
  }
  const farFrames = (lane: string) => {
    const frames: Uint8Array[] = []
    const found = [...raw.far.live, ...raw.far.bulk].find(({ name }) => name === lane)
    found?.channel.onDidReceive((frame) => frames.push(frame))
    return frames
  }
  return { ...raw, clock, reasons, said, pings, pass, answer, answerPings, farFrames }
}

it('[SY57] a busy link is asked every second; the third unanswered second ends it', async () => {
  const { pings, pass, answerPings, reasons } = await setUp()
  for (let second = 0; second < 4; second++) {
    answerPings()
    await ticks()
    await pass(1_000)
  }
  expect(pings()).toHaveLength(5)
  await pass(1_000)
  await pass(1_000)
  expect(reasons).toEqual([])
  await pass(1_000)
  expect(reasons).toEqual(['the peer does not answer'])
})

it('[SY57] a quiet link is asked three times a minute, and quickly again once it is used', async () => {
  const { link, pings, pass, answerPings } = await setUp()
  const run = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      answerPings()
      await ticks()
      await pass(1_000)
    }
  }
  await run(BUSY_FOR_MS / 1_000 + 2)
  const before = pings().length
  await run(60)
  expect(pings().length - before).toBe(3)
  link.lane('session').send(Uint8Array.of(1))
  const used = pings().length
  await run(5)
  expect(pings().length - used).toBeGreaterThanOrEqual(4)
})

it('[SY57] the end that was knocked at lets the other ask while the link is quiet, and asks itself when nothing comes', async () => {
  const { pings, pass, answer, answerPings, reasons } = await setUp('door')
  for (let second = 0; second < BUSY_FOR_MS / 1_000 + 2; second++) {
    answerPings()
    await ticks()
    await pass(1_000)
  }
  const before = pings().length
  for (let second = 0; second < 120; second++) {
    if (second % 20 === 0) answer({ type: 'ping', n: second })
    await ticks()
    await pass(1_000)
  }
  expect(pings()).toHaveLength(before)
  for (let second = 0; second < 30; second++) await pass(1_000)
  expect(pings().length).toBeGreaterThan(before)
  expect(reasons).toEqual(['the peer does not answer'])
})

it('[SY57] a process that slept does not take its own sleep for the silence of its peer', async () => {
  const { clock, pass, answerPings, reasons, link } = await setUp()
  answerPings()
  await ticks()
  clock.sleep(60_000)
  await pass(0)
  expect(reasons).toEqual([])
  answerPings()
  await ticks()
  expect(link.stats().roundTripMs).toBeDefined()
})

it('[SY57] a probe asks at once', async () => {
  const { link, pings } = await setUp()
  const before = pings().length
  link.probe()
  await ticks()
  expect(pings().length).toBe(before + 1)
})

it('[SY56] below control no more than the window is in flight until the peer confirms; control passes', async () => {
  const { link, farFrames, answer } = await setUp()
  const session = farFrames('session')
  const control = farFrames('control')
  link.lane('session').send(new Uint8Array(300_000))
  link.lane('control').send(Uint8Array.of(1))
  await ticks()
  const bytes = () => session.reduce((sum, frame) => sum + frame.length, 0)
  const inFlight = bytes()
  expect(inFlight).toBeGreaterThanOrEqual(LIVE_WINDOW_BYTES)
  expect(inFlight).toBeLessThan(LIVE_WINDOW_BYTES + MAX_FRAME_BYTES)
  expect(control).toHaveLength(1)
  expect(link.lane('session').bufferedBytes).toBeGreaterThan(200_000)
  answer({ type: 'ack', connection: 'live', bytes: inFlight })
  await ticks()
  expect(bytes()).toBeGreaterThanOrEqual(2 * LIVE_WINDOW_BYTES)
})

it('[SY56] what is more urgent overtakes what waits', async () => {
  const { link, far, answer } = await setUp()
  const order: string[] = []
  for (const { name, channel } of far.live) channel.onDidReceive(() => order.push(name))
  for (const name of ['ports', 'tty', 'session'] as const) link.lane(name).send(new Uint8Array(100_000))
  await ticks()
  order.length = 0
  for (let confirmed = 65_536; confirmed <= 260_000; confirmed += 16_384) {
    answer({ type: 'ack', connection: 'live', bytes: confirmed })
    await ticks()
  }
  expect(order.filter((name, index) => name !== order[index - 1])).toEqual(['session', 'tty', 'ports'])
})

it('[SY56] onDidDrain tells when the queue of that lane is empty', async () => {
  const { link, answer } = await setUp()
  let drains = 0
  link.lane('tty').onDidDrain(() => drains++)
  link.lane('tty').send(new Uint8Array(100_000))
  await ticks()
  expect(drains).toBe(0)
  answer({ type: 'ack', connection: 'live', bytes: 60_000 })
  await ticks()
  expect({ drains, buffered: link.lane('tty').bufferedBytes }).toEqual({ drains: 1, buffered: 0 })
})

it('[SY58] a peer that confirms what was never sent is closed for it', async () => {
  const { reasons, answer } = await setUp()
  answer({ type: 'ack', connection: 'live', bytes: 5 })
  await ticks()
  expect(reasons[0]).toMatch(/^link\/bad-frame/)
})

it('[SY58] a fault found above closes the link and tells the peer its code', async () => {
  const { link, reasons, said } = await setUp()
  link.closeForFault('sync/bad-envelope', 'an envelope that does not verify')
  await ticks()
  expect(reasons).toEqual(['sync/bad-envelope: an envelope that does not verify'])
  expect(said().at(-1)).toEqual({ type: 'bye', code: 'sync/bad-envelope' })
  expect(() => link.lane('session').send(Uint8Array.of(1))).toThrow(expect.objectContaining({ code: 'link/closed' }))
})

it('[SY58] a message that makes its listener throw ends that link, with the code of what was thrown', async () => {
  const { link, rawLane, reasons } = await setUp()
  link.lane('session').onDidReceive(() => {
    throw Object.assign(new Error('no such document'), { code: 'sync/bad-message' })
  })
  await ticks()
  rawLane(new FrameCutter(Uint8Array.of(1)).next())
  await ticks()
  expect(reasons).toEqual([expect.stringMatching(/^sync\/bad-message: .*no such document/)])
})

it('[SY50] messages wait for the first listener, in order, and reach all listeners from then on', async () => {
  const { link, rawLane } = await setUp()
  rawLane(new FrameCutter(Uint8Array.of(1)).next())
  rawLane(new FrameCutter(Uint8Array.of(2)).next())
  await ticks()
  const heard: number[] = []
  link.lane('session').onDidReceive((bytes) => heard.push(bytes[0] as number))
  rawLane(new FrameCutter(Uint8Array.of(3)).next())
  await ticks()
  expect(heard).toEqual([1, 2, 3])
})

it('[SY55] a message over 64 MiB is refused when sent and closes the link when announced', async () => {
  const { link, rawLane, reasons } = await setUp()
  expect(() => link.lane('files').send(new Uint8Array(MAX_MESSAGE_BYTES + 1))).toThrow(
    expect.objectContaining({ code: 'link/message-too-large' }),
  )
  rawLane(Uint8Array.of(1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0))
  await ticks()
  expect(reasons[0]).toMatch(/^link\/bad-frame: .*at most/)
})

it('[SY59] when the connection ends, lanes and link close with the reason, once', async () => {
  const { link, network, reasons } = await setUp().then((all) => ({ ...all, network: all.far }))
  const lanes: string[] = []
  link.lane('tty').onDidClose(({ reason }) => lanes.push(reason))
  link.dispose()
  link.dispose()
  await ticks()
  expect(reasons).toEqual(['closed here'])
  expect(lanes).toEqual(['closed here'])
  expect(network.wire.isOpen).toBe(true) // the last word leaves before the connection closes
})
