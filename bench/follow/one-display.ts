import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import type { E2eDesk } from '../../e2e/harness/e2e-desk.ts'
import { E2eDisplay } from '../../e2e/harness/e2e-display.ts'
import { betweenMarks } from '../../e2e/harness/page-times.ts'
import { median } from '../report.ts'
import { onDesk, withHeadful } from './full-desk.ts'
import { type Measured, measured } from './rows.ts'

/* What one display of one device costs, but for its unlock: drag, scripts. */

const DRAGS = 5
const DRAG_MS = 3_000
const RENDERER = path.resolve(import.meta.dirname, '../../dist/renderer')

/** One drag of 3 s and its drop: how long the page's tasks over 50 ms took, and what the document grew by. */
async function dragOnce({ page }: E2eDisplay, desk: E2eDesk) {
  const box = await page.locator('.window[data-active] .title-bar').boundingBox()
  if (!box) throw new Error('no window has the focus')
  const before = desk.bytes
  await page.evaluate(() => {
    const tasks: number[] = []
    const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
    observer.observe({ type: 'longtask' })
    Object.assign(window, { longTasks: tasks })
  })
  const { mouse } = page
  const [x, y] = [box.x + box.width * 0.6, box.y + box.height / 2]
  await mouse.move(x, y)
  await mouse.down()
  const untilMs = performance.now() + DRAG_MS
  let moves = 0
  for (; performance.now() < untilMs; moves++) await mouse.move(x + 150 * Math.sin(moves / 12), y + 120 * Math.abs(Math.sin(moves / 17)))
  const growth = desk.bytes - before
  await mouse.up()
  await page.waitForTimeout(1_000)
  const tasks = await page.evaluate(() => Reflect.get(window, 'longTasks') as number[])
  return { tasks, moves, growth, dropped: desk.bytes - before - growth }
}

export const measureDrag = (): Promise<Measured> =>
  onDesk({ windows: 40, tabs: 1, perActivity: 40 }, (device, desk) =>
    withHeadful(async (browser) => {
      const display = await E2eDisplay.open(device, browser)
      await display.unlock('move')
      await betweenMarks(display.page, 'elsewhere:unlock', 'elsewhere:all-windows')
      await display.page.waitForTimeout(2_000)
      const drags: Awaited<ReturnType<typeof dragOnce>>[] = []
      while (drags.length < DRAGS) drags.push(await dragOnce(display, desk))
      await display.close()
      const count = median(drags.map(({ tasks }) => tasks.length))
      const growth = Math.max(...drags.map((drag) => drag.growth))
      const longest = Math.max(0, ...drags.flatMap(({ tasks }) => tasks))
      return {
        ...measured('dragTasks', count, {
          met: count === 0,
          n: DRAGS,
          peers: { 'longest of all drags, ms': longest, 'moves a drag': median(drags.map(({ moves }) => moves)) },
        }),
        ...measured('dragBytes', growth, {
          met: growth === 0,
          n: DRAGS,
          peers: { 'the drop, bytes': median(drags.map(({ dropped }) => dropped)) },
        }),
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
