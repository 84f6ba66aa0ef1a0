import { FitAddon } from '@xterm/addon-fit'
import { SearchAddon } from '@xterm/addon-search'
import { WebLinksAddon } from '@xterm/addon-web-links'
import { Terminal } from '@xterm/xterm'
import '@xterm/xterm/css/xterm.css'
import { utf8 } from '../../../base/bytes.ts'
import { type Disposable, DisposableStore, toDisposable } from '../../../base/disposable.ts'
import { Emitter } from '../../../base/emitter.ts'
import { CommandMarks } from './command-marks.ts'
import { EchoOverlayLayer } from './echo-overlay-layer.ts'
import type { TerminalSize } from '../../../jobs/terminal-frames-contract.ts'
import { PredictiveEcho, type ScreenView } from './predictive-echo.ts'
import type { TerminalSink } from './terminal-attachment.ts'
import { terminalTheme } from './terminal-theme.ts'
import { takeGraphicsContext } from './graphics-card.ts'

/** Lines kept above the screen; the device keeps as many. */
const SCROLLBACK_LINES = 10_000
/** Guesses whose echo never comes are taken back by this tick; it runs only while some are pending. */
const ECHO_TICK_MS = 100
const MIN_FONT_PX = 6
const LINE_HEIGHT = 1.25

export interface TerminalScreenOptions {
  readonly fontPx: number
  /** A link in the output was pressed. */
  readonly openLink: (url: string) => void
  /** Shows output of something that takes no keys, under this name: lines end with LF alone, keys scroll or are the desk's. */
  readonly readOnly?: string
}

/**
 * xterm.js as a sink of one terminal: themed, fitted, searchable, with guessed keys drawn over it. Owns the xterm.js
 * terminal and its place in the page; knows nothing of devices and channels.
 */
export class TerminalScreen implements TerminalSink, Disposable {
  readonly #owned = new DisposableStore()
  readonly #term: Terminal
  readonly #search = new SearchAddon()
  readonly #fit = new FitAddon()
  readonly #echo = new PredictiveEcho()
  readonly #place: HTMLElement
  readonly #keys = this.#owned.add(new Emitter<Uint8Array>())
  readonly #bell = this.#owned.add(new Emitter<void>())
  readonly #title = this.#owned.add(new Emitter<string>())
  readonly #selection = this.#owned.add(new Emitter<boolean>())
  readonly #ran = this.#owned.add(new Emitter<string>())
  #layer: EchoOverlayLayer | undefined
  #tick: ReturnType<typeof setInterval> | undefined
  #fontPx: number
  #hideCursor = ''

  readonly onDidType = this.#keys.event
  readonly onDidRing = this.#bell.event
  readonly onDidChangeTitle = this.#title.event
  /** Whether something is selected. */
  readonly onDidChangeSelection = this.#selection.event
  /** The line of a command that a shell with our integration has begun to run. */
  readonly onDidRunCommand = this.#ran.event

  constructor(place: HTMLElement, options: TerminalScreenOptions) {
    this.#place = place
    this.#fontPx = options.fontPx
    const term = new Terminal({
      allowProposedApi: true,
      cursorBlink: false,
      cursorInactiveStyle: options.readOnly === undefined ? 'outline' : 'none',
      convertEol: options.readOnly !== undefined,
      disableStdin: options.readOnly !== undefined,
      drawBoldTextInBrightColors: false,
      fontFamily: getComputedStyle(place).getPropertyValue('--font-mono') || 'monospace',
      fontSize: options.fontPx,
      fontWeightBold: 600,
      lineHeight: LINE_HEIGHT,
      minimumContrastRatio: 4.5,
      macOptionIsMeta: true,
      rightClickSelectsWord: false,
      scrollback: SCROLLBACK_LINES,
      screenReaderMode: false,
      theme: terminalTheme(place),
    })
    this.#term = this.#owned.add(term)
    term.loadAddon(this.#fit)
    term.loadAddon(this.#search)
    term.loadAddon(new WebLinksAddon((_event, url) => options.openLink(url)))
    term.attachCustomKeyEventHandler((event) => (options.readOnly === undefined ? !isDeskKey(event) : this.#scrollByKey(event)))
    term.open(place)
    term.textarea?.setAttribute('aria-label', options.readOnly ?? 'Terminal input')
    if (options.readOnly !== undefined) term.textarea?.setAttribute('aria-readonly', 'true')
    this.#hideCursor = options.readOnly === undefined ? '' : '\x1b[?25l'
    if (this.#hideCursor !== '') term.write(this.#hideCursor)
    this.#owned.add(term.onData((data) => this.#handleKeys(data, false)))
    this.#owned.add(term.onBinary((data) => this.#handleKeys(data, true)))
    this.#owned.add(term.onBell(() => this.#bell.fire()))
    this.#owned.add(term.onTitleChange((title) => this.#title.fire(title)))
    this.#owned.add(term.onSelectionChange(() => this.#selection.fire(term.hasSelection())))
    this.#owned.add(term.onRender(() => this.#drawEcho()))
    this.#owned.add(new CommandMarks(term, (line) => this.#ran.fire(line)))
    const screen = place.querySelector<HTMLElement>('.xterm-screen')
    if (screen) this.#layer = this.#owned.add(new EchoOverlayLayer(screen))
    this.#watchTheme()
    this.#owned.add(toDisposable(() => clearInterval(this.#tick)))
    void this.#useWebgl()
  }

  /** Colours follow the theme and the activity's hue without reloading. */
  #watchTheme(): void {
    const update = () => {
      this.#term.options.theme = terminalTheme(this.#place)
    }
    const observer = new MutationObserver(update)
    for (let at: HTMLElement | null = this.#place; at; at = at.parentElement) {
      observer.observe(at, { attributes: true, attributeFilter: ['data-theme', 'data-hue'] })
    }
    this.#owned.defer(() => observer.disconnect())
  }

  /** Drawing on the graphics card where there is one; else xterm's own way, which is right everywhere. */
  async #useWebgl(): Promise<void> {
    const context = takeGraphicsContext()
    if (!context) return
    this.#owned.add(context)
    const { WebglAddon } = await import('@xterm/addon-webgl')
    if (this.#owned.isDisposed) return
    try {
      const addon = new WebglAddon()
      addon.onContextLoss(() => {
        addon.dispose()
        context.dispose()
      })
      this.#term.loadAddon(addon)
    } catch (error) {
      console.info('terminal: drawing without the graphics card', error)
    }
  }

  // --- what the device says

  write(data: string | Uint8Array, done: () => void): void {
    this.#term.write(data, () => {
      this.#echo.handleScreen(this.#view(), performance.now())
      this.#keepTicking()
      done()
    })
  }

  clear(): void {
    this.#term.reset()
    if (this.#hideCursor !== '') this.#term.write(this.#hideCursor)
    this.#echo.reset()
  }

  // --- what the person does

  /** Where no program takes keys they scroll; the others are left to the page. */
  #scrollByKey(event: KeyboardEvent): false {
    if (event.type !== 'keydown' || event.ctrlKey || event.altKey || event.metaKey) return false
    const { key } = event
    if (key === 'PageUp' || key === 'PageDown') this.#term.scrollPages(key === 'PageUp' ? -1 : 1)
    else if (key === 'ArrowUp' || key === 'ArrowDown') this.#term.scrollLines(key === 'ArrowUp' ? -1 : 1)
    else if (key === 'Home') this.#term.scrollToTop()
    else if (key === 'End') this.#term.scrollToBottom()
    else return false
    event.preventDefault()
    event.stopPropagation()
    return false
  }

  #handleKeys(data: string, binary: boolean): void {
    if (!binary) {
      this.#echo.handleKeys(data, this.#view(), performance.now())
      this.#drawEcho()
      this.#keepTicking()
    }
    // A mouse report may hold bytes that are not UTF-8: there one character is one byte.
    this.#keys.fire(binary ? Uint8Array.from(data, (character) => character.charCodeAt(0) & 0xff) : utf8(data))
  }

  /** A person may not want letters that nobody has confirmed. */
  setGuessing(enabled: boolean): void {
    this.#echo.setEnabled(enabled)
    this.#drawEcho()
  }

  /** As the heartbeat of the link measures it; undefined = this machine. */
  suggestRoundTrip(ms: number | undefined): void {
    this.#echo.suggestRoundTrip(ms ?? 0)
  }

  #view(): ScreenView {
    const { active } = this.#term.buffer
    return {
      columns: this.#term.cols,
      rows: this.#term.rows,
      cursorX: active.cursorX,
      cursorY: active.cursorY,
      alternate: active.type === 'alternate',
      cell: (x, y) =>
        active
          .getLine(active.baseY + y)
          ?.getCell(x)
          ?.getChars() ?? '',
    }
  }

  #drawEcho(): void {
    const { active } = this.#term.buffer
    const view = this.#view()
    const overlay = active.viewportY === active.baseY ? this.#echo.overlay : undefined
    const cursor = { x: view.cursorX, y: view.cursorY, char: view.cell(view.cursorX, view.cursorY) }
    if (overlay) this.#layer?.setFont(this.#term.options.fontSize ?? this.#fontPx)
    this.#layer?.draw(overlay, { columns: view.columns, rows: view.rows }, cursor)
  }

  #keepTicking(): void {
    if (this.#echo.pendingCount === 0) {
      clearInterval(this.#tick)
      this.#tick = undefined
    } else {
      this.#tick ??= setInterval(() => {
        this.#echo.handleScreen(this.#view(), performance.now())
        this.#drawEcho()
        this.#keepTicking()
      }, ECHO_TICK_MS)
    }
  }

  // --- size

  /** How many cells would fill the place at the chosen font; undefined while it is not shown. */
  ownSize(): TerminalSize | undefined {
    const shrunk = this.#term.options.fontSize
    if (shrunk !== this.#fontPx) this.#term.options.fontSize = this.#fontPx
    const fit = this.#fit.proposeDimensions()
    if (!fit || !Number.isFinite(fit.cols) || !Number.isFinite(fit.rows)) return undefined
    return { columns: Math.max(2, Math.min(1000, fit.cols)), rows: Math.max(1, Math.min(1000, fit.rows)) }
  }

  /** Shows a size, its own or another display's; a larger one is drawn smaller so that all of it is in sight. */
  show(size: TerminalSize, own: TerminalSize): void {
    const ratio = Math.min(1, own.columns / size.columns, own.rows / size.rows)
    this.#term.options.fontSize = Math.max(MIN_FONT_PX, Math.floor(this.#fontPx * ratio))
    if (this.#term.cols === size.columns && this.#term.rows === size.rows) return
    this.#echo.reset()
    this.#term.resize(size.columns, size.rows)
  }

  setFont(fontPx: number): void {
    this.#fontPx = fontPx
    this.#term.options.fontSize = fontPx
  }

  // --- the rest of a terminal's manners

  focus(): void {
    this.#term.focus()
  }

  get selection(): string {
    return this.#term.getSelection()
  }

  /** Does a point of the page lie on selected text? */
  isSelectionAt(x: number, y: number): boolean {
    const range = this.#term.getSelectionPosition()
    const box = this.#place.querySelector('.xterm-screen')?.getBoundingClientRect()
    if (!range || !box || x < box.left || x >= box.right || y < box.top || y >= box.bottom) return false
    const column = Math.floor(((x - box.left) / box.width) * this.#term.cols)
    const row = Math.floor(((y - box.top) / box.height) * this.#term.rows) + this.#term.buffer.active.viewportY
    const at = row * this.#term.cols + column
    return at >= range.start.y * this.#term.cols + range.start.x && at < range.end.y * this.#term.cols + range.end.x
  }

  clearSelection(): void {
    this.#term.clearSelection()
  }

  selectAll(): void {
    this.#term.selectAll()
  }

  /** As if typed, in brackets where the program asked for them. */
  paste(text: string): void {
    this.#term.paste(text)
  }

  /** Looks for text in screen and scrollback; false = not there. */
  find(text: string, back: boolean): boolean {
    const style = getComputedStyle(this.#place)
    const decorations = {
      matchOverviewRuler: '#888888',
      activeMatchColorOverviewRuler: '#888888',
      activeMatchBorder: style.getPropertyValue('color') || '#888888',
    }
    const options = { decorations, incremental: false }
    return back ? this.#search.findPrevious(text, options) : this.#search.findNext(text, options)
  }

  endFind(): void {
    this.#search.clearDecorations()
    this.#term.clearSelection()
  }

  scrollToEnd(): void {
    this.#term.scrollToBottom()
  }

  /** No keys are taken: the screen is one kept from before. */
  setReadOnly(readOnly: boolean): void {
    this.#term.options.disableStdin = readOnly
    this.#echo.reset()
    this.#drawEcho()
  }

  dispose(): void {
    this.#owned.dispose()
  }
}

/** Every key belongs to the program except Super and Ctrl+Shift+...: those bubble to the app and the desk. */
const isDeskKey = (event: KeyboardEvent): boolean => event.metaKey || (event.ctrlKey && event.shiftKey && !event.altKey)
