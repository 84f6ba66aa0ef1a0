import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Assets } from './assets.ts'
import { compressBrotli } from './compression.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'ew-assets-'))
  await writeFile(path.join(folder, 'index.html'), '<p>a page</p>'.repeat(100))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const unpacked = async (assets: Assets) => {
  const answer = await assets.get('/index.html')?.body('br')
  expect(answer?.encoding).toBe('br')
  return brotliDecompressSync(answer?.bytes ?? new Uint8Array()).toString()
}

it('[DV75] what the build compressed is served as it is, and is no page of its own', async () => {
  await writeFile(path.join(folder, 'index.html.br'), await compressBrotli(Buffer.from('from the build')))
  const assets = new Assets(folder)
  expect(await unpacked(assets)).toBe('from the build')
  expect(assets.get('/index.html.br')).toBeUndefined()
})

it('[DV75] what the build did not compress is compressed when it is asked for', async () => {
  expect(await unpacked(new Assets(folder))).toBe('<p>a page</p>'.repeat(100))
})
