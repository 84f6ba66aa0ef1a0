import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { E2eDevice } from './harness/e2e-device.ts'
import { E2eBrowser, E2eDisplay } from './harness/e2e-display.ts'
import { eventually } from './harness/e2e-pair.ts'
import { keepEvidence } from './harness/evidence.ts'
import { drag, grip, middle, rectOf, runFromPalette } from './harness/hands.ts'
import { describeInBrowser } from './harness/needs.ts'

/** What is done on the one display is seen on the other: both show the same desk, side by side, on one device. */
describeInBrowser('one desk on two displays beside each other', () => {
  let device: E2eDevice
  let browser: E2eBrowser
  let a: E2eDisplay
  let b: E2eDisplay

  beforeAll(async () => {
    device = await E2eDevice.start({ name: 'kitchen' })
    await device.create('Maria')
    browser = await E2eBrowser.launch()
    a = await E2eDisplay.open(device, browser)
    await a.unlock()
    b = await E2eDisplay.open(device, browser)
    await b.unlock('beside')
    for (const { page } of [a, b]) page.setDefaultTimeout(15_000)
  })
  afterEach((context) => keepEvidence(context, { a, b }))
  afterAll(async () => {
    await browser?.dispose()
    await device?.dispose()
  })

  /** Keys go to the window in front: it must be there first. */
  const isActive = (title: string) => a.page.locator(`.window[data-active][aria-label="${title}"]`).waitFor()

  const same = () =>
    eventually('both show the same', async () => {
      const [left, right] = [await a.windows(), await b.windows()]
      return left.length > 0 && JSON.stringify(left) === JSON.stringify(right)
    })

  it('a tab is torn off onto the desk, and dropped into the window it came from', async () => {
    const { page } = a
    await runFromPalette(page, 'settings', /^Settings/)
    await isActive('Settings')
    await page.keyboard.press('Alt+t')
    await expect.poll(() => page.locator('.window[data-active]').getByRole('tab').count()).toBe(2)
    const moved = page.locator('.window[data-active]').getByRole('tab').first()
    const desk = await a.desk.boundingBox()
    await drag(page, await middle(moved), { x: (desk?.x ?? 0) + (desk?.width ?? 0) - 150, y: (desk?.y ?? 0) + (desk?.height ?? 0) - 60 })
    await expect.poll(() => page.locator('.window[data-active]').getByRole('tab').count()).toBe(1)
    const torn = (await a.windows()).length
    await same()
    // Back again: the only tab of a window drags the window, so the menu's way is the one for it.
    await page.locator('.window[data-active]').getByRole('tab').click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Move to window' }).hover()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Enter')
    await expect.poll(async () => (await a.windows()).length).toBe(torn - 1)
    await same()
  })

  it('[AP91] what a locked display draws to be quick is gone at once, asks nothing and takes no key', async () => {
    const c = await E2eDisplay.open(device, browser)
    const { page } = c
    try {
      const calls: unknown[] = []
      page.on('websocket', (socket) =>
        socket.on('framesent', ({ payload }) => {
          const sent: unknown = typeof payload === 'string' ? JSON.parse(payload) : {}
          if (sent && typeof sent === 'object' && 'm' in sent) calls.push(sent.m)
        }),
      )
      await page.getByLabel('Passphrase', { exact: true }).waitFor() // the entrance leads here, and works once
      await page.reload()
      await page.getByLabel('Passphrase', { exact: true }).pressSequentially('abc', { delay: 20 })
      await page.waitForFunction(() => performance.getEntriesByName('elsewhere:warm').length === 1)
      await page.keyboard.type('def')
      expect(await page.getByLabel('Passphrase', { exact: true }).inputValue()).toBe('abcdef')
      expect(await page.locator('.window, .desk, [data-desk-area]').count()).toBe(0)
      expect(await page.evaluate(() => performance.getEntriesByName('elsewhere:app-mounted').length)).toBe(0)
      expect(new Set(calls)).toEqual(new Set(['hello']))
    } finally {
      await c.close()
    }
  })

  it('undo on the one display takes back what was done on the other', async () => {
    await runFromPalette(a.page, 'welcome', /^Welcome/)
    const before = await rectOf(a.page, 'Welcome')
    const at = await grip(a.page, 'Welcome')
    await drag(a.page, at, { x: at.x + 90, y: at.y + 70 })
    await expect.poll(() => rectOf(b.page, 'Welcome')).toMatchObject({ x: before.x + 90, y: before.y + 70 })
    await b.page.locator('.window[data-active]').focus()
    await b.page.keyboard.press('Control+z')
    await expect.poll(() => rectOf(a.page, 'Welcome')).toMatchObject({ x: before.x, y: before.y })
    await same()
  })

  it('minimised windows come back from the dock, pinned ones stay in front, closed ones are reopened', async () => {
    const { page } = a
    await runFromPalette(page, 'welcome', /^Welcome/)
    await a
      .window(/^Welcome$/)
      .getByRole('button', { name: /^Minimi[sz]e/ })
      .click()
    await b.window(/^Welcome$/).waitFor({ state: 'detached' })
    await a.openApp('Welcome')
    await b.window(/^Welcome$/).waitFor()
    await isActive('Welcome')

    await page.locator('.window[data-active] .window-buttons').click({ button: 'right' })
    await page.getByRole('menuitemcheckbox', { name: 'Keep on top' }).click()
    await runFromPalette(page, 'settings', /^Settings/)
    const depth = (title: string) =>
      b
        .window(title)
        .first()
        .evaluate((element: HTMLElement) => Number(element.style.zIndex))
    await eventually('in front though not focused', async () => (await depth('Welcome')) > (await depth('Settings')))

    const place = await rectOf(page, 'Welcome')
    await runFromPalette(page, 'welcome', /^Welcome/)
    await isActive('Welcome')
    await page.keyboard.press('Control+Alt+w')
    await b.window(/^Welcome$/).waitFor({ state: 'detached' })
    await b.page.keyboard.press('Control+Alt+t')
    await a.window(/^Welcome$/).waitFor()
    expect(await rectOf(page, 'Welcome')).toEqual(place)
  })

  it('[AP163] an app that takes the keyboard by itself brings no window to the front; a key in it and the dock do', async () => {
    for (const title of ['Welcome', 'Settings']) {
      await runFromPalette(a.page, title.toLowerCase(), new RegExp(`^${title}`))
      await isActive(title)
    }
    await b.page.locator('.window[data-active][aria-label="Settings"]').waitFor()
    // As an app does whose content comes late; two frames on, the desk would have followed.
    const inFront = await b.page.locator('.window[aria-label="Welcome"]').evaluate(async (frame: HTMLElement) => {
      frame.focus()
      if (frame !== document.activeElement) return 'the keyboard was not taken'
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
      return document.querySelector('.window[data-active]')?.getAttribute('aria-label')
    })
    expect(inFront).toBe('Settings')
    await b.page.keyboard.press('Tab')
    await isActive('Welcome')
    await b.openApp('Settings')
    await isActive('Settings')
    await same()
  })

  it('activities: made, windows moved there, switched to, closed', async () => {
    const { page } = a
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: /^Activity/ }).click()
    await page.getByRole('menuitem', { name: /^New activity/ }).click()
    await page.getByLabel('Name of the activity').fill('Garden')
    await page.keyboard.press('Enter')
    await b.page.getByRole('button', { name: 'Activity Garden' }).waitFor()
    expect(await a.windows()).toEqual([])
    await a.openApp('Files')
    await eventually('a window in it', async () => (await b.windows()).length === 1)

    // A submenu opens by resting on it; the hand that leaves it on the way starts again.
    await eventually('the submenu', async () => {
      await page.keyboard.press('Escape')
      await page.locator('.window[data-active] .window-buttons').click({ button: 'right', timeout: 2_000 })
      await page.getByRole('menuitem', { name: 'Move to activity' }).hover({ timeout: 2_000 })
      await page.getByRole('menuitem', { name: 'Home' }).click({ timeout: 2_000 })
      return true
    })
    await eventually('it is gone from here', async () => (await b.windows()).length === 0)

    await page.getByRole('button', { name: /^Activity/ }).click()
    await page.getByRole('menuitem', { name: 'Close activity' }).click()
    await b.page.getByRole('button', { name: 'Activity Home' }).waitFor()
    await b.page.locator('.window').first().waitFor()
  })

  it('theme: what is chosen on one display is so on the next', async () => {
    const before = await a.page.locator('html').getAttribute('data-theme')
    await runFromPalette(a.page, 'light dark', /light|dark|theme/i)
    await expect.poll(() => a.page.locator('html').getAttribute('data-theme')).not.toBe(before)
    b = await E2eDisplay.open(device, browser)
    await b.unlock('beside')
    expect(await b.page.locator('html').getAttribute('data-theme')).toBe(await a.page.locator('html').getAttribute('data-theme'))
    expect([...a.problems, ...b.problems].filter((problem) => problem.startsWith('page error'))).toEqual([])
  })
  it('a web page gets a frame in which it can do nothing to the desk or the machine, and one that refuses frames is offered outside', async () => {
    const asked = new Set<string>()
    const PATIENT = { timeout: 15_000 }
    const plain = await browser.browser.newContext()
    const html = (body: string, headers: Record<string, string> = {}) => ({ headers: { 'content-type': 'text/html', ...headers }, body })
    const attempt = `<title>Tries</title><button onclick="
      try { localStorage.length; fetch('/storage', { mode: 'no-cors' }) } catch {}
      try { window.open('/popup') } catch {}
      const file = document.createElement('a'); file.href = '/file'; file.download = 'file'; file.click();
      setTimeout(() => { try { top.location.href = location.origin + '/top' } catch {} fetch('/done', { mode: 'no-cors' }) }, 500)">Try</button>`
    const pages: Record<string, { headers: Record<string, string>; body: string }> = {
      '/try': html(attempt),
      '/refuses': html('<title>No</title>never seen', { 'content-security-policy': "frame-ancestors 'none'" }),
      '/bare': html('<iframe src="/try" width="600" height="300"></iframe>'),
      '/file': { headers: { 'content-type': 'application/octet-stream', 'content-disposition': 'attachment' }, body: 'x' },
    }
    const server = http.createServer(({ url = '' }, response) => {
      asked.add(url)
      const { headers, body } = pages[url] ?? html('here')
      response.writeHead(200, headers).end(body)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      // Where nothing stops it, all of it happens: else this could not tell what a frame refuses.
      const bare = await plain.newPage()
      for (const page of [bare, a.page]) page.on('download', () => asked.add('download')) // a frame may ask for the file and still not get it
      await bare.goto(`${origin}/bare`)
      // Not waited for where it leads: some of it leads nowhere.
      await bare.frameLocator('iframe').getByRole('button', { name: 'Try' }).click({ noWaitAfter: true })
      const TAKES = ['/storage', '/popup', '/top', 'download']
      await expect.poll(() => TAKES.filter((path) => asked.has(path)), PATIENT).toEqual(TAKES)
      asked.clear()

      const welcome = a.page.locator('.window[aria-label="Welcome"]').getByRole('button', { name: /^Minimi/ })
      if (await welcome.isVisible()) await welcome.click() // pinned by a test before, it would lie over everything
      await runFromPalette(a.page, 'web', /^Web/)
      const front = a.page.locator('.window[data-active]')
      const go = async (path: string) => {
        await front.getByLabel('Address', { exact: true }).fill(`${origin}${path}`)
        await a.page.keyboard.press('Enter')
      }
      await go('/try')
      // Pressed again until all of it was tried: a frame that is put in anew meanwhile forgets what it was about to do.
      const hasTried = async () => {
        await front.frameLocator('iframe.web-frame').getByRole('button', { name: 'Try' }).click({ noWaitAfter: true })
        return asked.has('/done')
      }
      await expect.poll(hasTried, { ...PATIENT, interval: 1_000 }).toBe(true)
      expect(TAKES.filter((path) => asked.has(path))).toEqual([])
      expect(await a.page.locator('.desk').count()).toBe(1)

      await go('/refuses')
      await front.getByText('does not allow itself to be shown here').waitFor()
      const outside = a.page.context().waitForEvent('page')
      await front.getByRole('button', { name: 'Open outside' }).last().click()
      const opened = await outside
      expect(opened.url()).toBe(`${origin}/refuses`)
      expect(await opened.evaluate(() => window.opener)).toBeNull()
      await opened.close()
    } finally {
      server.closeAllConnections()
      server.close()
      await plain.close()
    }
  })
})
