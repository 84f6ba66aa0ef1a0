import { afterEach, beforeEach, expect, it } from 'vitest'
import type { DeviceId } from '../base/ids.ts'
import { silentLogger } from '../base/logger.ts'
import { systemRandom } from '../base/random.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { LearnedPlaces } from './learned-places.ts'
import { MAX_CONTACTS_RENDEZVOUS, MAX_RENDEZVOUS, type MeetingPool, RendezvousPool } from './rendezvous-pool.ts'
import type { WebSocketLike } from './web-socket-like.ts'

let pool: RendezvousPool
beforeEach(() => {
  const openSocket = () => new Promise<WebSocketLike>(() => {})
  pool = new RendezvousPool({ openSocket, clock: new ManualClock(), random: systemRandom, logger: silentLogger })
})
afterEach(() => pool.dispose())

const urls = (of: MeetingPool) => of.clients.map(({ url }) => url).sort()
/** What whoever meets there is told, as it comes and goes. */
function followed(of: MeetingPool) {
  const seen = new Set(urls(of))
  of.onDidAdd(({ url }) => expect(seen.has(url)).toBe(seen.add(url) && false))
  of.onDidRemove(({ url }) => expect(seen.delete(url)).toBe(true))
  return () => [...seen].sort()
}

it('[SY101] what a contact named is for meeting that contact only: not for own devices, nor for another contact', () => {
  const [ada, bob] = [pool.circle(), pool.circle()]
  const seen = [pool, ada, bob].map(followed)
  const own = pool.use('ws://own.example')
  ada.use('ws://ada.example')
  const all = () => [pool, ada, bob].map(urls)
  expect(all()).toEqual([['ws://own.example/'], ['ws://ada.example/', 'ws://own.example/'], ['ws://own.example/']])
  expect(seen.map((one) => one())).toEqual(all())
  own.dispose()
  expect(all()).toEqual([[], ['ws://ada.example/'], []])
  expect(seen.map((one) => one())).toEqual(all())
})

it("[SY101] one that both use is everybody's for as long as own devices use it, and is left when nobody does", () => {
  const ada = pool.circle()
  const [mine, theirs] = [followed(pool), followed(ada)]
  const named = ada.use('ws://both.example')
  const [client] = ada.clients
  const own = pool.use('both.example')
  expect([mine(), theirs(), pool.all]).toEqual([['ws://both.example/'], ['ws://both.example/'], [client]])
  own.dispose()
  expect([mine(), theirs()]).toEqual([[], ['ws://both.example/']])
  named.dispose()
  expect([theirs(), pool.all]).toEqual([[], []])
})

it('[SY101] contacts take no place from own devices, and all of them together have so many', () => {
  const circles = Array.from({ length: 3 }, () => pool.circle())
  const fill = (n: number) => circles[n % 3]?.use(`ws://contact${n}.example`)
  for (let n = 0; n < MAX_CONTACTS_RENDEZVOUS; n++) fill(n)
  const full = expect.objectContaining({ code: 'rendezvous/full' })
  expect(() => fill(99)).toThrow(full)
  for (let n = 0; n < MAX_RENDEZVOUS; n++) pool.use(`ws://own${n}.example`)
  expect(() => pool.use('ws://one-more.example')).toThrow(full)
  circles[0]?.use('ws://own0.example') // takes no place
})

it('[SY66] of so many devices of a contact the rendezvous are used, four addresses each, and the newest word of each', () => {
  const circle = pool.circle()
  const places = new LearnedPlaces(circle, silentLogger, 2)
  const [a, b, c] = ['a', 'b', 'c'] as DeviceId[] as [DeviceId, DeviceId, DeviceId]
  places.learn(
    a,
    ['1', '2', '3', '4', '5'].map((n) => `ws://a${n}.example`),
  )
  places.learn(b, ['ws://b.example', 'no url'])
  places.learn(c, ['ws://c.example'])
  expect(urls(circle)).toEqual(['ws://a1.example/', 'ws://a2.example/', 'ws://a3.example/', 'ws://a4.example/', 'ws://b.example/'])
  places.learn(a, ['ws://a9.example'])
  expect(urls(circle)).toEqual(['ws://a9.example/', 'ws://b.example/'])
  places.dispose()
  expect(pool.all).toEqual([])
})
