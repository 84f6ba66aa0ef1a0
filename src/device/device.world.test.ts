import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import type { DoorState } from './desk/desk-contract.ts'
import { firstContent } from '../session/first-content.ts'
import { WorkspaceDoc } from '../session/workspace-doc.ts'
import { DeviceWorld, PASSPHRASE, type WorldDevice } from '../testkit/device-world.ts'

let world: DeviceWorld
let laptop: WorldDevice
beforeEach(async () => {
  world = new DeviceWorld()
  laptop = await world.install('laptop')
})
afterEach(() => {
  expect(laptop.errors).toEqual([])
  world.dispose()
})

type Display = ReturnType<WorldDevice['connect']>
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error) => error.code,
  )
const settled = () => new Promise((resolve) => setTimeout(resolve, 0))

/** A document as a display holds it. */
async function attach(display: Display, name = 'workspace') {
  const { channel: id, clientId } = await display.attachDocument({ doc: name })
  const doc = new Y.Doc()
  doc.clientID = clientId
  const channel = display.channel(id)
  const kinds: number[] = []
  const closed: string[] = []
  channel.onDidReceive((message) => {
    kinds.push(message[0] as number)
    if ((message[0] as number) < 2) Y.applyUpdate(doc, message.subarray(1), 'device')
  })
  channel.onDidClose(({ reason }) => closed.push(reason))
  doc.on('update', (update: Uint8Array, origin: unknown) => origin === 'device' || channel.send(Uint8Array.from([1, ...update])))
  await settled()
  return { doc, channel, clientId, kinds, closed }
}

describe('the door', () => {
  it('[DV10] shows a locked display the door and nothing of the desk', async () => {
    const display = laptop.connect()
    expect(await display.hello({ displayName: 'kitchen' })).toMatchObject({ phase: 'first-run', deviceName: 'laptop' })
    expect(await codeOf(display.attachDocument({ doc: 'workspace' }))).toBe('rpc/refused')
    expect(await codeOf(display.listDevices({}))).toBe('rpc/refused')
    const heard: unknown[] = []
    display.onDidChangeSeat((seat) => heard.push(seat))
    await laptop.setUp()
    await settled()
    expect(heard).toEqual([])
    expect((await display.hello({ displayName: 'kitchen' })).phase).toBe('display-locked')
  })

  it('[DV11] first run makes the vault once, and unlocks the display that made it', async () => {
    const display = await laptop.setUp('desk')
    expect(await display.hello({ displayName: 'desk' })).toMatchObject({
      phase: 'unlocked',
      personName: 'Ada',
      seat: { displayName: 'desk', how: 'move', counter: 1, unconfirmed: [] },
    })
    const again = { personName: 'B', deviceName: 'b', passphrase: PASSPHRASE, unattended: false }
    expect(await codeOf(laptop.connect().createVault(again))).toBe('vault/exists')
    expect(laptop.device.label).toMatch(/^[1-9a-z]{12}$/)
  })

  it('[DV12] a wrong passphrase opens nothing; after a restart the right one opens vault, desk and display', async () => {
    const first = await attach(await laptop.setUp())
    first.doc.getMap('test').set('kept', true)
    await settled()
    laptop.stop()
    await laptop.start()
    const display = laptop.connect()
    expect((await display.hello({ displayName: 'd' })).phase).toBe('sealed')
    expect(await codeOf(display.unlock({ passphrase: 'wrong wrong', how: 'move' }))).toBe('vault/wrong-passphrase')
    expect(await codeOf(display.attachDocument({ doc: 'workspace' }))).toBe('rpc/refused')
    // how long a wrong try slows the next one down: the vault's own tests, on their own clock
    const right = () => display.unlock({ passphrase: PASSPHRASE, how: 'move' })
    expect((await vi.waitFor(right, { timeout: 10_000, interval: 100 })).phase).toBe('unlocked')
    expect((await attach(display)).doc.getMap('test').toJSON()).toEqual({ kept: true })
  })

  it('[DV13] an unattended device opens its desk by itself, and no display', async () => {
    const control = laptop.control()
    await control.createDevice({ personName: 'Ada', deviceName: 'server', passphrase: PASSPHRASE, unattended: true })
    expect(await control.status({})).toMatchObject({ phase: 'open', displays: [] })
    laptop.stop()
    await laptop.start()
    expect((await laptop.control().status({})).phase).toBe('open')
    const display = laptop.connect()
    expect((await display.hello({ displayName: 'd' })).phase).toBe('display-locked')
    expect(await codeOf(display.listDevices({}))).toBe('rpc/refused')
  })
})

describe('two locks', () => {
  it('[DV16] what a display calls itself is shown without control and direction characters, also to peers', async () => {
    const display = laptop.connect()
    await display.hello({ displayName: '\u202ekit\nchen\u001b[31m' })
    await display.createVault({ personName: 'Ada', deviceName: 'laptop', passphrase: PASSPHRASE, unattended: false })
    await vi.waitFor(async () => expect((await display.hello({ displayName: '\n' })).seat?.displayName).toBe('kitchen[31m'))
    expect((await laptop.control().status({})).displays.map(({ name }) => name)).toEqual(['a display'])
  })

  it('[DV14] a display lock closes what the display holds and leaves the device as it was', async () => {
    const display = await laptop.setUp()
    const { closed } = await attach(display)
    expect((await display.lockDisplay({})).phase).toBe('display-locked')
    await settled()
    expect(closed).toHaveLength(1)
    expect(await codeOf(display.attachDocument({ doc: 'workspace' }))).toBe('rpc/refused')
    expect((await laptop.control().status({})).phase).toBe('open')
  })

  it('[DV15] a device lock locks every display, wipes the keys and says what it stopped', async () => {
    const display = await laptop.setUp()
    const other = laptop.connect('other')
    await other.unlock({ passphrase: PASSPHRASE, how: 'beside' })
    const doors: DoorState[] = []
    other.onDidChangeDoor((door) => doors.push(door))
    expect((await display.lockDevice({})).stopped.join(' ')).toContain('terminals go on')
    await settled()
    expect(doors.at(-1)?.phase).toBe('sealed')
    expect((await laptop.control().status({})).phase).toBe('sealed')
    expect(await codeOf(laptop.control().listDevices({}))).toBe('device/locked')
  })
})

describe('why a device is locked', () => {
  const door = async () => laptop.connect().hello({ displayName: 'd' })

  it('[DV79] says that it started, or that somebody asked and what that stopped', async () => {
    const display = await laptop.setUp()
    expect(await display.hello({ displayName: 'd' })).not.toHaveProperty('sealedBecause')
    const { stopped } = await display.lockDevice({})
    expect(await door()).toMatchObject({ phase: 'sealed', sealedBecause: 'asked', stopped })
    expect(stopped.length).toBeGreaterThan(1)
    await laptop.connect().unlock({ passphrase: PASSPHRASE, how: 'move' })
    expect(await door()).not.toHaveProperty('stopped')
    laptop.stop()
    await laptop.start()
    expect(await door()).toMatchObject({ phase: 'sealed', sealedBecause: 'started', stopped: [] })
  })

  it('[DV79] locks when the machine wakes, where that is set, and says so', async () => {
    const display = await laptop.setUp()
    laptop.wake()
    expect((await door()).phase).toBe('display-locked') // not by itself
    await display.writeSettings({ lockAfterSleep: true })
    laptop.wake()
    await settled()
    expect(await door()).toMatchObject({ phase: 'sealed', sealedBecause: 'slept' })
    expect((await door()).stopped?.join(' ')).toContain('terminals go on')
    expect(await codeOf(display.readSettings({}))).toBe('rpc/refused')
    laptop.wake() // locked already: stays as it is
    expect((await laptop.connect().unlock({ passphrase: PASSPHRASE, how: 'move' })).phase).toBe('unlocked')
  })
})

describe('the seat on one device', () => {
  it('[DV16] move locks the other displays, says where the desk went, and ends their connection', async () => {
    const first = await laptop.setUp('first')
    const doors: DoorState[] = []
    const closed = vi.fn()
    first.onDidChangeDoor((door) => doors.push(door))
    first.onDidClose(closed)
    const second = laptop.connect('other browser')
    await second.hello({ displayName: 'second' })
    await second.unlock({ passphrase: PASSPHRASE, how: 'move' })
    await settled()
    expect(doors.at(-1)).toMatchObject({ phase: 'display-locked', handedOverTo: 'second', seat: { displayName: 'second' } })
    await vi.waitFor(() => expect(closed).toHaveBeenCalledWith({ reason: 'door/handed-over' }))
    const back = laptop.connect()
    expect(await back.hello({ displayName: 'first' })).toMatchObject({ phase: 'display-locked', handedOverTo: 'second' })
  })

  it('[DV16] beside locks nothing', async () => {
    const first = await laptop.setUp('first')
    const second = laptop.connect('other browser')
    await second.unlock({ passphrase: PASSPHRASE, how: 'beside' })
    await settled()
    expect((await first.hello({ displayName: 'first' })).phase).toBe('unlocked')
    const [a, b] = [await attach(first), await attach(second)]
    a.doc.getMap('test').set('from', 'first')
    await settled()
    expect(b.doc.getMap('test').toJSON()).toEqual({ from: 'first' })
  })

  it('[DV16] nothing is asked unless something is open to be answered', async () => {
    const display = await laptop.setUp()
    expect(await codeOf(display.answerSeatQuestion({ answer: 'stay' }))).toBe('seat/not-asked')
  })
})

describe('documents', () => {
  it('[DV17] hands out the whole document, then changes of others, and keeps the order state first', async () => {
    const display = await laptop.setUp()
    const { doc, kinds } = await attach(display)
    const expected = new Y.Doc()
    Y.applyUpdate(expected, firstContent())
    expect(new WorkspaceDoc(doc).state.activities).toEqual(new WorkspaceDoc(expected).state.activities)
    expect(kinds[0]).toBe(0)
  })

  it('[DV17] a change under a client id that was not given closes that channel alone and changes nothing', async () => {
    const display = await laptop.setUp()
    const honest = await attach(display)
    const liar = await attach(display)
    liar.doc.clientID = 12345
    liar.doc.getMap('test').set('spoofed', true)
    await settled()
    expect(liar.closed).toEqual(['sync/foreign-client'])
    expect(honest.closed).toEqual([])
    honest.doc.getMap('test').set('honest', true)
    await settled()
    expect((await attach(display)).doc.getMap('test').toJSON()).toEqual({ honest: true })
  })

  it('[DV17] a display that was cut off may flush what it changed under its earlier id', async () => {
    const display = await laptop.setUp()
    const before = await attach(display)
    const offline = new Y.Doc()
    Y.applyUpdate(offline, Y.encodeStateAsUpdate(before.doc))
    offline.clientID = before.clientId
    before.channel.dispose()
    await settled()
    const sent: Uint8Array[] = []
    offline.on('update', (update: Uint8Array) => sent.push(update))
    offline.getMap('test').set('typed', 'offline')
    const after = await attach(display)
    after.channel.send(Uint8Array.from([1, ...(sent[0] as Uint8Array)]))
    await settled()
    expect(after.closed).toEqual([])
    expect((await attach(display)).doc.getMap('test').toJSON()).toEqual({ typed: 'offline' })
  })

  it('[DV17] texts are documents of their own and can be dropped; other names are refused', async () => {
    const display = await laptop.setUp()
    const text = await attach(display, 'text/abc')
    text.doc.getText('text').insert(0, 'hello')
    await settled()
    await display.dropText({ doc: 'text/abc' })
    await settled()
    expect(await codeOf(display.attachDocument({ doc: 'text/abc' }))).toBe('sync/dropped')
    expect(await codeOf(display.dropText({ doc: 'workspace' }))).toBe('sync/wrong-doc')
    for (const doc of ['', '../x', 'text/../x', 'other']) expect(await codeOf(display.attachDocument({ doc }))).toBe('document/bad-name')
  })
})

describe('settings', () => {
  it('[DV18] are kept, checked, and rename the device everywhere', async () => {
    const display = await laptop.setUp()
    expect(await display.writeSettings({ deviceName: 'study', autoLockMinutes: 5 })).toMatchObject({
      deviceName: 'study',
      autoLockMinutes: 5,
    })
    expect((await display.listDevices({}))[0]?.name).toBe('study')
    expect((await display.hello({ displayName: 'd' })).deviceName).toBe('study')
    expect(await codeOf(display.writeSettings({ rendezvousUrls: ['http://x'] }))).toBe('settings/invalid')
    laptop.stop()
    await laptop.start()
    expect((await laptop.connect().hello({ displayName: 'd' })).deviceName).toBe('study')
  })

  it('[DV18] unattended is the vault’s business: what is shown is what is so', async () => {
    const display = await laptop.setUp()
    await display.writeSettings({ unattended: true })
    expect(laptop.vaultStore.files.has('unattended')).toBe(true)
    expect((await display.writeSettings({ unattended: false })).unattended).toBe(false)
    expect(laptop.vaultStore.files.has('unattended')).toBe(false)
  })
})

describe('terminals and files of this device', () => {
  it('[DV19] go through the host and files processes', async () => {
    const display = await laptop.setUp()
    const device = (await display.listDevices({}))[0]?.deviceId as string
    const terminal = await display.openTerminal({ device, columns: 80, rows: 24 })
    expect(terminal).toMatchObject({ device, pid: 4242 })
    const { channel: id } = await display.attachTerminal({ device, terminalId: terminal.terminalId, columns: 80, rows: 24 })
    let shown = ''
    const channel = display.channel(id)
    channel.onDidReceive((message) => (shown += new TextDecoder().decode(message.subarray(1))))
    await settled()
    channel.send(Uint8Array.from([1, ...new TextEncoder().encode('ls\r')]))
    laptop.spawner.ptys[0]?.print('a-file\r\n')
    await vi.waitFor(() => expect(shown).toContain('a-file'))
    expect(laptop.spawner.ptys[0]?.written.join('')).toContain('ls\r')

    const place = { device, path: '/home/test/a.txt' }
    const { version } = await display.writeText({ ...place, text: 'one', expectedVersion: null })
    expect(await display.readText(place)).toMatchObject({ text: 'one', version })
    expect(await codeOf(display.writeText({ ...place, text: 'two', expectedVersion: 'stale' }))).toBe('file/changed')
    expect(await codeOf(display.readText({ device: 'F'.repeat(44), path: '/x' }))).toBe('file/device-away')
  })

  it('[DV14] a locked display loses its terminals, the programs go on', async () => {
    const display = await laptop.setUp()
    const device = (await display.listDevices({}))[0]?.deviceId as string
    const terminal = await display.openTerminal({ device, columns: 80, rows: 24 })
    const { channel } = await display.attachTerminal({ device, terminalId: terminal.terminalId, columns: 80, rows: 24 })
    const closed = vi.fn()
    display.channel(channel).onDidClose(closed)
    display.channel(channel).onDidReceive(() => {})
    await display.lockDisplay({})
    await vi.waitFor(() => expect(closed).toHaveBeenCalled())
    await display.unlock({ passphrase: PASSPHRASE, how: 'move' })
    expect(await display.listTerminals({ device })).toHaveLength(1)
  })
})

it('[DV101] the passphrase of this device is changed by who knows it; the new one opens it after a restart, the old one does not', async () => {
  const display = await laptop.setUp()
  const NEXT = 'four quite random words'
  expect(await codeOf(display.changePassphrase({ passphrase: 'not this one', next: NEXT }))).toBe('vault/wrong-passphrase')
  expect(await codeOf(display.changePassphrase({ passphrase: PASSPHRASE, next: 'short' }))).toMatch(
    /^vault\/(weak-passphrase|too-many-tries)$/,
  )
  await vi.waitFor(() => display.changePassphrase({ passphrase: PASSPHRASE, next: NEXT }), { timeout: 8000, interval: 300 })
  await laptop.stop()
  await laptop.start()
  const control = laptop.control()
  expect(await codeOf(control.unlockDevice({ passphrase: PASSPHRASE }))).toBe('vault/wrong-passphrase')
  await vi.waitFor(() => control.unlockDevice({ passphrase: NEXT }), { timeout: 8000, interval: 300 })
  expect((await control.status({})).phase).toBe('open')
  const locked = laptop.connect()
  expect(await codeOf(locked.changePassphrase({ passphrase: NEXT, next: PASSPHRASE }))).toBe('rpc/refused')
})
