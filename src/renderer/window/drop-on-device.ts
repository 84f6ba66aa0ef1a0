import type { TabId } from '../../session/session-ids.ts'
import { appDevice, appTitle } from '../../session/app-state.ts'
import { sessionNow } from '../desk/desk-store.ts'
import { moveJob } from '../apps/jobs/job-actions.ts'
import { useDevices } from '../desk/devices-store.ts'
import { isOver, useJobs } from '../desk/jobs-store.ts'
import { freshApp, openApp } from './open-app.ts'
import { type CarriedTab, setShell, useShell } from '../desk/shell-store.ts'
import { showToast } from '../ui/toast.tsx'
import { deviceOffer } from './device-offer.ts'

/** Widths of the dock as in tokens.css (--elsewhere, --elsewhere-open), which lies along the right edge. */
export const CLOSED_PX = 64
const OPEN_PX = 280

/** What a drag of a tab, or of a window with that tab in front, carries. */
export function carriedOf(kind: CarriedTab['kind'], tabId: TabId): CarriedTab | undefined {
  const tab = sessionNow().tabs[tabId]
  if (!tab) return undefined
  const { app } = tab
  const job = app.kind === 'jobs' ? useJobs.getState().jobs.find((info) => info.job === app.job && !isOver(info)) : undefined
  return { kind, tabId, app: app.kind, device: job?.device ?? appDevice(app), title: appTitle(app), ...(job && { job }) }
}

/**
 * The device tile at a point of the page while something is carried, if any. The dock has grown, but covers nothing: its
 * own narrow column takes what is carried in; from then on all of its width does, until the point leaves it. Before that
 * what lies below the grown part (tab strips, edges to snap to) takes the drop, and the dock turns faint over it.
 */
export function tileUnder(x: number, y: number): string | undefined {
  const { elsewhereOpen, carriedPast } = useShell.getState()
  const fromRight = innerWidth - x
  const inside = fromRight <= (elsewhereOpen ? OPEN_PX : CLOSED_PX)
  const tile = fromRight <= OPEN_PX ? tileAt(x, y) : undefined
  const past = !inside && tile !== undefined
  if (elsewhereOpen !== inside || carriedPast !== past) setShell({ elsewhereOpen: inside, carriedPast: past })
  return inside ? tile : undefined
}

/** By place, not by what the pointer meets: while something is carried the dock lets the pointer through. */
function tileAt(x: number, y: number): string | undefined {
  for (const element of document.querySelectorAll<HTMLElement>('[data-device-tile]')) {
    const { left, right, top, bottom } = element.getBoundingClientRect()
    if (x >= left && x <= right && y >= top && y <= bottom) return element.dataset['deviceTile']
  }
  return undefined
}

/** What was carried is let go of. */
export const dropCarried = (): void => setShell({ carried: undefined, elsewhereOpen: false, carriedPast: false })

/** Does what the tile offered, or says why it does not. */
export function dropOnDevice(kind: CarriedTab['kind'], tabId: TabId, device: string): void {
  const carried = carriedOf(kind, tabId)
  const row = useDevices.getState().rows.find(({ deviceId }) => deviceId === device)
  if (!carried || !row) return
  const offer = deviceOffer(carried, row)
  if (!offer.takes) {
    showToast({ title: `${row.name} cannot take “${carried.title}”`, body: `${offer.reason[0]?.toUpperCase()}${offer.reason.slice(1)}.` })
    return
  }
  if (carried.job) return void moveJob(carried.job, row)
  const app = carried.app === 'files' ? 'files' : 'terminal'
  openApp(app, { device, state: freshApp(app, device) })
}
