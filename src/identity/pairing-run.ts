import type { CpaceRun } from './cpace.ts'
import type { IdentityErrorCode } from './identity-error.ts'
import type { ContactOffer, PairingGrant, PairingIntroduction } from './pairing-wire.ts'

export type PairingRole = 'offer' | 'join'

/** What both want: one becomes a device of the other's person, or the two persons become contacts. */
export type PairingPurpose = 'device' | 'contact'

export interface PairingSetup {
  readonly role: PairingRole
  /** Default: device. Bound into the keys of the run: a code for one purpose is no code for the other. */
  readonly purpose?: PairingPurpose
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
  readonly phase: 'hello' | 'proof' | 'introduce' | 'decide' | 'admitting' | 'granting' | 'adopting' | 'exchanging' | 'done' | 'failed'
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
  /** While `exchanging`: was ours sent, theirs asked to be taken, taken, and ours taken over there? */
  readonly exchanged?: { readonly sent: boolean; readonly heard: boolean; readonly taken: boolean; readonly theirs: boolean }
  readonly error?: { readonly code: IdentityErrorCode; readonly message: string }
}

/** Keys of one run, from CPace's: each side seals and proves with its own. */
export interface PairingKeys {
  readonly own: { readonly seal: Uint8Array; readonly proof: Uint8Array }
  readonly theirs: { readonly seal: Uint8Array; readonly proof: Uint8Array }
  /** What device keys sign: names this run and nothing else. */
  readonly transcript: Uint8Array
  /** Where the devices of two contacts meet is derived from it. */
  readonly meeting: Uint8Array
}

export type PairingInput =
  | { readonly type: 'message'; readonly bytes: Uint8Array }
  | { readonly type: 'answer'; readonly accept: boolean }
  /** The offering device has signed the new entry. */
  | { readonly type: 'admitted'; readonly grant: PairingGrant }
  /** The joining device has taken over what it was given. */
  | { readonly type: 'adopted' }
  /** What the other person gets of this one. */
  | { readonly type: 'card'; readonly offer: ContactOffer }
  /** Timeout, cancelled, pipe closed, or the device could not admit or adopt. `tell`: the other side hears why. */
  | { readonly type: 'fail'; readonly code: IdentityErrorCode; readonly message: string; readonly tell: boolean }

export type PairingOutput =
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  | { readonly type: 'admit'; readonly peer: PairingIntroduction }
  | { readonly type: 'adopt'; readonly grant: PairingGrant }
  /** Both said yes to become contacts: this person's card is wanted. */
  | { readonly type: 'show-card' }
  | { readonly type: 'acquaint'; readonly peer: PairingIntroduction; readonly offer: ContactOffer; readonly meeting: Uint8Array }

export interface PairingStep {
  readonly run: PairingRun
  readonly outputs: readonly PairingOutput[]
}
