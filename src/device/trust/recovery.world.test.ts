import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { fromBase64Url, toBase64Url, utf8 } from '../../base/bytes.ts'
import { DeviceWorld, PASSPHRASE, type WorldDevice } from '../../testkit/device-world.ts'
import { linked, LONG_WAIT, pair } from '../../testkit/paired-devices.ts'
import type { RestoreInput } from './recovery-contract.ts'

let world: DeviceWorld
let laptop: WorldDevice
let server: WorldDevice
let bare: WorldDevice
beforeEach(async () => {
  world = new DeviceWorld()
  laptop = await world.install('laptop')
  server = await world.install('server')
  bare = await world.install('bare')
  await laptop.setUp()
  await server.setUp()
  await pair(laptop, server)
  await linked(laptop, server)
})
afterEach(() => {
  expect([...laptop.errors, ...server.errors, ...bare.errors]).toEqual([])
  world.dispose()
})

const NEW_PASSPHRASE = 'quite another passphrase'
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error) => error.code,
  )
const names = async (device: WorldDevice) => (await device.control().listDevices({})).map(({ name }) => name).sort()
const idOf = async (device: WorldDevice, name: string) =>
  (await device.control().listDevices({})).find((row) => row.name === name)?.deviceId as string

async function makeKit(by: WorldDevice): Promise<RestoreInput> {
  const { file, words } = await by.control().makeRecoveryKit({ passphrase: PASSPHRASE })
  return { kit: toBase64Url(utf8(file)), words: words.join(' '), passphrase: NEW_PASSPHRASE, deviceName: 'bare', unattended: false }
}

describe('a recovery kit', () => {
  it('[ID159] [ID160] makes a bare machine a device of its person again, which the others let in; the desk comes from one of them', async () => {
    const kit = await makeKit(laptop)
    const person = (await laptop.control().makeRecoveryKit({ passphrase: PASSPHRASE })).person
    const text = await laptop.control().attachDocument({ doc: 'text/later' })
    expect(text.clientId).toBeGreaterThan(0)
    laptop.stop() // lost
    const restored = await bare.control().restoreDevice(kit)
    expect(restored).toMatchObject({ personName: 'Ada', others: ['laptop', 'server'] })
    await vi.waitFor(async () => {
      const rows = await bare.control().listDevices({})
      expect(rows.find(({ name }) => name === 'server')?.state).toBe('linked')
    }, LONG_WAIT)
    expect(await names(server)).toEqual(['bare', 'laptop', 'server'])
    const row = (await server.control().listDevices({})).find(({ name }) => name === 'bare')
    expect(row).toMatchObject({ deviceId: restored.deviceId, role: 'admin' })
    // It is the person: it signs with the root key, also after a restart with the passphrase it was given.
    bare.stop()
    await bare.start()
    await bare.control().unlockDevice({ passphrase: NEW_PASSPHRASE })
    const again = await bare.control().makeRecoveryKit({ passphrase: NEW_PASSPHRASE })
    expect([again.person, again.devices.toSorted()]).toEqual([person, ['bare', 'laptop', 'server']])
    expect(await codeOf(bare.control().makeRecoveryKit({ passphrase: PASSPHRASE }))).toBe('vault/wrong-passphrase')
    expect(laptop.errors).toEqual([])
    await laptop.start() // for the end of the test
  })

  it('[ID160] made before a removal, it finds the others where they all were at first, and is given the keys of now', async () => {
    const phone = await world.install('phone')
    await phone.setUp()
    await pair(laptop, phone)
    await linked(laptop, server, phone)
    const kit = await makeKit(laptop)
    await laptop.control().removeDevice({ deviceId: await idOf(laptop, 'phone') })
    const epochOf = async (device: WorldDevice) => Number((await device.control().readDebug({})).text.match(/epoch +(\d+)/)?.[1])
    await vi.waitFor(async () => expect(await epochOf(server)).toBe(1), LONG_WAIT)
    await vi.waitFor(async () => expect(await names(server)).toEqual(['laptop', 'server']), LONG_WAIT)
    laptop.stop()
    await bare.control().restoreDevice(kit)
    await vi.waitFor(async () => {
      const rows = await bare.control().listDevices({})
      expect(rows.find(({ name }) => name === 'server')?.state).toBe('linked')
    }, LONG_WAIT)
    await vi.waitFor(async () => expect(await epochOf(bare)).toBe(1), LONG_WAIT)
    expect(await names(bare)).toEqual(['bare', 'laptop', 'server'])
    await laptop.start()
  })

  it('[ID157] [ID158] wrong words, slips and damaged files make nothing: the machine is as bare as before', async () => {
    const kit = await makeKit(laptop)
    const other = await makeKit(laptop)
    const restore = (more: Partial<RestoreInput>) => codeOf(bare.control().restoreDevice({ ...kit, ...more }))
    expect(await restore({ words: other.words })).toBe('recovery/wrong-words')
    expect(await restore({ words: kit.words.replace(/^\w+/, 'xyzzy') })).toBe('recovery/bad-words')
    expect(await restore({ kit: kit.kit.slice(0, 400) })).toBe('recovery/damaged')
    const text = fromBase64Url(kit.kit)
    text[text.length - 120] = text[text.length - 120] === 65 ? 66 : 65
    expect(await restore({ kit: toBase64Url(text) })).toBe('recovery/damaged')
    expect(await restore({ passphrase: 'short' })).toBe('vault/weak-passphrase')
    expect(await restore({ kit: 'A'.repeat(1_750_001) })).toBe('rpc/bad-input')
    expect((await bare.control().status({})).phase).toBe('first-run')
    expect(bare.vaultStore.files.size).toBe(0)
    await bare.setUp()
    expect(await restore({})).toBe('vault/exists')
  })

  it('[ID158] is made only where the root key lies and by the passphrase, and says which devices it knows nothing of', async () => {
    expect(await codeOf(server.control().makeRecoveryKit({ passphrase: PASSPHRASE }))).toBe('vault/no-person-key')
    expect(await codeOf(laptop.control().makeRecoveryKit({ passphrase: 'not the passphrase' }))).toBe('vault/wrong-passphrase')
    expect(await laptop.control().readRecovery({})).toEqual({ possible: true, missing: [] })
    await vi.waitFor(() => makeKit(laptop), LONG_WAIT) // after the second that a wrong try costs
    expect(await laptop.control().readRecovery({})).toMatchObject({ possible: true, lastMadeAtMs: expect.any(Number), missing: [] })
    const phone = await world.install('phone')
    await phone.setUp()
    await pair(laptop, phone)
    expect((await laptop.control().readRecovery({})).missing).toEqual(['phone'])
    expect((await server.control().readRecovery({})).possible).toBe(false)
  })
})
