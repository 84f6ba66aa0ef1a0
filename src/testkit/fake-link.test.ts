import { expect, it } from 'vitest'
import type { DeviceId } from '../base/ids.ts'
import { connectFakeLinkSets, createFakeLinkPair, FakeLinkSet } from './fake-link.ts'

const A = 'A' as DeviceId
const B = 'B' as DeviceId
const ticks = () => new Promise((resolve) => setTimeout(resolve, 0))

it('[SY50] a fake lane delivers copies, in order, to the lane of the same name only', async () => {
  const { a, b } = createFakeLinkPair(A, B)
  const session: number[] = []
  const files: number[] = []
  b.lane('session').onDidReceive((bytes) => session.push(bytes[0] as number))
  b.lane('files').onDidReceive((bytes) => files.push(bytes[0] as number))
  const message = Uint8Array.of(1)
  a.lane('session').send(message)
  message[0] = 9
  a.lane('session').send(Uint8Array.of(2))
  a.lane('files').send(Uint8Array.of(3))
  await ticks()
  expect({ session, files }).toEqual({ session: [1, 2], files: [3] })
  expect(a.stats().lanes.session).toMatchObject({ sentBytes: 2, sentMessages: 2 })
})

it('[SY50] hold backs a lane up, release drains it, cut loses what is under way and closes both ends', async () => {
  const pair = createFakeLinkPair(A, B)
  const got: number[] = []
  const closed: string[] = []
  let drains = 0
  pair.b.lane('files').onDidReceive((bytes) => got.push(bytes.length))
  pair.a.lane('files').onDidDrain(() => drains++)
  pair.a.onDidClose(({ reason }) => closed.push(`a ${reason}`))
  pair.b.onDidClose(({ reason }) => closed.push(`b ${reason}`))
  pair.hold()
  pair.a.lane('files').send(new Uint8Array(10))
  await ticks()
  expect(pair.a.lane('files').bufferedBytes).toBe(10)
  pair.release()
  expect({ got, drains }).toEqual({ got: [10], drains: 1 })
  pair.a.lane('files').send(new Uint8Array(11))
  pair.cut('gone')
  await ticks()
  expect({ got, closed }).toEqual({ got: [10], closed: ['a gone', 'b gone'] })
  expect(() => pair.a.lane('files').send(new Uint8Array(1))).toThrow(expect.objectContaining({ code: 'link/closed' }))
})

it('[SY50] a fault closes both ends and is kept with its code; the set forgets the link', () => {
  const sets = { a: new FakeLinkSet(), b: new FakeLinkSet() }
  const unlinked: string[] = []
  sets.b.onDidUnlink(({ peer }) => unlinked.push(peer))
  const pair = connectFakeLinkSets({ device: A, set: sets.a }, { device: B, set: sets.b })
  expect(sets.a.links.get(B)).toBe(pair.a)
  pair.a.closeForFault('sync/bad-envelope', 'bad')
  expect(pair.a.fault?.code).toBe('sync/bad-envelope')
  expect({ unlinked, left: sets.a.links.size + sets.b.links.size }).toEqual({ unlinked: ['A'], left: 0 })
})
