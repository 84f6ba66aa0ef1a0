import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { readProgramRelease } from '../../identity/programs/program-release.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import { programCommand } from './program-command.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'ew-release-'))
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true, force: true })
})

it('[ID162] a release of programs of this machine is signed with the key of a file, and reads as one', async () => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const key = path.join(folder, 'key.pem')
  writeFileSync(key, privateKey.export({ format: 'pem', type: 'pkcs8' }))
  const said = vi.spyOn(console, 'log').mockImplementation(() => {})
  vi.spyOn(console, 'error').mockImplementation(() => {})
  const known = `sha256:${'ab'.repeat(32)}`
  expect(await programCommand.run(['release', 'sh', known, '--key', key, '--name', 'the shell', '--release', '1'])).toBe(0)
  const release = readProgramRelease(new SodiumCrypto(), JSON.parse(String(said.mock.calls[0]?.[0])))
  expect([release.name, release.release, release.ids.length, release.ids.includes(known)]).toEqual(['the shell', '1', 2, true])
  const image = ['release', `image:${known}`, '--key', key, '--name', 'x', '--release', '1']
  await expect(programCommand.run(image)).rejects.toEqual(expect.objectContaining({ code: 'grant/image' })) // [ID166]
  await expect(programCommand.run(['release', 'sh', '--name', 'x', '--release', '1'])).rejects.toThrow('--key')
})
