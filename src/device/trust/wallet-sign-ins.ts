import { fromBase64Url, toBase64Url } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { Disposable } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Crypto } from '../../identity/crypto.ts'
import { hasControlCharacter } from '../../identity/device-statement.ts'
import { IdentityError } from '../../identity/identity-error.ts'
import { passphraseBytes } from '../../identity/passphrase.ts'
import type { Vault } from '../../identity/vault.ts'
import type { VaultStore } from '../../identity/vault-store.ts'
import { ListedWallets } from '../../identity/wallet/listed-wallets.ts'
import { SignInCheck, type SignInAnswer } from '../../identity/wallet/sign-in-check.ts'
import type { Handlers } from '../../rpc/contract.ts'
import type { DisplaySession } from '../desk/display-session.ts'
import type { OpenDesk } from '../desk/open-desk.ts'
import type { WalletAnswer, walletSignInContract } from './wallet-sign-in-contract.ts'
import type { WalletService } from './wallet-service.ts'

const OPEN_STATEMENT = 'Open the desk on this device. This costs nothing and moves nothing.'
const LIST_STATEMENT = 'Let this wallet open the desk on this device. This costs nothing and moves nothing.'

/** How a display was opened with keys of this device. */
export type OwnWay = 'passphrase' | 'passkey'

export interface WalletSignInsOptions {
  readonly crypto: Crypto
  readonly clock: Clock
  readonly log: Logger
  readonly vault: Vault
  readonly vaultStore: VaultStore
  readonly wallet: WalletService
  /** Undefined while it is closed. */
  desk(): OpenDesk | undefined
  /** Locks displays that a wallet opened which may not any more. */
  lockDisplay(session: DisplaySession): void
}

/** What one display has been asked, by purpose: an answer to one is none to the other. */
interface Checks {
  readonly open: SignInCheck
  readonly list: SignInCheck
  readonly own: SignInCheck
}

/**
 * Every sign-in of a display is signed by a wallet and kept in the ledger (rules DV70-DV74): by one that the owner listed, which
 * then opens the display, or, after passphrase or passkey, by the device's own. A wallet opens no key: the device's must be open.
 */
export class WalletSignIns implements Disposable {
  readonly #options: WalletSignInsOptions
  readonly #checks = new WeakMap<DisplaySession, Checks>()
  /** Displays that are open by a wallet. */
  readonly #opened = new Map<DisplaySession, string>()
  readonly #changed = new Emitter<void>()
  #listed: ListedWallets | undefined
  /** Set while the desk is open: a page that is sooner than the list waits for it. */
  #loading: Promise<ListedWallets> | undefined

  /** Whether a wallet may sign in may have changed. */
  readonly onDidChange = this.#changed.event

  constructor(options: WalletSignInsOptions) {
    this.#options = options
  }

  /** The device keys are open, perhaps for another person than before. */
  async follow(): Promise<void> {
    const { vault, vaultStore, log } = this.#options
    try {
      const loading = ListedWallets.load(vaultStore, vault.keys, log)
      this.#loading = loading
      const listed = await loading
      if (this.#loading === loading) this.#listed = listed // it may have closed meanwhile, or be another person's
    } catch (error) {
      log.warn('the list of wallets that may sign in cannot be read: none may', { error: errorMessage(error) })
    }
    this.#changed.fire()
  }

  close(): void {
    this.#listed = undefined
    this.#loading = undefined
    this.#changed.fire()
  }

  /** Could a wallet open a display now? */
  get isPossible(): boolean {
    return this.#options.desk() !== undefined && (this.#listed?.all.length ?? 0) > 0
  }

  handlers(session: DisplaySession): Handlers<Omit<typeof walletSignInContract, 'signInByWallet'>> {
    return {
      askWalletSignIn: () => {
        this.#requirePossible()
        return this.#ask(session, 'open', OPEN_STATEMENT)
      },
      listWallets: async () => ({ wallets: [...(await this.#require()).all] }),
      askWalletListing: () => this.#ask(session, 'list', LIST_STATEMENT),
      addListedWallet: async ({ passphrase, name, answer }) => {
        await this.#options.vault.provePassphrase(passphraseBytes(passphrase)) // first: a wrong one must not use up the answer
        const address = this.#of(session).list.take(readAnswer(answer))
        const shown = [...name].filter((character) => !hasControlCharacter(character)).join('') || 'a wallet'
        await (await this.#require()).add({ address, name: shown, addedAtMs: Math.trunc(this.#options.clock.nowMs()) })
        this.#options.log.info('a wallet may sign in from now on', { name: shown })
        this.#changed.fire()
        return {}
      },
      removeListedWallet: async ({ address }) => {
        await (await this.#require()).remove(address)
        for (const [opened, by] of this.#opened) if (by === address) this.#options.lockDisplay(opened)
        this.#changed.fire()
        return {}
      },
    }
  }

  /**
   * Somebody with a listed wallet is at the display, which the caller opens at once. @throws IdentityError `wallet/not-possible`,
   *   `wallet/refused-sign-in`, `wallet/not-listed`
   */
  take(session: DisplaySession, given: WalletAnswer): void {
    this.#requirePossible()
    const answer = readAnswer(given)
    const address = this.#of(session).open.take(answer)
    if (!this.#listed?.has(address)) {
      throw new IdentityError(
        'wallet/not-listed',
        `the wallet ${address.slice(0, 4)}…${address.slice(-4)} may not sign in here; unlock with your passphrase and list it in Settings, Security`,
      )
    }
    this.#note(session, address)
    this.#record(session, 'wallet', answer)
  }

  /** The wallet that opened this display; undefined: none did. */
  openedBy(session: DisplaySession): string | undefined {
    return this.#opened.get(session)
  }

  /** A display that `address` had opened is back, on a desk that was opened anew. False: that wallet may open it no more. */
  async resume(session: DisplaySession, address: string): Promise<boolean> {
    const listed = await this.#loading?.catch(() => undefined)
    if (!listed?.has(address) || listed !== this.#listed) return false
    this.#note(session, address)
    return true
  }

  /** A display was opened by `way`: this device's wallet signs it in. Never rejects and holds nothing up. */
  async signOwn(session: DisplaySession, way: OwnWay): Promise<void> {
    if (session.host === undefined) return // not a page
    const { wallet, log } = this.#options
    try {
      const check = this.#of(session).own
      const question = check.ask({ ...placeOf(session.host), statement: `A display opened the desk on this device with the ${way}.` })
      const { account, signedMessage, signature } = await wallet.signIn(question)
      const answer = { address: account.address, publicKey: account.publicKey, signedMessage, signature } as SignInAnswer
      check.take(answer)
      this.#record(session, way, answer)
    } catch (error) {
      log.warn('the sign-in of a display was not signed, and is not in the ledger', { display: session.name, error: errorMessage(error) })
    }
  }

  dispose(): void {
    this.close()
    this.#changed.dispose()
  }

  /** Until it locks. */
  #note(session: DisplaySession, address: string): void {
    this.#opened.set(session, address)
    const stop = session.onDidChange(() => {
      if (session.isUnlocked) return
      this.#opened.delete(session)
      stop.dispose()
    })
  }

  #record(session: DisplaySession, way: OwnWay | 'wallet', { address, signedMessage, signature }: SignInAnswer): void {
    const text = new TextDecoder().decode(signedMessage)
    this.#options.desk()?.ledger.record({ kind: 'signed-in', display: session.id, way, wallet: address, text, sig: toBase64Url(signature) })
    this.#options.log.info('a display signed in', { display: session.name, way })
  }

  #ask(session: DisplaySession, purpose: keyof Checks, statement: string) {
    if (session.host === undefined) throw new IdentityError('wallet/not-possible', 'only a page that this device served can ask a wallet')
    return this.#of(session)[purpose].ask({ ...placeOf(session.host), statement })
  }

  #of(session: DisplaySession): Checks {
    const { crypto, clock } = this.#options
    let checks = this.#checks.get(session)
    if (!checks) {
      checks = { open: new SignInCheck(crypto, clock), list: new SignInCheck(crypto, clock), own: new SignInCheck(crypto, clock) }
      this.#checks.set(session, checks)
    }
    return checks
  }

  #require(): Promise<ListedWallets> {
    return this.#loading ?? fail('this device is locked, and a wallet does not open it; unlock it with your passphrase')
  }

  #requirePossible(): void {
    if (this.#options.desk() === undefined) fail('this device is locked, and a wallet does not open it; unlock it with your passphrase')
    if (!this.isPossible) fail('no wallet may sign in here; unlock with your passphrase and list one in Settings, Security')
  }
}

const placeOf = (host: string) => ({ domain: host, uri: `http://${host}` })

const readAnswer = ({ address, publicKey, signedMessage, signature }: WalletAnswer): SignInAnswer => ({
  address,
  publicKey: fromBase64Url(publicKey),
  signedMessage: fromBase64Url(signedMessage),
  signature: fromBase64Url(signature),
})

function fail(why: string): never {
  throw new IdentityError('wallet/not-possible', why)
}
