import { toBase58 } from '../../base/base58.ts'
import { concatBytes, fromBase64Url, toBase64Url } from '../../base/bytes.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import type { Crypto } from '../crypto.ts'
import { IdentityError } from '../identity-error.ts'
import type { WalletCertificate } from '../wallet-contract.ts'
import { ANCHOR_SALT_BYTES, anchorMemo, type LedgerAnchor } from './anchor.ts'
import type { AnchorNetwork } from './anchor-network.ts'
import type { AnchorStore, PendingAnchor } from './anchor-store.ts'
import type { Ledger } from './ledger.ts'

/** A block takes 0.4 s. */
const ASK_AGAIN_MS = 1_000
/** Questions whether the network kept it, before that is left to the next time: a blockhash lives for 60 s, final after 15 more. */
const MAX_QUESTIONS = 120
/** What Solana takes for a signature: a server that says less does not make it cheaper. */
const SIGNATURE_LAMPORTS = 5_000
/** Nothing that was sent comes so late, whatever height a server has named. */
const LATEST_MS = 86_400_000

/** Signs the bytes of a transaction as the device's wallet. */
export interface AnchorWallet {
  readonly certificate: WalletCertificate
  sign(message: Uint8Array): Promise<Uint8Array>
}

/** Where and how dear. */
export interface AnchorTerms {
  readonly network: AnchorNetwork
  /** What its genesis hash begins with, where a known network is meant: a server of another one is refused. */
  readonly genesisPrefix: string
  readonly dailyLamports: number
}

export interface LedgerAnchorerOptions {
  readonly crypto: Crypto
  readonly clock: Clock
  readonly ledger: Ledger
  readonly store: AnchorStore
}

/**
 * Puts the root over all entries on a network, as one memo however many entries there are (rules ID120-ID124). One at a
 * time; what was sent is written down first, so that a crash neither forgets nor pays twice. The server is not trusted: what
 * it prepared is read before it is signed, and it can cost at most the day's cap.
 */
export class LedgerAnchorer {
  readonly #options: LedgerAnchorerOptions
  #running: Promise<LedgerAnchor> | undefined

  constructor(options: LedgerAnchorerOptions) {
    this.#options = options
  }

  /** Entries that no anchor covers. The one about the last anchor is no reason for another. */
  get uncovered(): number {
    const { ledger, store } = this.#options
    const { last } = store
    return last ? Math.max(0, ledger.count - last.receipt.count - 1) : ledger.count
  }

  /**
   * Resolves when the network has kept it. A call while one runs gets that one.
   *
   * @throws IdentityError `anchor/unreachable`, `anchor/wrong-network`, `anchor/cap-reached`, `anchor/too-little`,
   *   `anchor/refused`, `anchor/unconfirmed`, `anchor/nothing-new`, `wallet/refused`; StoreError
   */
  anchor(wallet: AnchorWallet, terms: AnchorTerms, signal?: AbortSignal): Promise<LedgerAnchor> {
    this.#running ??= this.#anchor(wallet, terms, signal).finally(() => (this.#running = undefined))
    return this.#running
  }

  async #anchor(wallet: AnchorWallet, { network, genesisPrefix, dailyLamports }: AnchorTerms, signal?: AbortSignal): Promise<LedgerAnchor> {
    const { crypto, clock, ledger, store } = this.#options
    const genesis = await network.genesis(signal)
    if (!genesis.startsWith(genesisPrefix)) {
      fail('anchor/wrong-network', 'the server belongs to another network than the one that is set; nothing was sent. Set the right URL')
    }
    const left = store.pending
    if (left?.anchor.network === genesis) {
      const settled = await this.#settle(left, network, signal)
      if (settled) return settled
    }
    if (this.uncovered === 0) fail('anchor/nothing-new', 'all that this ledger holds is anchored already')
    const receipt = ledger.receipt()
    const salt = crypto.bytes(ANCHOR_SALT_BYTES)
    const { address } = wallet.certificate
    const prepared = await network.prepare(address, anchorMemo(crypto, receipt, salt), signal)
    const { message, lastValidHeight } = prepared
    const feeLamports = Math.max(prepared.feeLamports, SIGNATURE_LAMPORTS)
    const nowMs = clock.nowMs()
    if (store.spentOn(nowMs) + feeLamports > dailyLamports) {
      fail(
        'anchor/cap-reached',
        `an anchor costs ${feeLamports} lamports, and ${store.spentOn(nowMs)} of today's ${dailyLamports} are spent; it waits for tomorrow`,
      )
    }
    if ((await network.balance(address, signal)) < feeLamports) {
      fail('anchor/too-little', `the wallet ${address} has less than the ${feeLamports} lamports that an anchor costs; send it a little`)
    }
    const signature = await wallet.sign(message)
    const anchor: LedgerAnchor = {
      format: 'elsewhere-ledger-anchor',
      version: 1,
      receipt,
      wallet: wallet.certificate,
      salt: toBase64Url(salt),
      network: genesis,
      signature: toBase58(signature),
      transaction: toBase64Url(concatBytes(Uint8Array.of(1), signature, message)),
      feeLamports,
      atMs: Math.max(0, Math.trunc(nowMs)),
      slot: 0,
    }
    const pending = { anchor, lastValidHeight }
    store.giveUp() // one of another network
    store.pending = pending
    await network.send(fromBase64Url(anchor.transaction), signal) // a server may refuse it and pass it on: it stays pending
    return (
      (await this.#settle(pending, network, signal)) ??
      fail('anchor/refused', 'the network did not keep the anchor in time; it is tried again with the next one')
    )
  }

  /** Undefined: the network did not keep it and never will. @throws IdentityError `anchor/unconfirmed`  not known yet */
  async #settle(
    { anchor, lastValidHeight }: PendingAnchor,
    network: AnchorNetwork,
    signal?: AbortSignal,
  ): Promise<LedgerAnchor | undefined> {
    const { clock, store, ledger } = this.#options
    for (let asked = 0; asked < MAX_QUESTIONS; asked++) {
      const height = await network.height(signal) // before the status: what is unknown after it never comes
      const status = await network.status(anchor.signature, signal)
      if (status.kind === 'kept') {
        const kept = { ...anchor, slot: status.slot }
        store.add(kept)
        const { count, root } = kept.receipt
        ledger.record({ kind: 'anchored', count, root, signature: kept.signature, network: kept.network, feeLamports: kept.feeLamports })
        return kept
      }
      const isTooLate = height > lastValidHeight || clock.nowMs() - anchor.atMs > LATEST_MS
      if (status.kind === 'failed' || (status.kind === 'unknown' && isTooLate)) {
        store.giveUp()
        return undefined
      }
      await sleep(clock, ASK_AGAIN_MS, signal)
    }
    return fail(
      'anchor/unconfirmed',
      'the anchor was sent, and the network has not said that it keeps it; that is asked again with the next one',
    )
  }
}

function fail(code: IdentityError['code'], message: string): never {
  throw new IdentityError(code, message)
}
