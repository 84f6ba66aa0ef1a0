import * as Y from 'yjs'
import type { Disposable } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import { equalJson, type RecordValue } from './record-value.ts'

/** One write of a key as it lies in the document. `t` counts the writes of this key: the highest is the record. */
interface Entry {
  readonly k: string
  readonly v: RecordValue
  readonly t: number
}

/** An entry and whose array it is in. */
interface Held {
  readonly entry: Entry
  readonly owner: string
}

/** Keys longer than this, and counts past it, are not ours: read as absent. */
const MAX_KEY_LENGTH = 320
const MAX_COUNT = Number.MAX_SAFE_INTEGER - 1

/** Deliberate mistakes, for the tests that must find them. Never set in the product. */
export interface KeyedArrayFaults {
  /** The entry that arrived last wins, instead of the one written last. */
  readonly lastArrivalWins?: boolean
}

/**
 * Records by key inside a Y.Doc, small however often they change (rule SE1).
 *
 * A `Y.Map` keeps every overwritten value's item for ever; here a write appends {k, v, t} and deletes what it replaces. Each client id
 * appends to an array of its own (`doc.getMap(name)`, client id > Y.Array): what it deleted lies side by side and Yjs folds it into
 * one, however the writes of several displays interleave. In one shared array a million interleaved writes keep a million items.
 *
 * The record is the entry with the highest t; equal ones (written unknown to each other) go by client id, then by place in the array:
 * the same everywhere. Entries that lost are ignored when read and deleted by the next writer of that key; reading never writes.
 *
 * Owns an index kept from events: a change costs what it touches, not what there is. Does not know what the records mean.
 */
export class KeyedArray implements Disposable {
  readonly #doc: Y.Doc
  readonly #arrays: Y.Map<Y.Array<unknown>>
  readonly #held = new Map<string, Held[]>()
  readonly #faults: KeyedArrayFaults
  readonly #didChange = new Emitter<{ readonly keys: ReadonlySet<string>; readonly transaction: Y.Transaction }>()
  /** Once for each transaction that changed a record; `keys` may include some whose value is the same as before. */
  readonly onDidChange = this.#didChange.event
  readonly #observer = (events: Y.YEvent<Y.AbstractType<unknown>>[], transaction: Y.Transaction) => this.#handle(events, transaction)

  constructor(doc: Y.Doc, name: string, faults: KeyedArrayFaults = {}) {
    this.#doc = doc
    this.#faults = faults
    this.#arrays = doc.getMap(name)
    this.#rescan()
    this.#arrays.observeDeep(this.#observer)
  }

  get(key: string): RecordValue | undefined {
    return this.#held.get(key)?.[0]?.entry.v
  }

  keys(): Iterable<string> {
    return this.#held.keys()
  }

  get size(): number {
    return this.#held.size
  }

  /** Entries in the document that lost against another; the next write of their key deletes them. */
  get duplicates(): number {
    let count = 0
    for (const held of this.#held.values()) count += held.length - 1
    return count
  }

  /**
   * Call within a transaction, once for each key. New entries are appended before the old ones go: next to our last one, where Yjs can
   * fold them. A key that holds the value already is not written, unless that clears away a duplicate.
   */
  write(set: Iterable<readonly [key: string, value: RecordValue]>, remove: Iterable<string> = []): void {
    const leaving = new Map<string, Set<unknown>>()
    const leave = (key: string): readonly Held[] => {
      const held = this.#held.get(key) ?? []
      for (const { entry, owner } of held) leaving.set(owner, (leaving.get(owner) ?? new Set()).add(entry))
      return held
    }
    const fresh: Entry[] = []
    for (const [key, value] of set) {
      const held = this.#held.get(key)
      if (held?.length === 1 && equalJson(held[0]?.entry.v, value)) continue
      const [newest] = leave(key)
      fresh.push({ k: key, v: value, t: Math.min((newest?.entry.t ?? -1) + 1, MAX_COUNT) })
    }
    for (const key of remove) leave(key)
    if (fresh.length > 0) this.#ownArray().push(fresh)
    for (const [owner, entries] of leaving) this.#deleteEntries(owner, entries)
  }

  set(key: string, value: RecordValue): void {
    this.write([[key, value]])
  }

  /** Deletes all entries of the key that are here; what others write meanwhile stays. */
  delete(key: string): void {
    this.write([], [key])
  }

  dispose(): void {
    this.#arrays.unobserveDeep(this.#observer)
    this.#didChange.dispose()
    this.#held.clear()
  }

  #ownArray(): Y.Array<unknown> {
    const owner = String(this.#doc.clientID)
    const found = this.#arrays.get(owner)
    if (found instanceof Y.Array) return found
    const array = new Y.Array<unknown>()
    this.#arrays.set(owner, array)
    return array
  }

  /** One pass over the array for all of them, from the back so that indexes stay right. */
  #deleteEntries(owner: string, entries: ReadonlySet<unknown>): void {
    const array = this.#arrays.get(owner)
    if (!(array instanceof Y.Array)) return
    const all = array.toArray()
    for (let end = all.length; end > 0; end--) {
      if (!entries.has(all[end - 1])) continue
      let start = end - 1
      while (start > 0 && entries.has(all[start - 1])) start--
      array.delete(start, end - start)
      end = start + 1
    }
  }

  #handle(events: Y.YEvent<Y.AbstractType<unknown>>[], transaction: Y.Transaction): void {
    const keys = new Set<string>()
    for (const event of events) {
      if (event.target === this.#arrays) {
        for (const [owner, { action }] of event.changes.keys) {
          if (action === 'add') this.#addArray(owner, keys)
          else {
            // A client's whole array was replaced or removed. We never do that; another program may.
            for (const key of this.#held.keys()) keys.add(key)
            this.#rescan()
            for (const key of this.#held.keys()) keys.add(key)
          }
        }
      } else if (event.target.parent === this.#arrays && event.target instanceof Y.Array) {
        const owner = String(event.path[0])
        for (const item of event.changes.deleted) for (const content of item.content.getContent()) this.#drop(content, owner, keys)
        for (const item of event.changes.added) for (const content of item.content.getContent()) this.#take(content, owner, keys)
      }
    }
    if (keys.size > 0) this.#didChange.fire({ keys, transaction })
  }

  #rescan(): void {
    this.#held.clear()
    for (const owner of this.#arrays.keys()) this.#addArray(owner)
  }

  #addArray(owner: string, keys?: Set<string>): void {
    const array: unknown = this.#arrays.get(owner)
    if (array instanceof Y.Array) for (const content of array.toArray()) this.#take(content, owner, keys)
  }

  #take(content: unknown, owner: string, keys?: Set<string>): void {
    if (!isEntry(content)) return
    keys?.add(content.k)
    const held = this.#held.get(content.k)
    const newcomer = { entry: content, owner }
    if (!held) this.#held.set(content.k, [newcomer])
    else if (!held.some(({ entry }) => entry === content)) {
      held.push(newcomer)
      if (this.#faults.lastArrivalWins) held.unshift(held.pop() as Held)
      else held.sort((a, b) => this.#compare(a, b))
    }
  }

  #drop(content: unknown, owner: string, keys: Set<string>): void {
    if (!isEntry(content)) return
    keys.add(content.k)
    const held = this.#held.get(content.k)
    const index = held?.findIndex((candidate) => candidate.entry === content && candidate.owner === owner) ?? -1
    if (!held || index < 0) return
    held.splice(index, 1)
    if (held.length === 0) this.#held.delete(content.k)
  }

  /** The record first. */
  #compare(a: Held, b: Held): number {
    if (a.entry.t !== b.entry.t) return b.entry.t - a.entry.t
    if (a.owner !== b.owner) return a.owner < b.owner ? 1 : -1
    const array = this.#arrays.get(a.owner)?.toArray() ?? []
    return array.indexOf(b.entry) - array.indexOf(a.entry)
  }
}

function isEntry(content: unknown): content is Entry {
  if (typeof content !== 'object' || content === null) return false
  const { k, v, t } = content as Record<string, unknown>
  return (
    typeof k === 'string' && k.length <= MAX_KEY_LENGTH && v !== undefined && v !== null && Number.isSafeInteger(t) && (t as number) >= 0
  )
}
