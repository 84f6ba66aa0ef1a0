import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
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
    const { code, output } = await run('electron-builder', [
      '--config',
      'electron-builder.yml',
      '--linux',
      'dir',
      `-c.electronDist=${path.join(folder, 'electron-dist')}`,
      `-c.directories.output=${path.join(folder, 'release')}`,
      '-c.compression=store',
    ])
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
