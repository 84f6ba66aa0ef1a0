import type { DeviceId, DocId } from '../base/ids.ts'

/** What sync must know of identity: who may speak, and whether they said it. Implemented in identity/, joined in device/. */
export interface DeviceCheck {
  /** Is this device on the device list now? Unknown devices get nothing and learn nothing. */
  isMember(device: DeviceId): boolean
  /** May this device say what a whole document is (rule SY99)? Nobody can check that against who wrote what. Absent: every member. */
  maySnapshot?(device: DeviceId): boolean
  /** Strict Ed25519 (small-order keys refused). */
  verify(device: DeviceId, message: Uint8Array, signature: Uint8Array): boolean
  /**
   * The last envelope that counts of one device and start in a document: all of them for a member, what its removal names for one
   * that was removed, undefined for whoever else (and where a removal names nothing). Absent: members only.
   */
  countsUpTo?(doc: DocId, ref: { readonly device: DeviceId; readonly start: string }): number | undefined
  /** 32 bytes that stand for everything removals say about a document; undefined while they say nothing. */
  cuts?(doc: DocId): Uint8Array | undefined
}

/** This device's own signing key; the private half never leaves the vault. */
export interface DeviceSigner {
  readonly device: DeviceId
  sign(message: Uint8Array): Uint8Array
}
