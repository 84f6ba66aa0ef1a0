import type { Crypto, Secret } from './crypto.ts'
import type { DeviceKeys } from './device-keys.ts'
import type { VaultRecord } from './vault-format.ts'
import { VaultLocks } from './vault-locks.ts'
import { damaged } from './vault-record.ts'

/** The record with these keys of the device in it, under the lock it has. */
export function withDeviceKeys(crypto: Crypto, record: VaultRecord, deviceLock: Secret, keys: DeviceKeys): VaultRecord {
  const locks = new VaultLocks(crypto, record.deviceId)
  return { ...record, device: { ...record.device, keys: locks.sealKeys('device', deviceLock, keys.encode()) } }
}

/** The record with both locks under another passphrase; what they lock stays as it is. @throws IdentityError `vault/damaged` */
export function withPassphrase(
  crypto: Crypto,
  record: VaultRecord,
  before: Secret,
  { kdf, fromPassphrase: after }: { readonly kdf: VaultRecord['kdf']; readonly fromPassphrase: Secret },
): VaultRecord {
  const locks = new VaultLocks(crypto, record.deviceId)
  const device = locks.relock('device', record.device, before, after) ?? damaged('device.lock')
  const person = record.person && (locks.relock('person', record.person, before, after) ?? damaged('person.lock'))
  return { ...record, kdf, device, person }
}
