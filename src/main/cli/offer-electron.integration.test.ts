import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { spawn as spawnPty } from '@lydell/node-pty'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { projectRoot } from '../daemon/project-root.ts'
import { buildIfStale, processesNaming } from '../daemon/running-device.suite.ts'

/** Fetches what the real installer fetches, in small: a program that tells it was opened, and where it lies. */
const FETCHES = `
  const { chmodSync, mkdirSync, writeFileSync } = require('node:fs')
  console.log('fetching the stand-in')
  mkdirSync(__dirname + '/dist')
  writeFileSync(__dirname + '/dist/electron', '#!/bin/sh\\nprintf "%s\\\\n" "$@" > ' + __dirname + '/opened\\nsleep 300\\n')
  chmodSync(__dirname + '/dist/electron', 0o755)
  writeFileSync(__dirname + '/path.txt', 'electron')`
const FAILS = `console.error('no network'); process.exit(3)`
const until = { timeout: 40_000, interval: 50 }

let root = ''
let electron = ''
beforeAll(() => {
  buildIfStale()
  // An installed product of its own: its files are copied, its packages are the real ones, but for electron.
  root = mkdtempSync(path.join(os.tmpdir(), 'ew-root-'))
  electron = path.join(root, 'node_modules', 'electron')
  cpSync(path.join(projectRoot(), 'dist'), path.join(root, 'dist'), { recursive: true })
  writeFileSync(path.join(root, 'package.json'), '{"type":"module"}')
  mkdirSync(path.join(root, 'node_modules'))
  for (const name of readdirSync(path.join(projectRoot(), 'node_modules')).filter((one) => one !== 'electron' && !one.startsWith('.'))) {
    symlinkSync(path.join(projectRoot(), 'node_modules', name), path.join(root, 'node_modules', name))
  }
}, 120_000)
afterAll(() => rmSync(root, { recursive: true, force: true }))

let data = ''
let shown = ''
let code: number | undefined
let terminal: ReturnType<typeof spawnPty> | undefined
beforeEach(() => {
  data = mkdtempSync(path.join(os.tmpdir(), 'ew-offer-'))
  rmSync(electron, { recursive: true, force: true })
  mkdirSync(electron)
  writeFileSync(path.join(electron, 'package.json'), '{"name":"electron","version":"0.0.0"}')
})
afterEach(async () => {
  terminal?.write('\x03')
  await vi.waitFor(() => expect(code).toBeDefined(), until)
  expect(processesNaming(data)).toEqual([])
  rmSync(data, { recursive: true, force: true })
})

/** `elsewhere start` in a terminal of its own, as a person types it. No browser is found, so that nothing but Electron opens. */
function start(installer: string, args: readonly string[] = [], more: Record<string, string> = {}): void {
  writeFileSync(path.join(electron, 'install.js'), installer)
  const { CI: _, WAYLAND_DISPLAY: __, ...env } = process.env
  shown = ''
  code = undefined
  terminal = spawnPty(process.execPath, [path.join(root, 'dist/cli/cli.mjs'), 'start', '--data', data, ...args], {
    env: { ...env, TERM: 'xterm', DISPLAY: ':0', ELSEWHERE_BROWSER: '/none', ...more } as Record<string, string>,
    cols: 200,
    rows: 30,
  })
  terminal.onData((text) => (shown += text))
  terminal.onExit(({ exitCode }) => (code = exitCode))
}
const shows = (text: string) => vi.waitFor(() => expect(shown).toContain(text), until)
const answer = async (key: string) => {
  await shows('Fetch it?')
  terminal?.write(key)
}

it('[DV38] yes: it is fetched, and the desktop opens in it, by a file and not by a URL that others can read', async () => {
  start(FETCHES)
  await answer('y\r')
  await shows('fetching the stand-in')
  await shows('The desktop opens in Electron.')
  await vi.waitFor(() => expect(readFileSync(path.join(electron, 'opened'), 'utf8')).toContain(`--data=${data}`), until)
  expect(readFileSync(path.join(electron, 'opened'), 'utf8')).toMatch(/--entrance-file=\S+open-[0-9a-f]+\.html/)
  expect(shown).not.toContain('/enter?t=')
  await shows('Ctrl-C ends it')
})

it('[DV38] yes, and it cannot be fetched: that is said, and the device is up', async () => {
  start(FAILS)
  await answer('y\r')
  await shows('no network')
  await shows('It could not be fetched (its installer ended with code 3); going on without it.')
  await shows('no Chromium, Chrome, Edge or Brave was found')
  await shows('Ctrl-C ends it')
})

it('[DV38] no is kept: the next start does not ask, --host electron does', async () => {
  start(FETCHES)
  await answer('n\r')
  await shows('Ctrl-C ends it')
  terminal?.write('\x03')
  await vi.waitFor(() => expect(code).toBe(0), until)
  start(FETCHES)
  await shows('Ctrl-C ends it')
  expect(shown).not.toContain('Fetch it?')
  terminal?.write('\x03')
  await vi.waitFor(() => expect(code).toBe(0), until)
  start(FETCHES, ['--host', 'electron'])
  await answer('n\r')
  await shows('Ctrl-C ends it')
  expect(existsSync(path.join(electron, 'dist'))).toBe(false)
})

it('[DV38] Ctrl-C instead of an answer starts nothing', async () => {
  start(FETCHES)
  await answer('\x03')
  await vi.waitFor(() => expect(code).toBe(130), until)
  expect(shown).not.toContain('Elsewhere runs at')
  expect(existsSync(path.join(electron, 'dist'))).toBe(false)
})

it.each([
  ['--no-download', ['--no-download'], {}],
  ['CI', [], { CI: '1' }],
  ['no screen', [], { DISPLAY: '' }],
  ['--host browser', ['--host', 'browser'], {}],
] as const)('[DV38] %s: nothing is asked', async (_, args, env) => {
  start(FETCHES, args, env)
  await shows('Ctrl-C ends it')
  expect(shown).not.toContain('Fetch it?')
})
