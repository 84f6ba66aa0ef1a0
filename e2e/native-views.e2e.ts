import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { E2eDevice } from './harness/e2e-device.ts'
import { E2eBrowser, E2eDisplay } from './harness/e2e-display.ts'
import { eventually } from './harness/e2e-pair.ts'
import { keepEvidence } from './harness/evidence.ts'
import { FakeShell } from './harness/fake-shell.ts'
import { drag, findings, grip, runFromPalette } from './harness/hands.ts'
import { describeInBrowser } from './harness/needs.ts'

const FIRST = 'https://first.test/'
const ICON = 'data:image/gif;base64,R0lGODlhAQABAIAAAICAgAAAACwAAAAAAQABAAACAkQBADs='

/** A desk whose host has native views, by a bridge that records: what the renderer asks of such a host. No Electron is in it. */
describeInBrowser('web pages in native views', () => {
  let device: E2eDevice
  let browser: E2eBrowser
  let display: E2eDisplay
  let shell: FakeShell
  let beside: E2eDisplay
  let otherShell: FakeShell

  beforeAll(async () => {
    device = await E2eDevice.start({ name: 'kitchen' })
    await device.create('Maria')
    browser = await E2eBrowser.launch()
    const open = async () => {
      let made: FakeShell | undefined
      const opened = await E2eDisplay.open(device, browser, { prepare: async (page) => void (made = await FakeShell.under(page)) })
      opened.page.setDefaultTimeout(15_000)
      return [opened, made as unknown as FakeShell] as const
    }
    ;[display, shell] = await open()
    await display.unlock()
    ;[beside, otherShell] = await open()
  })
  afterEach((context) => keepEvidence(context, { display, beside }))
  afterAll(async () => {
    await browser?.dispose()
    await device?.dispose()
  })

  const place = async () => {
    const box = await display.page.locator('.web-view').boundingBox()
    return box && { x: Math.ceil(box.x), y: Math.ceil(box.y), right: Math.floor(box.x + box.width), bottom: Math.floor(box.y + box.height) }
  }
  /** The one view shows exactly where the desk has room for it. */
  const lies = () =>
    eventually('the view lies in its place', async () => {
      const [view, ...more] = shell.visible
      const box = await place()
      if (!view || more.length > 0 || !box) return false
      const { x, y, width, height } = view.bounds
      return x === box.x && y === box.y && x + width === box.right && y + height === box.bottom
    })
  const hidden = (why: string) => eventually(`hidden: ${why}`, async () => shell.visible.length === 0)
  const address = () => display.page.getByLabel('Address', { exact: true })
  const webTitle = () => display.page.locator('.window:has(.web-view)').getAttribute('aria-label')

  it('[AP42] a typed address opens in a view at the place of the page, with the tab’s history', async () => {
    const { page } = display
    await display.openApp('Web')
    await address().fill('first.test')
    await address().press('Enter')
    await lies()
    expect(shell.visible[0]?.page).toEqual({ history: { urls: [FIRST], index: 0 }, scrollY: 0, byPerson: true })
    await shell.went([FIRST], { title: 'First', icon: ICON })
    await page.getByRole('tab', { name: 'First' }).locator('img').waitFor()
  })

  it('[AP43] the view follows its window; while it moves, a picture stands in its place', async () => {
    const { page } = display
    const from = await grip(page, 'First')
    await drag(page, from, { x: from.x - 120, y: from.y + 60 }, false)
    await hidden('dragged')
    await page.locator('.web-view img').waitFor()
    await page.mouse.up()
    await lies()
    await page.locator('.web-view img').waitFor({ state: 'detached' })
    const at = await grip(page, 'First')
    const area = await page.locator('[data-desk-area]').boundingBox()
    await drag(page, at, { x: (area?.x ?? 0) + 2, y: (area?.y ?? 0) + 300 })
    await page.locator('.window[data-zone="left"]').waitFor()
    await lies()
    expect(shell.visible[0]?.bounds.width).toBe((area?.width ?? 0) / 2 - 8) // less its edges
    const loose = await grip(page, 'First')
    await drag(page, loose, { x: loose.x + 380, y: loose.y + 80 })
    await lies()
    const before = shell.visible[0]?.bounds
    const box = await page.locator('.window:has(.web-view)').boundingBox()
    if (!box) throw new Error('no window')
    await drag(page, { x: box.x + box.width, y: box.y + box.height / 2 }, { x: box.x + box.width - 90, y: box.y + box.height / 2 })
    await lies()
    expect(shell.visible[0]?.bounds.width).toBe((before?.width ?? 0) - 90)
    await page.locator('.window:has(.web-view) .title-bar').dblclick({ position: { x: 300, y: 10 } })
    await lies()
    expect(shell.visible[0]?.bounds.width).toBe((await display.page.locator('[data-desk-area]').boundingBox())?.width)
    await page.keyboard.press('Alt+Enter')
    await lies()
    await page.setViewportSize({ width: 1300, height: 800 })
    await lies()
    await page.setViewportSize({ width: 1440, height: 900 })
    await lies()
    await page.keyboard.press('Alt+m')
    await hidden('minimised')
    await display.openApp('Web')
    await lies()
    expect([shell.made(), shell.closed]).toEqual([1, []]) // the same page all along
  })

  it('[AP44] nothing of the desk is ever hidden by a view', async () => {
    const { page } = display
    await page.keyboard.press('Control+k')
    await hidden('palette')
    await page.keyboard.press('Escape')
    await lies()
    await page.locator('.window[data-active] .title-bar').click({ button: 'right', position: { x: 300, y: 10 } })
    await hidden('menu')
    await page.keyboard.press('Escape')
    await lies()
    await page.keyboard.down('Control')
    await page.keyboard.press('Tab')
    await hidden('window switcher')
    await page.keyboard.press('Escape')
    await page.keyboard.up('Control')
    await lies()
    await page.keyboard.press('Alt+Enter')
    await lies()
    await page.keyboard.press('Alt+b')
    await hidden('messages')
    await page.keyboard.press('Alt+b')
    await lies()
    await page.keyboard.press('Alt+Enter')
    await lies()
    await runFromPalette(page, 'settings', /^Settings/)
    await page.locator('.window[data-active][aria-label="Settings"]').waitFor()
    const web = await page.locator('.window:has(.web-view)').boundingBox()
    const at = await grip(page, 'Settings')
    await drag(page, at, { x: (web?.x ?? 0) + 300, y: (web?.y ?? 0) + 60 })
    await hidden('another window')
    // A press where the picture stands brings the window, and the page, to the front.
    await page.locator('.window:has(.web-view) .title-bar').click({ position: { x: 40, y: 10 } })
    await lies()
  })

  it('[AP45] back, forward, address, title, loading and failures are those of the view', async () => {
    const { page } = display
    await address().fill('second.test')
    await address().press('Enter')
    await eventually('sent on', async () => shell.calls.at(-1)?.method === 'tab:navigate')
    expect(shell.calls.at(-1)?.input).toMatchObject({ to: 'https://second.test/' })
    await shell.went([FIRST], { loading: true, title: 'First' }) // the page before, still
    await page.getByRole('button', { name: 'Stop loading' }).waitFor()
    expect(await address().inputValue()).toBe('https://second.test/')
    await shell.went([FIRST, 'https://second.test/', 'https://second.test/home'], { title: 'Second' })
    await expect.poll(() => address().inputValue()).toBe('https://second.test/home')
    await expect.poll(webTitle).toBe('Second')
    await page.getByRole('button', { name: 'Back', exact: true }).click()
    await eventually('back', async () => shell.calls.at(-1)?.input['to'] === 'back')
    await shell.went([FIRST, 'https://second.test/'], { title: 'Second', failure: 'ERR_NAME_NOT_RESOLVED' })
    await page.getByText('Nobody knows this address').first().waitFor()
    await hidden('failure')
    await page.getByRole('button', { name: 'Try again' }).click()
    await eventually('again', async () => shell.calls.at(-1)?.input['to'] === 'reload')
    await shell.went([FIRST, 'https://second.test/'], { title: 'Second' })
    await lies()
    await address().fill('refused.test')
    await address().press('Enter')
    await page.getByText('That is not opened here.').first().waitFor()
    await hidden('refused')
    expect(await findings(page, 'a refused page')).toEqual([])
    await address().fill('second.test')
    await address().press('Enter')
    await shell.went([FIRST, 'https://second.test/'], { title: 'Second' })
    await lies()
  })

  it('[AP46] what a page wants is the person’s to say', async () => {
    const { page } = display
    const { tabId } = shell
    await shell.emit({ type: 'tab-asks', tabId, question: 7, site: 'second.test', wishes: ['camera', 'microphone'] })
    await page.getByText('second.test wants to use the camera and use the microphone').waitFor()
    await lies()
    expect(await findings(page, 'a page that asks')).toEqual([])
    await page.getByRole('button', { name: 'Do not allow' }).click()
    await eventually('answered', async () => shell.calls.some(({ method, input }) => method === 'tab:answer' && input['allow'] === false))
    await shell.emit({ type: 'tab-asks-no-more', tabId, question: 7 })
    await page.getByText('wants to use the camera').waitFor({ state: 'detached' })
    await lies()
    await shell.emit({ type: 'tab-refused-download', tabId, name: 'photos.zip', url: 'https://second.test/photos.zip' })
    await page.getByText('“photos.zip” was not downloaded').first().waitFor()
    await page.keyboard.press('Alt+Enter')
    await hidden('a message over a maximised window')
    await page.locator('.ui-toast button', { hasText: 'Open in browser' }).click()
    await eventually('outside', async () => shell.calls.some(({ method }) => method === 'page:open-outside'))
    await lies()
    await page.keyboard.press('Alt+Enter')
    await lies()
    await shell.emit({ type: 'tab-wants-tab', tabId, url: 'https://third.test/', background: true })
    await expect.poll(() => page.locator('.window:has(.web-view)').getByRole('tab').count()).toBe(2)
    await lies()
    expect(shell.tabId).toBe(tabId)
    await page.getByRole('tab', { name: 'third.test' }).locator('.tab-close').click()
    const edit = { canCut: false, canCopy: true, canPaste: false }
    await shell.emit({ type: 'tab-menu', tabId, x: 40, y: 50, link: 'https://third.test/', ...edit })
    await hidden('a menu of the page')
    await page.getByRole('menuitem', { name: 'Copy', exact: true }).click()
    await eventually('copied', async () => shell.calls.some(({ method, input }) => method === 'tab:edit' && input['what'] === 'copy'))
    await lies()
    await shell.emit({ type: 'tab-menu', tabId, x: 40, y: 50, link: 'https://third.test/', ...edit })
    await page.getByRole('menuitem', { name: 'Open link in a new tab' }).click()
    await page.getByRole('tab', { name: 'third.test' }).locator('.tab-close').click()
    await expect.poll(() => page.locator('.window:has(.web-view)').getByRole('tab').count()).toBe(1)
  })

  it('[AP47] keys of the desk and presses in the page reach the desk', async () => {
    const { page } = display
    const { tabId } = shell
    const keys = shell.calls.find(({ method }) => method === 'host:keys')?.input['bindings']
    expect(keys).toContain('Ctrl+K')
    expect(keys).not.toContain('Ctrl+Z')
    await shell.emit({ type: 'key-pressed', key: 'k', code: 'KeyK', ctrlKey: true, altKey: false, shiftKey: false, metaKey: false })
    await page.getByPlaceholder(/Go to a window/).waitFor()
    await hidden('palette, by a key pressed in the page')
    await page.keyboard.press('Escape')
    await lies()
    await page.keyboard.press('Alt+ArrowLeft')
    await runFromPalette(page, 'settings', /^Settings/)
    await page.locator('.window[data-active][aria-label="Settings"]').waitFor()
    await page.keyboard.press('Alt+ArrowRight')
    await lies() // beside each other
    await shell.emit({ type: 'tab-used', tabId, press: true })
    await page.locator('.window[data-active]:has(.web-view)').waitFor()
    await page.locator('.web-view').focus()
    await eventually('the keyboard is the page’s', async () => shell.calls.at(-1)?.method === 'tab:focus')
    expect(await page.evaluate(() => document.activeElement?.classList.contains('window'))).toBe(true)
  })

  it('[AP48] another display goes on with the page where this one left it, and this one follows', async () => {
    await shell.went([FIRST, 'https://second.test/'], { title: 'Second', scrollY: 900 })
    await beside.unlock('beside')
    await eventually('its own view', async () => otherShell.visible.length === 1)
    expect(otherShell.visible[0]?.page).toEqual({
      history: { urls: [FIRST, 'https://second.test/'], index: 1 },
      scrollY: 900,
      byPerson: false,
    })
    // What the page does there by itself is not the workspace's.
    await otherShell.went([FIRST, 'https://second.test/', 'https://second.test/there'], { byPerson: false })
    const { tabId } = shell
    await otherShell.went([FIRST, 'https://second.test/', 'https://other.test/'], { title: 'Other' })
    await eventually('followed', async () => shell.views.get(tabId)?.page.history.urls.at(-1) === 'https://other.test/')
    expect(shell.closed).toContain(tabId)
    expect(shell.views.get(tabId)?.page.history.urls).toEqual([FIRST, 'https://second.test/', 'https://other.test/'])
    await lies()
  })

  it('[AP49] a view goes with its tab, and all of them when the display locks', async () => {
    const { page } = display
    const { tabId } = shell
    await beside.page.locator('.window:has(.web-view) .title-bar').click({ position: { x: 300, y: 10 } })
    await beside.page.keyboard.press('Control+Alt+w')
    // The test before has closed a view of this tab already, to show it anew: what counts is that none is left, and no window.
    await eventually('closed there and here', async () => shell.views.size === 0 && otherShell.views.size === 0)
    expect([shell, otherShell].every(({ closed }) => closed.includes(tabId))).toBe(true)
    await display.page.locator('.window:has(.web-view)').waitFor({ state: 'detached' })
    await display.openApp('Web')
    await address().fill('last.test')
    await address().press('Enter')
    await lies()
    await runFromPalette(page, 'lock this display', /^Lock this display/)
    await page.getByLabel('Passphrase', { exact: true }).waitFor()
    await eventually('all closed', async () => shell.views.size === 0)
    expect([...display.problems, ...beside.problems].filter((problem) => problem.startsWith('page error'))).toEqual([])
  })
})
