import type { Crypto, Secret, SigningKey } from './crypto.ts'
import { DeviceKeys } from './device-keys.ts'
import type { SealedPart, VaultRecord } from './vault-format.ts'
import { VaultLocks } from './vault-locks.ts'
import type { OpenLocks } from './vault-passkey.ts'
import { damaged } from './vault-record.ts'

/** The device's keys, by a lock that is open; plain bytes are wiped. @throws IdentityError `vault/damaged` */
export function openDeviceKeys(crypto: Crypto, record: VaultRecord, deviceLock: Secret): DeviceKeys {
  const plain = new VaultLocks(crypto, record.deviceId).openKeys('device', record.device, deviceLock) ?? damaged('device.keys')
  const keys = decodeAndWipe(crypto, plain)
  if (keys.device === record.deviceId) return keys
  keys.dispose()
  return damaged('deviceId')
}

/** The person's root key, by a lock that is open. @throws IdentityError `vault/damaged` */
export function openPersonKey(crypto: Crypto, record: VaultRecord, person: SealedPart, personLock: Secret): SigningKey {
  const seed = openPersonSeed(crypto, record, person, personLock)
  try {
    return crypto.signingKey(seed.bytes)
  } finally {
    seed.dispose()
  }
}

/** What the root key is made of. @throws IdentityError `vault/damaged` */
export function openPersonSeed(crypto: Crypto, record: VaultRecord, person: SealedPart, personLock: Secret): Secret {
  const locks = new VaultLocks(crypto, record.deviceId)
  return crypto.secret(locks.openKeys('person', person, personLock) ?? damaged('person.keys'))
}

/** Both locks of a vault by a passphrase that was proved; the caller owns them. @throws IdentityError `vault/damaged` */
export function openLocks(crypto: Crypto, record: VaultRecord, fromPassphrase: Secret): OpenLocks {
  const locks = new VaultLocks(crypto, record.deviceId)
  const device = locks.openLock('device', record.device, fromPassphrase) ?? damaged('device.lock')
  const person = record.person ? locks.openLock('person', record.person, fromPassphrase) : undefined
  if (!record.person || person) return { device, person }
  device.dispose()
  return damaged('person.lock')
}

function decodeAndWipe(crypto: Crypto, plain: Uint8Array): DeviceKeys {
  try {
    return DeviceKeys.decode(crypto, plain)
  } finally {
    crypto.wipe(plain)
  }
}
