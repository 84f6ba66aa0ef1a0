import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DeviceWorld, type WorldDevice } from '../testkit/device-world.ts'
import { acquaint, LONG_WAIT, pair } from '../testkit/paired-devices.ts'

let world: DeviceWorld
let ada: WorldDevice
let phone: WorldDevice
let bob: WorldDevice

/** Ada has a laptop and a phone; Bob has a desktop. */
beforeEach(async () => {
  world = new DeviceWorld()
  ada = await world.install('laptop')
  phone = await world.install('phone')
  bob = await world.install('desktop')
  await ada.setUp()
  await phone.setUp()
  await bob.setUp('display of desktop', 'Bob')
})
afterEach(() => {
  expect([...ada.errors, ...phone.errors, ...bob.errors]).toEqual([])
  world.dispose()
})

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error) => error.code,
  )
const contactsOf = async (device: WorldDevice) => (await device.control().listContacts({})).contacts

describe('contacts', () => {
  it('[ID152] two persons have each other, by name and the same words, with their devices; nobody’s devices become the other’s', async () => {
    await acquaint(ada, bob)
    const [[his], [hers]] = [await contactsOf(ada), await contactsOf(bob)]
    expect(his).toMatchObject({ name: 'Bob', checkedBy: 'qr', devices: [{ name: 'desktop' }] })
    expect(hers).toMatchObject({ name: 'Ada', checkedBy: 'qr', devices: [{ name: 'laptop' }] })
    expect(his?.safetyWords).toEqual(hers?.safetyWords)
    expect((await ada.control().listDevices({})).map(({ name }) => name)).toEqual(['laptop'])
    expect((await bob.control().listDevices({})).map(({ name }) => name)).toEqual(['desktop'])
    const { rows } = await ada.control().listLedger({ limit: 50 })
    expect(rows.map(({ kind }) => kind)).toContain('contact-added')
  })

  it('[ID151] a contact is called what each person likes, is there on own devices, and is parted with', async () => {
    await acquaint(ada, bob)
    const person = (await contactsOf(ada))[0]?.person as string
    await ada.control().renameContact({ person, name: 'Bob from work' })
    await pair(ada, phone)
    await vi.waitFor(async () => expect((await contactsOf(phone)).map(({ name }) => name)).toEqual(['Bob from work']), LONG_WAIT)
    expect((await contactsOf(bob)).map(({ name }) => name)).toEqual(['Ada'])
    await ada.control().removeContact({ person })
    await vi.waitFor(async () => expect(await contactsOf(phone)).toEqual([]), LONG_WAIT)
    expect(await codeOf(ada.control().renameContact({ person, name: 'x' }))).toBe('contact/unknown')
    expect((await contactsOf(bob)).map(({ name }) => name)).toEqual(['Ada'])
  })

  it('[ID151] a member shows no code and takes none', async () => {
    await pair(ada, phone)
    const tablet = await world.install('tablet')
    await tablet.setUp()
    await pair(phone, tablet) // the phone holds no root key: what it adds is a member
    expect(await codeOf(tablet.control().offerContact({}))).toBe('contact/refused')
    expect(await codeOf(tablet.control().joinContact({ code: '1234-123456' }))).toBe('contact/refused')
  })
})
