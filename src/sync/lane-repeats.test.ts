import { expect, it } from 'vitest'
import { FakeRtcNetwork } from '../testkit/fake-rtc.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { linkOverFakeRtc } from '../testkit/raw-link.ts'
import { SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import { FrameCutter } from './lane-frame.ts'
import { decodeRepeats, encodeRepeat, MAX_AHEAD, MAX_REPEATED_BYTES, MAX_REPEATS_BYTES, REPEAT_AFTER_MS } from './lane-repeats.ts'

const ticks = () => new Promise((resolve) => setTimeout(resolve, 0))

async function setUp(version?: number) {
  const clock = new ManualClock()
  const raw = await linkOverFakeRtc(new FakeRtcNetwork(), clock, 'knock', version)
  const again: Uint8Array[] = []
  raw.far.again.onDidReceive((packet) => again.push(packet))
  const heard: number[] = []
  raw.link.lane('session').onDidReceive((bytes) => heard.push(bytes[0] as number))
  await ticks()
  const pass = async (ms: number) => {
    clock.advance(ms)
    await ticks()
  }
  const lane = async (n: number) => {
    raw.rawLane(new FrameCutter(Uint8Array.of(n)).next())
    await ticks()
  }
  const repeat = async (index: number) => {
    raw.rawAgain(encodeRepeat({ lane: 'session', index, message: Uint8Array.of(index) }))
    await ticks()
  }
  return { ...raw, clock, again, heard, pass, lane, repeat }
}

it('[SY67] small messages of the live lanes are said again after 15 ms, together', async () => {
  const { link, again, pass } = await setUp()
  link.lane('session').send(Uint8Array.of(1, 2))
  link.lane('tty').send(Uint8Array.of(3))
  link.lane('session').send(new Uint8Array(MAX_REPEATED_BYTES + 1))
  link.lane('files').send(Uint8Array.of(9))
  link.lane('session').send(Uint8Array.of(4))
  await pass(REPEAT_AFTER_MS - 1)
  expect(again).toEqual([])
  await pass(1)
  expect(again.map((packet) => decodeRepeats(packet, 'test'))).toEqual([
    [
      { lane: 'session', index: 0, message: Uint8Array.of(1, 2) },
      { lane: 'tty', index: 0, message: Uint8Array.of(3) },
      { lane: 'session', index: 2, message: Uint8Array.of(4) },
    ],
  ])
  await pass(1_000)
  expect(again).toHaveLength(1)
})

it('[SY67] of a flood no more is said again than three packets each time, and nothing of what has to wait', async () => {
  const { link, again, pass } = await setUp()
  for (let n = 0; n < 40; n++) link.lane('session').send(new Uint8Array(MAX_REPEATED_BYTES))
  await ticks()
  await pass(REPEAT_AFTER_MS)
  expect(again).toHaveLength(3)
  expect(again.every(({ length }) => length <= MAX_REPEATS_BYTES)).toBe(true)
  link.lane('session').send(new Uint8Array(100_000)) // fills the window
  link.lane('session').send(Uint8Array.of(1))
  await ticks()
  await pass(REPEAT_AFTER_MS)
  expect(again).toHaveLength(3)
})

it('[SY67] a peer that speaks version 1 gets none, and its own are not looked at', async () => {
  const { link, again, pass, repeat, heard } = await setUp(1)
  link.lane('session').send(Uint8Array.of(1))
  await pass(100)
  await repeat(0)
  expect({ again, heard }).toEqual({ again: [], heard: [] })
})

it('[SY67] a repeat that comes first is handed on, what the stream brings later is not, and order holds', async () => {
  const { heard, lane, repeat } = await setUp()
  await repeat(0)
  await repeat(2)
  expect(heard).toEqual([0])
  await repeat(1)
  expect(heard).toEqual([0, 1, 2])
  for (const n of [0, 1, 2, 3]) await lane(n)
  await repeat(3)
  expect(heard).toEqual([0, 1, 2, 3])
})

it('[SY67] a repeat far ahead is left to the stream', async () => {
  const { heard, lane, repeat } = await setUp()
  await repeat(MAX_AHEAD + 1)
  for (let n = 0; n <= MAX_AHEAD; n++) await lane(n % 256)
  expect(heard).toHaveLength(MAX_AHEAD + 1)
})

it('[SY58] what is no packet of repeats closes the link with a code', async () => {
  const { link, rawAgain } = await setUp()
  const reasons: string[] = []
  link.onDidClose(({ reason }) => reasons.push(reason))
  rawAgain(Uint8Array.of(7, 0, 0))
  await ticks()
  expect(reasons).toEqual([expect.stringMatching(/^link\/bad-frame/)])
})

const seed = seedOfRun()
it(`[SY67] whatever is lost, late and doubled: every message once, in order, seed ${seed}`, async () => {
  const random = new SeededRandom(seed)
  const { heard, rawLane, rawAgain } = await setUp()
  const total = 250
  // The stream brings all in order; repeats come at any time, some of them never, some before, some twice.
  const repeats = Array.from({ length: total }, (_, index) => index).flatMap((index) =>
    random.chance(0.3)
      ? []
      : [index, ...(random.chance(0.2) ? [index] : [])].map((n) => ({ n, at: Math.max(0, n + random.below(21) - 15) })),
  )
  for (let n = 0; n < total; n++) {
    for (const one of repeats.filter(({ at }) => at === n))
      rawAgain(encodeRepeat({ lane: 'session', index: one.n, message: Uint8Array.of(one.n) }))
    rawLane(new FrameCutter(Uint8Array.of(n)).next())
  }
  await ticks()
  expect(heard).toEqual(Array.from({ length: total }, (_, n) => n))
})
