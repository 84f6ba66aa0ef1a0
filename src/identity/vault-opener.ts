import { utf8 } from '../base/bytes.ts'
import type { DeviceId } from '../base/ids.ts'
import { type Crypto, KEY_BYTES, type Secret } from './crypto.ts'

const context = (device: DeviceId): Uint8Array => utf8(`elsewhere/vault/1/opener/${device}`)

/**
 * A second way to the device lock: a random key that lies elsewhere, in the key store of an operating system, and what is
 * sealed with it, which lies beside the vault. Neither opens anything alone. The person's lock has no such way (ID28).
 */
export function makeOpener(crypto: Crypto, device: DeviceId, deviceLock: Secret): { opener: Uint8Array; sealed: Uint8Array } {
  const opener = crypto.bytes(KEY_BYTES)
  return { opener, sealed: crypto.encrypt(opener, deviceLock.bytes, context(device)) }
}

/** The device lock, or undefined: another opener, or damaged. `opener` is wiped. */
export function openByOpener(crypto: Crypto, device: DeviceId, sealed: Uint8Array, opener: Uint8Array): Secret | undefined {
  const lock = opener.length === KEY_BYTES ? crypto.decrypt(opener, sealed, context(device)) : undefined
  crypto.wipe(opener)
  return lock?.length === KEY_BYTES ? crypto.secret(lock) : undefined
}
