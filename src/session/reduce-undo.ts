import type { ChangeDraft } from './change-draft.ts'
import * as key from './record-keys.ts'
import { tabPlace } from './record-schemas.ts'
import { equalJson, type JsonValue, type RecordValue } from './record-value.ts'
import { raise, titleOf, topRank } from './reduce-window.ts'
import type { SessionChange } from './session-change.ts'
import type { ActivityId, TabId, WindowId } from './session-ids.ts'
import { tabKeys, valueOfKey, wholeWindowRecords, windowKeys } from './session-records.ts'
import type { ClosedItem, SessionState, UndoEntry, UndoStep } from './session-state.ts'

/**
 * Takes back the newest command of which something can still be taken back (rules SE50 to SE53). Entries that no longer make sense are
 * dropped on the way.
 */
export function reduceUndo(draft: ChangeDraft): SessionChange | undefined {
  for (const entry of draft.state.undo) {
    draft.tidy(key.undoKey(entry.id))
    const steps = stepsThatMakeSense(draft.state, entry)
    if (steps.length === 0) continue
    rememberWhatVanishes(draft, steps)
    for (const [recordKey, was] of steps) {
      if (was === null) draft.remove(recordKey)
      else draft.set(recordKey, was)
    }
    return draft.finish(`Undo: ${entry.label}`)
  }
  return draft.finish()
}

/**
 * The steps to take back: only where nobody wrote since (a key still says what the command made of it), and only for things that
 * will be there afterwards.
 */
function stepsThatMakeSense(state: SessionState, entry: UndoEntry): UndoStep[] {
  const untouched = entry.steps.filter(([recordKey, , became]) => equalJson(valueOfKey(state, recordKey), became))
  const backTo = new Map(untouched.map(([recordKey, was]) => [recordKey, was]))
  const after = (recordKey: string): JsonValue =>
    backTo.has(recordKey) ? (backTo.get(recordKey) as JsonValue) : valueOfKey(state, recordKey)

  const tabs = new Set<string>(Object.keys(state.tabs))
  for (const [recordKey, was] of backTo) {
    const { prefix, id } = key.partsOfKey(recordKey)
    if (prefix !== 'tab') continue
    if (was === null) tabs.delete(id)
    else tabs.add(id)
  }
  const windows = new Set<string>()
  for (const tab of tabs) {
    const at = tabPlace.safeParse(after(key.tabPlaceKey(tab as TabId)))
    if (at.success) windows.add(at.data.window)
  }
  const made = new Set(entry.steps.filter(([, was]) => was === null).map(([recordKey]) => recordKey))
  const inhabited = (activity: string) =>
    [...windows].some((window) => after(key.windowActivityKey(window as WindowId)) === activity) || state.activityOrder.length === 1

  return untouched.filter(([recordKey, was]) => {
    const { prefix, id } = key.partsOfKey(recordKey)
    if (prefix === 'tab-place' && was !== null) return tabs.has(id) && windowWillBe(state, backTo, was)
    if (prefix.startsWith('tab')) return was === null || tabs.has(id)
    if (prefix.startsWith('window') || prefix === 'place') {
      // Others have put tabs into the window the command made: it stays, with all that makes it a window.
      if (was === null) return !(windows.has(id) && made.has(key.windowActivityKey(id as WindowId)))
      return windows.has(id)
    }
    if (prefix.startsWith('activity')) {
      if (was === null) return !inhabited(id)
      return prefix === 'activity' || after(key.activityKey(id as ActivityId)) !== null
    }
    return true
  })
}

/** Whether the window a tab goes back to is still open, or comes back by the same undo. */
function windowWillBe(state: SessionState, backTo: ReadonlyMap<string, JsonValue>, place: JsonValue): boolean {
  const at = tabPlace.safeParse(place)
  if (!at.success) return false
  const window = at.data.window as WindowId
  return state.windows[window] !== undefined || (backTo.get(key.windowActivityKey(window)) ?? null) !== null
}

/** Undoing "open" closes a window that may have been used since: it can be reopened like any other. */
function rememberWhatVanishes(draft: ChangeDraft, steps: readonly UndoStep[]): void {
  const { state } = draft
  const going = new Set(steps.filter(([recordKey, was]) => recordKey.startsWith('tab:') && was === null).map(([recordKey]) => recordKey))
  for (const window of Object.values(state.windows)) {
    if (!window.tabs.every((tab) => going.has(key.tabKey(tab)))) continue
    draft.rememberClosed({ kind: 'window', title: titleOf(state, window), records: wholeWindowRecords(state, window.id) })
    draft.remove(...window.tabs.flatMap(tabKeys), ...windowKeys(window.id))
  }
}

/** Brings back what was closed (rule SE16). What is open again already is left as it is. */
export function reduceReopen(draft: ChangeDraft, closedId: string | undefined): SessionChange | undefined {
  const { state } = draft
  const item = closedId === undefined ? state.closed[0] : state.closed.find((candidate) => candidate.id === closedId)
  if (!item) return undefined
  draft.remove(key.closedKey(item.id))
  const records = new Map(item.records)
  const tabs = [...records.keys()].filter((recordKey) => recordKey.startsWith('tab:')).map((recordKey) => recordKey.slice(4) as TabId)
  const missing = tabs.filter((tab) => !state.tabs[tab])
  const window = windowOfItem(item)
  if (missing.length === 0 || window === undefined) return draft.finish()
  for (const tab of missing) {
    for (const recordKey of tabKeys(tab)) {
      const value = records.get(recordKey)
      if (value !== undefined) draft.set(recordKey, value)
    }
  }
  const open = state.windows[window]
  if (open) {
    draft.set(key.windowActiveTabKey(window), missing[0] as TabId)
    raise(draft, open)
  } else bringBackWindow(draft, window, missing[0] as TabId, records)
  draft.made = window
  return draft.finishUndoable(`Reopen ${item.title}`)
}

function bringBackWindow(draft: ChangeDraft, window: WindowId, tab: TabId, records: ReadonlyMap<string, RecordValue>): void {
  const { state } = draft
  for (const recordKey of windowKeys(window)) {
    const value = records.get(recordKey)
    if (value !== undefined) draft.set(recordKey, value)
  }
  const activity = records.get(key.windowActivityKey(window)) as ActivityId | undefined
  const home = activity && state.activities[activity] ? activity : state.currentActivity
  draft.set(key.windowActivityKey(window), home)
  draft.set(key.windowMinimisedKey(window), false)
  draft.set(key.windowRankKey(window), topRank(state) + 1)
  if (!records.has(key.windowActiveTabKey(window))) draft.set(key.windowActiveTabKey(window), tab)
  if (home !== state.currentActivity) draft.set(key.CURRENT_ACTIVITY_KEY, home)
}

/** The window a closed item was, or was in. */
function windowOfItem(item: ClosedItem): WindowId | undefined {
  for (const [recordKey, value] of item.records) {
    if (!recordKey.startsWith('tab-place:')) continue
    const at = tabPlace.safeParse(value)
    if (at.success) return at.data.window as WindowId
  }
  return undefined
}
