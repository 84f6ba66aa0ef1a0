import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { SystemCondition } from './machine-condition.ts'

let folder = ''
beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'ew-condition-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('[JB34] a tool is there when a program of that name lies on the path', () => {
  mkdirSync(path.join(folder, 'folder'))
  writeFileSync(path.join(folder, 'text'), '')
  writeFileSync(path.join(folder, 'program'), '')
  chmodSync(path.join(folder, 'program'), 0o755)
  const condition = new SystemCondition({ PATH: `/nowhere${path.delimiter}${folder}` })
  expect(condition.missing(['program', 'text', 'folder', 'other'])).toEqual(['text', 'folder', 'other'])
})

it('[JB34] a folder is measured without following links out of it, and what is not there is empty', async () => {
  mkdirSync(path.join(folder, 'a'))
  writeFileSync(path.join(folder, 'a', 'x'), 'x'.repeat(1_000))
  symlinkSync('/usr', path.join(folder, 'out'))
  symlinkSync(folder, path.join(folder, 'round'))
  const condition = new SystemCondition({})
  expect(await condition.measureFolder(folder)).toEqual({ bytes: 1_000, files: 1, complete: true })
  expect(await condition.measureFolder(path.join(folder, 'gone'))).toEqual({ bytes: 0, files: 0, complete: true })
})

it('[JB34] the speed is measured once, and is a plain number', async () => {
  const condition = new SystemCondition({})
  const speed = await condition.speed()
  expect(speed).toBeGreaterThan(0.01)
  expect(await condition.speed()).toBe(speed)
})
