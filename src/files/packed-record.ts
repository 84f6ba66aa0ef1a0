import { fromUtf8, utf8 } from '../base/bytes.ts'
import { contentOf, type PlainRecord, recordOf } from './node-record-codec.ts'
import type { Head, NodeRecord } from './node-record.ts'
import { contentText, type Mark, type OpId } from './op.ts'

/** What nearly no node has. */
interface Rest {
  readonly x?: NodeRecord['xattrs']
  readonly c?: NodeRecord['copies']
  readonly f?: number
  readonly o?: NonNullable<NodeRecord['copyOf']>
}

/** `mark`: its number among the record's. */
type PackedHead = readonly [mark: number, device: Head['device'], deviceName: string, content: unknown, mtimeNs: string]

/**
 * A record as it lies in the journal and in the store behind it, a third of its plain form: each mark once and then by number (of a new file all are one),
 * fields by their place.
 */
export type PackedRecord = readonly [
  id: NodeRecord['id'],
  kind: NodeRecord['kind'],
  parent: NodeRecord['parent'],
  name: string,
  mode: number,
  mtimeNs: string,
  marks: readonly (readonly [stamp: number, op: OpId])[],
  /** Of created, parent, name, mode, mtime. */
  at: readonly number[],
  heads: readonly PackedHead[],
  rest?: Rest,
]

/** A packed record in JSON. */
export function packedText(record: NodeRecord): string {
  const { id, kind, parent, name, mode, mtimeNs, created, parentAt, nameAt, modeAt, mtimeAt, heads } = record
  const marks: Mark[] = []
  const numberOf = (mark: Mark): number => {
    for (let n = 0; n < marks.length; n++) if (marks[n]?.stamp === mark.stamp && marks[n]?.op === mark.op) return n
    return marks.push(mark) - 1
  }
  const at = `${numberOf(created)},${numberOf(parentAt)},${numberOf(nameAt)},${numberOf(modeAt)},${numberOf(mtimeAt)}`
  const headText = (head: Head): string =>
    `[${numberOf(head)},${JSON.stringify(head.device)},${JSON.stringify(head.deviceName)},${contentText(head.content)},"${head.mtimeNs}"]`
  const headTexts = heads.map(headText).join(',')
  const markTexts = marks.map(({ stamp, op }) => `[${stamp},"${op}"]`).join(',')
  return `["${id}","${kind}","${parent}",${JSON.stringify(name)},${mode},"${mtimeNs}",[${markTexts}],[${at}],[${headTexts}]${restText(record)}]`
}

function restText({ xattrs, copies, forgottenAt, copyOf }: NodeRecord): string {
  const hasXattrs = Object.keys(xattrs).length > 0
  if (!hasXattrs && copies.length === 0 && forgottenAt === undefined && !copyOf) return ''
  const rest: Rest = {
    ...(hasXattrs && { x: xattrs }),
    ...(copies.length > 0 && { c: copies }),
    ...(forgottenAt !== undefined && { f: forgottenAt }),
    ...(copyOf && { o: copyOf }),
  }
  return `,${JSON.stringify(rest)}`
}

export function unpackedRecord([id, kind, parent, name, mode, mtimeNs, marks, at, heads, rest = {}]: PackedRecord): NodeRecord {
  const known = marks.map(([stamp, op]): Mark => ({ stamp, op }))
  const markOf = (n: number | undefined): Mark => known[n ?? 0] as Mark
  return {
    id,
    kind,
    parent,
    name,
    mode,
    mtimeNs: BigInt(mtimeNs),
    created: markOf(at[0]),
    parentAt: markOf(at[1]),
    nameAt: markOf(at[2]),
    modeAt: markOf(at[3]),
    mtimeAt: markOf(at[4]),
    xattrs: rest.x ?? {},
    heads: heads.map(([mark, device, deviceName, content, ns]) => ({
      ...markOf(mark),
      device,
      deviceName,
      content: contentOf(content),
      mtimeNs: BigInt(ns),
    })),
    copies: rest.c ?? [],
    ...(rest.f !== undefined && { forgottenAt: rest.f }),
    ...(rest.o && { copyOf: rest.o }),
  }
}

/** As it lies in a row of the store. */
export const encodeRecord = (record: NodeRecord): Uint8Array => utf8(packedText(record))

/** A plain form is one that an earlier version wrote. */
export function decodeRecord(bytes: Uint8Array): NodeRecord {
  const read = JSON.parse(fromUtf8(bytes)) as PackedRecord | PlainRecord
  return isPacked(read) ? unpackedRecord(read) : recordOf(read)
}

const isPacked = (read: PackedRecord | PlainRecord): read is PackedRecord => Array.isArray(read)
