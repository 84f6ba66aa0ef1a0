import { expect, it, onTestFinished } from 'vitest'
import { toBase58 } from '../../base/base58.ts'
import type { PersonId } from '../../base/ids.ts'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import type { AuthorityLog } from '../authority/authority-log.ts'
import { MemoryAuthorityStore } from '../authority/authority-store.ts'
import { DeviceKeys } from '../device-keys.ts'
import { DeviceList } from '../device-list.ts'
import { AuthorityContacts } from './authority-contacts.ts'
import { ContactLogs } from './contact-logs.ts'

const crypto = new SodiumCrypto()
const clock = new ManualClock(1_700_000_000_000)

function somebody(name: string) {
  const root = crypto.signingKey(crypto.bytes(32))
  const person = toBase58(root.publicKey) as PersonId
  const keys = DeviceKeys.create(crypto, person)
  const list = DeviceList.open({ crypto, clock, person, store: new MemoryKeyValueStore(), authority: new MemoryAuthorityStore() })
  onTestFinished(() => list.dispose())
  list.found({ device: keys.device, boxKey: keys.box.publicKey, name, platform: 'linux' }, root)
  const operations = () => (list.authority as AuthorityLog).all().map(({ bytes }) => bytes)
  return { root, person, keys, list, operations }
}

it('[ID153] a log that is full lets nobody in, so that whoever fills it does not outlive being removed from it', () => {
  const [ada, bob] = [somebody('laptop'), somebody('desktop')]
  const maxOperations = 8
  const openStore = () => new MemoryAuthorityStore()
  const logs = new ContactLogs({ crypto, clock, devices: ada.list, openStore, maxOperations })
  onTestFinished(() => logs.dispose())
  logs.begin(bob.person, bob.list.encode())
  const signers = { device: ada.keys.signer, personKey: undefined }
  new AuthorityContacts(ada.list.authority as AuthorityLog, ada.keys.datasetKeys).acquaint(
    bob.person,
    { name: 'Bob', meeting: new Uint8Array(32), places: [] },
    'words',
    signers,
  )
  expect(logs.isMember(bob.person, bob.keys.device)).toBe(true)
  for (let n = bob.operations().length; n < maxOperations; n++) bob.list.rename(bob.keys.device, `name ${n}`, bob.keys.signer)
  logs.take(bob.person, bob.operations())
  expect(logs.of(bob.person)?.state.count).toBe(maxOperations)
  expect(logs.isMember(bob.person, bob.keys.device)).toBe(false)
  bob.list.rename(bob.keys.device, 'one more', bob.keys.signer)
  const more = () => logs.take(bob.person, bob.operations().slice(-1))
  expect(more).toThrow(expect.objectContaining({ code: 'contact/too-many' }))
})
