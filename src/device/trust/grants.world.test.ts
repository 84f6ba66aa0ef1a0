import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { toBase58 } from '../../base/base58.ts'
import { signProgramRelease } from '../../identity/programs/program-release.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import { DeviceWorld, PASSPHRASE, type WorldDevice } from '../../testkit/device-world.ts'
import { linked, LONG_WAIT, pair } from '../../testkit/paired-devices.ts'

let world: DeviceWorld
let laptop: WorldDevice
let server: WorldDevice
let phone: WorldDevice
let ids: Record<string, string>

/** The server is an admin, since the root signed it in; the phone joined by the server, as a member. */
beforeEach(async () => {
  world = new DeviceWorld()
  laptop = await world.install('laptop')
  server = await world.install('server')
  phone = await world.install('phone')
  for (const device of [laptop, server, phone]) await device.setUp()
  await pair(laptop, server)
  await pair(server, phone)
  await linked(laptop, server, phone)
  ids = Object.fromEntries((await laptop.control().listDevices({})).map(({ name, deviceId }) => [name, deviceId]))
})
afterEach(() => {
  expect([...laptop.errors, ...server.errors, ...phone.errors]).toEqual([])
  world.dispose()
})

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error) => error.code,
  )
const on = (name: string) => ids[name] as string
const account = { target: { kind: 'shell' }, mayDelegate: false } as const
const shell = { columns: 80, rows: 24 }
const text = { path: '/home/test/a.txt', text: 'x', expectedVersion: null }

async function open(device: WorldDevice) {
  const display = device.connect(`display of ${device.name} again`)
  await display.hello({ displayName: device.name })
  await display.unlock({ passphrase: PASSPHRASE, how: 'beside' })
  return display
}

describe('what one device may on another', () => {
  it('[JB41] [ID77] a member runs jobs in the sandbox; on the network or without a sandbox takes the grant of a shell', async () => {
    const asks = phone.control()
    const policy = { where: { device: on('laptop') } }
    const start = (more: object) => asks.startJob({ commandLine: 'cc in.c', folder: '/home/test/project', input: false, policy, ...more })
    const failed = async (job: string) => (await asks.listJobs({})).find((one) => one.job === job)?.error?.code
    const refused = [await start({ network: true }), await start({ policy: { ...policy, withoutSandbox: true } })]
    for (const { job } of refused) expect(await failed(job)).toBe('grant/refused')
    expect(laptop.jobSpawner.processes).toEqual([])
    await start({})
    await vi.waitFor(() => expect(laptop.jobSpawner.processes.length).toBe(1), LONG_WAIT)
    const display = await open(laptop)
    await display.addGrant({ grant: { device: on('phone'), abilities: ['shell'], ...account } })
    await vi.waitFor(async () => {
      await start({ network: true })
      expect(laptop.jobSpawner.processes.length).toBe(2)
    }, LONG_WAIT)
  })

  it('[ID77] [DV42] a member looks and follows; what changes an account there is refused there, by name', async () => {
    const asks = phone.control()
    expect((await laptop.control().listDevices({})).map(({ name, role }) => `${name} ${role}`).sort()).toEqual([
      'laptop admin',
      'phone member',
      'server admin',
    ])
    const device = on('laptop')
    expect(await codeOf(asks.homeFolder({ device }))).toBe('no error')
    expect(await codeOf(asks.listFolder({ device, path: '/home/test' }))).toBe('no error')
    expect(await codeOf(asks.writeText({ device, ...text }))).toBe('grant/refused')
    expect(await codeOf(asks.makeFolder({ device, path: '/home/test/new' }))).toBe('grant/refused')
    expect(await codeOf(asks.openTerminal({ device, ...shell }))).toBe('grant/refused')
    expect(await codeOf(asks.endProcess({ device, pid: 4242, force: false }))).toBe('grant/refused')
    expect(await codeOf(server.control().openTerminal({ device, ...shell }))).toBe('no error')
  })

  it('[ID78] [DV42] a grant opens exactly that door, on that device, also for a device that hears of it later', async () => {
    const grant = { ...account, device: on('phone'), on: on('laptop'), abilities: ['shell'] }
    expect(await codeOf(phone.control().addGrant({ grant }))).toBe('grant/refused')
    await server.control().addGrant({ grant })
    await vi.waitFor(
      async () => expect(await codeOf(phone.control().openTerminal({ device: on('laptop'), ...shell }))).toBe('no error'),
      LONG_WAIT,
    )
    expect(await codeOf(phone.control().openTerminal({ device: on('server'), ...shell }))).toBe('grant/refused')
    expect(await codeOf(phone.control().writeText({ device: on('laptop'), ...text }))).toBe('grant/refused')
    const { grants, access } = await laptop.control().listGrants({})
    expect(grants.map(({ sentence, by }) => `${sentence}; ${by}`)).toEqual(['phone may run programs in a shell on laptop; server'])
    expect(access.find(({ name }) => name === 'phone')?.may).toMatchObject({ shell: 'grant', 'files:read': 'role', 'files:write': 'no' })
  })

  it('[ID80] [DV42] a terminal that is open ends with its grant, in the middle, and cannot be attached again', async () => {
    const device = on('laptop')
    await laptop.control().addGrant({ grant: { ...account, device: on('phone'), on: device, abilities: ['shell'] } })
    const display = await open(phone)
    await vi.waitFor(async () => expect(await codeOf(display.openTerminal({ device, ...shell }))).toBe('no error'), LONG_WAIT)
    const { terminalId } = await display.openTerminal({ device, ...shell })
    const { channel } = await display.attachTerminal({ device, terminalId, ...shell })
    const ended = vi.fn()
    display.channel(channel).onDidClose(ended)
    const [held] = (await laptop.control().listGrants({})).grants
    await laptop.control().revokeGrant({ id: held?.id as string })
    await vi.waitFor(() => expect(ended).toHaveBeenCalled(), LONG_WAIT)
    expect(await codeOf(display.attachTerminal({ device, terminalId, ...shell }))).toBe('grant/refused')
    expect((await laptop.control().status({})).links).toBe(2) // the link itself stays
  })

  it('[DV42] the command line signs with the person key while its connection lasts, where that key lies, and makes admins', async () => {
    const control = laptop.control()
    const deviceId = on('phone')
    laptop.stop()
    await laptop.start()
    const locked = laptop.control()
    await locked.unlockDevice({ passphrase: PASSPHRASE })
    expect(await codeOf(locked.changeDeviceRole({ deviceId, role: 'admin' }))).toBe('devices/refused')
    await locked.openPerson({ passphrase: PASSPHRASE })
    await locked.changeDeviceRole({ deviceId, role: 'admin' })
    await locked.closePerson({})
    expect(await codeOf(locked.changeDeviceRole({ deviceId: on('server'), role: 'member' }))).toBe('no error') // junior to it
    expect(await codeOf(locked.changeDeviceRole({ deviceId: on('server'), role: 'admin' }))).toBe('devices/refused')
    expect(await codeOf(server.control().openPerson({ passphrase: PASSPHRASE }))).toBe('vault/no-person-key')
    control.dispose()
    await linked(laptop, phone)
    await vi.waitFor(
      async () => expect(await codeOf(phone.control().openTerminal({ device: on('laptop'), ...shell }))).toBe('no error'),
      LONG_WAIT,
    )
  })

  it('[ID162] a device takes a release that its publisher signed, and no other', async () => {
    const key = new SodiumCrypto().signingKey(new Uint8Array(32).fill(7))
    const said = { publisher: toBase58(key.publicKey), name: 'resize', release: '1', ids: [`sha256:${'ab'.repeat(32)}`] }
    const release = signProgramRelease(said, (message) => key.sign(message))
    const control = laptop.control()
    expect(await codeOf(control.addRelease({ release: { ...release, name: 'other' } }))).toBe('release/refused')
    await control.addRelease({ release })
    expect(await control.listReleases({})).toEqual({ releases: [release] })
    await control.addGrant({
      grant: { program: `pub:${said.publisher}`, target: { kind: 'jobs', jobClass: 'any' }, abilities: ['jobs:run'], mayDelegate: false },
    })
    await control.forgetRelease({ publisher: said.publisher, name: 'resize', release: '1' })
    expect(await control.listReleases({})).toEqual({ releases: [] })
  })

  it('[DV42] a grant that could never count is not written', async () => {
    const add = (grant: object) => codeOf(laptop.control().addGrant({ grant: { ...account, abilities: ['shell'], ...grant } }))
    expect(await add({ abilities: ['jobs:run'] })).toBe('authority/malformed')
    expect(await add({ device: 'F'.repeat(44) })).toBe('devices/unknown')
    expect(await add({ program: 'make' })).toBe('authority/malformed')
    expect(await add({ program: `sha256:${'ab'.repeat(32)}` })).toBe('authority/malformed') // no sandbox holds it to a shell
    const jobs = { target: { kind: 'jobs', jobClass: 'any' }, abilities: ['jobs:run'] }
    expect(await add({ ...jobs, program: `image:sha256:${'ab'.repeat(32)}` })).toBe('grant/image') // [ID166]
    expect(await add({ target: { kind: 'dataset', dataset: '1'.repeat(16) }, abilities: ['files:read'] })).toBe('no error')
    expect(await add({ target: { kind: 'dataset', dataset: 'O'.repeat(20) }, abilities: ['files:read'] })).toBe('authority/malformed')
    expect((await laptop.control().listGrants({})).grants).toHaveLength(1)
  })
})
