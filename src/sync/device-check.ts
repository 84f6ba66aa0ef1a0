import type { DeviceId } from '../base/ids.ts'

/** What sync must know of identity: who may speak, and whether they said it. Implemented in identity/, joined in device/. */
export interface DeviceCheck {
  /** Is this device on the device list now? Unknown devices get nothing and learn nothing. */
  isMember(device: DeviceId): boolean
  /** Strict Ed25519 (small-order keys refused). */
  verify(device: DeviceId, message: Uint8Array, signature: Uint8Array): boolean
}

/** This device's own signing key; the private half never leaves the vault. */
export interface DeviceSigner {
  readonly device: DeviceId
  sign(message: Uint8Array): Uint8Array
}
