import { describe, expect, it } from 'vitest'
import { createTestDevice, TestMembers } from '../testkit/test-devices.ts'
import { ABILITIES, OwnDevicesGrantCheck, type Ability } from './grant-check.ts'

describe('OwnDevicesGrantCheck', () => {
  const [mine, other] = [createTestDevice(1), createTestDevice(2)]
  const members = new TestMembers(mine)
  const check = new OwnDevicesGrantCheck(members)

  it.each(Object.keys(ABILITIES) as Ability[])('[ID40] %s: allowed to my own device, refused to any other', (ability) => {
    expect(check.allows({ device: mine.device, ability })).toBe(true)
    expect(() => check.require({ device: mine.device, ability })).not.toThrow()
    expect(check.allows({ device: other.device, ability })).toBe(false)
    expect(() => check.require({ device: other.device, ability, target: '/etc' })).toThrow(
      expect.objectContaining({ code: 'grant/refused' }),
    )
  })

  it('[ID40] refuses abilities nobody named, also those an object has by birth', () => {
    for (const ability of ['root', 'toString', '__proto__']) {
      expect(check.allows({ device: mine.device, ability: ability as Ability })).toBe(false)
      expect(() => check.require({ device: mine.device, ability: ability as Ability })).toThrow(/may not do that/)
    }
  })

  it('[ID40] follows the list: a device that was removed is refused at once', () => {
    const list = new TestMembers(mine, other)
    const following = new OwnDevicesGrantCheck(list)
    expect(following.allows({ device: other.device, ability: 'shell' })).toBe(true)
    list.members.delete(other.device)
    expect(following.allows({ device: other.device, ability: 'shell' })).toBe(false)
  })

  it('[ID40] says in plain words what counts before the log', () => {
    expect(check.describe()).toMatch(/everything.*begin with the authority log/)
  })
})
