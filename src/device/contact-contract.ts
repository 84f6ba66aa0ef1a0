import * as z from 'zod'
import { event, method, type Contract } from '../rpc/contract.ts'
import { authorityNews, landmarks } from './peer-contract.ts'

/*
 * What devices of two persons who are contacts may ask of each other. `control` is there on every such link: the two logs, and
 * what is offered. Every other lane is there only for what a grant names (ID154).
 */

const nothing = z.object({})
const port = z.number().int().min(1).max(65_535)

/** What the caller may reach on the callee. */
export const contactOffer = z.object({
  kind: z.literal('port'),
  port,
  /** A job listens there now. */
  isOpen: z.boolean(),
  untilMs: z.number().optional(),
})
export type ContactOfferRow = z.infer<typeof contactOffer>
const offers = z.object({ offers: z.array(contactOffer).max(256) })

export const contactContract = {
  /** A page of what the asker lacks of the callee's person's authority log; empty: there is nothing more. */
  pullAuthority: method({
    needs: 'peer:read',
    parseInput: z.object({ have: landmarks, skip: z.number().int().min(0).max(1e7) }).parse,
    parseOutput: authorityNews.parse,
  }),
  /** Of the speaker's person's log; without any, there are too many to be told: pull. */
  onDidTakeOperations: event({ needs: 'peer:read', parse: authorityNews.parse }),
  listOffers: method({ needs: 'peer:read', parseInput: nothing.parse, parseOutput: offers.parse }),
  onDidChangeOffers: event({ needs: 'peer:read', parse: offers.parse }),
} satisfies Contract

/** On the ports lane. */
export const contactPortsContract = {
  /** A connection to a port that a job of the callee listens on. Errors: grant/refused, job/no-port, job/device-away. */
  connectPort: method({
    needs: 'peer:read',
    parseInput: z.object({ port }).parse,
    parseOutput: z.object({ channel: z.number().int() }).parse,
  }),
} satisfies Contract
