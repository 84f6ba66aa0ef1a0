import { placeInClass } from '../../session/place.ts'
import type { WindowId } from '../../session/session-ids.ts'
import { type SnapDirection, snapByKey } from '../../session/snap-zone.ts'
import { errorWords } from '../ui/error-words.ts'
import { dispatch, sessionNow, useDesk } from '../desk/desk-store.ts'
import { useDoor } from '../desk/door-store.ts'
import { openMenu } from '../ui/menu.tsx'
import { showToast } from '../ui/toast.tsx'
import { frameElement } from '../window/frame-elements.ts'
import { focusedWindow, shownWindows } from '../window/use-places.ts'
import { windowMenu } from '../window/window-menus.tsx'
import { createActivity } from './activities.ts'
import { closeTab, closeWindow, reopen } from '../window/closing.ts'
import { type CommandId, PLACING } from '../desk/desk-commands.ts'
import { openApp, openTab } from '../window/open-app.ts'
import { clearPlan, useRunPlan } from '../desk/run-plan-store.ts'
import { setShell, useShell } from '../desk/shell-store.ts'

/** Does a command of the desk. One that does not make sense now does nothing, or says why where a person would wonder. */
export function runCommand(id: CommandId): void {
  const { compact } = useShell.getState()
  if (compact && PLACING.has(id)) return
  const session = sessionNow()
  const windowId = focusedWindow(session)
  const window = windowId && session.windows[windowId]
  switch (id) {
    case 'palette':
      return setShell({ palette: !useShell.getState().palette })
    case 'switch-window':
      return startSwitching()
    case 'new-tab':
      return windowId ? openTab(windowId) : openApp('terminal')
    case 'new-window': {
      const tab = window && session.tabs[window.activeTab]
      return openApp(tab && tab.app.kind !== 'welcome' ? tab.app.kind : 'terminal')
    }
    case 'close-tab':
      return window && closeTab(window.activeTab)
    case 'close-window':
      return windowId && closeWindow(windowId)
    case 'reopen':
      return reopen()
    case 'minimise':
      return void (windowId && dispatch({ type: 'window/minimise', windowId }))
    case 'maximise':
      return void (
        window && dispatch({ type: zoneOf(window.id) === 'maximised' ? 'window/restore' : 'window/maximise', windowId: window.id })
      )
    case 'move-window':
      return windowId && setShell({ keyboardMode: { windowId, kind: 'move' } })
    case 'resize-window':
      return windowId && setShell({ keyboardMode: { windowId, kind: 'resize' } })
    case 'snap-left':
      return snap('left')
    case 'snap-right':
      return snap('right')
    case 'snap-up':
      return snap('up')
    case 'snap-down':
      return snap('down')
    case 'window-menu': {
      const element = windowId && frameElement(windowId)?.querySelector<HTMLElement>('.title-bar')
      return element ? openMenu(element, 'Window', windowMenu(windowId)) : undefined
    }
    case 'next-tab':
      return stepTab(1)
    case 'previous-tab':
      return stepTab(-1)
    case 'tear-off':
      return void (window && window.tabs.length > 1 && dispatch({ type: 'tab/tear-off', tabId: window.activeTab }))
    case 'elsewhere':
      if (useRunPlan.getState().line === '') clearPlan() // a folder chosen for an earlier command is not this one's
      setShell({ elsewhereOpen: true, compactView: 'elsewhere' })
      return focusSoon('.run-command input')
    case 'focus-elsewhere':
      setShell({ elsewhereOpen: true, compactView: 'elsewhere' })
      return focusSoon('[data-device-tile] button')
    case 'focus-dock':
      setShell({ compactView: 'apps' })
      return focusSoon(compact ? '.app-grid button' : '.dock button')
    case 'undo': {
      const label = session.undo[0]?.label
      dispatch({ type: 'undo' })
      return void (label && showToast({ title: `Undone: ${label}` }))
    }
    case 'next-activity':
      return stepActivity(1)
    case 'previous-activity':
      return stepActivity(-1)
    case 'new-activity':
      return createActivity()
    case 'notifications':
      return setShell({ notificationsOpen: !useShell.getState().notificationsOpen })
    case 'lock':
      return void lockDisplay()
    case 'theme': {
      const dark = document.documentElement.dataset['theme'] === 'dark'
      return void dispatch({ type: 'preferences/set', values: { theme: dark ? 'light' : 'dark' } })
    }
    default: {
      const tabId = window?.tabs[Number(id.slice('tab-'.length)) - 1]
      return void (tabId && dispatch({ type: 'tab/activate', tabId }))
    }
  }
}

const zoneOf = (windowId: WindowId) => {
  const { session, displayClass } = useDesk.getState()
  const window = session?.windows[windowId]
  return window ? placeInClass(window.places, displayClass).zone : 'none'
}

function snap(direction: SnapDirection): void {
  const windowId = focusedWindow(sessionNow())
  if (!windowId) return
  const from = zoneOf(windowId)
  const zone = snapByKey(from, direction)
  if (zone === from && direction === 'down') dispatch({ type: 'window/minimise', windowId })
  else dispatch({ type: 'window/snap', windowId, zone })
}

function stepTab(step: number): void {
  const session = sessionNow()
  const windowId = focusedWindow(session)
  const window = windowId && session.windows[windowId]
  if (!window) return
  const tabId = window.tabs[(window.tabs.indexOf(window.activeTab) + step + window.tabs.length) % window.tabs.length]
  if (tabId) dispatch({ type: 'tab/activate', tabId })
}

function stepActivity(step: number): void {
  const { activityOrder, currentActivity } = sessionNow()
  const to = activityOrder[(activityOrder.indexOf(currentActivity) + step + activityOrder.length) % activityOrder.length]
  if (to) dispatch({ type: 'activity/switch', activityId: to })
}

/** Opens the switcher on the window before this one; further presses go on, letting go of the modifier chooses. */
function startSwitching(): void {
  const { switcher } = useShell.getState()
  if (switcher) return setShell({ switcher: { ...switcher, at: (switcher.at + 1) % switcher.order.length } })
  const session = sessionNow()
  const shown = shownWindows(session).reverse()
  const minimised = session.stack.filter(
    (id) => session.windows[id]?.activity === session.currentActivity && session.windows[id]?.minimised,
  )
  const order = [...shown, ...minimised.reverse()]
  if (order.length > 0) setShell({ switcher: { order, at: Math.min(1, order.length - 1) } })
}

/** Chooses what the switcher points at. */
export function finishSwitching(commit: boolean): void {
  const { switcher } = useShell.getState()
  setShell({ switcher: undefined })
  const windowId = switcher?.order[switcher.at]
  if (!commit || !windowId) return
  if (sessionNow().windows[windowId]?.minimised) dispatch({ type: 'window/restore', windowId })
  dispatch({ type: 'window/focus', windowId })
}

/** Locks this display: the page is loaded anew, so that nothing of the desk stays in its memory. */
export async function lockDisplay(): Promise<void> {
  const { client } = useDoor.getState()
  if (!client && useDesk.getState().unsent) {
    showToast({
      title: 'The device process is not answering',
      body: 'Locking now would lose what only this window has. It locks by itself when the device is back.',
      severity: 'error',
      action: { label: 'Lock anyway', onSelect: () => location.reload() },
    })
    return
  }
  try {
    await client?.lockDisplay({})
    location.reload()
  } catch (error) {
    showToast({ title: 'This display could not be locked', body: errorWords(error), severity: 'error' })
  }
}

const focusSoon = (selector: string): void => {
  requestAnimationFrame(() => document.querySelector<HTMLElement>(selector)?.focus())
}
