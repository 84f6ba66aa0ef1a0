import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Disposable } from '../../base/disposable.ts'
import { listenUnixSocket } from '../../platform/node/listen-unix-socket.ts'
import { DeviceWorld, type WorldDevice } from '../../testkit/device-world.ts'
import { linked, LONG_WAIT, pair } from '../../testkit/paired-devices.ts'
import { TmuxShell, whyNoTmux } from '../../testkit/tmux-shell.ts'
import { dataFolderAt } from '../daemon/data-folder.ts'

const CLI = ['--no-warnings', path.join(import.meta.dirname, 'cli.ts')]
const why = whyNoTmux('bash')

let world: DeviceWorld
let laptop: WorldDevice
let server: WorldDevice
let folder: string
let owned: Disposable[]

beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'ew-top-'))
  world = new DeviceWorld()
  laptop = await world.install('laptop')
  server = await world.install('server')
  await laptop.setUp()
  await server.setUp()
  await pair(laptop, server)
  await linked(laptop, server)
  const door = { pid: process.pid, origin: () => '', oneTimeUrl: () => '' }
  owned = [await listenUnixSocket(dataFolderAt(folder).deviceSocket, (transport) => laptop.device.acceptControl(transport, door))]
})
afterEach(() => {
  for (const one of owned.toReversed()) one.dispose()
  world.dispose()
  rmSync(folder, { recursive: true, force: true })
})

const startJob = async (commandLine: string) => {
  const [self] = (await laptop.control().listDevices({})).filter(({ name }) => name === 'server')
  return laptop
    .control()
    .startJob({ commandLine, folder: '/home/test/p', input: false, policy: { where: { device: self?.deviceId as string } } })
}

const cli = async (...args: readonly string[]) => {
  const env = { ...process.env, ELSEWHERE_DATA: folder }
  const child = spawn(process.execPath, [...CLI, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  owned.push({ dispose: () => void child.kill('SIGKILL') })
  let out = ''
  child.stdout.on('data', (bytes) => (out += String(bytes)))
  const [code] = await once(child, 'close')
  return { code, lines: out.trim().split('\n') }
}

it('[JB82] --json is one look: each device of mine with its load, and what runs or waits', async () => {
  await startJob('cc in.c')
  const { lines } = await cli('top', '--json')
  expect(JSON.parse(lines.join('\n'))).toMatchObject({
    devices: expect.arrayContaining([
      expect.objectContaining({ name: 'laptop', state: 'self', load: expect.objectContaining({ cores: 1 }) }),
      expect.objectContaining({ name: 'server', state: 'linked', load: expect.objectContaining({ cores: 1 }) }),
    ]),
    jobs: [{ commandLine: 'cc in.c' }],
  })
})

it('[JB83] output for programs is a line for each piece, then one for the end', async () => {
  const { job } = await startJob('cc in.c')
  const there = await vi.waitFor(() => {
    const found = server.jobSpawner.processes[0]
    if (!found) throw new Error('nothing runs on the server')
    return found
  }, LONG_WAIT)
  const followed = cli('logs', '--json', job)
  there.say('50 %\n')
  there.exit(4)
  const { code, lines } = await followed
  expect(code).toBe(4)
  const read = lines.map((line) => JSON.parse(line))
  expect(
    read
      .slice(0, -1)
      .map(({ text }) => text)
      .join(''),
  ).toBe('50 %\n')
  expect(read[0]).toMatchObject({ stream: 'out', offset: 0 })
  expect(read.at(-1)).toMatchObject({ exit: { code: 4 } })
  const { job: other } = await startJob('cc other.c')
  expect(await cli('cancel', '--json', other)).toEqual({ code: 0, lines: [JSON.stringify({ job: other, cancelled: true })] })
  expect((await cli('logs', '--json', other)).lines.map((line) => JSON.parse(line))).toEqual([
    { exit: expect.objectContaining({ ended: 'cancelled' }) },
  ])
})

it.skipIf(why !== undefined)(
  `[JB82] at 40 columns it shows, cancels, and gives the terminal back: by q, a signal, and a device that ends${why ? ` (${why})` : ''}`,
  async () => {
    const { job } = await startJob('cc in.c')
    const home = path.join(folder, 'home')
    mkdirSync(home)
    const shell = new TmuxShell(home, 'bash --norc --noprofile -i', { ELSEWHERE_DATA: folder })
    owned.push(shell)
    shell.resize(40, 16)
    const settings = await shell.run('stty -a')
    const top = `'${process.execPath}' ${CLI.map((word) => `'${word}'`).join(' ')} top`
    const isBack = async () => {
      await vi.waitFor(() => expect(shell.modes).toEqual({ otherScreen: false, cursor: true }), LONG_WAIT)
      expect(await shell.run('stty -a')).toBe(settings)
    }
    await shell.run('clear')
    shell.enter(top)
    await shell.shows('2 of 2 devices, 1 job runs')
    await shell.shows('cc in.c')
    expect(shell.modes).toEqual({ otherScreen: true, cursor: false })
    shell.press('x')
    await shell.shows('cancel it? y / n')
    shell.press('y')
    await shell.shows('nothing runs or waits')
    await vi.waitFor(
      async () => expect((await laptop.control().listJobs({})).find((one) => one.job === job)?.state).toBe('cancelled'),
      LONG_WAIT,
    )
    shell.press('C-z')
    await isBack()
    shell.enter('fg')
    await shell.shows('nothing runs or waits')
    expect(shell.modes.otherScreen).toBe(true)
    shell.press('q')
    await isBack()

    shell.enter(top)
    await shell.shows('2 of 2 devices')
    shell.press('C-z')
    await isBack()
    await shell.run('kill %1; fg; wait')
    await isBack()

    shell.enter(top)
    await shell.shows('2 of 2 devices')
    laptop.stop()
    owned.shift()?.dispose()
    await isBack()
  },
)
