import * as Y from 'yjs'
import { describe, expect, it } from 'vitest'
import type { DocId } from '../base/ids.ts'
import { EnvelopeAuthor, updateOf, type Forgery } from '../testkit/envelope-author.ts'
import { fakeDevice } from '../testkit/fake-identity.ts'
import { GateBench } from '../testkit/gate-bench.ts'
import type { StartId } from './client-ids.ts'
import { MAX_UPDATE_BYTES } from './envelope.ts'
import type { GateRule } from './gate.ts'

const OTHER_START = '9999999999999999' as StartId
const EMPTY = Uint8Array.of(0, 0)

interface Case {
  readonly name: string
  /** Makes the envelope to judge; `before` has been admitted as B's first. */
  readonly make: (author: EnvelopeAuthor, work: Y.Doc) => Uint8Array
  readonly code: string
  /** Left out, the same envelope is judged otherwise. */
  readonly rule?: GateRule
}

const forge =
  (forgery: Forgery) =>
  (author: EnvelopeAuthor, work: Y.Doc): Uint8Array =>
    author.forge(
      updateOf(work, (doc) => doc.getMap('m').set('x', 1)),
      forgery,
    )

const cases: readonly Case[] = [
  { name: 'the next of its chain', make: forge({}), code: 'pass' },
  { name: 'another document', make: forge({ doc: 'text/other' as DocId }), code: 'sync/wrong-doc', rule: 'doc' },
  {
    name: 'bytes changed after signing',
    make: (author, work) => {
      const bytes = forge({})(author, work)
      bytes[bytes.length - 70] = (bytes[bytes.length - 70] as number) ^ 1
      return bytes
    },
    code: 'sync/bad-signature',
    rule: 'signature',
  },
  { name: 'a predecessor that is not here', make: forge({ seq: 3 }), code: 'wait', rule: 'deps' },
  {
    name: 'a dependency that is not here',
    make: forge({ deps: [{ device: fakeDevice('M'), start: OTHER_START, seq: 1 }] }),
    code: 'wait',
    rule: 'deps',
  },
  { name: 'another predecessor', make: forge({ prevHash: new Uint8Array(32).fill(7) }), code: 'sync/broken-chain', rule: 'chain' },
  {
    name: 'a client id of another start, not named',
    make: forge({ clients: [{ start: OTHER_START, n: 1 }] }),
    code: 'sync/foreign-client',
    rule: 'client',
  },
  { name: 'a seal for another place', make: forge({ context: 'elsewhere' }), code: 'sync/no-epoch-key' },
  { name: 'no Yjs update', make: (author) => author.forge(Uint8Array.of(255, 255, 255)), code: 'sync/malformed' },
  {
    name: 'an update over the cap',
    make: (author) => author.forge(new Uint8Array(MAX_UPDATE_BYTES + 1)),
    code: 'sync/too-large',
    rule: 'size',
  },
  {
    name: '[SY23] text under a parent that is not here',
    make: (author) => {
      const foreign = new EnvelopeAuthor('M').doc()
      foreign.getMap('m').set('t', new Y.Text('unseen'))
      const doc = author.doc(foreign)
      return author.forge(updateOf(doc, () => (doc.getMap('m').get('t') as Y.Text).insert(0, 'x')))
    },
    code: 'sync/missing-dependency',
    rule: 'dependency',
  },
  {
    name: 'a sub-document',
    make: (author, work) => author.forge(updateOf(work, (doc) => doc.getMap('m').set('d', new Y.Doc()))),
    code: 'sync/forbidden-content',
    rule: 'content',
  },
  { name: 'nothing at all', make: (author) => author.forge(EMPTY, { clients: [] }), code: 'pass' },
  { name: 'cut short', make: (author, work) => forge({})(author, work).subarray(0, 120), code: 'sync/malformed' },
  { name: 'another format', make: () => Uint8Array.of(2, 0, 0, 0), code: 'sync/version' },
]

function prepared(without?: GateRule) {
  const author = new EnvelopeAuthor('B')
  const bench = new GateBench(without)
  const work = author.doc()
  const first = author.seal(updateOf(work, (doc) => doc.getMap('m').set('first', true)))
  expect(bench.judge(first)).toBe('pass')
  return { author, bench, work, first }
}

describe('the gate', () => {
  it.each(cases)('[SY30] $name: $code', ({ make, code }) => {
    const { author, bench, work } = prepared()
    expect(bench.judge(make(author, work))).toBe(code)
    expect(bench.hasPending).toBe(false)
  })

  it.each(cases.filter((one) => one.rule))('[SY30] $name is stopped by the rule "$rule" and no other', ({ make, code, rule }) => {
    const { author, bench, work } = prepared(rule)
    expect(bench.judge(make(author, work))).not.toBe(code)
  })

  it('[SY32] the same bytes again are known; the gate answers the same after pruning', () => {
    const { author, bench, work, first } = prepared()
    expect(bench.judge(first)).toBe('known')
    bench.judge(author.seal(updateOf(work, (doc) => doc.getMap('m').set('x', 2))))
    bench.log.prune('workspace' as DocId, bench.causal.frontier, 1)
    expect(bench.judge(first)).toBe('known')
  })

  it('[SY33] other bytes under one name, signed: a copied folder, both shown', () => {
    const { author, bench, first } = prepared()
    author.seq = 0
    const twin = author.forge(EMPTY, { clients: [], prevHash: new Uint8Array(32) })
    const verdict = bench.admit(twin)
    expect(verdict).toMatchObject({ kind: 'copied', found: { device: author.device, seq: 1 } })
    expect(verdict.kind === 'copied' && [verdict.found.first, verdict.found.second]).toEqual([first, twin])
    expect(bench.gate.examineProof(first, twin)).toMatchObject({ device: author.device, seq: 1 })
    expect(new GateBench().gate.examineProof(first, twin)).toMatchObject({ device: author.device, seq: 1 })
    expect(new GateBench().gate.examineProof(first, first)).toBeUndefined()
  })

  it('[SY33] other bytes under one name, not signed by it: no proof of anything', () => {
    const { author, bench } = prepared()
    author.seq = 0
    const twin = author.forge(EMPTY, { clients: [], prevHash: new Uint8Array(32) })
    twin[twin.length - 1] = (twin[twin.length - 1] as number) ^ 1
    expect(bench.judge(twin)).toBe('sync/bad-signature')
  })

  it('[SY33] an envelope of this very start that this device did not make comes from its copy', () => {
    const bench = new GateBench()
    const self = new EnvelopeAuthor('A', { start: 'aaaaaaaaaaaaaaaa' })
    expect(bench.judge(self.forge(EMPTY, { clients: [] }))).toBe('copied')
    expect(bench.judge(new EnvelopeAuthor('A', { start: OTHER_START }).forge(EMPTY, { clients: [] }))).toBe('pass')
  })

  it('[SY33] a paused device gets nothing in', () => {
    const { author, bench, work } = prepared()
    bench.paused.add(author.device)
    expect(bench.judge(forge({})(author, work))).toBe('sync/paused')
  })

  it('[SY21] clocks that are known already are no gap: a display sends again what it is not sure of', () => {
    const { author, bench, work } = prepared()
    const again = author.forge(Y.encodeStateAsUpdate(work))
    expect(bench.judge(again)).toBe('pass')
    expect(bench.doc.getMap('m').toJSON()).toEqual({ first: true })
  })
})
