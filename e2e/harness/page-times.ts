import type { Page } from 'playwright-core'

/** Milliseconds between two marks the renderer sets (`elsewhere:unlock`, `elsewhere:first-frame`, ...); waits for the second. */
export async function betweenMarks(page: Page, from: string, to: string): Promise<number> {
  const handle = await page.waitForFunction(
    ([first = '', second = '']) => {
      const [start, end] = [first, second].map((name) => performance.getEntriesByName(name)[0]?.startTime)
      return start !== undefined && end !== undefined ? { ms: end - start } : undefined
    },
    [from, to],
  )
  const found = await handle.jsonValue()
  if (!found) throw new Error(`no marks ${from} and ${to}`)
  return found.ms
}

/** The same from the keystroke that unlocked this page. */
export const sinceUnlock = (page: Page, mark: string): Promise<number> => betweenMarks(page, 'elsewhere:unlock', mark)

/** When this page set a mark, on the clock all pages of one machine share (ms since epoch). */
export const markedAtMs = (page: Page, mark: string): Promise<number> =>
  page.evaluate((name) => performance.timeOrigin + (performance.getEntriesByName(name).at(-1)?.startTime ?? Number.NaN), mark)

/** When this page, loaded anew by a lock, had painted for the first time (ms since epoch). */
export async function repaintedAtMs(page: Page): Promise<number> {
  const handle = await page.waitForFunction(() => {
    const paint = performance.getEntriesByName('first-contentful-paint')[0]
    return paint && { atMs: performance.timeOrigin + paint.startTime }
  })
  const found = await handle.jsonValue()
  if (!found) throw new Error('nothing was painted')
  return found.atMs
}

/**
 * Waits for each text to be in what `selector` shows, looking once a frame, and says in which frame it was first (ms since
 * epoch, by Date.now: the one clock that two browsers of one machine share exactly).
 */
export function watchTexts(page: Page, selector: string, texts: readonly string[], patienceMs = 30_000): Promise<readonly number[]> {
  return page.evaluate(
    ({ selector, texts, patienceMs }) =>
      new Promise<number[]>((resolve, reject) => {
        const seen: number[] = []
        const giveUpMs = Date.now() + patienceMs
        const look = () => {
          const copy = document.querySelector(selector)?.cloneNode(true)
          // names at other displays' cursors are no part of the text
          if (copy instanceof Element) for (const label of copy.querySelectorAll('.cm-ySelectionCaret')) label.remove()
          const shown = copy?.textContent ?? ''
          while (seen.length < texts.length && shown.includes(texts[seen.length] ?? '')) seen.push(Date.now())
          if (seen.length === texts.length) resolve(seen)
          else if (Date.now() > giveUpMs) reject(new Error(`"${texts[seen.length]}" is not in: ${shown.slice(-200)}`))
          else requestAnimationFrame(look)
        }
        look()
      }),
    { selector, texts, patienceMs },
  )
}
