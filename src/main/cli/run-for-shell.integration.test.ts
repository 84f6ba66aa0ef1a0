import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../base/clock.ts'
import type { Disposable } from '../../base/disposable.ts'
import { silentLogger } from '../../base/logger.ts'
import { FifoShellDoor } from '../../platform/node/fifo-shell-door.ts'
import { listenUnixSocket } from '../../platform/node/listen-unix-socket.ts'
import { shellHook } from '../../platform/node/shell-files.ts'
import { DeviceWorld, type WorldDevice } from '../../testkit/device-world.ts'
import type { FakeJobProcess } from '../../testkit/fake-job-process.ts'
import { linked, LONG_WAIT, pair } from '../../testkit/paired-devices.ts'
import { TmuxShell, whyNoTmux } from '../../testkit/tmux-shell.ts'
import { dataFolderAt } from '../daemon/data-folder.ts'

const CLI = ['--no-warnings', path.join(import.meta.dirname, 'cli.ts')]
const LINE = 'cc in.c'

let world: DeviceWorld
let laptop: WorldDevice
let server: WorldDevice
let folder: string
let project: string
let owned: Disposable[]

beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'ew-for-shell-'))
  project = path.join(folder, 'project')
  mkdirSync(project)
  // The compiler of this machine: takes long enough to be heavy, and ends with 3.
  writeFileSync(path.join(folder, 'cc'), '#!/bin/sh\necho compiled here\nsleep "${CC_TAKES:-0}"\nexit "${CC_ENDS:-3}"\n')
  chmodSync(path.join(folder, 'cc'), 0o755)
  world = new DeviceWorld()
  laptop = await world.install('laptop')
  server = await world.install('server')
  server.cores = 32
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
  expect([...laptop.errors, ...server.errors]).toEqual([])
})

const environment = () => ({ PATH: `${folder}:${process.env.PATH}`, HOME: folder, ELSEWHERE_DATA: folder })
function start(shell = 'bash', data = folder) {
  const env = { ...environment(), ELSEWHERE_DATA: data }
  const child = spawn(process.execPath, [...CLI, 'run', '--for-shell', shell, '--', LINE], {
    cwd: project,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  owned.push({ dispose: () => void child.kill('SIGKILL') })
  let out = ''
  child.stdout.on('data', (bytes) => (out += String(bytes)))
  let err = ''
  child.stderr.on('data', (bytes) => (err += String(bytes)))
  const done = new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })))
  return { child, seen: () => out, done }
}
const heavy = () => laptop.shells.say({ kind: 'ran', ms: 60_000, folder: project, line: LINE })
const runsThere = (nth = 0) =>
  vi.waitFor(() => {
    const found = server.jobSpawner.processes[nth]
    if (!found) throw new Error('nothing runs on the server')
    return found as FakeJobProcess
  }, LONG_WAIT)

it('[JB76][JB43] where elsewhere clearly wins the line runs there: output, Ctrl-C and exit code come back', async () => {
  heavy()
  const { child, seen, done } = start()
  const process = await runsThere()
  expect(process.request).toMatchObject({ arguments: ['-c', LINE], folder: project })
  process.say('compiled there\n')
  await vi.waitFor(() => expect(seen()).toBe('compiled there\n'), LONG_WAIT)
  child.kill('SIGINT')
  await vi.waitFor(() => expect(process.signals).toContain('SIGINT'), LONG_WAIT)
  process.exit(130)
  expect(await done).toEqual({ code: 130, out: 'compiled there\n', err: '' })
})

it('[JB76] it runs here, as if nothing had been, where elsewhere does not win any more, or there is no device', async () => {
  const here = { code: 3, out: 'compiled here\n', err: '' }
  expect(await start().done).toEqual(here) // nobody knows how long it takes
  heavy()
  server.condition = { noSandbox: () => 'bubblewrap is gone' }
  expect(await start('sh').done).toEqual(here)
  expect(await start('sh', path.join(folder, 'none')).done).toEqual(here)
  expect(laptop.jobSpawner.processes).toEqual([])
  expect(await laptop.control().listJobs({})).toEqual([])
})

it('[JB71] "elsewhere on" prints the hook of the shell it is asked for, and of no other', async () => {
  const { shells } = dataFolderAt(folder)
  const on = (...args: readonly string[]) => {
    const env = { ...process.env, ...environment() }
    const child = spawn(process.execPath, [...CLI, 'on', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (said += String(bytes)))
    return new Promise((resolve) => child.on('close', (code) => resolve({ code, said })))
  }
  for (const name of ['bash', 'zsh'] as const) {
    const cli = [process.execPath, path.resolve(import.meta.dirname, '../../../bin/elsewhere.mjs')]
    expect(await on(name)).toEqual({ code: 0, said: shellHook(name, { folder: shells, data: folder, cli }) })
  }
  expect(statSync(shells).mode & 0o777).toBe(0o700)
  expect(await on('fish')).toEqual({ code: 2, said: expect.stringContaining('bash and zsh, not fish') })
})

describe.each(['bash', 'zsh'] as const)('typed in %s', (name) => {
  const why = whyNoTmux(name)
  it.skipIf(why !== undefined)(
    `[JB70][JB71][JB76] here the first time, there the second, with one dim line${why ? ` (${why})` : ''}`,
    async () => {
      const { shells } = dataFolderAt(folder)
      owned.push(new FifoShellDoor({ folder: shells, clock: systemClock, log: silentLogger }).open((message) => laptop.shells.say(message)))
      const hook = path.join(folder, 'hook')
      writeFileSync(hook, shellHook(name, { folder: shells, data: folder, cli: [process.execPath, ...CLI] }, 30))
      const shell = new TmuxShell(project, name === 'bash' ? 'bash --norc --noprofile -i' : 'zsh -f -i', {
        ...environment(),
        CC_TAKES: '3',
        CC_ENDS: '0',
      })
      owned.push(shell)
      await shell.run(`. ${hook}`)
      await vi.waitFor(async () => {
        await shell.run(':')
        expect(await shell.run('echo "$__elsewhere_count"')).not.toBe('0')
      }, LONG_WAIT)
      expect(await shell.run(LINE)).toBe('compiled here')
      await vi.waitFor(() => expect(laptop.shells.say({ kind: 'ask', id: '1', folder: project, line: LINE })).toEqual(['cc']), LONG_WAIT)
      shell.enter(LINE)
      const there = await runsThere()
      await shell.shows('elsewhere: server: ')
      shell.write('typed ahead')
      there.say('compiled there\n')
      there.exit(9)
      await shell.shows('» typed ahead')
      shell.press('C-u')
      expect(shell.text).toContain('compiled there')
      expect(await shell.run(name === 'bash' ? 'history 2' : 'fc -l -2')).not.toContain('for-shell')
      expect(shell.text).toContain(LINE)
    },
  )
})
