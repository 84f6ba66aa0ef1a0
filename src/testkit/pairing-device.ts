import type { Clock } from '../base/clock.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import { toBase58 } from '../base/base58.ts'
import type { PersonId } from '../base/ids.ts'
import type { Crypto } from '../identity/crypto.ts'
import { DeviceKeys } from '../identity/device-keys.ts'
import { DeviceList } from '../identity/device-list.ts'
import type { PairingGrant, PairingIntroduction } from '../identity/pairing-wire.ts'

/** A device with real keys and a real device list, and the joins that device/ makes for pairing. */
export interface PairingDevice {
  readonly keys: DeviceKeys
  readonly list: DeviceList
  readonly introduction: PairingIntroduction
  readonly sign: (message: Uint8Array) => Uint8Array
  readonly admit: (device: PairingIntroduction | Omit<PairingIntroduction, 'personName'>) => Promise<PairingGrant>
  readonly adopted: PairingGrant[]
  readonly adopt: (grant: PairingGrant) => Promise<void>
}

export function createPairingDevice(crypto: Crypto, clock: Clock, name: string): PairingDevice {
  const personKey = crypto.signingKey(crypto.bytes(32))
  const keys = DeviceKeys.create(crypto, toBase58(personKey.publicKey) as PersonId)
  const list = DeviceList.open({ crypto, store: new MemoryKeyValueStore(), clock, person: keys.person })
  const introduction = { device: keys.device, boxKey: keys.box.publicKey, name, platform: 'linux', personName: `${name}'s person` }
  list.found(introduction, personKey)
  const adopted: PairingGrant[] = []
  return {
    keys,
    list,
    introduction,
    sign: (message) => keys.signer.sign(message),
    admit: async (device) => {
      list.add(device, keys.signer)
      const { personName } = introduction
      return { person: keys.person, personName, deviceList: list.encode(), datasetKeys: keys.datasetKeys.encode() }
    },
    adopted,
    adopt: async (grant) => {
      adopted.push({ ...grant, datasetKeys: grant.datasetKeys.slice() })
    },
  }
}
