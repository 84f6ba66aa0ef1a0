import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fakeDevice } from '../testkit/fake-identity.ts'
import { BoundedReader } from './bounded-reader.ts'
import { CausalState } from './causal-state.ts'
import type { StartId } from './client-ids.ts'
import { chainKeyOf, type EnvelopeRef } from './envelope.ts'
import { Frontier, readFrontier, writeFrontier } from './frontier.ts'
import { encoding } from './lib0.ts'

const ref = fc.record({
  device: fc.constantFrom(fakeDevice('A'), fakeDevice('B'), fakeDevice('C')),
  start: fc.constantFrom('0000000000000001' as StartId, '0000000000000002' as StartId),
  seq: fc.integer({ min: 1, max: 9 }),
})
const frontier = fc.array(ref, { maxLength: 8 }).map((refs) => new Frontier(refs))

const encode = (given: Frontier): Uint8Array => {
  const encoder = encoding.createEncoder()
  writeFrontier(encoder, given)
  return encoding.toUint8Array(encoder)
}

describe('frontiers', () => {
  it('[SY13] a frontier is read back as it was; equal ones have equal bytes', () => {
    fc.assert(
      fc.property(fc.array(ref, { maxLength: 8 }), (refs) => {
        const bytes = encode(new Frontier(refs))
        expect(encode(readFrontier(new BoundedReader(bytes, 'a frontier')))).toEqual(bytes)
        expect(encode(new Frontier([...refs].reverse()))).toEqual(bytes)
      }),
    )
  })

  it('[SY14] what is missing, once taken, makes both equal', () => {
    fc.assert(
      fc.property(frontier, frontier, (ours, theirs) => {
        const joined = ours.clone()
        for (const missing of ours.missingFrom(theirs)) {
          expect(ours.covers(missing)).toBe(false)
          expect(theirs.covers(missing)).toBe(true)
        }
        for (const one of theirs.refs()) joined.advance(one)
        expect(joined.missingFrom(theirs)).toEqual([])
        expect(joined.missingFrom(ours)).toEqual([])
        const order = { same: 'same', behind: 'ahead', ahead: 'behind', apart: 'apart' } as const
        expect(theirs.compare(ours)).toBe(order[ours.compare(theirs)])
        expect(ours.compare(theirs) === 'same').toBe(encode(ours).join() === encode(theirs).join())
      }),
    )
  })

  it('[SY14] it never moves back', () => {
    const one = new Frontier([{ device: fakeDevice('A'), start: '0000000000000001' as StartId, seq: 5 }])
    one.advance({ device: fakeDevice('A'), start: '0000000000000001' as StartId, seq: 3 })
    expect(one.seqOf({ device: fakeDevice('A'), start: '0000000000000001' as StartId })).toBe(5)
  })
})

/** A random history of three chains: each envelope names the heads its author saw. */
function history(choices: readonly number[]): (EnvelopeRef & { deps: EnvelopeRef[] })[] {
  const views = ['A', 'B', 'C'].map((name) => ({
    ref: { device: fakeDevice(name), start: '0000000000000001' as StartId, seq: 0 },
    state: new CausalState(),
  }))
  const made: (EnvelopeRef & { deps: EnvelopeRef[] })[] = []
  for (const choice of choices) {
    const author = views[choice % 3] as (typeof views)[number]
    const source = views[Math.floor(choice / 3) % 3] as (typeof views)[number]
    // first takes in what another one has, in causal order
    for (const envelope of made) {
      if (source.state.frontier.covers(envelope) && !author.state.frontier.covers(envelope))
        author.state.advance(envelope, hashOf(envelope))
    }
    const own = { ...author.ref, seq: author.state.frontier.seqOf(author.ref) + 1 }
    const envelope = { ...own, deps: author.state.headsBeside(chainKeyOf(own)) }
    author.state.advance(envelope, hashOf(envelope))
    made.push(envelope)
  }
  return made
}
const hashOf = (given: EnvelopeRef): Uint8Array => new Uint8Array(32).fill(given.seq)
const bytesOf = (state: CausalState): Uint8Array => {
  const encoder = encoding.createEncoder()
  state.write(encoder)
  return encoding.toUint8Array(encoder)
}

describe('causal state', () => {
  it('[SY15] heads are what nothing here builds on; with the predecessors they imply everything', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 8 }), { maxLength: 30 }), (choices) => {
        const all = history(choices)
        const state = new CausalState()
        for (const envelope of all) state.advance(envelope, hashOf(envelope))
        const named = new Set(
          all
            .flatMap(({ deps, device, seq }) => [...deps, { device, start: '0000000000000001', seq: seq - 1 }])
            .map((one) => `${one.device}${one.seq}`),
        )
        const heads = all.filter(({ device, seq }) => !named.has(`${device}${seq}`))
        expect(new Set(state.headsBeside('').map((one) => `${one.device}${one.seq}`))).toEqual(
          new Set(heads.map((one) => `${one.device}${one.seq}`)),
        )
      }),
    )
  })

  it('[SY15] merging two views is the view of both, and is read back as it was', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 8 }), { maxLength: 30 }), fc.nat(), fc.nat(), (choices, some, others) => {
        const all = history(choices)
        const view = (pick: number): CausalState => {
          const state = new CausalState()
          for (const [index, envelope] of all.entries()) {
            const isNext = state.frontier.seqOf(envelope) === envelope.seq - 1 && envelope.deps.every((dep) => state.frontier.covers(dep))
            if (isNext && (pick >> (index % 24)) % 2 === 0) state.advance(envelope, hashOf(envelope))
          }
          return state
        }
        const [one, two] = [view(some), view(others)]
        const both = new CausalState()
        for (const envelope of all) {
          if (one.frontier.covers(envelope) || two.frontier.covers(envelope)) both.advance(envelope, hashOf(envelope))
        }
        one.merge(two)
        expect(bytesOf(one)).toEqual(bytesOf(both))
        expect(bytesOf(CausalState.read(new BoundedReader(bytesOf(both), 'a state')))).toEqual(bytesOf(both))
      }),
    )
  })
})
