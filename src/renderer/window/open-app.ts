import { type AppKind, type AppState, appState } from '../../session/app-state.ts'
import type { TabId, WindowId } from '../../session/session-ids.ts'
import { APPS } from '../apps/app-registry.ts'
import { wantedSize } from '../apps/app-size.ts'
import { dispatch, sessionNow, useDesk } from '../desk/desk-store.ts'
import { setShell } from '../desk/shell-store.ts'

/** A fresh app of a kind. `device`: where it runs or lies; kinds that are nowhere in particular leave it aside. */
export function freshApp(kind: AppKind, device: string): AppState {
  switch (kind) {
    case 'terminal':
      return appState.parse({ kind, device, terminalId: null, cwd: null })
    case 'editor':
      return appState.parse({ kind, device, path: null, textDoc: null, version: null })
    case 'files':
      return appState.parse({ kind, device, path: null })
    case 'web':
      return appState.parse({ kind, url: '' })
    default:
      return appState.parse({ kind })
  }
}

/** Opens an app in a window of its own; a single one that is open already comes to the front instead. */
export function openApp(kind: AppKind, options: { readonly device?: string; readonly state?: AppState } = {}): void {
  const session = sessionNow()
  if (APPS[kind].single) {
    const open = Object.values(session.tabs).find((tab) => tab.app.kind === kind)
    if (open) return showTab(open.id)
  }
  setShell({ compactView: 'window' })
  const { deviceId, desk } = useDesk.getState()
  const size = wantedSize(kind, desk)
  dispatch({ type: 'window/open', app: options.state ?? freshApp(kind, options.device ?? deviceId), ...(size && { size }) })
}

/** Opens a tab in a window: of the same app as the one in front there, or of `kind`. */
export function openTab(windowId: WindowId, kind?: AppKind): void {
  const session = sessionNow()
  const front = session.windows[windowId]
  const app = front && session.tabs[front.activeTab]?.app
  if (!app) return
  const like = kind ?? (APPS[app.kind].single ? 'terminal' : app.kind)
  const device = 'device' in app && app.device && !kind ? app.device : useDesk.getState().deviceId
  dispatch({ type: 'tab/open', windowId, app: freshApp(like, device) })
}

/** Brings a tab before the eyes, wherever it is. */
export function showTab(tabId: TabId): void {
  const tab = sessionNow().tabs[tabId]
  if (!tab) return
  setShell({ compactView: 'window' })
  dispatch({ type: 'tab/activate', tabId })
  dispatch({ type: 'window/focus', windowId: tab.window })
}
