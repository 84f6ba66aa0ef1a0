import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { E2eDevice } from './harness/e2e-device.ts'
import { E2eBrowser, E2eDisplay } from './harness/e2e-display.ts'
import { eventually } from './harness/e2e-pair.ts'
import { keepEvidence } from './harness/evidence.ts'
import { FakeShell } from './harness/fake-shell.ts'
import { runFromPalette } from './harness/hands.ts'
import { describeInBrowser } from './harness/needs.ts'

/** A host whose system has a key store, by a bridge that records; the device is real and really restarts. */
describeInBrowser('the key store of the computer', () => {
  let device: E2eDevice
  let browser: E2eBrowser
  let display: E2eDisplay
  let shell: FakeShell

  beforeAll(async () => {
    device = await E2eDevice.start({ name: 'study' })
    await device.create('Maria')
    browser = await E2eBrowser.launch()
    display = await E2eDisplay.open(device, browser, { prepare: async (page) => void (shell = await FakeShell.under(page)) })
    display.page.setDefaultTimeout(15_000)
    await display.unlock()
  })
  afterEach((context) => keepEvidence(context, { display }))
  afterAll(async () => {
    await browser?.dispose()
    await device?.dispose()
  })

  const option = () => display.page.getByRole('switch', { name: /key store of this computer opens it/ })
  const openSecurity = async () => {
    await runFromPalette(display.page, 'settings', /^Settings/)
    await display.page
      .getByRole('tab', { name: 'Security' })
      .or(display.page.getByRole('button', { name: 'Security' }))
      .first()
      .click()
  }
  const restart = async () => {
    const { device: before } = await device.processes()
    await device.kill('device')
    await eventually('another process', async () => (await device.processes())['device'] !== before)
    await display.page.getByLabel('Passphrase').waitFor({ timeout: 40_000 })
  }
  const phase = async () => (await device.status()).phase

  it('[ID28] is not offered where it keeps nothing secret, and then a restart needs the passphrase', async () => {
    await openSecurity()
    await display.page.getByText('This system has no key store that keeps secrets').waitFor()
    expect(await option().count()).toBe(0)
    await restart()
    await eventually('sealed', async () => (await phase()) === 'sealed')
    await display.unlock()
  })

  it('[ID28] opens the device after a restart, and no display', async () => {
    const { page } = display
    shell.hasKeyStore = true
    await openSecurity()
    await page
      .getByRole('tab', { name: 'Appearance' })
      .or(page.getByRole('button', { name: 'Appearance' }))
      .first()
      .click()
    await page
      .getByRole('tab', { name: 'Security' })
      .or(page.getByRole('button', { name: 'Security' }))
      .first()
      .click()
    await option().click()
    await page.getByRole('button', { name: 'Use the key store' }).click()
    await expect.poll(() => option().getAttribute('aria-checked')).toBe('true')
    const kept = await page.evaluate(() => localStorage.getItem('elsewhere.kept-opening'))
    await restart()
    await eventually('open by the key store', async () => (await phase()) === 'open')
    expect((await device.status()).displays.some(({ unlocked }) => unlocked)).toBe(false)
    expect(shell.calls.filter(({ method }) => method === 'secret:open').map(({ input }) => input['base64'])).toContain(kept)
    await display.unlock()
  })

  it('[ID28] does not open what the person locked, and nothing once it is turned off', async () => {
    const { page } = display
    await openSecurity()
    await page.getByRole('button', { name: 'Lock device…' }).click()
    await page.getByRole('button', { name: 'Lock device', exact: true }).click()
    await page.getByLabel('Passphrase').waitFor()
    const asked = shell.calls.filter(({ method }) => method === 'secret:open').length
    await eventually(
      'the key store was asked',
      async () => shell.calls.filter(({ method }) => method === 'secret:open').length > asked || asked > 1,
    )
    expect(await phase()).toBe('sealed')
    await display.unlock()
    await openSecurity()
    await option().click()
    await expect.poll(() => option().getAttribute('aria-checked')).toBe('false')
    await restart()
    await eventually('sealed', async () => (await phase()) === 'sealed')
  })
})
