import { afterEach, expect, it } from 'vitest'
import { fromBase64Url, toBase64Url } from '../base/bytes.ts'
import { DisposableStore } from '../base/disposable.ts'
import { silentLogger } from '../base/logger.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MemoryDirectDials } from '../testkit/memory-direct-dials.ts'
import { MemoryDirectSockets } from '../testkit/memory-direct-sockets.ts'
import { SeededRandom } from '../testkit/seeded-random.ts'
import { DirectMeeting, type DirectMeetingOptions } from './direct-meeting.ts'
import type { DirectKey } from './direct-sockets.ts'
import { DIRECT_CONNECTIONS, type DirectOffer } from './direct-contract.ts'
import { DirectPath } from './direct-path.ts'

const turns = async (count = 20) => {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve))
}
const closed = new RpcError('rpc/closed', 'the link ended')

let owned = new DisposableStore()
afterEach(() => {
  owned.dispose()
  owned = new DisposableStore()
})

interface Says {
  offerDirect?: () => Promise<{ offer?: DirectOffer }>
  connectDirect?: (offer: DirectOffer) => Promise<boolean>
}

/** One end, and the machine of another whose words are the test's own. */
function world(changes: Partial<DirectMeetingOptions<DirectPath>> = {}, says: Says = {}) {
  const random = new SeededRandom(5)
  const clock = new ManualClock()
  const sockets = new MemoryDirectSockets()
  const asked: string[] = []
  const randomBytes = (length: number) => random.bytes(length)
  const answer = async () => ({ more: [], frame: async () => new Uint8Array(1) })
  const meeting = owned.add(
    new DirectMeeting({
      sockets,
      clock,
      logger: silentLogger,
      count: DIRECT_CONNECTIONS,
      open: () => new DirectPath({ clock, logger: silentLogger, answer, probe: async () => {} }),
      address: '10.0.0.1',
      remote: '10.0.0.2',
      randomBytes,
      client: {
        offerDirect: async () => {
          asked.push('offerDirect')
          return (await says.offerDirect?.()) ?? {}
        },
        connectDirect: async (input) => {
          asked.push('connectDirect')
          return { isConnected: (await says.connectDirect?.(input.offer)) ?? false }
        },
      },
      ...changes,
    }),
  )
  /** What the peer says it listens at. */
  const offer = async (address: string) => {
    const keys = Array.from({ length: DIRECT_CONNECTIONS }, (): DirectKey => {
      return { identity: toBase64Url(randomBytes(16)), key: randomBytes(32) }
    })
    const { port } = await sockets.listen(address, keys)
    return { address, port, keys: keys.map(({ identity, key }) => ({ identity, key: toBase64Url(key) })) }
  }
  return { meeting, clock, sockets, asked, offer }
}

it.each(['127.0.0.1', '10.0.0.1', '10.0.0.3', '::1'])(
  '[TR9] a peer that names %s, not its end of the link, has nobody connect there',
  async (address) => {
    const { meeting, sockets, offer } = world()
    const { isConnected } = await meeting.answerConnect(await offer(address))
    expect([isConnected, sockets.made.length]).toEqual([false, 0])
    expect(await meeting.answerConnect(await offer('10.0.0.2'))).toEqual({ isConnected: true })
  },
)

it('[TR9] a device that knows no address of its peer connects to nobody', async () => {
  const { meeting, sockets, offer } = world({ remote: undefined })
  expect(await meeting.answerConnect(await offer('10.0.0.2'))).toEqual({ isConnected: false })
  expect(sockets.made).toHaveLength(0)
})

it('[TR9] offers of one peer are taken up one at a time, two in all', async () => {
  const { meeting, sockets, offer } = world()
  const offers = await Promise.all(Array.from({ length: 5 }, () => offer('10.0.0.2')))
  const answers = await Promise.all(offers.map((one) => meeting.answerConnect(one)))
  expect(answers.map(({ isConnected }) => isConnected)).toEqual([true, false, false, false, false])
  for (const one of offers.slice(1)) await meeting.answerConnect(one)
  expect(sockets.made).toHaveLength(2 * DIRECT_CONNECTIONS)
})

const connectAll = (sockets: MemoryDirectSockets, { address, port, keys }: DirectOffer) =>
  Promise.all(keys.map(({ identity, key }) => sockets.connect({ address, port }, { identity, key: fromBase64Url(key) })))

it('[TR8] a peer is listened for at one port at a time', async () => {
  const { meeting, clock, sockets } = world()
  const [first, second] = await Promise.all([meeting.answerOffer(), meeting.answerOffer()])
  expect([first.offer !== undefined, second]).toEqual([true, {}])
  expect(sockets.listeners.size).toBe(1)
  clock.advance(10_000)
  expect(sockets.listeners.size).toBe(0)
  expect((await meeting.answerOffer()).offer).toBeDefined()
})

it('[TR7] a device that cannot listen says so, and is not asked in vain when it can again', async () => {
  const sockets = new MemoryDirectSockets()
  const { meeting } = world({ sockets })
  const listen = sockets.listen.bind(sockets)
  sockets.listen = () => Promise.reject(Object.assign(new Error('no such address'), { code: 'EADDRNOTAVAIL' }))
  expect(await meeting.answerOffer()).toEqual({})
  sockets.listen = listen
  expect((await meeting.answerOffer()).offer).toBeDefined()
})

it('[TR7] a device whose peer does not get to listen listens itself, unless the peer knows nothing of this', async () => {
  const failing = world({}, { offerDirect: () => Promise.reject(closed) })
  failing.meeting.want()
  await turns()
  expect(failing.asked).toEqual(['offerDirect', 'connectDirect'])
  const older = world({}, { offerDirect: () => Promise.reject(new RpcError('rpc/unknown-method', 'what?')) })
  older.meeting.want()
  await turns()
  expect(older.asked).toEqual(['offerDirect'])
})

it('[TR7] the port stays open for handshakes that are over at the peer and not yet here', async () => {
  let told: DirectOffer | undefined
  const connectDirect = async (offer: DirectOffer) => ((told = offer), true)
  const { meeting, sockets, asked } = world({}, { connectDirect })
  meeting.want()
  await turns()
  expect([sockets.listeners.size, meeting.connections]).toEqual([1, 0])
  meeting.want() // they are awaited
  await turns()
  expect(asked).toEqual(['offerDirect', 'connectDirect'])
  await connectAll(sockets, told as DirectOffer)
  expect([sockets.listeners.size, meeting.connections]).toEqual([0, DIRECT_CONNECTIONS])
})

it('[TR9] nobody is listened for after the peer said that it could not connect', async () => {
  const { meeting, sockets, asked } = world()
  meeting.want()
  await turns()
  expect([asked.length, sockets.listeners.size]).toEqual([2, 0])
})

it('[TR9] connections that end soon after they began are tried again after 30 s, then 60; those that lived longer at once', async () => {
  const says: Says = {}
  const { meeting, clock, asked, offer } = world({}, says)
  says.offerDirect = async () => ({ offer: await offer('10.0.0.2') })
  const tries = async () => {
    const before = asked.length
    meeting.want()
    await turns()
    return asked.length - before
  }
  expect(await tries()).toBe(1)
  expect(meeting.connections).toBe(DIRECT_CONNECTIONS)
  for (const waitMs of [30_000, 60_000]) {
    clock.advance(2000)
    meeting.path?.dispose()
    clock.advance(waitMs - 1)
    expect(await tries()).toBe(0)
    clock.advance(1)
    expect(await tries()).toBe(1)
  }
  clock.advance(30_001)
  meeting.path?.dispose()
  expect(await tries()).toBe(1)
  meeting.path?.dispose()
  clock.advance(30_000) // as at first
  expect(await tries()).toBe(1)
})

it('[TR9] a path that ends while it is being opened is one failure', async () => {
  const says: Says = {}
  const { meeting, clock, asked, offer } = world({}, says)
  says.offerDirect = async () => ({ offer: await offer('10.0.0.2') })
  meeting.onDidChange(() => meeting.connections === DIRECT_CONNECTIONS && meeting.path?.dispose())
  meeting.want()
  await turns()
  expect([asked.length, meeting.connections]).toEqual([2, 0])
  clock.advance(30_000)
  meeting.want()
  await turns()
  expect(asked.length).toBe(4)
  clock.advance(59_999)
  meeting.want()
  await turns()
  expect(asked.length).toBe(4)
})

it('[TR9] a peer that says it is connected and never comes is a failure', async () => {
  const { meeting, clock, asked } = world({}, { connectDirect: async () => true })
  meeting.want()
  await turns()
  expect(asked.length).toBe(2)
  clock.advance(10_000)
  clock.advance(29_999)
  meeting.want()
  await turns()
  expect(asked.length).toBe(2)
  clock.advance(1)
  meeting.want()
  await turns()
  expect(asked.length).toBe(4)
})

it('[TR12] a peer is dialled where no TCP connection came about, where the link says how, and not before', async () => {
  const dialled: string[] = []
  const client = { dialDirect: async ({ dial }: { dial: string }) => (dialled.push(dial), {}), tellCandidates: async () => {} }
  const rtc = { dials: new MemoryDirectDials(), way: { iceServers: [], remote: '10.0.0.2' }, client }
  const failing = world({ rtc })
  failing.meeting.want()
  await turns()
  expect([failing.asked, dialled.length]).toEqual([['offerDirect', 'connectDirect'], 1])
  failing.meeting.want() // it did not work: later, as with TCP
  await turns()
  expect([failing.asked.length, dialled.length]).toEqual([2, 1])
  const says: Says = {}
  const reached = world({ rtc }, says)
  says.offerDirect = async () => ({ offer: await reached.offer('10.0.0.2') })
  reached.meeting.want()
  await turns()
  expect([reached.asked, dialled.length]).toEqual([['offerDirect'], 1])
  const without = world({ sockets: undefined, rtc })
  without.meeting.want()
  await turns()
  expect([without.asked, dialled.length]).toEqual([[], 2])
})
