import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes, utf8 } from '../base/bytes.ts'
import { DomainError } from '../base/errors.ts'
import { deviceIdOf, publicKeyOf, type DeviceId } from '../base/ids.ts'
import type { Sealer } from '../base/sealer.ts'
import type { DeviceCheck, DeviceSigner } from '../sync/device-check.ts'
import type { EnvelopeSeal } from '../sync/envelope-seal.ts'

/*
 * Stand-ins for identity's cryptography: right in shape (who cannot sign, cannot), a hundred times faster, and NOT secret:
 * anybody could compute a signature from a public key. For tests that need thousands of envelopes.
 */

export const fakeDevice = (name: string): DeviceId => deviceIdOf(sha256(utf8(`device ${name}`)))

const signatureOf = (device: DeviceId, message: Uint8Array): Uint8Array => {
  const half = sha256(concatBytes(utf8('fake signature'), publicKeyOf(device), message))
  return concatBytes(half, sha256(half))
}

export const fakeSigner = (device: DeviceId): DeviceSigner => ({ device, sign: (message) => signatureOf(device, message) })

export class FakeDeviceCheck implements DeviceCheck {
  readonly members: Set<DeviceId>
  /** Of the members, those that may not sign snapshots. */
  readonly plain = new Set<DeviceId>()

  constructor(members: Iterable<DeviceId>) {
    this.members = new Set(members)
  }

  isMember(device: DeviceId): boolean {
    return this.members.has(device)
  }

  maySnapshot(device: DeviceId): boolean {
    return this.members.has(device) && !this.plain.has(device)
  }

  verify(device: DeviceId, message: Uint8Array, signature: Uint8Array): boolean {
    return equalBytes(signature, signatureOf(device, message))
  }
}

class UnsealableError extends DomainError<'vault/unsealable'> {
  override readonly name = 'UnsealableError'
  readonly code = 'vault/unsealable'
}

const tagOf = (context: string, masked: Uint8Array): Uint8Array => sha256(concatBytes(utf8(context), masked)).subarray(0, 8)
const mask = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 0x5a)

function sealFake(plain: Uint8Array, context: string): Uint8Array {
  const masked = mask(plain)
  return concatBytes(tagOf(context, masked), masked)
}

function openFake(sealed: Uint8Array, context: string): Uint8Array {
  const masked = sealed.subarray(8)
  if (!equalBytes(sealed.subarray(0, 8), tagOf(context, masked))) throw new UnsealableError('the fake seal is broken')
  return mask(masked)
}

export const fakeEnvelopeSeal: EnvelopeSeal = { epoch: 1, seal: sealFake, open: (_epoch, sealed, context) => openFake(sealed, context) }

/** A sealer whose keys depend on `key`, so that a wrong key can be tried. */
export const fakeSealer = (key = 'key'): Sealer => ({
  seal: (plain, context) => sealFake(plain, `${key} ${context}`),
  open: (sealed, context) => openFake(sealed, `${key} ${context}`),
  lookupKey: (text) => sha256(utf8(`${key} ${text}`)),
})
