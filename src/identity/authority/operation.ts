import type { DatasetId, DeviceId, PersonId } from '../../base/ids.ts'
import type { ProgramId } from './program-id.ts'

/** Lower-case hex SHA-256 of an operation's signed bytes. */
export type OperationId = string & { readonly __brand: 'OperationId' }
/** Who signs: a device, or the person's root key. */
export type SignerId = DeviceId | PersonId

/** A device's place in the log. An admin adds and removes, grants and rotates; only the root makes admins. */
export type Role = 'admin' | 'member'

/** What a log says of a device when it is admitted. `boxKey` is its X25519 key: the signature over this entry certifies it. */
export interface DeviceEntry {
  readonly device: DeviceId
  readonly boxKey: Uint8Array
  readonly name: string
  readonly platform: string
}

/** The last envelope of a removed device that counts, in one document and start (rule ID63). */
export interface LastCounted {
  readonly doc: string
  /** Lower-case hex of the 8-byte start. */
  readonly start: string
  readonly seq: number
}

export type GrantTarget =
  | { readonly kind: 'dataset'; readonly dataset: DatasetId }
  | { readonly kind: 'jobs'; readonly jobClass: string }
  | { readonly kind: 'shell' }
  | { readonly kind: 'port'; readonly port: number }

/** "This person (there on that device, in that program) may do this on that, until then." What is left out means *any*. */
export interface Grant {
  readonly person: PersonId
  readonly device?: DeviceId
  readonly program?: ProgramId
  /** Which of the granting person's devices it holds on. */
  readonly on?: DeviceId
  readonly target: GrantTarget
  /** Sorted, without repeats. */
  readonly abilities: readonly string[]
  readonly mayDelegate: boolean
  /** ms since 1970; whoever checks compares it with its own clock. The fold never looks at a clock. */
  readonly untilMs?: number
}

/** One dataset key, sealed to a device's X25519 key. */
export interface KeyWrap {
  readonly device: DeviceId
  readonly sealed: Uint8Array
}

/** What an operation says. `role: 'admin'` repeats the entry, so that it hangs on nobody but the root. */
export type OperationBody =
  | { readonly kind: 'genesis' }
  | { readonly kind: 'add-device'; readonly role: Role; readonly entry: DeviceEntry }
  | { readonly kind: 'remove-device'; readonly device: DeviceId; readonly lastCounted: readonly LastCounted[] }
  | { readonly kind: 'role'; readonly role: 'admin'; readonly entry: DeviceEntry }
  | { readonly kind: 'role'; readonly role: 'member'; readonly device: DeviceId }
  | { readonly kind: 'rename'; readonly device: DeviceId; readonly name: string }
  | { readonly kind: 'box-key'; readonly boxKey: Uint8Array }
  | { readonly kind: 'contact'; readonly person: PersonId; readonly name: string; readonly checkedBy: 'qr' | 'words' }
  | { readonly kind: 'grant'; readonly grant: Grant }
  | { readonly kind: 'delegate'; readonly from: OperationId; readonly grant: Grant }
  | { readonly kind: 'revoke'; readonly target: OperationId }
  | {
      readonly kind: 'rotate'
      readonly dataset: DatasetId
      readonly epoch: number
      readonly wraps: readonly KeyWrap[]
      /** The key of the epoch before, sealed under this one: who reads now reads then. */
      readonly previous?: Uint8Array
    }
  /** Makes a person a contact. `sealed`: what only this person's own devices read of them (contact-card.ts); the log is shown to contacts. */
  | { readonly kind: 'acquaint'; readonly person: PersonId; readonly checkedBy: 'qr' | 'words'; readonly sealed: Uint8Array }
  /** Another card of a contact: a new name, another place to meet. */
  | { readonly kind: 'contact-card'; readonly person: PersonId; readonly sealed: Uint8Array }
  /** The person is no contact any more, and has no grant (rule ID150). */
  | { readonly kind: 'part'; readonly person: PersonId }

/** One signed line of the authority log. Its id and its signature cover everything but the signature itself. */
export interface Operation {
  readonly id: OperationId
  readonly by: SignerId
  /** 1 for a signer's first operation, then one more each time: a number used twice is a fork. Genesis: 0. */
  readonly seq: number
  /** Clock of the signer; shown, never used to decide. */
  readonly atMs: number
  /** The heads its signer knew, sorted. Only genesis has none. */
  readonly prevs: readonly OperationId[]
  readonly body: OperationBody
  /** Signed part, then the signature. */
  readonly bytes: Uint8Array
}

/** Signs operations. A device's `DeviceSigner` or the root key, under one shape. */
export interface OperationSigner {
  readonly by: SignerId
  /** @throws IdentityError `identity/key-wiped` */
  sign(message: Uint8Array): Uint8Array
}
