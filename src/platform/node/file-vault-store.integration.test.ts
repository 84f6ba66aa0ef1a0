import { mkdtemp, readdir, readFile, rm, stat, writeFile, chmod } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { afterAll, describe, expect, it } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { systemClock } from '../../base/clock.ts'
import { describeVaultStore } from '../../identity/vault-store.suite.ts'
import { ARGON2_FLOOR } from '../../identity/vault-format.ts'
import { Vault } from '../../identity/vault.ts'
import { FileVaultStore } from './file-vault-store.ts'
import { SodiumCrypto } from './sodium-crypto.ts'

describe('FileVaultStore', () => {
  const folders: string[] = []
  const folder = async () => {
    const made = await mkdtemp(join(tmpdir(), 'elsewhere-vault-'))
    folders.push(made)
    return made
  }
  afterAll(async () => {
    for (const made of folders) await rm(made, { recursive: true, force: true })
  })

  describeVaultStore(async () => new FileVaultStore(await folder()))

  it('[ID14] a folder that cannot be written is said with a code, not as a bug', async () => {
    const file = join(await folder(), 'a file')
    await writeFile(file, 'in the way')
    await expect(new FileVaultStore(join(file, 'data')).write('vault', utf8('x'))).rejects.toThrow(
      expect.objectContaining({ code: 'store/failed' }),
    )
  })

  it('[ID14] makes its folder, files only for their owner, and leaves no other file', async () => {
    const data = join(await folder(), 'deep', 'data')
    const store = new FileVaultStore(data)
    const umask = process.umask(0)
    try {
      await store.write('vault', utf8('x'))
      await store.write('unattended', utf8('y'))
    } finally {
      process.umask(umask)
    }
    expect((await readdir(data)).sort()).toEqual(['unattended.key', 'vault.json'])
    for (const file of ['vault.json', 'unattended.key']) expect((await stat(join(data, file))).mode & 0o777).toBe(0o600)
    expect((await stat(data)).mode & 0o077).toBe(0)
  })

  it('[ID14] tightens a file that was made readable', async () => {
    const data = await folder()
    await writeFile(join(data, 'vault.json'), 'old')
    await chmod(join(data, 'vault.json'), 0o666)
    await new FileVaultStore(data).write('vault', utf8('new'))
    expect((await stat(join(data, 'vault.json'))).mode & 0o777).toBe(0o600)
  })

  it('[ID14] a left-over half-written file is neither read nor in the way', async () => {
    const data = await folder()
    const store = new FileVaultStore(data)
    await store.write('vault', utf8('whole'))
    await writeFile(join(data, 'vault.json.new'), 'ha')
    expect(await store.read('vault')).toEqual(utf8('whole'))
    await store.write('vault', utf8('next'))
    expect(await readdir(data)).toEqual(['vault.json'])
  })

  it('[ID14] killed at any moment while writing, the file is one of those written, whole', async () => {
    const data = await folder()
    const store = new FileVaultStore(data)
    await store.write('vault', new Uint8Array(40_000).fill(97))
    const script = `
      import { FileVaultStore } from ${JSON.stringify(new URL('./file-vault-store.ts', import.meta.url).href)}
      const store = new FileVaultStore(process.argv[1])
      for (let n = 0; ; n++) { await store.write('vault', new Uint8Array(40_000).fill(97 + (n % 26))); if (n === 0) console.log('writing') }
    `
    for (let round = 0; round < 6; round++) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script, data], { stdio: ['ignore', 'pipe', 'inherit'] })
      await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()))
      await new Promise((resolve) => setTimeout(resolve, 3 * round))
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
      const bytes = await readFile(join(data, 'vault.json'))
      expect(bytes).toHaveLength(40_000)
      expect(new Set(bytes).size).toBe(1)
    }
  })

  it('[ID13] a vault on a real disk: restart, unlock, unattended', async () => {
    const data = await folder()
    const crypto = new SodiumCrypto()
    const load = () => Vault.load({ crypto, store: new FileVaultStore(data), clock: systemClock, argon2: ARGON2_FLOOR })
    const vault = await load()
    const first = { display: 'd', deviceName: 'disk', personName: 'Ada', passphrase: utf8('correct horse battery'), unattended: true }
    await vault.create(first)
    const { device } = vault.keys
    vault.dispose()
    const again = await load()
    expect(await again.startUnattended()).toBe(true)
    expect(again.keys.device).toBe(device)
    again.lockDevice()
    await again.unlock('d', utf8('correct horse battery'))
    expect(again.personKey.sign(utf8('x'))).toHaveLength(64)
    again.dispose()
  })
})
