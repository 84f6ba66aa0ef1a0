import fc from 'fast-check'
import * as encoding from 'lib0/encoding'
import { beforeEach, describe, expect, it } from 'vitest'
import { toBase58 } from '../base/base58.ts'
import type { DisplayId, PersonId } from '../base/ids.ts'
import { SodiumCrypto } from '../platform/node/sodium-crypto.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import { createTestDevice, TestMembers } from '../testkit/test-devices.ts'
import { judgeClaim, RECENT_INPUT_MS, SEAT_QUESTION_MS, settleQuestion } from './judge-claim.ts'
import { decodeSeatClaim, isHigherClaim, signSeatClaim, type SeatClaim, type SeatHow } from './seat-claim.ts'
import { MAX_OPEN_DISPLAYS, MAX_TOLD_BYTES, SeatClaims } from './seat-claims.ts'
import { roundsOfRun } from '../testkit/seeded-random.ts'

const crypto = new SodiumCrypto()
const [laptop, server, stranger] = [createTestDevice(1), createTestDevice(2), createTestDevice(3)]
const display = (n: number) => toBase58(new Uint8Array(16).fill(n)) as DisplayId
const person = 'person' as PersonId
const claimOf = (n: number, counter: number, how: SeatHow = 'move', device = laptop): SeatClaim =>
  signSeatClaim(crypto, { display: display(n), displayName: `display ${n}`, counter, how, atMs: 5 }, device.signer)

/** What a peer that holds these claims tells. */
const told = (...claims: readonly Pick<SeatClaim, 'bytes'>[]): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, claims.length)
    for (const { bytes } of claims) encoding.writeVarUint8Array(encoder, bytes)
  })

describe('SeatClaims', () => {
  const clock = new ManualClock(1_700_000_000_000)
  let store: MemoryKeyValueStore
  let seats: SeatClaims
  let list: TestMembers
  const open = (at = store) => SeatClaims.open({ crypto, clock, person, store: at, list })
  const seat = (n: number, how: SeatHow = 'move') => ({ display: display(n), displayName: `display ${n}`, how })

  beforeEach(async () => {
    store = new MemoryKeyValueStore()
    list = new TestMembers(laptop, server)
    seats = open()
  })

  it('[ID35] claims above all it has heard, and keeps the claim through a restart', async () => {
    expect(seats.current).toBeUndefined()
    seats.take(told(claimOf(2, 7, 'move', server)))
    const mine = seats.claim(seat(1), laptop.signer)
    expect(mine).toMatchObject({ counter: 8, how: 'move', device: laptop.device, atMs: clock.nowMs() })
    expect(open().current).toMatchObject({ id: mine.id, counter: 8 })
  })

  it('[ID35] passes on what others signed, and is not moved by what is old', async () => {
    const news = claimOf(2, 3, 'move', server)
    expect(seats.take(told(news))).toMatchObject([{ id: news.id }])
    expect(seats.take(told(news))).toEqual([])
    expect(seats.take(told(claimOf(1, 2)))).toEqual([])
    expect(seats.encode()).toEqual(told(news))
  })

  it('[ID35] two claims with one counter end alike on both devices', async () => {
    const other = open(new MemoryKeyValueStore())
    const [a, b] = [seats.claim(seat(1), laptop.signer), other.claim(seat(2), server.signer)]
    expect(a.counter).toBe(b.counter)
    seats.take(told(b))
    other.take(told(a))
    expect(seats.current?.id).toBe(other.current?.id)
  })

  it('[ID35] takes no claim of a device that is not on the list', async () => {
    expect(() => seats.take(told(claimOf(1, 9, 'move', stranger)))).toThrow(expect.objectContaining({ code: 'seat/refused' }))
    expect(seats.current).toBeUndefined()
    const mixed = told(claimOf(1, 1), claimOf(2, 2, 'move', stranger))
    expect(() => seats.take(mixed)).toThrow(expect.objectContaining({ code: 'seat/refused' }))
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

  it('[ID38] a device that was removed has nothing to follow', () => {
    seats.reportOpenDisplays(server.device, [{ display: display(2), name: 'two' }])
    seats.claim(seat(1), laptop.signer)
    expect(seats.unconfirmed).toHaveLength(1)
    list.members.delete(server.device)
    expect(seats.unconfirmed).toEqual([])
  })

  it('[ID38] a new move starts the list anew', () => {
    seats.reportOpenDisplays(server.device, [{ display: display(2), name: 'two' }])
    const first = seats.claim(seat(1), laptop.signer)
    seats.confirm(server.device, display(2), first.id)
    expect(seats.unconfirmed).toHaveLength(0)
    seats.claim(seat(1), laptop.signer)
    expect(seats.unconfirmed).toHaveLength(1)
  })

  it('[ID38] who sits down beside is not asked to follow, and changes nothing for who still has to', () => {
    seats.reportOpenDisplays(server.device, [
      { display: display(2), name: 'two' },
      { display: display(3), name: 'three' },
    ])
    seats.claim(seat(1), laptop.signer)
    seats.take(told(claimOf(2, 2, 'beside', server)))
    expect(seats.current).toMatchObject({ counter: 2, how: 'beside' })
    expect(seats.unconfirmed.map(({ name }) => name)).toEqual(['three'])
  })

  it('[ID35] a beside does not hide the move below it from who was cut off', () => {
    const move = claimOf(1, 6)
    const beside = claimOf(2, 7, 'beside', server)
    expect(seats.take(told(move, beside))).toMatchObject([{ id: move.id }, { id: beside.id }])
    expect(seats.encode()).toEqual(told(move, beside))
    expect(seats.encode().length).toBeLessThan(MAX_TOLD_BYTES)
    const late = open(new MemoryKeyValueStore())
    late.take(told(beside))
    expect(late.take(seats.encode())).toMatchObject([{ id: move.id }])
    expect([late.lastMove?.id, late.current?.id]).toEqual([move.id, beside.id])
    expect(open().encode()).toEqual(seats.encode())
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
      { seed: 39, numRuns: roundsOfRun(200, 2_000) },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1100 }), (garbage) => {
        expect(() => decodeSeatClaim(crypto, garbage)).toThrow(malformed)
      }),
      { seed: 40, numRuns: roundsOfRun(200, 2_000) },
    )
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeSeatClaim(crypto, bytes.subarray(0, length))).toThrow(malformed)
    for (const garbage of [
      new Uint8Array(0),
      new Uint8Array(5),
      Uint8Array.of(3, 0, 0, 0),
      Uint8Array.of(1, 200),
      told(claimOf(1, 1), claimOf(2, 2), claimOf(3, 3)),
    ]) {
      expect(() => seats.take(garbage)).toThrow(malformed)
    }
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
