import { beforeEach, describe, expect, it } from 'vitest'
import { toBase58 } from '../base/base58.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import type { PersonId } from '../base/ids.ts'
import { StoreError } from '../base/store-error.ts'
import { SodiumCrypto } from '../platform/node/sodium-crypto.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MemoryAuthorityStore, type StoredOperation } from './authority/authority-store.ts'
import type { SigningKey } from './crypto.ts'
import { DeviceKeys } from './device-keys.ts'
import { createDeviceCheck, DeviceList, isListFor } from './device-list.ts'
import { listWithRecovered } from './recovery/recovered-device.ts'

const crypto = new SodiumCrypto()
const clock = new ManualClock(1_700_000_000_000)
const code = (expected: string) => expect.objectContaining({ code: expected })

class FullDisk extends MemoryAuthorityStore {
  isFull = false

  override append(operations: readonly StoredOperation[]): void {
    if (this.isFull) throw StoreError.diskFull('the store')
    super.append(operations)
  }
}

describe('DeviceList over the authority log', () => {
  let root: SigningKey
  let person: PersonId
  const device = (name: string) => {
    const keys = DeviceKeys.create(crypto, person)
    return {
      signer: keys.signer,
      id: keys.device,
      introduction: { device: keys.device, boxKey: keys.box.publicKey, name, platform: 'linux' },
    }
  }
  const open = (store = new MemoryKeyValueStore(), authority = new MemoryAuthorityStore()) =>
    DeviceList.open({ crypto, clock, person, store, authority })
  let laptop: ReturnType<typeof device>
  let server: ReturnType<typeof device>
  let phone: ReturnType<typeof device>
  let list: DeviceList
  let authority: FullDisk
  const names = (of: DeviceList) => of.members.map(({ name, role }) => `${name} ${role}`).sort()

  beforeEach(() => {
    root = crypto.signingKey(crypto.bytes(32))
    person = toBase58(root.publicKey) as PersonId
    laptop = device('laptop')
    server = device('server')
    phone = device('phone')
    authority = new FullDisk()
    list = open(undefined, authority)
    list.found(laptop.introduction, root)
  })

  it('[ID69] the root begins the log with this device as an admin, once', () => {
    expect(names(list)).toEqual(['laptop admin'])
    const before = list.encode()
    list.found(laptop.introduction, root)
    expect(list.encode()).toEqual(before)
    expect(names(open(undefined, authority))).toEqual(['laptop admin'])
  })

  it('[ID69] a list of statements from before opens, and becomes a log when the root key comes', () => {
    const store = new MemoryKeyValueStore()
    const before = DeviceList.open({ crypto, clock, person, store })
    before.found(laptop.introduction, root)
    before.add(server.introduction, laptop.signer)
    before.add(phone.introduction, server.signer)
    before.remove(phone.id, laptop.signer)
    before.rename(server.id, 'box', laptop.signer)
    const log = new MemoryAuthorityStore()
    const after = open(store, log)
    expect(after.members.map(({ name }) => name).sort()).toEqual(['box', 'laptop'])
    expect(log.count).toBe(0)
    after.found(laptop.introduction, root)
    expect(names(after)).toEqual(['box admin', 'laptop admin'])
    expect(after.isMember(phone.id)).toBe(false)
    expect(after.merge(before.encode())).toBe(false) // statements say nothing any more
  })

  it('[ID69] the log begins with all members at once: a disk that fills up meanwhile leaves nobody out', () => {
    const store = new MemoryKeyValueStore()
    const before = DeviceList.open({ crypto, clock, person, store })
    before.found(laptop.introduction, root)
    before.add(server.introduction, laptop.signer)
    const log = new FullDisk()
    const after = open(store, log)
    log.isFull = true
    expect(() => after.found(laptop.introduction, root)).toThrow(code('store/disk-full'))
    expect(names(after)).toEqual(['laptop admin', 'server admin'])
    log.isFull = false
    after.rename(laptop.id, 'desk', laptop.signer)
    expect(names(open(store, log))).toEqual(['desk admin', 'server admin'])
  })

  it('[ID69] a device that joins takes the log over in one piece, and goes on from it', () => {
    list.add(server.introduction, laptop.signer, root)
    const given = list.encode()
    expect(isListFor(crypto, person, given, [laptop.introduction, server.introduction])).toBe(true)
    expect(isListFor(crypto, person, given, [{ ...server.introduction, boxKey: new Uint8Array(32) }])).toBe(false)
    expect(isListFor(crypto, person, given, [phone.introduction])).toBe(false)
    const joined = open()
    expect([joined.merge(given), joined.merge(given)]).toEqual([true, false])
    joined.rename(server.id, 'box', server.signer)
    list.merge(joined.encode())
    expect(names(list)).toEqual(['box admin', 'laptop admin'])
  })

  it("[ID69] another person's log, a broken one and one cut short are refused by name", () => {
    const given = list.encode()
    const other = DeviceList.open({
      crypto,
      clock,
      person: toBase58(crypto.bytes(32)) as PersonId,
      store: new MemoryKeyValueStore(),
      authority: new MemoryAuthorityStore(),
    })
    expect(() => other.merge(given)).toThrow(code('devices/refused'))
    const broken = given.slice()
    broken[given.length - 1] = (broken[given.length - 1] as number) ^ 1
    for (const bad of [broken, given.subarray(0, given.length - 5)]) expect(() => open().merge(bad)).toThrow(code('authority/malformed'))
  })

  it('[ID56] without the root key a device is added as a member; a member adds and renames nobody else', () => {
    list.add(server.introduction, laptop.signer)
    expect(names(list)).toEqual(['laptop admin', 'server member'])
    expect(() => list.add(phone.introduction, server.signer)).toThrow(code('devices/refused'))
    expect(() => list.rename(laptop.id, 'mine', server.signer)).toThrow(code('devices/refused'))
    expect(() => list.remove(laptop.id, server.signer)).toThrow(code('devices/refused'))
    list.rename(server.id, 'box', server.signer)
    expect(list.devices.get(server.id)?.name).toBe('box')
    const check = createDeviceCheck(crypto, list)
    expect([laptop, server, phone].map(({ id }) => check.maySnapshot(id))).toEqual([true, false, false])
    list.changeRole(server.id, 'admin', laptop.signer, root)
    expect(check.maySnapshot(server.id)).toBe(true)
  })

  it('[ID57] a junior admin asks; the root, or a second admin, removes', () => {
    list.add(server.introduction, laptop.signer, root)
    list.add(phone.introduction, laptop.signer, root)
    expect(() => list.remove(laptop.id, phone.signer)).toThrow(code('devices/needs-second'))
    expect(() => list.remove(laptop.id, phone.signer)).toThrow(code('devices/needs-second'))
    list.remove(laptop.id, server.signer)
    expect(names(list)).toEqual(['phone admin', 'server admin'])
    list.remove(server.id, phone.signer, root)
    expect(names(list)).toEqual(['phone admin'])
    expect(list.devices.get(server.id)?.removedAtMs).toBe(clock.nowMs())
  })

  it('[ID69] who was removed does not come back by itself, though the root key lies there', () => {
    list.add(server.introduction, laptop.signer, root)
    list.remove(laptop.id, server.signer, root)
    list.found(laptop.introduction, root)
    expect(names(list)).toEqual(['server admin'])
  })

  it('[ID70] a full disk keeps no removal from taking effect; it is written with the next', () => {
    list.add(server.introduction, laptop.signer, root)
    authority.isFull = true
    expect(() => list.remove(server.id, laptop.signer)).toThrow(code('store/disk-full'))
    expect(list.isMember(server.id)).toBe(false)
    expect(list.operationsFor({ have: [], skip: 0 }, 99_999)).toHaveLength(4)
    authority.isFull = false
    list.rename(laptop.id, 'desk', laptop.signer)
    expect(names(open(undefined, authority))).toEqual(['desk admin'])
  })
})

describe('who comes back by the root alone', () => {
  it('[ID160] is taken in by the signed word for it; a grant, a removal, another person and garbage change nothing', () => {
    const root = crypto.signingKey(crypto.bytes(32))
    const stranger = crypto.signingKey(crypto.bytes(32))
    const personOf = (key: SigningKey) => toBase58(key.publicKey) as PersonId
    const openOf = (person: PersonId) =>
      DeviceList.open({ crypto, clock, person, store: new MemoryKeyValueStore(), authority: new MemoryAuthorityStore() })
    const deviceOf = (name: string) => {
      const keys = DeviceKeys.create(crypto, personOf(root))
      return { keys, introduction: { device: keys.device, boxKey: keys.box.publicKey, name, platform: 'linux' } }
    }
    const [server, bare, other] = [deviceOf('server'), deviceOf('bare'), deviceOf('other')]
    const [there, kit] = [openOf(personOf(root)), openOf(personOf(root))]
    there.found(server.introduction, root)
    kit.merge(there.encode())
    kit.merge(listWithRecovered(crypto, clock, { person: kit.person, deviceList: kit.encode() }, bare.introduction, root))
    const word = kit.admissionOf(bare.keys.device) as Uint8Array
    const before = there.encode()
    const bent = word.slice()
    bent[bent.length - 1] = (bent.at(-1) as number) ^ 1
    kit.remove(server.keys.device, bare.keys.signer, root)
    const removal = kit.authority?.all().at(-1)?.bytes as Uint8Array
    const foreign = openOf(personOf(stranger))
    foreign.found(other.introduction, stranger)
    const shown = [bent, removal, new Uint8Array(0), foreign.admissionOf(other.keys.device) as Uint8Array]
    for (const bytes of shown) expect(there.takeAdmission(bytes)).toBeUndefined()
    expect(there.encode()).toEqual(before)
    expect(there.takeAdmission(word)).toBe(bare.keys.device)
    expect(there.takeAdmission(word)).toBe(bare.keys.device)
    expect(there.members.map(({ name, role }) => `${name} ${role}`)).toEqual(['server admin', 'bare admin'])
  })

  it("[ID159] a kit of somebody else's list, or of none, is refused", () => {
    const [root, stranger] = [crypto.signingKey(crypto.bytes(32)), crypto.signingKey(crypto.bytes(32))]
    const person = toBase58(root.publicKey) as PersonId
    const keys = DeviceKeys.create(crypto, person)
    const entry = { device: keys.device, boxKey: keys.box.publicKey, name: 'bare', platform: 'linux' }
    const foreign = DeviceList.open({
      ...{ crypto, clock, store: new MemoryKeyValueStore(), authority: new MemoryAuthorityStore() },
      person: toBase58(stranger.publicKey) as PersonId,
    })
    foreign.found(entry, stranger)
    for (const deviceList of [foreign.encode(), new Uint8Array(0), new Uint8Array(900)]) {
      expect(() => listWithRecovered(crypto, clock, { person, deviceList }, entry, root)).toThrow(code('recovery/damaged'))
    }
  })
})
