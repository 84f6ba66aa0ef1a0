import { equalBytes, fromBase64Url, toBase64Url } from '../../base/bytes.ts'
import type { DeviceId } from '../../base/ids.ts'
import type { Crypto } from '../crypto.ts'
import type { LedgerFault } from '../ledger-contract.ts'
import type { LedgerReceipt } from './ledger-receipt.ts'
import { NO_RECORD, readRecord } from './ledger-record.ts'
import type { LedgerHead } from './ledger-store.ts'
import { MerkleTree } from './merkle.ts'

export interface LedgerFinding {
  readonly fault: LedgerFault
  /** The first record it was seen at. */
  readonly at: number
}

export interface LedgerWitness {
  /** How far the device itself knows to have written. */
  readonly head?: LedgerHead | undefined
  /** What was told to somebody at some time. */
  readonly receipts?: readonly LedgerReceipt[]
}

/**
 * Checks a ledger from its first record on (rule ID101). *edited*: a record the device did not sign as it is; *broken*: one is
 * missing, doubled or moved; *truncated*: the end is gone; *rewritten*: another history than the one a witness saw, however
 * well signed. Pure; undefined when nothing was found.
 */
export function auditLedger(
  crypto: Crypto,
  device: DeviceId,
  records: readonly (Uint8Array | undefined)[],
  { head, receipts = [] }: LedgerWitness = {},
): LedgerFinding | undefined {
  let prev: Uint8Array = NO_RECORD
  for (const [at, bytes] of records.entries()) {
    if (!bytes) return { fault: 'broken', at }
    const record = readRecord(crypto, device, bytes)
    if (!record) return { fault: 'edited', at }
    if (record.body.seq !== at || !equalBytes(fromBase64Url(record.body.prev), prev)) return { fault: 'broken', at }
    prev = crypto.sha256(bytes)
  }
  const whole = records as readonly Uint8Array[]
  if (head && whole.length < head.count) return { fault: 'truncated', at: whole.length }
  if (head && (whole.length > head.count || !equalBytes(prev, head.hash))) return { fault: 'rewritten', at: Math.max(0, head.count - 1) }
  for (const { count, root } of receipts) {
    if (whole.length < count) return { fault: 'truncated', at: whole.length }
    const own = new MerkleTree((part) => crypto.sha256(part), whole.slice(0, count)).root
    if (toBase64Url(own) !== root) return { fault: 'rewritten', at: Math.max(0, count - 1) }
  }
  return undefined
}
