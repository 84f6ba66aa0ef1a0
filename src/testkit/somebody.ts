import { toBase58 } from '../base/base58.ts'
import type { Clock } from '../base/clock.ts'
import type { PersonId } from '../base/ids.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import type { AuthorityLog } from '../identity/authority/authority-log.ts'
import { MemoryAuthorityStore } from '../identity/authority/authority-store.ts'
import type { Crypto, SigningKey } from '../identity/crypto.ts'
import { DeviceKeys } from '../identity/device-keys.ts'
import { DeviceList } from '../identity/device-list.ts'

/** A person with two devices: a laptop, an admin, and a phone. */
export class Somebody {
  readonly root: SigningKey
  readonly person: PersonId
  readonly laptop: DeviceKeys
  readonly phone: DeviceKeys
  readonly list: DeviceList

  constructor(crypto: Crypto, clock: Clock) {
    this.root = crypto.signingKey(crypto.bytes(32))
    this.person = toBase58(this.root.publicKey) as PersonId
    this.laptop = DeviceKeys.create(crypto, this.person)
    this.phone = DeviceKeys.create(crypto, this.person)
    const authority = new MemoryAuthorityStore()
    this.list = DeviceList.open({ crypto, clock, person: this.person, store: new MemoryKeyValueStore(), authority })
    const introduce = (keys: DeviceKeys, name: string) => ({ device: keys.device, boxKey: keys.box.publicKey, name, platform: 'linux' })
    this.list.found(introduce(this.laptop, 'laptop'), this.root)
    this.list.add(introduce(this.phone, 'phone'), this.laptop.signer)
  }

  get log(): AuthorityLog {
    return this.list.authority as AuthorityLog
  }

  get signers() {
    return { device: this.laptop.signer, personKey: undefined }
  }
}
