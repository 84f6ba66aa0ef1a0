import { appState } from './app-state.ts'
import { arrangeWindows } from './arrange-windows.ts'
import { DISPLAY_CLASSES, type DisplayClass } from './display-class.ts'
import { FIRST_ACTIVITY } from './first-content-ids.ts'
import { keepIfEqual, keepIfSameList, shallowEqual } from './keep-equal.ts'
import { byOrder } from './order.ts'
import { type Place, place } from './place.ts'
import { DEFAULT_PREFERENCES, keys, type Preferences, preferenceSchemas } from './preferences.ts'
import * as key from './record-keys.ts'
import * as schema from './record-schemas.ts'
import { equalJson, type RecordValue } from './record-value.ts'
import { SCHEMA_VERSION } from './schema-version.ts'
import { type ActivityId, isSessionId, type TabId, type WindowId } from './session-ids.ts'
import {
  type ActivityState,
  type ClosedItem,
  type Hue,
  READ_MARKS,
  RECENTLY_CLOSED,
  type SessionState,
  type TabState,
  UNDO_DEPTH,
  type UndoEntry,
  type WindowState,
} from './session-state.ts'

/** Reads one record; undefined where there is none. */
export type RecordLookup = (key: string) => RecordValue | undefined

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
  /** Keys of the many-record groups (closed, undo, preference, keys, read). */
  readonly #groups = new Map<string, Set<string>>()
  readonly #orphans = new Set<string>()
  /** Raw record of each parsed closed item and undo entry: parsing fifty of them on each command would be waste. */
  readonly #parsedFrom = new WeakMap<object, RecordValue>()
  #state: SessionState = EMPTY_STATE

  constructor(lookup: RecordLookup, allKeys: Iterable<string>) {
    this.#lookup = lookup
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
      ...this.#foldRest(dirty),
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
        this.#index(this.#keysOf, `${owner}:${id}`, changed)
        if (owner === 'tab') dirty.tabs.add(id as TabId)
        else if (owner === 'window') dirty.windows.add(id as WindowId)
        else dirty.activities.add(id as ActivityId)
      } else {
        dirty.rest.add(prefix)
        if (id !== '') this.#index(this.#groups, prefix, changed)
      }
    }
    return dirty
  }

  /** Adds or removes `recordKey` in the index by whether the record is there now. */
  #index(into: Map<string, Set<string>>, owner: string, recordKey: string): void {
    let owned = into.get(owner)
    if (this.#lookup(recordKey) === undefined) {
      owned?.delete(recordKey)
      if (owned?.size === 0) into.delete(owner)
      this.#orphans.delete(recordKey)
    } else {
      if (!owned) into.set(owner, (owned = new Set()))
      owned.add(recordKey)
    }
  }

  #markOrphans(owner: string, areOrphans: boolean): void {
    for (const recordKey of this.#keysOf.get(owner) ?? []) {
      if (areOrphans) this.#orphans.add(recordKey)
      else this.#orphans.delete(recordKey)
    }
  }

  /** More than are kept, because two displays each added some: as good as orphans. */
  #markOverflow(recordKey: string, isOver: boolean): void {
    if (isOver) this.#orphans.add(recordKey)
    else this.#orphans.delete(recordKey)
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

  #foldRest({ rest }: Dirty): Partial<SessionState> {
    const next: { -readonly [Name in keyof SessionState]?: SessionState[Name] } = {}
    if (rest.has('schema')) {
      next.schema = schema.read(schema.schemaVersion, this.#lookup(key.SCHEMA_KEY)) ?? SCHEMA_VERSION
      next.readOnly = next.schema > SCHEMA_VERSION
    }
    if (rest.has('closed')) {
      const old = new Map(this.#state.closed.map((item) => [item.id, item]))
      next.closed = this.#newest<ClosedItem>('closed', RECENTLY_CLOSED, old, (value) => schema.read(schema.closedItem, value))
    }
    if (rest.has('undo')) {
      const old = new Map(this.#state.undo.map((entry) => [entry.id, entry]))
      next.undo = this.#newest<UndoEntry>('undo', UNDO_DEPTH, old, (value) => schema.read(schema.undoEntry, value))
    }
    if (rest.has('preference')) next.preferences = this.#foldPreferences()
    if (rest.has('keys')) {
      const bound: Record<string, readonly string[]> = {}
      for (const [command, value] of this.#group('keys')) {
        const chosen = schema.read(keys, value)
        if (chosen) bound[command] = chosen
      }
      next.keybindings = bound
    }
    if (rest.has('read') || rest.has(key.READ_UP_TO_KEY)) {
      const marks = this.#group('read').flatMap(([id, value]): [string, number][] => {
        const atMs = schema.read(schema.timeMs, value)
        return atMs === undefined ? [] : [[id, atMs]]
      })
      marks.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      marks.forEach(([id], i) => this.#markOverflow(key.readKey(id), i >= READ_MARKS))
      next.notifications = {
        readUpToMs: schema.read(schema.timeMs, this.#lookup(key.READ_UP_TO_KEY)) ?? 0,
        read: Object.fromEntries(marks.slice(0, READ_MARKS)),
      }
    }
    return next
  }

  /** The records of one group, sorted by id, so that no answer depends on arrival. */
  #group(prefix: string): [id: string, value: RecordValue][] {
    return [...(this.#groups.get(prefix) ?? [])].sort().map((recordKey) => {
      return [key.partsOfKey(recordKey).id, this.#lookup(recordKey) as RecordValue]
    })
  }

  #newest<Item extends { id: string; seq: number }>(
    prefix: string,
    limit: number,
    old: ReadonlyMap<string, Item>,
    parse: (value: RecordValue) => Omit<Item, 'id'> | undefined,
  ): readonly Item[] {
    const items = this.#group(prefix).flatMap(([id, value]): Item[] => {
      const kept = old.get(id)
      if (kept && this.#parsedFrom.get(kept) === value) return [kept]
      const parsed = isSessionId(id) ? parse(value) : undefined
      if (!parsed) return []
      const item = { id, ...parsed } as Item
      this.#parsedFrom.set(item, value)
      return [item]
    })
    items.sort((a, b) => b.seq - a.seq || (a.id < b.id ? 1 : -1))
    items.forEach((item, i) => this.#markOverflow(`${prefix}:${item.id}`, i >= limit))
    return items.slice(0, limit)
  }

  #foldPreferences(): Preferences {
    const preferences: Record<string, unknown> = { ...DEFAULT_PREFERENCES }
    for (const [name, parser] of Object.entries(preferenceSchemas)) {
      const value = schema.read<unknown>(parser, this.#lookup(key.preferenceKey(name)))
      if (value !== undefined) preferences[name] = value
    }
    return preferences as unknown as Preferences
  }
}
