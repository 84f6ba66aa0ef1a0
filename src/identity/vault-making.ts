import { toBase58 } from '../base/base58.ts'
import type { PersonId } from '../base/ids.ts'
import { KEY_BYTES, type Crypto, type Secret, type SigningKey } from './crypto.ts'
import { DeviceKeys } from './device-keys.ts'
import type { VaultRecord } from './vault-format.ts'
import { VaultLocks } from './vault-locks.ts'

/** A new vault: what is written, and what is open of it. The caller owns the keys. */
export interface MadeVault {
  readonly record: VaultRecord
  readonly deviceLock: Secret
  readonly keys: DeviceKeys
  readonly personKey: SigningKey
}

/** Makes a person and a device, each sealed under a lock of its own. The stretched passphrase is wiped. */
export function makeVault(
  crypto: Crypto,
  names: { readonly deviceName: string; readonly personName: string },
  { kdf, fromPassphrase }: { readonly kdf: VaultRecord['kdf']; readonly fromPassphrase: Secret },
): MadeVault {
  const personSeed = crypto.randomSecret(KEY_BYTES)
  const personKey = crypto.signingKey(personSeed.bytes)
  const keys = DeviceKeys.create(crypto, toBase58(personKey.publicKey) as PersonId)
  const deviceLock = crypto.randomSecret(KEY_BYTES)
  const personLock = crypto.randomSecret(KEY_BYTES)
  const locks = new VaultLocks(crypto, keys.device)
  const record: VaultRecord = {
    format: 'elsewhere-vault',
    version: 1,
    deviceId: keys.device,
    deviceName: names.deviceName,
    personName: names.personName,
    kdf,
    device: locks.seal('device', fromPassphrase, deviceLock, keys.encode()),
    person: locks.seal('person', fromPassphrase, personLock, personSeed.bytes.slice()),
    tries: { failed: 0, lastAtMs: 0 },
  }
  for (const secret of [fromPassphrase, personSeed, personLock]) secret.dispose()
  return { record, deviceLock, keys, personKey }
}
