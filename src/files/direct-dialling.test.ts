import { expect, it } from 'vitest'
import { CancelledError } from '../base/errors.ts'
import { silentLogger } from '../base/logger.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MemoryDirectDials } from '../testkit/memory-direct-dials.ts'
import { SeededRandom } from '../testkit/seeded-random.ts'
import { DIAL_MS, DirectDialling, type DirectDiallingOptions } from './direct-dialling.ts'
import type { DirectConnection } from './direct-sockets.ts'
import { type DialCandidate, DIALLED_CONNECTIONS } from './dial-contract.ts'

const turns = async (count = 30) => {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve))
}

interface End {
  readonly dialling: DirectDialling
  readonly connections: DirectConnection[]
}

/** Two ends whose links reach each other; `change` is what a link would do that lies. */
function world(change: { description?: (sdp: string) => string; remote?: string; isMute?: boolean } = {}) {
  const clock = new ManualClock()
  const dials = new MemoryDirectDials()
  const ends: End[] = []
  const told: DialCandidate[][] = []
  const add = (seed: number, other: () => End) => {
    const random = new SeededRandom(seed)
    const connections: DirectConnection[] = []
    const options: DirectDiallingOptions = {
      dials,
      way: { iceServers: [], remote: change.remote ?? '10.0.0.2' },
      clock,
      logger: silentLogger,
      randomBytes: (length) => random.bytes(length),
      opened: () => (connection) => connections.push(connection),
      client: {
        dialDirect: async ({ dial, offers }, { signal } = { signal: new AbortController().signal }) => {
          await turns(1)
          if (change.isMute) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new CancelledError())))
          const { answers } = await other().dialling.answer(dial, offers)
          return answers ? { answers: answers.map(change.description ?? ((sdp) => sdp)) } : {}
        },
        tellCandidates: async ({ dial, list }) => {
          told.push([...list])
          other().dialling.takeCandidates(dial, list)
          return {}
        },
      },
    }
    const end = { dialling: new DirectDialling(options), connections }
    ends.push(end)
    return end
  }
  const a: End = add(1, () => b)
  const b: End = add(2, () => a)
  /** Until nothing more is told. */
  const run = async () => {
    for (let n = 0; n < 4; n++) {
      await turns()
      clock.advance(5)
    }
    await turns()
  }
  return { a, b, clock, dials, told, run }
}

it('[TR12] several connections come about by what the link carries, with as many ends on either side', async () => {
  const { a, b, dials, told, run } = world()
  const dialled = a.dialling.dial()
  await run()
  expect(await dialled).toBe(true)
  expect([a.connections.length, b.connections.length]).toEqual([DIALLED_CONNECTIONS, DIALLED_CONNECTIONS])
  expect(dials.ends).toHaveLength(2 * DIALLED_CONNECTIONS)
  expect(told).toHaveLength(2) // one message of all ways each
})

it('[TR12] of two dials that begin together one goes on', async () => {
  const { a, b, dials, run } = world()
  const both = Promise.all([a.dialling.dial(), b.dialling.dial()])
  await run()
  expect(await both).toEqual([true, true])
  expect([a.connections.length, b.connections.length]).toEqual([DIALLED_CONNECTIONS, DIALLED_CONNECTIONS])
  expect(dials.open).toBe(0)
})

it('[TR12] an end with another certificate than the link told gets nothing', async () => {
  const { a, b, dials, run } = world({ description: (sdp) => sdp.replace('certificate-', 'certificate-1') })
  const dialled = a.dialling.dial()
  await run()
  expect(await dialled).toBe(false)
  expect([a.connections.length, b.connections.length, dials.made.length]).toEqual([0, 0, 0])
})

it('[TR9, TR12] a peer that names another address than its end of the link has no packet sent there', async () => {
  const { a, clock, dials, run } = world({ remote: '10.0.0.3' })
  const dialled = a.dialling.dial()
  await run()
  expect(dials.ends.flatMap(({ taken }) => taken)).toEqual([])
  clock.advance(DIAL_MS)
  expect(await dialled).toBe(false)
  expect(dials.open).toBe(0)
})

it('[TR12] what a description itself says of addresses is not read', async () => {
  const heard: string[] = []
  const { a, b, dials, run } = world()
  const offer = 'v=0\r\na=fingerprint:x\r\na=candidate:1 1 UDP 1 10.0.0.9 22 typ host\r\na=end-of-candidates\r\nm=x\r\n'
  const make = dials.dial.bind(dials)
  dials.dial = async (way) => {
    const end = await make(way)
    end.answer = async (sdp) => (heard.push(sdp), 'answer')
    return end
  }
  await b.dialling.answer('id', [offer])
  await run()
  expect(heard).toEqual(['v=0\r\na=fingerprint:x\r\nm=x\r\n'])
  a.dialling.dispose()
})

it('[TR12] what cannot be read ends that dial, and nothing else', async () => {
  const { a, b, dials, run } = world()
  expect(await b.dialling.answer('id', ['nonsense', 'more'])).toEqual({})
  expect(dials.open).toBe(0)
  b.dialling.takeCandidates('unknown', [{ at: 0, candidate: 'x', mid: '0' }])
  const dialled = a.dialling.dial()
  await run()
  expect(await dialled).toBe(true)
})

it('[TR12] more ways than there can be are not tried, nor those that are none', async () => {
  const { b, dials } = world()
  await b.dialling.answer('id', ['memory 99 x'])
  const way = (n: number) => ({ at: 0, candidate: `candidate:1 1 UDP 1 10.0.0.2 ${n} typ host`, mid: '0' })
  b.dialling.takeCandidates('id', [
    { at: 0, candidate: 'candidate:1 1 UDP 1 name.local 4 typ host', mid: '0' },
    { ...way(1), at: 7 },
  ])
  expect(dials.ends[0]?.taken).toEqual([])
  b.dialling.takeCandidates(
    'id',
    Array.from({ length: 50 }, (_, n) => way(n)),
  )
  expect(dials.ends[0]?.taken).toHaveLength(16)
})

it('[TR12] a dial that the other side lets lie ends after twelve seconds, one that is disposed at once', async () => {
  const { a, b, clock, dials, run } = world()
  await b.dialling.answer('id', ['memory 99 x', 'memory 98 x'])
  expect(dials.open).toBe(2)
  clock.advance(DIAL_MS)
  expect(dials.open).toBe(0)
  void a.dialling.dial()
  await turns(2)
  expect(dials.open).toBeGreaterThan(0)
  a.dialling.dispose()
  b.dialling.dispose()
  await run()
  expect([dials.open, a.connections.length, b.connections.length]).toEqual([0, 0, 0])
})

it('[TR12] a peer that never answers ends a dial after twelve seconds, and the next one is tried', async () => {
  const change = { isMute: true }
  const { a, clock, dials, run } = world(change)
  const ended: boolean[] = []
  void a.dialling.dial().then((met) => ended.push(met))
  await run()
  expect(ended).toEqual([])
  clock.advance(DIAL_MS)
  await run()
  expect(ended).toEqual([false])
  expect(dials.open).toBe(0)
  change.isMute = false
  const again = a.dialling.dial()
  await run()
  expect(await again).toBe(true)
})

it('[TR12] a dial is refused in peace where no connection can be made, and the next one is answered', async () => {
  const { a, b, dials, run } = world()
  const make = dials.dial.bind(dials)
  dials.dial = async () => {
    throw new RangeError('none is left')
  }
  expect(await b.dialling.answer('id', ['memory 99 x'])).toEqual({})
  dials.dial = make
  const again = a.dialling.dial()
  await run()
  expect(await again).toBe(true)
})

it("[TR12] who waits for a peer that does not answer waits for that peer's own dial, and hears when that ended", async () => {
  const { a, b, dials, run } = world({ isMute: true })
  const own = a.dialling.dial()
  await turns()
  const make = dials.dial.bind(dials)
  dials.dial = async (way) => (await turns(2), make(way))
  await a.dialling.answer('', ['memory 99 x']) // of the lower name: that one goes on
  const met: boolean[] = []
  void own.then((is) => met.push(is))
  await run()
  expect(met).toEqual([])
  a.dialling.dispose()
  b.dialling.dispose()
  await run()
  expect(met).toEqual([false])
})
