import { appState } from './app-state.ts'
import { arrangeWindows } from './arrange-windows.ts'
import { DISPLAY_CLASSES, type DisplayClass } from './display-class.ts'
import { FIRST_ACTIVITY } from './first-content-ids.ts'
import { addOrRemove, ListFold } from './list-fold.ts'
import { keepIfEqual, keepIfSameList, shallowEqual } from './keep-equal.ts'
import { byOrder } from './order.ts'
import { type Place, place } from './place.ts'
import { DEFAULT_PREFERENCES } from './preferences.ts'
import * as key from './record-keys.ts'
import * as schema from './record-schemas.ts'
import { equalJson, type RecordLookup } from './record-value.ts'
import { SCHEMA_VERSION } from './schema-version.ts'
import { type ActivityId, isSessionId, type TabId, type WindowId } from './session-ids.ts'
import type { ActivityState, Hue, SessionState, TabState, WindowState } from './session-state.ts'

/** Things whose records changed, by what they are. */
interface Dirty {
  readonly tabs: Set<TabId>
  readonly windows: Set<WindowId>
  readonly activities: Set<ActivityId>
  /** Prefixes of the rest: closed, undo, preference, keys, read, and the single records. */
  readonly rest: Set<string>
}

const OWNER_OF: Readonly<Record<string, 'tab' | 'window' | 'activity'>> = {
  tab: 'tab',
  'tab-place': 'tab',
  'tab-state': 'tab',
  'tab-pin': 'tab',
  'window-activity': 'window',
  'window-rank': 'window',
  'window-min': 'window',
  'window-pin': 'window',
  'window-tab': 'window',
  place: 'window',
  activity: 'activity',
  'activity-name': 'activity',
  'activity-hue': 'activity',
  'activity-order': 'activity',
}

const EMPTY_STATE: SessionState = {
  schema: SCHEMA_VERSION,
  readOnly: false,
  activities: {},
  activityOrder: [],
  currentActivity: FIRST_ACTIVITY,
  windows: {},
  stack: [],
  focus: {},
  tabs: {},
  closed: [],
  undo: [],
  preferences: DEFAULT_PREFERENCES,
  keybindings: {},
  notifications: { readUpToMs: 0, read: {} },
}

/**
 * Turns records into a SessionState, and keeps it up to date from the keys that changed.
 *
 * Invariants: the state depends on the records alone, never on the order they arrived in (rule SE5); what did not change keeps its
 * identity (SE4). Owns an index of which tab is in which window and which records belong to nothing. Does not know Yjs.
 */
export class SessionFold {
  readonly #lookup: RecordLookup
  readonly #tabs = new Map<TabId, TabState>()
  readonly #tabsOf = new Map<WindowId, Set<TabId>>()
  readonly #activities = new Map<ActivityId, ActivityState>()
  /** Record keys by owner, for things that have any: `tab:ID`, `window:ID`, `activity:ID`. */
  readonly #keysOf = new Map<string, Set<string>>()
  readonly #orphans = new Set<string>()
  readonly #lists: ListFold
  #state: SessionState = EMPTY_STATE

  constructor(lookup: RecordLookup, allKeys: Iterable<string>) {
    this.#lookup = lookup
    this.#lists = new ListFold(lookup, this.#orphans)
    this.update(allKeys)
  }

  get state(): SessionState {
    return this.#state
  }

  /** Keys of records whose tab, window or activity is gone: nothing reads them, a later change removes them (rule SE14). */
  get orphans(): ReadonlySet<string> {
    return this.#orphans
  }

  /** Takes in that these records changed. @returns the new state; the same object if nothing it shows changed. */
  update(changedKeys: Iterable<string>): SessionState {
    const dirty = this.#sort(changedKeys)
    const before = this.#state
    const tabs = this.#foldTabs(dirty)
    const { activities, activityOrder } = this.#foldActivities(dirty)
    const windows = this.#foldWindows(dirty, activities, activityOrder)
    const arranged = windows === before.windows && activityOrder === before.activityOrder
    const wanted = schema.read(schema.sessionId, this.#lookup(key.CURRENT_ACTIVITY_KEY)) as ActivityId | undefined
    const currentActivity = wanted && activities[wanted] ? wanted : (activityOrder[0] as ActivityId)
    const next: SessionState = {
      ...before,
      tabs,
      activities,
      activityOrder,
      windows,
      currentActivity,
      ...(arranged ? {} : this.#arrange(windows, activityOrder)),
      ...this.#lists.fold(dirty.rest, before),
    }
    if (shallowEqual(before, next)) return before
    this.#state = next
    return next
  }

  #sort(changedKeys: Iterable<string>): Dirty {
    const dirty: Dirty = { tabs: new Set(), windows: new Set(), activities: new Set(), rest: new Set() }
    for (const changed of changedKeys) {
      const { prefix, id } = key.partsOfKey(changed)
      const owner = OWNER_OF[prefix]
      if (owner) {
        if (!isSessionId(id)) continue
        this.#index(`${owner}:${id}`, changed)
        if (owner === 'tab') dirty.tabs.add(id as TabId)
        else if (owner === 'window') dirty.windows.add(id as WindowId)
        else dirty.activities.add(id as ActivityId)
      } else {
        dirty.rest.add(prefix)
        if (id !== '') this.#lists.note(prefix, changed)
      }
    }
    return dirty
  }

  /** Adds or removes `recordKey` in the index by whether the record is there now. */
  #index(owner: string, recordKey: string): void {
    const isThere = this.#lookup(recordKey) !== undefined
    addOrRemove(this.#keysOf, owner, recordKey, isThere)
    if (!isThere) this.#orphans.delete(recordKey)
  }

  #markOrphans(owner: string, areOrphans: boolean): void {
    for (const recordKey of this.#keysOf.get(owner) ?? []) {
      if (areOrphans) this.#orphans.add(recordKey)
      else this.#orphans.delete(recordKey)
    }
  }

  #foldTabs(dirty: Dirty): SessionState['tabs'] {
    if (dirty.tabs.size === 0) return this.#state.tabs
    const tabs: Record<TabId, TabState> = { ...this.#state.tabs }
    let changed = false
    for (const id of dirty.tabs) {
      const before = this.#tabs.get(id)
      const now = this.#readTab(id, before)
      this.#markOrphans(`tab:${id}`, this.#lookup(key.tabKey(id)) === undefined)
      if (now === before) continue
      if (before && before.window !== now?.window) {
        const siblings = this.#tabsOf.get(before.window)
        siblings?.delete(id)
        if (siblings?.size === 0) this.#tabsOf.delete(before.window)
      }
      if (before) dirty.windows.add(before.window)
      changed = true
      if (now) {
        dirty.windows.add(now.window)
        const siblings = this.#tabsOf.get(now.window)
        if (siblings) siblings.add(id)
        else this.#tabsOf.set(now.window, new Set([id]))
        this.#tabs.set(id, now)
        tabs[id] = now
      } else {
        this.#tabs.delete(id)
        delete tabs[id]
      }
    }
    return changed ? tabs : this.#state.tabs
  }

  #readTab(id: TabId, before: TabState | undefined): TabState | undefined {
    if (schema.read(schema.exists, this.#lookup(key.tabKey(id))) === undefined) return undefined
    const at = schema.read(schema.tabPlace, this.#lookup(key.tabPlaceKey(id)))
    const app = schema.read(appState, this.#lookup(key.tabStateKey(id)))
    if (!at || !app) return undefined
    const pinned = schema.read(schema.flag, this.#lookup(key.tabPinnedKey(id))) ?? false
    const now: TabState = {
      id,
      window: at.window as WindowId,
      order: at.order,
      pinned,
      app: before && equalJson(before.app, app) ? before.app : app,
      activityHint: at.activity as ActivityId,
    }
    return keepIfEqual(before, now)
  }

  #foldActivities(dirty: Dirty): Pick<SessionState, 'activities' | 'activityOrder'> {
    if (dirty.activities.size === 0 && this.#state.activityOrder.length > 0) return this.#state
    for (const id of dirty.activities) {
      const exists = schema.read(schema.exists, this.#lookup(key.activityKey(id))) !== undefined
      this.#markOrphans(`activity:${id}`, !exists && id !== FIRST_ACTIVITY)
      if (!exists) {
        this.#activities.delete(id)
        continue
      }
      const now = this.#readActivity(id)
      const before = this.#activities.get(id)
      if (!before || !shallowEqual(before, now)) this.#activities.set(id, now)
    }
    // Two displays can each remove what the other kept: there is always a Home to come back to (rule SE13).
    const all = this.#activities.size > 0 ? [...this.#activities.values()] : [this.#readActivity(FIRST_ACTIVITY)]
    const activities: Record<ActivityId, ActivityState> = {}
    for (const activity of all.sort(byOrder)) activities[activity.id] = keepIfEqual(this.#state.activities[activity.id], activity)
    const activityOrder = all.map((activity) => activity.id)
    if (shallowEqual(activities, this.#state.activities)) return this.#state
    for (const [id, window] of Object.entries(this.#state.windows) as [WindowId, WindowState][]) {
      const wanted = schema.read(schema.sessionId, this.#lookup(key.windowActivityKey(id)))
      if (!activities[window.activity] || wanted !== window.activity) dirty.windows.add(id)
    }
    return { activities, activityOrder: keepIfSameList(this.#state.activityOrder, activityOrder) }
  }

  #readActivity(id: ActivityId): ActivityState {
    return {
      id,
      name: schema.read(schema.name, this.#lookup(key.activityNameKey(id))) ?? (id === FIRST_ACTIVITY ? 'Home' : 'Activity'),
      hue: (schema.read(schema.hue, this.#lookup(key.activityHueKey(id))) ?? 0) as Hue,
      order: schema.read(schema.order, this.#lookup(key.activityOrderKey(id))) ?? 'V',
    }
  }

  #foldWindows(dirty: Dirty, activities: SessionState['activities'], activityOrder: readonly ActivityId[]): SessionState['windows'] {
    if (dirty.windows.size === 0) return this.#state.windows
    const windows: Record<WindowId, WindowState> = { ...this.#state.windows }
    let changed = false
    for (const id of dirty.windows) {
      const before = this.#state.windows[id]
      const tabIds = this.#tabsOf.get(id)
      this.#markOrphans(`window:${id}`, tabIds === undefined)
      if (!tabIds) {
        if (before) changed = delete windows[id]
        continue
      }
      const now = this.#readWindow(id, tabIds, activities, activityOrder, before)
      if (now === before) continue
      windows[id] = now
      changed = true
    }
    return changed ? windows : this.#state.windows
  }

  #readWindow(
    id: WindowId,
    tabIds: ReadonlySet<TabId>,
    activities: SessionState['activities'],
    activityOrder: readonly ActivityId[],
    before: WindowState | undefined,
  ): WindowState {
    const tabs = [...tabIds].map((tab) => this.#tabs.get(tab) as TabState)
    tabs.sort((a, b) => Number(b.pinned) - Number(a.pinned) || byOrder(a, b))
    const order = tabs.map((tab) => tab.id)
    const wanted = schema.read(schema.sessionId, this.#lookup(key.windowActivityKey(id))) as ActivityId | undefined
    const candidates = [wanted, tabs[0]?.activityHint, activityOrder[0]]
    const active = schema.read(schema.sessionId, this.#lookup(key.windowActiveTabKey(id))) as TabId | undefined
    const now: WindowState = {
      id,
      activity: candidates.find((candidate) => candidate !== undefined && activities[candidate]) as ActivityId,
      rank: schema.read(schema.rank, this.#lookup(key.windowRankKey(id))) ?? 0,
      minimised: schema.read(schema.flag, this.#lookup(key.windowMinimisedKey(id))) ?? false,
      pinned: schema.read(schema.flag, this.#lookup(key.windowPinnedKey(id))) ?? false,
      places: this.#readPlaces(id, before),
      tabs: keepIfSameList(before?.tabs ?? [], order),
      activeTab: active && tabIds.has(active) ? active : (order[0] as TabId),
    }
    return keepIfEqual(before, now)
  }

  #readPlaces(id: WindowId, before: WindowState | undefined): WindowState['places'] {
    const places: Partial<Record<DisplayClass, Place>> = {}
    for (const displayClass of DISPLAY_CLASSES) {
      const found = schema.read(place, this.#lookup(key.placeKey(id, displayClass)))
      if (found) places[displayClass] = keepIfEqual(before?.places[displayClass], found)
    }
    return keepIfEqual(before?.places, places)
  }

  #arrange(windows: SessionState['windows'], activityOrder: readonly ActivityId[]): Pick<SessionState, 'stack' | 'focus'> {
    const { stack, focus } = arrangeWindows(windows, activityOrder)
    return { stack: keepIfSameList(this.#state.stack, stack), focus: keepIfEqual(this.#state.focus, focus) }
  }
}
