import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Locator } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { E2eDesk } from '../harness/e2e-desk.ts'
import { E2eDevice } from '../harness/e2e-device.ts'
import { E2eBrowser, E2eDisplay } from '../harness/e2e-display.ts'
import { eventually } from '../harness/e2e-pair.ts'
import { keepEvidence } from '../harness/evidence.ts'
import { closeWindows, drag, grip, middle, rectOf, runFromPalette } from '../harness/hands.ts'
import { describeInBrowser } from '../harness/needs.ts'

/** What a person does with windows, from its beginning to its end, by key, by pointer and from one display to the next. */
describeInBrowser('journeys over the desk', () => {
  let device: E2eDevice
  let browser: E2eBrowser
  let display: E2eDisplay

  beforeAll(async () => {
    device = await E2eDevice.start({ name: 'kitchen' })
    await device.create('Maria')
    browser = await E2eBrowser.launch()
    display = await E2eDisplay.open(device, browser)
    await display.unlock()
    display.page.setDefaultTimeout(15_000)
  })
  afterEach((context) => keepEvidence(context, { display }))
  afterAll(async () => {
    await browser?.dispose()
    await device?.dispose()
  })

  const active = (title: string): Locator => display.page.locator(`.window[data-active][aria-label="${title}"]`)
  const open = async (app: string, title = app) => {
    await runFromPalette(display.page, app, new RegExp(`^${app}`))
    await active(title).waitFor()
  }

  it('a window is moved and resized by keys alone: finely, coarsely, given up, and from its menu', async () => {
    const { page } = display
    await open('Settings')
    const start = await rectOf(page, 'Settings')
    await page.keyboard.press('Alt+F8')
    await page.getByText('Resize with the arrow keys').waitFor()
    for (const key of ['ArrowRight', 'ArrowRight', 'Shift+ArrowDown', 'ArrowUp']) await page.keyboard.press(key)
    await page.keyboard.press('Enter')
    await expect.poll(() => rectOf(page, 'Settings')).toMatchObject({ width: start.width + 32, height: start.height + 1 - 16 })

    const sized = await rectOf(page, 'Settings')
    await page.keyboard.press('Alt+F7')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Escape')
    await page.getByText('Move with the arrow keys').waitFor({ state: 'detached' })
    expect(await rectOf(page, 'Settings')).toEqual(sized)

    // The menu has the same two, and leaves the keyboard where it was.
    await page.keyboard.press('Alt+Space')
    const move = page.getByRole('menuitem', { name: /^Move Alt/ })
    await move.waitFor()
    await eventually('the arrow keys reach it', async () => {
      if (await move.evaluate((item) => item === document.activeElement)) return true
      await page.keyboard.press('ArrowDown')
      return false
    })
    await page.keyboard.press('Enter')
    await page.getByText('Move with the arrow keys').waitFor()
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('Enter')
    await expect.poll(() => rectOf(page, 'Settings')).toMatchObject({ x: sized.x - 16, y: sized.y, width: sized.width })
    expect(await page.evaluate(() => document.activeElement?.closest('[data-window]')?.getAttribute('aria-label'))).toBe('Settings')
    for (let taken = 0; taken < 2; taken++) {
      await page.keyboard.press('Control+z')
      await page
        .getByText(/^Undone: /)
        .first()
        .waitFor()
    }
    await expect.poll(() => rectOf(page, 'Settings')).toEqual(start)
  })

  it('a drag of three seconds changes the document once, when it is dropped', async () => {
    const { page } = display
    await open('Settings')
    const desk = await E2eDesk.open(device, { width: 1320, height: 864 })
    try {
      const at = await grip(page, 'Settings')
      await page.mouse.move(at.x, at.y)
      await page.mouse.down()
      desk.changes.length = 0
      for (let i = 1; i <= 100; i++) {
        await page.mouse.move(at.x + 80 * Math.sin(i / 8), at.y + i)
        await page.waitForTimeout(30)
      }
      expect(desk.changes).toEqual([])
      await page.mouse.up()
      await eventually('the drop has arrived', async () => desk.changes.length > 0)
      await page.waitForTimeout(1_000)
      expect(desk.changes).toHaveLength(1)
      expect(desk.changes[0]).toBeLessThan(600)
    } finally {
      desk.dispose()
    }
  })

  it('a tab is dragged out of one window and dropped among the tabs of another; the dock grows meanwhile and takes nothing it was not given', async () => {
    const { page } = display
    await closeWindows(page)
    await open('Settings')
    await page.keyboard.press('Alt+t')
    const strip = page.locator('.window[data-active] [data-tab-strip]')
    await expect.poll(() => strip.getByRole('tab').count()).toBe(2)
    // The new tab is a terminal: it takes the keyboard once it is there, and from then on Alt belongs to its program.
    await page.locator('.xterm-helper-textarea:focus').waitFor({ state: 'attached' })
    await page.keyboard.press('Control+Shift+ArrowLeft')
    await open('Devices')
    await page.keyboard.press('Alt+ArrowRight')
    await expect.poll(async () => (await rectOf(page, 'Devices')).zone).toBe('right')
    const id = await active('Devices').getAttribute('data-window') // its name will be that of the tab in front
    const target = page.locator(`[data-tab-strip="${id}"]`)
    const carried = page.getByRole('tab', { name: 'Settings' })
    const to = await target.getByRole('tab').first().boundingBox()
    if (!to) throw new Error('no tab to drop beside')
    await drag(page, await middle(carried), { x: to.x + to.width - 4, y: to.y + to.height / 2 }, false)
    await page.locator('.elsewhere-panel[data-carrying="by"]').waitFor()
    await page.locator('.device-tile[data-takes="no"]').getByText('already on every device').waitFor()
    await page.mouse.up()
    await expect.poll(() => target.getByRole('tab').allInnerTexts()).toEqual(['Devices', 'Settings'])
    await page.locator('.elsewhere-panel[data-carrying]').waitFor({ state: 'detached' })

    // Over the grown part, not carried in: the right edge below it still snaps.
    await page.keyboard.press('Alt+Enter')
    const bar = await grip(page, 'Settings')
    await drag(page, bar, { x: bar.x, y: bar.y + 200 })
    const free = await grip(page, 'Settings')
    const edge = await display.page.locator('[data-desk-area]').boundingBox()
    if (!edge) throw new Error('no desk')
    await drag(page, free, { x: edge.x + edge.width - 6, y: edge.y + 60 }, false)
    await page.locator('.elsewhere-panel[data-carrying="past"]').waitFor()
    await page.mouse.up()
    await expect.poll(async () => (await rectOf(page, 'Settings')).zone).toBe('top-right')
  })

  it('what was closed is found again in the palette, at its place and with its tabs', async () => {
    const { page } = display
    await closeWindows(page)
    await open('Files', 'Home')
    await page.keyboard.press('Alt+t')
    await expect.poll(() => page.getByRole('tab').count()).toBe(2)
    const place = await rectOf(page, 'Home')
    await page.keyboard.press('Control+Alt+w')
    await page.locator('.window').waitFor({ state: 'detached' })
    await open('Settings')
    await page.keyboard.press('Control+k')
    await page.getByPlaceholder(/Go to a window/).fill('recently home')
    await page.getByRole('group', { name: 'Recently closed' }).getByRole('option', { name: /^Home/ }).first().click()
    await active('Home').waitFor()
    expect(await rectOf(page, 'Home')).toEqual(place)
    expect(await page.locator('.window[data-active]').getByRole('tab').count()).toBe(2)
  })

  it('[AP103] the keyboard goes on in an empty folder: in, a paste, out again, and when the last entry went', async () => {
    const { page } = display
    await closeWindows(page)
    const outer = path.join(device.folder, 'errands')
    await mkdir(path.join(outer, 'empty'), { recursive: true })
    await writeFile(path.join(outer, 'list.md'), 'milk')
    await open('Files', 'Home')
    await page.getByRole('option', { name: /^errands,/ }).dblclick()
    await page.getByRole('option', { name: /^list\.md,/ }).click()
    await page.keyboard.press('Control+c')
    await page.getByRole('option', { name: /^empty,/ }).dblclick()
    const empty = page.getByRole('group', { name: /^Contents of .*empty$/ })
    await empty.getByText('An empty folder').waitFor()
    await expect.poll(() => empty.evaluate((one) => one === document.activeElement)).toBe(true)
    await page.keyboard.press('Control+v')
    await page.getByRole('option', { name: /^list\.md,/ }).waitFor()
    expect(await readFile(path.join(outer, 'empty', 'list.md'), 'utf8')).toBe('milk')
    const list = page.getByRole('listbox')
    await expect.poll(() => list.evaluate((one) => one === document.activeElement)).toBe(true)
    await page.keyboard.press('Control+a')
    await page.keyboard.press('Delete')
    await empty.click({ button: 'right', position: { x: 10, y: 10 } })
    await page.getByRole('menuitem', { name: 'Paste' }).click()
    await page.getByRole('option', { name: /^list\.md,/ }).waitFor()
    await list.press('Backspace')
    await page.getByRole('option', { name: /^empty,/, selected: true }).waitFor()
    await page.getByRole('button', { name: 'New folder' }).dblclick()
    await page.getByLabel('New name of New folder').fill('twice')
    await page.keyboard.press('Enter')
    await page.getByRole('option', { name: /^twice,/ }).waitFor()
    expect(await page.getByText('The folder could not be made').count()).toBe(0)
  })

  it('[AP103] a file of the host that is let go over the desk is not opened in its place; a folder still takes it', async () => {
    const { page } = display
    const letGo = (where: Locator) =>
      where.evaluate((element) => {
        const dataTransfer = new DataTransfer()
        dataTransfer.items.add(new File(['butter'], 'from host.txt'))
        return ['dragover', 'drop'].map((type) => {
          const event = new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer })
          element.dispatchEvent(event)
          return event.defaultPrevented
        })
      })
    expect(await letGo(page.getByRole('navigation', { name: 'Places' }))).toEqual([true, true])
    expect(await letGo(display.desk)).toEqual([true, true])
    expect(await letGo(page.getByRole('listbox'))).toEqual([true, true])
    await page.getByRole('option', { name: /^from host\.txt,/ }).waitFor()
    expect(await page.getByRole('option', { name: /^from host/ }).count()).toBe(1)
  })

  it('one field goes to windows of other activities, apps, activities and commands', async () => {
    const { page } = display
    await closeWindows(page)
    await open('Settings')
    await page.keyboard.press('Control+Alt+a')
    await page.keyboard.type('Taxes')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Activity Taxes' }).waitFor()
    expect(await display.windows()).toEqual([])
    await runFromPalette(page, 'settings', /^Settings/) // a window, over there
    await page.getByRole('button', { name: 'Activity Home' }).waitFor()
    await runFromPalette(page, 'taxes', /^Taxes/) // an activity
    await page.getByRole('button', { name: 'Activity Taxes' }).waitFor()
    await runFromPalette(page, 'task man', /^Task manager/) // an app
    await active('Task manager').waitFor()
    await runFromPalette(page, 'maximise', /^Maximise or restore/) // a command
    await expect.poll(async () => (await rectOf(page, 'Task manager')).zone).toBe('maximised')
    await page.keyboard.press('Control+k')
    await page.getByPlaceholder(/Go to a window/).fill('no such thing at all')
    await page.getByText('Nothing here is called that.').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: /^Activity/ }).click()
    await page.getByRole('menuitem', { name: 'Close activity' }).click()
    await page.getByRole('button', { name: 'Activity Home' }).waitFor()
  })

  it('a key is given another command; it says whose it was, works at once, and on the display unlocked next', async () => {
    const { page } = display
    await open('Settings')
    const settings = page.locator('.window[data-active]')
    await settings.getByText('Keys', { exact: true }).first().click()
    await settings.getByPlaceholder('Find a command or key').fill('maximise')
    await settings.getByRole('button', { name: /^Change keys of Maximise/ }).click()
    await page.keyboard.press('Alt+b')
    await settings.getByText('Now: Messages. It would lose them.').waitFor()
    await page.keyboard.press('Control+Alt+m')
    await page.keyboard.press('Enter')
    await settings.getByRole('button', { name: 'Change keys of Maximise or restore window: Ctrl+Alt+M' }).waitFor()
    await page.keyboard.press('Control+Alt+m')
    await expect.poll(async () => (await rectOf(page, 'Settings')).zone).toBe('maximised')

    const next = await E2eDisplay.open(device, browser)
    await next.unlock()
    await next.window('Settings').waitFor()
    await next.page.locator('.window[data-active]').focus()
    await next.page.keyboard.press('Alt+Enter') // what was shipped does nothing any more
    await next.page.keyboard.press('Control+Alt+m')
    await expect.poll(async () => (await rectOf(next.page, 'Settings')).zone).toBe('none')
    await next.close()
    await display.unlock()
  })

  it('what was done to a window is undone on the display unlocked after it', async () => {
    const { page } = display
    await open('Settings')
    await page.keyboard.press('Alt+ArrowLeft')
    await expect.poll(async () => (await rectOf(page, 'Settings')).zone).toBe('left')
    const snapped = await rectOf(page, 'Settings')
    const at = await grip(page, 'Settings')
    await drag(page, at, { x: at.x + 200, y: at.y + 90 })
    await expect.poll(async () => (await rectOf(page, 'Settings')).zone).toBe('none')

    const next = await E2eDisplay.open(device, browser)
    await next.unlock('move')
    await page.getByText(/^You are on/).waitFor()
    await next.window('Settings').waitFor()
    expect((await rectOf(next.page, 'Settings')).zone).toBe('none')
    await next.page.locator('.window[data-active]').focus()
    await next.page.keyboard.press('Control+z')
    await next.page.getByText(/^Undone: /).waitFor()
    await expect.poll(() => rectOf(next.page, 'Settings')).toEqual(snapped)
    expect([...display.problems, ...next.problems].filter((problem) => problem.startsWith('page error'))).toEqual([])
    await next.close()
  })
})
