import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { silentLogger } from '../../base/logger.ts'
import { homeFilesContract } from '../../files/home-files-contract.ts'
import { connectUnixSocket } from '../../platform/node/unix-socket-transport.ts'
import { createClient } from '../../rpc/client.ts'
import { startFiles } from './start-files.ts'

const cleanUps: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

it('[FS3] the files process serves this account alone, with texts up to 8 MiB and names in its errors', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-files-'))
  const home = path.join(folder, 'home')
  const device = 'this one, whatever it is called'
  mkdirSync(home)
  const socketPath = path.join(folder, 'files.sock')
  const files = await startFiles({
    socketPath,
    datasetsFolder: path.join(folder, 'datasets'),
    workFolder: path.join(folder, 'work'),
    log: silentLogger,
    environment: { HOME: home },
  })
  const client = createClient(homeFilesContract, await connectUnixSocket(socketPath))
  cleanUps.push(async () => {
    client.dispose()
    await files.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  expect(statSync(socketPath).mode & 0o777).toBe(0o600)
  expect(await client.homeFolder({ device })).toEqual({ path: home })
  const file = path.join(home, 'note')
  const text = 'ä'.repeat(4 * 1024 * 1024)
  const { version } = await client.writeText({ device, path: file, text, expectedVersion: null })
  expect(await client.readText({ device, path: file })).toEqual({ text, version, readOnly: false })
  await expect(client.writeText({ device, path: file, text: `${text}ä`, expectedVersion: version })).rejects.toMatchObject({
    code: 'file/too-large',
  })
  await expect(client.writeText({ device, path: file, text: 'x', expectedVersion: 'old' })).rejects.toMatchObject({ code: 'file/changed' })
  await expect(client.readText({ device, path: '/etc/passwd' })).rejects.toMatchObject({
    code: 'file/outside-home',
    message: expect.stringContaining('/etc/passwd'),
  })
  const { trashedTo } = await client.trashEntry({ device, path: file })
  expect(readFileSync(trashedTo, 'utf8')).toBe(text)
})
