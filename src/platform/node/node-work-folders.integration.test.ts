import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { NodeWorkFolders } from './node-work-folders.ts'

it('[FW4] they lie below one folder (0700), are told by name while they are there, and nothing else there is one', async () => {
  const top = mkdtempSync(path.join(os.tmpdir(), 'ew-work-'))
  try {
    const below = path.join(top, 'work')
    const folders = new NodeWorkFolders(below)
    expect(await folders.list()).toEqual([])
    const [a, b] = ['a'.repeat(32), 'b'.repeat(32)]
    const { path: at } = await folders.make(a)
    await folders.make(b)
    expect([at, statSync(at).mode & 0o777, statSync(below).mode & 0o777]).toEqual([path.join(below, a), 0o700, 0o700])
    mkdirSync(path.join(below, 'lost+found'))
    writeFileSync(path.join(below, `${a}.tmp`), '')
    expect((await folders.list()).toSorted()).toEqual([a, b])
    writeFileSync(path.join(at, 'half'), 'done')
    await folders.drop(a)
    await folders.drop(a)
    expect(await folders.list()).toEqual([b])
    for (const name of ['../x', 'A'.repeat(32), '']) await expect(folders.drop(name)).rejects.toMatchObject({ code: 'file/bad-path' })
    await expect(folders.open(a)).rejects.toMatchObject({ code: 'file/not-found' })
  } finally {
    rmSync(top, { recursive: true, force: true })
  }
})
