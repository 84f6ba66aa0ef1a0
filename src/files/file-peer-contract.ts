import * as z from 'zod'
import { event, method, type Contract } from '../rpc/contract.ts'

/*
 * What the files processes of two linked devices say to each other, over a channel that their device processes join. The
 * link has proved who is there; logs, receipts and chunks prove themselves.
 */

/** Chunks asked for in one call. */
export const MAX_WANTED_CHUNKS = 64
/** Bytes of segments in one answer; one segment is always given. */
export const MAX_PULLED_BYTES = 2 * 1024 * 1024

/** Longest receipt: keys and signatures, and the numbers of 1,000 ops that are missing. */
export const MAX_RECEIPT_BYTES = 225 + 2 * 1000

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
const frontier = z.array(z.tuple([log, seq])).max(16_384)
const receipts = z.array(bytes(MAX_RECEIPT_BYTES)).max(1000)

export const filePeerContract = {
  /** Segments that a holder of `frontier` lacks, each after those it needs; and how far the callee is, in the same words. */
  pullSegments: method({
    needs: 'peer:read',
    parseInput: z.object({ dataset, frontier }).parse,
    parseOutput: z.object({ segments: z.array(bytes(8 * 1024 * 1024 + 16)).max(20_000), isMore: z.boolean(), frontier }).parse,
  }),
  /** The caller has more than it told last. */
  onDidAddSegments: event({ needs: 'peer:read', parse: z.object({ dataset }).parse }),
  /**
   * Chunks on a channel, in the order they are found: 32 bytes of id, 4 of epoch, ciphertext; an epoch of 2^32-1: not here. It
   * closes after the last.
   */
  fetchChunks: method({
    needs: 'peer:read',
    parseInput: z.object({ dataset, ids: z.array(hash).min(1).max(MAX_WANTED_CHUNKS) }).parse,
    parseOutput: z.object({ channel: z.number().int() }).parse,
  }),
  /** What the callee knows of who holds these segments' contents. */
  pullReceipts: method({
    needs: 'peer:read',
    parseInput: z.object({ dataset, segments: z.array(hash).max(1000) }).parse,
    parseOutput: z.object({ receipts }).parse,
  }),
  onDidSignReceipts: event({ needs: 'peer:read', parse: z.object({ dataset, receipts }).parse }),
} satisfies Contract
