import { appTitle } from '../../session/app-state.ts'
import type { TabId, WindowId } from '../../session/session-ids.ts'
import { dispatch, sessionNow } from '../desk/desk-store.ts'
import { showToast } from '../ui/toast.tsx'

/** Closes at once and offers the way back: no question beforehand. */
export function closeTab(tabId: TabId): void {
  const session = sessionNow()
  const tab = session.tabs[tabId]
  if (!tab) return
  const last = session.windows[tab.window]?.tabs.length === 1
  dispatch({ type: 'tab/close', tabId })
  offerReopen(last ? 'window' : 'tab', appTitle(tab.app), tab.app.kind)
}

export function closeWindow(windowId: WindowId): void {
  const session = sessionNow()
  const window = session.windows[windowId]
  const tab = window && session.tabs[window.activeTab]
  if (!window || !tab) return
  dispatch({ type: 'window/close', windowId })
  const more = window.tabs.length - 1
  offerReopen('window', more > 0 ? `${appTitle(tab.app)} and ${more} more` : appTitle(tab.app), tab.app.kind)
}

/** Brings back what was closed last, or this item. */
export const reopen = (closedId?: string): void => {
  dispatch(closedId === undefined ? { type: 'window/reopen' } : { type: 'window/reopen', closedId })
}

function offerReopen(kind: 'window' | 'tab', title: string, app: string): void {
  const item = sessionNow().closed[0]
  if (!item) return
  showToast({
    title: `Closed “${title}”`,
    ...(app === 'terminal' && kind === 'window' ? { body: 'Its program goes on running on its device.' } : {}),
    action: { label: 'Undo', onSelect: () => reopen(item.id) },
  })
}
