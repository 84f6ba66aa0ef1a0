import { concatBytes, fromUtf8, utf8 } from '../base/bytes.ts'
import { StoreError } from '../base/store-error.ts'
import type { DatasetStore, FolderMove, LogHead, StoredSegment } from './dataset-store.ts'
import {
  headOf,
  opOf,
  type PlainHead,
  type PlainOp,
  type PlainRecord,
  plainHead,
  plainOp,
  plainRecord,
  recordOf,
} from './node-record-codec.ts'
import type { Head, NodeRecord } from './node-record.ts'
import type { LogId, NodeId, Op, OpId } from './op.ts'

/** One transaction, as what it left: put and gone things by their keys, so that carrying it out twice changes nothing. */
export interface JournalEntry {
  readonly nodes: readonly { readonly record: NodeRecord; readonly shown: string | undefined }[]
  readonly goneNodes: readonly NodeId[]
  readonly versions: readonly { readonly node: NodeId; readonly version: Head }[]
  readonly goneVersions: readonly (readonly [node: NodeId, op: OpId])[]
  readonly moves: readonly FolderMove[]
  readonly goneMoves: readonly OpId[]
  readonly values: readonly { readonly space: string; readonly key: string; readonly value: Uint8Array | undefined }[]
  readonly segments: readonly { readonly segment: StoredSegment; readonly head: LogHead }[]
  /** `whole`: this is all of it now; otherwise what came to it. */
  readonly tail: { readonly isWhole: boolean; readonly ops: readonly Op[] }
}

interface Plain {
  readonly v: 1
  readonly n?: readonly (readonly [PlainRecord, string | null])[]
  readonly dn?: readonly NodeId[]
  readonly r?: readonly (readonly [NodeId, PlainHead])[]
  readonly dr?: JournalEntry['goneVersions']
  readonly m?: readonly FolderMove[]
  readonly dm?: readonly OpId[]
  /** Lengths of what lies behind the JSON; null: gone. */
  readonly e?: readonly (readonly [space: string, key: string, length: number | null])[]
  readonly s?: readonly (readonly [log: LogId, seq: number, length: number, head: LogHead])[]
  readonly t?: readonly PlainOp[]
  readonly tw?: true
}

const some = <T>(list: readonly T[]): readonly T[] | undefined => (list.length > 0 ? list : undefined)

/** Format 1: length of the JSON 4, the JSON, then the bytes of values and segments in its order. */
export function encodeEntry(entry: JournalEntry): Uint8Array {
  const { tail } = entry
  const plain = {
    v: 1,
    n: some(entry.nodes.map(({ record, shown }) => [plainRecord(record), shown ?? null])),
    dn: some(entry.goneNodes),
    r: some(entry.versions.map(({ node, version }) => [node, plainHead(version)])),
    dr: some(entry.goneVersions),
    m: some(entry.moves),
    dm: some(entry.goneMoves),
    e: some(entry.values.map(({ space, key, value }) => [space, key, value?.length ?? null])),
    s: some(entry.segments.map(({ segment, head }) => [segment.log, segment.seq, segment.bytes.length, head])),
    t: some(tail.ops.map(plainOp)),
    tw: tail.isWhole ? true : undefined,
  }
  const json = utf8(JSON.stringify(plain))
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, json.length)
  const blobs = [...entry.values.flatMap(({ value }) => value ?? []), ...entry.segments.map(({ segment }) => segment.bytes)]
  return concatBytes(length, json, ...blobs)
}

/** @throws StoreError: a later version of this program wrote it */
export function decodeEntry(bytes: Uint8Array): JournalEntry {
  let at = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  const plain = JSON.parse(fromUtf8(bytes.subarray(4, at))) as Plain
  if (plain.v !== 1) throw StoreError.failed('of files', new Error('a newer version wrote its journal'))
  const next = (length: number) => bytes.slice(at, (at += length))
  const values = (plain.e ?? []).map(([space, key, length]) => ({ space, key, value: length === null ? undefined : next(length) }))
  const segments = (plain.s ?? []).map(([log, seq, length, head]) => ({ segment: { log, seq, bytes: next(length) }, head }))
  return {
    nodes: (plain.n ?? []).map(([record, shown]) => ({ record: recordOf(record), shown: shown ?? undefined })),
    goneNodes: plain.dn ?? [],
    versions: (plain.r ?? []).map(([node, version]) => ({ node, version: headOf(version) })),
    goneVersions: plain.dr ?? [],
    moves: plain.m ?? [],
    goneMoves: plain.dm ?? [],
    values,
    segments,
    tail: { isWhole: plain.tw === true, ops: (plain.t ?? []).map(opOf) },
  }
}

/** Carries out all but the tail. */
export function carryOut(entry: JournalEntry, store: DatasetStore): void {
  for (const { record, shown } of entry.nodes) store.putNode(record, shown)
  for (const id of entry.goneNodes) store.deleteNode(id)
  for (const { node, version } of entry.versions) store.putVersion(node, version)
  for (const [node, op] of entry.goneVersions) store.deleteVersion(node, op)
  for (const move of entry.moves) store.putMove(move)
  for (const op of entry.goneMoves) store.deleteMove(op)
  for (const { space, key, value } of entry.values) store.putValue(space, key, value)
  for (const { segment, head } of entry.segments) store.putSegment(segment, head)
}
