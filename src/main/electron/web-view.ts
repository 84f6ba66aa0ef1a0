import type { Input, InputEvent, WebContents, WebContentsView } from 'electron'
import { type Clock, systemClock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { bindingOf } from '../../base/key-binding.ts'
import { type NativeEvent, type OpenedPage, type PageHistory, pageUrl, type Wish } from './native-contract.ts'
import { NativeError } from './native-error.ts'
import { readPageIcon } from './page-icon.ts'
import type { TabRules } from './tab-rules.ts'

/** What a view needs of the window it lies over. */
export interface ViewHost {
  readonly rules: TabRules
  readonly clock?: Clock
  /** Keys that are the desk's. */
  isDeskKey(binding: string): boolean
  focusDesk(): void
  tell(event: NativeEvent): void
}

const MAX_HISTORY = 50
/** Scrolling is told when it has come to rest. */
const SCROLL_REST_MS = 800
/** Somebody works in the page: told at most this often. */
const USED_EVERY_MS = 2_000
/** A page may open this many tabs in that time; more is a trap. */
const NEW_TABS = { most: 5, inMs: 10_000 }
const MAX_QUESTIONS = 3
/** An own world, so that the page's scripts cannot change what is read (0 is the page's, 999 Electron's). */
const WORLD = 1_400
const ABORTED = -3
const PRESS: ReadonlySet<string> = new Set(['mouseDown', 'touchStart'])
const USE: ReadonlySet<string> = new Set([...PRESS, 'mouseWheel', 'gestureScrollBegin', 'gestureTap', 'rawKeyDown', 'keyDown', 'char'])

/**
 * One page in a view. Tells the desk what it shows and what it wants, and keeps it within TabRules.
 * Owns its questions and timers; the view itself belongs to WebTabs.
 */
export class WebView implements Disposable {
  readonly view: WebContentsView
  readonly #owned = new DisposableStore()
  readonly #tabId: string
  readonly #host: ViewHost
  readonly #clock: Clock
  readonly #questions = new Map<number, (allow: boolean) => void>()
  #lastQuestion = 0
  #byPerson = false
  /** Somebody has had a hand on it: it is scrolled by nobody else. */
  #used = false
  #scrollY = 0
  #icon: string | undefined
  #failure: string | undefined
  #restTimer: Disposable | undefined
  #usedAtMs = Number.NEGATIVE_INFINITY
  #openedAtMs: number[] = []

  constructor(tabId: string, view: WebContentsView, host: ViewHost) {
    this.view = view
    this.#tabId = tabId
    this.#host = host
    this.#clock = host.clock ?? systemClock
    this.#owned.defer(() => this.#restTimer?.dispose())
    this.#listen(view.webContents)
  }

  /** The pages of a tab, at the one shown and where it was scrolled to. @throws NativeError `native/refused-address` */
  async load({ history, scrollY, byPerson }: OpenedPage): Promise<void> {
    const { urls, index } = history
    this.#byPerson = byPerson
    for (const url of urls) this.#host.rules.open(url)
    this.#mustBeAllowed(urls[index] ?? '')
    const { webContents } = this.view
    if (scrollY > 0) {
      webContents.once('did-finish-load', () => {
        if (!this.#used) void this.#run(`window.scrollTo(0, ${Math.round(scrollY)})`)
      })
    }
    this.#scrollY = scrollY
    // Refused and failed loads are told by did-fail-load.
    await webContents.navigationHistory.restore({ index, entries: urls.map((url) => ({ url, title: '' })) }).catch(() => undefined)
  }

  /** @throws NativeError `native/refused-address` */
  async navigate(to: string): Promise<void> {
    const { webContents } = this.view
    this.#byPerson = true
    this.#used = true
    if (to === 'back') webContents.navigationHistory.goBack()
    else if (to === 'forward') webContents.navigationHistory.goForward()
    else if (to === 'reload') webContents.reload()
    else if (to === 'stop') webContents.stop()
    else {
      this.#host.rules.open(to)
      this.#mustBeAllowed(to)
      await webContents.loadURL(to).catch(() => undefined) // did-fail-load has told the desk
    }
  }

  /** Asks the person; false when the page goes away first. */
  ask(site: string, wishes: readonly Wish[]): Promise<boolean> {
    if (this.#questions.size >= MAX_QUESTIONS || this.#owned.isDisposed) return Promise.resolve(false)
    const question = ++this.#lastQuestion
    const answered = new Promise<boolean>((resolve) => this.#questions.set(question, resolve))
    this.#host.tell({ type: 'tab-asks', tabId: this.#tabId, question, site: site.slice(0, 300), wishes: [...wishes] })
    return answered
  }

  answer(question: number, allow: boolean): void {
    const resolve = this.#questions.get(question)
    if (!resolve) return
    this.#questions.delete(question)
    resolve(allow)
    this.#host.tell({ type: 'tab-asks-no-more', tabId: this.#tabId, question })
  }

  refuseDownload(name: string, url: string): void {
    this.#host.tell({ type: 'tab-refused-download', tabId: this.#tabId, name: name.slice(0, 300), url: url.length <= 2048 ? url : '' })
  }

  dispose(): void {
    this.#dropQuestions()
    this.#owned.dispose()
  }

  #mustBeAllowed(url: string): void {
    const refusal = this.#host.rules.refusal(url)
    if (refusal !== undefined) throw new NativeError('native/refused-address', refusal)
  }

  #listen(contents: WebContents): void {
    const report = () => this.#report()
    contents.on('did-start-loading', () => {
      this.#failure = undefined
      report()
    })
    contents.on('did-stop-loading', report)
    contents.on('page-title-updated', report)
    contents.on('did-navigate-in-page', report)
    contents.on('did-navigate', () => {
      this.#dropQuestions() // the page that asked is gone
      this.#icon = undefined
      if (this.#used) this.#scrollY = 0
      report()
    })
    contents.on('did-fail-load', (_event, code, text, _url, isMainFrame) => {
      if (isMainFrame && code !== ABORTED) this.#fail(text) // aborted: another navigation took over
    })
    contents.on('render-process-gone', () => this.#fail('PAGE_STOPPED'))
    contents.on('page-favicon-updated', (_event, urls) => void this.#readIcon(urls))
    contents.on('will-navigate', (event) => {
      if (this.#host.rules.refusal(event.url, contents.getURL()) !== undefined) event.preventDefault()
    })
    contents.on('will-prevent-unload', (event) => event.preventDefault()) // the person goes; a page does not hold them
    contents.on('before-input-event', (event, input) => this.#handleKey(event, input))
    contents.on('input-event', (_event, input) => this.#handleInput(input))
    contents.on('context-menu', (_event, { x, y, linkURL, editFlags: { canCut, canCopy, canPaste } }) => {
      const link = pageUrl.safeParse(linkURL)
      this.#host.focusDesk() // the menu is used by keyboard too
      const at = { x: Math.max(0, Math.round(x)), y: Math.max(0, Math.round(y)) }
      this.#host.tell({ type: 'tab-menu', tabId: this.#tabId, ...at, ...(link.success && { link: link.data }), canCut, canCopy, canPaste })
    })
    contents.on('focus', () => this.#host.tell({ type: 'tab-used', tabId: this.#tabId, press: true }))
    contents.setWindowOpenHandler(({ url, disposition }) => {
      const fits = pageUrl.safeParse(url).success && this.#host.rules.refusal(url, contents.getURL()) === undefined
      if (fits && this.#mayOpenTab()) {
        this.#host.tell({ type: 'tab-wants-tab', tabId: this.#tabId, url, background: disposition === 'background-tab' })
      }
      return { action: 'deny' }
    })
  }

  #report(): void {
    if (this.#owned.isDisposed) return
    const { webContents } = this.view
    const { navigationHistory } = webContents
    const history = this.#history()
    this.#host.tell({
      type: 'tab-changed',
      tabId: this.#tabId,
      ...(history && { history }),
      title: webContents.getTitle().slice(0, 1024),
      loading: webContents.isLoading(),
      canGoBack: navigationHistory.canGoBack(),
      canGoForward: navigationHistory.canGoForward(),
      scrollY: this.#scrollY,
      byPerson: this.#byPerson,
      ...(this.#icon === undefined ? {} : { icon: this.#icon }),
      ...(this.#failure === undefined ? {} : { failure: this.#failure.slice(0, 200) }),
    })
  }

  /** What can be opened again elsewhere; undefined while the page shown is none of it. */
  #history(): PageHistory | undefined {
    const { navigationHistory } = this.view.webContents
    const shown = navigationHistory.getActiveIndex()
    const pages = navigationHistory.getAllEntries().map(({ url }, index) => ({ url, index }))
    const kept = pages.filter(({ url }) => pageUrl.safeParse(url).success)
    const at = kept.findIndex(({ index }) => index === shown)
    if (at < 0) return undefined
    const from = Math.max(0, Math.min(at, kept.length - MAX_HISTORY))
    return { urls: kept.slice(from, from + MAX_HISTORY).map(({ url }) => url), index: at - from }
  }

  #fail(reason: string): void {
    this.#failure = reason
    this.#report()
  }

  async #readIcon(urls: readonly string[]): Promise<void> {
    const { webContents } = this.view
    const [page, url] = [webContents.getURL(), urls.find((one) => pageUrl.safeParse(one).success)]
    if (url === undefined || this.#host.rules.refusal(url, page) !== undefined) return
    const icon = await readPageIcon(webContents.session, url)
    if (this.#owned.isDisposed || icon === undefined || webContents.getURL() !== page) return
    this.#icon = icon
    this.#report()
  }

  #handleKey(event: { preventDefault(): void }, { type, key, code, control, alt, shift, meta }: Input): void {
    if (type !== 'keyDown') return
    const press = { key: key.slice(0, 40), code: code.slice(0, 40), ctrlKey: control, altKey: alt, shiftKey: shift, metaKey: meta }
    const binding = bindingOf(press)
    if (binding === undefined || !this.#host.isDeskKey(binding)) return
    event.preventDefault()
    this.#host.focusDesk()
    this.#host.tell({ type: 'key-pressed', ...press })
  }

  #handleInput({ type }: InputEvent): void {
    if (!USE.has(type)) return
    this.#byPerson = true
    this.#used = true
    const press = PRESS.has(type)
    const nowMs = this.#clock.monotonicMs()
    if (press || nowMs - this.#usedAtMs >= USED_EVERY_MS) {
      this.#usedAtMs = nowMs
      this.#host.tell({ type: 'tab-used', tabId: this.#tabId, press })
    }
    this.#restTimer?.dispose()
    this.#restTimer = this.#clock.after(SCROLL_REST_MS, () => void this.#readScroll())
  }

  async #readScroll(): Promise<void> {
    const at: unknown = await this.#run('window.scrollY')
    if (typeof at !== 'number' || !(at >= 0 && at < 1e9) || Math.round(at) === this.#scrollY) return
    this.#scrollY = Math.round(at)
    this.#report()
  }

  /** In an own world of the page; undefined when the page is gone meanwhile. */
  async #run(code: string): Promise<unknown> {
    if (this.#owned.isDisposed) return undefined
    return this.view.webContents.executeJavaScriptInIsolatedWorld(WORLD, [{ code }]).catch(() => undefined)
  }

  #mayOpenTab(): boolean {
    const nowMs = this.#clock.monotonicMs()
    this.#openedAtMs = [...this.#openedAtMs.filter((atMs) => nowMs - atMs < NEW_TABS.inMs), nowMs].slice(-NEW_TABS.most - 1)
    return this.#openedAtMs.length <= NEW_TABS.most
  }

  #dropQuestions(): void {
    for (const question of [...this.#questions.keys()]) this.answer(question, false)
  }
}
