import { afterEach, expect, it } from 'vitest'
import { toBase64Url } from '../base/bytes.ts'
import { DisposableStore } from '../base/disposable.ts'
import { silentLogger } from '../base/logger.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MemoryDirectSockets } from '../testkit/memory-direct-sockets.ts'
import { SeededRandom } from '../testkit/seeded-random.ts'
import { DirectMeeting, type DirectMeetingOptions } from './direct-meeting.ts'
import type { DirectKey } from './direct-sockets.ts'
import { DIRECT_CONNECTIONS } from './file-peer-contract.ts'

let owned = new DisposableStore()
afterEach(() => {
  owned.dispose()
  owned = new DisposableStore()
})

/** One end, and the machine of another whose words are the test's own. */
function world(changes: Partial<DirectMeetingOptions> = {}) {
  const random = new SeededRandom(5)
  const clock = new ManualClock()
  const sockets = new MemoryDirectSockets()
  const asked: string[] = []
  const randomBytes = (length: number) => random.bytes(length)
  const meeting = owned.add(
    new DirectMeeting({
      sockets,
      clock,
      logger: silentLogger,
      address: '10.0.0.1',
      remote: '10.0.0.2',
      randomBytes,
      answer: async () => ({ more: [], frame: async () => new Uint8Array(1) }),
      probe: async () => {},
      client: {
        offerDirect: async () => (asked.push('offerDirect'), {}),
        connectDirect: async () => (asked.push('connectDirect'), { isConnected: false }),
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
