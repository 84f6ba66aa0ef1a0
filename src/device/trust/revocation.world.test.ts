import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { utf8 } from '../../base/bytes.ts'
import { silentLogger } from '../../base/logger.ts'
import { systemRandom } from '../../base/random.ts'
import { Vault } from '../../identity/vault.ts'
import { DAY_MS, workspaceMeeting } from '../../sync/meeting-keys.ts'
import type { RendezvousClient } from '../../sync/rendezvous-client.ts'
import { RendezvousPool } from '../../sync/rendezvous-pool.ts'
import { SealedTopic } from '../../sync/sealed-topic.ts'
import { keepBusy } from '../../testkit/busy-intruder.ts'
import { DeviceWorld, PASSPHRASE, type WorldDevice } from '../../testkit/device-world.ts'
import { linked, LONG_WAIT, pair } from '../../testkit/paired-devices.ts'

let world: DeviceWorld
let laptop: WorldDevice
let server: WorldDevice
let phone: WorldDevice
beforeEach(async () => {
  world = new DeviceWorld()
  laptop = await world.install('laptop')
  server = await world.install('server')
  phone = await world.install('phone')
  await laptop.setUp()
  await server.setUp()
  await phone.setUp()
  await pair(laptop, server)
  await pair(laptop, phone)
  await linked(laptop, server, phone)
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
const idOf = async (device: WorldDevice, name: string) =>
  (await device.control().listDevices({})).find((row) => row.name === name)?.deviceId as string
const remove = async (by: WorldDevice, name: string) => by.control().removeDevice({ deviceId: await idOf(by, name) })
const names = async (device: WorldDevice) => (await device.control().listDevices({})).map(({ name }) => name).sort()
const epochOf = async (device: WorldDevice) => Number((await device.control().readDebug({})).text.match(/epoch +(\d+)/)?.[1])
const open = (device: WorldDevice) => device.control().unlockDevice({ passphrase: PASSPHRASE })

async function workspaceOf(device: WorldDevice) {
  const display = device.connect(`another of ${device.name}`)
  await display.hello({ displayName: device.name })
  await display.unlock({ passphrase: PASSPHRASE, how: 'beside' })
  const { channel: id, clientId } = await display.attachDocument({ doc: 'workspace' })
  const doc = new Y.Doc()
  doc.clientID = clientId
  const channel = display.channel(id)
  channel.onDidReceive((message) => (message[0] as number) < 2 && Y.applyUpdate(doc, message.subarray(1), 'device'))
  doc.on('update', (update: Uint8Array, origin: unknown) => origin === 'device' || channel.send(Uint8Array.from([1, ...update])))
  return doc
}

describe('removing a device', () => {
  it('[DV40] [ID72] one that is linked is cut off, locks and says so; the others go on under new keys, linked all the time', async () => {
    const there = await phone.control().openTerminal({ device: await idOf(phone, 'phone'), columns: 80, rows: 24 })
    const display = laptop.connect()
    await display.hello({ displayName: 'desk' })
    await display.unlock({ passphrase: PASSPHRASE, how: 'beside' })
    const device = await idOf(laptop, 'phone')
    const { channel } = await display.attachTerminal({ device, terminalId: there.terminalId, columns: 80, rows: 24 })
    const ended = vi.fn()
    display.channel(channel).onDidClose(ended)
    await display.removeDevice({ deviceId: device })
    await vi.waitFor(() => expect(ended).toHaveBeenCalled(), LONG_WAIT)
    await vi.waitFor(async () => expect((await phone.control().status({})).phase).toBe('sealed'), LONG_WAIT)
    const door = await phone.connect().hello({ displayName: 'x' })
    expect(JSON.stringify(door)).toContain('was removed from your devices by laptop')
    expect(door).toMatchObject({ sealedBecause: 'removed', stopped: expect.arrayContaining(['Programs in terminals go on.']) })
    await vi.waitFor(async () => expect([await epochOf(laptop), await epochOf(server)]).toEqual([1, 1]), LONG_WAIT)
    const [here, far] = [await workspaceOf(laptop), await workspaceOf(server)]
    here.getMap('test').set('said', 'after')
    await vi.waitFor(() => expect(far.getMap('test').toJSON()).toEqual({ said: 'after' }), LONG_WAIT)
    expect(await names(server)).toEqual(['laptop', 'server'])
  })

  it.each(['laptop', 'server'] as const)(
    '[DV40] one in the middle of a terminal, a job and a transfer is cut off from all three, removed by %s',
    async (by) => {
      const ids = { laptop: await idOf(laptop, 'laptop') }
      const busy = await keepBusy(phone, laptop, ids)
      await remove(by === 'laptop' ? laptop : server, 'phone')
      await Promise.all([busy.ended.terminal, busy.ended.job, busy.ended.transfer])
      expect(await busy.letFileGo()).toBe('refused')
    },
    120_000,
  )

  it('[DV40] it stays out when it is opened again, also after a restart, and keeps what it had', async () => {
    await remove(laptop, 'phone')
    await vi.waitFor(async () => expect((await phone.control().status({})).phase).toBe('sealed'), LONG_WAIT)
    await open(phone)
    phone.stop()
    await phone.start()
    await open(phone)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect((await phone.control().status({})).links).toBe(0)
    expect((await laptop.control().status({})).links).toBe(1)
    expect(await codeOf(phone.control().renameDevice({ deviceId: await idOf(phone, 'server'), name: 'mine' }))).not.toBe('no error')
    expect(await names(server)).toEqual(['laptop', 'server'])
  })

  it('[DV41] [SY69] a device that was away meets the others at their new place, with all keys, and hears who was removed', async () => {
    server.stop()
    await remove(laptop, 'phone')
    await vi.waitFor(async () => expect(await epochOf(laptop)).toBe(1))
    const here = await workspaceOf(laptop)
    here.getMap('test').set('said', 'while away')
    await server.start()
    await open(server)
    await linked(laptop, server)
    expect(await names(server)).toEqual(['laptop', 'server'])
    await vi.waitFor(async () => expect(await epochOf(server)).toBe(1), LONG_WAIT)
    const far = await workspaceOf(server)
    await vi.waitFor(() => expect(far.getMap('test').toJSON()).toEqual({ said: 'while away' }), LONG_WAIT)
    server.stop()
    await server.start()
    await open(server)
    await linked(laptop, server)
  })

  it('[DV41] [SY69] one that was removed while it was away finds nobody, and is told nothing', async () => {
    phone.stop()
    await remove(laptop, 'phone')
    await vi.waitFor(async () => expect([await epochOf(laptop), await epochOf(server)]).toEqual([1, 1]), LONG_WAIT)
    await phone.start()
    await open(phone)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect([(await phone.control().status({})).links, (await phone.control().status({})).phase]).toEqual([0, 'open'])
    expect((await phone.control().listDevices({})).map(({ state }) => state).filter((state) => state === 'linked')).toEqual([])
    expect((await laptop.control().status({})).links).toBe(1)
  })

  it('[SY69] [SY72] who waits where it was removed from says no name there, not even the one that the root itself let in', async () => {
    server.stop() // so that it is waited for
    const vault = await Vault.load({ crypto: world.crypto, store: phone.vaultStore, clock: world.clock })
    await vault.unlock('thief', utf8(PASSPHRASE))
    const secret = vault.keys.datasetKeys.rendezvousSecret.slice()
    vault.dispose()
    phone.stop()
    await remove(laptop, 'phone')
    await vi.waitFor(async () => expect(await epochOf(laptop)).toBe(1), LONG_WAIT)
    const parts = { clock: world.clock, random: systemRandom, logger: silentLogger }
    const pool = world.owned.add(new RendezvousPool({ ...parts, openSocket: () => world.openSocket() }))
    pool.use('ws://rendezvous.test:1/')
    const heard: string[] = []
    const day = Math.floor(world.clock.nowMs() / DAY_MS)
    const topic = new SealedTopic(pool.clients[0] as RendezvousClient, workspaceMeeting(secret, day), systemRandom)
    topic.onDidReceive(({ text }) => heard.push(JSON.parse(text).kind))
    const asked = { kind: 'here', from: vault.label?.deviceId, isAnswer: false }
    topic.onDidJoin(() => topic.send(JSON.stringify(asked)))
    await new Promise((resolve) => setTimeout(resolve, 300))
    laptop.stop() // and says who it is anew when it comes back
    await laptop.start()
    await open(laptop)
    await vi.waitFor(() => expect(heard).toContain('moved'), LONG_WAIT)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(new Set(heard)).toEqual(new Set(['moved']))
    await server.start()
  })

  it('[DV40] paired anew it belongs again, and reads what was written meanwhile', async () => {
    await remove(laptop, 'phone')
    await vi.waitFor(async () => expect((await phone.control().status({})).phase).toBe('sealed'), LONG_WAIT)
    const here = await workspaceOf(laptop)
    here.getMap('test').set('said', 'without the phone')
    await open(phone)
    await pair(laptop, phone)
    expect(await names(phone)).toEqual(['laptop', 'phone', 'server'])
    const far = await workspaceOf(phone)
    await vi.waitFor(() => expect(far.getMap('test').toJSON()).toEqual({ said: 'without the phone' }), LONG_WAIT)
  })
})

describe('admins against each other', () => {
  it('[ID57] [ID58] two outrank the senior whom they remove, whatever it removes meanwhile; it is met by nobody any more', async () => {
    const removalOf = async (asked: WorldDevice, name: string) =>
      (await asked.control().listDevices({})).find((row) => row.name === name)?.removal
    expect(await removalOf(server, 'laptop')).toMatchObject({
      outcome: 'asked',
      byRoot: false,
      alone: [],
      together: { asked: [], missing: 2 },
    })
    laptop.stop()
    expect(await codeOf(remove(server, 'laptop'))).toBe('devices/needs-second')
    await vi.waitFor(async () => {
      expect(await removalOf(phone, 'laptop')).toMatchObject({ outcome: 'removed', together: { asked: ['server'], missing: 1 } })
    }, LONG_WAIT)
    await remove(phone, 'laptop')
    await vi.waitFor(async () => expect([await names(server), await epochOf(server)]).toEqual([['phone', 'server'], 1]), LONG_WAIT)
    server.stop()
    phone.stop()
    await laptop.start()
    await open(laptop)
    await remove(laptop, 'server')
    expect(await names(laptop)).toEqual(['laptop', 'phone'])
    for (const device of [server, phone]) {
      await device.start()
      await open(device)
    }
    await linked(server, phone)
    expect([await names(server), await names(phone)]).toEqual([
      ['phone', 'server'],
      ['phone', 'server'],
    ])
    expect((await laptop.control().status({})).links).toBe(0)
  })
})

describe('what a removed device did', () => {
  const shown = (doc: Y.Doc) => doc.getText('test').toString()
  const changed = (doc: Y.Doc, change: (doc: Y.Doc) => void) => doc.transact(() => change(doc))

  it('[DV43] [SY48] where it had been taken in after its removal, elsewhere, it is taken out: all end equal', async () => {
    const [there, far] = [await workspaceOf(phone), await workspaceOf(server)]
    changed(there, (doc) => doc.getText('test').insert(0, 'mine'))
    await vi.waitFor(() => expect(shown(far)).toBe('mine'), LONG_WAIT)
    await vi.waitFor(async () => expect(shown(await workspaceOf(laptop))).toBe('mine'), LONG_WAIT)
    laptop.stop()
    changed(there, (doc) => doc.getText('test').delete(0, 4))
    changed(there, (doc) => doc.getText('test').insert(0, 'BAD'))
    await vi.waitFor(() => expect(shown(far)).toBe('BAD'), LONG_WAIT)
    phone.stop()
    server.stop()
    await laptop.start()
    await open(laptop)
    await remove(laptop, 'phone') // has not seen what it did
    await server.start()
    await open(server)
    await linked(laptop, server)
    for (const device of [server, laptop]) await vi.waitFor(async () => expect(shown(await workspaceOf(device))).toBe('mine'), LONG_WAIT)
  })

  it('[DV43] undo-since says first what it would take out, then does, on every device, and cuts the device off', async () => {
    const [there, far] = [await workspaceOf(phone), await workspaceOf(server)]
    changed(there, (doc) => doc.getText('test').insert(0, 'mine'))
    await vi.waitFor(() => expect(shown(far)).toBe('mine'), LONG_WAIT)
    await vi.waitFor(async () => expect(shown(await workspaceOf(laptop))).toBe('mine'), LONG_WAIT)
    await new Promise((resolve) => setTimeout(resolve, 20))
    const sinceMs = Date.now()
    await new Promise((resolve) => setTimeout(resolve, 20))
    changed(there, (doc) => doc.getText('test').delete(0, 4))
    changed(there, (doc) => doc.getText('test').insert(0, 'BAD'))
    await vi.waitFor(() => expect(shown(far)).toBe('BAD'), LONG_WAIT)
    await vi.waitFor(async () => expect(shown(await workspaceOf(laptop))).toBe('BAD'), LONG_WAIT)
    const deviceId = await idOf(laptop, 'phone')
    const { documents } = await laptop.control().undoDeviceSince({ deviceId, sinceMs, dryRun: true })
    expect(documents.find(({ doc }) => doc === 'workspace')?.changes).toBeGreaterThan(0)
    expect([shown(await workspaceOf(laptop)), await names(laptop)]).toEqual(['BAD', ['laptop', 'phone', 'server']])
    await laptop.control().undoDeviceSince({ deviceId, sinceMs, dryRun: false })
    for (const device of [laptop, server]) await vi.waitFor(async () => expect(shown(await workspaceOf(device))).toBe('mine'), LONG_WAIT)
    expect([await names(laptop), await names(server)]).toEqual([
      ['laptop', 'server'],
      ['laptop', 'server'],
    ])
    await vi.waitFor(async () => expect((await phone.control().status({})).phase).toBe('sealed'), LONG_WAIT)
  })
})
