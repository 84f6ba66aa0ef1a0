import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { E2eDesk } from '../harness/e2e-desk.ts'
import { E2eDevice } from '../harness/e2e-device.ts'
import { E2eBrowser, E2eDisplay } from '../harness/e2e-display.ts'
import { keepEvidence } from '../harness/evidence.ts'
import { findings, middle, swipe } from '../harness/hands.ts'
import { describeInBrowser } from '../harness/needs.ts'

/** A display in the hand: fingers only, one window at a time. */
describeInBrowser('a small screen by touch', () => {
  let device: E2eDevice
  let browser: E2eBrowser
  let display: E2eDisplay

  beforeAll(async () => {
    device = await E2eDevice.start({ name: 'kitchen' })
    await device.create('Maria')
    browser = await E2eBrowser.launch()
    display = await E2eDisplay.open(device, browser, { width: 390, height: 844, touch: true })
    await display.unlock()
    display.page.setDefaultTimeout(15_000)
  })
  afterEach((context) => keepEvidence(context, { display }))
  afterAll(async () => {
    await browser?.dispose()
    await device?.dispose()
  })

  const view = (name: string | RegExp) => display.page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name })
  const shown = () => display.page.locator('.window').getAttribute('aria-label')

  it('apps are opened by tap, and every control is as large as a finger', async () => {
    const { page } = display
    for (const title of ['Settings', 'Devices', 'Files']) {
      await view('Apps').tap()
      await page.getByRole('region', { name: 'Apps' }).getByRole('button', { name: title }).tap()
      await expect.poll(shown).toBe(title === 'Files' ? 'Home' : title)
    }
    const small = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('.compact-bar button, .bottom-bar button, .app-bar button')]
        .filter((button) => button.offsetParent !== null)
        .map((button) => ({ label: button.getAttribute('aria-label') ?? button.innerText, height: button.offsetHeight }))
        .filter(({ height }) => height < 32),
    )
    expect(small).toEqual([])
  })

  it('a swipe along either bar goes from window to window, round and round, and drags none of them', async () => {
    const { page } = display
    const title = page.locator('.window .title-bar')
    const nav = page.getByRole('navigation', { name: 'Views' })
    const seen: (string | null)[] = [await shown()]
    for (let i = 0; i < 4; i++) {
      const before = await shown()
      await swipe(page, await middle(i % 2 === 0 ? title : nav), -160)
      await expect.poll(shown).not.toBe(before)
      seen.push(await shown())
    }
    expect(new Set(seen).size).toBe(4) // Welcome, Settings, Devices, Home
    expect(seen[4]).toBe(seen[0])
    const there = await shown()
    await swipe(page, await middle(title), 160)
    await expect.poll(shown).toBe(seen[3])
    await swipe(page, await middle(title), 20) // a tap that slipped
    expect(await shown()).toBe(seen[3])
    await swipe(page, await middle(title), -160)
    await expect.poll(shown).toBe(there)
    const box = await page.locator('.window').boundingBox()
    expect([box?.x, box?.width]).toEqual([0, 390])
  })

  it('tabs are cards: tapped to come to the front, closed by their cross; the palette and the menu of me by tap', async () => {
    const { page } = display
    await view(/^Tabs \(4\)/).tap()
    const cards = page.getByRole('region', { name: 'Open tabs' })
    await cards.getByRole('button', { name: 'Close Home' }).tap()
    await view(/^Tabs \(3\)/).waitFor()
    await cards.getByRole('button', { name: /^Settings/ }).tap()
    await expect.poll(shown).toBe('Settings')

    await page.getByRole('button', { name: 'Command or search' }).tap()
    await page.getByPlaceholder(/Go to a window/).fill('welcome')
    await page
      .getByRole('option', { name: /^Welcome/ })
      .first()
      .tap()
    await expect.poll(shown).toBe('Welcome')

    await page.getByRole('button', { name: 'Maria: menu' }).tap()
    await page.getByRole('menuitem', { name: 'Devices' }).tap()
    await expect.poll(shown).toBe('Devices')
  })

  it('[AP72] nothing that places a window is offered, nor does it take the keyboard', async () => {
    const { page } = display
    const field = page.getByPlaceholder(/Go to a window/)
    await expect.poll(shown).toBe('Devices')
    for (const keys of ['Alt+F7', 'Alt+F8', 'Alt+Enter']) await page.keyboard.press(keys)
    expect(await page.locator('.keyboard-mode').count()).toBe(0)
    await page.keyboard.press('Control+k')
    await field.fill('window')
    await page.getByRole('option', { name: /^Close window/ }).waitFor()
    expect(await page.getByRole('option', { name: /Move window|Resize window|Snap window|Maximise/ }).count()).toBe(0)
    await page.keyboard.press('Escape')
    await field.waitFor({ state: 'detached' })
    await page.keyboard.press('Alt+Space')
    await page.getByRole('menuitem', { name: 'Close window' }).waitFor()
    expect(await page.getByRole('menuitem', { name: /^(Move|Resize|Maximise|Restore|Snap to)( |$)/ }).count()).toBe(0)
    await page.keyboard.press('Escape')
  })

  it('[AP73] the bar has the clock and what is linked; Elsewhere has loads and the way to link another device', async () => {
    const { page } = display
    await page.locator('.compact-bar time').filter({ hasText: /\d/ }).waitFor()
    await page.locator('.compact-bar').getByRole('button', { name: 'No other device is linked' }).waitFor()
    await view('Elsewhere').tap()
    const list = page.getByRole('region', { name: 'Elsewhere: your devices' })
    await list.getByRole('button', { name: /^kitchen: this device.* % busy$/ }).waitFor()
    expect(await findings(page, 'elsewhere on a small screen')).toEqual([])
    if (process.env.ELSEWHERE_SHOTS) await display.screenshot(path.join(process.env.ELSEWHERE_SHOTS, 'small-elsewhere.png'))
    await list.getByRole('button', { name: 'Link another device' }).tap()
    await expect.poll(shown).toBe('Devices')
  })

  it('the elsewhere dock is a list of devices, and each offers by tap what a drag would', async () => {
    const { page } = display
    await view('Elsewhere').tap()
    await page.getByRole('button', { name: /^kitchen: this device/ }).tap()
    await page.getByRole('menuitem', { name: 'New terminal there' }).tap()
    await page.locator('.window .xterm').waitFor()
    expect(await findings(page, 'a terminal in the hand')).toEqual([])
  })

  it('a finger on a small screen leaves the places of the windows on large ones alone', async () => {
    const desk = await E2eDesk.open(device, { width: 1320, height: 864 })
    const places = Object.values(desk.state.windows).flatMap((window) => Object.keys(window.places))
    desk.dispose()
    expect(places.filter((displayClass) => !displayClass.startsWith('compact'))).toEqual([])
    expect(display.problems.filter((problem) => problem.startsWith('page error'))).toEqual([])
  })
})
