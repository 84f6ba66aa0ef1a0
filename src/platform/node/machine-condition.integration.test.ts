import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { parsePressure, SystemCondition } from './machine-condition.ts'

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

it('[JB48] pressure is read as the kernel writes it; where it does not, and where it is not asked for, there is none', () => {
  const text = 'some avg10=12.50 avg60=98.62 avg300=96.38 total=2504618749\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0'
  expect(parsePressure(text)).toEqual({ lastTenSeconds: 0.125, totalMs: 2_504_618.749 })
  expect(parsePressure('')).toBeUndefined()
  const { lastInputMs, pressure } = new SystemCondition({ ELSEWHERE_OWNER_SIGNS: '' }).ownerSigns
  expect([lastInputMs(), pressure()]).toEqual([undefined, undefined])
})
