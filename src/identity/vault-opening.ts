import type { Crypto, Secret, SigningKey } from './crypto.ts'
import { DeviceKeys } from './device-keys.ts'
import type { SealedPart, VaultRecord } from './vault-format.ts'
import { VaultLocks } from './vault-locks.ts'
import { damaged } from './vault-record.ts'

/** The device's keys, by a lock that is open; plain bytes are wiped. @throws IdentityError `vault/damaged` */
export function openDeviceKeys(crypto: Crypto, record: VaultRecord, deviceLock: Secret): DeviceKeys {
  const plain = new VaultLocks(crypto, record.deviceId).openKeys('device', record.device, deviceLock) ?? damaged('device.keys')
  const keys = decodeAndWipe(crypto, plain)
  if (keys.device === record.deviceId) return keys
  keys.dispose()
  return damaged('deviceId')
}

/** The person's root key, by a passphrase that was proved. @throws IdentityError `vault/damaged` */
export function openPersonKey(crypto: Crypto, record: VaultRecord, person: SealedPart, fromPassphrase: Secret): SigningKey {
  const seed = openPersonSeed(crypto, record, person, fromPassphrase)
  try {
    return crypto.signingKey(seed.bytes)
  } finally {
    seed.dispose()
  }
}

/** What the root key is made of. @throws IdentityError `vault/damaged` */
export function openPersonSeed(crypto: Crypto, record: VaultRecord, person: SealedPart, fromPassphrase: Secret): Secret {
  const locks = new VaultLocks(crypto, record.deviceId)
  const personLock = locks.openLock('person', person, fromPassphrase) ?? damaged('person.lock')
  try {
    return crypto.secret(locks.openKeys('person', person, personLock) ?? damaged('person.keys'))
  } finally {
    personLock.dispose()
  }
}

function decodeAndWipe(crypto: Crypto, plain: Uint8Array): DeviceKeys {
  try {
    return DeviceKeys.decode(crypto, plain)
  } finally {
    crypto.wipe(plain)
  }
}
