import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { toBase58 } from '../base/base58.ts'
import type { DatasetId, DeviceId, PersonId } from '../base/ids.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import { SodiumCrypto } from '../platform/node/sodium-crypto.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { AuthorityGrants } from './authority/authority-grants.ts'
import type { AuthorityLog } from './authority/authority-log.ts'
import { MemoryAuthorityStore } from './authority/authority-store.ts'
import type { Grant } from './authority/operation.ts'
import { programIdOfHash } from './authority/program-id.ts'
import type { SigningKey } from './crypto.ts'
import { DeviceKeys } from './device-keys.ts'
import { DeviceList } from './device-list.ts'
import { ABILITIES, type Ability, type GrantQuestion } from './grant-check.ts'
import { grantSentence } from './grant-words.ts'
import { LogGrantCheck, MEMBER_ABILITIES } from './log-grant-check.ts'

const crypto = new SodiumCrypto()
const photos = toBase58(new Uint8Array(16).fill(1)) as DatasetId
const make = programIdOfHash(new Uint8Array(32).fill(2))
const code = (expected: string) => expect.objectContaining({ code: expected })

let clock: ManualClock
let root: SigningKey
let person: PersonId
let list: DeviceList
let laptop: DeviceKeys
let phone: DeviceKeys
let tablet: DeviceKeys
let grants: AuthorityGrants
let check: LogGrantCheck

const introduce = (keys: DeviceKeys, name: string) => ({ device: keys.device, boxKey: keys.box.publicKey, name, platform: 'linux' })
const as = (keys: DeviceKeys, personKey?: SigningKey) => ({ device: keys.signer, personKey })
const shellFor = (device: DeviceId | undefined, more: Partial<Grant> = {}): Grant => ({
  person,
  ...(device ? { device } : {}),
  target: { kind: 'shell' },
  abilities: ['shell'],
  mayDelegate: false,
  ...more,
})
const asks = (keys: DeviceKeys, ability: Ability, more: Partial<GrantQuestion> = {}) =>
  check.allows({ device: keys.device, ability, ...more })

beforeEach(() => {
  clock = new ManualClock(1_700_000_000_000)
  root = crypto.signingKey(crypto.bytes(32))
  person = toBase58(root.publicKey) as PersonId
  ;[laptop, phone, tablet] = [DeviceKeys.create(crypto, person), DeviceKeys.create(crypto, person), DeviceKeys.create(crypto, person)]
  list = DeviceList.open({
    crypto,
    clock,
    person,
    store: new MemoryKeyValueStore(),
    authority: new MemoryAuthorityStore(),
    self: laptop.device,
  })
  list.found(introduce(laptop, 'laptop'), root)
  list.add(introduce(phone, 'phone'), laptop.signer)
  list.add(introduce(tablet, 'tablet'), laptop.signer)
  grants = new AuthorityGrants(list.authority as AuthorityLog)
  check = new LogGrantCheck({ devices: list, self: laptop.device, clock })
  onTestFinished(() => {
    check.dispose()
    list.dispose()
  })
})

describe('roles', () => {
  it.each(Object.keys(ABILITIES) as Ability[])('[ID77] %s: an admin may, a member as decided, a stranger never', (ability) => {
    const stranger = DeviceKeys.create(crypto, person)
    expect([asks(laptop, ability), asks(phone, ability), asks(stranger, ability)]).toEqual([true, MEMBER_ABILITIES.has(ability), false])
    if (!MEMBER_ABILITIES.has(ability)) {
      expect(() => check.require({ device: phone.device, ability, target: 'x' })).toThrow(/takes a grant/)
    }
  })

  it('[ID77] what changes an account is in no member’s hands by role, and abilities nobody named in nobody’s', () => {
    expect(['shell', 'files:write', 'tasks:end', 'devices:change'].filter((ability) => MEMBER_ABILITIES.has(ability as Ability))).toEqual(
      [],
    )
    for (const ability of ['root', 'toString', '__proto__']) expect(asks(laptop, ability as Ability)).toBe(false)
  })

  it('[ID77] a device that was removed may nothing, its grants lead nowhere', () => {
    grants.add(shellFor(phone.device), as(laptop))
    expect(asks(phone, 'shell')).toBe(true)
    list.remove(phone.device, laptop.signer)
    expect([asks(phone, 'shell'), asks(phone, 'files:read')]).toEqual([false, false])
  })
})

describe('grants', () => {
  it('[ID78] count for who and where they name, and for nothing else', () => {
    grants.add(shellFor(phone.device, { on: laptop.device, abilities: ['files:write', 'shell'] }), as(laptop))
    expect([asks(phone, 'shell'), asks(phone, 'files:write'), asks(phone, 'tasks:end'), asks(tablet, 'shell')]).toEqual([
      true,
      true,
      false,
      false,
    ])
    expect(asks(phone, 'files:write', { dataset: photos })).toBe(false)
    const elsewhere = new LogGrantCheck({ devices: list, self: tablet.device, clock })
    expect(elsewhere.allows({ device: phone.device, ability: 'shell' })).toBe(false)
    elsewhere.dispose()
  })

  it('[ID78] without a device, for each of them; another person’s name in it opens nothing', () => {
    grants.add(shellFor(undefined, { person: toBase58(crypto.bytes(32)) as PersonId }), as(laptop))
    expect(asks(phone, 'shell')).toBe(false)
    grants.add(shellFor(undefined), as(laptop))
    expect([asks(phone, 'shell'), asks(tablet, 'shell')]).toEqual([true, true])
  })

  it('[ID78] a dataset, a class of jobs and a port are told apart', () => {
    grants.add({ ...shellFor(phone.device), target: { kind: 'dataset', dataset: photos }, abilities: ['files:write'] }, as(laptop))
    expect([asks(phone, 'files:write', { dataset: photos }), asks(phone, 'files:write')]).toEqual([true, false])
    const other = toBase58(new Uint8Array(16).fill(9)) as DatasetId
    expect(asks(phone, 'files:write', { dataset: other })).toBe(false)
    grants.add({ ...shellFor(phone.device), target: { kind: 'port', port: 80 }, abilities: ['shell', 'ports:share'] }, as(laptop))
    expect(asks(phone, 'shell')).toBe(false) // an ability that does not fit its target gives nothing
  })

  it('[ID79] a grant to a program counts for that program only, and a program has nothing from its device’s role', () => {
    grants.add(
      { ...shellFor(phone.device), program: make, target: { kind: 'dataset', dataset: photos }, abilities: ['files:read'] },
      as(laptop),
    )
    const other = programIdOfHash(new Uint8Array(32).fill(3))
    expect(asks(phone, 'files:read', { dataset: photos, program: make })).toBe(true)
    expect(asks(phone, 'files:read', { dataset: photos, program: other })).toBe(false)
    expect(asks(laptop, 'shell', { program: other })).toBe(false)
    const [held] = grants.all
    expect(grantSentence((held as { grant: Grant }).grant, () => 'phone')).toMatch(
      /^The program sha256:.*, and anything it runs, on phone may read files of the dataset/,
    )
  })

  it('[ID80] end with their time, by the clock of who checks, and cut what goes on', () => {
    grants.add(shellFor(phone.device, { untilMs: clock.nowMs() + 60_000 }), as(laptop))
    const lost = vi.fn()
    check.watch({ device: phone.device, ability: 'shell' }, lost)
    clock.advance(59_000)
    expect([asks(phone, 'shell'), lost.mock.calls.length]).toEqual([true, 0])
    clock.advance(1_000)
    expect([asks(phone, 'shell'), lost.mock.calls.length]).toEqual([false, 1])
  })

  it('[ID80] within half a minute where the clock is set or the machine sleeps; only the end itself is told', () => {
    grants.add(shellFor(phone.device, { untilMs: clock.nowMs() + 12 * 3_600_000 }), as(laptop))
    const [lost, ended] = [vi.fn(), vi.fn()]
    check.onDidEnd(ended)
    check.watch({ device: phone.device, ability: 'shell' }, lost)
    clock.advance(3_600_000)
    expect([lost.mock.calls.length, ended.mock.calls.length]).toEqual([0, 0])
    clock.sleepThrough(11 * 3_600_000)
    clock.advance(30_000)
    expect([asks(phone, 'shell'), lost.mock.calls.length, ended.mock.calls.length]).toEqual([false, 1, 1])
  })

  it('[ID80] no timer runs while nobody watches, and none is shorter than a second', () => {
    grants.add(shellFor(phone.device, { untilMs: clock.nowMs() + 60_000 }), as(laptop))
    expect(clock.pendingTimers).toBe(0)
    const watching = check.watch({ device: phone.device, ability: 'shell' }, () => {})
    expect(clock.pendingTimers).toBe(1)
    watching.dispose()
    expect(clock.pendingTimers).toBe(0)
    clock.advance(59_900)
    const lost = vi.fn()
    check.watch({ device: phone.device, ability: 'shell' }, lost)
    clock.advance(999)
    expect(lost).not.toHaveBeenCalled()
    clock.advance(1)
    expect([lost.mock.calls.length, clock.pendingTimers]).toEqual([1, 0])
  })

  it('[ID80] and with their revocation, with all that was made from them', () => {
    grants.add(shellFor(phone.device, { mayDelegate: true }), as(laptop))
    const from = grants.all[0]?.id as never
    grants.delegate(from, shellFor(tablet.device), as(phone))
    const lost = vi.fn()
    check.watch({ device: tablet.device, ability: 'shell' }, lost)
    expect(asks(tablet, 'shell')).toBe(true)
    expect(() => grants.revoke(from, as(tablet))).toThrow(code('grant/refused'))
    grants.revoke(from, as(laptop))
    expect([asks(phone, 'shell'), asks(tablet, 'shell'), lost.mock.calls.length, grants.all.length]).toEqual([false, false, 1, 0])
    expect(() => grants.revoke(from, as(laptop))).toThrow(code('grant/unknown'))
  })

  it('[ID81] members give none; what is passed on is the same or less, and only by its holder', () => {
    expect(() => grants.add(shellFor(phone.device), as(phone))).toThrow(code('grant/refused'))
    grants.add(shellFor(phone.device), as(phone, root))
    const from = grants.all[0]?.id as never
    expect(() => grants.delegate(from, shellFor(tablet.device), as(phone))).toThrow(code('grant/not-narrower'))
    grants.add(shellFor(phone.device, { mayDelegate: true, untilMs: clock.nowMs() + 9_000 }), as(laptop))
    const passing = grants.all[1]?.id as never
    const wider = shellFor(tablet.device, { untilMs: clock.nowMs() + 9_001 })
    expect(() => grants.delegate(passing, wider, as(phone))).toThrow(code('grant/not-narrower'))
    expect(() => grants.delegate(passing, shellFor(tablet.device, { untilMs: 1 }), as(tablet))).toThrow(code('grant/refused'))
  })
})
