import { CHROMIUM } from '../../e2e/harness/chromium.ts'
import { type E2eDevice, PASSPHRASE } from '../../e2e/harness/e2e-device.ts'
import { type E2eBrowser, E2eDisplay } from '../../e2e/harness/e2e-display.ts'
import { ChromiumRestore } from '../peers/chromium-restore.ts'
import { median } from '../report.ts'
import { displayMemory } from './display-memory.ts'
import { type DeskSize, onDesk, withHeadful } from './full-desk.ts'
import { type Measured, measured } from './rows.ts'

/* Unlocking a desk on a device that has just started, beside Chromium restoring as many tabs. */

const RUNS = 5
const MUST_OF_RESTORE = 0.3
const MB = 1e6
/** How fast a person types. */
const KEY_MS = 40
/** Nothing has appeared on the desk for so long: all that will be painted is there. */
const QUIET_MS = 2_000

/** What the page saw of itself, in ms after its vault was open; each is when the frame that showed it was over. */
interface Seen {
  /** The first key typed into the focused window was in it. */
  keyMs: number | undefined
  /** Last frame with a new window, new content in one, or content in place of a placeholder. */
  paintedMs: number
  changedMs: number
  /** Windows of which something can be seen. */
  frames: number
  contents: number
  placeholders: number
}

/** Watches the page from within, once a frame, without the marks it sets itself (but the first: the vault is open). */
function watchDesk(key: string): void {
  const seen: Seen = { keyMs: undefined, paintedMs: 0, changedMs: 0, frames: 0, contents: 0, placeholders: 0 }
  Object.assign(window, { seen })
  let waitsForKey = true
  const look = () => {
    requestAnimationFrame(look)
    const [open] = performance.getEntriesByName('elsewhere:vault-open')
    if (!open) return
    const sinceOpen = () => performance.now() - open.startTime
    const count = (selector: string) => document.querySelectorAll(selector).length
    // A window that others cover whole has no tabs in its title bar.
    const [frames, contents, placeholders] = [
      count('.window .tab-strip'),
      count('.window-body:not(:empty)'),
      count('.window-body .ui-skeleton'),
    ]
    if (frames !== seen.frames || contents !== seen.contents || placeholders !== seen.placeholders) {
      Object.assign(seen, { frames, contents, placeholders, changedMs: performance.now() })
      requestAnimationFrame(() => {
        seen.paintedMs = sinceOpen()
      })
    }
    if (waitsForKey && document.querySelector('.window[data-active] .cm-content')?.textContent?.includes(key)) {
      waitsForKey = false
      requestAnimationFrame(() => {
        seen.keyMs = sinceOpen()
      })
    }
  }
  look()
}

const seenBy = (display: E2eDisplay) => display.page.evaluate(() => Reflect.get(window, 'seen') as Seen)

/** A device starts, its display is unlocked, and a key is hit again and again until the focused editor shows it. */
async function unlockOnce(device: E2eDevice, browser: E2eBrowser, key: string) {
  await device.stop()
  await device.run()
  const display = await E2eDisplay.open(device, browser)
  const { page } = display
  await page.getByLabel('Passphrase').waitFor() // the entrance leads here
  await page.evaluate(watchDesk, key)
  await page.getByLabel('Passphrase').pressSequentially(PASSPHRASE, { delay: KEY_MS })
  await page.keyboard.press('Enter')
  for (const giveUpMs = performance.now() + 30_000; (await seenBy(display)).keyMs === undefined; ) {
    if (performance.now() > giveUpMs) throw new Error('no key arrived in the focused window within 30 s')
    await page.keyboard.press(key)
    await page.waitForTimeout(KEY_MS / 4)
  }
  await page.waitForFunction((quietMs) => performance.now() - (Reflect.get(window, 'seen') as Seen).changedMs > quietMs, QUIET_MS)
  const seen = await seenBy(display)
  if (seen.placeholders > 0) throw new Error(`${seen.placeholders} windows still show a placeholder`)
  const mounted = await page.evaluate(() => performance.getEntriesByName('elsewhere:app-mounted').length)
  return { display, mounted, firstMs: seen.keyMs ?? Number.NaN, allMs: seen.paintedMs, frames: seen.frames }
}

/** A Chromium with as many tabs, or with as many of the next number as it can be brought to open here. */
async function preparePeer([tabs = 0, ...fewer]: readonly number[]): Promise<ChromiumRestore> {
  try {
    return await ChromiumRestore.prepare(CHROMIUM, tabs)
  } catch (error) {
    if (fewer.length === 0) throw error
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}; trying ${fewer[0]}`)
    return preparePeer(fewer)
  }
}

/** Ours and theirs in turn, so that a machine that slows down slows both. */
async function inTurn(size: DeskSize, tabs: readonly number[]) {
  return onDesk(size, (device, desk) => {
    desk.dispose() // from here on the device has no display but those that are measured
    return withHeadful(async (browser) => {
      const chromium = await preparePeer(tabs)
      try {
        const [first, all, restore, memory]: number[][] = [[], [], [], []]
        let hidden = 0
        for (let run = 0; run < RUNS; run++) {
          const { display, mounted, frames, ...took } = await unlockOnce(device, browser, String.fromCharCode(97 + run))
          memory?.push(await displayMemory(browser))
          await display.close()
          first?.push(took.firstMs)
          all?.push(took.allMs)
          hidden = Math.max(hidden, mounted - frames)
          restore?.push(await chromium.restore())
          console.error(
            `bench: ${frames} windows to be seen: a key after ${took.firstMs.toFixed(0)} ms, all after ${took.allMs.toFixed(0)} ms; ` +
              `${chromium.restored} tabs: ${restore?.at(-1)?.toFixed(0)} ms`,
          )
        }
        return {
          first: median(first ?? []),
          all: median(all ?? []),
          restore: median(restore ?? []),
          memory: median(memory ?? []),
          hidden,
          tabs: chromium.restored,
        }
      } finally {
        await chromium.dispose()
      }
    })
  })
}

const within = (value: number, tabs: number, restore: number) => ({
  met: value <= MUST_OF_RESTORE * restore,
  n: RUNS,
  peers: { [`Chromium restore, ${tabs} tabs`]: restore, ratio: value / restore },
})

export async function measureUnlock50(): Promise<Measured> {
  const { first, all, restore, tabs } = await inTurn({ windows: 50, tabs: 1, perActivity: 50 }, [50])
  return { ...measured('first50', first, within(first, tabs, restore)), ...measured('all50', all, within(all, tabs, restore)) }
}

/** Beside a Chromium with 1,000 tabs. Where it cannot be brought to open them, with 200: fewer are quicker, and the row says how many. */
export async function measureUnlock200(): Promise<Measured> {
  const { first, all, restore, memory, hidden, tabs } = await inTurn({ windows: 200, tabs: 5, perActivity: 20 }, [1_000, 200])
  return {
    ...measured('first200', first, within(first, tabs, restore)),
    ...measured('all200', all, within(all, tabs, restore)),
    ...measured('memory', memory / MB, { n: RUNS }),
    ...measured('mounted', Math.max(0, hidden), { met: hidden <= 0 }),
  }
}
