import * as z from 'zod'
import { utf8 } from '../base/bytes.ts'
import type { ChunkId } from './chunk-id.ts'
import { MAX_CHUNK_BYTES } from './chunk-cipher.ts'
import { MAX_DEPTH, MAX_FILE_BYTES, MAX_INLINE_PIECES, type Manifest } from './manifest.ts'

/** A file, folder or link: 16 random bytes in hex. Names and places change, this does not. */
export type NodeId = string & { readonly __brand: 'NodeId' }
/** `<log>.<number>`: the op's place in the log of one start of one device. */
export type OpId = string & { readonly __brand: 'OpId' }
/** First 12 bytes, in hex, of the hash of a device and one start of it. */
export type LogId = string & { readonly __brand: 'LogId' }

/** The top folder of every dataset. */
export const ROOT_NODE = '0'.repeat(32) as NodeId

/** Names as POSIX has them: 1-255 bytes, no slash, no NUL, not `.` or `..`. */
export const isNodeName = (name: string): boolean =>
  name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name) && !/\p{Surrogate}/u.test(name) && utf8(name).length <= MAX_NAME_BYTES
export const MAX_NAME_BYTES = 255
const MAX_TARGET_BYTES = 4095
const MAX_XATTR_BYTES = 64 * 1024
/** A content has one base, or as many as it settles: devices that wrote at once. */
const MAX_BASES = 64

/** What a node is, one version of it. */
export type Content =
  | { readonly kind: 'folder' }
  | { readonly kind: 'file'; readonly manifest: Manifest }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'removed' }

/** What happened to a node. Everything but `create` names a node that its author had seen. */
export type OpBody =
  | {
      readonly kind: 'create'
      readonly node: NodeId
      readonly parent: NodeId
      readonly name: string
      readonly mode: number
      readonly mtimeNs: bigint
      readonly content: Content
    }
  /** `bases`: the versions it was made from; what they do not name was written at the same time. Removing is a version, too. */
  | { readonly kind: 'write'; readonly node: NodeId; readonly content: Content; readonly mtimeNs: bigint; readonly bases: readonly OpId[] }
  | { readonly kind: 'move'; readonly node: NodeId; readonly parent?: NodeId | undefined; readonly name?: string | undefined }
  | { readonly kind: 'attributes'; readonly node: NodeId; readonly mode?: number | undefined; readonly mtimeNs?: bigint | undefined }
  | { readonly kind: 'xattr'; readonly node: NodeId; readonly name: string; readonly value: string | null }
  /** Out of the trash for good: of what its author had seen of the node, no version is kept that is not shown. */
  | { readonly kind: 'forget'; readonly node: NodeId }

/**
 * One entry of a log. `stamp`: microseconds of the author's clock, but more than every stamp it had seen: what an op had seen
 * comes before it, clocks order only what happened apart.
 */
export interface Op {
  readonly id: OpId
  readonly stamp: number
  readonly body: OpBody
}

const nodeId = z.string().regex(/^[0-9a-f]{32}$/) as unknown as z.ZodType<NodeId>
const opId = z.string().regex(/^[0-9a-f]{24}\.\d{1,10}$/) as unknown as z.ZodType<OpId>
const name = z.string().max(MAX_NAME_BYTES).refine(isNodeName)
const mode = z.number().int().min(0).max(0o7777)
/** Nanoseconds since 1970 in decimal: JSON has no whole numbers of that size. */
const mtimeNs = z
  .string()
  .regex(/^-?\d{1,20}$/)
  .transform(BigInt)
const chunkId = z.string().regex(/^[0-9a-f]{64}$/) as unknown as z.ZodType<ChunkId>
const piece = z
  .tuple([chunkId.nullable(), z.number().int().min(1).max(MAX_FILE_BYTES)])
  .refine(([id, length]) => id === null || length <= MAX_CHUNK_BYTES)
const manifest = z
  .object({
    bytes: z.number().int().min(0).max(MAX_FILE_BYTES),
    depth: z.number().int().min(0).max(MAX_DEPTH),
    pieces: z.array(piece).max(MAX_INLINE_PIECES),
  })
  .refine(({ bytes, depth, pieces }) => depth > 0 || pieces.reduce((sum, [, length]) => sum + length, 0) === bytes)
  .transform(
    ({ bytes, depth, pieces }): Manifest => ({ bytes, depth, pieces: pieces.map(([id, length]) => ({ id: id ?? undefined, length })) }),
  )
const target = z
  .string()
  .min(1)
  .refine((text) => utf8(text).length <= MAX_TARGET_BYTES && !text.includes('\0'))
const content = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('folder') }),
  z.object({ kind: z.literal('file'), manifest }),
  z.object({ kind: z.literal('link'), target }),
  z.object({ kind: z.literal('removed') }),
])
const bases = z.array(opId).max(MAX_BASES)

/** Reads a body from outside. @throws ZodError */
export const parseOpBody = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('create'), node: nodeId, parent: nodeId, name, mode, mtimeNs, content }),
  z.object({ kind: z.literal('write'), node: nodeId, content, mtimeNs, bases }),
  z.object({ kind: z.literal('move'), node: nodeId, parent: nodeId.optional(), name: name.optional() }),
  z.object({ kind: z.literal('attributes'), node: nodeId, mode: mode.optional(), mtimeNs: mtimeNs.optional() }),
  z.object({
    kind: z.literal('xattr'),
    node: nodeId,
    name: z.string().min(1).max(MAX_NAME_BYTES),
    value: z
      .string()
      .max(Math.ceil((MAX_XATTR_BYTES * 4) / 3) + 4)
      .nullable(),
  }),
  z.object({ kind: z.literal('forget'), node: nodeId }),
]).parse as (value: unknown) => OpBody

const plainContent = (of: Content): unknown =>
  of.kind === 'file'
    ? { ...of, manifest: { ...of.manifest, pieces: of.manifest.pieces.map(({ id, length }) => [id ?? null, length]) } }
    : of

/** The JSON form that `parseOpBody` reads. */
export const plainBody = (body: OpBody): unknown => ({
  ...body,
  ...('content' in body && { content: plainContent(body.content) }),
  ...('mtimeNs' in body && body.mtimeNs !== undefined && { mtimeNs: String(body.mtimeNs) }),
})

/** As JSON.stringify(plainContent(of)), without what that makes on the way. */
export function contentText(of: Content): string {
  if (of.kind !== 'file') return JSON.stringify(of)
  const { bytes, depth, pieces } = of.manifest
  let text = `{"kind":"file","manifest":{"bytes":${bytes},"depth":${depth},"pieces":[`
  for (let n = 0; n < pieces.length; n++) {
    const { id, length } = pieces[n] as Manifest['pieces'][number]
    text += id === undefined ? `${n > 0 ? ',' : ''}[null,${length}]` : `${n > 0 ? ',' : ''}["${id}",${length}]`
  }
  return `${text}]}}`
}

/** As JSON.stringify(plainBody(body)); every file that is made and written is put down so twice. */
export function bodyText(body: OpBody): string {
  if (body.kind === 'create') {
    const { node, parent, name, mode, mtimeNs, content } = body
    return `{"kind":"create","node":"${node}","parent":"${parent}","name":${JSON.stringify(name)},"mode":${mode},"mtimeNs":"${mtimeNs}","content":${contentText(content)}}`
  }
  if (body.kind === 'write') {
    const { node, content, mtimeNs, bases } = body
    return `{"kind":"write","node":"${node}","content":${contentText(content)},"mtimeNs":"${mtimeNs}","bases":${JSON.stringify(bases)}}`
  }
  return JSON.stringify(plainBody(body))
}

export const parseContent = content.parse as (value: unknown) => Content
export { plainContent }

/** Whether `a` comes after `b`: stamps first, then a fixed order, so that every device agrees. */
export const isLater = (a: Mark, b: Mark): boolean => (a.stamp === b.stamp ? a.op > b.op : a.stamp > b.stamp)

/** Which op set something, and when. */
export interface Mark {
  readonly stamp: number
  readonly op: OpId
}
