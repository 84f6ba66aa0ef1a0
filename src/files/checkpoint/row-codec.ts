import { publicKeyOf, deviceIdOf, type DeviceId } from '../../base/ids.ts'
import type { ChunkId } from '../chunk-id.ts'
import { MAX_CHUNK_BYTES } from '../chunk-cipher.ts'
import type { FolderMove, LogHead } from '../dataset-store.ts'
import { MAX_DEPTH, MAX_FILE_BYTES, MAX_INLINE_PIECES, type Manifest } from '../manifest.ts'
import type { Head, NodeRecord } from '../node-record.ts'
import { type Content, isNodeName, type LogId, type Mark, MAX_NAME_BYTES, type NodeId, type OpId } from '../op.ts'
import { badCheckpoint, ByteSink, ByteSource } from './byte-io.ts'
import type { Row, RowKey } from './page.ts'

/*
 * What the rows of a checkpoint say: of one state there is one way to write it, to the byte. Trees of rows are apart: *state* (what merging
 * needs: nodes by folder, moves of folders), *logs* (how far each log is held), *history* (versions that are not shown any more).
 */

/** Whose log is this? A head's device is its log's. */
export type DeviceOfLog = (log: LogId) => DeviceId

const NODE = '00'
const MOVE = '01'
const KINDS = ['file', 'folder', 'link'] as const
const CONTENTS = ['folder', 'file', 'link', 'removed'] as const
const MAX_HEADS = 4096
const MAX_TEXT_BYTES = 128 * 1024
/** Attributes of one file, those that were removed among them. Programs set a handful. */
const MAX_XATTRS = 4096
/** Each is of something that is said of a row: five of its own, and one of each head and attribute. */
const MAX_MARKS = 5 + MAX_HEADS + MAX_XATTRS

export interface NodeRow {
  readonly record: NodeRecord
  readonly shown: string | undefined
}

const hexNumber = (value: number, bytes: number): string => value.toString(16).padStart(2 * bytes, '0')
const keyOfMark = ({ stamp, op }: Mark): RowKey => {
  const dot = op.indexOf('.')
  return hexNumber(stamp, 8) + op.slice(0, dot) + hexNumber(Number(op.slice(dot + 1)), 5)
}
function markOfKey(key: RowKey): Mark {
  const mark = { stamp: Number.parseInt(key.slice(0, 16), 16), op: `${key.slice(16, 40)}.${Number.parseInt(key.slice(40), 16)}` as OpId }
  if (key.length !== 50 || !Number.isSafeInteger(mark.stamp)) throw badCheckpoint('a row has no place')
  return mark
}

/** All rows of one folder: [folder, what follows it). Removed nodes come before those that are shown. */
export const folderRange = (folder: NodeId): { readonly from: RowKey; readonly to: RowKey } => ({
  from: `${NODE}${folder}`,
  to: `${NODE}${folder}02`,
})
export const nodeKey = ({ id, parent }: Pick<NodeRecord, 'id' | 'parent'>, isShown: boolean): RowKey =>
  `${NODE}${parent}${isShown ? '01' : '00'}${id}`
export const moveKey = (move: Mark): RowKey => MOVE + keyOfMark(move)
export const MOVES = { from: MOVE, to: undefined }
export const NODES = { from: NODE, to: MOVE }
export const isMoveKey = (key: RowKey): boolean => key.startsWith(MOVE)
/** The folder and node of a node's row. */
export const placeOfKey = (key: RowKey): { readonly parent: NodeId; readonly id: NodeId } => ({
  parent: key.slice(2, 34) as NodeId,
  id: key.slice(36) as NodeId,
})
export const versionRange = (node: NodeId): { readonly from: RowKey; readonly to: RowKey } => ({ from: node, to: `${node}ff` })

export function nodeRow({ record, shown }: NodeRow): Row {
  const sink = new ByteSink()
  const marks = new MarkList()
  const body = new ByteSink()
  const { name, copyOf, forgottenAt, heads, copies } = record
  const xattrs = Object.keys(record.xattrs).sort()
  const isSame = shown === undefined || shown === name
  body.byte(
    KINDS.indexOf(record.kind) | (isSame ? 0 : 4) | (copyOf ? 8 : 0) | (forgottenAt === undefined ? 0 : 16) | (xattrs.length > 0 ? 32 : 0),
  )
  for (const mark of [record.created, record.parentAt, record.nameAt, record.modeAt, record.mtimeAt]) body.uint(marks.numberOf(mark))
  body.text(name)
  if (!isSame) body.text(shown)
  body.uint(record.mode)
  putTime(body, record.mtimeNs)
  body.uint(heads.length)
  for (const head of heads) {
    body.uint(marks.numberOf(head))
    putHead(body, head)
  }
  body.uint(copies.length)
  for (const copy of copies) body.hex(copy)
  if (copyOf) {
    body.hex(copyOf.node)
    putOp(body, copyOf.op)
  }
  if (forgottenAt !== undefined) body.uint(forgottenAt)
  if (xattrs.length > 0) body.uint(xattrs.length)
  for (const key of xattrs) {
    const { value, at } = record.xattrs[key] as NodeRecord['xattrs'][string]
    body.text(key)
    body.byte(value === null ? 0 : 1)
    if (value !== null) body.text(value)
    body.uint(marks.numberOf(at))
  }
  marks.put(sink)
  sink.raw(body.take())
  return { key: nodeKey(record, shown !== undefined), value: sink.take() }
}

/** @throws ContentError `checkpoint/malformed` */
export function readNodeRow({ key, value }: Row, deviceOf: DeviceOfLog): NodeRow {
  if (!/^00[0-9a-f]{32}0[01][0-9a-f]{32}$/.test(key)) throw badCheckpoint('a row has no place')
  const source = new ByteSource(value)
  const marks = readMarks(source)
  const mark = (): Mark => marks[source.uint(marks.length - 1)] as Mark
  const flags = source.byte()
  const kind = KINDS[flags & 3]
  if (!kind || flags > 63) throw badCheckpoint('a row is of a later version')
  const [created, parentAt, nameAt, modeAt, mtimeAt] = [mark(), mark(), mark(), mark(), mark()]
  const name = readName(source)
  const isShown = key.slice(34, 36) === '01'
  const shownAs = (flags & 4) !== 0 ? readName(source) : name
  const shown = isShown ? shownAs : undefined
  const mode = source.uint(0o7777)
  const mtimeNs = readTime(source)
  const heads = Array.from({ length: source.uint(MAX_HEADS) }, () => readHead(source, mark(), deviceOf))
  if (heads.length === 0) throw badCheckpoint('a row says of nothing what it is')
  const copies = Array.from({ length: source.uint(MAX_HEADS) }, () => source.hex(16) as NodeId)
  const copyOf = (flags & 8) !== 0 ? { node: source.hex(16) as NodeId, op: readOp(source) } : undefined
  const forgottenAt = (flags & 16) !== 0 ? source.uint() : undefined
  const xattrs: [name: string, { value: string | null; at: Mark }][] = []
  for (let n = (flags & 32) !== 0 ? source.uint(MAX_XATTRS) : 0; n > 0; n--) {
    const name = source.text(MAX_NAME_BYTES * 4)
    if (name <= (xattrs.at(-1)?.[0] ?? '')) throw badCheckpoint('attributes in it are out of order')
    xattrs.push([name, { value: source.byte() === 0 ? null : source.text(MAX_TEXT_BYTES), at: mark() }])
  }
  source.end()
  const { parent, id } = placeOfKey(key)
  const times = { created, parent, parentAt, name, nameAt, mode, modeAt, mtimeNs, mtimeAt }
  const rest = { ...(forgottenAt !== undefined && { forgottenAt }), ...(copyOf && { copyOf }) }
  return { record: { id, kind, ...times, xattrs: Object.fromEntries(xattrs), heads, copies, ...rest }, shown }
}

export function moveRow(move: FolderMove): Row {
  const sink = new ByteSink()
  sink.hex(move.node)
  sink.hex(move.parent)
  sink.byte(move.before ? 1 : 0)
  if (move.before) {
    sink.hex(move.before.parent)
    sink.int(move.before.at.stamp)
    putOp(sink, move.before.at.op)
  }
  return { key: moveKey(move), value: sink.take() }
}

export function readMoveRow({ key, value }: Row): FolderMove {
  if (!isMoveKey(key)) throw badCheckpoint('a row has no place')
  const source = new ByteSource(value)
  const [node, parent] = [source.hex(16) as NodeId, source.hex(16) as NodeId]
  const before = source.byte() === 0 ? undefined : { parent: source.hex(16) as NodeId, at: { stamp: source.int(), op: readOp(source) } }
  source.end()
  return { ...markOfKey(key.slice(2)), node, parent, before }
}

/** How far a log is held, with what its id is made of. */
export interface LogRow extends LogHead {
  readonly start: string
}

export function logRow({ log, device, start, seq, hash, ops, stamp }: LogRow): Row {
  const sink = new ByteSink()
  sink.raw(publicKeyOf(device as DeviceId))
  sink.hex(start)
  sink.uint(seq)
  sink.hex(hash)
  sink.uint(ops)
  sink.uint(stamp)
  return { key: log, value: sink.take() }
}

export function readLogRow({ key, value }: Row): LogRow {
  const source = new ByteSource(value)
  const [device, start, seq, hash] = [deviceIdOf(source.raw(32).slice()), source.hex(8), source.uint(2 ** 32 - 1), source.hex(32)]
  const row = { log: key as LogId, device, start, seq, hash, ops: source.uint(2 ** 33), stamp: source.uint() }
  source.end()
  if (seq === 0) throw badCheckpoint('a log in it has no segment')
  return row
}

export function versionRow(node: NodeId, version: Head): Row {
  const sink = new ByteSink()
  putHead(sink, version)
  return { key: node + keyOfMark(version), value: sink.take() }
}

export function readVersionRow({ key, value }: Row, deviceOf: DeviceOfLog): { readonly node: NodeId; readonly version: Head } {
  const source = new ByteSource(value)
  const version = readHead(source, markOfKey(key.slice(32)), deviceOf)
  source.end()
  return { node: key.slice(0, 32) as NodeId, version }
}

/** Most marks of a row are one: each is written once. */
class MarkList {
  readonly #marks = new Map<string, { readonly mark: Mark; readonly number: number }>()

  numberOf(mark: Mark): number {
    const name = `${mark.stamp} ${mark.op}`
    const known = this.#marks.get(name)
    if (known) return known.number
    const number = this.#marks.size
    this.#marks.set(name, { mark, number })
    return number
  }

  put(sink: ByteSink): void {
    sink.uint(this.#marks.size)
    for (const { mark } of this.#marks.values()) {
      sink.int(mark.stamp)
      putOp(sink, mark.op)
    }
  }
}

function readMarks(source: ByteSource): Mark[] {
  const count = source.uint(Math.min(MAX_MARKS, Math.floor(source.left / 14)))
  if (count === 0) throw badCheckpoint('a row has no time')
  return Array.from({ length: count }, () => ({ stamp: source.int(), op: readOp(source) }))
}

function putOp(sink: ByteSink, op: OpId): void {
  const dot = op.indexOf('.')
  sink.hex(op.slice(0, dot))
  sink.uint(Number(op.slice(dot + 1)))
}

const readOp = (source: ByteSource): OpId => `${source.hex(12)}.${source.uint(9_999_999_999)}` as OpId

/** Nanoseconds, as seconds and what is left. */
function putTime(sink: ByteSink, ns: bigint): void {
  let seconds = ns / 1_000_000_000n
  let left = ns % 1_000_000_000n
  if (left < 0n) [seconds, left] = [seconds - 1n, left + 1_000_000_000n]
  sink.int(Number(seconds))
  sink.uint(Number(left))
}

const readTime = (source: ByteSource): bigint => BigInt(source.int()) * 1_000_000_000n + BigInt(source.uint(999_999_999))

function readName(source: ByteSource): string {
  const name = source.text(MAX_NAME_BYTES)
  if (!isNodeName(name)) throw badCheckpoint('something in it has a name that cannot be one')
  return name
}

function putHead(sink: ByteSink, { deviceName, content, mtimeNs }: Head): void {
  sink.text(deviceName)
  putTime(sink, mtimeNs)
  sink.byte(CONTENTS.indexOf(content.kind))
  if (content.kind === 'link') sink.text(content.target)
  if (content.kind !== 'file') return
  const { bytes, depth, pieces } = content.manifest
  sink.uint(bytes)
  sink.uint(depth)
  sink.uint(pieces.length)
  for (const { id, length } of pieces) {
    sink.uint(2 * length + (id === undefined ? 0 : 1))
    if (id !== undefined) sink.hex(id)
  }
}

function readHead(source: ByteSource, mark: Mark, deviceOf: DeviceOfLog): Head {
  const deviceName = source.text(80 * 4)
  const mtimeNs = readTime(source)
  const log = mark.op.slice(0, mark.op.indexOf('.')) as LogId
  return { ...mark, device: deviceOf(log), deviceName, content: readContent(source), mtimeNs }
}

function readContent(source: ByteSource): Content {
  const kind = CONTENTS[source.byte()]
  if (!kind) throw badCheckpoint('a row is of a later version')
  if (kind === 'link') return { kind, target: source.text(4095) }
  return kind === 'file' ? { kind, manifest: readManifest(source) } : { kind }
}

function readManifest(source: ByteSource): Manifest {
  const [bytes, depth] = [source.uint(MAX_FILE_BYTES), source.uint(MAX_DEPTH)]
  const pieces = Array.from({ length: source.uint(MAX_INLINE_PIECES) }, () => {
    const said = source.uint(2 * MAX_FILE_BYTES + 1)
    const [length, id] = [Math.floor(said / 2), said % 2 === 1 ? (source.hex(32) as ChunkId) : undefined]
    if (length < 1 || (id !== undefined && length > MAX_CHUNK_BYTES)) throw badCheckpoint('a piece of a file in it cannot be one')
    return { id, length }
  })
  if (depth === 0 && pieces.reduce((sum, { length }) => sum + length, 0) !== bytes) throw badCheckpoint('a file in it has another length')
  return { bytes, depth, pieces }
}
