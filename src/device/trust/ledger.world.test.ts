import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { DeviceWorld, type WorldDevice } from '../../testkit/device-world.ts'
import { linked, LONG_WAIT, pair } from '../../testkit/paired-devices.ts'

let world: DeviceWorld
let laptop: WorldDevice
let server: WorldDevice

beforeEach(async () => {
  world = new DeviceWorld()
  laptop = await world.install('laptop')
  server = await world.install('server')
  for (const device of [laptop, server]) await device.setUp()
  await pair(laptop, server)
  await linked(laptop, server)
})
afterEach(() => {
  expect([...laptop.errors, ...server.errors]).toEqual([])
  world.dispose()
})

const kindsOf = async (device: WorldDevice) => (await device.control().listLedger({})).rows.map(({ kind }) => kind).reverse()

it('[DV60] pairing, links, grants and removals are in the ledger of each device that saw them, and it verifies', async () => {
  const control = laptop.control()
  const rows = await control.listDevices({})
  const other = rows.find(({ self }) => !self) as (typeof rows)[number]
  await control.addGrant({ grant: { device: other.deviceId, target: { kind: 'shell' }, abilities: ['shell'], mayDelegate: false } })
  const granted = (await control.listGrants({})).grants[0] as { id: string }
  await control.revokeGrant({ id: granted.id })
  await vi.waitFor(async () => expect(await kindsOf(server)).toEqual(expect.arrayContaining(['granted', 'revoked'])), LONG_WAIT)
  await control.removeDevice({ deviceId: other.deviceId })
  await vi.waitFor(async () => expect(await kindsOf(laptop)).toContain('unlinked'), LONG_WAIT)
  const kinds = await kindsOf(laptop)
  expect(kinds[0]).toBe('began')
  expect(kinds).toEqual(expect.arrayContaining(['device-added', 'linked', 'granted', 'revoked', 'device-removed', 'unlinked']))
  const { rows: entries, count } = await control.listLedger({})
  expect(entries.map(({ sentence }) => sentence)).toContain('Linked with server')
  expect(await control.verifyLedger({})).toEqual({ count, anchors: 0 })
})

it('[DV60] what was changed in the store is found, with a receipt also what the device itself wrote anew', async () => {
  const control = laptop.control()
  const receipt = await control.ledgerReceipt({})
  const { path } = await control.proveLedger({ seq: 0 })
  expect(path.length).toBeGreaterThan(0)
  expect((await control.verifyLedger({ receipt })).finding).toBeUndefined()
  await expect(server.control().verifyLedger({ receipt })).rejects.toMatchObject({ code: 'ledger/foreign' })
  await expect(control.verifyLedger({ receipt: { ...receipt, count: 1 } })).rejects.toMatchObject({ code: 'ledger/malformed' })
  const kept = laptop.ledger.records.get(1) as Uint8Array
  laptop.ledger.records.set(1, kept.with(80, 0))
  expect((await control.verifyLedger({})).finding).toEqual({ fault: 'edited', at: 1 })
  laptop.ledger.records.set(1, kept)
  laptop.ledger.records.delete(2)
  expect((await control.verifyLedger({})).finding).toEqual({ fault: 'broken', at: 2 })
})

it('[DV60] the ledger outlives joining another person: it is the device’s', async () => {
  const kinds = await kindsOf(server)
  expect(kinds.filter((kind) => kind === 'began')).toHaveLength(1)
  expect(await server.control().verifyLedger({})).toMatchObject({ count: kinds.length })
})
