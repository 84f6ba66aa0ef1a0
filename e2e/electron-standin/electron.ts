/*
 * TEST ONLY. A small model of Electron's main module that drives a real Chromium, so that our production main and
 * preload run unmodified where Electron's binary cannot be had. Its scope is frozen at what the five smoke flows of
 * e2e/electron.e2e.ts use: window, IPC, context bridge, own scheme, guards. It proves that our parts fit together in a
 * real engine; it does not prove that Electron behaves so.
 *
 * | not faithful | because |
 * |---|---|
 * | an own scheme is served as https://HOST.SCHEME.standin.invalid | Chromium does not let a debugger answer for unknown schemes |
 * | window.open is closed after it was made | the debugger hears of it only then |
 * | menus, dialogs, safeStorage, WebContentsView | recorded or absent: covered by unit tests only |
 */
import { CHROMIUM } from '../harness/chromium.ts'
import { randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { Cdp } from './cdp.ts'
import { BINDING, isolatedWorld, mainWorld, WORLD } from './page.ts'

type Handler = (event: unknown, ...args: unknown[]) => unknown

/** What was asked of parts that are only recorded; tests read it over the process's standard output. */
const record = (what: string, ...args: unknown[]): void => console.log(`STANDIN-CALL ${JSON.stringify([what, ...args])}`)

const FAKE_HOST = /^https:\/\/(.+)\.([a-z][\w-]*)\.standin\.invalid(.*)$/
const schemes = new Map<string, (request: Request) => Response | Promise<Response>>()
const toFake = (url: string): string => {
  const [, scheme, host, rest] = /^([a-z][\w-]*):\/\/([^/?#]+)(.*)$/.exec(url) ?? []
  return scheme !== undefined && schemes.has(scheme) ? `https://${host}.${scheme}.standin.invalid${rest}` : url
}
const toReal = (url: string): string => url.replace(FAKE_HOST, (_whole, host, scheme, rest) => `${scheme}://${host}${rest}`)

let cdp: Cdp
let markReady = (): void => undefined
const ready = new Promise<void>((resolve) => {
  markReady = resolve
})

class Preventable extends EventEmitter {
  /** Whether a listener prevented it. */
  ask(name: string, details: object, ...args: unknown[]): boolean {
    const event = { ...details, defaultPrevented: false, preventDefault: () => (event.defaultPrevented = true) }
    this.emit(name, event, ...args)
    return event.defaultPrevented
  }
}

class App extends Preventable {
  readonly isPackaged = false
  whenReady = () => ready
  enableSandbox = () => record('app.enableSandbox')
  setPath = (name: string, folder: string) => record('app.setPath', name, folder)
  getVersion = () => '0.0.0'
  requestSingleInstanceLock = () => true
  quit(): void {
    if (this.ask('before-quit', {})) return
    for (const window of windows) window.destroy()
    void cdp.close().then(() => process.exit(0))
  }
}
export const app = new App()
const windows = new Set<BrowserWindow>()

const handlers = new Map<string, Handler>()
export const ipcMain = {
  handle(channel: string, handler: Handler) {
    if (handlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`)
    handlers.set(channel, handler)
  },
}

export const protocol = {
  registerSchemesAsPrivileged: (list: readonly { scheme: string }[]) => record('protocol.privileged', ...list.map(({ scheme }) => scheme)),
  handle: (scheme: string, serve: (request: Request) => Response | Promise<Response>) => schemes.set(scheme, serve),
}
const defaultSession = {
  setPermissionRequestHandler: () => undefined,
  setPermissionCheckHandler: () => undefined,
  setDevicePermissionHandler: () => undefined,
  setDisplayMediaRequestHandler: () => undefined,
}
const tabSession = { ...defaultSession, webRequest: { onBeforeRequest: () => undefined }, on: () => undefined }
export const session = { defaultSession, fromPartition: () => tabSession }
export const shell = { openExternal: async (url: string) => record('shell.openExternal', url) }
export const safeStorage = { getSelectedStorageBackend: () => 'basic_text', isAsyncEncryptionAvailable: async () => false }
export const Menu = { setApplicationMenu: (menu: unknown) => record('Menu.setApplicationMenu', menu) }
export class WebContentsView {
  constructor() {
    throw new Error('stand-in: WebContentsView is outside its frozen scope')
  }
}

class WebContents extends Preventable {
  readonly session = defaultSession
  readonly #started: Promise<void>
  readonly #isolated = new Map<number, string>()
  #sessionId = ''
  #targetId = ''
  #mainFrame = ''
  #url = ''
  #loading: string | undefined
  #opener: ((details: { url: string }) => { action: string }) | undefined

  constructor(preload: string) {
    super()
    this.#started = this.#start(preload)
    queueMicrotask(() => app.emit('web-contents-created', {}, this))
  }

  get targetId(): string {
    return this.#targetId
  }
  getURL = () => this.#url
  setWindowOpenHandler(opener: (details: { url: string }) => { action: string }): void {
    this.#opener = opener
  }
  send(channel: string, ...args: unknown[]): void {
    for (const [context, frame] of this.#isolated) if (frame === this.#mainFrame) this.#evaluate(context, { kind: 'event', channel, args })
  }
  async loadURL(url: string): Promise<void> {
    await this.#started
    this.#loading = toFake(url)
    const loaded = new Promise((resolve) => this.once('did-finish-load', resolve))
    const { errorText } = await cdp.send('Page.navigate', { url: this.#loading }, this.#sessionId)
    if (errorText) {
      this.emit('did-fail-load', {}, -102, errorText, url, true)
      throw new Error(`${errorText} loading '${url}'`)
    }
    await loaded
  }
  opened(url: string, targetId: string): void {
    const { action } = this.#opener?.({ url }) ?? { action: 'allow' }
    record('window.open', url, action)
    if (action === 'deny') void cdp.send('Target.closeTarget', { targetId }).catch(() => undefined)
  }
  close(): void {
    void cdp.send('Target.closeTarget', { targetId: this.#targetId }).catch(() => undefined)
  }

  async #start(preload: string): Promise<void> {
    await ready
    this.#targetId = (await cdp.send('Target.createTarget', { url: 'about:blank', newWindow: true, width: 1440, height: 900 })).targetId
    const { sessionId } = await cdp.send('Target.attachToTarget', { targetId: this.#targetId, flatten: true })
    this.#sessionId = sessionId
    cdp.on(sessionId, (method, params) => void this.#heard(method, params).catch((error: unknown) => record('error', String(error))))
    const key = `standin${randomBytes(8).toString('hex')}:`
    const send = (method: string, params: object = {}) => cdp.send(method, params, sessionId)
    await Promise.all([
      send('Page.enable'),
      send('Runtime.enable'),
      send('Runtime.addBinding', { name: BINDING, executionContextName: WORLD }),
      send('Page.addScriptToEvaluateOnNewDocument', { source: mainWorld(key) }),
      send('Page.addScriptToEvaluateOnNewDocument', { worldName: WORLD, source: isolatedWorld(key, readFileSync(preload, 'utf8')) }),
      send('Fetch.enable', { patterns: [{ urlPattern: 'https://*.standin.invalid/*' }, { urlPattern: '*', resourceType: 'Document' }] }),
    ])
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- the protocol's own shapes
  async #heard(method: string, params: any): Promise<void> {
    switch (method) {
      case 'Runtime.executionContextCreated':
        if (params.context.name === WORLD) this.#isolated.set(params.context.id, params.context.auxData.frameId)
        return
      case 'Runtime.executionContextsCleared':
        return this.#isolated.clear()
      case 'Runtime.bindingCalled':
        return this.#called(params.executionContextId, JSON.parse(params.payload))
      case 'Page.frameNavigated':
        if (params.frame.parentId) return
        this.#mainFrame = params.frame.id
        this.#url = toReal(params.frame.url)
        this.emit('did-navigate', {}, this.#url)
        return
      case 'Page.loadEventFired':
        this.emit('did-finish-load', {})
        this.emit('painted')
        return
      case 'Fetch.requestPaused':
        return this.#requested(params)
    }
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- the protocol's own shapes
  async #requested({ requestId, request, resourceType, frameId }: any): Promise<void> {
    const send = (method: string, params: object) => cdp.send(method, { requestId, ...params }, this.#sessionId)
    const url = toReal(request.url)
    const isTop = resourceType === 'Document' && (this.#mainFrame === '' || frameId === this.#mainFrame)
    if (isTop && request.url !== this.#loading && this.#url !== '' && this.ask('will-navigate', { url })) {
      record('will-navigate', url, 'deny')
      return send('Fetch.failRequest', { errorReason: 'Aborted' })
    }
    const serve = url === request.url ? undefined : schemes.get(new URL(url).protocol.slice(0, -1))
    if (!serve) return send('Fetch.continueRequest', {})
    const response = await serve(new Request(url))
    const responseHeaders = [...response.headers].map(([name, value]) => ({ name, value }))
    return send('Fetch.fulfillRequest', {
      responseCode: response.status,
      responseHeaders,
      body: Buffer.from(await response.arrayBuffer()).toString('base64'),
    })
  }

  async #called(context: number, message: { kind: string; id: number; channel: string; args: unknown[]; message?: string }): Promise<void> {
    if (message.kind === 'preload-error') return record('preload-error', message.message)
    const frameId = this.#isolated.get(context)
    const senderFrame = { url: this.#url, parent: frameId === this.#mainFrame ? null : {} }
    const handler = handlers.get(message.channel)
    try {
      if (!handler) throw new Error(`No handler registered for '${message.channel}'`)
      this.#evaluate(context, { kind: 'reply', id: message.id, value: await handler({ sender: this, senderFrame }, ...message.args) })
    } catch (error) {
      this.#evaluate(context, { kind: 'reply', id: message.id, error: `Error invoking remote method '${message.channel}': ${error}` })
    }
  }

  #evaluate(contextId: number, message: object): void {
    const expression = `__standinReceive(${JSON.stringify(JSON.stringify(message))})`
    void cdp.send('Runtime.evaluate', { expression, contextId }, this.#sessionId).catch(() => undefined)
  }
}

export class BrowserWindow extends Preventable {
  readonly webContents: WebContents
  readonly contentView = { addChildView: () => undefined, removeChildView: () => undefined }
  #destroyed = false

  constructor(options: { webPreferences: { preload: string; sandbox: boolean; contextIsolation: boolean; nodeIntegration: boolean } }) {
    super()
    const { sandbox, contextIsolation, nodeIntegration, preload } = options.webPreferences
    if (!sandbox || !contextIsolation || nodeIntegration) throw new Error('stand-in: only sandboxed, isolated windows without Node')
    this.webContents = new WebContents(preload)
    this.webContents.once('painted', () => this.emit('ready-to-show'))
    windows.add(this)
  }
  loadURL = (url: string) => this.webContents.loadURL(url)
  show = () => record('window.show')
  focus = () => record('window.focus')
  restore = () => undefined
  isMinimized = () => false
  isDestroyed = () => this.#destroyed
  getContentBounds = () => ({ x: 0, y: 0, width: 1440, height: 900 })
  destroy(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    windows.delete(this)
    this.webContents.close()
    this.emit('closed')
    if (windows.size === 0) app.emit('window-all-closed')
  }
}

process.on('SIGTERM', () => app.quit())
cdp = await Cdp.launch(CHROMIUM)
// A new window is known before its address: it is asked about once it has one.
const askedAbout = new Set<string>()
cdp.on('', (method, params) => {
  if (method !== 'Target.targetCreated' && method !== 'Target.targetInfoChanged') return
  const { openerId, targetId, url } = params.targetInfo
  if (!openerId || url === '' || url === 'about:blank' || askedAbout.has(targetId)) return
  for (const window of windows) {
    if (window.webContents.targetId !== openerId) continue
    askedAbout.add(targetId)
    window.webContents.opened(url, targetId)
  }
})
await cdp.send('Target.setDiscoverTargets', { discover: true })
console.log(`STANDIN-ENDPOINT ${cdp.endpoint}`)
markReady()
queueMicrotask(() => app.emit('ready', {}))
