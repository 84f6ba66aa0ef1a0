import * as z from 'zod'
import { method, type Contract } from '../rpc/contract.ts'

/**
 * Connections of one direct path, at most: one lost packet holds up one of them. Where 1 % is lost, at 80 ms, TCP lets each have 6 to 12 MB/s
 * and less for a while after small transfers, so more of them bring more.
 */
export const DIRECT_CONNECTIONS = 8

const nothing = z.object({})
const secret = (length: number) => z.string().regex(new RegExp(`^[A-Za-z0-9_-]{${length}}$`))
const directOffer = z.object({
  address: z.union([z.ipv4(), z.ipv6()]),
  port: z.number().int().min(1).max(65_535),
  /** Of one connection each, for the next ten seconds. */
  keys: z
    .array(z.object({ identity: secret(22), key: secret(43) }))
    .min(1)
    .max(DIRECT_CONNECTIONS),
})
/** Where the speaker listens, and what it lets in. */
export type DirectOffer = z.infer<typeof directOffer>

/** How like processes of two linked devices reach each other without the link in between: asked over the link, which proved who is there. */
export const directContract = {
  /** The callee listens for the caller, if it can, so that what there is much of need not cross the link. */
  offerDirect: method({ needs: 'peer:read', parseInput: nothing.parse, parseOutput: z.object({ offer: directOffer.optional() }).parse }),
  /** The caller listens; the callee connects, if it can. */
  connectDirect: method({
    needs: 'peer:read',
    parseInput: z.object({ offer: directOffer }).parse,
    parseOutput: z.object({ isConnected: z.boolean() }).parse,
  }),
  /** How long the link takes, for whoever sends beside it. */
  ping: method({ needs: 'peer:read', parseInput: nothing.parse, parseOutput: nothing.parse }),
} satisfies Contract
