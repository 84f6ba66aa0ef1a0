import * as z from 'zod'
import { contactOffer, MAX_OFFERS, sharedEntry } from '../../identity/contacts-contract.ts'
import { hostTerminal } from '../../jobs/host-contract.ts'
import { event, method, type Contract } from '../../rpc/contract.ts'
import { authorityNews, landmarks } from '../links/peer-contract.ts'

/*
 * What devices of two persons who are contacts may ask of each other. `control` is there on every such link: the two logs, and
 * what is offered. Every other lane is there only for what a grant names (ID154).
 */

const nothing = z.object({})
const dataset = z.string().min(16).max(24)
const path = z.string().min(1).max(65_536).startsWith('/')
const version = z.string().max(40)
const port = z.number().int().min(1).max(65_535)

/** What the caller may reach on the callee; `leftOut`: how many more there would be. */
const offers = z.object({ offers: z.array(contactOffer).max(MAX_OFFERS), leftOut: z.number().int().min(0).default(0) })

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

const terminalId = z.string().min(1).max(64)
const size = { columns: z.number().int().min(2).max(1000), rows: z.number().int().min(1).max(1000) }
/** Its id goes into the ledger of who asked. */
const shell = hostTerminal.omit({ guest: true }).extend({ terminalId })

/** On the tty lane, by the grant of a shell on the callee. Errors of each: grant/refused. */
export const contactShellContract = {
  /** In the home folder, with the account's own shell; or the one that was opened for that tab. Errors: also contact/too-many-shells, terminal/spawn-failed. */
  openShell: method({
    needs: 'peer:read',
    parseInput: z.object({ tab: z.string().min(1).max(64).optional(), ...size }).parse,
    parseOutput: shell.parse,
  }),
  /** The channel carries terminal-frames-contract.ts. Errors: also terminal/unknown. */
  attachShell: method({
    needs: 'peer:read',
    parseInput: z.object({ terminalId, ...size }).parse,
    parseOutput: z.object({ channel: z.number().int(), terminal: shell }).parse,
  }),
  /** Those of the caller's person. */
  listShells: method({ needs: 'peer:read', parseInput: nothing.parse, parseOutput: z.array(shell).max(64).parse }),
  endShell: method({ needs: 'peer:read', parseInput: z.object({ terminalId }).parse, parseOutput: nothing.parse }),
  /** Of those that the caller opened, attached or listed. */
  onDidChangeShell: event({ needs: 'peer:read', parse: shell.parse }),
} satisfies Contract

/** Entries in one answer. */
export const SHARED_PAGE = 500
/** Read in one call. */
const SHARED_PIECE_BYTES = 256 * 1024

const shared = { dataset, path }

const write = z.string().min(1).max(64)

/**
 * On the files lane, by the grant to read, or to change, that dataset: what is in it now, by path. Nothing of the past, nothing of the
 * trash.
 */
export const contactFilesContract = {
  /** Sorted by name. Errors: grant/refused, file/not-found. */
  listShared: method({
    needs: 'peer:read',
    parseInput: z.object({ ...shared, from: z.number().int().min(0).max(1e7) }).parse,
    parseOutput: z.object({ entries: z.array(sharedEntry).max(SHARED_PAGE), total: z.number().int() }).parse,
  }),
  statShared: method({ needs: 'peer:read', parseInput: z.object(shared).parse, parseOutput: sharedEntry.parse }),
  /** Of that version: one that was written meanwhile is `contact/changed`, so that nobody puts two together. Errors: also grant/refused, file/not-found. */
  readShared: method({
    needs: 'peer:read',
    parseInput: z.object({
      ...shared,
      version,
      offset: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
      length: z.number().int().min(1).max(SHARED_PIECE_BYTES),
    }).parse,
    parseOutput: z.object({ base64: z.string().max(Math.ceil(SHARED_PIECE_BYTES / 3) * 4), bytes: z.number().int().min(0) }).parse,
  }),
  /**
   * A new file, or with `version` the next content of that one; seen when it is committed. Errors: grant/refused, file/exists,
   * file/not-found, contact/changed.
   */
  beginSharedWrite: method({
    needs: 'peer:read',
    parseInput: z.object({ ...shared, version: version.optional() }).parse,
    parseOutput: z.object({ write }).parse,
  }),
  appendSharedWrite: method({
    needs: 'peer:read',
    parseInput: z.object({ write, base64: z.string().max(Math.ceil(SHARED_PIECE_BYTES / 3) * 4) }).parse,
    parseOutput: z.object({ bytes: z.number().int().min(0) }).parse,
  }),
  commitSharedWrite: method({ needs: 'peer:read', parseInput: z.object({ write }).parse, parseOutput: sharedEntry.parse }),
  abandonSharedWrite: method({ needs: 'peer:read', parseInput: z.object({ write }).parse, parseOutput: nothing.parse }),
  makeSharedFolder: method({ needs: 'peer:read', parseInput: z.object(shared).parse, parseOutput: sharedEntry.parse }),
  /** To the dataset's trash; of that version. Errors: also contact/changed. */
  removeShared: method({ needs: 'peer:read', parseInput: z.object({ ...shared, version }).parse, parseOutput: nothing.parse }),
} satisfies Contract
