import { existsSync } from 'node:fs'
import path from 'node:path'
import { app, BrowserWindow, ipcMain, Menu, protocol, safeStorage, session, shell, type WebContents, WebContentsView } from 'electron'
import { AWAY_SCHEME, serveAwayPage } from './away-page.ts'
import { guardApp, TAB_PARTITION, TAB_PREFERENCES } from './guards.ts'
import { NATIVE_EVENT } from './native-contract.ts'
import { serveNative } from './native-service.ts'
import { createOpenDesk, entranceOf, readArguments } from './open-desk.ts'
import { SecretBox } from './secret-box.ts'
import { ShellWindow, windowOptions } from './shell-window.ts'
import { TabRules } from './tab-rules.ts'
import { guardTabSession } from './tab-session.ts'
import { WebTabs } from './web-tabs.ts'

// Joins the parts; holds no logic of its own. The desk is served by the device; this process only shows it.

const { dataFolder, entranceFile } = readArguments(process.argv, process.env)
const beside = path.join(process.resourcesPath ?? '', 'device')
const node = path.join(beside, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
const supervisor = app.isPackaged && existsSync(node) ? { node, entry: path.join(beside, 'dist/daemon/supervisor.mjs') } : undefined

/** Every window is a display of its own, all of the same device. */
const windows = new Map<WebContents, { readonly shell: ShellWindow; readonly tabs: WebTabs }>()
const deskUrls = () => [...windows.values()].flatMap(({ shell: one }) => one.deskUrl() ?? [])
const deskUrl = () => deskUrls()[0]
const lastReason = () => [...windows.values()].at(-1)?.shell.reason() ?? ''

app.setPath('userData', path.join(dataFolder, 'electron')) // one instance per device, not per account
protocol.registerSchemesAsPrivileged([{ scheme: AWAY_SCHEME, privileges: { standard: true, secure: true } }])
const tabSession = () => session.fromPartition(TAB_PARTITION)
const rules = new TabRules(deskUrls)
guardApp(
  app,
  deskUrl,
  (contents) => windows.has(contents),
  (one) => one === tabSession(),
  shell,
)
// The desk has its own keys; a menu bar would take some of them. On a Mac there is no copy and paste without an edit menu.
Menu.setApplicationMenu(process.platform === 'darwin' ? Menu.buildFromTemplate([{ role: 'appMenu' }, { role: 'editMenu' }]) : null)

function openWindow(entrance: string | undefined): void {
  const window = new BrowserWindow(windowOptions(path.join(import.meta.dirname, 'preload.cjs')))
  const { webContents } = window
  const tabs = new WebTabs(
    window,
    () => new WebContentsView({ webPreferences: TAB_PREFERENCES }),
    rules,
    (event) => webContents.isDestroyed() || webContents.send(NATIVE_EVENT, event),
  )
  const shellWindow = new ShellWindow(window, createOpenDesk({ dataFolder, entranceFile: entrance, supervisor }))
  windows.set(webContents, { shell: shellWindow, tabs })
  // Views lie over the page: a desk that reloads (lock, hand-over) must not leave a tab of the old one in front of it.
  webContents.on('did-navigate', () => tabs.dispose())
  window.on('closed', () => {
    tabs.dispose()
    windows.delete(webContents)
  })
  void shellWindow.showDesk()
}

if (app.requestSingleInstanceLock({ entranceFile })) {
  app.on('second-instance', (_event, _argv, _folder, data) => openWindow(entranceOf(data)))
  app.on('window-all-closed', () => app.quit()) // the device and everything that runs there stay
  void app.whenReady().then(() => {
    serveAwayPage(protocol, lastReason)
    guardTabSession(tabSession(), rules, (contents) => {
      return contents ? [...windows.values()].map(({ tabs }) => tabs.viewOf(contents)).find((view) => view !== undefined) : undefined
    })
    serveNative(ipcMain, {
      tabsOf: (contents) => windows.get(contents)?.tabs,
      secrets: new SecretBox(safeStorage, process.platform),
      shell,
      electronVersion: process.versions.electron ?? 'unknown',
      deskUrl,
    })
    openWindow(entranceFile)
  })
} else {
  app.quit()
}
