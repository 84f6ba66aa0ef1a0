import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { whyNoNetLab } from '../src/testkit/netlab.ts'
import { whyNoBrowser } from './harness/chromium.ts'
import { E2eDisplay } from './harness/e2e-display.ts'
import { E2eLab } from './harness/e2e-pair.ts'
import { keepEvidence } from './harness/evidence.ts'
import { findings, runFromPalette } from './harness/hands.ts'

const why = whyNoNetLab() ?? whyNoBrowser

/* The pane as somebody uses it all day: several at once, by keys, by a finger, in a narrow window. */
describe.skipIf(why !== undefined)(`files, by hand and by keys${why ? ` (${why})` : ''}`, () => {
  let lab: E2eLab
  let display: E2eDisplay

  beforeAll(async () => {
    lab = await E2eLab.createWith({ paired: false }, 'kitchen')
    const desk = path.join(lab.machine('kitchen').device.folder, 'Desk')
    mkdirSync(path.join(desk, 'Photos', '2024'), { recursive: true })
    for (let n = 1; n <= 6; n++) writeFileSync(path.join(desk, `note ${n}.txt`), 'x'.repeat(n * 100))
    writeFileSync(path.join(desk, 'Photos', '2024', 'note 12.txt'), 'deep')
    writeFileSync(path.join(desk, `${'a very long name of a file '.repeat(8)}(3).tar.gz`), 'x')
    display = await lab.display('kitchen', 'move', { reducedMotion: 'reduce' })
    await runFromPalette(display.page, 'files', /^Files/)
    await display.page
      .getByRole('navigation', { name: 'Places' })
      .getByRole('button', { name: /^kitchen/ })
      .click()
    await pane().locator('.files-row').first().waitFor()
    await row('Desk').dblclick()
    await row('note 1\\.txt').waitFor()
  })
  afterEach((context) => keepEvidence(context, { display }))
  afterAll(() => lab?.dispose())

  const pane = () => display.page.locator('.window[data-active] .files')
  const row = (name: string) => pane().getByRole('option', { name: new RegExp(`^${name}`) })
  const bar = () => pane().getByRole('toolbar', { name: 'What is chosen' })
  const labels = () => display.page.getByRole('menuitem').or(display.page.getByRole('menuitemcheckbox')).allInnerTexts()
  /** The list has the keyboard again a moment after its menu has gone. */
  const closeMenu = async () => {
    await display.page.keyboard.press('Escape')
    const isBack = () =>
      display.page.evaluate(() => !document.querySelector('[role=menu]') && document.activeElement?.closest('.files') !== null)
    await expect.poll(isBack, { timeout: 10_000 }).toBe(true)
  }
  const onDisk = () => readdirSync(path.join(lab.machine('kitchen').device.folder, 'Desk'))

  it('[AP162] by keys: several are chosen, counted, moved to the trash and brought back; then the next one is chosen', async () => {
    const { page } = display
    await row('note 2').click()
    await page.keyboard.press('Shift+ArrowDown')
    await page.keyboard.press('Shift+ArrowDown')
    await bar().getByText('3 of 8 chosen, 900 B').waitFor()
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.locator(`html[data-theme="${colorScheme}"]`).waitFor({ state: 'attached' })
      expect(await findings(page, `several chosen, ${colorScheme}`)).toEqual([])
    }
    await page.keyboard.press('Delete')
    await row('note 3').waitFor({ state: 'detached' })
    await pane()
      .getByRole('option', { name: /^note 5/, selected: true })
      .waitFor()
    expect(await bar().count()).toBe(0)
    expect(
      onDisk()
        .filter((name) => name.startsWith('note'))
        .sort(),
    ).toEqual(['note 1.txt', 'note 5.txt', 'note 6.txt'])
    await page.keyboard.press('Control+z')
    await row('note 3').waitFor()
    await page.keyboard.press('Control+a')
    await bar()
      .getByText(/^8 of 8 chosen/)
      .waitFor()
    await page.keyboard.press('Escape')
    await bar().waitFor({ state: 'detached' })
    // The keys that its buttons name work in the bar too, and when it goes the list has the keyboard.
    for (const [button, key] of [
      ['Copy', 'Escape'],
      ['Choose nothing', 'Space'],
    ] as const) {
      await page.keyboard.press('Control+a')
      await bar().getByRole('button', { name: button }).press(key)
      await bar().waitFor({ state: 'detached' })
      expect(
        await pane()
          .getByRole('listbox')
          .evaluate((list) => list === document.activeElement),
      ).toBe(true)
    }
  })

  it('[AP162] the menu of several has what is done with all of them; that of one, of it alone; that of the folder is a button’s, too', async () => {
    const { page } = display
    await row('note 1').click()
    await row('note 4').click({ modifiers: ['Shift'] })
    await row('note 2').click({ button: 'right' })
    const many = (await labels()).join('\n')
    expect(many).toMatch(/Download 4 as a zip/)
    expect(many).toMatch(/Move 4 to trash/)
    expect(many).not.toMatch(/Rename|History|Quick look|New folder/)
    await closeMenu()
    await row('note 6').click({ button: 'right' })
    const one = (await labels()).join('\n')
    expect(one).toMatch(/Rename/)
    expect(one).not.toMatch(/New folder|Hidden files/)
    await closeMenu()
    await pane().getByRole('button', { name: 'This folder' }).press('Enter')
    await page.getByRole('menuitem', { name: 'New folder' }).waitFor()
    expect(await findings(page, 'menu of the folder')).toEqual([])
    await page.getByRole('menuitemcheckbox', { name: 'As tiles' }).press('Enter')
    await pane().locator('.files-tile').first().waitFor()
    // No room is left over on the right: the last tile of a row ends where the list does.
    const free = await pane()
      .locator('.files-list')
      .evaluate(
        (list) =>
          list.clientWidth -
          Math.max(
            ...[...list.querySelectorAll('.files-tile')].map(
              (one) => one.getBoundingClientRect().right - list.getBoundingClientRect().left,
            ),
          ),
      )
    expect(free).toBeLessThan(32)
    await pane().getByRole('button', { name: 'Show as a list' }).click()
  })

  it('[AP162] a long name keeps its end; a folder is looked at; what is found is led through by arrow keys', async () => {
    const { page } = display
    const name = row('a very long').locator('.files-name')
    expect(await name.getAttribute('title')).toMatch(/^a very long.*\(3\)\.tar\.gz$/)
    const tail = name.locator('span').last()
    expect(await tail.innerText()).toBe('(3).tar.gz')
    expect(await tail.evaluate((end) => end.scrollWidth <= end.clientWidth + 1)).toBe(true)
    await page.setViewportSize({ width: 390, height: 844 })
    const right = async () => {
      const box = await tail.boundingBox()
      return box ? box.x + box.width : 999
    }
    await expect.poll(right, { timeout: 10_000 }).toBeLessThan(390)
    expect(await pane().getByRole('button', { name: 'New folder' }).count()).toBe(0)
    await pane().getByRole('button', { name: 'This folder' }).waitFor()
    await page.setViewportSize({ width: 1440, height: 900 })
    await row('Photos').click()
    await page.keyboard.press('Space')
    await page.getByRole('list', { name: 'What is in Photos' }).getByText('2024').waitFor()
    await page.keyboard.press('Space')
    await pane().getByLabel('Filter this folder').fill('note')
    await pane().getByLabel('Filter this folder').press('Enter')
    const found = page.getByRole('list', { name: 'Found' })
    await found.getByRole('button').nth(6).waitFor()
    expect(await found.locator('.files-name').allInnerTexts()).toEqual([1, 2, 3, 4, 5, 6, 12].map((n) => `note ${n}.txt`))
    for (let down = 0; down < 7; down++) await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await pane()
      .getByRole('option', { name: /^note 12/, selected: true })
      .waitFor()
  })

  it('[AP162] by a finger: one press opens, unless several are being chosen', async () => {
    const { device, browser } = lab.machine('kitchen')
    const touch = await E2eDisplay.open(device, browser, { width: 390, height: 844, touch: true, reducedMotion: 'reduce' })
    try {
      await touch.unlock('beside')
      const list = touch.page.locator('.files-list')
      await touch.page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name: 'Window' }).tap()
      await list.waitFor()
      const option = (name: RegExp) => touch.page.getByRole('option', { name })
      await touch.page.getByRole('navigation', { name: 'Folder' }).getByRole('button').last().waitFor()
      const first = option(/./).first()
      await first.waitFor()
      expect((await first.boundingBox())?.height).toBe(40)
      await first.dispatchEvent('contextmenu') // what a long press comes as
      await touch.page.getByRole('menuitemcheckbox', { name: 'Choose more' }).tap()
      const chosen = touch.page.getByRole('toolbar', { name: 'What is chosen' })
      await chosen.waitFor()
      const before = await option(/./).count()
      await first.tap()
      await chosen.getByText(/^[01] of/).waitFor()
      expect(await option(/./).count()).toBe(before) // nothing was opened
      await chosen.getByRole('button', { name: 'Choose nothing' }).tap()
      await chosen.waitFor({ state: 'detached' })
    } finally {
      await touch.close()
    }
  })
})
