import type { Page } from 'playwright-core'
import { appState } from '../../src/session/app-state.ts'
import type { TabId, WindowId } from '../../src/session/session-ids.ts'
import type { BenchLab } from './bench-lab.ts'

/** Lines typed, and letters in each: the first of a line is guessed by nobody, as at a shell's prompt. */
const LINES = 6
const LETTERS = 20
/** Eight keys a second: a person who types well. */
const KEY_MS = 125
/** After Enter, until the line was echoed and repeated. */
const LINE_MS = 600

/** Each line begins with a letter of its own, so that no earlier line is taken for it. */
const lineText = (line: number): string =>
  Array.from({ length: LETTERS }, (_, at) => String.fromCharCode(97 + ((line + at * (at > 0 ? 3 : 0)) % 26))).join('')

/**
 * Types at a display of B into a terminal that runs on A, as a person does: ms from each key to the frame of B's display that
 * shows its letter, whether guessed (underlined until A has confirmed it) or echoed. Painting included, which `echoTimes` is without.
 */
export async function shownLetterTimes(lab: BenchLab): Promise<readonly number[]> {
  const { deviceId: device } = lab.machine('a')
  const command = ['/bin/cat']
  const { terminalId } = await lab.ask('a', (client) => client.openTerminal({ device, command, columns: 80, rows: 24 }))
  const desk = await lab.desk('b')
  const id = crypto.randomUUID() as WindowId
  const app = appState.parse({ kind: 'terminal', device, terminalId, cwd: null })
  desk.do({ type: 'window/open', id, tabId: crypto.randomUUID() as TabId, app })
  const display = await lab.display('b', 'move')
  try {
    const { page } = display
    await page.locator('.window[data-active] .xterm-helper-textarea:focus').waitFor({ state: 'attached' })
    await page.waitForTimeout(LINE_MS)
    const times: number[] = []
    for (let line = 0; line < LINES; line++) {
      await watchLetters(page, lineText(line))
      await page.keyboard.type(lineText(line), { delay: KEY_MS })
      times.push(...(await page.evaluate(() => Reflect.get(window, 'shownLetters') as Promise<number[]>)))
      await page.keyboard.press('Enter')
      await page.waitForTimeout(LINE_MS)
    }
    return times
  } finally {
    await display.close()
    desk.do({ type: 'window/close', windowId: id })
    desk.dispose()
    await lab.ask('a', (client) => client.endTerminal({ device, terminalId }))
  }
}

/** From when it resolves on, looks once a frame at the rows of the focused terminal with the guesses over them; the page keeps the times. */
const watchLetters = (page: Page, text: string): Promise<void> =>
  page.evaluate(
    ({ text, patienceMs }) => {
      const shownLetters = new Promise<number[]>((resolve, reject) => {
        const place = document.querySelector('.window[data-active] .xterm-screen')
        const pressed: number[] = []
        const shown: number[] = []
        const press = (event: KeyboardEvent) => event.key.length === 1 && pressed.push(event.timeStamp)
        addEventListener('keydown', press, true)
        const rows = () => {
          const lines = [...(place?.querySelectorAll('.xterm-rows > div') ?? [])].map((row) => [...(row.textContent ?? '').padEnd(80)])
          for (const cell of place?.querySelectorAll<HTMLElement>('.terminal-echo [data-kind=guess]') ?? []) {
            const [x, y, width, height] = [cell.style.left, cell.style.top, cell.style.width, cell.style.height].map(Number.parseFloat)
            const line = lines[Math.round((y ?? 0) / (height ?? 1))]
            if (line) line[Math.round((x ?? 0) / (width ?? 1))] = cell.textContent ?? ''
          }
          return lines.map((line) => line.join(''))
        }
        const giveUpMs = performance.now() + patienceMs
        const look = (nowMs: number) => {
          const seen = rows()
          while (shown.length < pressed.length && seen.some((row) => row.startsWith(text.slice(0, shown.length + 1)))) shown.push(nowMs)
          if (shown.length < text.length && nowMs < giveUpMs) return requestAnimationFrame(look)
          removeEventListener('keydown', press, true)
          if (shown.length < text.length) return reject(new Error(`"${text}" was not shown: ${seen.map((row) => row.trim()).join('|')}`))
          resolve(shown.map((atMs, index) => Math.max(0, atMs - (pressed[index] ?? atMs))))
        }
        requestAnimationFrame(look)
      })
      Object.assign(window, { shownLetters })
    },
    { text, patienceMs: 60_000 },
  )
