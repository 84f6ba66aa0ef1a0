import * as z from 'zod'
import { event, method, type Contract } from '../rpc/contract.ts'

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

const ledgerFault = z.enum(['edited', 'broken', 'truncated', 'rewritten'])
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
  /** Errors: ledger/malformed (the receipt), ledger/foreign (of another device). */
  verifyLedger: method({
    needs: 'desk:read',
    parseInput: z.object({ receipt: z.unknown().optional() }).parse,
    parseOutput: z.object({ count: seq, finding: ledgerFinding.optional() }).parse,
  }),
  /** Errors: ledger/damaged. */
  ledgerReceipt: method({ needs: 'desk:read', parseInput: nothing.parse, parseOutput: ledgerReceipt.parse }),
  /** Errors: ledger/unknown, ledger/damaged. */
  proveLedger: method({
    needs: 'desk:read',
    parseInput: z.object({ seq }).parse,
    parseOutput: z.object({
      receipt: ledgerReceipt,
      path: z.array(z.object({ side: z.enum(['left', 'right']), hash })).max(48),
    }).parse,
  }),
} satisfies Contract
