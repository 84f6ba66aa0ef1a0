import { describe, expect, it } from 'vitest'
import { toBase58 } from '../base/base58.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import type { DisplayId, PersonId } from '../base/ids.ts'
import { SodiumCrypto } from '../platform/node/sodium-crypto.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import { createTestDevice, type TestDevice, TestMembers } from '../testkit/test-devices.ts'
import { judgeClaim, settleQuestion } from './judge-claim.ts'
import { isHigherClaim, type SeatClaim, type SeatHow } from './seat-claim.ts'
import { SeatClaims } from './seat-claims.ts'

const SEED = seedOfRun()
const ROUNDS = roundsOfRun(80, 2000)
const DEVICES = 4
const STEPS = 50
const crypto = new SodiumCrypto()

interface Unlocked {
  readonly display: DisplayId
  claim: SeatClaim
  lastInputAtMs: number | undefined
  askedAtMs: number | undefined
}

/** Devices with displays, doing what flow A says by the rules of this room; links come and go. */
class World {
  readonly random: SeededRandom
  readonly clock = new ManualClock(1_700_000_000_000)
  readonly devices: { readonly n: number; readonly claims: SeatClaims; readonly unlocked: Unlocked[] }[]
  readonly linked = new Set<string>()
  asked = 0
  handedOver = 0
  readonly #signers = Array.from({ length: DEVICES }, (_, n) => createTestDevice(100 + n))
  #displays = 0

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
    const list = new TestMembers(...this.#signers)
    const { clock } = this
    this.devices = this.#signers.map((_, n) => ({
      n,
      claims: SeatClaims.open({ crypto, clock, person: 'p' as PersonId, store: new MemoryKeyValueStore(), list }),
      unlocked: [],
    }))
  }

  isLinked = (a: number, b: number): boolean => this.linked.has(`${Math.min(a, b)}-${Math.max(a, b)}`)

  unlock(n: number, how: SeatHow): void {
    const display = toBase58(Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? ++this.#displays : i))) as DisplayId
    this.#claim(n, { display, claim: undefined as never, lastInputAtMs: undefined, askedAtMs: undefined }, how)
  }

  link(a: number, b: number): void {
    if (a === b || this.isLinked(a, b)) return
    this.linked.add(`${Math.min(a, b)}-${Math.max(a, b)}`)
    const toldByA = this.devices[a]?.claims.encode() as Uint8Array
    const toldByB = this.devices[b]?.claims.encode() as Uint8Array
    this.#hear(a, b, toldByB, true)
    this.#hear(b, a, toldByA, true)
  }

  cut(a: number, b: number): void {
    this.linked.delete(`${Math.min(a, b)}-${Math.max(a, b)}`)
  }

  /** Somebody answers a question, or its time runs out. */
  settle(n: number, answer: 'stay' | 'lock' | undefined): void {
    for (const seated of [...(this.devices[n]?.unlocked ?? [])]) {
      if (seated.askedAtMs === undefined) continue
      const outcome = settleQuestion(seated.askedAtMs, this.clock.nowMs(), answer)
      if (outcome === 'wait') continue
      seated.askedAtMs = undefined
      if (outcome === 'claim-anew') this.#claim(n, seated, 'move')
      else this.#lock(n, seated)
    }
  }

  #claim(n: number, seated: Unlocked, how: SeatHow): void {
    const device = this.devices[n] as (typeof this.devices)[number]
    const signer = (this.#signers[n] as TestDevice).signer
    seated.claim = device.claims.claim({ display: seated.display, displayName: 'x', how }, signer)
    if (!device.unlocked.includes(seated)) device.unlocked.push(seated)
    this.#judge(n, seated.claim, false)
    this.#tell(n)
  }

  #tell(n: number): void {
    for (const { n: other } of this.devices) {
      if (other !== n && this.isLinked(n, other)) this.#hear(other, n, this.devices[n]?.claims.encode() as Uint8Array, false)
    }
  }

  #hear(n: number, from: number, told: Uint8Array, atMeeting: boolean): void {
    const news = this.devices[n]?.claims.take(told) ?? []
    for (const claim of news) this.#judge(n, claim, atMeeting || claim.device !== this.#signers[from]?.device)
    if (news.length > 0) this.#tell(n)
  }

  #judge(n: number, claim: SeatClaim, heardAfterCut: boolean): void {
    for (const seated of [...(this.devices[n]?.unlocked ?? [])]) {
      const verdict = judgeClaim(seated, claim, { nowMs: this.clock.nowMs(), heardAfterCut })
      if (verdict === 'hand-over') this.#lock(n, seated)
      else if (verdict === 'ask') {
        this.asked++
        seated.askedAtMs ??= this.clock.nowMs()
      }
    }
  }

  #lock(n: number, seated: Unlocked): void {
    const { unlocked } = this.devices[n] as (typeof this.devices)[number]
    unlocked.splice(unlocked.indexOf(seated), 1)
    this.handedOver++
  }
}

function live(seed: number): World {
  const world = new World(seed)
  const { random, clock } = world
  for (let i = 0; i < STEPS; i++) {
    const [a, b] = [random.below(DEVICES), random.below(DEVICES)]
    switch (random.below(8)) {
      case 0:
      case 1:
        world.unlock(a, random.chance(0.6) ? 'move' : 'beside')
        break
      case 2:
      case 3:
        world.link(a, b)
        break
      case 4:
        world.cut(a, b)
        break
      case 5:
        for (const seated of world.devices[a]?.unlocked ?? []) seated.lastInputAtMs = clock.nowMs()
        break
      case 6:
        world.settle(a, random.pick(['stay', 'lock', undefined]))
        break
      default:
        clock.advance(random.pick([10, 5_000, 40_000]))
    }
  }
  for (let a = 0; a < DEVICES; a++) for (let b = a + 1; b < DEVICES; b++) world.link(a, b)
  clock.advance(60_000)
  for (let n = 0; n < DEVICES; n++) world.settle(n, undefined)
  return world
}

describe('the seat among cut-off devices', () => {
  it(`[ID35-ID37] ends in one place when all are linked, in ${ROUNDS} lives from seed ${SEED}`, { timeout: 300_000 }, () => {
    let [asked, handedOver] = [0, 0]
    for (let round = 0; round < ROUNDS; round++) {
      const world = live(SEED + round)
      const label = `seed ${SEED + round}`
      const [first] = world.devices
      for (const { claims } of world.devices) expect(claims.encode(), label).toEqual(first?.claims.encode())
      const move = first?.claims.lastMove
      for (const { unlocked } of world.devices) {
        for (const { display, claim, askedAtMs } of unlocked) {
          expect(askedAtMs, label).toBeUndefined()
          // Whoever is still unlocked made the last move, or sat down beside it later: nobody was left behind.
          expect(move === undefined || display === move.display || isHigherClaim(claim, move), label).toBe(true)
        }
      }
      asked += world.asked
      handedOver += world.handedOver
    }
    expect(asked).toBeGreaterThan(0)
    expect(handedOver).toBeGreaterThan(0)
  })
})
