import * as z from 'zod'
import { method, type Contract } from '../../rpc/contract.ts'

const line = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[\x21-\x7e]*$/)
const count = z.number().int().min(0)

/** Where a bucket is, without what opens it. */
export const bucketPlace = z.object({
  /** `https://s3.example.org`, without a path. */
  endpoint: z
    .url({ protocol: /^https?$/ })
    .max(512)
    .refine((text) => URL.canParse(text) && new URL(text).username === '' && new URL(text).search === ''),
  region: line(64).min(1),
  bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
  /** What all names begin with; empty or ending in a slash. */
  prefix: z.string().regex(/^([A-Za-z0-9_-]{1,64}\/){0,8}$/),
})
export type BucketPlace = z.infer<typeof bucketPlace>

/** A bucket, and the keys that open it: they lie sealed beside the vault, and in memory of the processes of this device. */
export const bucketAccess = bucketPlace.extend({ accessKeyId: line(256).min(1), secretAccessKey: line(512).min(1) })
export type BucketAccess = z.infer<typeof bucketAccess>

export const bucketStatus = z.object({
  /** `partial`: all that can be had lies there, and something is on devices that are away. */
  state: z.enum(['waiting', 'working', 'safe', 'partial', 'failing']),
  chunks: count,
  bytes: count,
  /** Of it, what this device does not have. */
  onlyThereBytes: count,
  packs: count,
  batches: count,
  /** Still to be sent. */
  todoChunks: count,
  todoBytes: count,
  /** Chunks that neither the bucket nor this device has. */
  awayChunks: count,
  /** Since this device was opened. */
  sentBytes: count,
  /** Objects whose bytes were not what was put. */
  wrong: count,
  /** Batches of changes that cannot be taken in. */
  strangeBatches: count,
  /** When all of it was looked through; left out: not yet. */
  lookedMs: z.number().optional(),
  /** Does it count as a holder? Not when it was not looked through for a day. */
  isHolder: z.boolean(),
  error: z.object({ code: z.string().max(64), message: z.string().max(500) }).optional(),
})
export type BucketStatus = z.infer<typeof bucketStatus>

const nothing = z.object({})

/** Of the files process, for its device process. */
export const bucketProcessContract = {
  /** Can it be listed, written, read and cleared? Leaves nothing there. Errors: bucket/…. */
  tryBucket: method({ needs: 'files:run', parseInput: bucketAccess.parse, parseOutput: nothing.parse }),
  /** null: no bucket is used. */
  bucketStatus: method({
    needs: 'files:run',
    parseInput: z.object({ dataset: z.string().min(1).max(64) }).parse,
    parseOutput: bucketStatus.nullable().parse,
  }),
  /** Looks at the bucket now; resolves when that is done. */
  syncBucket: method({
    needs: 'files:run',
    parseInput: z.object({ dataset: z.string().min(1).max(64) }).parse,
    parseOutput: bucketStatus.nullable().parse,
  }),
} satisfies Contract

const shownBucket = bucketPlace.extend({ dataset: z.string().max(64), datasetName: z.string().max(80), status: bucketStatus.nullable() })
export type ShownBucket = z.infer<typeof shownBucket>

/** Of the device, for displays and the command line. */
export const bucketContract = {
  /** Tries it, keeps it sealed, and begins. Errors: bucket/exists, bucket/unreachable, bucket/refused, bucket/not-found, bucket/failed, bucket/nonsense. */
  addBucket: method({ needs: 'desk:write', parseInput: bucketAccess.parse, parseOutput: nothing.parse }),
  listBuckets: method({ needs: 'desk:read', parseInput: nothing.parse, parseOutput: z.array(shownBucket).max(16).parse }),
  /** Looks at it now and sends what is to be sent; resolves when that is done. Errors: bucket/unknown. */
  syncBuckets: method({ needs: 'desk:write', parseInput: nothing.parse, parseOutput: z.array(shownBucket).max(16).parse }),
  /** It counts as a holder no more; what lies in it stays there. Errors: bucket/unknown. */
  removeBucket: method({ needs: 'desk:write', parseInput: nothing.parse, parseOutput: nothing.parse }),
} satisfies Contract
