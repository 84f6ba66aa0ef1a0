import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { Head, NodeRecord } from './node-record.ts'
import { type Op, parseContent, parseOpBody, plainBody, plainContent } from './op.ts'

/*
 * How what a device makes of ops lies in its own store, sealed. It never leaves the device and can be made anew from the
 * segments, so nothing here is parsed with suspicion: the seal says it is ours.
 */

export const encodeHead = (head: Head): Uint8Array => utf8(JSON.stringify(plainHead(head)))
export const decodeHead = (bytes: Uint8Array): Head => headOf(JSON.parse(fromUtf8(bytes)) as PlainHead)

export function encodeRecord(record: NodeRecord): Uint8Array {
  return utf8(JSON.stringify({ ...record, mtimeNs: String(record.mtimeNs), heads: record.heads.map(plainHead) }))
}

export function decodeRecord(bytes: Uint8Array): NodeRecord {
  const plain = JSON.parse(fromUtf8(bytes)) as Omit<NodeRecord, 'mtimeNs' | 'heads'> & { mtimeNs: string; heads: PlainHead[] }
  return { ...plain, mtimeNs: BigInt(plain.mtimeNs), heads: plain.heads.map(headOf) }
}

export const encodeOp = ({ id, stamp, body }: Op): Uint8Array => utf8(JSON.stringify([id, stamp, plainBody(body)]))

export function decodeOp(bytes: Uint8Array): Op {
  const [id, stamp, body] = JSON.parse(fromUtf8(bytes)) as [Op['id'], number, unknown]
  return { id, stamp, body: parseOpBody(body) }
}

type PlainHead = Omit<Head, 'mtimeNs' | 'content'> & { readonly mtimeNs: string; readonly content: unknown }

const plainHead = (head: Head): PlainHead => ({ ...head, mtimeNs: String(head.mtimeNs), content: plainContent(head.content) })
const headOf = (plain: PlainHead): Head => ({ ...plain, mtimeNs: BigInt(plain.mtimeNs), content: parseContent(plain.content) })
