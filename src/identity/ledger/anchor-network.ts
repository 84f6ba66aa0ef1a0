/** A memo that waits for its signature. */
export interface PreparedMemo {
  /** What is to be signed. */
  readonly message: Uint8Array
  /** What the network takes for it. */
  readonly feeLamports: number
  /** Past this height the network takes it no more. */
  readonly lastValidHeight: number
}

export type MemoStatus =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'seen' }
  | { readonly kind: 'kept'; readonly slot: number }
  | { readonly kind: 'failed'; readonly why: string }

/**
 * A network where memos stay: Solana, through one RPC server that is not trusted. Every call may reject with
 * `anchor/unreachable`; answers are bounded and parsed.
 */
export interface AnchorNetwork {
  /** base58 hash of the first block: which network this is. */
  genesis(signal?: AbortSignal): Promise<string>
  balance(address: string, signal?: AbortSignal): Promise<number>
  prepare(payer: string, memo: string, signal?: AbortSignal): Promise<PreparedMemo>
  /** @throws IdentityError `anchor/refused`  the network does not take it, and why */
  send(wire: Uint8Array, signal?: AbortSignal): Promise<void>
  status(signature: string, signal?: AbortSignal): Promise<MemoStatus>
  /** Of the newest block that is final. */
  height(signal?: AbortSignal): Promise<number>
  /** The transaction as the network keeps it; undefined when it has none (any more). */
  transaction(signature: string, signal?: AbortSignal): Promise<Uint8Array | undefined>
  /** Signatures of what `address` signed, newest first, at most 1,000. */
  signaturesOf(address: string, signal?: AbortSignal): Promise<readonly string[]>
}
