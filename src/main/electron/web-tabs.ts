import type { BrowserWindow, Rectangle, WebContents, WebContentsView } from 'electron'
import type { Disposable } from '../../base/disposable.ts'
import type { NativeEvent, OpenedPage } from './native-contract.ts'
import { NativeError } from './native-error.ts'
import type { TabRules } from './tab-rules.ts'
import { WebView } from './web-view.ts'

/** Views kept alive at once; the one shown longest ago is closed first (its history lies in the workspace). */
export const MAX_VIEWS = 24
/** JPEG quality of the picture that stands in for a hidden view. */
const PICTURE_QUALITY = 75

/** The part of a view inside the window's content area, never larger than it. */
export function clampBounds(wanted: Rectangle, content: { width: number; height: number }): Rectangle {
  const x = Math.min(Math.max(wanted.x, 0), content.width)
  const y = Math.min(Math.max(wanted.y, 0), content.height)
  const right = Math.min(Math.max(wanted.x + wanted.width, x), content.width)
  const bottom = Math.min(Math.max(wanted.y + wanted.height, y), content.height)
  return { x, y, width: right - x, height: bottom - y }
}

/** CSS px of the desk's page to px of the window. */
const scaled = ({ x, y, width, height }: Rectangle, zoom: number): Rectangle => ({
  x: Math.round(x * zoom),
  y: Math.round(y * zoom),
  width: Math.round(width * zoom),
  height: Math.round(height * zoom),
})

/**
 * Web pages as native views over the desk's window, one per tab of the Web app.
 *
 * Owns the views. Knows nothing of the workspace: the desk says where each view lies, and when it is in the way.
 */
export class WebTabs implements Disposable {
  readonly #views = new Map<string, WebView>()
  readonly #window: BrowserWindow
  readonly #createView: () => WebContentsView
  readonly #rules: TabRules
  readonly #tell: (event: NativeEvent) => void
  #deskKeys: ReadonlySet<string> = new Set()

  constructor(window: BrowserWindow, createView: () => WebContentsView, rules: TabRules, tell: (event: NativeEvent) => void) {
    this.#window = window
    this.#createView = createView
    this.#rules = rules
    this.#tell = tell
  }

  get count(): number {
    return this.#views.size
  }

  viewOf(contents: WebContents): WebView | undefined {
    return [...this.#views.values()].find(({ view }) => view.webContents === contents)
  }

  keepKeys(bindings: readonly string[]): void {
    this.#deskKeys = new Set(bindings)
  }

  async show(tabId: string, bounds: Rectangle, page: OpenedPage | undefined): Promise<void> {
    const known = this.#views.get(tabId)
    if (!known && !page) throw new NativeError('native/unknown-tab', `tab ${tabId} has no view in this window; say which page it shows`)
    const webView = known ?? this.#open(tabId)
    this.#views.delete(tabId)
    this.#views.set(tabId, webView) // last shown is last closed
    const { width, height } = this.#window.getContentBounds()
    webView.view.setBounds(clampBounds(scaled(bounds, this.#window.webContents.getZoomFactor()), { width, height }))
    webView.view.setVisible(true)
    if (known || !page) return
    await webView.load(page).catch((error: unknown) => {
      this.close(tabId)
      throw error
    })
  }

  /** @returns how it looked, if that was wanted and there is anything to see */
  async hide(tabId: string, picture: boolean): Promise<string | null> {
    const webView = this.#views.get(tabId)
    if (!webView) return null
    const image = picture ? await webView.view.webContents.capturePage().catch(() => undefined) : undefined
    webView.view.setVisible(false)
    if (!image || image.isEmpty()) return null
    const { width } = webView.view.getBounds()
    return `data:image/jpeg;base64,${image.resize({ width }).toJPEG(PICTURE_QUALITY).toString('base64')}`
  }

  /** @throws NativeError `native/unknown-tab` */
  view(tabId: string): WebView {
    const view = this.#views.get(tabId)
    if (!view) throw new NativeError('native/unknown-tab', `tab ${tabId} has no view in this window; show it first`)
    return view
  }

  close(tabId: string): void {
    const webView = this.#views.get(tabId)
    if (!webView) return
    this.#views.delete(tabId)
    webView.dispose()
    this.#window.contentView.removeChildView(webView.view)
    webView.view.webContents.close()
  }

  dispose(): void {
    for (const tabId of [...this.#views.keys()]) this.close(tabId)
  }

  #open(tabId: string): WebView {
    const oldest = this.#views.size >= MAX_VIEWS ? this.#views.keys().next().value : undefined
    if (oldest !== undefined) {
      this.close(oldest)
      this.#tell({ type: 'tab-gone', tabId: oldest })
    }
    const webView = new WebView(tabId, this.#createView(), {
      rules: this.#rules,
      isDeskKey: (binding) => this.#deskKeys.has(binding),
      focusDesk: () => this.#window.webContents.focus(),
      tell: this.#tell,
    })
    this.#views.set(tabId, webView)
    this.#window.contentView.addChildView(webView.view)
    return webView
  }
}
