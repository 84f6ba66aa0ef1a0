import { AxeBuilder } from '@axe-core/playwright'
import type { Locator, Page } from 'playwright-core'

export interface Point {
  readonly x: number
  readonly y: number
}

/** Where a window lies by its own account, in px of the desk, and the zone it is snapped to. */
export const rectOf = (page: Page, title: string) =>
  page.getByRole('dialog', { name: title, exact: true }).evaluate((element: HTMLElement) => ({
    x: Number.parseInt(element.style.left, 10),
    y: Number.parseInt(element.style.top, 10),
    width: Number.parseInt(element.style.width, 10),
    height: Number.parseInt(element.style.height, 10),
    zone: element.dataset.zone,
  }))

/** A point of a window's title bar that is neither tab nor button. */
export async function grip(page: Page, title: string): Promise<Point> {
  const box = await page.getByRole('dialog', { name: title, exact: true }).locator('.title-bar').boundingBox()
  if (!box) throw new Error(`no window ${title}`)
  return { x: box.x + box.width * 0.6, y: box.y + box.height / 2 }
}

/** Press, move, and let go (unless `drop` is false), as a hand does. */
export async function drag(page: Page, from: Point, to: Point, drop = true): Promise<void> {
  await page.mouse.move(from.x, from.y)
  await page.mouse.down()
  await page.mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 4 })
  await page.mouse.move(to.x, to.y, { steps: 4 })
  if (drop) await page.mouse.up()
}

/** The middle of what can be seen of an element. */
export async function middle(of: Locator): Promise<Point> {
  const box = await of.boundingBox()
  if (!box) throw new Error(`nothing to take hold of: ${of}`)
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 }
}

/** A finger drawn sideways by `px`, as a browser hears it. The display must have been opened with `touch`. */
export async function swipe(page: Page, { x, y }: Point, px: number): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const send = (type: 'touchStart' | 'touchMove' | 'touchEnd', at?: Point) =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints: at ? [at] : [] })
  await send('touchStart', { x, y })
  for (let step = 1; step <= 4; step++) {
    await send('touchMove', { x: x + (px * step) / 4, y })
    await page.waitForTimeout(20)
  }
  await page.waitForTimeout(80) // rests before it lifts: else Chromium takes the next tap as the end of a fling
  await send('touchEnd')
  await session.detach()
}

/** Closes every window of the activity, one after the other: by their buttons, since inside a terminal keys belong to its program. */
export async function closeWindows(page: Page): Promise<void> {
  for (let left = await page.locator('.window').count(); left > 0; left = await page.locator('.window').count()) {
    await page.locator('.window[data-active]').getByRole('button', { name: 'Close window' }).click()
    await page.waitForFunction((before) => document.querySelectorAll('.window').length < before, left)
  }
}

/** Opens what the palette finds first for `words`, by keyboard alone. */
export async function runFromPalette(page: Page, words: string, option: RegExp | string): Promise<void> {
  // Inside a terminal Ctrl+K belongs to the program.
  const isInTerminal = await page.evaluate(() => document.activeElement?.closest('.xterm') !== null && document.activeElement !== null)
  await page.keyboard.press(isInTerminal ? 'Control+Shift+k' : 'Control+k')
  const field = page.getByPlaceholder(/Go to a window/)
  await field.waitFor()
  await field.fill(words)
  // Enter runs what is chosen, which is so a moment after it is listed.
  await page.getByRole('option', { name: option, selected: true }).first().waitFor()
  // In the field: a menu that closes late gives the focus back to where it was opened.
  await field.press('Enter')
  await field.waitFor({ state: 'detached' })
}

/** What fades in or out has done so: half of a colour is no colour of the theme. What turns for ever is not waited for. */
async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    document.getAnimations().every(({ effect, playState }) => playState !== 'running' || effect?.getComputedTiming().endTime === Infinity),
  )
}

/** The rules of axe that look at colours: all that a theme can change. */
const COLOUR_RULES = ['color-contrast', 'link-in-text-block']

/**
 * axe's serious and critical findings, as sentences.
 *
 * axe is given to a page once (it is half a megabyte to read), and works inside it: its usual way opens a blank page for each
 * answer. For that, frames of other sites are not looked into; they are not ours.
 *
 * @param scope  a selector of what is new; the rest of the page was looked at before
 * @param only  `colours` where the same page was looked at in another theme just before
 */
export async function findings(page: Page, where: string, scope?: string, only?: 'colours'): Promise<readonly string[]> {
  await settled(page)
  const isThere = page.frames().length === 1 && (await page.evaluate(() => 'axe' in window))
  const axe = new AxeBuilder({ page, ...(isThere && { axeSource: ';' }) }).setLegacyMode()
  const options = { resultTypes: ['violations' as const] }
  axe.options(only ? { ...options, runOnly: { type: 'rule', values: COLOUR_RULES } } : options)
  const { violations } = await (scope ? axe.include(scope) : axe).analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${where}: ${id} at ${node.target.join(' ')}: ${node.failureSummary ?? ''}`))
}
