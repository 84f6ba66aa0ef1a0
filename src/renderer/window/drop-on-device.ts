import type { TabId } from '../../session/session-ids.ts'
import { appDevice, appTitle } from '../../session/app-state.ts'
import { sessionNow } from '../desk/desk-store.ts'
import { useDevices } from '../desk/devices-store.ts'
import { freshApp, openApp } from './open-app.ts'
import { type Carried, setShell, useShell } from '../desk/shell-store.ts'
import { showToast } from '../ui/toast.tsx'
import { deviceOffer } from './device-offer.ts'

/** Widths of the dock as in tokens.css (--elsewhere, --elsewhere-open), which lies along the right edge. */
const CLOSED_PX = 64
const OPEN_PX = 280

/** What a drag of a tab, or of a window with that tab in front, carries. */
export function carriedOf(kind: Carried['kind'], tabId: TabId): Carried | undefined {
  const tab = sessionNow().tabs[tabId]
  return tab && { kind, tabId, app: tab.app.kind, device: appDevice(tab.app), title: appTitle(tab.app) }
}

/**
 * The device tile at a point of the page while something is carried, if any. The dock opens when the point is over it, so
 * that its tiles can say why; elsewhere it stays out of the way, and nothing is looked up.
 */
export function tileUnder(x: number, y: number): string | undefined {
  const { elsewhereOpen } = useShell.getState()
  const over = x >= innerWidth - (elsewhereOpen ? OPEN_PX : CLOSED_PX)
  if (elsewhereOpen !== over) setShell({ elsewhereOpen: over })
  if (!over) return undefined
  for (const element of document.elementsFromPoint(x, y)) {
    const device = element.closest<HTMLElement>('[data-device-tile]')?.dataset['deviceTile']
    if (device) return device
  }
  return undefined
}

/** Does what the tile offered, or says why it does not. */
export function dropOnDevice(kind: Carried['kind'], tabId: TabId, device: string): void {
  const carried = carriedOf(kind, tabId)
  const row = useDevices.getState().rows.find(({ deviceId }) => deviceId === device)
  if (!carried || !row) return
  const offer = deviceOffer(carried, row)
  if (!offer.takes) {
    showToast({ title: `${row.name} cannot take “${carried.title}”`, body: `${offer.reason[0]?.toUpperCase()}${offer.reason.slice(1)}.` })
    return
  }
  const app = carried.app === 'files' ? 'files' : 'terminal'
  openApp(app, { device, state: freshApp(app, device) })
}
