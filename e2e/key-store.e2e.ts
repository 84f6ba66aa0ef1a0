import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { E2eDevice, PASSPHRASE } from './harness/e2e-device.ts'
import { E2eBrowser, E2eDisplay } from './harness/e2e-display.ts'
import { eventually } from './harness/e2e-pair.ts'
import { keepEvidence } from './harness/evidence.ts'
import { FakeShell } from './harness/fake-shell.ts'
import { runFromPalette } from './harness/hands.ts'
import { describeInBrowser } from './harness/needs.ts'
import { VirtualAuthenticator } from './harness/virtual-authenticator.ts'

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
    await display.page.getByLabel('Passphrase', { exact: true }).waitFor({ timeout: 40_000 })
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
    await page.getByLabel('Passphrase', { exact: true }).waitFor()
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

  it('[ID29] a passkey of the device’s own host name is made by the passphrase, unlocks as it does, and is removed', async () => {
    const { page } = display
    await page.locator('.lock').waitFor({ timeout: 40_000 })
    const plain = await VirtualAuthenticator.plugInto(page, { hasPrf: false })
    await display.unlock()
    await openSecurity()
    await page.getByRole('button', { name: 'Set up…' }).click()
    const dialog = page.getByRole('dialog', { name: 'Unlock with a passkey' })
    await dialog.getByLabel('Your passphrase').fill(PASSPHRASE)
    await dialog.getByRole('button', { name: 'Set up' }).click()
    await dialog.getByText(/keeps no secret to unlock with/).waitFor()
    await plain.unplug()
    const authenticator = await VirtualAuthenticator.plugInto(page)
    await dialog.getByLabel('Your passphrase').fill('not the passphrase')
    await dialog.getByRole('button', { name: 'Set up' }).click()
    await dialog.getByText(/not the passphrase/).waitFor()
    await dialog.getByLabel('Your passphrase').fill(PASSPHRASE)
    // a wrong try costs a second
    await eventually('it is set up', async () => {
      if (await dialog.isVisible()) await dialog.getByRole('button', { name: 'Set up' }).click({ timeout: 500 })
      return dialog.isHidden()
    })
    expect(await authenticator.credentials()).toMatchObject([{ rpId: new URL(page.url()).hostname }]) // one, also after the slip
    expect(new URL(page.url()).hostname).toMatch(/^[a-z0-9]{12}\.localhost$/)

    await page.getByRole('button', { name: 'Lock device…' }).click()
    await page.getByRole('button', { name: 'Lock device', exact: true }).click()
    const use = page.getByRole('button', { name: 'Use passkey' })
    await use.click()
    await page.locator('.desk').waitFor()
    expect(await phase()).toBe('open')

    // Another person's finger: the authenticator says no, and the passphrase is still there.
    await openSecurity()
    await page.getByRole('button', { name: 'Lock device…' }).click()
    await page.getByRole('button', { name: 'Lock device', exact: true }).click()
    await use.waitFor()
    await authenticator.setVerified(false)
    await use.click()
    await page.getByText(/^The passkey was not used/).waitFor()
    expect(await phase()).toBe('sealed')
    await display.unlock()

    await openSecurity()
    await page.getByRole('button', { name: 'Remove…' }).click()
    await page.getByRole('dialog', { name: 'Remove the passkey?' }).getByRole('button', { name: 'Remove', exact: true }).click()
    await page.getByRole('button', { name: 'Set up…' }).waitFor()
    await page.getByRole('button', { name: 'Lock', exact: true }).click()
    await page.getByLabel('Passphrase', { exact: true }).waitFor()
    expect(await use.count()).toBe(0)
  })
})
