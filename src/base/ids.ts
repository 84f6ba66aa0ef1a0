import { fromBase58, toBase58 } from './base58.ts'

/** base58 of a device's Ed25519 public key (32 bytes). The key is the id. */
export type DeviceId = string & { readonly __brand: 'DeviceId' }
/** base58 of a person's root Ed25519 public key; a valid Solana address. */
export type PersonId = string & { readonly __brand: 'PersonId' }
/** One display: made anew at each attach, 16 random bytes in base58. */
export type DisplayId = string & { readonly __brand: 'DisplayId' }
/** One Y.Doc: `workspace`, `behaviours`, `datasets`, or `text/<buffer id>` for an unsaved text. */
export type DocId = string & { readonly __brand: 'DocId' }
/** A tree of files with its own identity and keys: 16 random bytes in base58. */
export type DatasetId = string & { readonly __brand: 'DatasetId' }
/** A running terminal: 16 random bytes in base58. */
export type TerminalId = string & { readonly __brand: 'TerminalId' }

/** The workspace's document: one per person. */
export const WORKSPACE_DOC = 'workspace' as DocId

/** How commands behave, learned on all devices of a person: one per person. */
export const BEHAVIOURS_DOC = 'behaviours' as DocId

/** Which datasets a person has beside Home: one per person. */
export const DATASETS_DOC = 'datasets' as DocId

const KEY_BYTES = 32

/** Reads a device id from outside. @throws RangeError  not base58 of 32 bytes */
export function parseDeviceId(text: string): DeviceId {
  if (fromBase58(text).length !== KEY_BYTES) throw new RangeError('a device id is base58 of 32 bytes')
  return text as DeviceId
}

export const deviceIdOf = (publicKey: Uint8Array): DeviceId => toBase58(publicKey) as DeviceId
export const publicKeyOf = (device: DeviceId): Uint8Array => fromBase58(device)

/**
 * The loopback host a device's desk is served at: its first 12 letters, lower-cased (host names ignore case),
 * so that two devices on one machine never share cookies or passkeys.
 */
export const deviceHostLabel = (device: DeviceId): string => device.slice(0, 12).toLowerCase()
