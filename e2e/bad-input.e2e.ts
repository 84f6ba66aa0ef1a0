import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { chromium } from 'playwright-core'
import { controlContract } from '../src/device/control-contract.ts'
import { displayContract } from '../src/device/display-contract.ts'
import { dataFolderAt } from '../src/main/daemon/data-folder.ts'
import { connectUnixSocket } from '../src/platform/node/unix-socket-transport.ts'
import { homeFilesContract } from '../src/files/home-files-contract.ts'
import { hostProcessContract } from '../src/jobs/serve-host.ts'
import { supervisorContract } from '../src/main/daemon/supervisor-contract.ts'
import type { Transport } from '../src/rpc/channel.ts'
import { createClient } from '../src/rpc/client.ts'
import { fuzzContract, oddValue } from '../src/testkit/contract-fuzz.ts'
import { attackFromPages, EVIL_NAMES, startNaiveServer } from '../src/testkit/web-attacks.ts'
import { type LabMachine, whyNoNetLab } from '../src/testkit/netlab.ts'
import { SeededRandom, seedOfRun } from '../src/testkit/seeded-random.ts'
import { openSocket, TestDisplay } from '../src/testkit/test-display.ts'
import { E2eDesk } from './harness/e2e-desk.ts'
import { E2eDevice } from './harness/e2e-device.ts'
import { E2eBrowser, E2eDisplay } from './harness/e2e-display.ts'
import { E2eLab, eventually, eventuallyEqual } from './harness/e2e-pair.ts'
import { CHROMIUM, whyNoBrowser } from './harness/chromium.ts'
import { describeInBrowser } from './harness/needs.ts'

const why = whyNoNetLab() ?? whyNoBrowser
const mayMount = process.platform === 'linux' && process.getuid?.() === 0

/** A folder of so many MiB and no more, removed with what is in it. */
function smallDisk(mebibytes: number): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'ew-disk-'))
  mount('-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=700`, 'tmpfs', folder)
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder], { stdio: 'pipe' }) // lazily: whoever still ends in it must not keep it
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/** What it complains about is in the error it throws, not on the terminal: some callers try until it works. */
const mount = (...args: readonly string[]) => void execFileSync('mount', args, { stdio: 'pipe' })

/** All windows of a desk and where they belong, whatever the display that shows them has room for. */
async function keptWindows(device: E2eDevice) {
  const desk = await E2eDesk.open(device, { width: 1440, height: 800 })
  try {
    const windows = Object.values(desk.state.windows).map(({ id, places, tabs, minimised }) => ({ id, places, tabs, minimised }))
    return windows.sort((a, b) => (a.id < b.id ? -1 : 1))
  } finally {
    desk.dispose()
  }
}

/** What the device says at its door: what the lock screen and the desk show. */
async function noticesOf(device: E2eDevice) {
  const client = createClient(displayContract, await connectUnixSocket(dataFolderAt(device.folder).deviceSocket))
  try {
    return (await client.hello({ displayName: 'a test' })).notices
  } finally {
    client.dispose()
  }
}

/** Somebody who means ill, on one of the machines: see harness/rendezvous-attacker.ts. */
function startAttacker(machine: LabMachine | undefined, args: readonly string[]) {
  const script = path.resolve(import.meta.dirname, 'harness/rendezvous-attacker.ts')
  const child = (machine as LabMachine).spawn(process.execPath, [script, ...args])
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)))
  const ended = new Promise<{ output: string }>((resolve) => child.once('close', () => resolve({ output })))
  const until = (pattern: RegExp) => eventually(`the attacker says ${pattern}`, async () => pattern.test(output), 60_000)
  return { ended, until, end: () => void child.kill('SIGKILL') }
}

const residentBytes = (pid: number): number => 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])

const hasNotice = async (device: E2eDevice, code: string) => (await noticesOf(device)).find((notice) => notice.code === code)

describe('what keeps a device from starting is said in one line, with what to do', () => {
  let device: E2eDevice
  beforeAll(async () => {
    device = await E2eDevice.start({ name: 'laptop' })
    await device.create('Ada')
    await device.stop()
  })
  afterAll(() => device?.dispose())
  const start = (...args: string[]) => device.cli(['start', '--detach', '--host', 'none', '--no-download', ...args])
  const stop = (...args: string[]) => device.cli(['stop', ...args])

  it('a port that is taken; the same port starts it once it is free', async () => {
    const server = net.createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as net.AddressInfo
    const refused = await start('--port', String(port))
    expect(refused.code).not.toBe(0)
    expect(refused.output).toMatch(new RegExp(`${port}`))
    expect(refused.output).toMatch(/another program uses it[\s\S]*--port/)
    expect(refused.output).not.toMatch(/^\s+at /m)
    await new Promise((resolve) => server.close(resolve))
    const started = await start('--port', String(port))
    expect(started.output).toContain(`:${port}`)
    expect((await stop()).code).toBe(0)
  })

  it.skipIf(!mayMount)('a data folder that cannot be written', async () => {
    const disk = smallDisk(32)
    const writable = await start('--data', disk)
    expect(writable.code, writable.output).toBe(0)
    expect((await stop('--data', disk)).code).toBe(0)
    await eventually('everything in it is closed', async () => {
      mount('-o', 'remount,ro', disk)
      return true
    })
    const refused = await start('--data', disk)
    expect(refused.code).not.toBe(0)
    expect(refused.output).toMatch(/can't be written[\s\S]*--data/)
    expect(refused.output).toContain(disk)
    expect(refused.output).not.toMatch(/^\s+at /m)
  })
})

describeInBrowser('what happens while a device runs', () => {
  let browser: E2eBrowser
  beforeAll(async () => {
    browser = await E2eBrowser.launch()
  })
  afterAll(() => browser?.dispose())

  it.skipIf(!mayMount)('a full disk: said on the desk at once; with room again all of it is kept, also over kill -9', async () => {
    const disk = smallDisk(24)
    const device = await E2eDevice.start({ name: 'laptop', folder: path.join(disk, 'data') })
    onTestFinished(() => device.dispose())
    await device.create('Ada')
    const display = await E2eDisplay.open(device, browser)
    await display.unlock()
    await display.openApp('Files')
    const before = await noticesOf(device)
    expect(before).toEqual([])

    const ballast = path.join(disk, 'ballast')
    try {
      writeFileSync(ballast, '')
      for (;;) writeFileSync(ballast, Buffer.alloc(64 * 1024), { flag: 'a' })
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' })
    }
    // A window is moved about until the store has used up what room it held.
    await display.openApp('Settings')
    await display.window('Settings').waitFor()
    let opened = 0
    const notice = await eventually(
      'the device says that the disk is full',
      async () => {
        await display.dragWindow('Settings', { x: opened++ % 2 ? 40 : -40, y: 0 })
        return hasNotice(device, 'store/disk-full')
      },
      60_000,
    )
    expect(notice.message).toMatch(/full|space/)
    expect(notice.message).toMatch(/[Ff]ree|[Mm]ake room/)
    await display.page.locator('[data-notice="store/disk-full"]').waitFor()
    const seen = (await display.windows()).length

    rmSync(ballast)
    await display.openApp('Task manager')
    await display.window('Task manager').waitFor()
    await eventually('taken back when there is room', async () => (await hasNotice(device, 'store/disk-full')) === undefined, 40_000)
    await display.page.locator('[data-notice="store/disk-full"]').waitFor({ state: 'detached' })
    const titles = async (one: E2eDisplay) => (await one.windows()).map(({ title }) => title)
    const shown = await titles(display)
    expect(shown.length).toBe(seen + 1)
    const kept = await keptWindows(device)
    await display.close() // a page that is still open would give its device back what that had lost
    const { device: killed } = await device.processes()
    await device.kill('device')
    await eventually('another device process', async () => {
      const now = (await device.processes()).device
      return now !== undefined && now !== killed
    })
    await eventually('it answers', () => device.status())
    const again = await E2eDisplay.open(device, browser)
    await again.unlock()
    await eventuallyEqual('all windows are back', () => titles(again), shown)
    expect(await keptWindows(device), 'all windows are where they were').toEqual(kept)
    await again.close()
  })

  it('a display that is closed in the middle of a command: what it typed is kept, and nobody else notices', async () => {
    const device = await E2eDevice.start({ name: 'laptop' })
    onTestFinished(() => device.dispose())
    await device.create('Ada')
    const one = await E2eDisplay.open(device, browser)
    await one.unlock()
    const two = await E2eDisplay.open(device, browser)
    await two.unlock('beside')
    await one.openApp('Editor')
    await one.desk.locator('.cm-content').click()
    await one.page.keyboard.type('kept')
    await eventually('the other shows it', async () => (await two.desk.locator('.cm-content').innerText()).includes('kept'))
    // In the middle of a drag, with keys on their way and a call unanswered.
    const box = await one.window(/Untitled/).boundingBox()
    await one.page.mouse.move((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + 18)
    await one.page.mouse.down()
    await one.page.mouse.move(700, 500, { steps: 3 })
    await one.close()
    expect(await two.desk.locator('.cm-content').innerText()).toContain('kept')
    await two.page.locator('[data-remote-drag]').waitFor({ state: 'detached' })
    await two.openApp('Settings')
    await two.window('Settings').waitFor()
    // And on the wire: a socket that ends while its call is being worked on.
    const enter = await TestDisplay.enter(await device.entrance())
    const socket = await openSocket(enter.port, enter.headers)
    const { pid } = await device.status()
    socket.send(JSON.stringify({ t: 'call', id: 1, m: 'unlock', p: { passphrase: 'not the one at all', how: 'move' } }))
    socket.terminate()
    expect((await device.status()).pid).toBe(pid)
    expect(device.log()).not.toMatch(/nobody foresaw|a bug ended/)
    expect(two.problems).toEqual([])
    await two.close()
  })

  it('pages of others get nothing out of a running device, with its cookie in the browser; a server that checks nothing gives all', async () => {
    const device = await E2eDevice.start({ name: 'laptop' })
    onTestFinished(() => device.dispose())
    await device.create('Ada')
    const victim = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', `--host-resolver-rules=${EVIL_NAMES}`] })
    onTestFinished(() => victim.close())
    const naive = await startNaiveServer('<main>')
    const there = await attackFromPages({ browser: victim, name: '127.0.0.1', port: naive.port, marker: '<main>' })
    naive.close()
    expect(there).toEqual({ rebinding: true, socket: true, framed: true })
    const entrance = await device.entrance()
    const { hostname: name, port } = new URL(entrance)
    // `id="root"` stands in the desk's page and in none that refuses.
    const here = await attackFromPages({ browser: victim, name, port: Number(port), marker: 'id="root"', entrance })
    expect(here).toEqual({ rebinding: false, socket: false, framed: false })
  })

  it('whatever is asked over the sockets of its processes is answered with a stable code (seeded), and all go on', async () => {
    const device = await E2eDevice.start({ name: 'laptop' })
    onTestFinished(() => device.dispose())
    await device.create('Ada')
    const random = new SeededRandom(seedOfRun())
    const before = await device.processes()
    const { deviceSocket, supervisorSocket, hostSocket, filesSocket } = dataFolderAt(device.folder)
    const { stop: _, ...supervisor } = supervisorContract
    const { lockDevice: __, createVault: ___, unlock: ____, ...display } = displayContract
    const { stop: _____, listProcesses: ______, ...host } = hostProcessContract
    const asked = [
      ['supervisor', supervisor, supervisorSocket],
      ['device', { ...display, ...controlContract }, deviceSocket],
      ['host', host, hostSocket],
      ['files', homeFilesContract, filesSocket],
    ] as const
    for (const [name, contract, socket] of asked) {
      const far = await connectUnixSocket(socket)
      const relay = (transport: Transport) => {
        transport.onDidReceive((message) => far.send(message))
        far.onDidReceive((message) => transport.send(message))
      }
      // Odd values only: what is nearly right is tried room by room, where nothing real is behind it.
      const { problems, codes } = await fuzzContract(contract, relay, random, 300, () => oddValue(random))
      far.close('rpc/closed')
      expect({ name, seed: seedOfRun(), problems }).toEqual({ name, seed: seedOfRun(), problems: [] })
      expect([...codes.keys()]).toContain('rpc/bad-input')
    }
    expect(await device.processes()).toEqual(before)
    expect(device.log()).not.toMatch(/nobody foresaw|a bug/)
  })
})

describe.skipIf(why !== undefined)(`what happens to a device among others${why ? ` (${why})` : ''}`, () => {
  let lab: E2eLab
  beforeAll(async () => {
    lab = await E2eLab.create('laptop', 'kitchen')
  })
  afterAll(() => lab?.dispose())
  const linked = (from: string, to: string) =>
    eventually(`${from} is linked with ${to}`, async () => (await lab.link(from, to)).state === 'linked', 60_000)

  it('a damaged store is set aside, said, and healed from the other device', async () => {
    const { device } = lab.machine('laptop')
    const a = await lab.display('laptop', 'move')
    await a.openApp('Files')
    await a.openApp('Settings')
    const b = await lab.display('kitchen', 'beside')
    await b.window('Settings').waitFor()
    const before = await b.windows()
    await a.close()
    await device.stop()

    const file = dataFolderAt(device.folder).store
    const bytes = readFileSync(file)
    for (let at = 4096; at < bytes.length; at += 512) bytes.writeUInt8(bytes.readUInt8(at) ^ 0xff, at)
    writeFileSync(file, bytes)
    await device.run()
    const again = await lab.display('laptop', 'beside')
    // Rule AP91, of a device that was sealed: what is drawn ahead while it is locked is not drawn again while it opens.
    expect(await again.page.evaluate(() => performance.getEntriesByName('elsewhere:warm').length)).toBeLessThanOrEqual(1)
    const notice = await eventually('the device says so', () => hasNotice(device, 'store/damaged'))
    expect(notice.message).toMatch(/damaged.*set aside as .*comes back from your other devices/)
    const aside = /set aside as (\S+)\./.exec(notice.message)?.[1] ?? ''
    expect(existsSync(path.join(device.folder, aside))).toBe(true)
    await linked('laptop', 'kitchen')
    // By their names: what is said across the top of the desk leaves less height for their places.
    const titles = (windows: readonly { title: string }[]) => windows.map(({ title }) => title).join()
    await eventually('the same windows are back', async () => titles(await again.windows()) === titles(before), 60_000)
    await again.page.locator('[data-notice="store/damaged"]').waitFor()
    await again.close()
    await b.close()
  })

  it('a clock a day ahead: both say so, by name and by how much, and both desks are one all the same', async () => {
    const { device } = lab.machine('kitchen')
    await device.stop()
    await device.run({ NODE_OPTIONS: `--import=${path.resolve(import.meta.dirname, 'harness/a-day-ahead.mjs')}` })
    onTestFinished(async () => {
      await device.stop()
      await device.run()
    })
    await device.unlockDevice()
    await linked('laptop', 'kitchen')
    const laptop = await lab.display('laptop', 'move')
    const [here, there] = await Promise.all(
      (['laptop', 'kitchen'] as const).map((name) =>
        eventually(`${name} says so`, () => hasNotice(lab.machine(name).device, 'clock/differs'), 60_000),
      ),
    )
    expect(here?.message).toMatch(/clock of kitchen is 1 day ahead of[\s\S]*Set the clock/)
    expect(there?.message).toMatch(/clock of laptop is 1 day behind[\s\S]*Set the clock/)
    await laptop.page.locator('[data-notice="clock/differs"]').waitFor()
    const kitchen = await lab.display('kitchen', 'beside')
    await laptop.openApp('Task manager')
    await kitchen.window('Task manager').waitFor()
    await kitchen.openApp('Devices')
    await laptop.window('Devices').waitFor()
    for (const display of [laptop, kitchen]) await display.close()
  })

  it('rubbish, floods and silence at the rendezvous of a device, and from one it uses: it goes on, and so do its links', async () => {
    const seed = seedOfRun()
    const [victim, other] = [lab.machine('laptop'), lab.machine('kitchen')]
    for (const { device } of [victim, other]) if ((await device.status()).phase === 'sealed') await device.unlockDevice()
    await linked('laptop', 'kitchen')
    const { pid } = await victim.device.status()
    const listens = victim.device.log(Number.POSITIVE_INFINITY).matchAll(/rendezvous listens \{"port":(\d+)\}/g)
    const port = Number([...listens].at(-1)?.[1]) // it was started anew by tests before this one
    const before = residentBytes(pid)
    const attacker = startAttacker(other.device.machine, ['attack', victim.device.machine?.address ?? '', String(port), String(seed)])
    const { output } = await attacker.ended
    expect(output, `seed ${seed}`).toMatch(/done/)
    const stillOpen = Number(/open (\d+)/.exec(output)?.[1]) // of 2,000
    expect(stillOpen).toBeGreaterThan(0)
    expect(stillOpen).toBeLessThan(300)
    await linked('laptop', 'kitchen')

    const evil = startAttacker(other.device.machine, ['serve', '8919', String(seed)])
    onTestFinished(() => evil.end())
    await evil.until(/listening/)
    const urls = (rendezvousUrls: string[]) => lab.ask('laptop', (client) => client.writeSettings({ rendezvousUrls }))
    await urls([`ws://${other.device.machine?.address}:8919/`])
    await evil.until(/connection 3/) // thrown out, and come back
    await urls([])
    expect((await victim.device.status()).pid).toBe(pid)
    await linked('laptop', 'kitchen') // all of it shares two cores with this test: a heartbeat may come late
    expect(victim.device.log()).not.toMatch(/nobody foresaw|a bug ended/)
    expect(residentBytes(pid) - before).toBeLessThan(150 << 20)
  })
})

describe.skipIf(why !== undefined)(`a data folder that was copied${why ? ` (${why})` : ''}`, () => {
  it('[DV36] a copied data folder: said on both copies and on the others; the one a person keeps goes on', async () => {
    const lab = await E2eLab.createWith({ bare: ['shed'] }, 'laptop', 'kitchen')
    onTestFinished(() => lab.dispose())
    const linked = (from: string, to: string) =>
      eventually(`${from} is linked with ${to}`, async () => (await lab.link(from, to)).state === 'linked', 60_000)
    const kitchen = lab.machine('kitchen').device
    const laptop = await lab.display('laptop', 'move')
    await laptop.openApp('Settings')
    await linked('kitchen', 'laptop')
    await eventually(
      'the kitchen knows where the seat is',
      async () => (await lab.ask('kitchen', (client) => client.hello({ displayName: 'a test' }))).seat,
    )
    await kitchen.stop()
    const folder = mkdtempSync(path.join(os.tmpdir(), 'ew-copy-'))
    cpSync(kitchen.folder, folder, { recursive: true, filter: (file) => !statSync(file).isSocket() })
    await kitchen.run()
    const machine = lab.lab.machine('shed')
    const copy = await E2eDevice.start({ name: 'kitchen', machine, folder })
    onTestFinished(() => copy.dispose())
    const browser = await E2eBrowser.launch(machine)
    onTestFinished(() => browser.dispose())
    for (const device of [kitchen, copy]) await device.unlockDevice()
    const [here, there] = [await lab.display('kitchen', 'beside'), await E2eDisplay.open(copy, browser)]
    await there.unlock('beside')
    // Somebody works on both, until it shows.
    for (let round = 0; round < 30 && !(await hasNotice(copy, 'sync/copied-folder')); round++) {
      for (const display of [here, there]) {
        await display.dragWindow('Settings', { x: round % 2 ? 60 : -60, y: 0 })
        await new Promise((resolve) => setTimeout(resolve, 1_000))
      }
    }
    for (const [device, display] of [
      [kitchen, here],
      [copy, there],
    ] as const) {
      const said = await eventually(`${device.folder} says so`, () => hasNotice(device, 'sync/copied-folder'), 60_000)
      expect(said.message).toMatch(/two devices run as kitchen[\s\S]*Keep this one/)
      await display.page.locator('[data-notice="sync/copied-folder"]').waitFor()
    }
    const peer = await eventually('the laptop says so', () => hasNotice(lab.machine('laptop').device, 'sync/copied-peer'))
    expect(peer.message).toMatch(/data folder of kitchen was copied/)
    await eventually('neither is linked', async () => (await lab.link('laptop', 'kitchen')).state !== 'linked', 60_000)

    await here.page.getByRole('button', { name: 'Keep this one' }).click()
    await eventually('it is not said any more', async () => (await noticesOf(kitchen)).length === 0)
    await here.desk.waitFor() // open displays stay open
    await linked('laptop', 'kitchen')
    await eventually('nor on the laptop', async () => (await hasNotice(lab.machine('laptop').device, 'sync/copied-peer')) === undefined)
    await here.openApp('Task manager')
    await laptop.window('Task manager').waitFor()
    expect(await hasNotice(copy, 'sync/copied-folder')).toBeDefined()
    expect((await copy.status()).links).toBe(0)
    expect(await there.window('Task manager').count()).toBe(0)
    for (const display of [laptop, here, there]) await display.close()
  })
})
