import { appTitle } from '../../session/app-state.ts'
import { placeInClass } from '../../session/place.ts'
import type { TabId, WindowId } from '../../session/session-ids.ts'
import type { SnapZone } from '../../session/snap-zone.ts'
import { dispatch, sessionNow, useDesk } from '../desk/desk-store.ts'
import { useDevices } from '../desk/devices-store.ts'
import { deviceOffer } from './device-offer.ts'
import { carriedOf, dropOnDevice } from './drop-on-device.ts'
import { closeTab, closeWindow } from './closing.ts'
import { keysOf } from '../desk/keymap-store.ts'
import { openTab } from './open-app.ts'
import { setShell, useShell } from '../desk/shell-store.ts'
import type { MenuEntry } from '../ui/menu.tsx'

const ZONES: readonly (readonly [SnapZone, string])[] = [
  ['left', 'Left half'],
  ['right', 'Right half'],
  ['top', 'Top half'],
  ['bottom', 'Bottom half'],
  ['top-left', 'Top left quarter'],
  ['top-right', 'Top right quarter'],
  ['bottom-left', 'Bottom left quarter'],
  ['bottom-right', 'Bottom right quarter'],
]

/** Everything that can be done with a window: each drag has its entry here. Where one window fills a small screen it has no place to change. */
export function windowMenu(windowId: WindowId): readonly MenuEntry[] {
  const { session, displayClass } = useDesk.getState()
  const window = session?.windows[windowId]
  if (!session || !window) return []
  const { zone } = placeInClass(window.places, displayClass)
  const others = session.activityOrder.filter((id) => id !== window.activity)
  const { compact } = useShell.getState()
  const minimise = { label: 'Minimise', shortcut: keysOf('minimise'), onSelect: () => dispatch({ type: 'window/minimise', windowId }) }
  const placing: readonly MenuEntry[] = [
    window.minimised || zone !== 'none'
      ? { label: 'Restore', onSelect: () => dispatch({ type: 'window/restore', windowId }) }
      : { label: 'Maximise', shortcut: keysOf('maximise'), onSelect: () => dispatch({ type: 'window/maximise', windowId }) },
    minimise,
    { label: 'Move', shortcut: keysOf('move-window'), onSelect: () => setShell({ keyboardMode: { windowId, kind: 'move' } }) },
    { label: 'Resize', shortcut: keysOf('resize-window'), onSelect: () => setShell({ keyboardMode: { windowId, kind: 'resize' } }) },
    {
      label: 'Snap to',
      entries: ZONES.map(([to, label]) => ({
        label,
        checked: zone === to,
        onSelect: () => dispatch({ type: 'window/snap', windowId, zone: to }),
      })),
    },
    'separator',
  ]
  return [
    ...(compact ? [minimise, 'separator' as const] : placing),
    {
      label: 'Keep on top',
      checked: window.pinned,
      onSelect: () => dispatch({ type: 'window/pin', windowId, pinned: !window.pinned }),
    },
    others.length > 0 && {
      label: 'Move to activity',
      entries: others.map((activityId) => ({
        label: session.activities[activityId]?.name ?? '',
        onSelect: () => dispatch({ type: 'window/to-activity', windowId, activityId }),
      })),
    },
    elsewhereEntry(window.activeTab),
    'separator',
    { label: 'New tab', shortcut: keysOf('new-tab'), onSelect: () => openTab(windowId) },
    { label: 'Close window', shortcut: keysOf('close-window'), danger: true, onSelect: () => closeWindow(windowId) },
  ]
}

/** Everything that can be done with a tab. */
export function tabMenu(tabId: TabId): readonly MenuEntry[] {
  const session = sessionNow()
  const tab = session.tabs[tabId]
  const window = tab && session.windows[tab.window]
  if (!tab || !window) return []
  const at = window.tabs.indexOf(tabId)
  const [left, afterRight] = [window.tabs[at - 1], window.tabs[at + 2]]
  const others = session.stack.filter((id) => id !== window.id && session.windows[id]?.activity === window.activity)
  return [
    { label: 'New tab', shortcut: keysOf('new-tab'), onSelect: () => openTab(window.id) },
    'separator',
    left && { label: 'Move left', onSelect: () => dispatch({ type: 'tab/move', tabId, windowId: window.id, before: left }) },
    at < window.tabs.length - 1 && {
      label: 'Move right',
      onSelect: () => dispatch({ type: 'tab/move', tabId, windowId: window.id, before: afterRight ?? null }),
    },
    window.tabs.length > 1 && {
      label: 'Move to a window of its own',
      shortcut: keysOf('tear-off'),
      onSelect: () => dispatch({ type: 'tab/tear-off', tabId }),
    },
    others.length > 0 && {
      label: 'Move to window',
      entries: others
        .toReversed()
        .slice(0, 20)
        .map((id) => ({
          label: windowTitle(id),
          onSelect: () => dispatch({ type: 'tab/move', tabId, windowId: id, before: null }),
        })),
    },
    elsewhereEntry(tabId),
    { label: 'Keep this tab', checked: tab.pinned, onSelect: () => dispatch({ type: 'tab/pin', tabId, pinned: !tab.pinned }) },
    'separator',
    window.tabs.length > 1 && {
      label: 'Close other tabs',
      onSelect: () => {
        for (const id of window.tabs) if (id !== tabId && !session.tabs[id]?.pinned) dispatch({ type: 'tab/close', tabId: id })
      },
    },
    { label: 'Close tab', shortcut: keysOf('close-tab'), danger: true, onSelect: () => closeTab(tabId) },
  ]
}

/** "Open elsewhere": the same offers as the tiles make while dragging, with their reasons. */
export function elsewhereEntry(tabId: TabId): MenuEntry {
  const carried = carriedOf('tab', tabId)
  const devices = useDevices.getState().rows.filter((row) => row.deviceId !== carried?.device)
  if (!carried || devices.length === 0) return undefined
  return {
    label: carried.job ? 'Move the job to (starts anew there)' : 'Open elsewhere',
    entries: devices.map((row) => {
      const offer = deviceOffer(carried, row)
      return {
        label: row.name,
        disabledBecause: offer.takes ? undefined : offer.reason,
        onSelect: () => dropOnDevice('tab', tabId, row.deviceId),
      }
    }),
  }
}

/** What a window is called: its front tab, and how many more there are. */
export function windowTitle(windowId: WindowId): string {
  const session = sessionNow()
  const window = session.windows[windowId]
  const tab = window && session.tabs[window.activeTab]
  if (!window || !tab) return ''
  return window.tabs.length > 1 ? `${appTitle(tab.app)} +${window.tabs.length - 1}` : appTitle(tab.app)
}
