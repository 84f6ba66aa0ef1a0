import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { StandardWallet } from '../src/testkit/standard-wallet.ts'
import { E2eDevice, PASSPHRASE } from './harness/e2e-device.ts'
import { E2eBrowser, E2eDisplay } from './harness/e2e-display.ts'
import { keepEvidence } from './harness/evidence.ts'
import { findings, runFromPalette } from './harness/hands.ts'
import { describeInBrowser } from './harness/needs.ts'
import { installWallet } from './harness/page-wallet.ts'

/** A real device and browser; the wallet registers itself in the page as an extension does, and signs with a real key. */
describeInBrowser('signing in with a wallet of the browser', () => {
  const wallet = new StandardWallet({ name: 'Testwallet', seed: 21 })
  let device: E2eDevice
  let browser: E2eBrowser
  let display: E2eDisplay

  beforeAll(async () => {
    device = await E2eDevice.start({ name: 'study' })
    await device.create('Maria')
    browser = await E2eBrowser.launch()
    display = await E2eDisplay.open(device, browser, { reducedMotion: 'reduce', prepare: (page) => installWallet(page, wallet) })
    display.page.setDefaultTimeout(30_000)
  })
  afterEach((context) => keepEvidence(context, { display }))
  afterAll(async () => {
    await browser?.dispose()
    await device?.dispose()
  })

  const signIn = () => display.page.getByRole('button', { name: 'Sign in with Testwallet' })
  const front = () => display.page.locator('.window[data-active]')
  const lockDisplay = async () => {
    await front().getByRole('button', { name: 'Lock', exact: true }).click()
    await display.page.getByLabel('Passphrase', { exact: true }).waitFor()
  }
  const openSecurity = async () => {
    await runFromPalette(display.page, 'settings', /^Settings/)
    await front().getByText('Security', { exact: true }).first().click()
    await front().getByRole('heading', { name: 'Wallets that may sign in' }).waitFor()
  }

  it('[DV70] is offered once the owner has listed the wallet, opens the display, and is in the ledger', async () => {
    const { page } = display
    await page.getByLabel('Passphrase', { exact: true }).waitFor()
    expect(await signIn().count()).toBe(0)
    await display.unlock()
    await openSecurity()
    await front().getByRole('button', { name: 'Testwallet…' }).click()
    const dialog = page.getByRole('dialog', { name: 'Let Testwallet sign in?' })
    wallet.declines = true
    await dialog.getByLabel('Your passphrase').fill(PASSPHRASE)
    await dialog.getByRole('button', { name: 'List it' }).click()
    await dialog.getByText(/^Testwallet did not sign in/).waitFor()
    wallet.declines = false
    await dialog.getByRole('button', { name: 'List it' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await front()
      .getByText(new RegExp(`^${wallet.address.slice(0, 6)}`))
      .waitFor()
    expect(await findings(page, 'settings, wallets', '.window[data-active]')).toEqual([])

    await lockDisplay()
    await signIn().waitFor()
    expect(await findings(page, 'lock screen, wallet', '.screen')).toEqual([])
    wallet.change = (input) => ({ ...input, domain: 'evil.example' })
    await signIn().click()
    await page.getByText(/says something else than was asked/).waitFor()
    wallet.change = (input) => input
    await signIn().click()
    await display.desk.waitFor()
    const { host } = new URL(page.url())
    expect(wallet.asked.at(-1)).toMatchObject({ domain: host, uri: `http://${host}` })
    const { output } = await device.cli(['ledger', 'list'])
    expect(output).toMatch(/A display was opened by the wallet/)
    expect(output).toMatch(/A display was opened with the passphrase; this device’s wallet signed it/)
    expect((await device.cli(['ledger', 'verify'])).code).toBe(0)
    expect((await device.cli(['wallet', 'listed'])).output).toBe(`${wallet.address}  Testwallet\n`)
  })

  it('[DV70] opens no vault: a locked device wants the passphrase, and a removed wallet is not offered', async () => {
    const { page } = display
    await openSecurity()
    await front().getByRole('button', { name: 'Lock device…' }).click()
    await page.getByRole('button', { name: 'Lock device', exact: true }).click()
    await page.getByLabel('Passphrase', { exact: true }).waitFor()
    await page.getByText(/^You locked /).waitFor()
    expect(await signIn().count()).toBe(0)
    await display.unlock()
    await openSecurity()
    await front().getByRole('button', { name: 'Remove…' }).first().click()
    await page.getByRole('dialog', { name: 'Remove Testwallet?' }).getByRole('button', { name: 'Remove', exact: true }).click()
    await front()
      .getByText(new RegExp(`^${wallet.address.slice(0, 6)}`))
      .waitFor({ state: 'detached' })
    await lockDisplay()
    expect(await signIn().count()).toBe(0)
  })

  it('reads and writes no clipboard by itself, also when a program in a terminal asks for it (OSC 52)', async () => {
    const { page } = display
    await display.unlock()
    await page.evaluate(() => {
      const used: string[] = []
      Object.assign(globalThis, { used })
      for (const name of ['read', 'readText', 'write', 'writeText'] as const) {
        Object.defineProperty(navigator.clipboard, name, { value: async () => void used.push(name) })
      }
    })
    const used = () => page.evaluate(() => (globalThis as unknown as { used: string[] }).used)
    await display.openApp('Terminal')
    await expect.poll(() => front().locator('.xterm-rows').innerText(), { timeout: 30_000 }).toMatch(/[#$]/)
    await front().locator('.xterm').first().click()
    await page.keyboard.type("printf '\\033]52;c;c3RvbGVu\\007\\033]52;c;?\\007'; echo was$((1))tried")
    await page.keyboard.press('Enter')
    await expect.poll(() => front().locator('.xterm-screen').textContent(), { timeout: 30_000 }).toContain('was1tried')
    expect(await used()).toEqual([])
    await page.evaluate(() => navigator.clipboard.readText())
    expect(await used()).toEqual(['readText']) // it would have been seen
  })

  it('[DV73] a page of another origin in the same browser cannot ask for a question, nor bring an answer', async () => {
    const evil: Server = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<title>evil</title>'))
    await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve))
    const page = await display.page.context().newPage()
    try {
      await page.goto(`http://evil.localhost:${(evil.address() as AddressInfo).port}/`)
      const { host } = new URL(display.page.url())
      const heard = await page.evaluate(
        (desk) =>
          new Promise<string>((resolve) => {
            const socket = new WebSocket(`ws://${desk}/display`)
            socket.onopen = () => resolve('open')
            socket.onmessage = () => resolve('heard')
            socket.onerror = () => resolve('refused')
          }),
        host,
      )
      expect(heard).toBe('refused')
    } finally {
      await page.close()
      evil.close()
    }
  })
})
