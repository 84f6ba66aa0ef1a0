import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { E2eDevice } from '../harness/e2e-device.ts'
import { E2eBrowser, E2eDisplay } from '../harness/e2e-display.ts'
import { drag, grip, rectOf, runFromPalette } from '../harness/hands.ts'
import { describeInBrowser } from '../harness/needs.ts'

describeInBrowser('the desktop, in a real browser on a real device', () => {
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

  it('first run takes three steps, goes back without loss, and ends on a desk that teaches by doing', async () => {
    const fresh = await E2eDevice.start({ name: 'new' })
    onTestFinished(() => fresh.dispose())
    const display = await E2eDisplay.open(fresh, browser)
    const { page } = display
    page.setDefaultTimeout(10_000)
    await page.getByLabel('Your name').fill('Maria')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByLabel('Passphrase', { exact: true }).fill('correct horse battery staple')
    await page.keyboard.press('Tab') // from the one field straight to the other, or a space would press what lies between
    await page.keyboard.type('correct horse battery stable')
    expect(await page.getByLabel('Once more').inputValue()).toBe('correct horse battery stable')
    expect(await page.getByRole('button', { name: 'Continue' }).isDisabled()).toBe(true)
    await page.getByText('The two are not the same.').waitFor()
    await page.getByRole('button', { name: 'Back' }).click()
    expect(await page.getByLabel('Your name').inputValue()).toBe('Maria')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByLabel('Once more').fill('correct horse battery staple')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('button', { name: 'Open my desk' }).click()
    await page.getByRole('heading', { name: 'Welcome, Maria' }).waitFor()
    await display.close()
  })

  it('windows move, snap with the preview they land in, resize, maximise and come back with undo', async () => {
    const display = await E2eDisplay.open(device, browser)
    const { page } = display
    await display.unlock()
    const start = await rectOf(page, 'Welcome')
    const at = await grip(page, 'Welcome')

    await drag(page, at, { x: at.x + 60, y: at.y + 40 })
    await expect.poll(() => rectOf(page, 'Welcome')).toMatchObject({ x: start.x + 60, y: start.y + 40, zone: 'none' })

    await drag(page, await grip(page, 'Welcome'), { x: 60, y: 450 }, false)
    const preview = await page.locator('.snap-preview[data-shown]').boundingBox()
    await page.mouse.up()
    await expect.poll(async () => (await rectOf(page, 'Welcome')).zone).toBe('left')
    const snapped = await page.getByRole('dialog', { name: 'Welcome', exact: true }).boundingBox()
    expect(Math.abs((preview?.width ?? 0) - (snapped?.width ?? 0))).toBeLessThanOrEqual(10)

    await page.keyboard.press('Control+z')
    await expect.poll(() => rectOf(page, 'Welcome')).toMatchObject({ x: start.x + 60, y: start.y + 40, zone: 'none' })

    const corner = await page.getByRole('dialog', { name: 'Welcome', exact: true }).locator('[data-edge=se]').boundingBox()
    if (!corner) throw new Error('no corner')
    await drag(page, { x: corner.x + 7, y: corner.y + 7 }, { x: corner.x + 7 - 100, y: corner.y + 7 - 60 })
    await expect.poll(() => rectOf(page, 'Welcome')).toMatchObject({ width: start.width - 100, height: start.height - 60 })

    const bar = await grip(page, 'Welcome')
    await page.mouse.dblclick(bar.x, bar.y)
    await expect.poll(async () => (await rectOf(page, 'Welcome')).zone).toBe('maximised')
    expect(display.problems).toEqual([])
    await display.close()
  })

  it('[AP78] everything a pointer does has a key: move, resize, snap, tabs, tear-off, switch, minimise, close, reopen', async () => {
    const display = await E2eDisplay.open(device, browser)
    const { page } = display
    await display.unlock()
    await page.keyboard.press('Control+k')
    await page.getByPlaceholder(/Go to a window/).fill('devices')
    await page
      .getByRole('option', { name: /^Devices/ })
      .first()
      .waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Devices', exact: true }).waitFor()

    const before = await rectOf(page, 'Devices')
    await page.keyboard.press('Alt+F7')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Shift+ArrowDown')
    await page.keyboard.press('Enter')
    await expect.poll(() => rectOf(page, 'Devices')).toMatchObject({ x: before.x + 16, y: before.y + 1 })

    const moved = await rectOf(page, 'Devices')
    await page.keyboard.press('Alt+F8')
    await page.getByText('Alt: left and top edge.').waitFor()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Alt+ArrowLeft')
    await page.keyboard.press('Alt+ArrowUp')
    await page.keyboard.press('Enter')
    const { x, y, width, height } = moved
    await expect.poll(() => rectOf(page, 'Devices')).toMatchObject({ x: x - 16, y: y - 16, width: width + 32, height: height + 16 })

    await page.keyboard.press('Alt+ArrowRight')
    await expect.poll(async () => (await rectOf(page, 'Devices')).zone).toBe('right')
    await page.keyboard.press('Alt+t')
    await expect.poll(() => page.getByRole('tab').count()).toBeGreaterThanOrEqual(3)
    // The new tab is a terminal, and once it has the keyboard most keys are its program's: the tab itself takes them.
    await page.locator('.window[data-active] .xterm-helper-textarea:focus').waitFor()
    await page.locator('.window[data-active] [role=tab][aria-selected=true]').focus()
    await page.keyboard.press('Control+Alt+n')
    await expect.poll(() => page.getByRole('dialog').count()).toBe(3)
    await page.keyboard.press('Control+Shift+m')
    await expect.poll(() => page.getByRole('dialog').count()).toBe(2)

    await page.keyboard.down('Alt')
    await page.keyboard.press('q')
    const switcher = page.getByRole('listbox', { name: 'Windows' })
    await switcher.waitFor()
    const focused = () =>
      page.evaluate(() => document.activeElement?.getAttribute('aria-activedescendant') ?? document.activeElement?.className)
    await expect.poll(focused).toBe('switch-1')
    await page.keyboard.press('Escape')
    await page.keyboard.up('Alt')
    await switcher.waitFor({ state: 'detached' })
    expect(await page.evaluate(() => document.activeElement?.closest('.window[data-active]') !== null)).toBe(true)
    // Back and forth by the switcher: the window that is chosen has the keyboard, and stays in front.
    const inFront = () => page.locator('.window[data-active]').getAttribute('aria-label')
    const front = await inFront()
    await page.keyboard.down('Alt')
    await page.keyboard.press('q')
    await switcher.waitFor()
    await page.keyboard.up('Alt')
    await switcher.waitFor({ state: 'detached' })
    await expect.poll(inFront).not.toBe(front)
    await expect.poll(() => page.evaluate(() => document.activeElement?.closest('.window[data-active]') != null)).toBe(true)
    await runFromPalette(page, 'kitchen device', /^kitchen/)
    const details = page.getByRole('button', { name: 'Details of kitchen' })
    await expect.poll(() => details.getAttribute('aria-expanded')).toBe('true')
    await expect.poll(() => details.evaluate((button) => button === document.activeElement)).toBe(true)

    await page.getByRole('dialog', { name: 'Devices', exact: true }).getByRole('tab').focus()
    await page.keyboard.press('Control+Alt+w')
    await page.getByText('Closed “Devices”').waitFor()
    await page.keyboard.press('Control+Alt+t')
    await page.getByRole('dialog', { name: 'Devices', exact: true }).waitFor()
    expect(display.problems).toEqual([])
    await display.close()
  })

  it('a drag shows on a second screen of the same desk while it lasts, and is one change when it ends', async () => {
    const one = await E2eDisplay.open(device, browser)
    await one.unlock()
    const two = await E2eDisplay.open(device, browser)
    await two.unlock('beside')
    await one.page.getByRole('dialog', { name: 'Devices', exact: true }).waitFor()
    await one.page.keyboard.press('Control+k')
    await one.page.getByPlaceholder(/Go to a window/).fill('settings')
    await one.page.keyboard.press('Enter')
    await one.page.getByRole('dialog', { name: 'Settings', exact: true }).waitFor()
    await two.page.getByRole('dialog', { name: 'Settings', exact: true }).waitFor()
    const at = await grip(one.page, 'Settings')
    await drag(one.page, at, { x: at.x - 70, y: at.y + 50 }, false)
    await two.page.locator('[data-remote-drag]').waitFor()
    await one.page.mouse.up()
    await two.page.locator('[data-remote-drag]').waitFor({ state: 'detached' })
    expect(await rectOf(two.page, 'Settings')).toEqual(await rectOf(one.page, 'Settings'))
    await one.close()
    await two.close()
  })

  it('kill -9 of the device process under an open desk: what was done meanwhile is kept and arrives after the next unlock', async () => {
    const display = await E2eDisplay.open(device, browser)
    const { page } = display
    await display.unlock()
    await page.keyboard.press('Control+Alt+a')
    await page.keyboard.type('Before')
    await page.keyboard.press('Enter')
    await device.kill('device')
    await page.getByText('Linked with').or(page.getByText('reconnecting')).first().waitFor()
    await page.keyboard.press('Control+Alt+a')
    await page.keyboard.type('Meanwhile')
    await page.keyboard.press('Enter')
    await page.getByLabel('Passphrase', { exact: true }).waitFor({ timeout: 60_000 })
    await display.unlock()
    await page.getByRole('button', { name: 'Activity Meanwhile' }).waitFor()

    const other = await E2eDisplay.open(device, browser)
    await other.unlock('beside')
    await other.page.getByRole('button', { name: 'Activity Meanwhile' }).click()
    await other.page.getByRole('menuitem', { name: /^Before/ }).waitFor()
    await other.close()
    await display.close()
  })

  it('[AP76] motion is the person’s choice, else the system’s: what is reduced neither slides nor turns, from the first paint on', async () => {
    const display = await E2eDisplay.open(device, browser)
    const { page } = display
    await display.unlock()
    await runFromPalette(page, 'settings', /^Settings/)
    const motion = (choice: string) => page.getByRole('radiogroup', { name: 'Reduced motion' }).getByRole('radio', { name: choice })
    await motion('Reduced').waitFor()
    await page.evaluate(() => {
      const moved: string[] = []
      Object.assign(window, { moved })
      addEventListener('animationstart', ({ animationName }) => moved.push(animationName), true)
      addEventListener('transitionrun', ({ propertyName }) => moved.push(propertyName), true)
    })
    /** What began is told a frame later: until nothing moves, and nothing that did is still to be told. */
    const settle = () =>
      page.evaluate(async () => {
        const { moved } = window as unknown as { moved: string[] }
        const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))
        for (let isStill = false; !isStill; ) {
          moved.length = 0
          await frame()
          await frame()
          isStill = moved.length === 0 && document.getAnimations().length === 0
        }
      })
    const seen: string[] = []
    for (const system of ['no-preference', 'reduce'] as const) {
      for (const choice of ['As the system', 'Reduced', 'Full']) {
        await page.emulateMedia({ reducedMotion: system })
        await motion(choice).click()
        const isReduced = choice === 'Reduced' || (choice === 'As the system' && system === 'reduce')
        await page.locator(`html[data-motion="${isReduced ? 'reduced' : 'full'}"]`).waitFor({ state: 'attached' })
        await settle() // the radio's own
        await runFromPalette(page, 'task manager', /^Task manager/)
        await page.locator('.window[data-active] .tasks-table').waitFor()
        const { moved, spins } = await page.evaluate(async () => {
          for (let n = 0; n < 3; n++) await new Promise((resolve) => requestAnimationFrame(resolve)) // it is told that it arrives a frame after it is there
          const spinner = document.body.appendChild(document.createElement('div'))
          spinner.className = 'ui-spinner'
          const spins = getComputedStyle(spinner).animationName
          spinner.remove()
          return { moved: (window as unknown as { moved: string[] }).moved, spins }
        })
        seen.push(`${system}, ${choice}: ${isReduced ? moved.join(' ') : moved.includes('window-arrives')} ${spins}`)
        await page.locator('.window[data-active]').getByRole('button', { name: 'Close window' }).click()
        await page.locator('.tasks-table').waitFor({ state: 'detached' })
      }
    }
    expect(seen).toEqual([
      'no-preference, As the system: true ui-spin',
      'no-preference, Reduced:  none',
      'no-preference, Full: true ui-spin',
      'reduce, As the system:  none',
      'reduce, Reduced:  none',
      'reduce, Full: true ui-spin',
    ])
    await page.reload() // the lock screen knows it already
    await page.getByLabel('Passphrase', { exact: true }).waitFor()
    expect(await page.locator('html').getAttribute('data-motion')).toBe('full')
    await display.unlock()
    await runFromPalette(page, 'settings', /^Settings/)
    await motion('As the system').click()
    await page.locator('html[data-motion="reduced"]').waitFor({ state: 'attached' })
    await display.close()
  })

  it('locking loads the page anew and leaves nothing of the desk behind', async () => {
    const display = await E2eDisplay.open(device, browser)
    const { page } = display
    await display.unlock()
    await page.evaluate(() => Object.assign(window, { stillHere: true }))
    await page.keyboard.press('Control+Alt+l')
    await page.getByLabel('Passphrase', { exact: true }).waitFor()
    expect(await page.evaluate(() => 'stillHere' in window)).toBe(false)
    expect(await page.getByRole('dialog').count()).toBe(0)
    await page.getByLabel('Passphrase', { exact: true }).fill('not the passphrase')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    await display.close()
  })
})
