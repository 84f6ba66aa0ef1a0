import { describe, expect, it } from 'vitest'
import { concatBytes, equalBytes } from '../base/bytes.ts'
import { systemClock } from '../base/clock.ts'
import { errorCode } from '../base/errors.ts'
import { silentLogger } from '../base/logger.ts'
import { systemRandom } from '../base/random.ts'
import { FakeRtcNetwork } from '../testkit/fake-rtc.ts'
import { createFakeWebSocketPair } from '../testkit/fake-web-socket.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { linkOverFakeRtc } from '../testkit/raw-link.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import { FrameCutter, FrameJoiner, MAX_FRAME_BYTES } from './lane-frame.ts'
import { encodeRepeat } from './lane-repeats.ts'
import { LIVE_LANES } from './link-channels.ts'
import { decodeWire, encodeWire, type WireMessage } from './link-wire.ts'
import { RendezvousHub } from './rendezvous-hub.ts'
import { decodeNote, encodeNote, type SignalNote } from './signal-note.ts'

const seed = seedOfRun()
/** At full length, on a busy machine. */
const LIMITS = { timeout: 600_000 }
const ticks = () => new Promise((resolve) => setTimeout(resolve, 0))

const WIRE: readonly WireMessage[] = [
  { type: 'hello', min: 1, max: 3, nonce: new Uint8Array(32).fill(1) },
  { type: 'proof', device: new Uint8Array(32).fill(2), signature: new Uint8Array(64).fill(3) },
  { type: 'ready' },
  { type: 'ping', n: 300 },
  { type: 'pong', n: 7 },
  { type: 'ack', connection: 'bulk', bytes: 1e9 },
  { type: 'note', bytes: Uint8Array.of(1, 2, 3) },
  { type: 'meet', urls: ['ws://10.0.0.1:4000/', 'wss://example.org/'] },
  { type: 'bye', code: 'link/closed' },
]

/** Changes, cuts, lengthens or makes up bytes. */
function mutate(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  switch (random.below(5)) {
    case 0:
      return copy.subarray(0, random.below(copy.length + 1))
    case 1:
      return concatBytes(copy, random.bytes(1 + random.below(8)))
    case 2:
      return random.bytes(random.below(64))
    default:
      for (let i = 0; i <= random.below(3); i++) if (copy.length > 0) copy[random.below(copy.length)] = random.below(256)
      return copy
  }
}

/** Every byte string is either one of our messages, word for word, or refused with a code. @returns how many were refused */
function checkDecoder(decode: (bytes: Uint8Array) => WireMessage, rounds: number): number {
  const random = new SeededRandom(seed)
  let refused = 0
  for (let round = 0; round < rounds; round++) {
    const bytes = mutate(random, encodeWire(random.pick(WIRE)))
    let message: WireMessage
    try {
      message = decode(bytes)
    } catch (error) {
      // Asked before it is asserted: an `expect` for each of thousands of rounds costs more than what it checks.
      if (errorCode(error) !== 'link/bad-frame') expect(errorCode(error), `seed ${seed}, round ${round}`).toBe('link/bad-frame')
      refused++
      continue
    }
    // Longer ways to write a number are the only freedom: what was read must read the same when written again.
    const again = encodeWire(message)
    const slack = bytes.length - again.length
    expect(decode(again), `seed ${seed}, round ${round}`).toEqual(message)
    if (slack < 0 || slack > SLACK_BYTES) expect.fail(`seed ${seed}, round ${round}: ${slack} bytes shorter when written again`)
  }
  return refused
}

/** A varuint may be written with up to this many zero groups too many in the mutations above. */
const SLACK_BYTES = 3

describe(`[SY58] fuzz, seed ${seed}`, LIMITS, () => {
  it('whatever is said on channel 0 is one of ours or refused with a code', () => {
    const rounds = roundsOfRun(20_000, 300_000)
    expect(checkDecoder((bytes) => decodeWire(bytes, 'peer'), rounds)).toBeGreaterThan(rounds / 4)
  })

  it('the fuzz finds a planted mistake: bytes left over are ignored', () => {
    const careless = (bytes: Uint8Array): WireMessage => {
      for (let end = bytes.length; end > 0; end--) {
        try {
          return decodeWire(bytes.subarray(0, end), 'peer')
        } catch (error) {
          if (end === 1) throw error
        }
      }
      return decodeWire(bytes, 'peer')
    }
    expect(() => checkDecoder(careless, 20_000)).toThrow()
  })

  it('whatever comes on a lane closes that link with a code, or is a whole message; another link goes on', async () => {
    const random = new SeededRandom(seed)
    const rounds = roundsOfRun(150, 3_000)
    let closed = 0
    // Its clock stands still: on a busy machine the rounds take longer than a link waits for a sign of life.
    const bystander = await linkOverFakeRtc(new FakeRtcNetwork(), new ManualClock())
    for (let round = 0; round < rounds; round++) {
      const { link, rawWire, rawLane, rawAgain, dispose } = await linkOverFakeRtc()
      const reasons: string[] = []
      link.onDidClose(({ reason }) => reasons.push(reason))
      for (let i = 0; i < 5; i++) {
        if (random.chance(0.2))
          rawAgain(mutate(random, encodeRepeat({ lane: random.pick(LIVE_LANES), index: random.below(9), message: random.bytes(9) })))
        else if (random.chance(0.5)) rawWire(mutate(random, encodeWire(random.pick(WIRE))))
        else rawLane(mutate(random, new FrameCutter(random.bytes(random.below(100))).next()))
      }
      await ticks()
      for (const reason of reasons) expect(reason, `seed ${seed}, round ${round}`).toMatch(/^link\/|^the peer closed the link/)
      closed += reasons.length
      dispose()
    }
    const heard: Uint8Array[] = []
    bystander.link.lane('session').onDidReceive((bytes) => heard.push(bytes))
    bystander.rawLane(new FrameCutter(Uint8Array.of(5)).next())
    await ticks()
    expect(heard).toEqual([Uint8Array.of(5)])
    expect(closed).toBeGreaterThan(rounds / 2)
    bystander.dispose()
  })

  it('frames of any message, cut by us, are joined to the same message; a changed frame never makes more than was announced', () => {
    const random = new SeededRandom(seed)
    for (let round = 0; round < roundsOfRun(300, 5_000); round++) {
      const message = random.bytes(random.below(3 * MAX_FRAME_BYTES))
      const cutter = new FrameCutter(message)
      const joiner = new FrameJoiner('peer', 'files')
      let whole: Uint8Array | undefined
      while (!cutter.isDone) whole = joiner.add(cutter.next())
      expect(whole !== undefined && equalBytes(whole, message), `seed ${seed}, round ${round}`).toBe(true)
      const limited = new FrameJoiner('peer', 'files', 1_000)
      try {
        for (let i = 0; i < 10; i++) {
          const joined = limited.add(mutate(random, new FrameCutter(random.bytes(random.below(2_000))).next()))
          expect(joined?.length ?? 0, `seed ${seed}, round ${round}`).toBeLessThanOrEqual(1_000)
        }
      } catch (error) {
        expect(errorCode(error), `seed ${seed}, round ${round}`).toBe('link/bad-frame')
      }
    }
  })

  it('a note is one of ours or refused', () => {
    const random = new SeededRandom(seed)
    const note: SignalNote = { kind: 'candidates', attempt: 'a'.repeat(32), list: [{ on: 'live', candidate: 'candidate:1', mid: '0' }] }
    let read = 0
    const wrong: string[] = []
    for (let round = 0; round < roundsOfRun(5_000, 200_000); round++) {
      try {
        const decoded = decodeNote(mutate(random, encodeNote(note)))
        if (!/^[0-9a-f]{32}$/.test(decoded.attempt)) wrong.push(`round ${round}: read ${decoded.attempt}`)
        read++
      } catch (error) {
        if (errorCode(error) !== 'link/bad-hello') wrong.push(`round ${round}: ${String(error)}`)
      }
    }
    expect({ seed, wrong: wrong.slice(0, 5) }).toEqual({ seed, wrong: [] })
    expect(read).toBeGreaterThan(0)
  })
})

/** A well-behaved pair keeps talking while others say anything at all. @returns what the pair could not say */
async function checkHub(createHub: () => RendezvousHub, rounds: number): Promise<number> {
  const random = new SeededRandom(seed)
  const topic = 'G'.repeat(43)
  let lost = 0
  for (let round = 0; round < rounds; round++) {
    const hub = createHub()
    const connect = (source: string) => {
      const { client, server } = createFakeWebSocketPair()
      hub.accept(server, source)
      return client
    }
    const [one, two, bad] = [connect('1'), connect('2'), connect('3')]
    for (const socket of [one, two]) socket.send(JSON.stringify({ t: 'join', topic }))
    const valid = ['{"t":"ping"}', JSON.stringify({ t: 'join', topic }), JSON.stringify({ t: 'send', topic, data: 'AAAA' })]
    for (let i = 0; i < 6; i++) bad.send(String.fromCharCode(...mutate(random, new TextEncoder().encode(random.pick(valid)))))
    one.send(JSON.stringify({ t: 'send', topic, data: 'sentinel' }))
    await ticks()
    if (!two.log.some((text) => text.includes('"sentinel"'))) lost++
    hub.dispose()
  }
  return lost
}

describe(`[SY61] fuzz of a rendezvous, seed ${seed}`, LIMITS, () => {
  const parts = { clock: systemClock, random: systemRandom, logger: silentLogger }

  it('whatever one client says, the others go on', async () => {
    expect(await checkHub(() => new RendezvousHub(parts), roundsOfRun(300, 10_000))).toBe(0)
  })

  it('the fuzz finds a planted mistake: a bad message ends the whole hub', async () => {
    const create = () => {
      const hub: RendezvousHub = new RendezvousHub({ ...parts, logger: { ...silentLogger, debug: () => hub.dispose() } })
      return hub
    }
    expect(await checkHub(create, 50)).toBeGreaterThan(0)
  })
})
