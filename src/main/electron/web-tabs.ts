import type { BrowserWindow, Rectangle, WebContentsView } from 'electron'
import type { Disposable } from '../../base/disposable.ts'
import type { PageHistory, TabChange } from './native-contract.ts'
import { NativeError } from './native-error.ts'

/** Views kept alive at once; the one hidden longest ago is closed first (its history lives in the workspace). */
export const MAX_VIEWS = 24

/** The part of a view inside the window's content area, never larger than it. */
export function clampBounds(wanted: Rectangle, content: { width: number; height: number }): Rectangle {
  const x = Math.min(Math.max(wanted.x, 0), content.width)
  const y = Math.min(Math.max(wanted.y, 0), content.height)
  const right = Math.min(Math.max(wanted.x + wanted.width, x), content.width)
  const bottom = Math.min(Math.max(wanted.y + wanted.height, y), content.height)
  return { x, y, width: right - x, height: bottom - y }
}

/**
 * Web pages as native views over the desk's window, one per tab of the Web app.
 *
 * Owns the views. Knows nothing of the workspace: the desk says where each view lies and keeps its history.
 */
export class WebTabs implements Disposable {
  readonly #views = new Map<string, WebContentsView>()
  readonly #window: BrowserWindow
  readonly #createView: () => WebContentsView
  readonly #report: (change: TabChange) => void

  constructor(window: BrowserWindow, createView: () => WebContentsView, report: (change: TabChange) => void) {
    this.#window = window
    this.#createView = createView
    this.#report = report
  }

  get count(): number {
    return this.#views.size
  }

  async show(tabId: string, bounds: Rectangle, page: { url?: string | undefined; history?: PageHistory | undefined }): Promise<void> {
    const known = this.#views.get(tabId)
    const view = known ?? this.#open(tabId)
    this.#views.delete(tabId)
    this.#views.set(tabId, view) // last shown is last closed
    const { width, height } = this.#window.getContentBounds()
    view.setBounds(clampBounds(bounds, { width, height }))
    view.setVisible(true)
    if (known) return
    if (page.history) {
      const { entries, index } = page.history
      const restorable = entries.map(({ url, title, pageState }) => (pageState === undefined ? { url, title } : { url, title, pageState }))
      await view.webContents.navigationHistory.restore({ entries: restorable, index: Math.min(index, entries.length - 1) })
    } else if (page.url) {
      await view.webContents.loadURL(page.url).catch(() => undefined) // did-fail-load has told the desk
    }
  }

  hide(tabId: string): void {
    this.#views.get(tabId)?.setVisible(false)
  }

  async navigate(tabId: string, to: string): Promise<void> {
    const { webContents } = this.#view(tabId)
    if (to === 'back') webContents.navigationHistory.goBack()
    else if (to === 'forward') webContents.navigationHistory.goForward()
    else if (to === 'reload') webContents.reload()
    else if (to === 'stop') webContents.stop()
    else await webContents.loadURL(to).catch(() => undefined)
  }

  history(tabId: string): PageHistory | null {
    const view = this.#views.get(tabId)
    if (!view) return null
    const { navigationHistory } = view.webContents
    const entries = navigationHistory.getAllEntries().slice(-50)
    if (entries.length === 0) return null
    const dropped = navigationHistory.length() - entries.length
    return {
      index: Math.max(0, navigationHistory.getActiveIndex() - dropped),
      entries: entries.map(({ url, title, pageState }) => (pageState === undefined ? { url, title } : { url, title, pageState })),
    }
  }

  close(tabId: string): void {
    const view = this.#views.get(tabId)
    if (!view) return
    this.#views.delete(tabId)
    this.#window.contentView.removeChildView(view)
    view.webContents.close()
  }

  dispose(): void {
    for (const tabId of [...this.#views.keys()]) this.close(tabId)
  }

  #view(tabId: string): WebContentsView {
    const view = this.#views.get(tabId)
    if (!view) throw new NativeError('native/unknown-tab', `tab ${tabId} has no view in this window; show it first`)
    return view
  }

  #open(tabId: string): WebContentsView {
    const oldest = this.#views.size >= MAX_VIEWS ? this.#views.keys().next().value : undefined
    if (oldest !== undefined) this.close(oldest)
    const view = this.#createView()
    this.#views.set(tabId, view)
    this.#window.contentView.addChildView(view)
    const contents = view.webContents
    const report = (failure?: string) =>
      this.#report({
        tabId,
        url: contents.getURL(),
        title: contents.getTitle(),
        loading: contents.isLoading(),
        canGoBack: contents.navigationHistory.canGoBack(),
        canGoForward: contents.navigationHistory.canGoForward(),
        ...(failure === undefined ? {} : { failure }),
      })
    contents.on('did-start-loading', () => report())
    contents.on('did-stop-loading', () => report())
    contents.on('page-title-updated', () => report())
    contents.on('did-navigate', () => report())
    contents.on('did-navigate-in-page', () => report())
    contents.on('did-fail-load', (_event, code, text, _url, isMainFrame) => {
      const ABORTED = -3 // a new navigation took over: not a failure
      if (isMainFrame && code !== ABORTED) report(text)
    })
    return view
  }
}
