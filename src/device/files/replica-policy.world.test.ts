import { afterEach, expect, it, vi } from 'vitest'
import { DATASET_ROOT } from '../../files/dataset-contract.ts'
import { DeviceWorld, PASSPHRASE, type WorldDevice } from '../../testkit/device-world.ts'
import { pair, PATIENT } from '../../testkit/paired-devices.ts'
import { SeededRandom } from '../../testkit/seeded-random.ts'

const worlds: DeviceWorld[] = []
afterEach(() => {
  for (const world of worlds.splice(0)) world.dispose()
})

/** The first is set up, and the others are paired with it; they have disks of so many bytes. */
async function devices(names: readonly string[], diskBytes?: number): Promise<{ all: WorldDevice[]; dataset: string }> {
  const world = new DeviceWorld()
  worlds.push(world)
  const all: WorldDevice[] = []
  for (const name of names) all.push(await world.install(name))
  const [first, ...others] = all as [WorldDevice, ...WorldDevice[]]
  await first.setUp()
  for (const other of others) {
    other.diskBytes = diskBytes
    await other.setUp()
    await pair(first, other)
  }
  let dataset: string | undefined
  await vi.waitFor(async () => {
    dataset = (await first.control().listDatasets({}))[0]?.dataset
    expect(dataset).toBeDefined()
  }, PATIENT)
  return { all, dataset: dataset as string }
}

async function put(device: WorldDevice, dataset: string, name: string, bytes: Uint8Array): Promise<void> {
  const control = device.control()
  const { write } = await control.beginDatasetWrite({ dataset, to: { parent: DATASET_ROOT, name } })
  await control.appendDatasetWrite({ write, base64: Buffer.from(bytes).toString('base64') })
  await control.commitDatasetWrite({ write })
}

const statusOf = (device: WorldDevice, dataset: string) => device.control().datasetStatus({ dataset })

it('[RP6] [RP7] a policy set on one of three devices holds on all: so many copies, or all of it on one; what cannot be met says why', async () => {
  const { all, dataset } = await devices(['laptop', 'server', 'lamp'])
  const [laptop, server, lamp] = all as [WorldDevice, WorldDevice, WorldDevice]
  const control = laptop.control()
  const bytes = new SeededRandom(3).bytes(100_000)
  await put(laptop, dataset, 'one', bytes)
  await vi.waitFor(async () => expect(await statusOf(laptop, dataset)).toMatchObject({ unsafeVersions: 0 }), PATIENT)
  expect((await statusOf(laptop, dataset)).policy).toEqual({ copies: 1, on: [] })

  expect(await control.setDatasetPolicy({ dataset, copies: 3, on: [] })).toEqual({ copies: 3, on: [], unmet: { why: 'too-few', has: 2 } })
  expect(await statusOf(laptop, dataset)).toMatchObject({ unsafeVersions: 1, unsafeBytes: bytes.length })
  for (const device of all)
    await vi.waitFor(async () => expect((await statusOf(device, dataset)).policy).toMatchObject({ copies: 3, unmet: { has: 2 } }), PATIENT)

  // Set on another device: two are there, and both sign anew for what they have.
  expect(await lamp.control().setDatasetPolicy({ dataset, copies: 2, on: [] })).toEqual({ copies: 2, on: [] })
  await vi.waitFor(async () => {
    expect(await statusOf(laptop, dataset)).toMatchObject({ unsafeVersions: 0, policy: { copies: 2 } })
  }, PATIENT)

  const row = (await control.listDevices({})).find(({ name }) => name === 'server')
  const named = { device: row?.deviceId as string, name: 'server' }
  expect(await control.setDatasetPolicy({ dataset, copies: 1, on: [named.device] })).toEqual({ copies: 1, on: [named] })
  await put(lamp, dataset, 'two', bytes)
  await vi.waitFor(async () => {
    expect(await statusOf(server, dataset)).toMatchObject({ pinned: { files: 2, missingFiles: 0 }, policy: { on: [named] } })
    for (const device of [laptop, lamp]) expect(await statusOf(device, dataset)).toMatchObject({ unsafeVersions: 0, pinned: { files: 0 } })
  }, PATIENT)
  const held = await server.control().listDatasetFolder({ dataset, node: DATASET_ROOT, from: 0, limit: 10 })
  expect(held.entries.map(({ name, place, pinned }) => [name, place, pinned])).toEqual([
    ['one', 'here', 'above'],
    ['two', 'here', 'above'],
  ])

  const stranger = control.setDatasetPolicy({ dataset, copies: 1, on: ['nobody'] })
  await expect(stranger).rejects.toMatchObject({ code: 'policy/unknown-device' })
  server.stop()
  await vi.waitFor(async () => {
    expect((await statusOf(laptop, dataset)).policy).toEqual({ copies: 1, on: [named], unmet: { why: 'away', devices: [named] } })
  }, PATIENT)
  await put(laptop, dataset, 'three', bytes)
  expect(await statusOf(laptop, dataset)).toMatchObject({ unsafeVersions: 1 })
  expect((await control.checkDataset({ dataset })).problems).toEqual([])
  // What was read of it before goes on being in force after a lock.
  await lamp.control().lockDevice({})
  await lamp.control().unlockDevice({ passphrase: PASSPHRASE })
  await vi.waitFor(async () => expect((await statusOf(lamp, dataset)).policy.on).toEqual([named]), PATIENT)
  expect(all.flatMap(({ errors }) => errors)).toEqual([])
})

it('[RP8] what a limit cuts short says so; a device that may keep all it has room for ends with nothing missing', async () => {
  const { all, dataset } = await devices(['laptop', 'server'], 1_000_000) // a tenth of it holds two of the six
  const [laptop, server] = all as [WorldDevice, WorldDevice]
  const random = new SeededRandom(8)
  for (let n = 0; n < 6; n++) await put(laptop, dataset, `file ${n}`, random.bytes(40_000))
  const control = server.control()
  await vi.waitFor(async () => expect((await statusOf(server, dataset)).nodes).toBe(6), PATIENT)
  await control.pinDatasetNode({ dataset, node: DATASET_ROOT, isPinned: true })
  await vi.waitFor(async () => {
    const { isCutShort, limitBytes, pinned, cachedBytes } = await statusOf(server, dataset)
    expect({ isCutShort, limitBytes, files: pinned.files }).toEqual({ isCutShort: true, limitBytes: 100_000, files: 6 })
    expect(pinned.missingFiles).toBeGreaterThan(0)
    expect(cachedBytes).toBeLessThanOrEqual(100_000)
  }, PATIENT)
  await control.writeSettings({ cacheLimit: { kind: 'share', percent: 15 } })
  await vi.waitFor(async () => expect((await statusOf(server, dataset)).limitBytes).toBe(150_000), PATIENT)
  await control.writeSettings({ cacheLimit: { kind: 'all' } })
  await vi.waitFor(async () => {
    expect(await statusOf(server, dataset)).toMatchObject({ isCutShort: false, limitBytes: 900_000, pinned: { files: 6, missingFiles: 0 } })
  }, PATIENT)
  server.stop()
  await server.start()
  await server.control().unlockDevice({ passphrase: PASSPHRASE })
  await vi.waitFor(async () => expect((await statusOf(server, dataset)).limitBytes).toBe(900_000), PATIENT)
  expect(all.flatMap(({ errors }) => errors)).toEqual([])
})

it('[RP8] all datasets of a device share its limit: one that needs room gets it from what others have elsewhere, too', async () => {
  const { all, dataset: home } = await devices(['laptop', 'server'], 2_000_000) // a tenth of it: 200,000
  const [laptop, server] = all as [WorldDevice, WorldDevice]
  const random = new SeededRandom(9)
  for (let n = 0; n < 5; n++) await put(server, home, `file ${n}`, random.bytes(30_000))
  await vi.waitFor(async () => {
    expect(await statusOf(server, home)).toMatchObject({ unsafeVersions: 0, cachedBytes: expect.any(Number) })
    expect((await statusOf(laptop, home)).cachedBytes).toBeGreaterThan(150_000)
  }, PATIENT)
  server.stop() // what was just written stays for a while
  await server.start()
  await server.control().unlockDevice({ passphrase: PASSPHRASE })
  const { dataset: second } = await laptop.control().makeDataset({ name: 'Second' })
  await vi.waitFor(async () => expect((await server.control().listDatasets({})).map(({ name }) => name)).toContain('Second'), PATIENT)
  for (let n = 0; n < 4; n++) await put(laptop, second, `file ${n}`, random.bytes(30_000))
  await vi.waitFor(async () => expect((await statusOf(server, second)).nodes).toBe(4), PATIENT)
  await server.control().pinDatasetNode({ dataset: second, node: DATASET_ROOT, isPinned: true })
  await vi.waitFor(async () => {
    const [first, other] = await Promise.all([home, second].map((dataset) => statusOf(server, dataset)))
    expect(other).toMatchObject({ isCutShort: false, limitBytes: 200_000, pinned: { files: 4, missingFiles: 0 } })
    expect((first?.cachedBytes ?? 0) + (other?.cachedBytes ?? 0)).toBeLessThanOrEqual(200_000)
  }, PATIENT)
  expect(all.flatMap(({ errors }) => errors)).toEqual([])
})
