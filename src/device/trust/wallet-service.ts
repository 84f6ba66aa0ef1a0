import { toBase58 } from '../../base/base58.ts'
import { utf8 } from '../../base/bytes.ts'
import type { Disposable } from '../../base/disposable.ts'
import type { Vault } from '../../identity/vault.ts'
import type { walletContract, walletControlContract } from '../../identity/wallet-contract.ts'
import { DeviceWalletAdapter } from '../../identity/wallet/device-wallet-adapter.ts'
import { certifyWallet, type WalletCertificate } from '../../identity/wallet/wallet-certificate.ts'
import type { Handlers } from '../../rpc/contract.ts'

type SignInInput = NonNullable<Parameters<DeviceWalletAdapter['signIn']>[0]>
type SignInOutput = Awaited<ReturnType<DeviceWalletAdapter['signIn']>>

/** This device's wallet, as the command line and the ledger's anchor use it: always through its adapter. */
export class WalletService implements Disposable {
  readonly #vault: Vault
  readonly #stopWatching: Disposable
  readonly adapter: DeviceWalletAdapter

  constructor(vault: Vault) {
    this.#vault = vault
    this.adapter = new DeviceWalletAdapter(() => vault.openWallet())
    this.adapter.on('error', () => undefined) // whoever called hears of it
    const isOpen = () => vault.phase === 'open' && vault.keys.wallet !== undefined
    // Keys are new objects after a lock or a joining: what was connected to the old ones signs nothing more.
    let wallet = isOpen() ? vault.keys.wallet : undefined
    this.#stopWatching = vault.onDidChange(() => {
      const now = isOpen() ? vault.keys.wallet : undefined
      if (now !== wallet && wallet !== undefined) void this.adapter.disconnect()
      wallet = now
    })
  }

  handlers(): Handlers<typeof walletContract> {
    return { readWallet: () => this.certificate() }
  }

  controlHandlers(): Handlers<typeof walletControlContract> {
    return {
      signWalletMessage: async ({ text }) => {
        const signedMessage = utf8(text)
        const signature = await this.#use(() => this.adapter.signMessage(signedMessage))
        return this.#answer(signedMessage, signature)
      },
      signInWithWallet: async (input) => {
        const { signedMessage, signature } = await this.signIn({ version: '1', ...withoutUndefined(input) })
        return this.#answer(signedMessage, signature)
      },
    }
  }

  /** @throws IdentityError `vault/locked`; StoreError */
  async certificate(): Promise<WalletCertificate> {
    return certifyWallet(this.#vault.keys.signer, await this.#vault.openWallet())
  }

  /** Answers a sign-in as any wallet does. @throws IdentityError `wallet/refused`, `vault/locked` */
  signIn(input: SignInInput): Promise<SignInOutput> {
    return this.#use(() => this.adapter.signIn(input))
  }

  /** 64 bytes over a transaction's message. @throws IdentityError `wallet/refused`, `vault/locked` */
  signTransaction(message: Uint8Array): Promise<Uint8Array> {
    return this.#use(() => this.adapter.signTransactionBytes(message))
  }

  dispose(): void {
    this.#stopWatching.dispose()
    void this.adapter.disconnect()
  }

  /** Errors come out as the vault or the wallet said them, not wrapped by the adapter. */
  async #use<T>(work: () => Promise<T>): Promise<T> {
    try {
      await this.adapter.connect()
      return await work()
    } catch (failure) {
      throw failure instanceof Error && 'error' in failure && failure.error instanceof Error ? failure.error : failure
    }
  }

  #answer(signedMessage: Uint8Array, signature: Uint8Array) {
    const address = this.#vault.keys.wallet?.address ?? ''
    return { address, signedMessage: btoa(String.fromCharCode(...signedMessage)), signature: toBase58(signature) }
  }
}

const withoutUndefined = <T extends object>(value: T) =>
  Object.fromEntries(Object.entries(value).filter(([, given]) => given !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> }
