import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { E2eDesk } from '../../e2e/harness/e2e-desk.ts'
import { E2eDevice } from '../../e2e/harness/e2e-device.ts'
import { CHROMIUM } from '../../e2e/harness/chromium.ts'
import { E2eBrowser, E2eDisplay } from '../../e2e/harness/e2e-display.ts'
import { betweenMarks } from '../../e2e/harness/page-times.ts'
import { type AppStateInput, appState } from '../../src/session/app-state.ts'
import type { ActivityId, TabId, WindowId } from '../../src/session/session-ids.ts'
import { measureChromiumRestore } from '../peers/chromium-restore.ts'
import { startVirtualScreen } from '../peers/xvfb.ts'
import { median } from '../report.ts'
import { type Measured, measured } from './rows.ts'

/* What one display of one device costs: unlock, drag, heap, scripts. */

const AREA = { width: 1300, height: 860 }
const UNLOCKS = 3
const RESTORES = 3
const MUST_OF_RESTORE = 0.3
const MB = 1e6
const RENDERER = path.resolve(import.meta.dirname, '../../dist/renderer')

/** Apps that need no program: what a tab shows is not what is measured here. */
const KINDS: readonly ((device: string) => AppStateInput)[] = [
  (device) => ({ kind: 'files', device, path: null }),
  (device) => ({ kind: 'editor', device, path: null, textDoc: null, version: null }),
  () => ({ kind: 'settings' }),
  () => ({ kind: 'tasks' }),
  () => ({ kind: 'devices' }),
]

/** Opens windows, spread over activities of `perActivity`, each with `tabs` tabs. The first activity is shown. */
export function openWindows(desk: E2eDesk, device: string, windows: number, tabs: number, perActivity: number): void {
  const id = <T extends string>(text: string) => text as T
  const app = (number: number) => appState.parse(KINDS[number % KINDS.length]?.(device))
  const home = desk.state.currentActivity
  for (let w = 0; w < windows; w++) {
    if (w > 0 && w % perActivity === 0)
      desk.do({ type: 'activity/create', id: id<ActivityId>(`a${w / perActivity}`), name: `Activity ${w / perActivity}` })
    const windowId = id<WindowId>(`w${w}`)
    desk.do({ type: 'window/open', id: windowId, tabId: id<TabId>(`t${w}-0`), app: app(w) })
    for (let t = 1; t < tabs; t++) desk.do({ type: 'tab/open', windowId, id: id<TabId>(`t${w}-${t}`), app: app(w + t), background: true })
  }
  desk.do({ type: 'activity/switch', activityId: home })
}

async function onDesk<T>(windows: number, tabs: number, perActivity: number, work: (device: E2eDevice, desk: E2eDesk) => Promise<T>) {
  const device = await E2eDevice.start({ name: 'bench' })
  let desk: E2eDesk | undefined
  try {
    const deviceId = await device.create('Maria')
    desk = await E2eDesk.open(device, AREA)
    openWindows(desk, deviceId, windows, tabs, perActivity)
    return await work(device, desk)
  } finally {
    desk?.dispose()
    await device.dispose()
  }
}

async function withHeadful<T>(work: (browser: E2eBrowser) => Promise<T>): Promise<T> {
  const screen = await startVirtualScreen()
  const browser = await E2eBrowser.launch(undefined, { headless: false, env: { DISPLAY: screen.display } })
  try {
    return await work(browser)
  } finally {
    await browser.dispose()
    await screen.stop()
  }
}

/** No app has been mounted for so long: all that will be painted is there. */
const QUIET_MS = 2_000
const STEPS = ['elsewhere:desk-loaded', 'elsewhere:first-frame', 'elsewhere:all-windows']

/** Marks of an unlocked page in ms after its vault was open, once apps have stopped to be mounted. */
async function marksOf(display: E2eDisplay) {
  await betweenMarks(display.page, 'elsewhere:vault-open', 'elsewhere:app-mounted')
  await betweenMarks(display.page, 'elsewhere:vault-open', 'elsewhere:all-windows')
  await display.page.waitForFunction(
    (quietMs) => performance.now() - (performance.getEntriesByName('elsewhere:app-mounted').at(-1)?.startTime ?? 0) > quietMs,
    QUIET_MS,
  )
  const [loaded = 0, frame = 0, windows = 0] = await Promise.all(
    STEPS.map((mark) => betweenMarks(display.page, 'elsewhere:vault-open', mark)),
  )
  const apps = await display.page.evaluate(() => {
    const [from] = performance.getEntriesByName('elsewhere:vault-open')
    return performance.getEntriesByName('elsewhere:app-mounted').map(({ startTime }) => startTime - (from?.startTime ?? 0))
  })
  const [firstApp = 0, lastApp = 0] = [Math.min(...apps), Math.max(...apps)]
  return { loaded, frame, windows, firstApp, lastApp, apps: apps.length }
}

/** Unlocks again and again, each time on a page of its own; says on stderr where the time went. */
async function unlocks(device: E2eDevice, browser: E2eBrowser) {
  const first: number[] = []
  const all: number[] = []
  for (let run = 0; run < UNLOCKS; run++) {
    const display = await E2eDisplay.open(device, browser)
    await display.unlock('move')
    const marks = await marksOf(display)
    const whole = Object.entries(marks).map(([name, value]) => `${name} ${value.toFixed(0)}`)
    console.error(`bench: ms after the vault was open: ${whole.join(', ')}`)
    first.push(Math.max(marks.frame, marks.firstApp))
    all.push(Math.max(marks.windows, marks.lastApp))
    await display.close()
  }
  return { first: median(first), all: median(all) }
}

export const measureUnlock50 = (): Promise<Measured> =>
  onDesk(50, 1, 50, (device) =>
    withHeadful(async (browser) => {
      const { first, all } = await unlocks(device, browser)
      const { paintedMs } = await measureChromiumRestore(CHROMIUM, 50, RESTORES)
      const restore = median(paintedMs)
      const more = (value: number) => ({
        met: value <= MUST_OF_RESTORE * restore,
        n: UNLOCKS,
        peers: { 'Chromium restore, 50 tabs': restore },
      })
      return { ...measured('first50', first, more(first)), ...measured('all50', all, more(all)) }
    }),
  )

export const measureUnlock200 = (): Promise<Measured> =>
  onDesk(200, 5, 20, (device) =>
    withHeadful(async (browser) => {
      const { first, all } = await unlocks(device, browser)
      const display = await E2eDisplay.open(device, browser)
      await display.unlock('move')
      const { apps } = await marksOf(display)
      const heapBytes = await heapOf(display)
      const windows = (await display.windows()).length
      await display.close()
      const { paintedMs } = await measureChromiumRestore(CHROMIUM, 200, RESTORES)
      const restore = median(paintedMs)
      const more = (value: number) => ({
        met: value <= MUST_OF_RESTORE * restore,
        n: UNLOCKS,
        peers: { 'Chromium restore, 200 tabs': restore },
      })
      // A tab of a window that is not shown, or behind another tab of its window, would come on top.
      const hidden = Math.max(0, apps - windows)
      return {
        ...measured('first200', first, more(first)),
        ...measured('all200', all, more(all)),
        ...measured('heap', heapBytes / MB),
        ...measured('mounted', hidden, { met: hidden === 0, peers: { 'windows shown': windows, 'apps mounted': apps } }),
      }
    }),
  )

async function heapOf(display: E2eDisplay): Promise<number> {
  const cdp = await display.page.context().newCDPSession(display.page)
  await cdp.send('HeapProfiler.collectGarbage')
  const { usedSize } = await cdp.send('Runtime.getHeapUsage')
  return usedSize
}

export const measureDrag = (): Promise<Measured> =>
  onDesk(40, 1, 40, (device, desk) =>
    withHeadful(async (browser) => {
      const display = await E2eDisplay.open(device, browser)
      await display.unlock('move')
      await betweenMarks(display.page, 'elsewhere:unlock', 'elsewhere:all-windows')
      await display.page.waitForTimeout(2_000)
      const box = await display.page.locator('.window[data-active] .title-bar').boundingBox()
      if (!box) throw new Error('no window has the focus')
      const before = desk.bytes
      await display.page.evaluate(() => {
        const tasks: number[] = []
        new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' })
        Object.assign(window, { longTasks: tasks })
      })
      const { mouse } = display.page
      const [x, y] = [box.x + box.width * 0.6, box.y + box.height / 2]
      await mouse.move(x, y)
      await mouse.down()
      const untilMs = performance.now() + 3_000
      let moves = 0
      for (; performance.now() < untilMs; moves++)
        await mouse.move(x + 150 * Math.sin(moves / 12), y + 120 * Math.abs(Math.sin(moves / 17)))
      const growth = desk.bytes - before
      const tasks = await display.page.evaluate(() => Reflect.get(window, 'longTasks') as number[])
      await mouse.up()
      await display.close()
      return {
        ...measured('dragTasks', tasks.length, { met: tasks.length === 0, peers: { 'longest task, ms': Math.max(0, ...tasks), moves } }),
        ...measured('dragBytes', growth, { met: growth === 0 }),
      }
    }),
  )

export async function measureScripts(): Promise<Measured> {
  const html = await readFile(path.join(RENDERER, 'index.html'), 'utf8')
  const files = [...html.matchAll(/<(?:script|link rel="modulepreload")[^>]*?(?:src|href)="([^"]+\.js)"/g)].map(([, file = '']) => file)
  if (files.length < 2) throw new Error('index.html names no scripts')
  const sizes = await Promise.all(files.map(async (file) => gzipSync(await readFile(path.join(RENDERER, file))).length))
  return measured('script', sizes.reduce((sum, size) => sum + size, 0) / 1e3, { n: files.length })
}
