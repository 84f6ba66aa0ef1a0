import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import type { LabMachine } from '../../src/testkit/netlab.ts'
import { CHROMIUM } from './chromium.ts'
import { type E2eDevice, PASSPHRASE } from './e2e-device.ts'

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** One Chromium inside a namespace (or none); several displays can be opened in it, each with cookies of its own. */
export class E2eBrowser {
  readonly browser: Browser
  readonly #wrapper: string | undefined

  private constructor(browser: Browser, wrapper: string | undefined) {
    this.browser = browser
    this.#wrapper = wrapper
  }

  static async launch(
    machine?: LabMachine,
    options: { headless?: boolean; env?: Record<string, string>; leaveSignals?: boolean; flags?: readonly string[] } = {},
  ): Promise<E2eBrowser> {
    const wrapper = machine ? path.join(mkdtempSync(path.join(os.tmpdir(), 'ew-browser-')), 'chromium') : undefined
    if (wrapper && machine) {
      writeFileSync(wrapper, `#!/bin/sh\nexec ip netns exec ${machine.namespace} ${CHROMIUM} "$@"\n`)
      chmodSync(wrapper, 0o755)
    }
    const env: Record<string, string> = {}
    for (const [name, value] of Object.entries({ ...process.env, ...options.env })) if (value !== undefined) env[name] = value
    // Playwright's own handlers end this process before anything else is cleaned up.
    const signals = !options.leaveSignals
    const browser = await chromium.launch({
      executablePath: wrapper ?? CHROMIUM,
      args: [...FLAGS, ...(options.flags ?? [])],
      headless: options.headless ?? true,
      env,
      handleSIGINT: signals,
      handleSIGTERM: signals,
      handleSIGHUP: signals,
    })
    return new E2eBrowser(browser, wrapper)
  }

  async dispose(): Promise<void> {
    await this.browser.close()
    if (this.#wrapper) rmSync(path.dirname(this.#wrapper), { recursive: true, force: true })
  }
}

export interface DisplayOptions {
  readonly width?: number
  readonly height?: number
  readonly colorScheme?: 'light' | 'dark'
  readonly reducedMotion?: 'reduce' | 'no-preference'
  /** Before the page is opened: what its host has besides a browser. */
  readonly prepare?: (page: Page) => Promise<void>
  /** A hand-held display: fingers, no mouse. */
  readonly touch?: boolean
}

/** A display: one page of a device's desk, as a person opens it through a one-time URL. */
export class E2eDisplay {
  readonly page: Page
  readonly device: E2eDevice
  readonly #context: BrowserContext
  /** What the page complained about; a test that ends with any of it has missed something. */
  readonly problems: string[] = []

  private constructor(page: Page, context: BrowserContext, device: E2eDevice) {
    this.page = page
    this.device = device
    this.#context = context
    page.on('pageerror', (error) => this.problems.push(`page error: ${error.message}`))
    page.on('response', (response) => {
      if (response.status() >= 400) this.problems.push(`${response.status()}: ${response.url()}`)
    })
    page.on('console', (message) => {
      if (message.type() === 'error') this.problems.push(`console: ${message.text()}`)
    })
  }

  static async open(
    device: E2eDevice,
    browser: E2eBrowser,
    { width = 1440, height = 900, colorScheme = 'light', reducedMotion = 'no-preference', touch = false, prepare }: DisplayOptions = {},
  ): Promise<E2eDisplay> {
    const context = await browser.browser.newContext({
      viewport: { width, height },
      colorScheme,
      reducedMotion,
      hasTouch: touch,
      isMobile: touch,
    })
    const page = await context.newPage()
    const display = new E2eDisplay(page, context, device)
    await prepare?.(page)
    await page.goto(await device.entrance())
    return display
  }

  /** Types the passphrase on the lock screen, as a person does, and waits for the desk. */
  async unlock(how: 'move' | 'beside' = 'move'): Promise<void> {
    const field = this.page.getByLabel('Passphrase', { exact: true })
    await field.waitFor()
    if (how === 'beside')
      await this.page
        .getByText(/beside/i)
        .first()
        .click()
    await field.fill(PASSPHRASE)
    await field.press('Enter')
    await this.desk.waitFor()
  }

  /** The area windows lie in: there once the desk is drawn. */
  get desk() {
    return this.page.getByRole('main', { name: 'Desk', exact: true })
  }

  window(title: string | RegExp) {
    return this.page.getByRole('dialog', { name: title })
  }

  /** Opens an app from the dock, as a click does. */
  async openApp(title: string): Promise<void> {
    await this.page
      .getByRole('toolbar', { name: 'Apps and windows' })
      .or(this.page.getByRole('navigation', { name: 'Apps and windows' }))
      .getByRole('button', { name: title })
      .first()
      .click()
  }

  /** Titles and places of all visible windows, by title: what a person sees. */
  async windows(): Promise<readonly { title: string; x: number; y: number; width: number; height: number }[]> {
    // One look at one moment: windows come and go while it is taken.
    const seen = await this.page.evaluate(() =>
      [...document.querySelectorAll('main[aria-label="Desk"] [role="dialog"]')].map((frame) => {
        const { x, y, width, height } = frame.getBoundingClientRect()
        return {
          title: frame.getAttribute('aria-label') ?? '',
          x: Math.round(x),
          y: Math.round(y),
          width: Math.round(width),
          height: Math.round(height),
        }
      }),
    )
    return seen.filter(({ width }) => width > 0).sort((a, b) => (a.title < b.title ? -1 : a.title > b.title ? 1 : a.x - b.x))
  }

  /** Drags a window by its title bar. */
  async dragWindow(title: string | RegExp, by: { x: number; y: number }): Promise<void> {
    const box = await this.window(title).first().boundingBox()
    if (!box) throw new Error(`no window ${title}`)
    const [x, y] = [box.x + box.width / 2, box.y + 18]
    await this.page.mouse.move(x, y)
    await this.page.mouse.down()
    await this.page.mouse.move(x + by.x / 2, y + by.y / 2, { steps: 5 })
    await this.page.mouse.move(x + by.x, y + by.y, { steps: 5 })
    await this.page.mouse.up()
  }

  async screenshot(file: string): Promise<void> {
    await this.page.screenshot({ path: file })
  }

  async close(): Promise<void> {
    await this.#context.close()
  }
}
