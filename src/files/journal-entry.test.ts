import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { fromHex, toHex } from '../base/bytes.ts'
import type { DeviceId } from '../base/ids.ts'
import { decodeEntry, encodeEntry, type JournalEntry } from './journal-entry.ts'
import type { Head, NodeRecord } from './node-record.ts'
import { type LogId, type Mark, type NodeId, type OpId, ROOT_NODE } from './op.ts'
import type { ChunkId } from './chunk-id.ts'

const mark = (n: number): Mark => ({ stamp: 1000 + n, op: `${'ab'.repeat(12)}.${n}` as OpId })
const node = '1'.repeat(32) as NodeId

function fileOf(name: string): { head: Head; record: NodeRecord } {
  const manifest = { bytes: 5, depth: 0, pieces: [{ id: 'c'.repeat(64) as ChunkId, length: 5 }] }
  const head = { ...mark(2), device: 'd1' as DeviceId, deviceName: 'Lamp', content: { kind: 'file' as const, manifest }, mtimeNs: 7n }
  const at = { created: mark(1), parentAt: mark(1), nameAt: mark(1), modeAt: mark(3), mtimeAt: mark(2) }
  const record: NodeRecord = {
    id: node,
    kind: 'file',
    parent: ROOT_NODE,
    name,
    mode: 0o644,
    mtimeNs: 7n,
    ...at,
    xattrs: {},
    heads: [head],
    copies: [],
  }
  return { head, record }
}

function entryOf(name: string, more: Partial<JournalEntry> = {}): JournalEntry {
  const { head, record } = fileOf(name)
  const op = { id: mark(3).op, stamp: 1003, body: { kind: 'attributes' as const, node, mode: 0o644 } }
  return {
    nodes: [{ record, shown: name }],
    goneNodes: [],
    versions: [{ node, version: head }],
    goneVersions: [],
    moves: [],
    goneMoves: [],
    heads: [],
    values: [{ space: 's', key: 'k', value: Uint8Array.of(1, 2) }],
    segments: [],
    tail: { isWhole: false, ops: [op] },
    ...more,
  }
}

it.each(['plain', 'ä', '\u{1f600}', 'quote"\\ \n'])('[DS8] an entry is read as it was written (%j)', (name) => {
  const { head, record } = fileOf(name)
  const folder: NodeRecord = { ...record, id: '2'.repeat(32) as NodeId, kind: 'folder', heads: [{ ...head, content: { kind: 'folder' } }] }
  const rare: NodeRecord = {
    ...record,
    xattrs: { 'user.a': { value: 'eA', at: mark(9) }, 'user.b': { value: null, at: mark(8) } },
    copies: ['3'.repeat(32) as NodeId],
    forgottenAt: 12,
    copyOf: { node: '4'.repeat(32) as NodeId, op: mark(5).op },
    heads: [head, { ...head, ...mark(6), content: { kind: 'removed' } }, { ...head, ...mark(7), content: { kind: 'link', target: name } }],
  }
  const log = 'ab'.repeat(12) as LogId
  const segment = { log, seq: 1, bytes: Uint8Array.of(9, 8, 7) }
  const segments = [{ segment, head: { log, device: 'd1', seq: 1, hash: 'h', ops: 3, stamp: 1003 } }]
  const entries = [
    entryOf(name),
    entryOf(name, { values: [] }),
    entryOf(name, {
      nodes: [
        { record, shown: `${name} (2)` },
        { record: folder, shown: undefined },
      ],
    }),
    entryOf(name, {
      nodes: [{ record: rare, shown: name }],
      versions: [
        { node, version: rare.heads[2] as Head },
        { node, version: { ...head, ...mark(11) } },
      ],
    }),
    entryOf(name, {
      nodes: [],
      heads: [{ log: 'cd'.repeat(12) as LogId, device: 'd', seq: 3, hash: 'h', ops: 7, stamp: 1000 }],
      segments,
      goneNodes: [node],
      goneVersions: [[node, mark(1).op]],
      values: [{ space: 's', key: 'gone', value: undefined }],
    }),
  ]
  for (const entry of entries) expect(decodeEntry(encodeEntry(entry))).toEqual(entry)
})

it('[DS8] what an earlier version of this program left is read', () => {
  const golden = readFileSync(new URL('golden/journal-1.hex', import.meta.url), 'utf8').trim()
  expect(decodeEntry(fromHex(golden))).toEqual(entryOf('ä'))
})

/** With all that an entry of format 2 may hold. */
function fullEntry(): JournalEntry {
  const { head, record } = fileOf('ä')
  const folder: NodeRecord = { ...record, id: '2'.repeat(32) as NodeId, kind: 'folder', heads: [{ ...head, content: { kind: 'folder' } }] }
  const rare: NodeRecord = {
    ...record,
    id: '5'.repeat(32) as NodeId,
    xattrs: { 'user.a': { value: 'eA', at: mark(9) }, 'user.b': { value: null, at: mark(8) } },
    copies: ['3'.repeat(32) as NodeId],
    forgottenAt: 12,
    copyOf: { node: '4'.repeat(32) as NodeId, op: mark(5).op },
    heads: [head, { ...head, ...mark(6), content: { kind: 'removed' } }, { ...head, ...mark(7), content: { kind: 'link', target: 'to' } }],
  }
  const [log, other] = ['ab'.repeat(12) as LogId, 'cd'.repeat(12) as LogId]
  const place = { parent: ROOT_NODE, at: mark(1) }
  return entryOf('ä', {
    nodes: [
      { record, shown: 'ä' },
      { record: folder, shown: undefined },
      { record: rare, shown: 'ä (2)' },
    ],
    goneNodes: ['6'.repeat(32) as NodeId],
    versions: [
      { node, version: head },
      { node: rare.id, version: rare.heads[2] as Head },
      { node, version: { ...head, ...mark(11) } },
    ],
    goneVersions: [[node, mark(1).op]],
    moves: [
      { ...mark(4), node: folder.id, parent: node, before: place },
      { ...mark(5), node: folder.id, parent: ROOT_NODE, before: undefined },
    ],
    goneMoves: [mark(6).op],
    values: [
      { space: 's', key: 'k', value: Uint8Array.of(1, 2) },
      { space: 's', key: 'gone', value: undefined },
    ],
    heads: [{ log: other, device: 'd', start: '0'.repeat(16), seq: 3, hash: 'h', ops: 7, stamp: 1000, coveredBy: [log, 1] }],
    segments: [
      { segment: { log, seq: 1, bytes: Uint8Array.of(9, 8, 7) }, head: { log, device: 'd1', seq: 1, hash: 'h', ops: 3, stamp: 1003 } },
    ],
    tail: { isWhole: true, ops: entryOf('ä').tail.ops },
  })
}

it('[DS8] an entry of format 2, written long ago, is read as it was written, and is written so today', () => {
  const golden = readFileSync(new URL('golden/journal-2.hex', import.meta.url), 'utf8').trim()
  expect(decodeEntry(fromHex(golden))).toEqual(fullEntry())
  expect(toHex(encodeEntry(fullEntry()))).toBe(golden)
})

it('[DS8] an entry of many nodes, each with its version, reads each node a few times, not once for each version', () => {
  const count = 3_000
  let reads = 0
  const files = Array.from({ length: count }, (_, n) => {
    const { head, record } = fileOf('f')
    return { head, record: { ...record, id: n.toString(16).padStart(32, '0') as NodeId } }
  })
  const counted = ({ record }: { record: NodeRecord }) => ({
    shown: undefined,
    get record() {
      reads++
      return record
    },
  })
  const entry = entryOf('f', {
    nodes: files.map(counted),
    versions: files.map(({ head, record }) => ({ node: record.id, version: head })),
  })
  const bytes = encodeEntry(entry)
  expect(reads).toBeLessThanOrEqual(4 * count)
  const read = decodeEntry(bytes)
  expect(read.versions).toEqual(entry.versions)
})
