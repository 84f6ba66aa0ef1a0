import * as z from 'zod'
import { method, type Contract } from '../rpc/contract.ts'

/**
 * WebRTC connections where no TCP connection comes about: one SCTP association carries little of a path that is long or loses
 * packets. Measured at 80 ms and 1 % loss in one run: 1 gave 0.16 MB/s, 4 0.7, 8 1.0, 16 2.1; without loss 4 and 8 gave most.
 */
export const DIALLED_CONNECTIONS = 8
/** Ways to be reached by one of them, at most: others are not tried. */
export const MAX_DIAL_CANDIDATES = 16
/** A description of one data-channel connection is about 1 KiB. */
const MAX_SDP_CHARACTERS = 8 * 1024

const sdp = z.string().min(1).max(MAX_SDP_CHARACTERS)
const dial = z.string().regex(/^[A-Za-z0-9_-]{22}$/)
const dialCandidate = z.object({
  /** Which of the connections it is for, from 0. */
  at: z
    .number()
    .int()
    .min(0)
    .max(DIALLED_CONNECTIONS - 1),
  candidate: z.string().max(512),
  mid: z.string().max(16),
})
export type DialCandidate = z.infer<typeof dialCandidate>

/** How WebRTC connections beside a link are made: asked over the link, which proves both ends. */
export const dialContract = {
  /** The caller's descriptions, and those of the callee, if it takes part. */
  dialDirect: method({
    needs: 'peer:read',
    parseInput: z.object({ dial, offers: z.array(sdp).min(1).max(DIALLED_CONNECTIONS) }).parse,
    parseOutput: z.object({ answers: z.array(sdp).max(DIALLED_CONNECTIONS).optional() }).parse,
  }),
  /** How the caller may be reached by the connections of that dial. */
  tellCandidates: method({
    needs: 'peer:read',
    parseInput: z.object({ dial, list: z.array(dialCandidate).max(DIALLED_CONNECTIONS * MAX_DIAL_CANDIDATES) }).parse,
    parseOutput: z.object({}).parse,
  }),
} satisfies Contract
