import { beforeEach, describe, expect, it } from 'vitest'
import { toBase58 } from '../base/base58.ts'
import { utf8 } from '../base/bytes.ts'
import type { PersonId } from '../base/ids.ts'
import { SodiumCrypto } from '../platform/node/sodium-crypto.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import { SMALL_ORDER_KEYS } from './crypto.suite.ts'
import type { SigningKey } from './crypto.ts'
import { DeviceKeys } from './device-keys.ts'
import { createDeviceCheck, DeviceList, isListFor, MAX_DEVICES } from './device-list.ts'
import { decodeStatement, signStatement } from './device-statement.ts'

const crypto = new SodiumCrypto()
const code = (expected: string) => expect.objectContaining({ code: expected })

describe('DeviceList', () => {
  const clock = new ManualClock(1_700_000_000_000)
  let root: SigningKey
  let person: PersonId
  let store: MemoryKeyValueStore
  let list: DeviceList
  const device = (name: string, of: PersonId = person) => {
    const keys = DeviceKeys.create(crypto, of)
    return { keys, introduction: { device: keys.device, boxKey: keys.box.publicKey, name, platform: 'linux' } }
  }
  const open = (more: { store?: MemoryKeyValueStore; person?: PersonId } = {}) =>
    DeviceList.open({ crypto, clock, store: new MemoryKeyValueStore(), person, ...more })
  let laptop: ReturnType<typeof device>
  let server: ReturnType<typeof device>
  let phone: ReturnType<typeof device>

  beforeEach(async () => {
    root = crypto.signingKey(crypto.bytes(32))
    person = toBase58(root.publicKey) as PersonId
    store = new MemoryKeyValueStore()
    list = open({ store })
    laptop = device('laptop')
    server = device('server')
    phone = device('phone')
    list.found(laptop.introduction, root)
  })

  it("[ID20] the first entry is signed by the person's root key, once", async () => {
    expect(list.members).toMatchObject([{ device: laptop.keys.device, name: 'laptop', addedBy: person, addedAtMs: clock.nowMs() }])
    const before = list.encode()
    list.found(laptop.introduction, root)
    expect(list.encode()).toEqual(before)
  })

  it('[ID20] a member adds another, which adds a third', async () => {
    list.add(server.introduction, laptop.keys.signer)
    list.add(phone.introduction, server.keys.signer)
    expect(list.members.map(({ name }) => name).sort()).toEqual(['laptop', 'phone', 'server'])
    expect(list.devices.get(phone.keys.device)?.addedBy).toBe(server.keys.device)
  })

  it('[ID20] a stranger can add, rename or remove nothing', async () => {
    for (const act of [
      () => list.add(phone.introduction, server.keys.signer),
      () => list.rename(laptop.keys.device, 'mine now', server.keys.signer),
      () => list.remove(laptop.keys.device, server.keys.signer),
    ]) {
      expect(() => act()).toThrow(code('devices/refused'))
    }
    expect(list.members).toHaveLength(1)
  })

  it('[ID20] statements of a stranger that come in a list are left out', async () => {
    const said = {
      claim: { kind: 'add', boxKey: phone.introduction.boxKey, name: 'x', platform: 'x', round: 0 },
      device: phone.keys.device,
    } as const
    const forged = signStatement(crypto, { ...said, by: server.keys.device, atMs: 0 }, server.keys.signer.sign)
    const hostile = open()
    hostile.merge(list.encode())
    expect(hostile.merge(listOf(person, [forged.bytes]))).toBe(false)
    expect(hostile.isMember(phone.keys.device)).toBe(false)
  })

  it('[ID21] removal is a tombstone that wins over the add it saw, and adding again makes a member again', async () => {
    list.add(server.introduction, laptop.keys.signer)
    list.remove(server.keys.device, laptop.keys.signer)
    expect(list.isMember(server.keys.device)).toBe(false)
    expect(list.devices.get(server.keys.device)).toMatchObject({ removedAtMs: clock.nowMs() })
    expect(() => list.add(phone.introduction, server.keys.signer)).toThrow(code('devices/refused'))
    list.add(server.introduction, laptop.keys.signer)
    expect(list.isMember(server.keys.device)).toBe(true)
    list.remove(server.keys.device, laptop.keys.signer)
    expect(list.isMember(server.keys.device)).toBe(false)
  })

  it('[ID21] removing and renaming what is not there is told', async () => {
    expect(() => list.remove(phone.keys.device, laptop.keys.signer)).toThrow(code('devices/unknown'))
    expect(() => list.rename(phone.keys.device, 'x', laptop.keys.signer)).toThrow(code('devices/unknown'))
  })

  it('[ID22] renames: the last counts, on every replica alike when two rename at once', async () => {
    list.add(server.introduction, laptop.keys.signer)
    const other = open()
    other.merge(list.encode())
    list.rename(server.keys.device, 'attic', laptop.keys.signer)
    other.rename(server.keys.device, 'cellar', server.keys.signer)
    list.merge(other.encode())
    other.merge(list.encode())
    expect(list.encode()).toEqual(other.encode())
    list.rename(server.keys.device, 'roof', laptop.keys.signer)
    other.merge(list.encode())
    expect(other.devices.get(server.keys.device)?.name).toBe('roof')
  })

  it.each(['', '   ', 'line\nbreak', 'right\u202Eto left', 'null\u0000'])('[ID22] refuses the name %j', async (name) => {
    expect(() => list.rename(laptop.keys.device, name, laptop.keys.signer)).toThrow(code('devices/refused'))
  })

  it('[ID20] is there after a restart, and a list of another person is not mixed in', async () => {
    list.add(server.introduction, laptop.keys.signer)
    const again = open({ store })
    expect(again.encode()).toEqual(list.encode())
    const stranger = toBase58(crypto.signingKey(crypto.bytes(32)).publicKey) as PersonId
    expect(open({ store, person: stranger }).members).toHaveLength(0)
    expect(() => open({ store, person: stranger }).merge(list.encode())).toThrow(code('devices/refused'))
  })

  it('[ID20] tells of changes once, and not of what is known', async () => {
    let changes = 0
    list.onDidChange(() => changes++)
    list.add(server.introduction, laptop.keys.signer)
    expect(list.merge(list.encode())).toBe(false)
    expect(changes).toBe(1)
  })

  it('[ID23] refuses damaged, foreign and oversized lists and keeps its own', async () => {
    const before = list.encode()
    const flipped = (at: number) => before.map((byte, i) => (i === at ? byte ^ 1 : byte))
    for (const bad of [
      new Uint8Array(0),
      before.subarray(0, 80),
      flipped(0),
      flipped(120),
      flipped(before.length - 1),
      new Uint8Array(60_000),
    ]) {
      expect(() => list.merge(bad)).toThrow(/device list/)
    }
    expect(list.encode()).toEqual(before)
  })

  it('[ID23] takes no statement signed by a key of small order', () => {
    for (const hex of SMALL_ORDER_KEYS) {
      const key = Uint8Array.from(Buffer.from(hex, 'hex'))
      const body = Uint8Array.from([2, ...key, ...key, 0, 0])
      const identityThenZero = new Uint8Array(64)
      identityThenZero[0] = 1
      expect(() => decodeStatement(crypto, Uint8Array.from([...identityThenZero, ...body]))).toThrow(code('devices/malformed'))
    }
  })

  it('[ID23] says so when there are more devices than a person has', async () => {
    for (let i = 1; i < MAX_DEVICES; i++) list.add(device(`d${i}`).introduction, laptop.keys.signer)
    const before = list.encode()
    expect(() => list.add(phone.introduction, laptop.keys.signer)).toThrow(code('devices/too-many'))
    expect(list.encode()).toEqual(before)
    expect(list.members).toHaveLength(MAX_DEVICES)
  })

  it('[ID24] DeviceCheck follows the list and verifies strictly', async () => {
    const check = createDeviceCheck(crypto, list)
    const message = utf8('hello')
    const signature = server.keys.signer.sign(message)
    expect(check.isMember(server.keys.device)).toBe(false)
    list.add(server.introduction, laptop.keys.signer)
    expect(check.isMember(server.keys.device)).toBe(true)
    expect(check.verify(server.keys.device, message, signature)).toBe(true)
    expect(check.verify(laptop.keys.device, message, signature)).toBe(false)
    expect(check.verify('0OIl' as typeof server.keys.device, message, signature)).toBe(false)
    expect(check.verify('1'.repeat(32) as typeof server.keys.device, message, signature)).toBe(false)
  })

  it('[ID20] knows whether a list names devices with these keys', async () => {
    const encoded = list.encode()
    expect(isListFor(crypto, person, encoded, [laptop.introduction])).toBe(true)
    expect(isListFor(crypto, person, encoded, [{ ...laptop.introduction, boxKey: new Uint8Array(32) }])).toBe(false)
    expect(isListFor(crypto, person, encoded, [laptop.introduction, server.introduction])).toBe(false)
  })
})

/** A list as somebody without our code would write it. */
function listOf(person: string, statements: readonly Uint8Array[]): Uint8Array {
  const parts = [Uint8Array.of(1, person.length), utf8(person), Uint8Array.of(statements.length)]
  for (const bytes of statements) parts.push(Uint8Array.of((bytes.length & 127) | 128, bytes.length >> 7), bytes)
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}
