import { fromUtf8, utf8 } from '../base/bytes.ts'
import { StoreError } from '../base/store-error.ts'
import type { DatasetStore, FolderMove, LogHead, StoredSegment } from './dataset-store.ts'
import { headOf, opOf, type PlainHead, type PlainOp, type PlainRecord, plainHead, recordOf } from './node-record-codec.ts'
import type { Head, NodeRecord } from './node-record.ts'
import { bodyText, type LogId, type NodeId, type Op, type OpId } from './op.ts'
import { type PackedRecord, packedText, unpackedRecord } from './packed-record.ts'

/** One transaction, as what it left: put and gone things by their keys, so that carrying it out twice changes nothing. */
export interface JournalEntry {
  readonly nodes: readonly { readonly record: NodeRecord; readonly shown: string | undefined }[]
  readonly goneNodes: readonly NodeId[]
  readonly versions: readonly { readonly node: NodeId; readonly version: Head }[]
  readonly goneVersions: readonly (readonly [node: NodeId, op: OpId])[]
  readonly moves: readonly FolderMove[]
  readonly goneMoves: readonly OpId[]
  readonly values: readonly { readonly space: string; readonly key: string; readonly value: Uint8Array | undefined }[]
  /** Of logs whose segments did not come with them. */
  readonly heads: readonly LogHead[]
  readonly segments: readonly { readonly segment: StoredSegment; readonly head: LogHead }[]
  /** `whole`: this is all of it now; otherwise what came to it. */
  readonly tail: { readonly isWhole: boolean; readonly ops: readonly Op[] }
}

interface Plain {
  /** 1: records in full, and versions apart from them; as it was written before, and may still lie on a disk. */
  readonly v: 1 | 2
  /** Shown as null: removed; as 0: under its own name. */
  readonly n?: readonly (readonly [PlainRecord | PackedRecord, string | null | 0])[]
  readonly dn?: readonly NodeId[]
  /** A number: that head of the node's record in this entry. */
  readonly r?: readonly (readonly [NodeId, PlainHead | number])[]
  readonly dr?: JournalEntry['goneVersions']
  readonly m?: readonly FolderMove[]
  readonly dm?: readonly OpId[]
  /** Lengths of what lies behind the JSON; null: gone. */
  readonly e?: readonly (readonly [space: string, key: string, length: number | null])[]
  readonly s?: readonly (readonly [log: LogId, seq: number, length: number, head: LogHead])[]
  readonly h?: readonly LogHead[]
  readonly t?: readonly PlainOp[]
  readonly tw?: true
}

const encoder = new TextEncoder()

/** Format 2: length of the JSON 4, the JSON (of `Plain`), then the bytes of values and segments in its order. */
export function encodeEntry(entry: JournalEntry): Uint8Array {
  const { nodes, versions, values, segments, tail } = entry
  const headIn = headsIn(entry)
  let text = '{"v":2'
  const add = <T>(key: string, list: readonly T[], textOf = (one: T): string => JSON.stringify(one)): void => {
    if (list.length > 0) text += `,"${key}":[${list.map(textOf).join(',')}]`
  }
  add('n', nodes, ({ record, shown }) => `[${packedText(record)},${shown === record.name ? 0 : JSON.stringify(shown ?? null)}]`)
  add('dn', entry.goneNodes)
  add('r', versions, ({ node, version }) => `["${node}",${headIn(node, version) ?? JSON.stringify(plainHead(version))}]`)
  add('dr', entry.goneVersions)
  add('m', entry.moves)
  add('dm', entry.goneMoves)
  add('e', values, ({ space, key, value }) => JSON.stringify([space, key, value?.length ?? null]))
  add('s', segments, ({ segment, head }) => JSON.stringify([segment.log, segment.seq, segment.bytes.length, head]))
  add('h', entry.heads)
  add('t', tail.ops, ({ id, stamp, body }) => `["${id}",${stamp},${bodyText(body)}]`)
  if (values.length + segments.length === 0) return framed(`${text}${tail.isWhole ? ',"tw":true' : ''}}`, [])
  const blobs = [...values.flatMap(({ value }) => value ?? []), ...segments.map(({ segment }) => segment.bytes)]
  return framed(`${text}${tail.isWhole ? ',"tw":true' : ''}}`, blobs)
}

/** A version that was just made is a head of its node: which. Entries with tens of thousands of nodes are written (a folder that is removed). */
function headsIn({ nodes, versions }: JournalEntry): (node: NodeId, version: Head) => number | undefined {
  const [only] = nodes
  if (nodes.length === 1 && only) {
    const { id, heads } = only.record
    return (node, version) => {
      const at = node === id ? heads.indexOf(version) : -1
      return at < 0 ? undefined : at
    }
  }
  const heads = versions.length > 0 ? new Map(nodes.map(({ record }) => [record.id, record.heads])) : undefined
  return (node, version) => {
    const at = heads?.get(node)?.indexOf(version) ?? -1
    return at < 0 ? undefined : at
  }
}

function framed(text: string, blobs: readonly Uint8Array[]): Uint8Array {
  const blobBytes = blobs.reduce((sum, { length }) => sum + length, 0)
  let entry = new Uint8Array(4 + text.length + blobBytes)
  let jsonBytes = text.length
  // Nearly always all of it is ASCII.
  if (encoder.encodeInto(text, entry.subarray(4)).read < text.length || blobBytes > 0) {
    const json = utf8(text)
    jsonBytes = json.length
    entry = new Uint8Array(4 + jsonBytes + blobBytes)
    entry.set(json, 4)
    let at = 4 + jsonBytes
    for (const blob of blobs) {
      entry.set(blob, at)
      at += blob.length
    }
  }
  new DataView(entry.buffer).setUint32(0, jsonBytes)
  return entry
}

/** @throws StoreError: a later version of this program wrote it */
export function decodeEntry(bytes: Uint8Array): JournalEntry {
  let at = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  const plain = JSON.parse(fromUtf8(bytes.subarray(4, at))) as Plain
  if (plain.v !== 1 && plain.v !== 2) throw StoreError.failed('of files', new Error('a newer version wrote its journal'))
  const next = (length: number) => bytes.slice(at, (at += length))
  const values = (plain.e ?? []).map(([space, key, length]) => ({ space, key, value: length === null ? undefined : next(length) }))
  const segments = (plain.s ?? []).map(([log, seq, length, head]) => ({ segment: { log, seq, bytes: next(length) }, head }))
  const nodes = (plain.n ?? []).map(([of, shown]) => {
    const record = plain.v === 1 ? recordOf(of as PlainRecord) : unpackedRecord(of as PackedRecord)
    return { record, shown: shown === 0 ? record.name : (shown ?? undefined) }
  })
  const heads = new Map(nodes.map(({ record }) => [record.id, record.heads]))
  const versions = (plain.r ?? []).map(([node, version]) => ({
    node,
    version: typeof version === 'number' ? (heads.get(node)?.[version] as Head) : headOf(version),
  }))
  return {
    nodes,
    goneNodes: plain.dn ?? [],
    versions,
    goneVersions: plain.dr ?? [],
    moves: plain.m ?? [],
    goneMoves: plain.dm ?? [],
    values,
    heads: plain.h ?? [],
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
  for (const head of entry.heads) store.putHead(head)
  for (const { segment, head } of entry.segments) store.putSegment(segment, head)
}
