import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { whyNoNetLab } from '../src/testkit/netlab.ts'
import { whyNoBrowser } from './harness/chromium.ts'
import type { E2eDisplay } from './harness/e2e-display.ts'
import { E2eLab } from './harness/e2e-pair.ts'
import { keepEvidence } from './harness/evidence.ts'
import { findings } from './harness/hands.ts'

const why = whyNoNetLab() ?? whyNoBrowser

describe.skipIf(why !== undefined)(`a command sent elsewhere${why ? ` (${why})` : ''}`, () => {
  let lab: E2eLab
  let display: E2eDisplay

  beforeAll(async () => {
    lab = await E2eLab.create('kitchen', 'server')
    display = await lab.display('kitchen', 'move', { reducedMotion: 'reduce' })
    display.page.setDefaultTimeout(20_000)
  })
  afterEach((context) => keepEvidence(context, { display }))
  afterAll(() => lab?.dispose())

  const tile = (name: string) =>
    display.page.locator('.device-tile').filter({ has: display.page.getByRole('button', { name: new RegExp(`^(?:Run on )?${name}:`) }) })

  it('[AP95] by keyboard: what it is and every reason while it is typed; a tile starts it over there', async () => {
    const { page } = display
    await expect.poll(() => tile('server').getAttribute('data-state')).toBe('linked')
    await page.keyboard.press('Control+Shift+E')
    const field = page.getByRole('textbox', { name: 'Run a command elsewhere' })
    await field.waitFor()
    await expect.poll(() => field.evaluate((one) => one === document.activeElement)).toBe(true)

    await page.keyboard.type('gimp picture.png')
    await tile('server').getByText('needs your display').waitFor()
    expect(await tile('server').getAttribute('data-takes')).toBe('no')
    expect(await tile('kitchen').getAttribute('data-takes')).toBe('best')

    await field.fill('readlink /proc/self/ns/net > where && sleep 600')
    await page.getByText('Ends by itself ·').waitFor()
    await expect.poll(() => tile('server').getAttribute('data-takes')).toBe('yes')
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.locator(`html[data-theme="${colorScheme}"]`).waitFor({ state: 'attached' })
      expect(await findings(page, `the dock with a command, ${colorScheme}`)).toEqual([])
    }
    await page.getByRole('button', { name: /^Run on server:/ }).click()

    // what it wrote is the name of the other machine's network namespace, in the other machine's home
    const namespaceOf = async (name: string) => {
      const child = lab.lab.machine(name).spawn('readlink', ['/proc/self/ns/net'], { stdio: ['ignore', 'pipe', 'ignore'] })
      let text = ''
      for await (const part of child.stdout ?? []) text += String(part)
      return text
    }
    const written = () => readFile(path.join(lab.machine('server').device.folder, 'where'), 'utf8').catch(() => '')
    await expect.poll(written).toBe(await namespaceOf('server'))
    expect(await namespaceOf('kitchen')).not.toBe(await namespaceOf('server'))
    const device = lab.machine('server').deviceId
    await expect.poll(async () => (await lab.ask('kitchen', (client) => client.listTerminals({ device }))).length).toBe(1)
    await page.locator('.window[data-active] .xterm').waitFor()
  })
})
