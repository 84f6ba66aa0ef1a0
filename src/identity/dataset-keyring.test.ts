import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { toBase58 } from '../base/base58.ts'
import { utf8 } from '../base/bytes.ts'
import type { DatasetId, PersonId } from '../base/ids.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import { silentLogger } from '../base/logger.ts'
import { SodiumCrypto } from '../platform/node/sodium-crypto.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MemoryAuthorityStore } from './authority/authority-store.ts'
import type { SigningKey } from './crypto.ts'
import { DatasetKeys } from './dataset-keys.ts'
import { DatasetKeyring } from './dataset-keyring.ts'
import { DeviceKeys } from './device-keys.ts'
import { DeviceList } from './device-list.ts'

const crypto = new SodiumCrypto()
const photos = toBase58(new Uint8Array(16).fill(7)) as DatasetId
let clock: ManualClock
let root: SigningKey
let person: PersonId
let first: DeviceKeys

beforeEach(() => {
  clock = new ManualClock(1_700_000_000_000)
  root = crypto.signingKey(crypto.bytes(32))
  person = toBase58(root.publicKey) as PersonId
  first = DeviceKeys.create(crypto, person)
})

/** A device that holds what the first one's workspace had when it joined. */
function machine(
  name: string,
  keys = DeviceKeys.create(crypto, person).adopt(person, DatasetKeys.decode(crypto, first.datasetKeys.encode())),
) {
  const authority = new MemoryAuthorityStore()
  const values = new MemoryKeyValueStore()
  const open = () => {
    const devices = DeviceList.open({ crypto, clock, person, store: values, authority, self: keys.device })
    let saves = 0
    const keyring = new DatasetKeyring({
      crypto,
      clock,
      logger: silentLogger,
      devices,
      keys,
      values,
      personKey: () => undefined,
      save: async () => void saves++,
    })
    onTestFinished(() => {
      keyring.dispose()
      devices.dispose()
    })
    return { devices, keyring, saves: () => saves }
  }
  return { name, keys, open, ...open(), introduction: { device: keys.device, boxKey: keys.box.publicKey, name, platform: 'linux' } }
}
type Machine = ReturnType<typeof machine>

const tell = (to: Machine, from: Machine) => void to.devices.merge(from.devices.encode())
const meetAll = (...all: Machine[]) => {
  for (let round = 0; round < 2; round++) for (const to of all) for (const from of all) if (to !== from) tell(to, from)
}
const remove = (by: Machine, whom: Machine, personKey?: SigningKey) =>
  by.devices.remove(whom.keys.device, by.keys.signer, personKey, { rotations: by.keyring.rotationsWithout(whom.keys.device) })
const share = (to: Machine, from: Machine) => {
  const sealed = from.keyring.share(to.keys.device, new Set(to.keyring.names))
  return sealed !== undefined && to.keyring.takeShared(sealed)
}
const seal = ({ keys }: Machine, text: string) => ({ epoch: keys.datasetKeys.epoch, sealed: keys.datasetKeys.seal(utf8(text), 'c') })
const canRead = ({ keys }: Machine, { epoch, sealed }: ReturnType<typeof seal>) => {
  try {
    return keys.datasetKeys.open(epoch, sealed, 'c').length > 0
  } catch {
    return false
  }
}

describe('DatasetKeyring', () => {
  let laptop: Machine
  let server: Machine
  let phone: Machine
  beforeEach(() => {
    laptop = machine('laptop', first)
    server = machine('server')
    phone = machine('phone')
    laptop.devices.found(laptop.introduction, root)
    laptop.devices.add(server.introduction, laptop.keys.signer, root)
    laptop.devices.add(phone.introduction, laptop.keys.signer)
    meetAll(laptop, server, phone)
  })

  it('[ID72] a removal brings a new epoch: the others seal and meet under it, the removed device cannot', () => {
    const meeting = laptop.keys.datasetKeys.rendezvousSecret
    remove(laptop, phone)
    tell(server, laptop)
    const news = seal(server, 'after')
    tell(phone, laptop)
    expect([laptop, server, phone].map((one) => canRead(one, news))).toEqual([true, true, false])
    expect(server.keys.datasetKeys.rendezvousSecret).toEqual(laptop.keys.datasetKeys.rendezvousSecret)
    expect(server.keys.datasetKeys.rendezvousSecret).not.toEqual(meeting)
    expect(phone.keys.datasetKeys.rendezvousSecret).toEqual(meeting)
    expect(server.keys.datasetKeys.leftRendezvousSecrets).toEqual([meeting])
    expect(laptop.keyring.share(phone.keys.device, new Set())).toBeUndefined()
    expect(server.saves()).toBeGreaterThan(0)
  })

  it('[ID73] what a device missed while it was away comes with the log, also after several removals', () => {
    const tablet = machine('tablet')
    laptop.devices.add(tablet.introduction, laptop.keys.signer)
    tell(tablet, laptop)
    remove(laptop, phone)
    const between = seal(laptop, 'one')
    remove(laptop, tablet)
    const news = seal(laptop, 'two')
    expect(laptop.keys.datasetKeys.epoch).toBe(2)
    expect(canRead(server, news)).toBe(false)
    tell(server, laptop)
    expect([canRead(server, between), canRead(server, news)]).toEqual([true, true])
    const again = server.open() // as after a restart whose vault was not written
    again.keyring.dispose()
    expect(server.keys.datasetKeys.epoch).toBe(2)
  })

  it('[ID72] a removal without a new epoch (a second vote, an older build) is made good by the first admin, once', () => {
    laptop.devices.remove(phone.keys.device, laptop.keys.signer)
    tell(server, laptop)
    clock.advance(1_000)
    expect(laptop.keys.datasetKeys.epoch).toBe(0)
    clock.advance(1_000)
    expect(laptop.keys.datasetKeys.epoch).toBe(1)
    tell(server, laptop)
    clock.advance(60_000)
    expect([laptop, server].map(({ keys }) => keys.datasetKeys.epoch)).toEqual([1, 1])
    expect(server.keys.datasetKeys.current).toBe(laptop.keys.datasetKeys.current)
  })

  it('[ID74] of two removals at once each epoch lies with the other removed device: a third follows without both', () => {
    const tablet = machine('tablet')
    laptop.devices.add(tablet.introduction, laptop.keys.signer)
    meetAll(laptop, server, phone, tablet)
    remove(laptop, phone)
    remove(server, tablet)
    meetAll(laptop, server)
    clock.advance(10_000)
    meetAll(laptop, server)
    const news = seal(server, 'after both')
    tell(phone, server)
    tell(tablet, server)
    expect([laptop, server, phone, tablet].map((one) => canRead(one, news))).toEqual([true, true, false, false])
    expect(laptop.keys.datasetKeys.current).toBe(server.keys.datasetKeys.current)
  })

  it('[ID75] a device added while another rotated has no wrap; a linked one shares, and nobody outside gets anything', () => {
    const tablet = machine('tablet')
    const watch = machine('watch')
    server.devices.add(tablet.introduction, server.keys.signer)
    remove(laptop, phone)
    meetAll(laptop, server, tablet)
    const news = seal(laptop, 'news')
    expect([canRead(tablet, news), tablet.keys.datasetKeys.epoch]).toEqual([false, 0])
    expect(share(tablet, server)).toBe(true)
    expect([canRead(tablet, news), tablet.keys.datasetKeys.epoch]).toEqual([true, 1])
    expect(share(tablet, server)).toBe(false)
    for (const outside of [phone, watch]) expect(server.keyring.share(outside.keys.device, new Set())).toBeUndefined()
    const forged = server.keyring.share(tablet.keys.device, new Set()) as Uint8Array
    expect(() => phone.keyring.takeShared(forged)).toThrow(expect.objectContaining({ code: 'keys/malformed' }))
  })

  it('[ID74] an epoch that a removed admin made unseen does not count; what others sealed under it is read all the same', () => {
    const tablet = machine('tablet')
    laptop.devices.add(tablet.introduction, laptop.keys.signer)
    meetAll(laptop, server, phone, tablet)
    remove(server, tablet)
    remove(laptop, server)
    tell(phone, server)
    const between = seal(phone, 'in between')
    meetAll(laptop, phone, tablet)
    share(laptop, phone)
    share(tablet, phone)
    const news = seal(laptop, 'now')
    expect([laptop, phone, tablet].map((one) => canRead(one, between) && canRead(one, news))).toEqual([true, true, true])
    expect(new Set([laptop, phone, tablet].map(({ keys }) => keys.datasetKeys.current)).size).toBe(1)
    expect(canRead(server, news)).toBe(false)
  })

  it('[ID76] datasets have epochs of their own: begun once, read by every device, without the removed one from then on', () => {
    laptop.keyring.begin(photos)
    laptop.keyring.begin(photos)
    meetAll(laptop, server, phone)
    const before = laptop.keyring.currentOf(photos)
    expect(before?.epoch).toBe(0)
    for (const one of [server, phone]) expect(one.keyring.currentOf(photos)?.root).toEqual(before?.root)
    remove(laptop, phone)
    meetAll(laptop, server, phone)
    expect(laptop.keyring.currentOf(photos)?.epoch).toBe(1)
    expect(server.keyring.currentOf(photos)?.root).toEqual(laptop.keyring.currentOf(photos)?.root)
    expect(server.keyring.keysOf(photos, 0)[0]?.root).toEqual(before?.root)
    expect([phone.keyring.keysOf(photos, 1), phone.keyring.currentOf(photos)]).toEqual([[], undefined])
    const tablet = machine('tablet')
    server.devices.add(tablet.introduction, server.keys.signer)
    tell(tablet, server)
    expect(tablet.keyring.currentOf(photos)).toBeUndefined()
    share(tablet, laptop.devices.isMember(tablet.keys.device) ? laptop : server)
    expect(tablet.keyring.currentOf(photos)?.epoch).toBe(1)
    expect(tablet.open().keyring.currentOf(photos)?.epoch).toBe(1) // what was shared is kept
    expect(() => phone.keyring.begin(toBase58(new Uint8Array(16).fill(8)) as DatasetId)).toThrow(
      expect.objectContaining({ code: 'devices/refused' }),
    )
  })
})
