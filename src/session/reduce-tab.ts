import { appTitle } from './app-state.ts'
import type { ChangeDraft } from './change-draft.ts'
import { orderBetween, ordersFor } from './order.ts'
import { freePixels, placeInClass } from './place.ts'
import * as key from './record-keys.ts'
import type { RecordValue } from './record-value.ts'
import { checkRoomForTab, closeWindow, FIRST_ORDER, raise, reduceWindow, startWindow } from './reduce-window.ts'
import type { SessionChange } from './session-change.ts'
import type { SessionCommand } from './session-command.ts'
import type { TabId } from './session-ids.ts'
import { tabKeys, tabRecords, windowKeys } from './session-records.ts'
import type { TabState, WindowState } from './session-state.ts'

export type TabCommand = Extract<SessionCommand, { type: `tab/${string}` }>

/** A window torn off without a wish where to: this far from the one it came from, px. */
const TEAR_OFF_STEP_PX = 32

/** Commands about tabs (rules SE10 to SE12, SE22). */
export function reduceTab(draft: ChangeDraft, command: TabCommand): SessionChange | undefined {
  if (command.type === 'tab/open') return openTab(draft, command)
  const tab = draft.state.tabs[command.tabId]
  if (!tab) return undefined
  const window = draft.state.windows[tab.window] as WindowState
  switch (command.type) {
    case 'tab/close':
      return closeTab(draft, tab, window)
    case 'tab/activate':
      draft.set(key.windowActiveTabKey(window.id), tab.id)
      return draft.finish()
    case 'tab/move':
      return moveTab(draft, tab, window, command)
    case 'tab/tear-off':
      return tearOff(draft, tab, window, command)
    case 'tab/pin':
      draft.set(key.tabPinnedKey(tab.id), command.pinned)
      return draft.finishUndoable(command.pinned ? 'Pin tab' : 'Unpin tab')
    case 'tab/set-state':
      if (command.app.kind !== tab.app.kind) return undefined
      draft.set(key.tabStateKey(tab.id), command.app as RecordValue)
      return draft.finish()
  }
}

/**
 * An order that puts a tab before the `index`-th of `others`; writes all orders of the window anew if there is no room.
 */
function orderAt(draft: ChangeDraft, others: readonly TabId[], index: number, hint: WindowState): string {
  const orderOf = (id: TabId | undefined) => (id === undefined ? null : (draft.state.tabs[id]?.order ?? null))
  const order = orderBetween(orderOf(others[index - 1]), orderOf(others[index]))
  if (order !== undefined) return order
  const orders = ordersFor(others.length + 1)
  others.forEach((id, i) => {
    const place = { window: hint.id, order: orders[i < index ? i : i + 1] as string, activity: hint.activity }
    draft.set(key.tabPlaceKey(id), place)
  })
  return orders[index] as string
}

function openTab(draft: ChangeDraft, command: Extract<TabCommand, { type: 'tab/open' }>): SessionChange | undefined {
  const { state } = draft
  const window = state.windows[command.windowId]
  if (!window) return undefined
  checkRoomForTab(state)
  const id = draft.newId(command.id)
  if (state.tabs[id]) return undefined
  // Beside the tab it was opened from, but never among the pinned ones.
  const pinned = window.tabs.filter((tab) => state.tabs[tab]?.pinned).length
  const index = Math.max(pinned, window.tabs.indexOf(window.activeTab) + 1)
  const order = orderAt(draft, window.tabs, index, window)
  const tab = { id, window: window.id, order, pinned: false, app: command.app, activityHint: window.activity }
  draft.setAll(tabRecords(tab))
  if (!command.background) draft.set(key.windowActiveTabKey(window.id), id)
  draft.made = id
  return draft.finishUndoable(`Open ${appTitle(command.app)}`)
}

/** The neighbour that shows when `tab` leaves its window: the one to the right, else to the left. */
function neighbour(window: WindowState, tab: TabId): TabId | undefined {
  const index = window.tabs.indexOf(tab)
  return window.tabs[index + 1] ?? window.tabs[index - 1]
}

function closeTab(draft: ChangeDraft, tab: TabState, window: WindowState): SessionChange | undefined {
  const title = appTitle(tab.app)
  if (window.tabs.length === 1) closeWindow(draft, window.id)
  else {
    draft.rememberClosed({ kind: 'tab', title, records: tabRecords(tab) })
    draft.remove(...tabKeys(tab.id))
    if (window.activeTab === tab.id) draft.set(key.windowActiveTabKey(window.id), neighbour(window, tab.id) as TabId)
  }
  return draft.finishUndoable(`Close ${title}`)
}

/** Writes what leaving does to the window left behind: another tab shows, or it is gone. */
function leave(draft: ChangeDraft, tab: TabState, window: WindowState): void {
  const next = neighbour(window, tab.id)
  if (next === undefined) draft.remove(...windowKeys(window.id))
  else if (window.activeTab === tab.id) draft.set(key.windowActiveTabKey(window.id), next)
}

function moveTab(
  draft: ChangeDraft,
  tab: TabState,
  from: WindowState,
  command: Extract<TabCommand, { type: 'tab/move' }>,
): SessionChange | undefined {
  const to = draft.state.windows[command.windowId]
  if (!to) return undefined
  const others = to.tabs.filter((id) => id !== tab.id)
  const found = command.before === null ? -1 : others.indexOf(command.before)
  const index = found < 0 ? others.length : found
  if (to.id === from.id && to.tabs.indexOf(tab.id) === index) return undefined
  const order = orderAt(draft, others, index, to)
  draft.set(key.tabPlaceKey(tab.id), { window: to.id, order, activity: to.activity })
  if (to.id !== from.id) {
    leave(draft, tab, from)
    draft.set(key.windowActiveTabKey(to.id), tab.id)
    raise(draft, to)
  }
  return draft.finishUndoable('Move tab')
}

function tearOff(
  draft: ChangeDraft,
  tab: TabState,
  from: WindowState,
  command: Extract<TabCommand, { type: 'tab/tear-off' }>,
): SessionChange | undefined {
  const { state, context } = draft
  if (from.tabs.length === 1) {
    return command.at ? reduceWindow(draft, { type: 'window/move', windowId: from.id, ...command.at }) : undefined
  }
  const id = draft.newId(command.id)
  if (state.windows[id]) return undefined
  const free = freePixels(placeInClass(from.places, context.displayClass), context.desk)
  const at = command.at ?? { x: free.x + TEAR_OFF_STEP_PX, y: free.y + TEAR_OFF_STEP_PX }
  startWindow(draft, id, tab.id, from.activity, { ...free, ...at })
  draft.set(key.tabPlaceKey(tab.id), { window: id, order: FIRST_ORDER, activity: from.activity })
  leave(draft, tab, from)
  draft.made = id
  return draft.finishUndoable('Move tab to a window of its own')
}
