/** What the engine may look at: the screen as the device last sent it. Rows count from the top of the visible screen. */
export interface ScreenView {
  readonly columns: number
  readonly rows: number
  readonly cursorX: number
  readonly cursorY: number
  /** A full-screen program (vim, less) is drawing: nothing is predicted. */
  readonly alternate: boolean
  /** The character in a cell, '' or ' ' when empty. */
  cell(x: number, y: number): string
}

/** A character shown before the device has confirmed it. */
export interface PredictedCell {
  readonly x: number
  readonly y: number
  readonly char: string
}

/** What to draw over the screen; undefined = the screen alone is true. */
export interface EchoOverlay {
  readonly cells: readonly PredictedCell[]
  readonly cursorX: number
  readonly cursorY: number
}

interface Guess extends PredictedCell {
  /** What the cell held before this key. */
  readonly before: string
  /** Column of the cursor once the device has echoed this key. */
  readonly cursorAfter: number
  readonly atMs: number
}

/** Guesses appear above this round trip: below it the echo itself feels immediate (mosh uses 30 ms too). */
export const SHOW_ABOVE_MS = 30
/** And stop only below this one, so that a link near the border does not flicker. */
export const HIDE_BELOW_MS = 20
/** A key not echoed this long after two round trips will not be: the program does not echo. */
export const SILENCE_GRACE_MS = 250
/** More keys in flight than this and the device is not keeping up; guessing further only makes the correction larger. */
const MAX_PENDING = 256
/** Keys of an unproved stretch that are remembered to recognise their echo. */
const MAX_UNPROVED = 64
/** Weight of a new round trip in the running estimate (as in RFC 6298). */
const ROUND_TRIP_WEIGHT = 1 / 8
/** A longer wait was the program thinking, not the link. */
const MAX_SAMPLE_MS = 2_000
const SECRET_PROMPT =
  /(pass(word|phrase|code|wort)|kennwort|contraseña|mot de passe|\bpin\b|secret|token|verification code|otp)[^\n]{0,60}$/i

/**
 * Guesses what typed keys will look like on a slow link (rules AP1-AP7 in src/renderer/apps/SPEC.md), as mosh does.
 *
 * Typing falls into stretches: between Enter, control keys, and cursor moves we did not cause. In each stretch the device
 * must echo one key before anything is guessed; then guesses run ahead of the echo. So a prompt that does not echo never
 * shows a letter. One wrong guess takes all back and starts a new stretch.
 *
 * Pure: screen and time are passed in, and it only says what to draw over the screen. Knows nothing of xterm.js,
 * channels or timers.
 */
export class PredictiveEcho {
  /** Keys guessed in order; the device has echoed none of them yet. */
  #pending: Guess[] = []
  /** Where the device's cursor stands before the first pending key; undefined = this stretch is not proved. */
  #anchor: { x: number; y: number; leftmost: number } | undefined
  /** The stretch takes no more keys (Enter was typed) but its pending guesses may still come true. */
  #closed = false
  /** Keys of a stretch not yet proved, with their times. */
  #unproved: { char: string; atMs: number }[] = []
  #lastCursor: { x: number; y: number } | undefined
  #roundTripMs: number | undefined
  #shown = false
  #enabled = true

  /** Smoothed time from key to echo in ms, if measured. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs
  }

  /** Keys guessed and neither confirmed nor taken back. */
  get pendingCount(): number {
    return this.#pending.length
  }

  /** A person may turn it off; guesses are taken back. */
  setEnabled(enabled: boolean): void {
    this.#enabled = enabled
    if (!enabled) this.reset()
  }

  /** A round trip learned elsewhere (the link's heartbeat), used until keys measure it better. */
  suggestRoundTrip(ms: number): void {
    if (this.#roundTripMs !== undefined) return
    this.#roundTripMs = ms
    this.#updateShown()
  }

  /** Takes every guess back: the screen was replaced or resized, or the link was lost. */
  reset(): void {
    this.#pending = []
    this.#anchor = undefined
    this.#closed = false
    this.#unproved = []
    this.#lastCursor = undefined
  }

  /** Keys were sent to the device. `data` is what was sent. */
  handleKeys(data: string, screen: ScreenView, nowMs: number): void {
    if (!this.#enabled) return
    // A paste echoes in its own time; a secret must not even be remembered.
    if (screen.alternate || data.length > 32 || promptsForSecret(screen)) return this.reset()
    this.#lastCursor ??= { x: screen.cursorX, y: screen.cursorY }
    for (const char of data) this.#handleKey(char, screen, nowMs)
  }

  #handleKey(char: string, screen: ScreenView, nowMs: number): void {
    const anchor = this.#closed ? undefined : this.#anchor
    if (!anchor) {
      if (isSimple(char)) this.#unproved = [...this.#unproved, { char, atMs: nowMs }].slice(-MAX_UNPROVED)
      else this.#unproved = []
      return
    }
    const moved = this.#pending.length === 0 && (anchor.x !== screen.cursorX || anchor.y !== screen.cursorY)
    const x = this.#pending.at(-1)?.cursorAfter ?? anchor.x
    if (moved || this.#pending.length >= MAX_PENDING) {
      this.#endStretch()
      return this.#handleKey(char, screen, nowMs)
    }
    if (char === '\x7f' && x > anchor.leftmost) this.#guess({ x: x - 1, y: anchor.y, char: ' ', cursorAfter: x - 1 }, screen, nowMs)
    else if (isSimple(char) && x < screen.columns - 1) this.#guess({ x, y: anchor.y, char, cursorAfter: x + 1 }, screen, nowMs)
    else this.#endStretch()
  }

  #guess(guess: Omit<Guess, 'before' | 'atMs'>, screen: ScreenView, nowMs: number): void {
    const earlier = this.#pending.findLast((one) => one.x === guess.x)
    this.#pending.push({ ...guess, before: earlier?.char ?? cellAt(screen, guess.x, guess.y), atMs: nowMs })
  }

  /** What follows is not understood: guesses in flight stay, new ones wait for proof. */
  #endStretch(): void {
    this.#unproved = []
    if (this.#pending.length > 0) this.#closed = true
    else this.#anchor = undefined
  }

  /** The device's output has been drawn, or time has passed: confirm, wait, or take back. */
  handleScreen(screen: ScreenView, nowMs: number): void {
    if (!this.#enabled) return
    if (screen.alternate) return this.reset()
    if (this.#pending.length > 0) this.#settle(screen, nowMs)
    if (!this.#anchor) this.#prove(screen, nowMs)
    this.#lastCursor = { x: screen.cursorX, y: screen.cursorY }
  }

  #settle(screen: ScreenView, nowMs: number): void {
    const anchor = this.#anchor as { x: number; y: number; leftmost: number }
    const first = this.#pending[0] as Guess
    const late = nowMs - first.atMs > 2 * (this.#roundTripMs ?? 0) + SILENCE_GRACE_MS
    let echoed = -1
    for (let count = 0; count <= this.#pending.length; count++) if (this.#agrees(screen, count)) echoed = count
    // A letter typed and erased leaves no trace: it looks as if nothing had happened yet. Wait, then believe it.
    const ambiguous = echoed > 0 && this.#agrees(screen, 0)
    if (echoed === 0 || ambiguous) {
      if (!late) return
      if (!ambiguous) return this.#takeBack()
    }
    if (echoed < 0) return this.#takeBack()
    const last = this.#pending[echoed - 1] as Guess
    this.#measure(nowMs - last.atMs)
    this.#pending = this.#pending.slice(echoed)
    this.#anchor = { ...anchor, x: last.cursorAfter }
    if (this.#pending.length > 0)
      this.#settle(screen, nowMs) // the rest may be overdue too
    else if (this.#closed) {
      this.#anchor = undefined
      this.#closed = false
    }
  }

  /** Does the screen look as it must after the device has echoed exactly `count` of the pending keys? */
  #agrees(screen: ScreenView, count: number): boolean {
    const anchor = this.#anchor as { x: number; y: number }
    const cursorX = count === 0 ? anchor.x : (this.#pending[count - 1] as Guess).cursorAfter
    if (screen.cursorY !== anchor.y || screen.cursorX !== cursorX) return false
    const expected = new Map<number, string>()
    for (const guess of this.#pending) if (!expected.has(guess.x)) expected.set(guess.x, guess.before)
    const ahead = new Set(this.#pending.slice(count).map((guess) => guess.x))
    for (const guess of this.#pending.slice(0, count)) expected.set(guess.x, guess.char)
    for (const [x, char] of expected) {
      // Cells the echo has not reached may be redrawn by the shell (suggestions, shifted text): they prove nothing.
      if (ahead.has(x) && x >= cursorX) continue
      if (cellAt(screen, x, anchor.y) !== char) return false
    }
    return true
  }

  #takeBack(): void {
    this.#pending = []
    this.#anchor = undefined
    if (!this.#closed) this.#unproved = []
    this.#closed = false
  }

  /** The cursor moved right over letters that were typed: the program echoes, so guessing may begin. */
  #prove(screen: ScreenView, nowMs: number): void {
    const last = this.#lastCursor
    if (!last || this.#unproved.length === 0 || screen.cursorY !== last.y || screen.cursorX <= last.x) return
    let echo = ''
    for (let x = last.x; x < screen.cursorX; x++) echo += cellAt(screen, x, screen.cursorY)
    const typed = this.#unproved.map((key) => key.char).join('')
    const at = typed.indexOf(echo)
    if (at < 0 || echo.trim() === '') return
    const end = at + echo.length
    this.#measure(nowMs - (this.#unproved[end - 1] as { atMs: number }).atMs)
    const rest = this.#unproved.slice(end)
    this.#unproved = []
    this.#anchor = { x: screen.cursorX, y: screen.cursorY, leftmost: last.x }
    for (const key of rest) this.#handleKey(key.char, screen, key.atMs)
  }

  #measure(measuredMs: number): void {
    const sampleMs = Math.min(measuredMs, MAX_SAMPLE_MS)
    const old = this.#roundTripMs
    this.#roundTripMs = old === undefined ? sampleMs : old + (sampleMs - old) * ROUND_TRIP_WEIGHT
    this.#updateShown()
  }

  #updateShown(): void {
    if (this.#roundTripMs === undefined) return
    if (this.#roundTripMs > SHOW_ABOVE_MS) this.#shown = true
    else if (this.#roundTripMs < HIDE_BELOW_MS) this.#shown = false
  }

  /** What to draw over the screen now. */
  get overlay(): EchoOverlay | undefined {
    const last = this.#pending.at(-1)
    if (!this.#shown || !last) return undefined
    const cells = new Map<number, PredictedCell>()
    for (const { x, y, char } of this.#pending) cells.set(x, { x, y, char })
    return { cells: [...cells.values()], cursorX: last.cursorAfter, cursorY: last.y }
  }
}

const cellAt = (screen: ScreenView, x: number, y: number): string => screen.cell(x, y) || ' '

function promptsForSecret(screen: ScreenView): boolean {
  let line = ''
  for (let x = 0; x < screen.cursorX; x++) line += cellAt(screen, x, screen.cursorY)
  return SECRET_PROMPT.test(line)
}

/** One column wide for certain: Latin, Greek, Cyrillic and their signs; no control or combining characters. */
function isSimple(char: string): boolean {
  return /^[\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0482\u048a-\u052f]$/u.test(char)
}
