import {
  BaseSignInMessageSignerWalletAdapter,
  isVersionedTransaction,
  type TransactionOrVersionedTransaction,
  WalletConnectionError,
  WalletError,
  type WalletName,
  WalletNotConnectedError,
  WalletReadyState,
  WalletSignInError,
  WalletSignMessageError,
  WalletSignTransactionError,
} from '@solana/wallet-adapter-base'
import { utf8 } from '../../base/bytes.ts'
import { errorMessage } from '../../base/errors.ts'
import { formatSignIn, type SignInText } from './sign-in-text.ts'
import type { WalletSigner } from './wallet-key.ts'
import { type AdapterKey, WalletPublicKey } from './wallet-public-key.ts'

const NAME = 'This device' as WalletName<'This device'>
/** Three lines of a ledger, in the colours of whoever shows it. */
const ICON =
  'data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCAxNiAxNiI+PHBhdGggZD0iTTMgNGgxMHYySDN6bTAgNGgxMHYySDN6bTAgNGg2djJIM3oiIGZpbGw9IiM3Nzc3ODgiLz48L3N2Zz4='

type Base = BaseSignInMessageSignerWalletAdapter<'This device'>
type Key = AdapterKey
type SignInInput = NonNullable<Parameters<Base['signIn']>[0]>
type SignInOutput = Awaited<ReturnType<Base['signIn']>>

/**
 * This device as a wallet of the Solana wallet adapter (rule ID115): whatever takes Phantom takes it. Connects to the vault's
 * wallet, which may be made by that; the key stays behind `WalletSigner`, which decides what it signs for which purpose.
 * Errors are the adapter's own, each holding ours, and are also its `error` event.
 */
export class DeviceWalletAdapter extends BaseSignInMessageSignerWalletAdapter<'This device'> {
  readonly name = NAME
  readonly url = 'https://solana.com/'
  readonly icon = ICON
  readonly supportedTransactionVersions: ReadonlySet<'legacy' | 0> = new Set(['legacy', 0] as const)
  /** The wallet is there, and opens when it is asked for. */
  readonly readyState = WalletReadyState.Loadable
  readonly #open: () => Promise<WalletSigner>
  #signer: WalletSigner | undefined
  #publicKey: Key | null = null
  #connecting: Promise<void> | undefined

  constructor(open: () => Promise<WalletSigner>) {
    super()
    this.#open = open
  }

  get publicKey(): Key | null {
    return this.#publicKey
  }

  get connecting(): boolean {
    return this.#connecting !== undefined
  }

  override async connect(): Promise<void> {
    if (this.connected) return
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = undefined))
    return this.#connecting
  }

  override async disconnect(): Promise<void> {
    if (!this.#signer) return
    this.#signer = undefined
    this.#publicKey = null
    this.emit('disconnect')
  }

  override signMessage(message: Uint8Array): Promise<Uint8Array> {
    return this.#try(WalletSignMessageError, async (signer) => signer.sign('message', message))
  }

  override async signTransaction<T extends TransactionOrVersionedTransaction<this['supportedTransactionVersions']>>(
    transaction: T,
  ): Promise<T> {
    const bytes = isVersionedTransaction(transaction) ? transaction.message.serialize() : transaction.serializeMessage()
    const signature = await this.signTransactionBytes(new Uint8Array(bytes))
    const key = transactionKey(transaction, this.#signer?.address)
    if (!key) throw this.#told(new WalletSignTransactionError('this wallet is none of those that sign this transaction'))
    const taker: { addSignature(publicKey: Key, signature: Uint8Array): void } = transaction // the older kind says Buffer, and copies any bytes
    taker.addSignature(key, signature)
    return transaction
  }

  /** As `signTransaction`, for libraries that have other objects (@solana/kit): the message's bytes for 64 bytes of signature. */
  signTransactionBytes(message: Uint8Array): Promise<Uint8Array> {
    return this.#try(WalletSignTransactionError, async (signer) => signer.sign('transaction', message))
  }

  override async signIn(input: SignInInput = {}): Promise<SignInOutput> {
    await this.connect()
    return this.#try(WalletSignInError, async (signer) => {
      const { domain, address = signer.address } = input
      if (domain === undefined) throw new WalletSignInError('a sign-in names the place that it is for')
      const text: SignInText = { ...given(input), domain, address }
      const signedMessage = utf8(formatSignIn(text))
      const signature = signer.sign('sign-in', signedMessage)
      const features = ['solana:signIn', 'solana:signMessage', 'solana:signTransaction'] as const
      const account = { address: signer.address, publicKey: signer.publicKey, chains: [], features }
      return { account, signedMessage, signature, signatureType: 'ed25519' }
    })
  }

  async #connect(): Promise<void> {
    try {
      const signer = await this.#open()
      this.#signer = signer
      this.#publicKey = new WalletPublicKey(signer.publicKey).asAdapterKey
      this.emit('connect', this.#publicKey)
    } catch (cause) {
      throw this.#told(new WalletConnectionError(errorMessage(cause), cause))
    }
  }

  async #try<T>(Failure: typeof WalletSignMessageError, work: (signer: WalletSigner) => Promise<T>): Promise<T> {
    if (!this.#signer) throw this.#told(new WalletNotConnectedError())
    try {
      return await work(this.#signer)
    } catch (cause) {
      throw this.#told(cause instanceof WalletError ? cause : new Failure(errorMessage(cause), cause))
    }
  }

  #told<E extends WalletError>(error: E): E {
    this.emit('error', error)
    return error
  }
}

/** The transaction's own object for this wallet's key: web3.js compares only those that it made. */
function transactionKey(
  transaction: TransactionOrVersionedTransaction<ReadonlySet<'legacy' | 0>>,
  address: string | undefined,
): Key | undefined {
  const keys = isVersionedTransaction(transaction)
    ? transaction.message.staticAccountKeys
    : [transaction.feePayer, ...transaction.signatures.map(({ publicKey }) => publicKey)]
  return keys.find((key) => key?.toBase58() === address)
}

/** Without what was given as undefined. */
const given = (input: SignInInput): Partial<SignInText> =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
