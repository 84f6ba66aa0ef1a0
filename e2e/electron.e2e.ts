import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { type Browser, chromium, type Page, _electron } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findElectron } from '../src/main/daemon/find-display-host.ts'
import { E2eDevice, PASSPHRASE } from './harness/e2e-device.ts'
import { eventually } from './harness/e2e-pair.ts'
import { describeInBrowser } from './harness/needs.ts'

const ROOT = path.resolve(import.meta.dirname, '..')
const MAIN = path.join(ROOT, 'dist/electron/main.mjs')

/** What a smoke flow needs of a host, the same for the stand-in and the real one. */
interface Host {
  /** The window's page now (a host may replace it). */
  page(): Promise<Page>
  /** Lines that the stand-in recorded; undefined in a real Electron. */
  calls: string[] | undefined
  close(): Promise<void>
}

async function startStandIn(device: E2eDevice): Promise<Host> {
  const register = path.join(ROOT, 'e2e/electron-standin/register.mjs')
  const child: ChildProcess = spawn(process.execPath, ['--import', register, MAIN, `--data=${device.folder}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const calls: string[] = []
  let text = ''
  const endpoint = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      text += chunk
      const found = /STANDIN-ENDPOINT (ws:\S+)/.exec(text)?.[1]
      if (found) resolve(found)
      calls.push(...[...String(chunk).matchAll(/STANDIN-CALL (.*)/g)].map(([, call]) => call ?? ''))
    })
    let errors = ''
    child.stderr?.on('data', (chunk) => {
      errors += chunk
    })
    child.once('exit', (code) => reject(new Error(`main ended with ${code}: ${errors}`)))
  })
  const browser: Browser = await chromium.connectOverCDP(endpoint)
  const page = () =>
    eventually('a window', async () =>
      browser
        .contexts()
        .flatMap((context) => context.pages())
        .find((one) => one.url() !== 'about:blank'),
    )
  return {
    page,
    calls,
    close: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await gone
    },
  }
}

async function startElectron(device: E2eDevice, program: string): Promise<Host> {
  const app = await _electron.launch({ executablePath: program, args: ['--no-sandbox', ROOT, `--data=${device.folder}`] })
  return { page: () => app.firstWindow(), calls: undefined, close: () => app.close() }
}

/** The five flows, frozen: they run unchanged against the stand-in and against a real Electron. */
function smoke(start: (device: E2eDevice) => Promise<Host>): void {
  let device: E2eDevice
  let host: Host

  beforeAll(async () => {
    device = await E2eDevice.start({ name: 'laptop' })
    await device.create('Ada')
    host = await start(device)
  })
  afterAll(async () => {
    await host?.close()
    await device?.dispose()
  })

  it('1. shows the desk of the running device, without its one-time part, and unlocks', async () => {
    const page = await host.page()
    await page.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE)
    await page.getByLabel('Passphrase', { exact: true }).press('Enter')
    await page.getByRole('main', { name: 'Desk', exact: true }).waitFor()
    expect(new URL(page.url()).host).toMatch(/^[a-z0-9]{12}\.localhost:\d+$/)
    expect(new URL(page.url()).search).toBe('')
  })

  it('2. answers the native contract, and gives the page nothing of Node', async () => {
    const page = await host.page()
    const info = await page.evaluate(() =>
      (window as unknown as { elsewhereNative: { invoke(m: string, i: unknown): Promise<unknown> } }).elsewhereNative.invoke(
        'host:info',
        {},
      ),
    )
    expect(info).toMatchObject({ canSealSecrets: expect.any(Boolean) })
    const refused = page.evaluate(() =>
      (window as unknown as { elsewhereNative: { invoke(m: string, i: unknown): Promise<unknown> } }).elsewhereNative.invoke('tab:show', {
        tabId: '',
      }),
    )
    await expect(refused).rejects.toThrow(/native\/bad-input/)
    expect(
      await page.evaluate(() => [
        typeof Reflect.get(globalThis, 'require'),
        typeof Reflect.get(globalThis, 'process'),
        typeof Reflect.get(globalThis, 'ipcRenderer'),
      ]),
    ).toEqual(['undefined', 'undefined', 'undefined'])
  })

  it('3. does not let the page be led away', async () => {
    const page = await host.page()
    const before = page.url()
    await page.evaluate(() => window.location.assign('http://127.0.0.1:9/elsewhere-e2e'))
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(page.url()).toBe(before)
    await page.getByRole('main', { name: 'Desk', exact: true }).waitFor()
    if (host.calls) expect(host.calls.some((call) => call.includes('will-navigate') && call.includes('deny'))).toBe(true)
  })

  it('4. opens no window for the page; a link goes to the browser outside', async () => {
    const page = await host.page()
    await page.evaluate(() => void window.open('file:///etc/passwd'))
    await page.evaluate(() => void window.open('http://127.0.0.1:9/outside'))
    if (host.calls) {
      const { calls } = host
      await eventually('asked outside', async () => calls.some((call) => call.includes('shell.openExternal') && call.includes('/outside')))
      expect(calls.some((call) => call.includes('shell.openExternal') && call.includes('passwd'))).toBe(false)
    }
    expect(
      page
        .context()
        .pages()
        .filter((one) => one.url().includes('passwd') || one.url().includes('outside')),
    ).toEqual([])
  })

  it('5. says when the device is not running, and finds it again by itself', async () => {
    await device.stop()
    const page = await host.page()
    await page.reload().catch(() => undefined)
    await eventually('the device is not running', async () =>
      (await (await host.page()).innerText('body')).match(/not running|not answering/i),
    )
    await device.run()
    await eventually('the lock screen', async () => (await host.page()).getByLabel('Passphrase', { exact: true }).isVisible(), 40_000)
  })
}

describeInBrowser('Electron, by stand-in', () => smoke(startStandIn))

const electron = findElectron(process.env, path.join(ROOT, 'package.json'))
describe.skipIf(electron === undefined)(`a real Electron${electron ? '' : ' (its binary is not in place: has never run in one)'}`, () =>
  smoke((device) => startElectron(device, electron ?? '')),
)
