import { afterAll, beforeAll, expect, it } from 'vitest'
import { E2eBrowser, E2eDisplay } from './harness/e2e-display.ts'
import { E2eDevice } from './harness/e2e-device.ts'
import { eventually } from './harness/e2e-pair.ts'
import { describeInBrowser } from './harness/needs.ts'

const WIDE = { width: 1440, height: 900 }
const TALL = { width: 1000, height: 1300 }

describeInBrowser('a window has a place of its own for each class of display', () => {
  let device: E2eDevice
  let browser: E2eBrowser
  let display: E2eDisplay

  beforeAll(async () => {
    device = await E2eDevice.start({ name: 'laptop' })
    await device.create('Ada')
    browser = await E2eBrowser.launch()
    display = await E2eDisplay.open(device, browser, WIDE)
    await display.unlock()
    await display.openApp('Settings')
    await display.window('Settings').waitFor()
  })
  afterAll(async () => {
    await browser?.dispose()
    await device?.dispose()
  })

  const settings = async () => {
    const found = (await display.windows()).find(({ title }) => title === 'Settings')
    if (!found) throw new Error('no Settings window')
    return found
  }
  /** The desk's class changes half a second after the size: waits until the window lies still somewhere else than before. */
  const settle = async (before: { x: number; y: number; width: number }) => {
    await eventually('another place', async () => JSON.stringify(await settings()) !== JSON.stringify(before))
    return eventually('a place that holds', async () => {
      const one = await settings()
      await display.page.waitForTimeout(700)
      return JSON.stringify(await settings()) === JSON.stringify(one) ? one : undefined
    })
  }

  it('keeps the place of each, reaches the title bar in a new one, and finds the old one again', async () => {
    const opened = await settings()
    await display.dragWindow('Settings', { x: 100, y: 40 })
    const wide = await settle(opened)
    expect([wide.x - opened.x, wide.y - opened.y]).toEqual([100, 40])

    await display.page.setViewportSize(TALL)
    const tall = await settle(wide)
    expect(tall.x).toBeGreaterThanOrEqual(0)
    expect(tall.y).toBeGreaterThanOrEqual(36)
    expect(tall.x + tall.width).toBeLessThanOrEqual(TALL.width)

    await display.dragWindow('Settings', { x: -60, y: 100 })
    const moved = await settle(tall)
    await display.page.setViewportSize(WIDE)
    expect(await settle(moved)).toEqual(wide)
    await display.page.setViewportSize(TALL)
    expect(await settle(wide)).toEqual(moved)
  })
})
