import { useEffect } from 'react'
import { create } from 'zustand'
import { toBase64Url } from '../../base/bytes.ts'
import { DomainError } from '../../base/errors.ts'
import type { WalletAnswer, WalletQuestion } from '../../device/trust/wallet-sign-in-contract.ts'

export type BrowserWalletErrorCode = 'wallet/declined' | 'wallet/no-answer'

/** What a wallet of this browser did not do, for a person. */
export class BrowserWalletError extends DomainError<BrowserWalletErrorCode> {
  override readonly name = 'BrowserWalletError'
  readonly code: BrowserWalletErrorCode

  constructor(code: BrowserWalletErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** A wallet that this browser has (wallet standard) and that can sign in. Name and icon are its own words. */
export interface BrowserWallet {
  readonly name: string
  /** A `data:` picture, or undefined. */
  readonly icon: string | undefined
  /** Asks the person, in the wallet's own window. @throws BrowserWalletError */
  signIn(question: WalletQuestion): Promise<WalletAnswer>
}

const MAX_WALLETS = 6
const MAX_NAME = 40
const MAX_ICON = 100_000
const SIGN_IN = 'solana:signIn'

const useWallets = create<{ wallets: readonly BrowserWallet[] }>(() => ({ wallets: [] }))
let isListening = false

/** Wallets of this browser, as they come: extensions are free to be late. Nothing is asked of them, and none is connected. */
export function useBrowserWallets(): readonly BrowserWallet[] {
  useEffect(listen, [])
  return useWallets(({ wallets }) => wallets)
}

/**
 * The page's side of the wallet standard's registration: who is there already answers `app-ready`, who comes later says
 * `register-wallet`. Both hand over an object of the other's making, which is read with suspicion.
 */
function listen(): void {
  if (isListening) return
  isListening = true
  const register = (...given: readonly unknown[]) => {
    for (const one of given) take(one)
    return () => undefined
  }
  const api = Object.freeze({ register })
  window.addEventListener('wallet-standard:register-wallet', (event) => {
    const callback: unknown = (event as CustomEvent).detail
    if (typeof callback === 'function') callback(api)
  })
  window.dispatchEvent(new CustomEvent('wallet-standard:app-ready', { detail: api }))
}

function take(given: unknown): void {
  try {
    const wallet = readWallet(given)
    const { wallets } = useWallets.getState()
    if (!wallet || wallets.length >= MAX_WALLETS || wallets.some(({ name }) => name === wallet.name)) return
    useWallets.setState({ wallets: [...wallets, wallet] })
  } catch {
    // a wallet that cannot even be looked at is none
  }
}

/** Undefined: no wallet, or one that cannot sign in to anything. */
export function readWallet(given: unknown): BrowserWallet | undefined {
  const wallet = asObject(given)
  const feature = asObject(asObject(wallet?.['features'])?.[SIGN_IN])
  const signIn = feature?.['signIn']
  const name = typeof wallet?.['name'] === 'string' ? wallet['name'].trim().slice(0, MAX_NAME) : ''
  if (name === '' || typeof signIn !== 'function') return undefined
  const icon = typeof wallet?.['icon'] === 'string' && isPicture(wallet['icon']) ? wallet['icon'] : undefined
  return {
    name,
    icon,
    async signIn(question) {
      const answers: unknown = await Promise.resolve(signIn.call(feature, question)).catch((cause: unknown) => {
        throw new BrowserWalletError(
          'wallet/declined',
          `${name} did not sign in: it was cancelled, or is locked; try again, or use your passphrase`,
          {
            cause,
          },
        )
      })
      const answer = readAnswer(Array.isArray(answers) ? answers[0] : undefined)
      if (answer) return answer
      throw new BrowserWalletError('wallet/no-answer', `${name} gave an answer that is none; use your passphrase`)
    },
  }
}

function readAnswer(given: unknown): WalletAnswer | undefined {
  const answer = asObject(given)
  const account = asObject(answer?.['account'])
  const [address, publicKey] = [account?.['address'], bytesOf(account?.['publicKey'])]
  const [signedMessage, signature] = [bytesOf(answer?.['signedMessage']), bytesOf(answer?.['signature'])]
  if (typeof address !== 'string' || publicKey?.length !== 32 || signature?.length !== 64 || !signedMessage) return undefined
  return { address, publicKey: toBase64Url(publicKey), signedMessage: toBase64Url(signedMessage), signature: toBase64Url(signature) }
}

/** Bytes of another frame's making are no `Uint8Array` of this one's. */
const bytesOf = (value: unknown): Uint8Array | undefined => (ArrayBuffer.isView(value) ? Uint8Array.from(value as Uint8Array) : undefined)

const isPicture = (icon: string): boolean => icon.length <= MAX_ICON && /^data:image\/(svg\+xml|png|webp|gif);base64,/.test(icon)

const asObject = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  value !== null && typeof value === 'object' ? (value as Readonly<Record<string, unknown>>) : undefined
