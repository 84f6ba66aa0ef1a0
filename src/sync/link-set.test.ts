import { expect, it, onTestFinished } from 'vitest'
import { Emitter } from '../base/emitter.ts'
import { silentLogger } from '../base/logger.ts'
import { systemClock } from '../base/clock.ts'
import { systemRandom } from '../base/random.ts'
import { FakeRtcNetwork } from '../testkit/fake-rtc.ts'
import { MemorySignaling } from '../testkit/memory-signaling.ts'
import { createTestDevice, type TestDevice, TestMembers } from '../testkit/test-devices.ts'
import type { Link } from './lane.ts'
import { RtcLinkSet } from './link-set.ts'

const A = createTestDevice(1)
const B = createTestDevice(2)
const C = createTestDevice(3)

function setUp(device: TestDevice, network: FakeRtcNetwork, members = new TestMembers(A, B, C)) {
  const networkChanged = new Emitter<void>()
  const membersChanged = new Emitter<void>()
  const set = new RtcLinkSet({
    signer: device.signer,
    check: members,
    rtc: network,
    rtcOptions: () => ({ iceServers: [] }),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    onDidChangeNetwork: networkChanged.event,
    onDidChangeMembers: membersChanged.event,
  })
  onTestFinished(() => set.dispose())
  return { set, members, networkChanged, membersChanged }
}

const until = async (what: () => boolean): Promise<void> => {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 5))
}

it('[SY60] two devices that see each other at the same moment end with one link, and its lanes carry whole messages', async () => {
  const network = new FakeRtcNetwork()
  const signaling = new MemorySignaling()
  const a = setUp(A, network)
  const b = setUp(B, network)
  a.set.addSignaling(signaling.join(A.device))
  b.set.addSignaling(signaling.join(B.device))
  a.set.hurry()
  b.set.hurry()
  await until(() => a.set.links.size === 1 && b.set.links.size === 1)
  const got: Uint8Array[] = []
  b.set.links
    .get(A.device)
    ?.lane('session')
    .onDidReceive((bytes) => got.push(bytes))
  const message = new Uint8Array(200_000).map((_, index) => index % 251)
  a.set.links.get(B.device)?.lane('session').send(message)
  a.set.links.get(B.device)?.lane('session').send(new Uint8Array(0))
  await until(() => got.length === 2)
  expect(got[0]).toEqual(message)
  expect(got[1]).toHaveLength(0)
  expect(network.connections.size).toBe(4)
})

it('[SY51] a device that is not a member gets no answer; once it is one it is linked to', async () => {
  const network = new FakeRtcNetwork()
  const signaling = new MemorySignaling()
  const notes: string[] = []
  signaling.hook = (note, from) => {
    notes.push(from)
    return note
  }
  const a = setUp(A, network, new TestMembers(A))
  const b = setUp(B, network)
  a.set.addSignaling(signaling.join(A.device))
  b.set.addSignaling(signaling.join(B.device))
  await new Promise((resolve) => setTimeout(resolve, 400))
  expect(notes).toContain(B.device)
  expect(notes).not.toContain(A.device)
  expect(a.set.links.size + b.set.links.size).toBe(0)
  a.members.members.add(B.device)
  a.membersChanged.fire()
  await until(() => a.set.links.size === 1 && b.set.links.size === 1)
})

it('[SY51] a device that leaves the list loses its link at once', async () => {
  const network = new FakeRtcNetwork()
  const signaling = new MemorySignaling()
  const a = setUp(A, network)
  const b = setUp(B, network)
  a.set.addSignaling(signaling.join(A.device))
  b.set.addSignaling(signaling.join(B.device))
  await until(() => a.set.links.size === 1 && b.set.links.size === 1)
  const reasons: string[] = []
  b.set.onDidUnlink(({ reason }) => reasons.push(reason))
  a.members.members.delete(B.device)
  a.membersChanged.fire()
  expect(a.set.links.size).toBe(0)
  await until(() => reasons.length > 0)
  expect(reasons[0]).toContain('link/refused')
})

it('[SY52] somebody who changes fingerprints under way prevents the link and can do no more', async () => {
  const network = new FakeRtcNetwork()
  const signaling = new MemorySignaling()
  signaling.hook = (note) =>
    note.kind === 'candidates' ? note : { ...note, bulk: (note.bulk ?? '').replace(/sha-256 ..:../, 'sha-256 00:11') }
  const a = setUp(A, network)
  const b = setUp(B, network)
  const links: Link[] = []
  a.set.onDidLink((link) => links.push(link))
  b.set.onDidLink((link) => links.push(link))
  a.set.addSignaling(signaling.join(A.device))
  b.set.addSignaling(signaling.join(B.device))
  await new Promise((resolve) => setTimeout(resolve, 600))
  expect(links).toEqual([])
})

it('[SY58] garbage on one link closes that link with a code, and leaves the other alone', async () => {
  const network = new FakeRtcNetwork()
  const signaling = new MemorySignaling()
  const [a, b, c] = [setUp(A, network), setUp(B, network), setUp(C, network)]
  for (const [{ set }, { device }] of [
    [a, A],
    [b, B],
    [c, C],
  ] as const)
    set.addSignaling(signaling.join(device))
  await until(() => a.set.links.size === 2 && b.set.links.size === 2 && c.set.links.size === 2)
  const kept = a.set.links.get(C.device)
  const unlinked: { peer: string; reason: string }[] = []
  a.set.onDidUnlink((event) => unlinked.push(event))
  const toB = a.set.links.get(B.device)
  const ends = [...network.connections.values()].filter(({ channels }) => channels.has(4))
  const pair = toB?.stats()
  const farEnd = ends.find((end) => end.selectedPair?.localAddress === pair?.remoteAddress)
  farEnd?.channels.get(2)?.send(Uint8Array.of(7, 7, 7))
  await until(() => unlinked.length > 0)
  expect(unlinked[0]).toMatchObject({ peer: B.device, reason: expect.stringContaining('link/bad-frame') })
  expect(a.set.links.get(C.device)).toBe(kept)
  await until(() => a.set.links.has(B.device))
})

it('[SY60] a newer link replaces the one before on both sides', async () => {
  const network = new FakeRtcNetwork()
  const signaling = new MemorySignaling()
  const a = setUp(A, network)
  const b = setUp(B, network)
  a.set.addSignaling(signaling.join(A.device))
  const wayOfB = signaling.join(B.device)
  b.set.addSignaling(wayOfB)
  await until(() => a.set.links.size === 1 && b.set.links.size === 1)
  const first = a.set.links.get(B.device)
  // B restarts without A noticing: a new set with the same key knocks.
  const again = setUp(B, network)
  again.set.addSignaling(wayOfB)
  again.set.hurry()
  await until(() => again.set.links.size === 1 && a.set.links.size === 1 && a.set.links.get(B.device) !== first)
})
