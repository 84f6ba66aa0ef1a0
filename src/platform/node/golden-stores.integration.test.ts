import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { fromHex, fromUtf8, utf8 } from '../../base/bytes.ts'
import type { ChunkId } from '../../files/chunk-id.ts'
import type { DatasetStore } from '../../files/dataset-store.ts'
import { EMPTY_MANIFEST } from '../../files/manifest.ts'
import type { Head, NodeRecord } from '../../files/node-record.ts'
import type { LogId, NodeId, OpId } from '../../files/op.ts'
import type { DeviceId } from '../../base/ids.ts'
import { FilesSealer } from './files-sealer.ts'
import { PackChunkStore } from './pack-chunk-store.ts'
import { decodeRecordHead, encodeRecordHead, type PackRecord } from './pack-record.ts'
import { SqliteDatasetStore } from './sqlite-dataset-store.ts'

const golden = (name: string) => new URL(`golden/${name}`, import.meta.url)
const sealer = () => new FilesSealer(new Uint8Array(32).fill(5))

const RECORDS: readonly PackRecord[] = [
  { kind: 'chunk', id: 'a1'.repeat(32) as ChunkId, epoch: 7, length: 5, digest: fromHex('d1'.repeat(32)) },
  { kind: 'dropped', id: 'b2'.repeat(32) as ChunkId, epoch: 0, length: 0, digest: new Uint8Array(32) },
]

it('[CS7] heads of records of format 1, written long ago, are read as they were written, and are written so today', () => {
  const lines = readFileSync(golden('pack-record-1.hex'), 'utf8').trim().split('\n')
  expect(lines.map((line) => decodeRecordHead(Buffer.from(line, 'hex')))).toEqual(RECORDS)
  expect(RECORDS.map((record) => encodeRecordHead(record).toString('hex'))).toEqual(lines)
  for (const at of [0, 4, 8, 20, 60, 83]) {
    const changed = Buffer.from(lines[0] as string, 'hex')
    changed[at] = (changed[at] as number) ^ 1
    expect(decodeRecordHead(changed)).toBeUndefined()
  }
})

it('[CS7] a pack of format 1, written long ago, is read as it was written', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-golden-'))
  try {
    writeFileSync(path.join(folder, '00000001.pack'), Buffer.from(readFileSync(golden('pack-1.hex'), 'utf8').trim(), 'hex'))
    const store = new PackChunkStore(folder)
    const id = '1'.repeat(64) as ChunkId
    expect([...store.ids()]).toEqual([id])
    expect(await store.get(id)).toEqual({ id, epoch: 3, bytes: utf8('sealed bytes of long ago') })
    store.dispose()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

const node = '0123456789abcdef0123456789abcdef' as NodeId
const mark = { stamp: 1_700_000_000_000_000, op: `${'a'.repeat(24)}.3` as OpId }
const head: Head = {
  ...mark,
  device: 'FR5pWwinRBn35GNhg7bsvw8Q13kRept2pm561DwZCQzT' as DeviceId,
  deviceName: 'Lamp',
  content: { kind: 'file', manifest: { ...EMPTY_MANIFEST, bytes: 9, pieces: [{ id: 'c'.repeat(64) as ChunkId, length: 9 }] } },
  mtimeNs: 1_700_000_000_123_456_789n,
}
const at = { created: mark, parentAt: mark, nameAt: mark, modeAt: mark, mtimeAt: mark }
const record: NodeRecord = {
  ...{ id: node, kind: 'file', parent: '0'.repeat(32) as NodeId, name: 'ü.txt', mode: 0o644, mtimeNs: head.mtimeNs, ...at },
  xattrs: { 'user.a': { value: 'AAE', at: mark } },
  heads: [head],
  copies: [],
}
const log = 'b'.repeat(24) as LogId
const logHead = { log, device: head.device, start: '00112233aabbccdd', seq: 2, hash: 'd'.repeat(64), ops: 5, stamp: mark.stamp }
const op = { ...mark, id: mark.op, body: { kind: 'move' as const, node, name: 'b' } }
const move = {
  ...mark,
  node,
  parent: '1'.repeat(32) as NodeId,
  before: { parent: '0'.repeat(32) as NodeId, at: { stamp: -1, op: mark.op } },
}

/** One row of each kind. */
function fill(store: DatasetStore): void {
  store.transaction(() => {
    store.putNode(record, 'ü (shown).txt')
    store.putNode({ ...record, id: 'f'.repeat(32) as NodeId, name: 'gone', heads: [{ ...head, content: { kind: 'removed' } }] }, undefined)
    store.putVersion(node, head)
    store.putMove(move)
    store.putTail({ id: op.id, stamp: op.stamp, body: op.body })
    store.putSegment({ log, seq: 2, bytes: utf8('a segment') }, logHead)
    store.putValue('space', 'key', utf8('value'))
  })
}

function expectAll(store: DatasetStore): void {
  expect(store.node(node)).toEqual(record)
  expect([store.shownName(node), store.shownNode(record.parent, 'ü (shown).txt')]).toEqual(['ü (shown).txt', node])
  expect(store.namesakes(record.parent, 'ü.txt')).toEqual([node])
  expect(store.removedNodes().map(({ name }) => name)).toEqual(['gone'])
  expect(store.versions(node)).toEqual([head])
  expect(store.movesAfter({ stamp: 0, op: mark.op })).toEqual([move])
  expect(store.tail()).toEqual([{ id: op.id, stamp: op.stamp, body: op.body }])
  expect(store.heads()).toEqual([logHead])
  expect(fromUtf8(store.segment(log, 2) as Uint8Array)).toBe('a segment')
  expect(store.values('space').map(([key, value]) => [key, fromUtf8(value)])).toEqual([['key', 'value']])
}

it('[DS6] sealed rows of every format there was, written long ago, are read as they were written', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-golden-'))
  try {
    for (const name of ['tree-1.sqlite', 'tree-2.sqlite']) {
      cpSync(golden(name), path.join(folder, name))
      const old = new SqliteDatasetStore(path.join(folder, name), sealer())
      expectAll(old)
      old.dispose()
    }
    const made = new SqliteDatasetStore(path.join(folder, 'new.sqlite'), sealer())
    fill(made)
    made.dispose()
    const again = new SqliteDatasetStore(path.join(folder, 'new.sqlite'), sealer())
    expectAll(again)
    again.dispose()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
