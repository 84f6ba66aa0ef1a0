import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { dataFolderAt } from './data-folder.ts'
import { DisplayLauncher } from './display-launcher.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-launcher-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('[DV33] a browser that cannot be started is said, with a way in, and keeps nothing from ending', async () => {
  const broken = path.join(folder, 'browser')
  mkdirSync(broken) // can be entered, and so looks like a program to whoever only asks for that bit
  const launcher = new DisplayLauncher(dataFolderAt(folder), systemClock, silentLogger)
  const environment = { DISPLAY: ':1', ELSEWHERE_BROWSER: broken }
  const opened = await launcher.open('browser', environment, async () => 'http://desk.localhost:1/enter?t=x')
  expect(opened).toMatchObject({ kind: 'none', url: 'http://desk.localhost:1/enter?t=x', reason: expect.stringContaining(broken) })
  await launcher.dispose()
  expect(launcher.count).toBe(0)
  expect(readdirSync(folder)).toEqual(['browser']) // the file with the first URL is gone
})
