import { fromBase58 } from '../../base/base58.ts'
import { equalBytes, fromBase64Url, toBase64Url, utf8 } from '../../base/bytes.ts'
import type { DeviceId } from '../../base/ids.ts'
import type { Crypto } from '../crypto.ts'
import type { LedgerFault } from '../ledger-contract.ts'
import { ledgerEvent } from './ledger-event.ts'
import type { LedgerReceipt } from './ledger-receipt.ts'
import { type LedgerBody, NO_RECORD, readRecord } from './ledger-record.ts'
import type { LedgerHead } from './ledger-store.ts'
import { GrowingRoot } from './merkle.ts'

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

/** Records between two rests: some 5 ms of a signature each. */
const SLICE = 50

/**
 * Checks a ledger from its first record on (rule ID101). *edited*: a record the device did not sign as it is, or a sign-in that its
 * wallet did not sign; *broken*: one is missing, doubled or moved; *truncated*: the end is gone; *rewritten*: another history than
 * the one a witness saw, however well signed. Pure; undefined when nothing was found.
 */
export function auditLedger(
  crypto: Crypto,
  device: DeviceId,
  records: Iterable<Uint8Array | undefined>,
  witness: LedgerWitness = {},
): LedgerFinding | undefined {
  const steps = auditInSlices(crypto, device, records, witness)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** As `auditLedger`, resting between slices: a long ledger holds nobody up who drives it so. Records are read as they are needed. */
export function* auditInSlices(
  crypto: Crypto,
  device: DeviceId,
  records: Iterable<Uint8Array | undefined>,
  { head, receipts = [] }: LedgerWitness,
): Generator<void, LedgerFinding | undefined> {
  const tree = new GrowingRoot((part) => crypto.sha256(part))
  const rewritten = () => receipts.find(({ count, root }) => count === tree.count && toBase64Url(tree.root) !== root)
  let prev: Uint8Array = NO_RECORD
  let seen = rewritten()
  for (const bytes of records) {
    const at = tree.count
    if (at % SLICE === SLICE - 1) yield
    if (!bytes) return { fault: 'broken', at }
    const record = readRecord(crypto, device, bytes)
    if (!record || !isSignedByWallet(crypto, record.body)) return { fault: 'edited', at }
    if (record.body.seq !== at || !equalBytes(fromBase64Url(record.body.prev), prev)) return { fault: 'broken', at }
    prev = crypto.sha256(bytes)
    tree.add(bytes)
    seen ??= rewritten()
  }
  const { count } = tree
  if (head && count < head.count) return { fault: 'truncated', at: count }
  if (head && (count > head.count || !equalBytes(prev, head.hash))) return { fault: 'rewritten', at: Math.max(0, head.count - 1) }
  if (receipts.some((receipt) => count < receipt.count)) return { fault: 'truncated', at: count }
  return seen && { fault: 'rewritten', at: Math.max(0, seen.count - 1) }
}

function isSignedByWallet(crypto: Crypto, { event }: LedgerBody): boolean {
  if (event.kind !== 'signed-in') return true
  const said = ledgerEvent.safeParse(event).data
  try {
    return said?.kind === 'signed-in' && crypto.verify(fromBase58(said.wallet), utf8(said.text), fromBase64Url(said.sig))
  } catch {
    return false // no address, or not base64url
  }
}
