import * as z from 'zod'
import { event, method, type Contract } from '../rpc/contract.ts'
import { dialContract } from './dial-contract.ts'
import { directContract } from './direct-contract.ts'

/*
 * What the files processes of two linked devices say to each other, over a channel that their device processes join. The
 * link has proved who is there; logs, receipts and chunks prove themselves.
 */

/** Chunks asked for in one call. */
export const MAX_WANTED_CHUNKS = 64
/** Bytes of segments in one answer; one segment is always given. */
export const MAX_PULLED_BYTES = 2 * 1024 * 1024

/** Longest receipt: keys and signatures, of which policy it is, and the numbers of 1,000 ops that are missing. */
export const MAX_RECEIPT_BYTES = 225 + 11 + 2 * 1000

/** Logs in one frontier: those that are followed (log-limits.ts), own ones of beyond that, and those that are left out. */
export const MAX_FRONTIER_LOGS = 2 ** 17

/** Chunks that follow a list unasked, at most: what is asked of a file at once, and then it is read ahead. */
export const MAX_STRETCH_CHUNKS = 16

/** Longest checkpoint: keys, roots and signatures. */
export const MAX_CHECKPOINT_BYTES = 1024

const dataset = z.string().min(1).max(64)
const log = z.string().regex(/^[0-9a-f]{24}$/)
const seq = z
  .number()
  .int()
  .min(1)
  .max(2 ** 32 - 1)
const hash = z.string().regex(/^[0-9a-f]{64}$/)
const bytes = (max: number) =>
  z
    .string()
    .max(Math.ceil((max * 4) / 3) + 4)
    .regex(/^[A-Za-z0-9_-]*$/)
const frontier = z.array(z.tuple([log, seq])).max(MAX_FRONTIER_LOGS)
const stretch = z.object({
  offset: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  length: z
    .number()
    .int()
    .min(1)
    .max(2 ** 24),
})
/** Bytes of a content. */
export type Stretch = z.infer<typeof stretch>
const receipts = z.array(bytes(MAX_RECEIPT_BYTES)).max(1000)

export const filePeerContract = {
  /** Segments that a holder of `frontier` lacks, each after those it needs; and how far the callee is, in the same words. */
  pullSegments: method({
    needs: 'peer:read',
    parseInput: z.object({ dataset, frontier }).parse,
    parseOutput: z.object({ segments: z.array(bytes(8 * 1024 * 1024 + 16)).max(20_000), isMore: z.boolean(), frontier }).parse,
  }),
  /**
   * The newest checkpoint that the callee holds as a whole, as its maker signed it; for a device that holds nothing yet. Its pages are
   * chunks.
   */
  pullCheckpoint: method({
    needs: 'peer:read',
    parseInput: z.object({ dataset }).parse,
    parseOutput: z.object({ checkpoint: bytes(MAX_CHECKPOINT_BYTES).optional() }).parse,
  }),
  /** Segments of these logs up to these numbers, the last first, as the callee holds them: what a checkpoint stood for. */
  pullSegmentsBehind: method({
    needs: 'peer:read',
    parseInput: z.object({ dataset, tips: frontier }).parse,
    parseOutput: z.object({ segments: z.array(bytes(8 * 1024 * 1024 + 16)).max(20_000) }).parse,
  }),
  /** The caller has more than it told last. */
  onDidAddSegments: event({ needs: 'peer:read', parse: z.object({ dataset }).parse }),
  /**
   * Chunks on a channel, in the order they are found: 32 bytes of id, 4 of epoch, ciphertext; an epoch of 2^32-1: not here. It
   * closes after the last. With `stretch`, the ids are all the chunks of a list of pieces; after them come the chunks that it says
   * lie in that stretch, named in `more`: who reads from the middle of a file need not come twice.
   */
  fetchChunks: method({
    needs: 'peer:read',
    parseInput: z.object({ dataset, ids: z.array(hash).min(1).max(MAX_WANTED_CHUNKS), stretch: stretch.optional() }).parse,
    parseOutput: z.object({ channel: z.number().int(), more: z.array(hash).max(MAX_STRETCH_CHUNKS).optional() }).parse,
  }),
  ...directContract,
  ...dialContract,
  /** What the callee knows of who holds these segments' contents. */
  pullReceipts: method({
    needs: 'peer:read',
    parseInput: z.object({ dataset, segments: z.array(hash).max(1000) }).parse,
    parseOutput: z.object({ receipts }).parse,
  }),
  onDidSignReceipts: event({ needs: 'peer:read', parse: z.object({ dataset, receipts }).parse }),
} satisfies Contract
