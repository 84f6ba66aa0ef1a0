import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { concatBytes, fromHex, toHex } from '../../base/bytes.ts'
import { NodeFilesCrypto } from '../../platform/node/node-files-crypto.ts'
import { testSegmentSigner } from '../../testkit/file-device.ts'
import { testDatasetKeys } from '../../testkit/file-parts.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import type { ChunkId } from '../chunk-id.ts'
import type { NodeRecord } from '../node-record.ts'
import { type LogId, type NodeId, type OpId, ROOT_NODE } from '../op.ts'
import { decodePage, encodePage, type Row } from './page.ts'
import { encodeCheckpoint, openCheckpoint } from './checkpoint-codec.ts'
import { logRow, moveRow, nodeRow, readLogRow, readMoveRow, readNodeRow, readVersionRow, versionRow } from './row-codec.ts'

const log = 'a1'.repeat(12) as LogId
const at = (n: number) => ({ stamp: 1.7e15 + n, op: `${log}.${n}` as OpId })
const node = '0123456789abcdef0123456789abcdef' as NodeId
const chunk = 'c4'.repeat(32) as ChunkId
const device = testSegmentSigner(1).device
const head = (n: number, content: NodeRecord['heads'][number]['content']) => ({
  ...at(n),
  device,
  deviceName: 'Lampe ü',
  content,
  mtimeNs: 5n,
})
const manifest = {
  bytes: 2 ** 40 + 3,
  depth: 1,
  pieces: [
    { id: chunk, length: 70_000 },
    { id: undefined, length: 2 ** 40 },
  ],
}
const record: NodeRecord = {
  id: node,
  kind: 'file',
  created: at(1),
  parent: ROOT_NODE,
  parentAt: { stamp: -1, op: at(1).op },
  name: 'ü.txt',
  nameAt: at(4_000_000_000),
  mode: 0o7644,
  modeAt: at(3),
  mtimeNs: -12_345_678_901_234_567n,
  mtimeAt: at(3),
  xattrs: { 'user.b': { value: null, at: at(9) }, 'user.a': { value: 'YQ==', at: at(1) } },
  heads: [head(9, { kind: 'file', manifest }), head(8, { kind: 'link', target: '../x' }), head(7, { kind: 'removed' })],
  copies: ['f'.repeat(32) as NodeId],
  forgottenAt: 12,
  copyOf: { node: 'e'.repeat(32) as NodeId, op: at(2).op },
}
const plain: NodeRecord = { ...record, kind: 'folder', xattrs: {}, heads: [head(1, { kind: 'folder' })], copies: [] }
const { forgottenAt: _f, copyOf: _c, ...folder } = plain
const move = { ...at(5), node, parent: ROOT_NODE, before: { parent: ROOT_NODE, at: { stamp: -1, op: at(1).op } } }
const logHead = { log, device, start: '00112233aabbccdd', seq: 7, hash: 'd5'.repeat(32), ops: 4_001, stamp: 1.7e15 }
const rows: readonly Row[] = [
  nodeRow({ record, shown: undefined }),
  nodeRow({ record, shown: 'ü (01234567).txt' }),
  nodeRow({ record: { ...folder, id: 'ff'.repeat(16) as NodeId }, shown: 'ü.txt' }),
  moveRow(move),
  moveRow({ ...move, ...at(6), before: undefined }),
]

it('[CP4] rows are read as they were written, and no other way', () => {
  const deviceOf = () => device
  expect(readNodeRow(rows[0] as Row, deviceOf)).toEqual({ record, shown: undefined })
  expect(readNodeRow(rows[1] as Row, deviceOf)).toEqual({ record, shown: 'ü (01234567).txt' })
  expect(readNodeRow(rows[2] as Row, deviceOf)).toEqual({ record: { ...folder, id: 'ff'.repeat(16) }, shown: 'ü.txt' })
  expect(readMoveRow(rows[3] as Row)).toEqual(move)
  expect(readMoveRow(rows[4] as Row)).toEqual({ ...move, ...at(6), before: undefined })
  expect(readLogRow(logRow(logHead))).toEqual(logHead)
  const version = head(3, { kind: 'file', manifest })
  expect(readVersionRow(versionRow(node, version), deviceOf)).toEqual({ node, version })
  const random = new SeededRandom(3)
  for (let n = 0; n < 3_000; n++) {
    const row = random.pick(rows.slice(0, 3))
    const value = random.chance(0.3)
      ? row.value.slice(0, random.below(row.value.length))
      : row.value.map((byte) => (random.chance(0.03) ? random.below(256) : byte))
    try {
      readNodeRow({ ...row, value }, deviceOf)
    } catch (error) {
      expect(error).toMatchObject({ code: 'checkpoint/malformed' })
    }
  }
})

it('[CP4] a checkpoint and pages of format 1, written long ago, are read as they were written', () => {
  const crypto = new NodeFilesCrypto()
  const { dataset } = testDatasetKeys()
  const of = {
    dataset,
    device,
    epoch: 3,
    number: 9,
    atMs: 1_700_000_000_000,
    ops: 4_001,
    logs: chunk,
    state: 'ab'.repeat(32) as ChunkId,
    history: undefined,
  }
  const leaf = encodePage({ level: 0, entries: [...rows, { key: 'ff', parts: [{ id: chunk, length: 131_072 }] }] })
  const inner = encodePage({ level: 2, children: [{ first: '00', id: chunk, rows: 4_001 }] })
  const now = [encodeCheckpoint(crypto, of, testSegmentSigner(1)), leaf, inner].map(toHex)
  const golden = readFileSync(new URL('../golden/checkpoint-1.hex', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  expect(now).toEqual(golden)
  const [checkpoint, oldLeaf, oldInner] = golden.map(fromHex) as [Uint8Array, Uint8Array, Uint8Array]
  expect(openCheckpoint(crypto, dataset, checkpoint)).toEqual(of)
  expect(decodePage(oldLeaf)).toEqual({ level: 0, entries: [...rows, { key: 'ff', parts: [{ id: chunk, length: 131_072 }] }] })
  expect(decodePage(oldInner)).toEqual({ level: 2, children: [{ first: '00', id: chunk, rows: 4_001 }] })
})

it('[CP4] a row that says of itself more than can be is refused before it is read: attributes, heads, times, names, a value too long', () => {
  const deviceOf = () => device
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`user.${n}`, { value: 'YQ==', at: at(1) }]))
  const read = (of: Partial<NodeRecord>) => readNodeRow(nodeRow({ record: { ...record, ...of }, shown: undefined }), deviceOf)
  expect(Object.keys(read({ xattrs: many(4_096) }).record.xattrs).length).toBe(4_096)
  const strange = JSON.parse('{"__proto__": {"value": "YQ==", "at": {"stamp": 1, "op": "' + log + '.1"}}}')
  expect(Object.keys(read({ xattrs: strange }).record.xattrs)).toEqual(['__proto__'])
  const tooMuch: Partial<NodeRecord>[] = [
    { xattrs: many(4_097) },
    { xattrs: { ['n'.repeat(1_021)]: { value: null, at: at(1) } } },
    { xattrs: { 'user.x': { value: 'a'.repeat(128 * 1024 + 1), at: at(1) } } },
    { heads: Array.from({ length: 4_097 }, (_, n) => head(n, { kind: 'removed' })) },
    { copies: Array.from({ length: 4_097 }, () => node) },
    { name: 'n'.repeat(256) },
    {
      heads: [
        head(1, { kind: 'file', manifest: { bytes: 65, depth: 0, pieces: Array.from({ length: 65 }, () => ({ id: chunk, length: 1 })) } }),
      ],
    },
  ]
  for (const of of tooMuch) expect(() => read(of), Object.keys(of).join()).toThrow(malformed)
  expect(() => decodePage(encodePage({ level: 0, entries: [{ key: 'aa', value: new Uint8Array(128 * 1024) }] }))).toThrow(malformed)
  const parts = Array.from({ length: 129 }, () => ({ id: chunk, length: 128 * 1024 }))
  expect(() => decodePage(encodePage({ level: 0, entries: [{ key: 'aa', parts }] }))).toThrow(malformed)
  const entries = Array.from({ length: 8_193 }, (_, n) => ({ key: n.toString(16).padStart(4, '0'), value: Uint8Array.of(1) }))
  expect(decodePage(encodePage({ level: 0, entries: entries.slice(1) }))).toMatchObject({ level: 0 })
  expect(() => decodePage(encodePage({ level: 0, entries }))).toThrow(malformed)
})

it('[CP4] pages and rows with any bytes and numbers changed are read or refused as malformed, and say no more than they may', () => {
  const random = new SeededRandom(seedOfRun())
  const rounds = roundsOfRun(20_000, 1_000_000)
  const leaf = encodePage({ level: 0, entries: [...rows, { key: 'ff', parts: [{ id: chunk, length: 131_072 }] }] })
  const inner = encodePage({ level: 2, children: [{ first: '00', id: chunk, rows: 4_001 }] })
  /** A number of up to 2^63 where one lies: what says how much there is, most of all. */
  const huge = () => Uint8Array.from({ length: 1 + random.below(9) }, (_, n) => (n === 8 ? 1 : 128 + random.below(128)))
  const spoilt = (bytes: Uint8Array) => {
    const at = random.below(bytes.length)
    const what = random.below(4)
    if (what === 0) return bytes.slice(0, at)
    if (what === 1) return concatBytes(bytes.slice(0, at), huge(), bytes.slice(at + random.below(3)))
    if (what === 2) return concatBytes(bytes.slice(0, at), random.bytes(random.below(40)), bytes.slice(at))
    return bytes.map((byte) => (random.chance(0.02) ? random.below(256) : byte))
  }
  let refused = 0
  const malformedOr = (work: () => void) => {
    try {
      work()
    } catch (error) {
      expect(error).toEqual(malformed)
      refused++
    }
  }
  for (let n = 0; n < rounds; n++) {
    malformedOr(() => {
      const page = decodePage(spoilt(random.chance(0.7) ? leaf : inner))
      expect('entries' in page ? page.entries.length : page.children.length).toBeLessThanOrEqual(8_192)
    })
    malformedOr(() => {
      const row = random.pick(rows.slice(0, 3))
      const { record } = readNodeRow({ ...row, value: spoilt(row.value) }, () => device)
      expect(Math.max(record.heads.length, record.copies.length, Object.keys(record.xattrs).length)).toBeLessThanOrEqual(4_096)
    })
    malformedOr(() => readMoveRow({ ...(rows[3] as Row), value: spoilt((rows[3] as Row).value) }))
    malformedOr(() => readLogRow({ key: log, value: spoilt(logRow(logHead).value) }))
  }
  console.info(`pages and rows of checkpoints, changed at random: seed ${seedOfRun()}, ${rounds} rounds, ${refused} refused`)
  expect(refused).toBeGreaterThan(rounds)
})

const malformed = expect.objectContaining({ code: 'checkpoint/malformed' }) as Error
