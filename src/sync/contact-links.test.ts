import { expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { systemRandom } from '../base/random.ts'
import { createTestDevice, TestMembers } from '../testkit/test-devices.ts'
import { type HelloOptions, type HelloRole, LinkHello } from './link-hello.ts'
import { decodeWire } from './link-wire.ts'

const A = createTestDevice(1)
const B = createTestDevice(2)
const print = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

function side(role: HelloRole, more: Partial<HelloOptions>): LinkHello {
  const [self, peer] = role === 'knock' ? [A, B] : [B, A]
  const [own, other] = role === 'knock' ? [1, 2] : [2, 1]
  const both = { local: print(own), remote: print(other) }
  const fingerprints = { live: both, bulk: both }
  return new LinkHello({
    role,
    signer: self.signer,
    check: new TestMembers(A, B),
    random: systemRandom,
    peer: peer.device,
    fingerprints,
    ...more,
  })
}

/** Whether both are sure of each other, and what the door said in all. */
function meet(knock: LinkHello, door: LinkHello): { readonly done: boolean; readonly doorSaid: readonly string[] } {
  const queue: { readonly to: LinkHello; readonly bytes: Uint8Array }[] = []
  const doorSaid: string[] = []
  const tell = (to: LinkHello, messages: readonly Uint8Array[]) => {
    for (const bytes of messages) {
      if (to === knock) doorSaid.push(decodeWire(bytes, 'test').type)
      queue.push({ to, bytes })
    }
  }
  tell(door, knock.begin())
  tell(knock, door.begin())
  try {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { to, bytes } = next
      tell(to === knock ? door : knock, to.receive(decodeWire(bytes, 'test'), bytes))
    }
  } catch {
    // refused
  }
  return { done: knock.isDone && door.isDone, doorSaid }
}

const scope = utf8('ada bob')

it('[SY73] devices of two persons prove themselves for these two persons', () => {
  expect(meet(side('knock', { scope }), side('door', { scope })).done).toBe(true)
})

it.each([
  ['between other persons', { scope: utf8('ada eve') }],
  ['among devices of one person', {}],
])('[SY73] a proof made %s is none here, and the door has not named itself', (_, more) => {
  expect(meet(side('knock', more), side('door', { scope }))).toEqual({ done: false, doorSaid: ['hello'] })
  expect(meet(side('knock', { scope }), side('door', more))).toEqual({ done: false, doorSaid: ['hello'] })
})
