import type { AppState } from './app-state.ts'
import type { Places } from './place.ts'
import type { Preferences } from './preferences.ts'
import type { JsonValue, RecordValue } from './record-value.ts'
import type { ActivityId, TabId, WindowId } from './session-ids.ts'

/** One of the eight accent hues of the look, by number. */
export type Hue = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7

export interface ActivityState {
  readonly id: ActivityId
  readonly name: string
  readonly hue: Hue
  /** Sorts activities (see order.ts); equal orders fall back to the id. */
  readonly order: string
}

export interface WindowState {
  readonly id: WindowId
  readonly activity: ActivityId
  /** Higher is nearer to the eye. Unique once ties are broken by id. */
  readonly rank: number
  readonly minimised: boolean
  /** Stays above windows that are not pinned. */
  readonly pinned: boolean
  readonly places: Places
  /** In order from the left, pinned ones first; never empty. */
  readonly tabs: readonly TabId[]
  /** One of `tabs`. */
  readonly activeTab: TabId
}

export interface TabState {
  readonly id: TabId
  readonly window: WindowId
  readonly order: string
  readonly pinned: boolean
  readonly app: AppState
  /** The activity its window was in when the tab got there: where to show the window if its own records are gone (rule SE12). */
  readonly activityHint: ActivityId
}

/** Something that can be reopened, with everything it was. */
export interface ClosedItem {
  readonly id: string
  readonly kind: 'window' | 'tab'
  readonly title: string
  /** By the clock of the device that closed it: for people, not for order. */
  readonly atMs: number
  /** Orders items: higher was closed later. */
  readonly seq: number
  readonly records: readonly (readonly [key: string, value: RecordValue])[]
}

/** One key a command wrote: what it was and what it became; null = no record. */
export type UndoStep = readonly [key: string, was: JsonValue, became: JsonValue]

export interface UndoEntry {
  readonly id: string
  readonly seq: number
  readonly atMs: number
  /** What the person did, in words: "Move window". */
  readonly label: string
  /** Commands of one group in quick succession are undone together (holding an arrow key). */
  readonly group?: string | undefined
  readonly steps: readonly UndoStep[]
}

/**
 * What is open: plain, immutable, normalised. Objects that did not change keep their identity from one state to the next, so a
 * display redraws only what changed (rule SE4).
 */
export interface SessionState {
  /** Version of the records' meaning, as written by whoever upgraded last. */
  readonly schema: number
  /** The schema is newer than ours: look, do not touch. */
  readonly readOnly: boolean
  readonly activities: Readonly<Record<ActivityId, ActivityState>>
  /** All activities in order; never empty. */
  readonly activityOrder: readonly ActivityId[]
  readonly currentActivity: ActivityId
  readonly windows: Readonly<Record<WindowId, WindowState>>
  /** All windows of all activities, back to front: pinned after the others, then by rank. No duplicates. */
  readonly stack: readonly WindowId[]
  /** The window that has the keys, for each activity; null where every window is minimised. */
  readonly focus: Readonly<Record<ActivityId, WindowId | null>>
  readonly tabs: Readonly<Record<TabId, TabState>>
  /** Newest first, at most RECENTLY_CLOSED. */
  readonly closed: readonly ClosedItem[]
  /** Newest first, at most UNDO_DEPTH. */
  readonly undo: readonly UndoEntry[]
  readonly preferences: Preferences
  /** Keys the person changed, by command id. */
  readonly keybindings: Readonly<Record<string, readonly string[]>>
  readonly notifications: {
    /** Everything up to then is read (clock of the display that said so). */
    readonly readUpToMs: number
    /** Read one by one: id > when. */
    readonly read: Readonly<Record<string, number>>
  }
}

/** Windows and tabs that can be reopened. */
export const RECENTLY_CLOSED = 25
/** Window commands that can be undone. */
export const UNDO_DEPTH = 50
/** Notifications whose own read mark is kept. */
export const READ_MARKS = 100
/** More tabs than this cannot be opened: ten times what the largest measured desk holds. */
export const MAX_TABS = 10_000
