import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { toBase58 } from '../base/base58.ts'
import type { DisplayId, PersonId } from '../base/ids.ts'
import { SodiumCrypto } from '../platform/node/sodium-crypto.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import { createTestDevice, TestMembers } from '../testkit/test-devices.ts'
import { judgeClaim, RECENT_INPUT_MS, SEAT_QUESTION_MS, settleQuestion } from './judge-claim.ts'
import { decodeSeatClaim, isHigherClaim, signSeatClaim, type SeatClaim, type SeatHow } from './seat-claim.ts'
import { MAX_OPEN_DISPLAYS, SeatClaims } from './seat-claims.ts'

const crypto = new SodiumCrypto()
const [laptop, server, stranger] = [createTestDevice(1), createTestDevice(2), createTestDevice(3)]
const display = (n: number) => toBase58(new Uint8Array(16).fill(n)) as DisplayId
const person = 'person' as PersonId
const claimOf = (n: number, counter: number, how: SeatHow = 'move', device = laptop): SeatClaim =>
  signSeatClaim(crypto, { display: display(n), displayName: `display ${n}`, counter, how, atMs: 5 }, device.signer)

describe('SeatClaims', () => {
  const clock = new ManualClock(1_700_000_000_000)
  let store: MemoryKeyValueStore
  let seats: SeatClaims
  const open = (at = store) => SeatClaims.open({ crypto, clock, person, store: at, list: new TestMembers(laptop, server) })
  const seat = (n: number, how: SeatHow = 'move') => ({ display: display(n), displayName: `display ${n}`, how })

  beforeEach(async () => {
    store = new MemoryKeyValueStore()
    seats = open()
  })

  it('[ID35] claims above all it has heard, and keeps the claim through a restart', async () => {
    expect(seats.current).toBeUndefined()
    seats.take(claimOf(2, 7, 'move', server).bytes)
    const mine = seats.claim(seat(1), laptop.signer)
    expect(mine).toMatchObject({ counter: 8, how: 'move', device: laptop.device, atMs: clock.nowMs() })
    expect(open().current).toMatchObject({ id: mine.id, counter: 8 })
  })

  it('[ID35] passes on what others signed, and is not moved by what is old', async () => {
    const news = claimOf(2, 3, 'move', server)
    expect(seats.take(news.bytes)).toMatchObject({ id: news.id })
    expect(seats.take(news.bytes)).toBeUndefined()
    expect(seats.take(claimOf(1, 2).bytes)).toBeUndefined()
    expect(seats.current?.bytes).toEqual(news.bytes)
  })

  it('[ID35] two claims with one counter end alike on both devices', async () => {
    const other = open(new MemoryKeyValueStore())
    const [a, b] = [seats.claim(seat(1), laptop.signer), other.claim(seat(2), server.signer)]
    expect(a.counter).toBe(b.counter)
    seats.take(b.bytes)
    other.take(a.bytes)
    expect(seats.current?.id).toBe(other.current?.id)
  })

  it('[ID35] takes no claim of a device that is not on the list', async () => {
    expect(() => seats.take(claimOf(1, 9, 'move', stranger).bytes)).toThrow(expect.objectContaining({ code: 'seat/refused' }))
    expect(seats.current).toBeUndefined()
  })

  it('[ID35] a damaged stored claim is dropped', async () => {
    store.put('seat', person, new Uint8Array(100))
    expect(open().current).toBeUndefined()
  })

  it('[ID38] lists the displays that have not followed a move, until they confirm or close', async () => {
    seats.reportOpenDisplays(laptop.device, [{ display: display(1), name: 'one' }])
    seats.reportOpenDisplays(server.device, [
      { display: display(2), name: 'two' },
      { display: display(3), name: 'three' },
    ])
    const claim = seats.claim(seat(1), laptop.signer)
    const names = () => seats.unconfirmed.map(({ name }) => name)
    expect(names()).toEqual(['two', 'three'])
    seats.confirm(server.device, display(2), 'another claim')
    seats.confirm(laptop.device, display(2), claim.id)
    expect(names()).toEqual(['two', 'three'])
    seats.confirm(server.device, display(2), claim.id)
    expect(names()).toEqual(['three'])
    seats.reportOpenDisplays(server.device, [])
    expect(names()).toEqual([])
  })

  it('[ID38] a new claim starts the list anew, and beside asks nobody', async () => {
    seats.reportOpenDisplays(server.device, [{ display: display(2), name: 'two' }])
    const first = seats.claim(seat(1), laptop.signer)
    seats.confirm(server.device, display(2), first.id)
    seats.claim(seat(1), laptop.signer)
    expect(seats.unconfirmed).toHaveLength(1)
    seats.claim(seat(1, 'beside'), laptop.signer)
    expect(seats.unconfirmed).toHaveLength(0)
  })

  it('[ID38] a peer cannot fill memory with displays', async () => {
    seats.claim(seat(1), laptop.signer)
    seats.reportOpenDisplays(
      server.device,
      Array.from({ length: 5000 }, (_, n) => ({ display: `${n}` as DisplayId, name: `${n}` })),
    )
    expect(seats.unconfirmed).toHaveLength(MAX_OPEN_DISPLAYS)
  })

  it('[ID39] refuses garbage by name, whatever it is', async () => {
    const malformed = expect.objectContaining({ code: 'seat/malformed' })
    const { bytes } = claimOf(1, 1)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const broken = bytes.map((byte, i) => (i === at ? byte ^ mask : byte))
        expect(() => decodeSeatClaim(crypto, broken)).toThrow(malformed)
      }),
      { seed: 39, numRuns: 200 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1100 }), (garbage) => {
        expect(() => decodeSeatClaim(crypto, garbage)).toThrow(malformed)
      }),
      { seed: 40, numRuns: 200 },
    )
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeSeatClaim(crypto, bytes.subarray(0, length))).toThrow(malformed)
    expect(() => seats.take(new Uint8Array(5))).toThrow(malformed)
  })

  it('[ID39] cannot be claimed beyond what can still be counted', () => {
    expect(() => claimOf(1, 2 ** 40 + 1)).toThrow(expect.objectContaining({ code: 'seat/malformed' }))
  })
})

describe('isHigherClaim', () => {
  it('[ID35] orders all claims totally: the same winner in every order', () => {
    const claims = [claimOf(1, 1), claimOf(2, 1), claimOf(3, 2), claimOf(4, 2, 'beside', server), claimOf(5, 0)]
    const winnerOf = (order: readonly SeatClaim[]) =>
      order.reduce<SeatClaim | undefined>((best, one) => (isHigherClaim(one, best) ? one : best), undefined)
    const winner = winnerOf(claims)
    fc.assert(
      fc.property(fc.shuffledSubarray(claims, { minLength: claims.length }), (order) => {
        expect(winnerOf(order)?.id).toBe(winner?.id)
      }),
      { seed: 35 },
    )
    expect(isHigherClaim(claims[0] as SeatClaim, claims[0])).toBe(false)
  })
})

describe('judgeClaim', () => {
  const nowMs = 1_000_000
  const seated = { display: display(1), claim: claimOf(1, 5), lastInputAtMs: nowMs - RECENT_INPUT_MS }

  it.each([
    {
      name: 'a higher move locks at once while linked, input or not',
      claim: claimOf(2, 6),
      cut: false,
      input: nowMs,
      verdict: 'hand-over',
    },
    {
      name: 'a higher move after a cut asks whoever sits there',
      claim: claimOf(2, 6),
      cut: true,
      input: nowMs - RECENT_INPUT_MS,
      verdict: 'ask',
    },
    {
      name: 'a higher move after a cut locks when nobody did anything for 30 s',
      claim: claimOf(2, 6),
      cut: true,
      input: nowMs - RECENT_INPUT_MS - 1,
      verdict: 'hand-over',
    },
    {
      name: 'a higher move after a cut locks a display without any input',
      claim: claimOf(2, 6),
      cut: true,
      input: undefined,
      verdict: 'hand-over',
    },
    { name: 'beside locks nothing', claim: claimOf(2, 6, 'beside'), cut: false, input: undefined, verdict: 'stay' },
    { name: 'a lower move is old news', claim: claimOf(2, 4), cut: true, input: nowMs, verdict: 'stay' },
    { name: 'its own claim moves nobody', claim: claimOf(1, 6), cut: false, input: nowMs, verdict: 'stay' },
  ] as const)('[ID36] $name', ({ claim, cut, input, verdict }) => {
    expect(judgeClaim({ ...seated, lastInputAtMs: input }, claim, { nowMs, heardAfterCut: cut })).toBe(verdict)
  })

  it('[ID36] of two moves made at once, exactly one display hands over', () => {
    const [a, b] = [claimOf(1, 5), claimOf(2, 5, 'move', server)]
    const here = judgeClaim({ display: display(1), claim: a, lastInputAtMs: undefined }, b, { nowMs, heardAfterCut: false })
    const there = judgeClaim({ display: display(2), claim: b, lastInputAtMs: undefined }, a, { nowMs, heardAfterCut: false })
    expect([here, there].sort()).toEqual(['hand-over', 'stay'])
  })

  it.each([
    [undefined, SEAT_QUESTION_MS - 1, 'wait'],
    [undefined, SEAT_QUESTION_MS, 'lock'],
    ['stay', SEAT_QUESTION_MS - 1, 'claim-anew'],
    ['lock', 0, 'lock'],
  ] as const)('[ID37] answer %s after %i ms: %s', (answer, afterMs, outcome) => {
    expect(settleQuestion(nowMs, nowMs + afterMs, answer)).toBe(outcome)
  })
})
