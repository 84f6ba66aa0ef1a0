import { beforeEach, describe, expect, it, vi } from 'vitest'
import { toBase58 } from '../../base/base58.ts'
import type { DisplayId } from '../../base/ids.ts'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import { silentLogger } from '../../base/logger.ts'
import { systemRandom } from '../../base/random.ts'
import type { DeviceKeys } from '../../identity/device-keys.ts'
import { type SeatClaim, SeatClaims, type SeatHow } from '../../identity/seat-claims.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import { Wire } from '../../rpc/wire.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { memoryTransportPair } from '../../rpc/memory-transport.ts'
import { createPairingDevice } from '../../testkit/pairing-device.ts'
import { DisplaySession } from './display-session.ts'
import { ReturningDisplays } from './returning-displays.ts'
import { FRESH_CLAIM_MS, LONG_AGO_MS, type SeatQuestion, SeatService } from './seat-service.ts'

const crypto = new SodiumCrypto()
let clock: ManualClock
let seat: SeatService
let claims: SeatClaims
let other: { keys: DeviceKeys; claims: SeatClaims }
let asked: SeatQuestion[]

beforeEach(async () => {
  clock = new ManualClock()
  const [own, far] = [await createPairingDevice(crypto, clock, 'laptop'), await createPairingDevice(crypto, clock, 'server')]
  const open = () =>
    SeatClaims.open({ crypto, clock, person: own.keys.person, list: { isMember: () => true }, store: new MemoryKeyValueStore() })
  claims = open()
  other = { keys: far.keys, claims: open() }
  seat = new SeatService(clock, silentLogger, new ReturningDisplays(clock))
  seat.use({ claims, signer: own.keys.signer, nameOf: (device) => (device === own.keys.device ? 'laptop' : 'server') })
  asked = []
  seat.onDidAsk(({ question }) => asked.push(question))
})

/** A display of this device, unlocked and sitting. */
async function sit(name: string, how: SeatHow = 'move'): Promise<DisplaySession> {
  const session = new DisplaySession(new Wire(memoryTransportPair()[0]), systemRandom, undefined)
  session.name = name
  session.unlock()
  await seat.claim(session, how)
  return session
}

/** The other device claims, having heard `heard` of us, and we hear of it. */
function claimElsewhere(how: SeatHow, heard: { ageMs: number; afterCut: boolean }): SeatClaim {
  if (claims.current) other.claims.take(claims.encode())
  const display = toBase58(systemRandom.bytes(16)) as DisplayId
  const claim = other.claims.claim({ display, displayName: 'server display', how }, other.keys.signer)
  seat.hear(claims.take(other.claims.encode()), heard)
  return claim
}

const LIVE = { ageMs: 0, afterCut: false }
const LATE = { ageMs: LONG_AGO_MS, afterCut: true }

describe('a claim that is heard', () => {
  it('[DV16] at once locks, also a display in use, and confirms', async () => {
    const session = await sit('laptop display')
    session.lastInputMs = clock.monotonicMs()
    const confirmed = vi.fn()
    seat.onDidConfirm(confirmed)
    const claim = claimElsewhere('move', LIVE)
    expect(session).toMatchObject({ isUnlocked: false, handedOverTo: 'server display' })
    expect(confirmed).toHaveBeenCalledWith({ session, claimId: claim.id })
    expect(asked).toEqual([])
  })

  it('[DV16] late asks a display that had input in the last 30 s, and locks after 60 s without an answer', async () => {
    const session = await sit('laptop display')
    clock.advance(FRESH_CLAIM_MS)
    session.lastInputMs = clock.monotonicMs()
    clock.advance(29_000)
    claimElsewhere('move', LATE)
    expect(asked).toMatchObject([{ displayName: 'server display' }])
    clock.advance(59_000)
    expect(session.isUnlocked).toBe(true)
    clock.advance(1_000)
    expect(session).toMatchObject({ isUnlocked: false, handedOverTo: 'server display' })
  })

  it('[DV16] late locks a display that nobody touched for 30 s', async () => {
    const session = await sit('laptop display')
    session.lastInputMs = clock.monotonicMs()
    clock.advance(31_000)
    claimElsewhere('move', LATE)
    expect(asked).toEqual([])
    expect(session.isUnlocked).toBe(false)
  })

  it('[DV16] “stay” claims anew, so that the other one hands over; “lock” locks', async () => {
    for (const answer of ['stay', 'lock'] as const) {
      const session = await sit(`display that says ${answer}`)
      clock.advance(FRESH_CLAIM_MS)
      session.lastInputMs = clock.monotonicMs()
      const claim = claimElsewhere('move', LATE)
      seat.answer(session, answer)
      await Promise.resolve()
      expect(session.isUnlocked).toBe(answer === 'stay')
      expect(claims.current?.display === session.id).toBe(answer === 'stay')
      if (answer === 'stay') expect(claims.current?.counter).toBe(claim.counter + 1)
      expect(() => seat.answer(session, 'stay')).toThrow(expect.objectContaining({ code: 'seat/not-asked' }))
    }
  })

  it('[DV16] beside locks nothing', async () => {
    const session = await sit('laptop display')
    claimElsewhere('beside', LIVE)
    expect(session.isUnlocked).toBe(true)
    expect(seat.state).toMatchObject({ displayName: 'server display', deviceName: 'server', how: 'beside' })
  })

  it('[DV16] an older one that counted higher does not undo an unlock of a moment ago', async () => {
    for (let i = 0; i < 5; i++)
      other.claims.claim({ display: toBase58(systemRandom.bytes(16)) as DisplayId, displayName: 'x', how: 'move' }, other.keys.signer)
    const session = await sit('laptop display')
    clock.advance(FRESH_CLAIM_MS - 1)
    seat.hear(claims.take(other.claims.encode()), LATE)
    await Promise.resolve()
    expect(session.isUnlocked).toBe(true)
    expect(claims.current).toMatchObject({ display: session.id, counter: 6 })
  })

  it('[DV16] a younger one that counted higher does', async () => {
    const session = await sit('laptop display')
    clock.advance(5_000)
    claimElsewhere('move', { ageMs: 1_000, afterCut: false })
    expect(session.isUnlocked).toBe(false)
  })
})

it('[DV16] says which displays are unlocked here, and forgets those that lock or leave', async () => {
  const told: number[] = []
  seat.onDidChangeDisplays((displays) => told.push(displays.length))
  const first = await sit('first')
  const second = await sit('second', 'beside')
  expect(seat.displays.map(({ name }) => name)).toEqual(['first', 'second'])
  first.lock()
  second.end('gone')
  expect(seat.displays).toEqual([])
  expect(told.at(-1)).toBe(0)
})
