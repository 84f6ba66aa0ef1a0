import { fromBase58 } from '../../base/base58.ts'
import { toHex } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { Crypto } from '../crypto.ts'
import { IdentityError } from '../identity-error.ts'
import { parseSignIn, type SignInText } from './sign-in-text.ts'

/** Time enough to read a text and press a button. */
export const SIGN_IN_TTL_MS = 5 * 60_000
/** Questions that nobody answered; the oldest go. */
const MAX_OPEN = 64
const NONCE_BYTES = 16

/** What is asked of a wallet, all of it: each field must come back as it is. */
export type SignInQuestion = Required<
  Pick<SignInText, 'domain' | 'statement' | 'uri' | 'version' | 'nonce' | 'issuedAt' | 'expirationTime'>
>

/** What a wallet answers, from outside. */
export interface SignInAnswer {
  /** As the wallet's account says it; must be the key's. */
  readonly address: string
  readonly publicKey: Uint8Array
  readonly signedMessage: Uint8Array
  readonly signature: Uint8Array
}

/**
 * Asks wallets who they are and checks what they answer (rules ID116-ID119): the stock verifier takes expired texts, texts that
 * name somebody else's address, any domain, and keys under which every signature is right. Identity is the key that signed
 * and nothing else. Each question is answered once. Bounded; holds nothing but nonces.
 */
export class SignInCheck {
  readonly #crypto: Crypto
  readonly #clock: Clock
  readonly #open = new Map<string, SignInQuestion>()

  constructor(crypto: Crypto, clock: Clock) {
    this.#crypto = crypto
    this.#clock = clock
  }

  ask({ domain, uri, statement }: Pick<SignInQuestion, 'domain' | 'uri' | 'statement'>): SignInQuestion {
    const nowMs = this.#clock.nowMs()
    const [issuedAt, expirationTime] = [nowMs, nowMs + SIGN_IN_TTL_MS].map((ms) => new Date(ms).toISOString()) as [string, string]
    const nonce = toHex(this.#crypto.bytes(NONCE_BYTES))
    const question = { domain, statement, uri, version: '1', nonce, issuedAt, expirationTime }
    this.#open.set(nonce, question)
    for (const oldest of this.#open.keys()) if (this.#open.size > MAX_OPEN) this.#open.delete(oldest)
    return question
  }

  /** The address that signed in. @throws IdentityError `wallet/refused-sign-in`  said why, for whoever keeps the log */
  take({ address: said, publicKey, signedMessage, signature }: SignInAnswer): string {
    const parts = parseSignIn(textOf(signedMessage)) ?? refuse('it is no sign-in text')
    const question = this.#open.get(parts.nonce ?? '') ?? refuse('nobody asked for it, or it was used before')
    this.#open.delete(question.nonce) // one try a question, right or wrong
    const { address, ...rest } = parts
    const keys = Object.keys({ ...question, ...rest }) as (keyof SignInQuestion)[]
    if (keys.some((key) => rest[key] !== question[key])) refuse('it says something else than was asked')
    const nowMs = this.#clock.nowMs()
    if (nowMs >= Date.parse(question.expirationTime) || nowMs < Date.parse(question.issuedAt)) refuse('its time is over')
    if (address !== said || !isKeyOf(address, publicKey)) refuse('the address in it is not the key that signed')
    if (!this.#crypto.verify(publicKey, signedMessage, signature)) refuse('its signature is wrong, or the key is one that signs everything')
    return address
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    return refuse('it is no text, but may be a transaction')
  }
}

function isKeyOf(address: string, publicKey: Uint8Array): boolean {
  try {
    return toHex(fromBase58(address)) === toHex(publicKey)
  } catch {
    return false // not base58
  }
}

function refuse(why: string): never {
  throw new IdentityError('wallet/refused-sign-in', `the wallet did not sign in: ${why}; ask again`)
}
