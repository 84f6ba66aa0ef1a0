import { DEFAULT_PREFERENCES, keys, type Preferences, preferenceSchemas } from './preferences.ts'
import * as key from './record-keys.ts'
import * as schema from './record-schemas.ts'
import type { RecordLookup, RecordValue } from './record-value.ts'
import { SCHEMA_VERSION } from './schema-version.ts'
import { isSessionId } from './session-ids.ts'
import { type ClosedItem, READ_MARKS, RECENTLY_CLOSED, type SessionState, UNDO_DEPTH, type UndoEntry } from './session-state.ts'

type ListState = Pick<SessionState, 'schema' | 'readOnly' | 'closed' | 'undo' | 'preferences' | 'keybindings' | 'notifications'>

/** Adds to or removes from a set in a map, which holds no empty sets. */
export function addOrRemove(into: Map<string, Set<string>>, owner: string, item: string, isThere: boolean): void {
  const owned = into.get(owner)
  if (!isThere) {
    owned?.delete(item)
    if (owned?.size === 0) into.delete(owner)
  } else if (owned) owned.add(item)
  else into.set(owner, new Set([item]))
}

/**
 * The part of SessionFold that reads lists and single values: what was closed, what can be undone, preferences, keys, read marks,
 * schema. What a list holds beyond its length counts as orphaned: two displays may each have filled it.
 */
export class ListFold {
  readonly #lookup: RecordLookup
  /** Shared with SessionFold, which owns it. */
  readonly #orphans: Set<string>
  readonly #keysOf = new Map<string, Set<string>>()
  /** Raw record of each parsed item: parsing fifty of them on each command would be waste. */
  readonly #parsedFrom = new WeakMap<object, RecordValue>()

  constructor(lookup: RecordLookup, orphans: Set<string>) {
    this.#lookup = lookup
    this.#orphans = orphans
  }

  /** Call for each record of a list that changed, before `fold`. */
  note(prefix: string, recordKey: string): void {
    const isThere = this.#lookup(recordKey) !== undefined
    addOrRemove(this.#keysOf, prefix, recordKey, isThere)
    if (!isThere) this.#orphans.delete(recordKey)
  }

  /** What is new in the lists whose prefixes changed. */
  fold(prefixes: ReadonlySet<string>, before: ListState): Partial<ListState> {
    const next: { -readonly [Name in keyof ListState]?: ListState[Name] } = {}
    if (prefixes.has(key.SCHEMA_KEY)) {
      next.schema = schema.read(schema.schemaVersion, this.#lookup(key.SCHEMA_KEY)) ?? SCHEMA_VERSION
      next.readOnly = next.schema > SCHEMA_VERSION
    }
    if (prefixes.has('closed')) {
      next.closed = this.#newest<ClosedItem>('closed', RECENTLY_CLOSED, before.closed, (value) => schema.read(schema.closedItem, value))
    }
    if (prefixes.has('undo')) {
      next.undo = this.#newest<UndoEntry>('undo', UNDO_DEPTH, before.undo, (value) => schema.read(schema.undoEntry, value))
    }
    if (prefixes.has('preference')) next.preferences = this.#preferences()
    if (prefixes.has('keys')) {
      next.keybindings = Object.fromEntries(
        this.#records('keys').flatMap(([command, value]) => {
          const chosen = schema.read(keys, value)
          return chosen ? [[command, chosen]] : []
        }),
      )
    }
    if (prefixes.has('read') || prefixes.has(key.READ_UP_TO_KEY)) next.notifications = this.#notifications()
    return next
  }

  /** The records of one list, sorted by id, so that no answer depends on arrival. */
  #records(prefix: string): [id: string, value: RecordValue][] {
    return [...(this.#keysOf.get(prefix) ?? [])].sort().map((recordKey) => {
      return [key.partsOfKey(recordKey).id, this.#lookup(recordKey) as RecordValue]
    })
  }

  #newest<Item extends { id: string; seq: number }>(
    prefix: string,
    limit: number,
    before: readonly Item[],
    parse: (value: RecordValue) => Omit<Item, 'id'> | undefined,
  ): readonly Item[] {
    const old = new Map(before.map((item) => [item.id, item]))
    const items = this.#records(prefix).flatMap(([id, value]): Item[] => {
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

  #notifications(): ListState['notifications'] {
    const marks = this.#records('read').flatMap(([id, value]): [string, number][] => {
      const atMs = schema.read(schema.timeMs, value)
      return atMs === undefined ? [] : [[id, atMs]]
    })
    marks.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    marks.forEach(([id], i) => this.#markOverflow(key.readKey(id), i >= READ_MARKS))
    return {
      readUpToMs: schema.read(schema.timeMs, this.#lookup(key.READ_UP_TO_KEY)) ?? 0,
      read: Object.fromEntries(marks.slice(0, READ_MARKS)),
    }
  }

  #preferences(): Preferences {
    const preferences: Record<string, unknown> = { ...DEFAULT_PREFERENCES }
    for (const [name, parser] of Object.entries(preferenceSchemas)) {
      const value = schema.read<unknown>(parser, this.#lookup(key.preferenceKey(name)))
      if (value !== undefined) preferences[name] = value
    }
    return preferences as unknown as Preferences
  }

  #markOverflow(recordKey: string, isOver: boolean): void {
    if (isOver) this.#orphans.add(recordKey)
    else this.#orphans.delete(recordKey)
  }
}
