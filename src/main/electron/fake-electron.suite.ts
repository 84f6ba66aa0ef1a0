import { EventEmitter } from 'node:events'
import { vi } from 'vitest'

/*
 * What our main process uses of Electron's classes, for unit tests: they record what is asked of them and emit what a test says.
 * They prove that we call Electron as its types say, not that Electron behaves so.
 */

/** Electron's classes are far larger than what we use of them: the fakes stand in at that border only. */
export const as = <T>(fake: unknown): T => fake as T

type Opener = (details: { url: string; disposition?: string }) => { action: string }

export class FakeContents extends EventEmitter {
  opener: Opener | undefined
  /** Addresses in the order they were loaded: also the history. */
  readonly loaded: string[] = []
  closed = false
  focused = 0
  restored: { index: number; entries: readonly { url: string }[] } | undefined
  /** What the page would answer to what is run in it. */
  answers = new Map<string, unknown>()
  readonly ran: string[] = []
  readonly navigationHistory = {
    canGoBack: () => this.loaded.length > 1,
    canGoForward: () => false,
    getAllEntries: () => this.loaded.map((url) => ({ url, title: 'T' })),
    getActiveIndex: () => this.restored?.index ?? this.loaded.length - 1,
    length: () => this.loaded.length,
    restore: async (options: { index: number; entries: readonly { url: string }[] }) => {
      this.restored = options
      this.loaded.push(...options.entries.map(({ url }) => url))
    },
    goBack: vi.fn(),
    goForward: vi.fn(),
  }
  readonly session = { fetch: vi.fn(async (_url: string) => new Response('no', { status: 404 })) }
  setWindowOpenHandler(handler: Opener) {
    this.opener = handler
  }
  getURL = () => this.loaded[this.navigationHistory.getActiveIndex()] ?? ''
  getTitle = () => 'T'
  getZoomFactor = () => 1
  isLoading = () => false
  isDestroyed = () => this.closed
  focus = () => void this.focused++
  stop = vi.fn()
  reload = vi.fn()
  async loadURL(url: string) {
    this.loaded.push(url)
  }
  async executeJavaScriptInIsolatedWorld(_world: number, scripts: readonly { code: string }[]): Promise<unknown> {
    this.ran.push(...scripts.map(({ code }) => code))
    return this.answers.get(scripts[0]?.code ?? '')
  }
  async capturePage() {
    const image = { isEmpty: () => false, resize: () => image, toJPEG: () => Buffer.from('picture') }
    return image
  }
  close() {
    this.closed = true
  }
  /** A `preventDefault`-able event; true if somebody prevented it. */
  ask(name: string, details: object, ...rest: unknown[]): boolean {
    const event = { ...details, preventDefault: vi.fn() }
    this.emit(name, event, ...rest)
    return event.preventDefault.mock.calls.length > 0
  }
}

export class FakeView {
  readonly webContents = new FakeContents()
  bounds = { x: 0, y: 0, width: 0, height: 0 }
  visible = false
  setBounds = (bounds: FakeView['bounds']) => void (this.bounds = bounds)
  getBounds = () => this.bounds
  setVisible = (visible: boolean) => void (this.visible = visible)
}

export class FakeWindow extends EventEmitter {
  readonly webContents = new FakeContents()
  readonly views: unknown[] = []
  readonly contentView = {
    addChildView: (view: unknown) => this.views.push(view),
    removeChildView: (view: unknown) => this.views.splice(this.views.indexOf(view), 1),
  }
  shown = false
  loadURL = (url: string) => this.webContents.loadURL(url)
  show() {
    this.shown = true
  }
  isDestroyed = () => false
  getContentBounds = () => ({ x: 0, y: 0, width: 1000, height: 800 })
}
