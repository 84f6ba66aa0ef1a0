import { SerializeAddon } from '@xterm/addon-serialize'
import * as headless from '@xterm/headless'
import { utf8 } from '../base/bytes.ts'
import { Emitter } from '../base/emitter.ts'
import { scrollbackText } from './scrollback-text.ts'
import type { ScreenSnapshot, TerminalScreen } from './terminal-screen.ts'

// The package is CommonJS in a shape whose names Node does not see; a bundler does.
const { Terminal } = (headless as unknown as { readonly default?: typeof headless }).default ?? headless

/** Lines kept above the screen (issue 2, line 15). */
export const SCROLLBACK_LINES = 10_000
const MAX_TITLE_LENGTH = 200
const MAX_PATH_LENGTH = 4096

/** Modes that the serialiser leaves out and a viewer needs: cursor hidden, and how mouse reports are written. */
const TRACKED_MODES = { cursorVisible: 25, mouseSgr: 1006, mouseSgrPixels: 1016 } as const

/**
 * A TerminalScreen on xterm.js without a display. Knows escape sequences; knows nothing of ptys and viewers.
 * Invariant: at most one parse runs at a time, and a snapshot is taken between two writes.
 */
export class XtermScreen implements TerminalScreen {
  readonly #terminal: InstanceType<typeof Terminal>
  /** For tests, which compare what is drawn cell by cell. */
  get terminal(): InstanceType<typeof Terminal> {
    return this.#terminal
  }
  readonly #serializer = new SerializeAddon()
  readonly #answered = new Emitter<Uint8Array>()
  readonly #titled = new Emitter<string>()
  readonly #moved = new Emitter<string>()
  #title = ''
  #disposed = false
  #cursorStyle = 0
  readonly #modes = new Map<number, boolean>()

  readonly onDidAnswer = this.#answered.event
  readonly onDidChangeTitle = this.#titled.event
  readonly onDidChangeFolder = this.#moved.event

  constructor(columns: number, rows: number, scrollback = SCROLLBACK_LINES) {
    this.#terminal = new Terminal({ cols: columns, rows, scrollback, allowProposedApi: true, logLevel: 'off' })
    this.#terminal.loadAddon(this.#serializer)
    this.#terminal.onData((answer) => this.#answered.fire(utf8(answer)))
    this.#terminal.onTitleChange((title) => this.#setTitle(title))
    const { parser } = this.#terminal
    parser.registerOscHandler(7, (url) => {
      const path = parseFolderUrl(url)
      if (path !== undefined) this.#moved.fire(path)
      return true
    })
    parser.registerCsiHandler({ prefix: '?', final: 'h' }, (params) => this.#trackModes(params, true))
    parser.registerCsiHandler({ prefix: '?', final: 'l' }, (params) => this.#trackModes(params, false))
    parser.registerCsiHandler({ intermediates: ' ', final: 'q' }, (params) => {
      this.#cursorStyle = Number(params[0] ?? 0)
      return false
    })
    parser.registerCsiHandler({ intermediates: '!', final: 'p' }, () => this.#forgetModes())
    parser.registerEscHandler({ final: 'c' }, () => this.#forgetModes())
  }

  write(bytes: Uint8Array, parsed: () => void): void {
    this.#terminal.write(bytes, parsed)
  }

  resize(columns: number, rows: number): void {
    this.#terminal.write('', () => {
      if (!this.#disposed) this.#terminal.resize(columns, rows)
    })
  }

  snapshot(scrollbackLines: number, take: (snapshot: ScreenSnapshot) => void): void {
    this.#terminal.write('', () => {
      if (this.#disposed) return
      const { cols, rows } = this.#terminal
      take({ columns: cols, rows, bytes: utf8(this.#draw(scrollbackLines) + this.#extras()) })
    })
  }

  dispose(): void {
    this.#disposed = true // what was written is still parsed; nobody asks any more
    this.#terminal.dispose()
    this.#answered.dispose()
    this.#titled.dispose()
    this.#moved.dispose()
  }

  /** Lines that have scrolled off quickly, the screen and the line above it with everything the addon knows to restore. */
  #draw(scrollbackLines: number): string {
    const { normal } = this.#terminal.buffer
    const first = unwrapped(normal, Math.max(0, normal.baseY - scrollbackLines))
    const split = unwrapped(normal, normal.baseY - 1)
    if (split <= first) return this.#serializer.serialize({ scrollback: scrollbackLines })
    return scrollbackText(normal, this.#terminal.cols, first, split) + this.#serializer.serialize({ scrollback: normal.baseY - split })
  }

  #setTitle(title: string): void {
    const clean = cleanTitle(title)
    if (clean === this.#title) return
    this.#title = clean
    this.#titled.fire(clean)
  }

  #trackModes(params: readonly (number | number[])[], on: boolean): false {
    for (const param of params) {
      if (typeof param === 'number' && Object.values<number>(TRACKED_MODES).includes(param)) this.#modes.set(param, on)
    }
    return false // xterm handles the sequence as well
  }

  #forgetModes(): false {
    this.#modes.clear()
    this.#cursorStyle = 0
    return false
  }

  #extras(): string {
    let extras = this.#title === '' ? '' : `\x1b]2;${this.#title}\x07`
    if (this.#modes.get(TRACKED_MODES.cursorVisible) === false) extras += '\x1b[?25l'
    for (const mode of [TRACKED_MODES.mouseSgr, TRACKED_MODES.mouseSgrPixels]) if (this.#modes.get(mode)) extras += `\x1b[?${mode}h`
    if (this.#cursorStyle !== 0) extras += `\x1b[${this.#cursorStyle} q`
    return extras
  }
}

/** The row at or above `row` where its line begins. */
function unwrapped(buffer: headless.IBuffer, row: number): number {
  let start = row
  while (start > 0 && buffer.getLine(start)?.isWrapped) start--
  return start
}

/** A title may come from a hostile program: no control characters, bounded. */
export function cleanTitle(title: string): string {
  return title.replace(/\p{Cc}/gu, '').slice(0, MAX_TITLE_LENGTH)
}

/** The path of `file://host/path` as shells send it; undefined for anything else. */
export function parseFolderUrl(url: string): string | undefined {
  const match = /^file:\/\/[^/]*(\/.*)$/s.exec(url)
  if (!match?.[1] || match[1].length > 3 * MAX_PATH_LENGTH) return undefined
  let path: string
  try {
    path = decodeURIComponent(match[1])
  } catch {
    return undefined // a stray % in what a program printed
  }
  return path.length <= MAX_PATH_LENGTH && !/\p{Cc}/u.test(path) ? path : undefined
}
