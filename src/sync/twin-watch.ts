import { fromBase64Url, fromHex, toBase64Url, toHex, utf8, concatBytes } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import type { RandomSource } from '../base/random.ts'
import type { DeviceCheck, DeviceSigner } from './device-check.ts'
import { TokenBucket } from './token-bucket.ts'

const PREFIX = utf8('elsewhere/twin/v1\n')
const NONCE_BYTES = 16
/** Somebody who holds only the rendezvous secret can claim our name as often as they like: this often it is looked into. */
const QUESTIONS = { perSecond: 0.1, burst: 8 }
/** An answer later than this is not to what was asked. */
const ANSWER_MS = 30_000
/** Questions of our own remembered, so that we never answer them ourselves; at six a minute more than ANSWER_MS needs. */
const MAX_ASKED = 32
const MAX_ADDRESSES = 256

export interface TwinWatchOptions {
  readonly signer: DeviceSigner
  readonly check: Pick<DeviceCheck, 'verify'>
  readonly clock: Clock
  readonly random: RandomSource
}

/**
 * Finds another process that runs with this device's key, from a copied data folder (rule SY68): whoever says our name at a
 * meeting place is asked to sign a fresh nonce. Only our own key can, and we never answer our own questions, which come back
 * to us where we are at one rendezvous by two ways. The name alone proves nothing: all devices of a person can say it.
 */
export class TwinWatch implements Disposable {
  readonly #options: TwinWatchOptions
  readonly #owned = new DisposableStore()
  readonly #met = this.#owned.add(new Emitter<void>())
  readonly #asked = new Map<string, number>()
  /** An address lasts as long as its connection; asking once is enough. */
  readonly #askedAt = new Set<string>()
  readonly #questions: TokenBucket
  #hasMet = false
  /** There is one. Told once. */
  readonly onDidMeetTwin = this.#met.event

  constructor(options: TwinWatchOptions) {
    this.#options = options
    this.#questions = new TokenBucket(options.clock, QUESTIONS)
  }

  /** Somebody said our name at `address`. @returns  a nonce to send there, in hex; undefined: asked often enough */
  question(address: string): string | undefined {
    const nowMs = this.#options.clock.monotonicMs()
    if (this.#hasMet || this.#askedAt.has(address) || !this.#questions.take(1)) return undefined
    this.#askedAt.add(address)
    if (this.#askedAt.size > MAX_ADDRESSES) this.#askedAt.delete(this.#askedAt.keys().next().value as string)
    const nonce = toHex(this.#options.random.bytes(NONCE_BYTES))
    this.#asked.set(nonce, nowMs)
    if (this.#asked.size > MAX_ASKED) this.#asked.delete(this.#asked.keys().next().value as string)
    return nonce
  }

  /** Our name's bearer is asked. @returns  the signature, URL-safe base64; undefined: the question is our own */
  answer(nonce: string): string | undefined {
    return this.#asked.has(nonce) ? undefined : toBase64Url(this.#options.signer.sign(signedPart(nonce)))
  }

  handleAnswer(nonce: string, sig: string): void {
    const askedMs = this.#asked.get(nonce)
    const { signer, check, clock } = this.#options
    if (this.#hasMet || askedMs === undefined || clock.monotonicMs() - askedMs > ANSWER_MS) return
    if (!check.verify(signer.device, signedPart(nonce), fromBase64Url(sig))) return
    this.#hasMet = true
    this.#met.fire()
  }

  dispose(): void {
    this.#owned.dispose()
  }
}

const signedPart = (nonce: string): Uint8Array => concatBytes(PREFIX, fromHex(nonce))
