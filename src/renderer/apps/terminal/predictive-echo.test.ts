import fc from 'fast-check'
import { expect, it } from 'vitest'
import { PredictiveEcho, type ScreenView, SHOW_ABOVE_MS } from './predictive-echo.ts'
import { roundsOfRun } from '../../../testkit/seeded-random.ts'

/** A screen that understands letters, backspace, Enter and nothing else, as a shell in cooked mode would draw them. */
class FakeScreen implements ScreenView {
  readonly columns = 40
  readonly rows = 5
  cursorX = 0
  cursorY = 0
  alternate = false
  #lines = ['', '', '', '', '']
  cell(x: number, y: number): string {
    return this.#lines[y]?.[x] ?? ''
  }
  print(text: string): this {
    for (const char of text) {
      const line = (this.#lines[this.cursorY] ?? '').padEnd(this.cursorX)
      if (char === '\n') {
        this.cursorX = 0
        if (this.cursorY === this.rows - 1) this.#lines = [...this.#lines.slice(1), '']
        else this.cursorY++
      } else if (char === '\b') {
        this.cursorX--
        this.#lines[this.cursorY] = line.slice(0, this.cursorX)
      } else {
        this.#lines[this.cursorY] = line.slice(0, this.cursorX) + char + line.slice(this.cursorX + 1)
        this.cursorX++
      }
    }
    return this
  }
  text(y = this.cursorY): string {
    return this.#lines[y] ?? ''
  }
}

function slowShell() {
  const screen = new FakeScreen().print('$ ')
  const echo = new PredictiveEcho()
  echo.suggestRoundTrip(80)
  echo.handleScreen(screen, 0)
  return { screen, echo }
}
const shown = (echo: PredictiveEcho) => echo.overlay?.cells.map((cell) => cell.char).join('')

it('[AP1] guesses run ahead of the echo once one key of the stretch was echoed', () => {
  const { screen, echo } = slowShell()
  echo.handleKeys('l', screen, 0)
  echo.handleKeys('s', screen, 20)
  expect(shown(echo)).toBeUndefined()
  screen.print('l')
  echo.handleScreen(screen, 80)
  expect(echo.overlay).toEqual({ cells: [{ x: 3, y: 0, char: 's' }], cursorX: 4, cursorY: 0 })
  echo.handleKeys(' -', screen, 90)
  expect(shown(echo)).toBe('s -')
  screen.print('s')
  echo.handleScreen(screen, 100)
  expect(shown(echo)).toBe(' -')
  screen.print(' -')
  echo.handleScreen(screen, 170)
  expect(echo.overlay).toBeUndefined()
})

it('[AP2] nothing is guessed on a quick link, and a link near the border does not flicker', () => {
  const screen = new FakeScreen().print('$ ')
  const echo = new PredictiveEcho()
  echo.suggestRoundTrip(SHOW_ABOVE_MS - 5)
  echo.handleScreen(screen, 0)
  echo.handleKeys('ab', screen, 0)
  screen.print('a')
  echo.handleScreen(screen, 5)
  expect(echo.pendingCount).toBe(1)
  expect(echo.overlay).toBeUndefined()
})

it.each(['[sudo] password for kim: ', 'Enter passphrase for key: ', 'PIN: '])(
  '[AP3] nothing typed at "%s" is ever shown or kept',
  (prompt) => {
    const screen = new FakeScreen().print(prompt)
    const echo = new PredictiveEcho()
    echo.suggestRoundTrip(200)
    echo.handleScreen(screen, 0)
    echo.handleKeys('secret', screen, 0)
    screen.print('s') // even a program that echoes at such a prompt
    echo.handleScreen(screen, 200)
    expect([echo.pendingCount, echo.overlay]).toEqual([0, undefined])
  },
)

it('[AP3] a prompt that does not echo never shows a letter, whatever it is called', () => {
  const { screen, echo } = slowShell()
  echo.handleKeys('x', screen, 0)
  screen.print('x')
  echo.handleScreen(screen, 80)
  echo.handleKeys('\r', screen, 100)
  screen.print('\nTell me: ')
  echo.handleScreen(screen, 180)
  for (const [index, key] of [...'hunter2'].entries()) {
    echo.handleKeys(key, screen, 200 + index * 100)
    echo.handleScreen(screen, 250 + index * 100)
    expect(echo.overlay).toBeUndefined()
  }
})

it('[AP3] a prompt that stops echoing in the middle of a stretch loses its guesses after two round trips', () => {
  const { screen, echo } = slowShell()
  echo.handleKeys('ab', screen, 0)
  screen.print('a')
  echo.handleScreen(screen, 80)
  expect(shown(echo)).toBe('b')
  echo.handleScreen(screen, 500)
  expect(echo.overlay).toBeUndefined()
})

it('[AP8] who turns guessing off sees only what the device sent, at once and from then on', () => {
  const { screen, echo } = slowShell()
  echo.handleKeys('ab', screen, 0)
  screen.print('a')
  echo.handleScreen(screen, 80)
  expect(shown(echo)).toBe('b')
  echo.setEnabled(false)
  expect([echo.pendingCount, echo.overlay]).toEqual([0, undefined])
  echo.handleKeys('cd', screen, 100)
  screen.print('bc')
  echo.handleScreen(screen, 180)
  expect([echo.pendingCount, echo.overlay]).toEqual([0, undefined])
})

it('[AP4] full-screen programs are never guessed for', () => {
  const { screen, echo } = slowShell()
  screen.alternate = true
  echo.handleKeys('iabc', screen, 0)
  screen.print('a')
  echo.handleScreen(screen, 80)
  expect([echo.pendingCount, echo.overlay]).toEqual([0, undefined])
})

it('[AP5] one wrong guess takes all back', () => {
  const { screen, echo } = slowShell()
  echo.handleKeys('abcd', screen, 0)
  screen.print('a')
  echo.handleScreen(screen, 80)
  expect(shown(echo)).toBe('bcd')
  screen.print('X')
  echo.handleScreen(screen, 90)
  expect([echo.pendingCount, echo.overlay]).toEqual([0, undefined])
})

it('[AP5] stars instead of letters are a wrong guess, not a proof', () => {
  const { screen, echo } = slowShell()
  echo.handleKeys('abc', screen, 0)
  screen.print('*')
  echo.handleScreen(screen, 80)
  expect(echo.overlay).toBeUndefined()
})

it('[AP6] backspace is guessed over what was typed, never into the prompt', () => {
  const { screen, echo } = slowShell()
  echo.handleKeys('ab', screen, 0)
  screen.print('ab')
  echo.handleScreen(screen, 80)
  echo.handleKeys('\x7f\x7f', screen, 100)
  expect(echo.overlay).toEqual({
    cells: [
      { x: 3, y: 0, char: ' ' },
      { x: 2, y: 0, char: ' ' },
    ],
    cursorX: 2,
    cursorY: 0,
  })
  echo.handleKeys('\x7f', screen, 110)
  expect(echo.pendingCount).toBe(2)
  screen.print('\b\b')
  echo.handleScreen(screen, 180)
  expect(echo.pendingCount).toBe(0)
})

it('[AP6] a letter typed and erased at once is settled, not waited for', () => {
  const { screen, echo } = slowShell()
  echo.handleKeys('a', screen, 0)
  screen.print('a')
  echo.handleScreen(screen, 80)
  echo.handleKeys('b\x7f', screen, 100)
  echo.handleScreen(screen, 180)
  expect(echo.pendingCount).toBe(2)
  echo.handleScreen(screen, 600)
  expect(echo.pendingCount).toBe(0)
  echo.handleKeys('c', screen, 610)
  expect(shown(echo)).toBe('c')
})

it('[AP6] keys typed ahead over Enter are recognised when the next prompt echoes them', () => {
  const { screen, echo } = slowShell()
  echo.handleKeys('l', screen, 0)
  screen.print('l')
  echo.handleScreen(screen, 80)
  echo.handleKeys('s\rcd ', screen, 100)
  expect(shown(echo)).toBe('s')
  screen.print('s\n$ ')
  echo.handleScreen(screen, 180)
  expect(echo.overlay).toBeUndefined()
  screen.print('c')
  echo.handleScreen(screen, 185)
  expect(shown(echo)).toBe('d ')
})

it('[AP7] whatever is typed and however the echo arrives, nothing stays drawn that the screen does not say', () => {
  const key = fc.constantFrom('a', 'b', ' ', '\x7f', '\r', 'é', '\t', '漢')
  fc.assert(
    fc.property(fc.array(fc.record({ keys: fc.array(key, { maxLength: 5 }), echoes: fc.nat(6), silent: fc.boolean() })), (steps) => {
      const { screen, echo } = slowShell()
      let now = 0
      const inFlight: string[] = []
      let typed = 0
      const deliver = (silent: boolean) => {
        const sent = inFlight.shift()
        if (sent === undefined) return
        if (sent === '\r') {
          screen.print('\n$ ')
          typed = 0
        } else if (sent === '\x7f') {
          if (typed > 0) {
            screen.print('\b')
            typed--
          }
        } else if (!silent && sent !== '\t' && screen.cursorX < 38) {
          screen.print(sent)
          typed++
        }
      }
      for (const { keys, echoes, silent } of steps) {
        for (const one of keys) {
          echo.handleKeys(one, screen, now)
          inFlight.push(one)
        }
        now += 40
        for (let i = 0; i < echoes; i++) deliver(silent)
        echo.handleScreen(screen, now)
        const overlay = echo.overlay
        // Guesses lie on the cursor's row, right of or on what the stretch typed, and never in the prompt.
        for (const cell of overlay?.cells ?? []) expect(cell.x).toBeGreaterThanOrEqual(2)
      }
      while (inFlight.length > 0) deliver(false)
      echo.handleScreen(screen, now + 80)
      echo.handleScreen(screen, now + 100_000)
      expect(echo.overlay).toBeUndefined()
    }),
    { numRuns: roundsOfRun(1_000, 10_000) },
  )
})
