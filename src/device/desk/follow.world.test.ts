import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { StoreError } from '../../base/store-error.ts'
import { DATASET_ROOT } from '../../files/dataset-contract.ts'
import { appState, ELSEWHERE } from '../../session/app-state.ts'
import { WorkspaceDoc } from '../../session/workspace-doc.ts'
import { TextBuffer } from '../../session/text-buffer.ts'
import { DocRoom } from '../../sync/doc-room.ts'
import { DeviceWorld, PASSPHRASE, type WorldDevice } from '../../testkit/device-world.ts'
import { linked, LONG_WAIT as wait, pair, PATIENT } from '../../testkit/paired-devices.ts'
import type { DoorState } from './desk-contract.ts'

let world: DeviceWorld
let laptop: WorldDevice
let server: WorldDevice
beforeEach(async () => {
  world = new DeviceWorld()
  laptop = await world.install('laptop')
  server = await world.install('server')
})
afterEach(() => {
  expect([...laptop.errors, ...server.errors]).toEqual([])
  world.dispose()
})

type Display = ReturnType<WorldDevice['connect']>
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error) => error.code,
  )

async function attach(display: Display, name = 'workspace') {
  const { channel: id, clientId } = await display.attachDocument({ doc: name })
  const doc = new Y.Doc()
  doc.clientID = clientId
  const channel = display.channel(id)
  let loaded = false
  channel.onDidReceive((message) => {
    loaded = true
    if ((message[0] as number) < 2) Y.applyUpdate(doc, message.subarray(1), 'device')
  })
  doc.on('update', (update: Uint8Array, origin: unknown) => origin === 'device' || channel.send(Uint8Array.from([1, ...update])))
  await vi.waitFor(() => expect(loaded).toBe(true))
  return doc
}

/** A display of a paired device, unlocked; it did not exist before. */
async function unlock(device: WorldDevice, how: 'move' | 'beside', name: string) {
  const display = device.connect(name)
  await display.hello({ displayName: name })
  await display.unlock({ passphrase: PASSPHRASE, how })
  return display
}

const context = {
  newId: () => Math.random().toString(36).slice(2),
  nowMs: 0,
  displayClass: 'medium-landscape' as const,
  desk: { width: 1280, height: 800 },
}

describe('pairing', () => {
  it('[DV20] makes one list and one desk of two', async () => {
    const display = await laptop.setUp()
    await server.setUp()
    await pair(laptop, server)
    const names = async (device: WorldDevice) => (await device.control().listDevices({})).map(({ name }) => name).sort()
    expect(await names(laptop)).toEqual(['laptop', 'server'])
    expect(await names(server)).toEqual(['laptop', 'server'])
    const before = await attach(display)
    before.getMap('test').set('from', 'laptop')
    const other = await attach(await unlock(server, 'beside', 'server display'))
    await vi.waitFor(() => expect(other.getMap('test').toJSON()).toEqual({ from: 'laptop' }), wait)
  })

  it('[SY3] without the attachments of y-webrtc nothing follows, though the link is up and says hello', async () => {
    const attachments = vi.spyOn(DocRoom.prototype, 'attach').mockImplementation(() => {})
    try {
      const display = await laptop.setUp()
      await server.setUp()
      await pair(laptop, server)
      const before = await attach(display)
      before.getMap('test').set('from', 'laptop')
      const there = await unlock(server, 'beside', 'server display')
      const other = await attach(there)
      const frames = async (asked: Display) => JSON.parse((await asked.debugSnapshot({})).text.match(/frames +(\{.*\})/)?.[1] ?? '{}')
      await vi.waitFor(async () => expect((await frames(display)).hello).toBeGreaterThan(0), wait)
      expect(attachments).toHaveBeenCalled()
      for (const asked of [display, there]) {
        expect(await frames(asked)).toMatchObject({ have: 0, envelopes: 0, snapshot: 0, awareness: 0, forbidden: 0 })
      }
      expect(other.getMap('test').toJSON()).toEqual({})
    } finally {
      attachments.mockRestore()
    }
  })

  it('[DV76] after an unlock the files of windows in view are fetched, though not all is copied: they are read when the link is cut', async () => {
    server.cacheBytes = 300_000
    const display = await laptop.setUp()
    await server.setUp()
    await pair(laptop, server)
    await server.control().lockDevice({})
    const near = laptop.control()
    const dataset = (await near.listDatasets({}))[0]?.dataset as string
    // In one segment, which is more than the other device keeps: it copies none of it by itself.
    const begin = async (name: string, text: string) => {
      const { write } = await near.beginDatasetWrite({ dataset, to: { parent: DATASET_ROOT, name } })
      await near.appendDatasetWrite({ write, base64: btoa(text) })
      return write
    }
    const writes = [await begin('large', 'x'.repeat(400_000)), await begin('seen.md', 'kingfisher')]
    await Promise.all(writes.map((write) => near.commitDatasetWrite({ write })))
    const app = appState.parse({ kind: 'editor', device: ELSEWHERE, path: '/Home/seen.md', textDoc: null, version: null })
    new WorkspaceDoc(await attach(display)).dispatch({ type: 'window/open', app }, context)
    const far = server.control()
    await far.unlockDevice({ passphrase: PASSPHRASE })
    await vi.waitFor(async () => expect(await far.datasetAt({ dataset, path: '/seen.md' })).toMatchObject({ place: 'here' }), PATIENT)
    await vi.waitFor(async () => {
      expect((await far.datasetStatus({ dataset })).prefetch).toMatchObject({ state: 'idle', files: 1, doneFiles: 1 })
    }, PATIENT)
    await near.lockDevice({}) // links close: a cut
    const bytesOf = async (path: string) => {
      const { node } = await far.datasetAt({ dataset, path })
      return atob((await far.readDatasetBytes({ dataset, node, offset: 0, length: 100 })).base64)
    }
    expect(await bytesOf('/seen.md')).toBe('kingfisher')
    expect(await codeOf(bytesOf('/large'))).toBe('chunk/unavailable')
  })

  it('[DV21] the joining device brings its windows and unsaved texts as an activity named after it', async () => {
    await laptop.setUp()
    const own = await server.setUp()
    const doc = await attach(own)
    const text = await attach(own, 'text/draft1')
    new TextBuffer(text).start('not saved yet', 'markdown')
    const device = (await own.listDevices({}))[0]?.deviceId as string
    const workspace = new WorkspaceDoc(doc)
    const app = appState.parse({ kind: 'editor', device, path: null, textDoc: 'text/draft1', version: null })
    workspace.dispatch({ type: 'window/open', app }, context)
    expect(Object.keys(workspace.state.windows)).toHaveLength(2)
    await pair(laptop, server)
    expect(server.storesPutAside).toBe(1)
    const display = await unlock(laptop, 'beside', 'another')
    const joined = new WorkspaceDoc(await attach(display))
    await vi.waitFor(
      () =>
        expect(
          Object.values(joined.state.activities)
            .map(({ name }) => name)
            .sort(),
        ).toEqual(['Home', 'server']),
      wait,
    )
    const draft = await attach(display, 'text/draft1')
    await vi.waitFor(() => expect(new TextBuffer(draft).text.toString()).toBe('not saved yet'), wait)
  })

  it('[DV21] a display that was open on the joining device goes on unlocked, on the joined desk', async () => {
    await laptop.setUp()
    const own = await server.setUp('server display')
    const doors: DoorState[] = []
    own.onDidChangeDoor((door) => doors.push(door))
    await pair(laptop, server)
    expect(doors.at(-1)?.phase).toBe('display-locked')
    const back = server.connect()
    expect((await back.hello({ displayName: 'server display' })).phase).toBe('unlocked')
    expect((await back.listDevices({})).map(({ name }) => name).sort()).toEqual(['laptop', 'server'])
    expect((await server.connect().hello({ displayName: 'another tab' })).phase).toBe('display-locked')
  })

  it('[DV21] also when its page is back before the joined desk is open', async () => {
    await laptop.setUp()
    const own = await server.setUp('server display')
    const phases: string[] = []
    let isLoaded = false
    // As a page does: it loads anew as soon as it hears that it is locked, and asks at once.
    const back = new Promise<void>((resolve) =>
      own.onDidChangeDoor(({ phase }) => {
        if (phase !== 'display-locked' || isLoaded) return
        isLoaded = true
        const page = server.connect()
        page.onDidChangeDoor((door) => phases.push(door.phase))
        void page.hello({ displayName: 'server display' }).then((door) => {
          phases.push(door.phase)
          resolve()
        })
      }),
    )
    await pair(laptop, server)
    await back
    await vi.waitFor(() => expect(phases.at(-1)).toBe('unlocked'), wait)
    expect(phases[0]).toBe('display-locked')
  })

  it('[DV21] a join that cannot be written is given up: the desk that was open is open again, nothing twice', async () => {
    await laptop.setUp()
    const own = await server.setUp('server display')
    const workspace = new WorkspaceDoc(await attach(own))
    const device = (await own.listDevices({}))[0]?.deviceId as string
    workspace.dispatch({ type: 'window/open', app: appState.parse({ kind: 'files', device, path: '/home/test', view: 'list' }) }, context)
    const [a, b] = [laptop.control(), server.control()]
    const { code } = await a.offerPairing({})
    await b.joinPairing({ code: code as string })
    await vi.waitFor(async () => expect((await b.readPairing({})).step).toBe('confirm'), wait)
    await vi.waitFor(async () => expect((await a.readPairing({})).step).toBe('confirm'), wait)
    server.vaultStore.failWith = StoreError.diskFull('the vault')
    await a.confirmPairing({ accept: true })
    await b.confirmPairing({ accept: true })
    await vi.waitFor(async () => expect((await b.readPairing({})).step).toBe('failed'), wait)
    const names = Object.values(workspace.state.activities).map(({ name }) => name)
    const back = server.connect()
    await vi.waitFor(async () => expect((await back.hello({ displayName: 'server display' })).phase).toBe('unlocked'), wait)
    const again = new WorkspaceDoc(await attach(back))
    expect(Object.values(again.state.activities).map(({ name }) => name)).toEqual(names)
    expect(Object.keys(again.state.windows).sort()).toEqual(Object.keys(workspace.state.windows).sort())
    expect((await back.listDevices({})).map(({ name }) => name)).toEqual(['server'])
  })

  it('[DV21] a crash between the change of keys and the new desk loses nothing', async () => {
    await laptop.setUp()
    const own = await server.setUp()
    const workspace = new WorkspaceDoc(await attach(own))
    const device = (await own.listDevices({}))[0]?.deviceId as string
    const app = appState.parse({ kind: 'files', device, path: '/home/test', view: 'list' })
    workspace.dispatch({ type: 'window/open', app }, context)
    server.failToOpenStore = true // what a crash right after vault.adopt leaves behind
    const [a, b] = [laptop.control(), server.control()]
    const { code } = await a.offerPairing({})
    await b.joinPairing({ code: code as string })
    await vi.waitFor(async () => expect((await b.readPairing({})).step).toBe('confirm'), wait)
    await vi.waitFor(async () => expect((await a.readPairing({})).step).toBe('confirm'), wait)
    await a.confirmPairing({ accept: true })
    await b.confirmPairing({ accept: true })
    await vi.waitFor(async () => expect((await server.control().status({})).phase).toBe('sealed'), wait)
    server.errors.length = 0
    server.stop()
    server.failToOpenStore = false
    await server.start()
    const display = await unlock(server, 'beside', 'after the crash')
    await linked(laptop, server)
    const joined = new WorkspaceDoc(await attach(display))
    await vi.waitFor(
      () =>
        expect(
          Object.values(joined.state.activities)
            .map(({ name }) => name)
            .sort(),
        ).toEqual(['Home', 'server']),
      wait,
    )
  })

  it('[ID161] a place of a link that this device cannot use keeps nobody from meeting at another', async () => {
    await laptop.setUp()
    await server.setUp()
    const { link } = await laptop.control().offerPairing({})
    const joining = await server.control().joinPairing({ code: `${link}&at=${encodeURIComponent('ws://no/place')}` })
    expect(joining.step).toBe('joining')
    await vi.waitFor(async () => expect((await server.control().readPairing({})).step).toBe('confirm'), wait)
    await laptop.control().confirmPairing({ accept: true })
    await server.control().confirmPairing({ accept: true })
    await linked(laptop, server)
  })

  it('[ID34] five wrong codes close pairing here, and a restart does not open it', async () => {
    await laptop.setUp()
    await server.setUp()
    const joining = server.control()
    for (let n = 0; n < 5; n++) {
      const { code } = await laptop.control().offerPairing({})
      const right = String(code).split('-').slice(1).join('-')
      await joining.joinPairing({ code: `${String(code).split('-')[0]}-${right === '000000' ? '000001' : '000000'}` })
      await vi.waitFor(async () => expect((await laptop.control().readPairing({})).error?.code).toBe('pairing/wrong-code'), wait)
    }
    expect(await codeOf(laptop.control().offerPairing({}))).toBe('pairing/too-many-tries')
    laptop.stop()
    await laptop.start()
    await laptop.control().unlockDevice({ passphrase: PASSPHRASE })
    expect(await codeOf(laptop.control().offerPairing({}))).toBe('pairing/too-many-tries')
  })
})

describe('following', () => {
  it('[DV35] devices whose clocks are a day apart pair and follow, and both say so', async () => {
    server.clockOffsetMs = 24 * 3_600_000
    const display = await laptop.setUp()
    await server.setUp()
    await pair(laptop, server)
    const notices = async (device: WorldDevice) => (await device.connect('probe').hello({ displayName: 'probe' })).notices
    await vi.waitFor(async () => {
      expect(await notices(laptop)).toContainEqual(
        expect.objectContaining({ code: 'clock/differs', message: expect.stringContaining('1 day ahead') }),
      )
      expect(await notices(server)).toContainEqual(
        expect.objectContaining({ code: 'clock/differs', message: expect.stringContaining('1 day behind') }),
      )
    }, wait)
    const here = await attach(display)
    here.getMap('test').set('from', 'laptop')
    const there = await attach(await unlock(server, 'beside', 'server display'))
    await vi.waitFor(() => expect(there.getMap('test').get('from')).toBe('laptop'), wait)
  })

  it('[DV16] a move on one device darkens the display of another and says where the desk went', async () => {
    const first = await laptop.setUp('laptop display')
    await server.setUp()
    await pair(laptop, server)
    const doors: DoorState[] = []
    first.onDidChangeDoor((door) => doors.push(door))
    const second = await unlock(server, 'move', 'server display 2')
    await vi.waitFor(() => expect(doors.at(-1)).toMatchObject({ phase: 'display-locked', handedOverTo: 'server display 2' }), wait)
    await vi.waitFor(async () => {
      expect((await second.hello({ displayName: 'server display 2' })).seat).toMatchObject({ deviceName: 'server', unconfirmed: [] })
    }, wait)
  })

  it('[DV16] beside on another device locks nothing', async () => {
    const first = await laptop.setUp('laptop display')
    await server.setUp()
    await pair(laptop, server)
    await unlock(server, 'beside', 'server display')
    await vi.waitFor(async () => expect((await first.hello({ displayName: 'x' })).seat?.deviceName).toBe('server'), wait)
    expect((await first.hello({ displayName: 'x' })).phase).toBe('unlocked')
  })

  it('[DV16] a device that was sealed and is unlocked is no cut: the old display follows at once', async () => {
    const first = await laptop.setUp('laptop display')
    await server.setUp()
    await pair(laptop, server)
    await server.control().lockDevice({})
    await first.reportInput({})
    const asked = vi.fn()
    first.onDidAskSeatQuestion(asked)
    await unlock(server, 'move', 'server display')
    await vi.waitFor(async () => expect((await first.hello({ displayName: 'x' })).phase).toBe('display-locked'), wait)
    expect(asked).not.toHaveBeenCalled()
  })

  it('[DV16] a device that was away counts lower than the others, and its unlock still is the last one', async () => {
    await laptop.setUp('laptop display')
    await server.setUp()
    await pair(laptop, server)
    await server.control().lockDevice({})
    let current = await unlock(laptop, 'move', 'laptop 1')
    for (const name of ['laptop 2', 'laptop 3']) current = await unlock(laptop, 'move', name)
    await new Promise((resolve) => setTimeout(resolve, 20))
    const display = await unlock(server, 'move', 'server display')
    await vi.waitFor(async () => expect((await current.hello({ displayName: 'x' })).phase).toBe('display-locked'), wait)
    expect(await display.hello({ displayName: 'server display' })).toMatchObject({
      phase: 'unlocked',
      seat: { displayName: 'server display' },
    })
  })

  it('[DV20] what was changed on both sides of a cut is on both after it, and the list and seat too', async () => {
    const first = await attach(await laptop.setUp())
    await server.setUp()
    await pair(laptop, server)
    await server.control().lockDevice({}) // links close: a cut
    first.getMap('test').set('laptop', 1)
    const second = await attach(await unlock(server, 'beside', 's'))
    second.getMap('test').set('server', 2)
    await linked(laptop, server)
    for (const doc of [first, second]) await vi.waitFor(() => expect(doc.getMap('test').toJSON()).toEqual({ laptop: 1, server: 2 }), wait)
  })

  it('[DV20] three devices need two codes', async () => {
    await laptop.setUp()
    await server.setUp()
    const phone = await world.install('phone')
    await phone.setUp()
    await pair(laptop, server)
    const [a, b] = [server.control(), phone.control()]
    const { code } = await a.offerPairing({})
    await b.joinPairing({ code: code as string })
    await vi.waitFor(async () => expect((await b.readPairing({})).step).toBe('confirm'), wait)
    await vi.waitFor(async () => expect((await a.readPairing({})).step).toBe('confirm'), wait)
    await a.confirmPairing({ accept: true })
    await b.confirmPairing({ accept: true })
    await linked(laptop, server, phone)
    expect(phone.errors).toEqual([])
  })
})

describe('asking a linked device', () => {
  it('[JB33] [JB34] where a command would run is told with the reason of every device, as each says it is', async () => {
    const display = await laptop.setUp()
    await server.setUp()
    laptop.condition = { missing: (tools) => tools.filter((tool) => tool === 'eslint') }
    server.condition = { missing: (tools) => tools.filter((tool) => tool === 'cargo') }
    await pair(laptop, server)
    const whyOf = async (commandLine: string) => {
      const { device, table, reason } = await display.explainPlacement({ commandLine, folder: '/home/test' })
      const chosen = table.find((row) => row.device === device)?.name
      return { chosen, reason, server: table.find(({ name }) => name === 'server')?.why }
    }
    expect(await whyOf('cargo build')).toMatchObject({ chosen: 'laptop', server: 'has no cargo' })
    expect(await whyOf('gimp')).toMatchObject({ chosen: 'laptop', server: 'needs your display' })
    expect(await whyOf('git push')).toMatchObject({ chosen: 'laptop', server: 'changes the world once: only where you say' })
    // not found here by its name, so it comes with the folder: nobody is asked for it
    expect(await whyOf('eslint .')).toMatchObject({
      chosen: 'laptop',
      reason: 'here: how much work it is, is not known yet',
      server: 'has the data, idle, 1 core',
    })
    server.condition = { noSandbox: () => 'bubblewrap is not installed' }
    expect(await whyOf('eslint .')).toMatchObject({ chosen: 'laptop', server: 'no sandbox: bubblewrap is not installed' })
  })

  it('[DV19] [FS10] [JB13] its terminals, files and tasks answer, its last screens are kept for when it is away', async () => {
    const display = await laptop.setUp()
    await server.setUp()
    await pair(laptop, server)
    const device = (await display.listDevices({})).find(({ name }) => name === 'server')?.deviceId as string
    const terminal = await display.openTerminal({ device, columns: 80, rows: 24 })
    const { channel: id, info } = await display.attachTerminal({ device, terminalId: terminal.terminalId, columns: 80, rows: 24 })
    expect(info.device).toBe(device)
    const channel = display.channel(id)
    let shown = ''
    channel.onDidReceive((message) => (shown += new TextDecoder().decode(message.subarray(1))))
    server.spawner.ptys[0]?.print('from the server\r\n')
    await vi.waitFor(() => expect(shown).toContain('from the server'), wait)
    channel.send(Uint8Array.from([1, ...new TextEncoder().encode('x')]))
    await vi.waitFor(() => expect(server.spawner.ptys[0]?.written.join('')).toContain('x'), wait)
    await display.writeText({ device, path: '/home/test/there.txt', text: 'there' })
    expect(server.disk.files.size).toBe(1)
    expect(laptop.disk.files.size).toBe(0)
    const place = { device, path: '/home/test/there.txt' }
    await display.writeText({ ...place, text: 'there, saved again' })
    expect((await display.listProcesses({ device })).load.device).toBe(device)
    await vi.waitFor(async () => {
      expect((await display.lastScreen({ device, terminalId: terminal.terminalId }))?.screen).toContain('from the server')
    }, wait)
    await server.control().lockDevice({})
    await vi.waitFor(
      async () => expect(await codeOf(display.openTerminal({ device, columns: 80, rows: 24 }))).toBe('terminal/device-away'),
      wait,
    )
    expect(await codeOf(display.listFolder({ device, path: '/home/test' }))).toBe('file/device-away')
    expect((await display.lastScreen({ device, terminalId: terminal.terminalId }))?.screen).toContain('from the server')
    // [DV39] and the text of its file, with the version it had, for every display of this device
    expect(await codeOf(display.readText(place))).toBe('file/device-away')
    expect(await display.lastText(place)).toMatchObject({ text: 'there, saved again' })
    expect(await display.lastText({ ...place, path: '/home/test/never-read.txt' })).toBeNull()
  })

  it('[DV19] a device that was removed is asked nothing and may ask nothing; it hears why', async () => {
    const display = await laptop.setUp()
    await server.setUp()
    await pair(laptop, server)
    const device = (await display.listDevices({})).find(({ name }) => name === 'server')?.deviceId as string
    await display.removeDevice({ deviceId: device })
    await vi.waitFor(async () => expect((await laptop.control().status({})).links).toBe(0), wait)
    expect(await codeOf(display.homeFolder({ device }))).toBe('file/device-away')
    expect((await display.listDevices({})).map(({ name }) => name)).toEqual(['laptop'])
  })
})
