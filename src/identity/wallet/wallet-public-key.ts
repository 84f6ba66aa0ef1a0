import type { BaseWalletAdapter } from '@solana/wallet-adapter-base'
import { toBase58 } from '../../base/base58.ts'
import { equalBytes } from '../../base/bytes.ts'

/** As the wallet adapter names it: web3.js's `PublicKey`. */
export type AdapterKey = NonNullable<BaseWalletAdapter['publicKey']>

/**
 * What apps ask of a wallet's public key, without web3.js: of that this project takes only the types, since what it brings
 * along may not be given to people (LGPL) and is 1.3 MB. Fits wherever a key is read; web3.js's own objects compare
 * with keys of their own only (`transactionKey` in device-wallet-adapter.ts finds those).
 */
export class WalletPublicKey {
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  toBytes(): Uint8Array {
    return this.#bytes.slice()
  }

  toBase58(): string {
    return toBase58(this.#bytes)
  }

  toString(): string {
    return this.toBase58()
  }

  toJSON(): string {
    return this.toBase58()
  }

  equals(other: { toBytes(): Uint8Array }): boolean {
    return equalBytes(this.#bytes, other.toBytes())
  }

  /** The type names private fields of web3.js's class, which nobody but that class reads. */
  get asAdapterKey(): AdapterKey {
    return this as unknown as AdapterKey
  }
}
