import type { CpaceRun } from './cpace.ts'
import type { IdentityErrorCode } from './identity-error.ts'
import type { PairingGrant, PairingIntroduction } from './pairing-wire.ts'

export type PairingRole = 'offer' | 'join'

export interface PairingSetup {
  readonly role: PairingRole
  /** The secret half of the code, as bytes. */
  readonly secret: Uint8Array
  readonly self: PairingIntroduction
  /** Signs with the device's key: proves that the introduction's key is one's own. */
  readonly sign: (message: Uint8Array) => Uint8Array
  /** SHA-256 of both DTLS certificates as this end sees them. */
  readonly localFingerprint: Uint8Array
  readonly remoteFingerprint: Uint8Array
}

/** `guess`: has the other side shown to know the code? A `wrong` one burns it. */
export interface PairingRun {
  readonly phase: 'hello' | 'proof' | 'introduce' | 'decide' | 'admitting' | 'granting' | 'adopting' | 'done' | 'failed'
  readonly guess: 'none' | 'right' | 'wrong'
  readonly setup: PairingSetup
  readonly nonce: Uint8Array
  readonly blind: Uint8Array
  readonly cpaceRandom: Uint8Array
  readonly cpace?: CpaceRun
  readonly theirCommitment?: Uint8Array
  readonly keys?: PairingKeys
  readonly sent: number
  readonly received: number
  /** Once `decide` is reached: who the other side is, proved. */
  readonly peer?: PairingIntroduction
  readonly safetyWords?: readonly string[]
  readonly answer?: boolean
  readonly theirAnswer?: boolean
  readonly error?: { readonly code: IdentityErrorCode; readonly message: string }
}

/** Keys of one run, from CPace's: each side seals and proves with its own. */
export interface PairingKeys {
  readonly own: { readonly seal: Uint8Array; readonly proof: Uint8Array }
  readonly theirs: { readonly seal: Uint8Array; readonly proof: Uint8Array }
  /** What device keys sign: names this run and nothing else. */
  readonly transcript: Uint8Array
}

export type PairingInput =
  | { readonly type: 'message'; readonly bytes: Uint8Array }
  | { readonly type: 'answer'; readonly accept: boolean }
  /** The offering device has signed the new entry. */
  | { readonly type: 'admitted'; readonly grant: PairingGrant }
  /** The joining device has taken over what it was given. */
  | { readonly type: 'adopted' }
  /** Timeout, cancelled, pipe closed, or the device could not admit or adopt. `tell`: the other side hears why. */
  | { readonly type: 'fail'; readonly code: IdentityErrorCode; readonly message: string; readonly tell: boolean }

export type PairingOutput =
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  | { readonly type: 'admit'; readonly peer: PairingIntroduction }
  | { readonly type: 'adopt'; readonly grant: PairingGrant }

export interface PairingStep {
  readonly run: PairingRun
  readonly outputs: readonly PairingOutput[]
}
