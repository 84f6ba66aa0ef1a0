import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { ChunkId } from './chunk-id.ts'
import type { Head, NodeRecord } from './node-record.ts'
import { type Content, type Op, plainBody, plainContent } from './op.ts'

/*
 * How what a device makes of ops lies in its own store, sealed. It never leaves the device and can be made anew from the
 * segments, so nothing here is parsed with suspicion: the seal says it is ours. The plain forms are JSON.
 */

export const encodeHead = (head: Head): Uint8Array => utf8(JSON.stringify(plainHead(head)))
export const decodeHead = (bytes: Uint8Array): Head => headOf(JSON.parse(fromUtf8(bytes)) as PlainHead)
export const encodeOp = (op: Op): Uint8Array => utf8(JSON.stringify(plainOp(op)))
export const decodeOp = (bytes: Uint8Array): Op => opOf(JSON.parse(fromUtf8(bytes)) as PlainOp)

export type PlainHead = Omit<Head, 'mtimeNs' | 'content'> & { readonly mtimeNs: string; readonly content: unknown }
export type PlainRecord = Omit<NodeRecord, 'mtimeNs' | 'heads'> & { readonly mtimeNs: string; readonly heads: readonly PlainHead[] }
export type PlainOp = readonly [id: Op['id'], stamp: number, body: unknown]

export const plainHead = (head: Head): PlainHead => ({ ...head, mtimeNs: String(head.mtimeNs), content: plainContent(head.content) })
export const headOf = (plain: PlainHead): Head => ({ ...plain, mtimeNs: BigInt(plain.mtimeNs), content: contentOf(plain.content) })

export const recordOf = (plain: PlainRecord): NodeRecord => ({
  ...plain,
  mtimeNs: BigInt(plain.mtimeNs),
  heads: plain.heads.map(headOf),
})

export const plainOp = ({ id, stamp, body }: Op): PlainOp => [id, stamp, plainBody(body)]

export function opOf([id, stamp, plain]: PlainOp): Op {
  const body = plain as Record<string, unknown>
  return {
    id,
    stamp,
    body: {
      ...body,
      ...(body.content !== undefined && { content: contentOf(body.content) }),
      ...(body.mtimeNs !== undefined && { mtimeNs: BigInt(body.mtimeNs as string) }),
    } as Op['body'],
  }
}

type PlainFile = {
  readonly manifest: { readonly bytes: number; readonly depth: number; readonly pieces: readonly [ChunkId | null, number][] }
}

/** The reverse of `plainContent`. */
export function contentOf(plain: unknown): Content {
  const of = plain as Content
  if (of.kind !== 'file') return of
  const { bytes, depth, pieces } = (plain as PlainFile).manifest
  return { kind: 'file', manifest: { bytes, depth, pieces: pieces.map(([id, length]) => ({ id: id ?? undefined, length })) } }
}
