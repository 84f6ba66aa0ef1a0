import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { spawn as spawnPty } from '@lydell/node-pty'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { findBrowser } from './find-display-host.ts'
import { projectRoot } from './project-root.ts'
import { buildIfStale, processesNaming, RunningDevice, runCommand } from './running-device.suite.ts'

const XVFB = '/usr/bin/Xvfb'
const BROWSER = findBrowser(process.env) ?? ''
const DISPLAY = ':87'
const until = { timeout: 40_000, interval: 100 }

let screen: ChildProcess | undefined
beforeAll(() => {
  buildIfStale()
  if (existsSync(XVFB)) screen = spawn(XVFB, [DISPLAY, '-screen', '0', '1280x800x24', '-nolisten', 'tcp'], { stdio: 'ignore' })
}, 120_000)
afterAll(() => void screen?.kill())

let device: RunningDevice
beforeEach(() => {
  device = new RunningDevice()
})
afterEach(() => device.dispose())

const displayNames = async () => {
  const control = await device.connect()
  return (await control.status({}).finally(() => control.dispose())).displays.map(({ name }) => name)
}

it.runIf(existsSync(XVFB) && existsSync(BROWSER))(
  '[DV33] [DV31] opens an app window by a 0600 file and not by a URL that others can read; closing it ends nothing; ending ends it',
  async () => {
    const env = { DISPLAY, ELSEWHERE_BROWSER: BROWSER, CI: '1', WAYLAND_DISPLAY: '' }
    await device.start(['--host', 'browser'], env)
    expect(device.output.join('')).toContain(`app window of ${path.basename(BROWSER)}`)
    expect(device.oneTimeUrl).toBe('')
    expect(processesNaming('/enter?t=')).toEqual([])
    const redirect = readdirSync(device.folder).find((name) => name.startsWith('open-')) as string
    expect(statSync(path.join(device.folder, redirect)).mode & 0o777).toBe(0o600)
    expect(readFileSync(path.join(device.folder, redirect), 'utf8')).toContain('/enter?t=')
    await vi.waitFor(async () => expect(await displayNames()).toHaveLength(1), until)

    const second = runCommand(['start', '--data', device.folder, '--host', 'browser'], { env: { ...device.environment, ...env } })
    expect(second.stdout).toContain('runs already')
    await vi.waitFor(async () => expect(await displayNames()).toHaveLength(2), until)

    const browser = device.processes.find(({ command }) => command.includes('--app=file:') && !command.includes('--type=')) as {
      pid: number
    }
    process.kill(browser.pid, 'SIGTERM')
    await vi.waitFor(async () => expect(await displayNames()).toEqual([]), until)
    expect((await device.status()).processes.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready'])

    expect(runCommand(['start', '--data', device.folder, '--host', 'browser'], { env: { ...device.environment, ...env } }).status).toBe(0)
    await vi.waitFor(async () => expect(await displayNames()).toHaveLength(1), until)
    expect(await device.end('SIGINT')).toBe(0)
    await vi.waitFor(() => expect(device.processes).toEqual([]), until)
  },
)

it('[DV33] Ctrl-C in a terminal asks once when programs still run, and a second one means yes', async () => {
  const cli = path.join(projectRoot(), 'dist', 'cli', 'cli.mjs')
  const env = { ...device.environment, TERM: 'xterm' } as Record<string, string>
  const terminal = spawnPty(process.execPath, [cli, 'start', '--host', 'none', '--data', device.folder], { env, cols: 120, rows: 30 })
  let shown = ''
  let code: number | undefined
  terminal.onData((text) => (shown += text))
  terminal.onExit(({ exitCode }) => (code = exitCode))
  await vi.waitFor(() => expect(shown).toContain('Ctrl-C ends it'), until)
  const control = await device.connect()
  const { deviceId } = await control.createDevice({
    personName: 'A',
    deviceName: 'd',
    passphrase: 'correct horse battery',
    unattended: false,
  })
  await control.openTerminal({ device: deviceId, columns: 80, rows: 24, command: ['sleep', '300'] })
  control.dispose()
  await vi.waitFor(async () => expect((await device.status()).programs).toEqual(['sleep']), until)
  terminal.write('\x03')
  await vi.waitFor(() => expect(shown).toMatch(/program still runs in a terminal \(sleep\)/), until)
  terminal.write('n\r')
  // Until the answer is taken, Ctrl-C is a key of the question's line and no signal.
  await vi.waitFor(() => expect(shown).toMatch(/\[y\/N\] [^]*n[^]*\n/), until)
  await vi.waitFor(async () => expect((await device.status()).processes).toHaveLength(3), until)
  expect(code).toBeUndefined()
  shown = ''
  terminal.write('\x03')
  await vi.waitFor(() => expect(shown).toContain('still runs'), until)
  terminal.write('\x03')
  await vi.waitFor(() => expect(code).toBe(0), until)
  expect(device.processes).toEqual([])
})
