import { expect, it } from 'vitest'
import { Emitter } from '../base/emitter.ts'
import { silentLogger } from '../base/logger.ts'
import { FakeRtcNetwork } from '../testkit/fake-rtc.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MemorySignaling } from '../testkit/memory-signaling.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import { createTestDevice, type TestDevice, TestMembers } from '../testkit/test-devices.ts'
import { RtcLinkSet } from './link-set.ts'

const DEVICES = [createTestDevice(1), createTestDevice(2), createTestDevice(3)]
const ticks = () => new Promise((resolve) => setTimeout(resolve, 0))

/** Devices that come, go, hurry, lose notes and links; what happened is written down to be read beside the seed. */
class World {
  readonly clock = new ManualClock()
  readonly random: SeededRandom
  readonly network: FakeRtcNetwork
  readonly signaling = new MemorySignaling()
  readonly running = new Map<TestDevice, { set: RtcLinkSet; dispose: () => void }>()
  readonly steps: string[] = []
  lossOfNotes = 0

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
    this.network = new FakeRtcNetwork({ clock: this.clock, random: this.random })
    this.signaling.hook = (note) => (this.random.chance(this.lossOfNotes) ? undefined : note)
    for (const device of DEVICES) this.start(device)
  }

  start(device: TestDevice): void {
    const set = new RtcLinkSet({
      signer: device.signer,
      check: new TestMembers(...DEVICES),
      rtc: this.network,
      rtcOptions: () => ({ iceServers: [] }),
      clock: this.clock,
      random: this.random,
      logger: silentLogger,
      onDidChangeNetwork: new Emitter<void>().event,
      onDidChangeMembers: new Emitter<void>().event,
    })
    set.onDidLink((link) => link.lane('control').onDidReceive((bytes) => bytes[0] === 1 && link.lane('control').send(Uint8Array.of(2))))
    const way = this.signaling.join(device.device)
    set.addSignaling(way)
    this.running.set(device, {
      set,
      dispose: () => {
        way.dispose()
        set.dispose()
      },
    })
  }

  async step(): Promise<void> {
    const device = this.random.pick(DEVICES)
    const { set, dispose } = this.running.get(device) as { set: RtcLinkSet; dispose: () => void }
    const what = this.random.pick(['hurry', 'hurry', 'unlink', 'restart', 'cut', 'heal', 'lose', 'wait', 'wait'] as const)
    this.steps.push(`${what} ${DEVICES.indexOf(device)}`)
    if (what === 'hurry') set.hurry()
    if (what === 'unlink') for (const link of [...set.links.values()].slice(0, 1)) link.dispose()
    if (what === 'restart') {
      dispose()
      this.start(device)
    }
    if (what === 'cut') this.network.cut()
    if (what === 'heal') this.network.heal()
    if (what === 'lose') this.lossOfNotes = this.random.pick([0, 0.3, 0.9])
    if (what === 'wait') this.clock.advance(this.random.below(6_000))
    if (this.random.chance(0.7)) await ticks()
  }

  /** Everybody is linked to everybody, both ends of each link are the same link, and nothing else is left. */
  async isWhole(): Promise<boolean> {
    const sets = DEVICES.map((device) => (this.running.get(device) as { set: RtcLinkSet }).set)
    if (sets.some(({ links }) => links.size !== DEVICES.length - 1)) return false
    let echoes = 0
    for (const { links } of sets) {
      for (const link of links.values()) {
        const waiting = link.lane('control').onDidReceive((bytes) => {
          if (bytes[0] === 2) echoes++
        })
        link.lane('control').send(Uint8Array.of(1))
        for (let i = 0; i < 4; i++) await ticks()
        waiting.dispose()
      }
    }
    const pairs = (DEVICES.length * (DEVICES.length - 1)) / 2
    return echoes === 2 * pairs && this.network.connections.size === 4 * pairs
  }

  dispose(): void {
    for (const { dispose } of this.running.values()) dispose()
  }
}

it('[SY60] whatever comes, goes and gets lost: in the end one link for each pair, the same at both ends, and nothing left over', {
  timeout: 600_000,
}, async () => {
  const first = seedOfRun()
  for (let round = 0; round < roundsOfRun(15, 500); round++) {
    const world = new World(first + round)
    for (let i = 0; i < 30; i++) await world.step()
    world.lossOfNotes = 0
    world.network.heal()
    let isWhole = false
    for (let i = 0; i < 120 && !isWhole; i++) {
      world.clock.advance(500)
      await ticks()
      isWhole = await world.isWhole()
    }
    expect(isWhole, `seed ${first + round}: ${world.steps.join(', ')}`).toBe(true)
    world.dispose()
  }
})
