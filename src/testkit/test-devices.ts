import { ed25519 } from '@noble/curves/ed25519.js'
import { type DeviceId, deviceIdOf, publicKeyOf } from '../base/ids.ts'
import type { DeviceCheck, DeviceSigner } from '../sync/device-check.ts'

/** A device with a real Ed25519 key, made from a number so that a run can be repeated. */
export interface TestDevice {
  readonly device: DeviceId
  readonly signer: DeviceSigner
}

export function createTestDevice(seed: number): TestDevice {
  const secret = new Uint8Array(32).fill(seed & 0xff)
  secret[0] = seed >> 8
  const device = deviceIdOf(ed25519.getPublicKey(secret))
  return { device, signer: { device, sign: (message) => ed25519.sign(message, secret) } }
}

/** A device list that a test changes at will; verifies real signatures. */
export class TestMembers implements DeviceCheck {
  readonly members: Set<DeviceId>

  constructor(...devices: readonly TestDevice[]) {
    this.members = new Set(devices.map(({ device }) => device))
  }

  isMember(device: DeviceId): boolean {
    return this.members.has(device)
  }

  verify(device: DeviceId, message: Uint8Array, signature: Uint8Array): boolean {
    return ed25519.verify(signature, message, publicKeyOf(device), { zip215: false })
  }
}
