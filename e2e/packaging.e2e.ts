import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { extractFile, listPackage } from '@electron/asar'
import { FuseState, FuseV1Options, getCurrentFuseWire } from '@electron/fuses'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeFakeElectronDist } from '../scripts/fake-electron-dist.ts'
import { run } from '../scripts/project.ts'
import { stageNative } from '../scripts/stage-native.ts'
import { E2eDevice } from './harness/e2e-device.ts'

const execute = promisify(execFile)
/** electron-builder packs archives with a 7z of its own, which it would download. */
const SEVEN_ZIP = ['/usr/bin/7z', '/usr/bin/7za'].find((file) => existsSync(file))

/**
 * electron-builder makes a deb by fpm, which it would download. In its place a script that keeps what it was asked for: proves
 * what goes into the deb, not that fpm makes one of it.
 */
async function recordingFpm(folder: string): Promise<string> {
  const script = path.join(folder, 'fpm')
  const lines = [
    '#!/bin/sh',
    `printf '%s\\n' "$@" > ${folder}/fpm.args`,
    'while [ $# -gt 0 ]; do',
    '  [ "$1" = --package ] && echo "no package" > "$2"',
    `  case "$1" in *.desktop=*) cp "\${1%%=*}" ${folder}/fpm.desktop;; esac`,
    '  shift',
    'done',
  ]
  await writeFile(script, `${lines.join('\n')}\n`, { mode: 0o755 })
  return script
}

/**
 * electron-builder really runs, over a folder that it takes for an Electron distribution (its binary cannot be had here):
 * what is laid out, what is inside the asar, which fuses are flipped, and whether the device starts from it.
 */
describe.skipIf(process.platform !== 'linux')('packaging', () => {
  let folder = ''
  let unpacked = ''

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'ew-package-'))
    await stageNative()
    await makeFakeElectronDist(path.join(folder, 'electron-dist'), '45.4.1')
    const { code, output } = await run(
      'electron-builder',
      [
        '--config',
        'electron-builder.yml',
        '--linux',
        'dir',
        'deb',
        ...(SEVEN_ZIP ? ['tar.gz'] : []),
        `-c.electronDist=${path.join(folder, 'electron-dist')}`,
        `-c.directories.output=${path.join(folder, 'release')}`,
        '-c.compression=store',
      ],
      { env: { CUSTOM_FPM_PATH: await recordingFpm(folder), ...(SEVEN_ZIP && { ELECTRON_BUILDER_7ZIP_PATH: SEVEN_ZIP }) } },
    )
    expect(code, output).toBe(0)
    unpacked = path.join(folder, 'release', 'linux-unpacked')
  })
  afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))

  it('the asar holds main and preload, and nothing that runs elsewhere', async () => {
    const asar = path.join(unpacked, 'resources/app.asar')
    const files = listPackage(asar, { isPack: false })
    expect(files).toContain('/dist/electron/main.mjs')
    expect(files).toContain('/dist/electron/preload.cjs')
    expect(files.filter((file) => file.includes('node_modules') || file.endsWith('.map') || file.includes('daemon'))).toEqual([])
    expect(JSON.parse(extractFile(asar, 'package.json').toString())).toMatchObject({ name: 'elsewhere', main: 'dist/electron/main.mjs' })
  })

  it('the fuses are flipped as electron-builder.yml says', async () => {
    const wire = await getCurrentFuseWire(path.join(unpacked, 'elsewhere'))
    const on = [
      FuseV1Options.EnableCookieEncryption,
      FuseV1Options.EnableEmbeddedAsarIntegrityValidation,
      FuseV1Options.OnlyLoadAppFromAsar,
    ]
    const off = [
      FuseV1Options.RunAsNode,
      FuseV1Options.EnableNodeOptionsEnvironmentVariable,
      FuseV1Options.EnableNodeCliInspectArguments,
      FuseV1Options.LoadBrowserProcessSpecificV8Snapshot,
      FuseV1Options.GrantFileProtocolExtraPrivileges,
    ]
    for (const fuse of on) expect(wire[fuse], FuseV1Options[fuse]).toBe(FuseState.ENABLE)
    for (const fuse of off) expect(wire[fuse], FuseV1Options[fuse]).toBe(FuseState.DISABLE)
  })

  it('its own licence, all names and all texts of what is in it', async () => {
    const text = (name: string) => readFile(path.join(unpacked, 'resources', name), 'utf8')
    expect(await text('LICENSE')).toBe(await readFile('LICENSE', 'utf8'))
    expect(await text('NOTICE')).toBe(await readFile('NOTICE', 'utf8'))
    const texts = await text('LICENSES.txt')
    const { dependencies } = JSON.parse(await readFile('package.json', 'utf8'))
    for (const name of [...Object.keys(dependencies), 'react', `node-bin-linux-${process.arch}`])
      expect(texts, name).toContain(`\n${name} `)
    expect(texts).toContain('Copyright (c) Meta Platforms') // the words a bundle would else lose
  })

  it.skipIf(!SEVEN_ZIP)('the tar.gz holds the same tree, ready to run', async () => {
    const archive = path.join(
      folder,
      'release',
      (await readdir(path.join(folder, 'release'))).find((name) => name.endsWith('.tar.gz')) ?? '',
    )
    const { stdout } = await execute('tar', ['-tzvf', archive], { maxBuffer: 64 * 1024 * 1024 })
    const modeOf = (name: string) =>
      stdout
        .split('\n')
        .find((line) => line.endsWith(`/${name}`))
        ?.slice(0, 10)
    expect([modeOf('elsewhere'), modeOf('resources/device/bin/node')]).toEqual(['-rwxr-xr-x', '-rwxr-xr-x'])
    for (const name of ['resources/app.asar', 'resources/LICENSES.txt', 'resources/device/dist/daemon/supervisor.mjs'])
      expect(modeOf(name), name).toMatch(/^-rw-/)
  })

  it('the deb has the whole tree, icons of every size and a menu entry that takes no links', async () => {
    const args = (await readFile(path.join(folder, 'fpm.args'), 'utf8')).split('\n')
    const entries = args.filter((arg) => arg.includes('=/'))
    const targets = entries.map((entry) => entry.slice(entry.indexOf('=') + 1))
    expect(entries).toContain(`${unpacked}/=/opt/Elsewhere`)
    for (const size of [16, 32, 48, 64, 128, 256, 512])
      expect(targets).toContain(`/usr/share/icons/hicolor/${size}x${size}/apps/elsewhere.png`)
    expect(args).toEqual(expect.arrayContaining(['libsecret-1-0', 'elsewhere', 'Apache-2.0']))
    const menu = await readFile(path.join(folder, 'fpm.desktop'), 'utf8')
    expect(menu).toMatch(/^Exec=\/opt\/Elsewhere\/elsewhere /m)
    expect(menu).toMatch(/^Icon=elsewhere$/m)
    expect(menu).not.toContain('MimeType')
  })

  it('a device starts from the unpacked tree, on the Node that lies in it, and serves its desk', async () => {
    const device = path.join(unpacked, 'resources/device')
    expect((await readdir(device)).sort()).toEqual(['bin', 'dist', 'node_modules', 'package.json'])
    const node = path.join(device, 'bin/node')
    const { stdout } = await execute(node, ['--version'])
    expect(stdout).toMatch(/^v24\./)
    const running = await E2eDevice.start({ name: 'packaged', node, supervisor: path.join(device, 'dist/daemon/supervisor.mjs') })
    try {
      await running.create('Ada')
      const { device: pid } = await running.processes()
      expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).toContain(device)
      const { origin } = await running.status()
      // The desk needs the entrance's cookie: an address alone opens nothing.
      expect((await fetch(origin.replace(/\/\/[^:]+/, '//127.0.0.1'), { headers: { host: new URL(origin).host } })).status).toBeLessThan(
        500,
      )
    } finally {
      await running.dispose()
    }
  })
})
