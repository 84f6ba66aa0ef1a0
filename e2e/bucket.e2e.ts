import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { S3Server } from '../src/testkit/s3-server.ts'
import { E2eDevice } from './harness/e2e-device.ts'
import { E2eBrowser, E2eDisplay } from './harness/e2e-display.ts'
import { keepEvidence } from './harness/evidence.ts'
import { runFromPalette } from './harness/hands.ts'
import { describeInBrowser } from './harness/needs.ts'

const PICTURES = process.env.ELSEWHERE_PICTURES

/** A real device and browser, and a real S3 server. */
describeInBrowser('a bucket in Settings', () => {
  const server = new S3Server()
  let device: E2eDevice
  let browser: E2eBrowser
  let display: E2eDisplay

  beforeAll(async () => {
    await server.start()
    device = await E2eDevice.start({ name: 'study' })
    await device.create('Maria')
    browser = await E2eBrowser.launch()
    display = await E2eDisplay.open(device, browser, { reducedMotion: 'reduce' })
    display.page.setDefaultTimeout(30_000)
  })
  afterEach((context) => keepEvidence(context, { display }))
  afterAll(async () => {
    await browser?.dispose()
    await device?.dispose()
    await server.dispose()
  })

  const front = () => display.page.locator('.window[data-active]')
  // A dialog goes when the window is laid out anew for a small screen.
  const look = async (name: string, isDialog = false) => {
    if (PICTURES === undefined) return
    const sizes = [['large', 1400, 900] as const, ...(isDialog ? [] : [['small', 420, 800] as const])]
    for (const [size, width, height] of sizes)
      for (const colorScheme of ['light', 'dark'] as const) {
        await display.page.setViewportSize({ width, height })
        await display.page.emulateMedia({ colorScheme })
        await display.page.locator(`html[data-theme="${colorScheme}"]`).waitFor({ state: 'attached' })
        const shown = display.page
          .getByRole('dialog', { name: 'Add a bucket' })
          .or(display.page.getByRole('region', { name: 'Copy in a bucket' }))
        await shown.last().scrollIntoViewIfNeeded()
        await display.page.screenshot({ path: `${PICTURES}/${name}-${size}-${colorScheme}.png` })
      }
    await display.page.setViewportSize({ width: 1400, height: 900 })
    await display.page.emulateMedia({ colorScheme: 'light' })
  }

  it('[AP142] is tried, added, shown with what it holds, and removed; its secret is on no page', async () => {
    const { page } = display
    await display.unlock()
    await runFromPalette(page, 'settings', /^Settings/)
    await front().getByText('This device', { exact: true }).first().click()
    const group = page.getByRole('region', { name: 'Copy in a bucket' })
    await group.getByText('No bucket').waitFor()
    await look('none')
    await group.getByRole('button', { name: 'Add a bucket…' }).click()
    const dialog = page.getByRole('dialog', { name: 'Add a bucket' })
    await dialog.getByLabel('Address of the service').fill(server.endpoint)
    await dialog.getByLabel('Name of the bucket').fill(server.bucket)
    await dialog.getByLabel('Access key').fill('nobody')
    await dialog.getByLabel('Its secret').fill(server.secretAccessKey)
    await dialog.getByRole('button', { name: 'Try and add it' }).click()
    await dialog.getByText(/refused/).waitFor()
    await look('refused', true)
    await dialog.getByLabel('Access key').fill(server.accessKeyId)
    await dialog.getByRole('button', { name: 'Try and add it' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await group.getByText(/Holds everything/).waitFor()
    expect(await page.content()).not.toContain(server.secretAccessKey)
    await look('holds')
    await group.getByRole('button', { name: 'Remove…' }).click()
    await page
      .getByRole('dialog', { name: `Do without ${server.bucket}?` })
      .getByRole('button', { name: 'Remove' })
      .click()
    await group.getByText('No bucket').waitFor()
  })
})
