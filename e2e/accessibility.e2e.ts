import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { E2eDevice } from './harness/e2e-device.ts'
import { E2eBrowser, E2eDisplay } from './harness/e2e-display.ts'
import { findings, runFromPalette } from './harness/hands.ts'

/** Screens, menus and dialogs that desktop.e2e.ts does not look at: every app, every page of Settings, pairing, hand-over. */
describe('axe finds nothing serious in any app, page, menu or dialog', () => {
  let device: E2eDevice
  let browser: E2eBrowser
  beforeAll(async () => {
    device = await E2eDevice.start({ name: 'kitchen' })
    await device.create('Maria')
    browser = await E2eBrowser.launch()
  })
  afterAll(async () => {
    await browser?.dispose()
    await device?.dispose()
  })

  it.each(['light', 'dark'] as const)('in %s', async (colorScheme) => {
    const display = await E2eDisplay.open(device, browser, { colorScheme, reducedMotion: 'reduce' })
    const { page } = display
    page.setDefaultTimeout(15_000)
    await display.unlock()
    const found: string[] = []
    const look = async (where: string) => found.push(...(await findings(page, where)))
    const front = page.locator('.window[data-active]')

    for (const [words, title, content] of [
      ['terminal', /^Terminal/, '.xterm'],
      ['editor', /^Editor/, '.cm-content'],
      ['files', /^Files/, '.files, .app'],
      ['web', /^Web/, '.app'],
      ['task', /^Task/, '.app'],
      ['devices', /^Devices/, '.devices'],
      ['settings', /^Settings/, '.settings, .app'],
    ] as const) {
      await runFromPalette(page, words, title)
      await front.locator(content).first().waitFor()
      await look(words)
    }
    for (const name of ['Appearance', 'Keys', 'This device', 'Security', 'About']) {
      await front.getByText(name, { exact: true }).first().click()
      await look(`settings, ${name}`)
    }
    await runFromPalette(page, 'devices', /^Devices/)
    await front.getByRole('button', { name: 'Actions for kitchen' }).click()
    await page.getByRole('menuitem', { name: 'Rename' }).waitFor()
    await look('menu of a device')
    await page.getByRole('menuitem', { name: 'Rename' }).click()
    await page.getByRole('dialog', { name: 'Rename kitchen' }).waitFor()
    await look('a dialog')
    await page.getByRole('button', { name: 'Cancel' }).click()
    await front.getByRole('button', { name: 'Link another device' }).click()
    await look('pairing, the choice')
    await front.getByRole('button', { name: 'Show a code' }).click()
    await front.locator('.pairing-code').waitFor()
    await look('pairing, the code')
    await front.getByRole('button', { name: 'Cancel' }).click()

    await front.getByRole('tab').first().click({ button: 'right' })
    await page.getByRole('menu').waitFor()
    await look('menu of a tab')
    await page.keyboard.press('Escape')
    await page.keyboard.down('Alt')
    await page.keyboard.press('q')
    await page.getByRole('listbox', { name: 'Windows' }).waitFor()
    await look('switcher')
    await page.keyboard.press('Escape')
    await page.keyboard.up('Alt')

    const other = await E2eDisplay.open(device, browser)
    await other.unlock('move')
    await page.getByText(/^You are on/).waitFor()
    await look('hand-over')
    await other.close()
    await display.close()
    expect(found).toEqual([])
  })
})
