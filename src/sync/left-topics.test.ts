import { expect, it, onTestFinished } from 'vitest'
import type { DeviceId } from '../base/ids.ts'
import { silentLogger } from '../base/logger.ts'
import { systemRandom } from '../base/random.ts'
import { createFakeWebSocketPair } from '../testkit/fake-web-socket.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { createTestDevice, TestMembers } from '../testkit/test-devices.ts'
import { LeftTopics } from './left-topics.ts'
import { DAY_MS, workspaceMeeting } from './meeting-keys.ts'
import { RendezvousHub } from './rendezvous-hub.ts'
import { RendezvousPool } from './rendezvous-pool.ts'
import { RendezvousSignaling } from './rendezvous-signaling.ts'
import { SealedTopic } from './sealed-topic.ts'

const OLD = new Uint8Array(32).fill(3)
const [member, removed] = [createTestDevice(1), createTestDevice(2)]

function setUp(behind: readonly DeviceId[] = []) {
  const clock = new ManualClock(20_000.5 * DAY_MS)
  const parts = { clock, random: systemRandom, logger: silentLogger }
  const hub = new RendezvousHub(parts)
  const createPool = () => {
    const openSocket = async () => {
      const { client, server } = createFakeWebSocketPair()
      hub.accept(server, String(Math.random()))
      return client
    }
    const pool = new RendezvousPool({ ...parts, openSocket })
    onTestFinished(() => pool.dispose())
    pool.use('ws://x')
    return pool
  }
  /** A device that is still where all were before. */
  const come = ({ device, signer }: ReturnType<typeof createTestDevice>) => {
    const signaling = new RendezvousSignaling({
      ...parts,
      signer,
      check: new TestMembers(member, removed),
      rendezvousSecret: OLD,
      pool: createPool(),
    })
    const moved: Uint8Array[] = []
    signaling.onDidMove((sealed) => moved.push(sealed))
    return { device, signaling, moved }
  }
  const wait = () => {
    const directionsFor = (device: DeviceId) => (device === member.device ? Uint8Array.of(1, 2, 3) : undefined)
    return new LeftTopics({ ...parts, pool: createPool(), leftSecrets: [OLD], behind: () => behind, directionsFor })
  }
  return { come, wait, createPool }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 30))
const until = async (what: () => boolean): Promise<void> => {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 1))
}

it('[SY69] who comes to the left place is told where the others are, and sees nobody; a stranger is told nothing', async () => {
  const { come, wait } = setUp()
  wait()
  await settled()
  const late = come(member)
  await until(() => late.moved.length > 0)
  expect(late.moved[0]).toEqual(Uint8Array.of(1, 2, 3))
  const thief = come(removed)
  await until(() => [...thief.signaling.peers].length > 0)
  await settled()
  expect(thief.moved).toEqual([])
  expect([...thief.signaling.peers]).toEqual([member.device]) // who still announces itself there, not who waits
})

it('[SY69] who was at the left place all along is told, too', async () => {
  const { come, wait } = setUp([member.device])
  const early = come(member)
  await settled()
  wait()
  await until(() => early.moved.length > 0)
})

it('[SY69] somebody who only listens at the left place hears boxes, no names of those who wait, and no answer to asking twice', async () => {
  const { wait, createPool } = setUp([member.device])
  const listener = new SealedTopic(createPool().clients[0] as never, workspaceMeeting(OLD, 20_000), systemRandom)
  const heard: string[] = []
  listener.onDidReceive(({ text }) => heard.push(text))
  await settled()
  wait()
  await until(() => heard.length > 0)
  for (let n = 0; n < 5; n++) listener.send(JSON.stringify({ kind: 'here', from: member.device, isAnswer: false }))
  await until(() => heard.length > 1)
  await settled()
  expect(heard.map((text) => JSON.parse(text).kind)).toEqual(['moved', 'moved'])
  expect(new Set(heard).size).toBe(1)
})

it('[SY72] [ID160] whoever shows the word by which it was let in is told where the others are; any other word does nothing', async () => {
  const { createPool } = setUp()
  const parts = { clock: new ManualClock(20_000.5 * DAY_MS), random: systemRandom, logger: silentLogger }
  const word = Uint8Array.of(7, 7, 7)
  const taken: number[] = []
  const take = (shown: Uint8Array) => {
    taken.push(shown[0] as number)
    return shown[0] === 7 ? member.device : undefined
  }
  const directionsFor = (device: DeviceId) => (device === member.device ? Uint8Array.of(1, 2, 3) : undefined)
  const admission = { own: () => undefined, take }
  const waiting = new LeftTopics({ ...parts, pool: createPool(), leftSecrets: [OLD], behind: () => [], directionsFor, admission })
  const come = (shows: Uint8Array, { signer }: typeof member) => {
    const moved: Uint8Array[] = []
    const signaling = new RendezvousSignaling({
      ...parts,
      signer,
      check: new TestMembers(member, removed),
      rendezvousSecret: OLD,
      pool: createPool(),
      admission: { own: () => shows, take: () => undefined },
    })
    signaling.onDidMove((sealed) => moved.push(sealed))
    return { signaling, moved }
  }
  const [right, wrong] = [come(word, member), come(Uint8Array.of(8), removed)]
  await until(() => right.moved.length > 0 && taken.includes(8))
  await settled()
  expect(right.moved[0]).toEqual(Uint8Array.of(1, 2, 3))
  expect(wrong.moved).toEqual([])
  for (const { signaling } of [right, wrong]) signaling.dispose()
  waiting.dispose()
})
