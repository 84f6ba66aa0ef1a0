import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openDataFolder } from './data-folder.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-data-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const modeOf = (name: string) => statSync(name).mode & 0o777

it('[DV34] a folder that is made, or is empty, becomes private', () => {
  const made = path.join(folder, 'made')
  openDataFolder(made)
  expect(modeOf(made)).toBe(0o700)
  const empty = path.join(folder, 'empty')
  mkdirSync(empty)
  chmodSync(empty, 0o755)
  openDataFolder(empty)
  expect(modeOf(empty)).toBe(0o700)
})

it('[DV34] a data folder that was opened to others becomes private again', () => {
  const data = openDataFolder(path.join(folder, 'data'))
  writeFileSync(data.vault, '{}')
  chmodSync(data.path, 0o755)
  openDataFolder(data.path)
  expect(modeOf(data.path)).toBe(0o700)
})

it('[DV34] a folder of other things is refused and stays as open as it was: nobody is locked out of /tmp', () => {
  chmodSync(folder, 0o777)
  writeFileSync(path.join(folder, 'of another program'), '')
  expect(() => openDataFolder(folder)).toThrow(expect.objectContaining({ code: 'start/data-not-private' }))
  expect(modeOf(folder)).toBe(0o777)
  chmodSync(folder, 0o700)
})
