import { toBase58 } from '../base/base58.ts'
import type { PersonId } from '../base/ids.ts'
import { KEY_BYTES, type Crypto, type Secret, type SigningKey } from './crypto.ts'
import { DatasetKeys } from './dataset-keys.ts'
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

/** Who a new device belongs to, when not to a new person: out of a recovery kit. Both are the caller's to wipe. */
export interface KnownPerson {
  readonly personSeed: Uint8Array
  readonly datasetKeys: Uint8Array
}

/** What a person gives at the first run. `passphrase` is wiped by the vault. */
export interface FirstRun {
  readonly display: string
  readonly deviceName: string
  readonly personName: string
  readonly passphrase: Uint8Array
  readonly unattended: boolean
}

/** A device of a person who exists already: out of a recovery kit. */
export interface Recovered extends KnownPerson {
  /** Called before anything is written, with what the device will be and the root key; when it rejects, nothing was made. */
  prepare(keys: DeviceKeys, personKey: SigningKey): Promise<void>
}

/**
 * Makes a device and its person, a new one unless `known`, each sealed under a lock of its own. The stretched passphrase is
 * wiped. @throws IdentityError `keys/malformed`
 */
export function makeVault(
  crypto: Crypto,
  names: { readonly deviceName: string; readonly personName: string },
  { kdf, fromPassphrase }: { readonly kdf: VaultRecord['kdf']; readonly fromPassphrase: Secret },
  known?: KnownPerson,
): MadeVault {
  const datasetKeys = known ? DatasetKeys.decode(crypto, known.datasetKeys) : DatasetKeys.create(crypto)
  const personSeed = known ? crypto.secret(known.personSeed.slice()) : crypto.randomSecret(KEY_BYTES)
  const personKey = crypto.signingKey(personSeed.bytes)
  const keys = DeviceKeys.create(crypto, toBase58(personKey.publicKey) as PersonId, datasetKeys)
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
