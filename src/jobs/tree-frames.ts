import * as z from 'zod'
import { concatBytes, fromUtf8, utf8 } from '../base/bytes.ts'

/*
 * How a job's folder gets to the device that runs it and its results back: frames in one channel between the two hosts. The
 * *owner* has the folder; the *guest* has a copy. One kind byte, then JSON or bytes.
 */

/** A folder with more is not sent (`job/folder-too-large`). */
export const MAX_TREE_ENTRIES = 200_000
export const MAX_TREE_BYTES = 8 * 1024 ** 3
/** Longest piece of a file in one frame. */
export const MAX_TREE_PIECE_BYTES = 64 * 1024
/** Entries or names in one frame. */
export const TREE_PAGE = 256
const MAX_JSON_BYTES = 2 * 1024 * 1024

/** A path below the folder: no empty, `.` or `..` part, no zero byte, so that it leads nowhere else. */
export const treePath = z
  .string()
  .min(1)
  .max(4_096)
  .refine(
    (path) => path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && part.length <= 255),
    'not a path below the folder',
  )
  .refine((path) => !path.includes('\0'), 'a path cannot hold a zero byte')

export const treeEntry = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('file'),
    path: treePath,
    bytes: z.number().int().min(0).max(MAX_TREE_BYTES),
    /** Whole ms: what every file system can keep. */
    modifiedMs: z.number().int(),
    mode: z.number().int().min(0).max(0o777),
  }),
  z.object({ kind: z.literal('folder'), path: treePath, mode: z.number().int().min(0).max(0o777) }),
  z.object({ kind: z.literal('link'), path: treePath, target: z.string().min(1).max(4_096) }),
])
export type TreeEntry = z.infer<typeof treeEntry>
export type FileEntry = Extract<TreeEntry, { kind: 'file' }>

const paths = z.array(treePath).max(TREE_PAGE)
/** A state of a file that the owner is known to have had: if it has another now, somebody else changed it. */
const base = z.object({ bytes: z.number().int().min(0), modifiedMs: z.number().int() })
export type TreeBase = z.infer<typeof base>
const bases = z.array(base).max(3)
const nothing: z.ZodType<object> = z.object({})
const schemas = {
  /** Guest: what is in the folder? (It has nothing yet, or the link was cut before it had all.) */
  list: nothing,
  /** Owner: a page of it, folders before what is in them; `end`: there is no more. */
  entries: z.object({ entries: z.array(treeEntry).max(TREE_PAGE), end: z.boolean() }),
  /** Guest: send these files. */
  want: z.object({ paths }),
  /** Either: a file comes in `piece` frames, as many as its bytes say. A folder or link comes whole. */
  put: z.object({ entry: treeEntry, bases }),
  /** Owner: that file is not there any more. */
  gone: z.object({ path: treePath }),
  /** Guest: the job removed these. */
  remove: z.object({ removed: z.array(z.object({ path: treePath, bases })).max(TREE_PAGE) }),
  /** Guest: that was all; owner: all of it is in the folder. */
  finished: nothing,
  kept: nothing,
} as const
type Kind = keyof typeof schemas
const KINDS = Object.keys(schemas) as Kind[]
const PIECE = 255

export type TreeFrame =
  | { [K in Kind]: { readonly kind: K } & z.infer<(typeof schemas)[K]> }[Kind]
  | { readonly kind: 'piece'; readonly bytes: Uint8Array }

export function encodeTreeFrame(frame: TreeFrame): Uint8Array {
  if (frame.kind === 'piece') return concatBytes(Uint8Array.of(PIECE), frame.bytes)
  const { kind, ...rest } = frame
  return concatBytes(Uint8Array.of(KINDS.indexOf(kind)), utf8(JSON.stringify(rest)))
}

/** Undefined: not a frame of this protocol. Never throws. */
export function decodeTreeFrame(message: Uint8Array): TreeFrame | undefined {
  const payload = message.subarray(1)
  if (message[0] === PIECE)
    return payload.length > 0 && payload.length <= MAX_TREE_PIECE_BYTES ? { kind: 'piece', bytes: payload } : undefined
  const kind = KINDS[message[0] ?? -1]
  if (kind === undefined || payload.length > MAX_JSON_BYTES) return undefined
  let value: unknown
  try {
    value = JSON.parse(fromUtf8(payload))
  } catch {
    return undefined // not UTF-8 or not JSON
  }
  const parsed = schemas[kind].safeParse(value)
  return parsed.success ? ({ kind, ...parsed.data } as TreeFrame) : undefined
}
