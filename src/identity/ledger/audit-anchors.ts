import { equalBytes, fromBase64Url } from '../../base/bytes.ts'
import type { Crypto } from '../crypto.ts'
import type { LedgerAnchor, LedgerFault } from '../ledger-contract.ts'
import { readSolanaTransaction } from '../wallet/solana-message.ts'
import { ANCHOR_MEMO, memosOf, readAnchor } from './anchor.ts'
import type { AnchorNetwork } from './anchor-network.ts'
import type { AnchorStore } from './anchor-store.ts'

export interface AnchorFinding {
  readonly fault: LedgerFault
  /** The number of entries the anchor is over; 0 where it is not known. */
  readonly at: number
}

/** Most transactions that are fetched to look for anchors this device no longer has. */
const MAX_FETCHED = 50

/** Those whose parts do not hold together (rule ID121). */
export function auditAnchors(crypto: Crypto, anchors: readonly LedgerAnchor[]): AnchorFinding | undefined {
  for (const anchor of anchors) {
    try {
      readAnchor(crypto, anchor)
    } catch {
      return { fault: 'false-anchor', at: anchor.receipt.count }
    }
  }
  return undefined
}

/**
 * Asks the network (rule ID123): is each anchor there, byte for byte, and is there one of this wallet that the device no longer
 * knows of, not even as one that it sent and gave up? That is what a history that was cut or written anew together with its
 * anchors leaves behind.
 *
 * @throws IdentityError `anchor/unreachable`
 */
export async function auditOnNetwork(
  network: AnchorNetwork,
  address: string,
  { all, sent }: Pick<AnchorStore, 'all' | 'sent'>,
  signal?: AbortSignal,
): Promise<AnchorFinding | undefined> {
  const genesis = await network.genesis(signal)
  for (const anchor of all.filter((each) => each.network === genesis)) {
    const kept = await network.transaction(anchor.signature, signal)
    if (!kept || !equalBytes(fromBase64Url(anchor.transaction), kept)) return { fault: 'false-anchor', at: anchor.receipt.count }
  }
  const unknown = (await network.signaturesOf(address, signal)).filter((signature) => !sent.has(signature))
  for (const signature of unknown.slice(0, MAX_FETCHED)) {
    const transaction = readSolanaTransaction((await network.transaction(signature, signal)) ?? new Uint8Array())
    const isOurs = transaction?.message.signers[0] === address && memosOf(transaction).some((memo) => memo.startsWith(ANCHOR_MEMO))
    if (isOurs) return { fault: 'lost-anchor', at: 0 }
  }
  return undefined
}
