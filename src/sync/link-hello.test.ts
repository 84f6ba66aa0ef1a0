import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../base/bytes.ts'
import { systemRandom } from '../base/random.ts'
import { createTestDevice, type TestDevice, TestMembers } from '../testkit/test-devices.ts'
import goldenV1 from './golden/link-hello-v1.json' with { type: 'json' }
import goldenV2 from './golden/link-hello-v2.json' with { type: 'json' }
import goldenV3 from './golden/link-hello-v3.json' with { type: 'json' }
import { type HelloOptions, type HelloRole, LinkHello, type LinkFingerprints } from './link-hello.ts'
import { decodeWire, encodeWire, MAX_LINK_VERSION } from './link-wire.ts'

const A = createTestDevice(1)
const B = createTestDevice(2)
const STRANGER = createTestDevice(9)

const print = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
/** What the knocking side sees. */
const SEEN: LinkFingerprints = { live: { local: print(1), remote: print(2) }, bulk: { local: print(3), remote: print(4) } }
const mirrored = ({ live, bulk }: LinkFingerprints): LinkFingerprints => ({
  live: { local: live.remote, remote: live.local },
  bulk: { local: bulk.remote, remote: bulk.local },
})

function side(role: HelloRole, more: Partial<HelloOptions> = {}): LinkHello {
  const [self, peer] = role === 'knock' ? [A, B] : [B, A]
  const fingerprints = role === 'knock' ? SEEN : mirrored(SEEN)
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

interface Heard {
  readonly from: HelloRole
  readonly bytes: Uint8Array
}

/** Lets both talk until nobody has more to say; returns all that was said, and what made one side stop. */
function converse(knock: LinkHello, door: LinkHello): { said: Heard[]; error: unknown } {
  const said: Heard[] = []
  const queue: Heard[] = []
  const tell = (from: HelloRole, messages: readonly Uint8Array[]) => queue.push(...messages.map((bytes) => ({ from, bytes })))
  tell('knock', knock.begin())
  tell('door', door.begin())
  try {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      said.push(next)
      const [hearer, name] = next.from === 'knock' ? ([door, 'door'] as const) : ([knock, 'knock'] as const)
      tell(name, hearer.receive(decodeWire(next.bytes, 'test'), next.bytes))
    }
    return { said, error: undefined }
  } catch (error) {
    return { said, error }
  }
}

const kinds = (said: readonly Heard[]) => said.map(({ from, bytes }) => `${from} ${decodeWire(bytes, 'test').type}`)

it('[SY52] both prove themselves, the door after the knock', () => {
  const [knock, door] = [side('knock'), side('door')]
  const { said, error } = converse(knock, door)
  expect(error).toBeUndefined()
  expect(kinds(said)).toEqual(['knock hello', 'door hello', 'knock proof', 'door proof', 'knock ready'])
  expect([knock.isDone, door.isDone, knock.version, door.version]).toEqual([true, true, MAX_LINK_VERSION, MAX_LINK_VERSION])
})

const impostor = (device: TestDevice, as: TestDevice) => ({ device: as.device, sign: device.signer.sign })

describe.each([
  { name: 'a knock that is not on the list', knock: { signer: STRANGER.signer }, door: {} },
  { name: 'a knock that is on the list but is not the one announced', knock: {}, door: { peer: STRANGER.device } },
  { name: 'a knock that signs with another key', knock: { signer: impostor(STRANGER, A) }, door: {} },
  {
    name: 'a swapped fingerprint of the live connection',
    knock: {},
    door: { fingerprints: mirrored({ ...SEEN, live: { local: print(1), remote: print(9) } }) },
  },
  {
    name: 'a swapped fingerprint of the bulk connection',
    knock: { fingerprints: { ...SEEN, bulk: { local: print(3), remote: print(9) } } },
    door: {},
  },
  { name: 'our own key thrown back at us', knock: { signer: B.signer, peer: B.device }, door: { peer: B.device } },
])('[SY51] refused: $name', ({ knock, door }) => {
  it('and the door has not named itself', () => {
    const { said, error } = converse(side('knock', knock), side('door', door))
    expect(error).toMatchObject({ code: 'link/refused' })
    expect(kinds(said)).not.toContain('door proof')
    const heard = said.filter(({ from }) => from === 'door')
    expect(heard.map(({ bytes }) => bytes.length)).toEqual([1 + 4 + 1 + 1 + 32])
  })
})

it.each([
  { name: 'a door that is not the one knocked at', door: { signer: STRANGER.signer } },
  { name: 'a door that signs with another key', door: { signer: impostor(STRANGER, B) } },
])('[SY51] refused: $name', ({ door }) => {
  expect(converse(side('knock'), side('door', door)).error).toMatchObject({ code: 'link/refused' })
})

it('[SY52] a proof recorded from one conversation does not fit another', () => {
  const recorded = converse(side('knock'), side('door')).said.find(({ bytes }) => decodeWire(bytes, 'test').type === 'proof') as Heard
  const door = side('door')
  const hello = side('knock').begin()[0] as Uint8Array
  door.begin()
  door.receive(decodeWire(hello, 'test'), hello)
  expect(() => door.receive(decodeWire(recorded.bytes, 'test'), recorded.bytes)).toThrow(expect.objectContaining({ code: 'link/refused' }))
})

it('[SY52] a proof of the knock does not serve as one of the door', () => {
  const door = new LinkHello({
    role: 'knock',
    signer: B.signer,
    check: new TestMembers(A, B),
    random: systemRandom,
    peer: A.device,
    fingerprints: mirrored(SEEN),
  })
  expect(converse(side('knock'), door).error).toMatchObject({ code: 'link/refused' })
})

it('[SY70] each proves what it knows of who belongs; a peer of before says nothing of it', () => {
  const head = (byte: number) => () => new Uint8Array(40).fill(byte)
  const both = [side('knock', { head: head(1) }), side('door', { head: head(2) })] as const
  expect(converse(...both).error).toBeUndefined()
  expect(both.map((one) => one.peerHead?.[0])).toEqual([2, 1])
  const older = [side('knock', { head: head(1), versions: { min: 1, max: 2 } }), side('door', { head: head(2) })] as const
  expect(converse(...older).error).toBeUndefined()
  expect(older.map((one) => one.peerHead)).toEqual([undefined, undefined])
})

it.each([
  { name: 'changed', change: (head: Uint8Array) => head.map((byte) => byte ^ 1), code: 'link/refused' },
  { name: 'left out', change: () => undefined, code: 'link/bad-hello' },
])('[SY70] what a device knows cannot be $name on the way', ({ change, code }) => {
  const [knock, door] = [side('knock', { head: () => new Uint8Array(40).fill(5) }), side('door')]
  const hello = knock.begin()[0] as Uint8Array
  door.receive(decodeWire(hello, 'test'), door.begin() && hello)
  const answer = side('door').begin()[0] as Uint8Array
  const [proof] = knock.receive(decodeWire(answer, 'test'), answer) as [Uint8Array]
  const read = decodeWire(proof, 'test')
  if (read.type !== 'proof') throw new Error('no proof')
  const { head, ...rest } = read
  const changed = change(head as Uint8Array)
  const bytes = encodeWire({ ...rest, ...(changed ? { head: changed } : {}) })
  expect(() => door.receive(decodeWire(bytes, 'test'), bytes)).toThrow(expect.objectContaining({ code }))
})

it.each([
  { knock: { min: 1, max: 3 }, door: { min: 2, max: 5 }, version: 3 },
  { knock: { min: 1, max: 1 }, door: { min: 1, max: 9 }, version: 1 },
  { knock: { min: 1, max: 1 }, door: { min: 2, max: 3 }, version: undefined },
  { knock: { min: 4, max: 5 }, door: { min: 1, max: 3 }, version: undefined },
])('[SY53] versions $knock.min-$knock.max and $door.min-$door.max', ({ knock, door, version }) => {
  const both = [side('knock', { versions: knock }), side('door', { versions: door })] as const
  const { error } = converse(...both)
  if (version === undefined) expect(error).toMatchObject({ code: 'link/version' })
  else expect(both.map((one) => one.version)).toEqual([version, version])
})

it('[SY52] somebody who lowers the versions in a hello under way is found out', () => {
  const [knock, door] = [side('knock', { versions: { min: 1, max: 2 } }), side('door', { versions: { min: 1, max: 2 } })]
  const [fromKnock] = knock.begin() as [Uint8Array]
  const [fromDoor] = door.begin() as [Uint8Array]
  const lowered = (bytes: Uint8Array) => {
    const hello = decodeWire(bytes, 'test')
    return hello.type === 'hello' ? encodeWire({ ...hello, max: 1 }) : bytes
  }
  door.receive(decodeWire(lowered(fromKnock), 'test'), lowered(fromKnock))
  const [proof] = knock.receive(decodeWire(lowered(fromDoor), 'test'), lowered(fromDoor)) as [Uint8Array]
  expect(() => door.receive(decodeWire(proof, 'test'), proof)).toThrow(expect.objectContaining({ code: 'link/refused' }))
})

it.each(['ready', 'ping', 'bye'] as const)('[SY52] %s before its time ends the hello', (type) => {
  const door = side('door')
  door.begin()
  const bytes = type === 'ping' ? encodeWire({ type, n: 1 }) : type === 'bye' ? encodeWire({ type, code: 'x' }) : encodeWire({ type })
  expect(() => door.receive(decodeWire(bytes, 'test'), bytes)).toThrow(expect.objectContaining({ code: 'link/bad-hello' }))
})

it.each([
  { version: 1, golden: goldenV1 },
  { version: 2, golden: goldenV2 },
  { version: 3, golden: goldenV3 },
])('[SY53] the recorded conversation of version $version is still understood, word for word', ({ version, golden }) => {
  const nonce = (byte: number) => ({ bytes: (length: number) => new Uint8Array(length).fill(byte) })
  const versions = { min: 1, max: version }
  const head = () => new Uint8Array(40).fill(7)
  const { said, error } = converse(side('knock', { random: nonce(0x11), versions, head }), side('door', { random: nonce(0x22), versions }))
  expect(error).toBeUndefined()
  expect(said.map(({ from, bytes }) => ({ from, hex: toHex(bytes) }))).toEqual(golden)
  // And this build, whatever it speaks besides, takes the recorded side's words.
  const door = side('door', { random: nonce(0x22), versions })
  door.begin()
  for (const { from, hex } of golden) if (from === 'knock') door.receive(decodeWire(fromHex(hex), 'test'), fromHex(hex))
  expect(door.isDone).toBe(true)
})
