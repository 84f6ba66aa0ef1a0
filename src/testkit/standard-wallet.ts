import { createSignInMessage } from '@solana/wallet-standard-util'
import { toBase58 } from '../base/base58.ts'
import { toBase64Url, utf8 } from '../base/bytes.ts'
import { SodiumCrypto } from '../platform/node/sodium-crypto.ts'
import type { WalletAnswer } from '../device/trust/wallet-sign-in-contract.ts'

const crypto = new SodiumCrypto()

/** Changes what is asked before it is written and signed: a wallet that was fooled, or is hostile. */
export type AskedChange = (input: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>

/**
 * A browser wallet as others write them: an Ed25519 key, and the text of a sign-in as the wallet standard's own library writes it,
 * with none of this project's code. Signs whatever it is asked, as a person does who reads nothing.
 */
export class StandardWallet {
  readonly name: string
  readonly address: string
  readonly publicKey: Uint8Array
  /** What it was asked to sign in to, in order. */
  readonly asked: object[] = []
  /** The person presses "cancel". */
  declines = false
  change: AskedChange = (input) => input
  readonly #key: ReturnType<SodiumCrypto['signingKey']>

  constructor({ name, seed }: { name: string; seed: number }) {
    this.name = name
    this.#key = crypto.signingKey(new Uint8Array(32).fill(seed))
    this.publicKey = this.#key.publicKey
    this.address = toBase58(this.publicKey)
  }

  /** `solana:signIn`, for one input. */
  signIn(input: object) {
    this.asked.push(input)
    if (this.declines) throw Object.assign(new Error('User rejected the request.'), { code: 4001 })
    const signedMessage = createSignInMessage({
      address: this.address,
      ...this.change(input as Readonly<Record<string, unknown>>),
    } as never)
    return { account: { address: this.address, publicKey: this.publicKey }, signedMessage, signature: this.sign(signedMessage) }
  }

  /** What a display sends its device. */
  answer(input: object): WalletAnswer {
    return this.answerWith(this.signIn(input).signedMessage)
  }

  /** Any bytes, signed, in the place of a sign-in. */
  answerWith(signedMessage: Uint8Array): WalletAnswer {
    return {
      address: this.address,
      publicKey: toBase64Url(this.publicKey),
      signedMessage: toBase64Url(signedMessage),
      signature: toBase64Url(this.sign(signedMessage)),
    }
  }

  sign(bytes: Uint8Array | string): Uint8Array {
    return this.#key.sign(typeof bytes === 'string' ? utf8(bytes) : bytes)
  }
}
