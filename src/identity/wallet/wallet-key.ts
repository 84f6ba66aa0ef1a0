import { toBase58 } from '../../base/base58.ts'
import { utf8 } from '../../base/bytes.ts'
import type { SigningKey } from '../crypto.ts'
import { IdentityError } from '../identity-error.ts'
import { looksLikeSignIn, parseSignIn } from './sign-in-text.ts'
import { readSolanaMessage } from './solana-message.ts'

/** What a signature is for. Each takes bytes that the others refuse, so that none can be had under another's name. */
export type WalletPurpose = 'message' | 'sign-in' | 'transaction'

/** The SPL Memo programs a wallet may call. They keep a text and move nothing. */
export const MEMO_PROGRAMS: readonly string[] = [
  'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr',
  'Memo4c2pN8afCj432Lb7RMVKi9PbQnnW7ewFFaV3oAH',
]
export const MAX_MESSAGE_BYTES = 4_096
/** What signatures among devices begin with: no message is one. */
const OWN_PREFIX = 'elsewhere/'
/** Sign something of this wallet's own, before any text that a stranger may choose. */
const PROOF_PREFIX = 'elsewhere/wallet-proof/1\0'

/** The device's Solana key for a given purpose. Fits in front of any adapter; the key itself is never handed out. */
export interface WalletSigner {
  readonly address: string
  readonly publicKey: Uint8Array
  /** @throws IdentityError `wallet/refused`  the bytes are not of that purpose; `identity/key-wiped`  the device was locked */
  sign(purpose: WalletPurpose, bytes: Uint8Array): Uint8Array
}

/**
 * A wallet's key with its rules (ID111-ID114). *message*: a text, which is neither a transaction nor a sign-in.
 * *sign-in*: a sign-in text that names this very address. *transaction*: memos only, paid and signed by this key alone: what
 * a wrong or bought RPC server can make it sign costs a fee and moves nothing.
 */
export class WalletKey implements WalletSigner {
  readonly address: string
  readonly publicKey: Uint8Array
  readonly #key: SigningKey

  constructor(key: SigningKey) {
    this.#key = key
    this.publicKey = key.publicKey
    this.address = toBase58(key.publicKey)
  }

  sign(purpose: WalletPurpose, bytes: Uint8Array): Uint8Array {
    const refusal = REFUSALS[purpose](bytes, this.address)
    if (refusal !== undefined) throw new IdentityError('wallet/refused', `the wallet did not sign that as a ${purpose}: ${refusal}`)
    return this.#key.sign(bytes)
  }

  /** That this key agrees to belong to `device`; a certificate holds it (wallet-certificate.ts). */
  proveFor(device: string): Uint8Array {
    return this.#key.sign(walletProofText(device, this.address))
  }
}

export const walletProofText = (device: string, address: string): Uint8Array => utf8(`${PROOF_PREFIX}${device}\n${address}`)

/** Why bytes are not of a purpose, in words; undefined when they are. */
const REFUSALS: Readonly<Record<WalletPurpose, (bytes: Uint8Array, address: string) => string | undefined>> = {
  message(bytes) {
    if (bytes.length === 0 || bytes.length > MAX_MESSAGE_BYTES) return `a message has 1 to ${MAX_MESSAGE_BYTES} bytes`
    if (readSolanaMessage(bytes)) return 'it is a transaction'
    // A first byte from 0x80 on is a transaction's version; below 0x20 a number of signers that fits in a transaction.
    if ((bytes[0] as number) < 0x20 || (bytes[0] as number) > 0x7e) return 'a message begins with a letter, figure or sign of ASCII'
    const text = textOf(bytes)
    if (text === undefined) return 'a message is text in UTF-8'
    if (looksLikeSignIn(text)) return 'it is a sign-in'
    return text.startsWith(OWN_PREFIX) ? `"${OWN_PREFIX}" begins what devices sign among themselves` : undefined
  },
  'sign-in'(bytes, address) {
    const text = textOf(bytes)
    const parts = text === undefined ? undefined : parseSignIn(text)
    if (!parts) return 'it is no sign-in as the wallet standard writes it'
    if (parts.address !== address) return 'it names another wallet'
    return parts.nonce === undefined || parts.nonce.length < 8 ? 'it has no nonce, so the answer could be used again' : undefined
  },
  transaction(bytes, address) {
    const message = readSolanaMessage(bytes)
    if (!message) return 'it is no transaction that is known here'
    if (message.signers.length !== 1 || message.signers[0] !== address) return 'it is not paid and signed by this wallet alone'
    if (message.instructions.length === 0) return 'it does nothing'
    const isMemo = message.instructions.every(({ program }) => MEMO_PROGRAMS.includes(program))
    return isMemo ? undefined : 'it does something else than to keep a memo'
  },
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    return undefined
  }
}
