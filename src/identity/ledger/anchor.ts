import { fromBase58, toBase58 } from '../../base/base58.ts'
import { concatBytes, fromBase64Url, fromUtf8, toBase64Url, utf8 } from '../../base/bytes.ts'
import type { Crypto } from '../crypto.ts'
import { IdentityError } from '../identity-error.ts'
import { type LedgerAnchor, type LedgerReceipt, ledgerAnchor } from '../ledger-contract.ts'
import { readSolanaTransaction, type SolanaTransaction } from '../wallet/solana-message.ts'
import { readWalletCertificate } from '../wallet/wallet-certificate.ts'
import { MEMO_PROGRAMS } from '../wallet/wallet-key.ts'
import { readReceipt } from './ledger-receipt.ts'

export type { LedgerAnchor } from '../ledger-contract.ts'

/** So that what stands on the network confirms no guess of a device, a count or a root. */
export const ANCHOR_SALT_BYTES = 32
const HASHED_AS = 'elsewhere/anchor/1\0'
/** What every memo of an anchor begins with; the rest is base64url of 32 bytes. */
export const ANCHOR_MEMO = 'elsewhere-anchor/1 '

/**
 * All that the network is told of a ledger: one salted hash over device, number of entries and root (rule ID120). Whoever
 * is given the salt can check it, nobody else learns anything.
 */
export function anchorMemo(
  crypto: Pick<Crypto, 'sha256'>,
  { device, count, root }: Pick<LedgerReceipt, 'device' | 'count' | 'root'>,
  salt: Uint8Array,
): string {
  return ANCHOR_MEMO + toBase64Url(crypto.sha256(concatBytes(utf8(`${HASHED_AS}${device}\n${count}\n${root}\n`), salt)))
}

/** The memos of a transaction, in order. */
export const memosOf = ({ message }: SolanaTransaction): string[] =>
  message.instructions.filter(({ program }) => MEMO_PROGRAMS.includes(program)).map(({ data }) => fromUtf8(data))

/**
 * An anchor from outside or from disk, checked as far as it can be without the network: receipt, certificate, the
 * transaction's signature by that wallet, and its one memo. Whether the network took it, only the network says.
 *
 * @throws IdentityError `ledger/malformed`
 */
export function readAnchor(crypto: Crypto, value: unknown): LedgerAnchor {
  const anchor = ledgerAnchor.safeParse(value).data
  try {
    if (anchor) {
      const { device } = readReceipt(crypto, anchor.receipt)
      const wallet = readWalletCertificate(crypto, anchor.wallet)
      const transaction = readSolanaTransaction(fromBase64Url(anchor.transaction))
      const [signature] = transaction?.signatures ?? []
      if (wallet.device === device && transaction && signature && isOf(crypto, transaction, signature, anchor)) return anchor
    }
  } catch {
    // not base64url, or parts that do not hold: said below
  }
  throw new IdentityError('ledger/malformed', 'this is no anchor of a ledger, or it was changed; use the file as it was written')
}

function isOf(crypto: Crypto, transaction: SolanaTransaction, signature: Uint8Array, anchor: LedgerAnchor): boolean {
  const { receipt, wallet, salt } = anchor
  const memo = anchorMemo(crypto, receipt, fromBase64Url(salt))
  return (
    transaction.message.signers.length === 1 &&
    transaction.message.signers[0] === wallet.address &&
    transaction.message.instructions.length === 1 &&
    memosOf(transaction)[0] === memo &&
    toBase58(signature) === anchor.signature &&
    crypto.verify(fromBase58(wallet.address), transaction.messageBytes, signature)
  )
}
