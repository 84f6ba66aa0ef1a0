import { appTitle } from './app-state.ts'
import { cascade } from './cascade.ts'
import type { ChangeDraft } from './change-draft.ts'
import { freePixels, type Place, pixelsToPlace, placeInClass, placeToPixels, SMALLEST_WINDOW } from './place.ts'
import { orderBetween } from './order.ts'
import * as key from './record-keys.ts'
import type { SessionChange } from './session-change.ts'
import type { SessionCommand } from './session-command.ts'
import { SessionError } from './session-error.ts'
import type { ActivityId, TabId, WindowId } from './session-ids.ts'
import { tabKeys, tabRecords, wholeWindowRecords, windowKeys } from './session-records.ts'
import { MAX_TABS, type SessionState, type TabState, type WindowState } from './session-state.ts'
import { type PixelRect, tileZones } from './snap-zone.ts'

export type WindowCommand = Exclude<Extract<SessionCommand, { type: `window/${string}` }>, { type: 'window/reopen' }>

/** Commands about windows (rules SE10 to SE36). A command about a window that is not open does nothing. */
export function reduceWindow(draft: ChangeDraft, command: WindowCommand): SessionChange | undefined {
  const { state } = draft
  if (command.type === 'window/open') return openWindow(draft, command)
  if (command.type === 'window/tile') return tileWindows(draft, command.activityId ?? state.currentActivity)
  const window = state.windows[command.windowId]
  if (!window) return undefined
  const { id } = window
  const at = placeInClass(window.places, draft.context.displayClass)
  switch (command.type) {
    case 'window/close':
      closeWindow(draft, id)
      return draft.finishUndoable(`Close ${titleOf(state, window)}`)
    case 'window/focus':
      raise(draft, window)
      if (window.activity !== state.currentActivity) draft.set(key.CURRENT_ACTIVITY_KEY, window.activity)
      return draft.finish()
    case 'window/move': {
      const free = freePixels(at, draft.context.desk)
      setPlace(draft, id, dropped(draft, { ...free, x: command.x, y: command.y }, at))
      return draft.finishUndoable('Move window', `move:${id}`)
    }
    case 'window/resize':
      setPlace(draft, id, dropped(draft, command.rect, at))
      return draft.finishUndoable('Resize window', `resize:${id}`)
    case 'window/minimise':
      draft.set(key.windowMinimisedKey(id), true)
      return draft.finishUndoable('Minimise window')
    case 'window/maximise':
      setPlace(draft, id, { ...at, zone: 'maximised' })
      raise(draft, window)
      return draft.finishUndoable('Maximise window')
    case 'window/restore':
      if (!window.minimised) setPlace(draft, id, { ...at, zone: 'none' })
      raise(draft, window)
      return draft.finishUndoable('Restore window')
    case 'window/snap':
      setPlace(draft, id, { ...at, zone: command.zone })
      raise(draft, window)
      return draft.finishUndoable('Snap window')
    case 'window/pin':
      draft.set(key.windowPinnedKey(id), command.pinned)
      return draft.finishUndoable(command.pinned ? 'Keep window on top' : 'Let window go behind others')
    case 'window/to-activity': {
      const target = state.activities[command.activityId]
      if (!target || target.id === window.activity) return undefined
      draft.set(key.windowActivityKey(id), target.id)
      raise(draft, window)
      return draft.finishUndoable(`Move window to ${target.name}`)
    }
  }
}

export const titleOf = (state: SessionState, window: WindowState): string => appTitle((state.tabs[window.activeTab] as TabState).app)

/** In front of every other window: one small record, or none if it is there already. */
export function raise(draft: ChangeDraft, window: WindowState): void {
  if (window.minimised) draft.set(key.windowMinimisedKey(window.id), false)
  const rivals = Object.values(draft.state.windows).filter((other) => other.id !== window.id)
  const top = topRank(draft.state)
  if (rivals.some((other) => other.rank >= window.rank)) draft.set(key.windowRankKey(window.id), top + 1)
}

export const topRank = (state: SessionState): number => Object.values(state.windows).reduce((top, { rank }) => Math.max(top, rank), 0)

export function setPlace(draft: ChangeDraft, id: WindowId, at: Place): void {
  draft.set(key.placeKey(id, draft.context.displayClass), at)
}

const dropped = (draft: ChangeDraft, rect: PixelRect, before: Place): Place =>
  pixelsToPlace(rect, draft.context.desk, { widthPx: before.minWidthPx, heightPx: before.minHeightPx })

/** Rectangles of the windows one sees in an activity on this display. */
export function visibleRects(draft: ChangeDraft, activity: ActivityId): PixelRect[] {
  const { desk, displayClass } = draft.context
  return Object.values(draft.state.windows)
    .filter((window) => window.activity === activity && !window.minimised)
    .map((window) => placeToPixels(placeInClass(window.places, displayClass), desk))
}

/** @throws SessionError `session/too-many-tabs` */
export function checkRoomForTab(state: SessionState): void {
  if (Object.keys(state.tabs).length >= MAX_TABS) throw SessionError.tooManyTabs(MAX_TABS)
}

/** The first tab's order in a new window: in the middle, with room on both sides. */
export const FIRST_ORDER = orderBetween(null, null) as string

/** Records of a new window around one tab that is written by the caller. */
export function startWindow(draft: ChangeDraft, id: WindowId, tab: TabId, activity: ActivityId, rect: PixelRect): void {
  draft.set(key.windowActivityKey(id), activity)
  draft.set(key.windowRankKey(id), topRank(draft.state) + 1)
  draft.set(key.windowActiveTabKey(id), tab)
  const { widthPx, heightPx } = SMALLEST_WINDOW
  setPlace(draft, id, pixelsToPlace(rect, draft.context.desk, { widthPx, heightPx }))
}

function openWindow(draft: ChangeDraft, command: Extract<WindowCommand, { type: 'window/open' }>): SessionChange | undefined {
  const { state, context } = draft
  checkRoomForTab(state)
  const id = draft.newId(command.id)
  const tab = draft.newId(command.tabId)
  if (state.windows[id] || state.tabs[tab]) return undefined
  const activity = command.activityId && state.activities[command.activityId] ? command.activityId : state.currentActivity
  const rect = command.rect ?? cascade(visibleRects(draft, activity), context.desk, command.size)
  startWindow(draft, id, tab, activity, rect)
  draft.setAll(tabRecords({ id: tab, window: id, order: FIRST_ORDER, pinned: false, app: command.app, activityHint: activity }))
  draft.made = id
  return draft.finishUndoable(`Open ${appTitle(command.app)}`)
}

/** Takes a window and its tabs out, to where they can be reopened. */
export function closeWindow(draft: ChangeDraft, id: WindowId): void {
  const { state } = draft
  const window = state.windows[id] as WindowState
  draft.rememberClosed({ kind: 'window', title: titleOf(state, window), records: wholeWindowRecords(state, id) })
  draft.remove(...window.tabs.flatMap(tabKeys), ...windowKeys(id))
}

/** The four windows in front get a zone each, the focused one the largest; others stay where they are, behind. */
function tileWindows(draft: ChangeDraft, activity: ActivityId): SessionChange | undefined {
  const { state, context } = draft
  const visible = state.stack.filter((id) => state.windows[id]?.activity === activity && !state.windows[id]?.minimised).reverse()
  const focused = state.focus[activity]
  if (!focused) return undefined
  const front = [focused, ...visible.filter((id) => id !== focused)].slice(0, 4)
  tileZones(front.length, context.desk).forEach((zone, i) => {
    const window = state.windows[front[i] as WindowId] as WindowState
    setPlace(draft, window.id, { ...placeInClass(window.places, context.displayClass), zone })
  })
  return draft.finishUndoable('Tile windows')
}
