import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { whyNoNetLab } from '../src/testkit/netlab.ts'
import type { DemoResult } from './demo/run-demo.ts'
import { whyNoBrowser } from './harness/chromium.ts'

const RUN = path.resolve(import.meta.dirname, '../scripts/run.mjs')
const PNG_SIGNATURE = '89504e470d0a1a0a'

it.skipIf(whyNoBrowser !== undefined)(
  'the demo: three devices, the same desk beside, then moved; five pictures of it',
  { timeout: 240_000 },
  async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'ew-demo-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const json = path.join(folder, 'demo.json')
    const { stdout } = await promisify(execFile)(process.execPath, [RUN, 'demo', '--json', json])
    const result = JSON.parse(await readFile(json, 'utf8')) as DemoResult

    expect(new Set(result.devices).size).toBe(3)
    expect(result.inNamespaces).toBe(whyNoNetLab() === undefined)
    const { laptop, kitchen } = result.beside
    expect(laptop).toHaveLength(4)
    expect(kitchen).toEqual(laptop)
    expect(result.pictures.map((picture) => path.basename(picture))).toEqual([
      'beside-laptop.png',
      'beside-kitchen.png',
      'move-laptop.png',
      'move-kitchen.png',
      'move-kitchen-dark.png',
    ])
    for (const picture of result.pictures) {
      const bytes = await readFile(picture)
      expect(bytes.subarray(0, 8).toString('hex')).toBe(PNG_SIGNATURE)
      expect(bytes.length).toBeGreaterThan(10_000)
    }
    for (const { what } of result.timings) expect(stdout).toContain(what)
  },
)
