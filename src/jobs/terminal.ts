import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore, toDisposable } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import type { TerminalId } from '../base/ids.ts'
import type { Pty } from './pty.ts'
import type { HostTerminal } from './host-contract.ts'
import type { ScreenSnapshot, TerminalScreen } from './terminal-screen.ts'
import type { TerminalExit, TerminalSize } from './terminal-frames-contract.ts'
import { chosenSize, noViewers, reduceViewers, type ViewerEvent, type ViewerSizes } from './viewer-sizes.ts'

/** Output read and not yet on the screen, at which reading stops. 1 MiB: 40 ms of parsing; what a snapshot waits for at most. */
const UNPARSED_HIGH_BYTES = 1024 * 1024
const UNPARSED_LOW_BYTES = 256 * 1024
/** Output settles for this long before title, folder and foreground are looked at, so that a flood costs nothing. */
const SETTLE_MS = 250
/** How long programs have between TERM and KILL. */
const END_GRACE_MS = 2_000

export interface TerminalParts {
  readonly id: TerminalId
  readonly pty: Pty
  readonly screen: TerminalScreen
  readonly clock: Clock
  readonly size: TerminalSize
  readonly cwd: string
  readonly guest?: HostTerminal['guest']
}

/**
 * One running terminal: joins a pty to a screen that is kept whether or not anybody looks, and to any number of viewers.
 *
 * Invariants: what viewers are told (`onDidOutput`) is what the pty said, in order; the pty is read only while the
 * screen keeps up and no viewer holds it; nothing here ticks while no program writes. Owns pty and screen.
 */
export class Terminal implements Disposable {
  readonly id: TerminalId
  readonly #pty: Pty
  readonly #screen: TerminalScreen
  readonly #clock: Clock
  readonly #startedAtMs: number
  readonly #guest: HostTerminal['guest']
  readonly #owned = new DisposableStore()
  readonly #output = new Emitter<Uint8Array>()
  readonly #resized = new Emitter<TerminalSize>()
  readonly #changed = new Emitter<HostTerminal>()
  readonly #exited = new Emitter<TerminalExit>()
  readonly #wrote = new Emitter<void>()
  readonly onDidOutput = this.#output.event
  readonly onDidResize = this.#resized.event
  /** Title, folder, foreground, size or exit changed. */
  readonly onDidChange = this.#changed.event
  /** Fires once, after the last output. */
  readonly onDidExit = this.#exited.event
  /** The screen changed; fires at most every SETTLE_MS. */
  readonly onDidSettle = this.#wrote.event

  #size: TerminalSize
  #viewers: ViewerSizes<object> = noViewers()
  #title = ''
  #cwd: string
  #foreground = ''
  #toldFolder = false
  #exit: TerminalExit | undefined
  #unparsedBytes = 0
  #holds = 0
  #paused = false
  #settling: Disposable | undefined

  constructor({ id, pty, screen, clock, size, cwd, guest }: TerminalParts) {
    this.id = id
    this.#guest = guest
    this.#pty = this.#owned.add(pty)
    this.#screen = this.#owned.add(screen)
    this.#clock = clock
    this.#size = size
    this.#cwd = cwd
    this.#startedAtMs = clock.nowMs()
    this.#foreground = pty.foreground()
    for (const emitter of [this.#output, this.#resized, this.#changed, this.#exited, this.#wrote]) this.#owned.add(emitter)
    this.#owned.defer(() => this.#settling?.dispose())
    this.#owned.add(pty.onDidOutput((bytes) => this.#handleOutput(bytes)))
    this.#owned.add(pty.onDidExit((exit) => this.#handleExit(exit)))
    this.#owned.add(screen.onDidAnswer((bytes) => this.write(bytes)))
    this.#owned.add(screen.onDidChangeTitle((title) => this.#handleTitle(title)))
    this.#owned.add(screen.onDidChangeFolder((folder) => this.#handleFolder(folder)))
  }

  get exit(): TerminalExit | undefined {
    return this.#exit
  }

  /** What the program sees. */
  get size(): TerminalSize {
    return this.#size
  }

  /** Keys accepted and not yet taken by the program. */
  get unwrittenBytes(): number {
    return this.#exit ? 0 : this.#pty.unwrittenBytes
  }

  info(): HostTerminal {
    return {
      terminalId: this.id,
      title: this.#title,
      cwd: this.#cwd,
      pid: this.#pty.pid,
      foreground: this.#foreground,
      ...this.#size,
      startedAtMs: this.#startedAtMs,
      ...(this.#guest && { guest: this.#guest }),
      ...(this.#exit ? { exit: this.#exit } : {}),
    }
  }

  write(bytes: Uint8Array): void {
    if (!this.#exit) this.#pty.write(bytes)
  }

  /** Stops reading the pty until disposed: a viewer is behind. */
  hold(): Disposable {
    this.#holds++
    this.#setPaused()
    return toDisposable(() => {
      this.#holds--
      this.#setPaused()
    })
  }

  snapshot(scrollbackLines: number, take: (snapshot: ScreenSnapshot) => void): void {
    this.#screen.snapshot(scrollbackLines, (snapshot) => {
      if (!this.#owned.isDisposed) take(snapshot)
    })
  }

  /** Tells who looks and how large they are; the size follows the viewer typed in last. */
  handleViewer(event: ViewerEvent<object>): void {
    this.#viewers = reduceViewers(this.#viewers, event)
    const { columns, rows } = chosenSize(this.#viewers, this.#size)
    if (this.#exit || (columns === this.#size.columns && rows === this.#size.rows)) return
    this.#size = { columns, rows }
    this.#pty.resize(columns, rows)
    this.#screen.resize(columns, rows)
    this.#resized.fire(this.#size)
    this.#tell()
  }

  /** Ends its programs; `onDidExit` follows. */
  async end(): Promise<void> {
    await this.#pty.end(END_GRACE_MS)
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #handleOutput(bytes: Uint8Array): void {
    this.#unparsedBytes += bytes.length
    this.#screen.write(bytes, () => {
      this.#unparsedBytes -= bytes.length
      if (this.#unparsedBytes <= UNPARSED_LOW_BYTES) this.#setPaused()
    })
    this.#setPaused()
    this.#output.fire(bytes)
    this.#settling ??= this.#clock.after(SETTLE_MS, () => this.#settle())
  }

  #setPaused(): void {
    if (this.#exit || this.#owned.isDisposed) return
    const behind = this.#unparsedBytes > (this.#paused ? UNPARSED_LOW_BYTES : UNPARSED_HIGH_BYTES)
    const paused = behind || this.#holds > 0
    if (paused === this.#paused) return
    this.#paused = paused
    if (paused) this.#pty.pause()
    else this.#pty.resume()
  }

  #settle(): void {
    this.#settling = undefined
    if (this.#owned.isDisposed) return
    this.#wrote.fire()
    if (this.#exit) return
    const foreground = this.#pty.foreground()
    const cwd = this.#toldFolder ? this.#cwd : (this.#pty.workingFolder() ?? this.#cwd)
    if (foreground === this.#foreground && cwd === this.#cwd) return
    this.#foreground = foreground
    this.#cwd = cwd
    this.#tell()
  }

  #handleTitle(title: string): void {
    this.#title = title
    this.#tell()
  }

  #handleFolder(folder: string): void {
    this.#toldFolder = true
    if (folder === this.#cwd) return
    this.#cwd = folder
    this.#tell()
  }

  #handleExit(exit: TerminalExit): void {
    this.#exit = exit
    this.#exited.fire(exit)
    this.#tell()
  }

  #tell(): void {
    this.#changed.fire(this.info())
  }
}
