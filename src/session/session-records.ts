import { DISPLAY_CLASSES } from './display-class.ts'
import { DEFAULT_PREFERENCES } from './preferences.ts'
import * as key from './record-keys.ts'
import type { JsonValue, RecordValue } from './record-value.ts'
import type { ActivityId, TabId, WindowId } from './session-ids.ts'
import type { ActivityState, ClosedItem, SessionState, TabState, WindowState } from './session-state.ts'

export type KeyedRecord = readonly [key: string, value: RecordValue]

/* The way back from a state to the records it was read from. `fold(recordsOf(state))` equals `state` (rule SE5). */

/** Value of a record whose key alone matters. */
export const EXISTS = true

export function activityRecords({ id, name, hue, order }: ActivityState): KeyedRecord[] {
  return [
    [key.activityKey(id), EXISTS],
    [key.activityNameKey(id), name],
    [key.activityHueKey(id), hue],
    [key.activityOrderKey(id), order],
  ]
}

/** Without its tabs. Flags at their usual value have no record. */
export function windowRecords(window: WindowState): KeyedRecord[] {
  const records: KeyedRecord[] = [
    [key.windowActivityKey(window.id), window.activity],
    [key.windowRankKey(window.id), window.rank],
    [key.windowActiveTabKey(window.id), window.activeTab],
  ]
  if (window.minimised) records.push([key.windowMinimisedKey(window.id), true])
  if (window.pinned) records.push([key.windowPinnedKey(window.id), true])
  for (const displayClass of DISPLAY_CLASSES) {
    const at = window.places[displayClass]
    if (at) records.push([key.placeKey(window.id, displayClass), at])
  }
  return records
}

export function tabRecords({ id, window, order, pinned, app, activityHint }: TabState): KeyedRecord[] {
  const records: KeyedRecord[] = [
    [key.tabKey(id), EXISTS],
    [key.tabPlaceKey(id), { window, order, activity: activityHint }],
    [key.tabStateKey(id), app as RecordValue],
  ]
  if (pinned) records.push([key.tabPinnedKey(id), true])
  return records
}

/** Every key that may hang on a window, whether there is a record or not: what closing it removes. */
export const windowKeys = (id: WindowId): string[] => [
  key.windowActivityKey(id),
  key.windowRankKey(id),
  key.windowMinimisedKey(id),
  key.windowPinnedKey(id),
  key.windowActiveTabKey(id),
  ...DISPLAY_CLASSES.map((displayClass) => key.placeKey(id, displayClass)),
]

export const tabKeys = (id: TabId): string[] => [key.tabKey(id), key.tabPlaceKey(id), key.tabStateKey(id), key.tabPinnedKey(id)]

export const activityKeys = (id: ActivityId): string[] => [
  key.activityKey(id),
  key.activityNameKey(id),
  key.activityHueKey(id),
  key.activityOrderKey(id),
]

/** A window with everything in it. */
export function wholeWindowRecords(state: SessionState, id: WindowId): KeyedRecord[] {
  const window = state.windows[id]
  if (!window) return []
  return [...windowRecords(window), ...window.tabs.flatMap((tab) => tabRecords(state.tabs[tab] as TabState))]
}

const closedRecord = ({ id, ...item }: ClosedItem): KeyedRecord => [key.closedKey(id), item as unknown as RecordValue]

const singleRecords = (state: SessionState): KeyedRecord[] => [
  [key.SCHEMA_KEY, state.schema],
  [key.CURRENT_ACTIVITY_KEY, state.currentActivity],
  [key.READ_UP_TO_KEY, state.notifications.readUpToMs],
]

const preferenceRecords = ({ preferences }: SessionState): KeyedRecord[] =>
  Object.entries(preferences)
    .filter(([name, value]) => value !== DEFAULT_PREFERENCES[name as keyof typeof preferences])
    .map(([name, value]) => [key.preferenceKey(name), value])

const keybindingRecords = ({ keybindings }: SessionState): KeyedRecord[] =>
  Object.entries(keybindings).map(([command, chosen]) => [key.keybindingKey(command), chosen])

const readRecords = ({ notifications }: SessionState): KeyedRecord[] =>
  Object.entries(notifications.read).map(([id, atMs]) => [key.readKey(id), atMs])

/** Every record a state stands for. */
export function recordsOf(state: SessionState): Map<string, RecordValue> {
  return new Map<string, RecordValue>([
    ...singleRecords(state),
    ...Object.values(state.activities).flatMap(activityRecords),
    ...Object.values(state.windows).flatMap(windowRecords),
    ...Object.values(state.tabs).flatMap(tabRecords),
    ...state.closed.map(closedRecord),
    ...state.undo.map(({ id, ...entry }): KeyedRecord => [key.undoKey(id), entry as unknown as RecordValue]),
    ...preferenceRecords(state),
    ...keybindingRecords(state),
    ...readRecords(state),
  ])
}

/** What a state says of one key: null = no record, or only what goes without saying. Enough to compare before undoing. */
export function valueOfKey(state: SessionState, recordKey: string): JsonValue {
  const { prefix, id } = key.partsOfKey(recordKey)
  const records = (): KeyedRecord[] => {
    const activity = state.activities[id as ActivityId]
    const window = state.windows[id as WindowId]
    const tab = state.tabs[id as TabId]
    if (prefix.startsWith('activity') && activity) return activityRecords(activity)
    if ((prefix.startsWith('window') || prefix === 'place') && window) return windowRecords(window)
    if (prefix.startsWith('tab') && tab) return tabRecords(tab)
    if (prefix === 'preference') return preferenceRecords(state)
    if (prefix === 'keys') return keybindingRecords(state)
    if (prefix === 'read') return readRecords(state)
    if (id === '') return singleRecords(state)
    const closed = state.closed.find((item) => item.id === id)
    if (prefix === 'closed' && closed) return [closedRecord(closed)]
    return []
  }
  return records().find(([candidate]) => candidate === recordKey)?.[1] ?? null
}
