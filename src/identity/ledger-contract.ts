import * as z from 'zod'
import { event, method, type Contract } from '../rpc/contract.ts'
import { walletCertificate } from './wallet-contract.ts'

/** Entries of one answer. */
export const LEDGER_PAGE = 200

const nothing = z.object({})
const seq = z.number().int().nonnegative()
const hash = z.string().length(43)

/**
 * What a ledger was at one moment: how many entries, and the root over them. Whoever keeps one sees later whether the
 * history before it was changed, even by who holds the device's key.
 */
export const ledgerReceipt = z.strictObject({
  format: z.literal('elsewhere-ledger-receipt'),
  version: z.literal(1),
  device: z.string().min(32).max(44),
  count: z
    .number()
    .int()
    .nonnegative()
    .max(2 ** 40),
  /** base64url Merkle root over the records. */
  root: z.string().length(43),
  atMs: z.number().int().nonnegative(),
  sig: z.string().length(86),
})
export type LedgerReceipt = z.infer<typeof ledgerReceipt>

/** A receipt that stands on a network: what a memo there means, and all that is needed to check it. */
export const ledgerAnchor = z.strictObject({
  format: z.literal('elsewhere-ledger-anchor'),
  version: z.literal(1),
  receipt: ledgerReceipt,
  wallet: walletCertificate,
  /** base64url of 32 bytes. */
  salt: z.string().length(43),
  /** base58 hash of the network's first block. */
  network: z.string().min(32).max(64),
  /** base58, as Solana names transactions. */
  signature: z.string().min(64).max(90),
  /** base64url of the transaction as it was sent. */
  transaction: z.string().max(1_700),
  feeLamports: z.number().int().nonnegative(),
  atMs: z.number().int().nonnegative(),
  /** Where the network keeps it. */
  slot: z.number().int().nonnegative(),
})
export type LedgerAnchor = z.infer<typeof ledgerAnchor>

/** Whether and where a device anchors its ledger. Not secret, but a URL may hold the key of its provider. */
export const anchorSettings = z.object({
  network: z.enum(['off', 'devnet', 'mainnet-beta', 'custom']),
  /** A server of that network; empty: its public one. https, or http on this machine. */
  rpcUrl: z.string().max(512),
  everyHours: z.number().int().min(1).max(720),
  /** What all anchors of a day (UTC) may cost: 50,000 are ten, 0.00005 SOL. */
  dailyLamports: z.number().int().min(0).max(10_000_000),
})
export type AnchorSettings = z.infer<typeof anchorSettings>

export const ledgerRow = z.object({
  seq,
  atMs: z.number(),
  kind: z.string().max(32),
  sentence: z.string(),
  /** The entry as it was signed: body as JSON text, signature as base64url. */
  body: z.string().max(4_096),
  sig: z.string().length(86),
})
export type LedgerRow = z.infer<typeof ledgerRow>

/** The last two are of anchors: one that does not hold, and one on the network that this device no longer knows. */
const ledgerFault = z.enum(['edited', 'broken', 'truncated', 'rewritten', 'false-anchor', 'lost-anchor'])
export type LedgerFault = z.infer<typeof ledgerFault>

/** Where a ledger was found to be wrong; see audit-ledger.ts. */
export const ledgerFinding = z.object({ fault: ledgerFault, at: seq })

export const ledgerContract = {
  /** From the newest down, those before `before`. */
  listLedger: method({
    needs: 'desk:read',
    parseInput: z.object({ before: seq.optional(), limit: z.number().int().min(1).max(LEDGER_PAGE).optional() }).parse,
    parseOutput: z.object({ count: seq, rows: z.array(ledgerRow).max(LEDGER_PAGE) }).parse,
  }),
  /** The number of entries. */
  onDidChangeLedger: event({ needs: 'desk:read', parse: z.object({ count: seq }).parse }),
  /**
   * With its anchors; `online` also asks the network. Errors: ledger/malformed (the receipt), ledger/foreign (of another
   * device), anchor/off, anchor/unreachable.
   */
  verifyLedger: method({
    needs: 'desk:read',
    parseInput: z.object({ receipt: z.unknown().optional(), online: z.boolean().optional() }).parse,
    parseOutput: z.object({ count: seq, anchors: seq, finding: ledgerFinding.optional() }).parse,
  }),
  /** Errors: ledger/damaged. */
  ledgerReceipt: method({ needs: 'desk:read', parseInput: nothing.parse, parseOutput: ledgerReceipt.parse }),
  /** To the root of the newest anchor where one covers the entry. Errors: ledger/unknown, ledger/damaged. */
  proveLedger: method({
    needs: 'desk:read',
    parseInput: z.object({ seq }).parse,
    parseOutput: z.object({
      receipt: ledgerReceipt,
      anchor: ledgerAnchor.optional(),
      path: z.array(z.object({ side: z.enum(['left', 'right']), hash })).max(48),
    }).parse,
  }),
} satisfies Contract

export const anchorState = z.object({
  settings: anchorSettings,
  /** The wallet that pays. */
  address: z.string(),
  spentTodayLamports: seq,
  /** Entries that no anchor covers. */
  uncovered: seq,
  /** One was sent, and it is not known whether the network keeps it. */
  isPending: z.boolean(),
  /** Anchors that stand. */
  count: seq,
  last: z.object({ signature: z.string(), count: seq, atMs: z.number(), slot: seq, feeLamports: seq, network: z.string() }).optional(),
  lastError: z.object({ code: z.string(), message: z.string(), atMs: z.number() }).optional(),
  balanceLamports: seq.optional(),
  balanceError: z.string().optional(),
})
export type AnchorState = z.infer<typeof anchorState>

export const anchorContract = {
  /** `balance` asks the network what the wallet holds. */
  readAnchor: method({
    needs: 'desk:read',
    parseInput: z.object({ balance: z.boolean().optional() }).parse,
    parseOutput: anchorState.parse,
  }),
  /** Anchors now. Errors: anchor/off, anchor/unreachable, anchor/wrong-network, anchor/cap-reached, anchor/too-little, anchor/refused, anchor/unconfirmed, anchor/nothing-new. */
  anchorLedger: method({ needs: 'desk:write', parseInput: nothing.parse, parseOutput: anchorState.parse }),
  /** Oldest first; the newest 1,000. */
  listAnchors: method({
    needs: 'desk:read',
    parseInput: nothing.parse,
    parseOutput: z.object({ anchors: z.array(ledgerAnchor).max(1_000) }).parse,
  }),
} satisfies Contract
