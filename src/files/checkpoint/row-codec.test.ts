import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { fromHex, toHex } from '../../base/bytes.ts'
import { NodeFilesCrypto } from '../../platform/node/node-files-crypto.ts'
import { testSegmentSigner } from '../../testkit/file-device.ts'
import { testDatasetKeys } from '../../testkit/file-parts.ts'
import { SeededRandom } from '../../testkit/seeded-random.ts'
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
