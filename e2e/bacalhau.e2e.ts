import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { displayContract } from '../src/device/display-contract.ts'
import type { JobInfo } from '../src/jobs/jobs-contract.ts'
import { dataFolderAt } from '../src/main/daemon/data-folder.ts'
import { connectUnixSocket } from '../src/platform/node/unix-socket-transport.ts'
import { createClient } from '../src/rpc/client.ts'
import { BacalhauNode } from '../src/testkit/bacalhau-node.ts'
import { whyNoBrowser } from './harness/chromium.ts'
import { E2eDevice } from './harness/e2e-device.ts'
import { E2eBrowser, E2eDisplay } from './harness/e2e-display.ts'
import { eventually } from './harness/e2e-pair.ts'
import { drag, findings, middle } from './harness/hands.ts'

const KEY = 'a-key-of-twenty-letters'
const CLI = path.resolve(import.meta.dirname, '../bin/elsewhere.mjs')
const PATIENCE_MS = 60_000
const SHOTS = process.env.ELSEWHERE_SHOTS

/** Against a fake after its published API, not against Bacalhau: jobs really run, as processes of this machine. */
describe('jobs on Bacalhau (a fake of its API)', () => {
  let device: E2eDevice
  let node: BacalhauNode
  let folder: string

  beforeAll(async () => {
    node = await BacalhauNode.start({ key: KEY })
    device = await E2eDevice.start({ name: 'laptop' })
    await device.create('Ada')
    folder = path.join(device.folder, 'project')
    mkdirSync(folder)
  }, 120_000)
  afterAll(async () => {
    await device?.dispose()
    await node?.dispose()
  })

  const elsewhere = (args: readonly string[], input = '') => {
    const env = { ...process.env, HOME: device.folder, ELSEWHERE_DATA: device.folder }
    const child = spawn(process.execPath, [CLI, ...args], { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'] })
    const seen = { out: '', err: '' }
    child.stdout.on('data', (bytes) => (seen.out += String(bytes)))
    child.stderr.on('data', (bytes) => (seen.err += String(bytes)))
    child.stdin.end(input)
    return new Promise<{ code: number | null; out: string; err: string }>((resolve) =>
      child.on('close', (code) => resolve({ code, ...seen })),
    )
  }
  const newest = async (): Promise<JobInfo | undefined> => {
    const asking = createClient(displayContract, await connectUnixSocket(dataFolderAt(device.folder).deviceSocket))
    try {
      return (await asking.listJobs({}))[0]
    } finally {
      asking.dispose()
    }
  }

  it('[EN7][EN8][EN9] by the command line: added with a key, explained, run in an image, results in the folder; the key is nowhere on the disk', async () => {
    const add = (key: string) =>
      elsewhere(['engine', 'add', 'net', '--kind', 'bacalhau', '--url', node.url, '--image', 'busybox:1.37'], key)
    expect(await add('nonsense')).toMatchObject({ code: 1, err: expect.stringContaining('[engine/refused]') })
    expect(await add(`${KEY}\n`)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^net +ready .*busybox:1\.37\n +Bacalhau v1\.9.*runs docker and wasm\n$/),
    })
    for (const file of ['store.sqlite', 'store.sqlite-wal', 'settings.json'])
      expect(readFileSync(path.join(device.folder, file)).includes(KEY), file).toBe(false)
    writeFileSync(path.join(folder, 'words'), 'pear\napple\n')
    expect((await elsewhere(['run', '--on', 'net', '--explain', 'sort', 'words'])).out).toMatch(/^\* net +[\d.]+ m?s +you chose it$/m)
    const line = 'sort words > sorted; echo out; exit 3'
    expect(await elsewhere(['run', '--on', 'net', '--image', 'alpine:3', line])).toMatchObject({ code: 3, out: 'out\n' })
    expect(readFileSync(path.join(folder, 'sorted'), 'utf8')).toBe('apple\npear\n')
    expect(node.network.jobs[0]?.spec.Tasks[0]?.Engine.Params).toMatchObject({ Image: 'alpine:3' })
    expect(await elsewhere(['engine', 'remove', 'net'])).toMatchObject({ code: 0 })
  }, 120_000)

  it.skipIf(whyNoBrowser !== undefined)(
    '[AP145][AP141] by the screen: added in Settings, a script dragged onto its tile runs there, and what it left is in the folder',
    async () => {
      const browser = await E2eBrowser.launch()
      const display = await E2eDisplay.open(device, browser, { reducedMotion: 'reduce' })
      try {
        await display.unlock('move')
        const { page } = display
        page.setDefaultTimeout(20_000)
        const shot = async (name: string) => (SHOTS ? void (await display.screenshot(path.join(SHOTS, `bacalhau-${name}.png`))) : undefined)
        await display.openApp('Settings')
        await page.getByRole('navigation', { name: 'Settings pages' }).getByText('This device', { exact: true }).click()
        await page.getByRole('button', { name: 'Add an engine…' }).click()
        const dialog = page.getByRole('dialog', { name: 'Add an engine' })
        await dialog.getByLabel('What you call it').fill('net')
        await dialog.getByLabel('Address of its API').fill(node.url)
        await dialog.getByLabel('Image for jobs that name none').fill('busybox:1.37')
        await dialog.getByLabel('API key, if it asks for one').fill('wrong')
        await dialog.getByRole('button', { name: 'Try and add it' }).click()
        await dialog.getByText('does not take the key').waitFor()
        await shot('add')
        expect(await findings(page, 'the dialog of an engine')).toEqual([])
        await dialog.getByLabel('API key, if it asks for one').fill(KEY)
        await dialog.getByRole('button', { name: 'Try and add it' }).click()
        await dialog.waitFor({ state: 'hidden' })
        await page.getByRole('region', { name: 'Engines' }).getByText('runs docker and wasm').waitFor()
        await page.getByRole('region', { name: 'Engines' }).scrollIntoViewIfNeeded()
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
          await page.locator(`html[data-theme="${colorScheme}"]`).waitFor({ state: 'attached' })
          await shot(`settings-${colorScheme}`)
          expect(await findings(page, `engines in Settings, ${colorScheme}`)).toEqual([])
        }
        writeFileSync(path.join(folder, 'words'), 'pear\napple\n')
        writeFileSync(path.join(folder, 'work.sh'), '#!/bin/sh\necho at work\nsleep 1\nsort words > dragged\n')
        await display.openApp('Files')
        await page.getByRole('option', { name: /^project/ }).dblclick()
        await page.getByRole('option', { name: /^work\.sh/ }).waitFor()
        const tile = page.locator('[data-device-tile="engine:net"]')
        await drag(page, await middle(page.getByRole('option', { name: /^work\.sh/ })), { x: 1400, y: 400 }, false)
        await page.getByText('Wherever it suits').waitFor()
        await expect.poll(() => tile.getAttribute('data-takes'), { timeout: 20_000 }).toMatch(/yes|best/)
        await page.mouse.move(1402, 402, { steps: 2 })
        let before = ''
        await expect
          .poll(
            async () => {
              const { x, y } = await middle(tile)
              const isStill = before === `${x} ${y}`
              before = `${x} ${y}`
              await page.mouse.move(x, y, { steps: 3 })
              return isStill
            },
            { timeout: 20_000 },
          )
          .toBe(true)
        await expect.poll(() => tile.textContent(), { timeout: 20_000 }).not.toContain('asking')
        await shot('drag')
        await page.mouse.up()
        const card = page.getByRole('article', { name: 'Job: sh ./work.sh' })
        await card.getByText('Done', { exact: true }).waitFor()
        expect(await card.textContent()).toContain('net')
        expect(readFileSync(path.join(folder, 'dragged'), 'utf8')).toBe('apple\npear\n')
        await page.getByRole('option', { name: /^dragged/ }).waitFor()
        await shot('done')
      } finally {
        await display.close()
        await browser.dispose()
      }
    },
    180_000,
  )

  it('[EN6][EN10][EN13] the device is killed while a job writes, its log is cut, its engine is another: nothing is lost, shown twice or begun twice', async () => {
    if (!(await elsewhere(['engine', 'list'])).out.startsWith('net'))
      await elsewhere(['engine', 'add', 'net', '--kind', 'bacalhau', '--url', node.url, '--image', 'busybox:1.37'], KEY)
    const runs = node.network.runs
    node.faults.cutLogAfter = 3
    const line = 'for n in 1 2 3 4 5 6 7 8; do echo "line $n"; sleep 0.5; done; echo over > finished'
    const { out: id } = await elsewhere(['run', '--detach', '--on', 'net', line])
    await eventually('it has written something', async () => ((await newest())?.outputBytes ?? 0) > 0, PATIENCE_MS)
    // Another network by that name, and none: it is followed where it was sent, and not left behind unasked.
    expect((await elsewhere(['engine', 'list'])).out).toContain('a job of yours runs there')
    expect(await elsewhere(['engine', 'remove', 'net'])).toMatchObject({ code: 1, err: expect.stringContaining('[engine/in-use]') })
    const team = ['engine', 'add', 'net', '--kind', 'bacalhau', '--url', node.url, '--namespace', 'team']
    expect(await elsewhere(team, KEY)).toMatchObject({ code: 0, out: expect.stringContaining('namespace team') })
    await device.kill('device')
    node.faults.cutLogAfter = 9
    await eventually('it is open again', () => device.unlockDevice().then(() => true), PATIENCE_MS)
    await eventually('it has ended', async () => (await newest())?.state === 'done', PATIENCE_MS)
    const all = Array.from({ length: 8 }, (_, n) => `line ${n + 1}\n`).join('')
    expect(await elsewhere(['logs', id.trim()])).toMatchObject({ code: 0, out: all })
    expect(readFileSync(path.join(folder, 'finished'), 'utf8')).toBe('over\n')
    expect(node.network.runs - runs).toBe(1)
    const { out: other } = await elsewhere(['run', '--detach', '--on', 'net', '--image', 'busybox:1.37', 'echo begun; sleep 600'])
    await eventually('it runs', async () => (await newest())?.state === 'running', PATIENCE_MS)
    expect(node.network.jobs.at(-1)?.spec.Namespace).toBe('team')
    expect(await elsewhere(['engine', 'remove', 'net', '--force'])).toMatchObject({ code: 0 })
    await eventually('it is said', async () => (await newest())?.waitingFor?.startsWith('[engine/unknown]'), PATIENCE_MS)
    expect((await elsewhere(['jobs'])).out).toContain('[engine/unknown]')
    await elsewhere(['cancel', other.trim()])
    expect(await elsewhere(team, KEY)).toMatchObject({ code: 0 })
    await eventually('it is ended there', async () => node.network.jobs.at(-1)?.state === 'Stopped', PATIENCE_MS)
  }, 180_000)
})
