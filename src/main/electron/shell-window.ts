import type { BrowserWindow, BrowserWindowConstructorOptions, WebContents } from 'electron'
import { systemClock, type Clock } from '../../base/clock.ts'
import { DisposableStore, type Disposable } from '../../base/disposable.ts'
import { errorMessage } from '../../base/errors.ts'
import { AWAY_URL } from './away-page.ts'
import { DESK_PREFERENCES } from './guards.ts'

/** How long the window waits before it asks for the device again. A device restarts in about a second. */
export const RETRY_MS = 2_000

/** Makes the device run if it does not, and answers with a one-time address of the desk. */
export type OpenDesk = (signal: AbortSignal) => Promise<string>

export function windowOptions(preload: string): BrowserWindowConstructorOptions {
  return {
    width: 1440,
    height: 900,
    minWidth: 360,
    minHeight: 480,
    show: false, // until painted: no white flash
    backgroundColor: '#1b1d22',
    autoHideMenuBar: true,
    title: 'Elsewhere',
    webPreferences: { ...DESK_PREFERENCES, preload },
  }
}

/**
 * The one window of the shell: shows the desk, or, while no device answers, a page that says so, and tries again.
 *
 * Holds no state of the desk; closing it leaves the device and everything that runs there.
 */
export class ShellWindow implements Disposable {
  readonly #owned = new DisposableStore()
  readonly #abort = new AbortController()
  readonly #window: BrowserWindow
  readonly #openDesk: OpenDesk
  readonly #clock: Clock
  #deskUrl: string | undefined
  #reason = 'It has not been asked yet.'

  constructor(window: BrowserWindow, openDesk: OpenDesk, clock: Clock = systemClock) {
    this.#window = window
    this.#openDesk = openDesk
    this.#clock = clock
    this.#owned.defer(() => this.#abort.abort())
    window.once('ready-to-show', () => window.show())
    window.on('closed', () => this.dispose())
    window.webContents.on('did-fail-load', (_event, _code, text, url, isMainFrame) => {
      if (isMainFrame && url !== AWAY_URL) this.#showAway(`It did not answer (${text}).`)
    })
    window.webContents.on('render-process-gone', () => void this.showDesk())
  }

  /** The desk's address without its one-time part, or undefined while the away page shows. */
  readonly deskUrl = (): string | undefined => this.#deskUrl
  /** Why the desk is not there, in plain words. */
  readonly reason = (): string => this.#reason

  owns(contents: WebContents): boolean {
    return !this.#window.isDestroyed() && contents === this.#window.webContents
  }

  async showDesk(): Promise<void> {
    try {
      const oneTimeUrl = await this.#openDesk(this.#abort.signal)
      if (this.#owned.isDisposed) return
      this.#deskUrl = new URL('/', oneTimeUrl).href
      await this.#window.loadURL(oneTimeUrl)
    } catch (error) {
      if (!this.#owned.isDisposed) this.#showAway(errorMessage(error))
    }
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #showAway(reason: string): void {
    this.#reason = reason
    this.#deskUrl = undefined
    void this.#window.loadURL(AWAY_URL)
    this.#owned.add(this.#clock.after(RETRY_MS, () => void this.showDesk()))
  }
}
