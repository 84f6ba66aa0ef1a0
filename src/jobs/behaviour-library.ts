import type { Disposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import { type Behaviour, type BehaviourKey, countIn, keyText, mergeTallies, type Outcome, readTally, type Tally } from './behaviour.ts'
import type { ProgramDigest } from './program-identity.ts'

/** Commands a person repeats, of each device; the one that it saw longest ago makes room. */
export const MAX_BEHAVIOURS = 1_000
/** Whatever other devices write: more commands are not read, until some make room. */
const MAX_HELD = 8 * MAX_BEHAVIOURS
/** Devices of a person that see the same; more are left out, always the same ones. */
const MAX_DEVICES = 64

/** The document that holds them: a record for each command and device that saw it, which only that device writes. */
export interface BehaviourRecords {
  get(record: string): unknown
  keys(): Iterable<string>
  write(set: readonly (readonly [record: string, tally: Tally])[], remove: readonly string[]): void
  /** Also for what this device wrote itself. */
  readonly onDidChange: Event<{ readonly keys: Iterable<string> }>
}

/** Clocks of a person's devices differ by less; what was seen later than that was not seen. */
const AHEAD_MS = 86_400_000

/** Whose records count, and when. */
export interface BehaviourCircle {
  isMember(device: string): boolean
  nowMs(): number
}

/** Mistakes for the tests that must find them. Never set in the product. */
export interface LibraryFaults {
  /** All devices write one record, so that of two that learn at once one forgets. */
  readonly oneRecord?: boolean
}

/**
 * How commands behave, learned from runs on all devices of a person (rules JB101, JB107). Each device counts in records of its own, so
 * nothing that two of them learn at the same time is lost, and all of them see the same. What is said for a device that does not belong, or
 * of a time to come, does not count; and no device makes another forget. Owns an index of what the document says; not the document.
 */
export class BehaviourLibrary implements Disposable {
  readonly #records: BehaviourRecords
  readonly #self: string
  readonly #circle: BehaviourCircle
  readonly #faults: LibraryFaults
  readonly #watching: Disposable
  readonly #tallies = new Map<string, Map<string, Tally>>()
  /** Keys that are held of each device. */
  readonly #heldOf = new Map<string, number>()
  /** Counted, and not written yet. */
  readonly #dirty = new Map<string, Tally>()
  /** Keys by name of the program and line as typed: builds of one program, and projects with a script of one name, beside each other. */
  readonly #alike = new Map<string, Set<string>>()
  readonly #changed = new Emitter<void>()
  readonly onDidChange = this.#changed.event

  constructor(records: BehaviourRecords, self: string, circle: BehaviourCircle, faults: LibraryFaults = {}) {
    this.#records = records
    this.#self = self
    this.#circle = circle
    this.#faults = faults
    for (const record of records.keys()) this.#read(record)
    this.#watching = records.onDidChange(({ keys }) => {
      const [gone, written] = [[...keys].filter((record) => !this.#tallyOf(record)), [...keys].filter((record) => this.#tallyOf(record))]
      for (const record of [...gone, ...written]) this.#read(record) // who makes room for more has room for it
      this.#changed.fire()
    })
  }

  /** Who belongs has changed. */
  rebuild(): void {
    this.#tallies.clear()
    this.#heldOf.clear()
    this.#alike.clear()
    for (const record of new Set([...this.#records.keys(), ...this.#dirty.keys()])) this.#read(record)
    this.#changed.fire()
  }

  /** Newest first, at most MAX_BEHAVIOURS. */
  get all(): readonly Behaviour[] {
    return [...this.#tallies.keys()]
      .map((key) => this.#merged(key))
      .sort(byAge)
      .slice(0, MAX_BEHAVIOURS)
  }

  /** A run has ended, or shown what it is. Known at once; written by `flush`. */
  learn(outcome: Outcome): void {
    const record = this.#recordOf(keyText(outcome.key))
    const before = this.#tallyOf(record)
    const counted = countIn(before && this.#isPast(before) ? before : undefined, outcome)
    this.#dirty.set(record, counted)
    this.#put(record, counted)
  }

  /** Writes what was learned. @throws StoreError */
  flush(): void {
    if (this.#dirty.size === 0) return
    const gone = this.#makeRoom()
    const set = [...this.#dirty].filter(([record]) => !gone.has(record))
    this.#records.write(set, [...gone])
    // Only now: what could not be written is written the next time.
    this.#dirty.clear()
    for (const record of gone) this.#read(record)
  }

  /**
   * What is known of a command: of these very bytes, else of another program of that name that did such a thing; of several, what was
   * seen last.
   */
  find({ name, id, shape }: BehaviourKey): { readonly behaviour: Behaviour; readonly isSame: boolean } | undefined {
    const alike = this.#alikeTo(name, shape).filter((one) => one.shape === shape)
    // What another device says it ran is never taken for the program here: it may say anything.
    const same = id === undefined ? undefined : alike.find((one) => one.id === id && one.on === undefined)
    const behaviour = same ?? alike.find(({ on }) => on === undefined) ?? alike[0]
    // Without bytes here, the name is all there is. What ran without them where it was seen may have been another one.
    return behaviour && { behaviour, isSame: same !== undefined || (id === undefined && behaviour.on === undefined) }
  }

  /**
   * Ms that such a line took, wherever its aliases lead: in that folder the newest time; without a folder, in any.
   */
  tookMs(name: string, shape: string, folder: string | undefined): number | undefined {
    const times = this.#alikeTo(name, shape)
      .flatMap(({ took }) => took)
      .filter((one) => folder === undefined || one.folder === folder)
    return times.toSorted((a, b) => b.atMs - a.atMs)[0]?.ms
  }

  /** On all devices: what it did is not known any more. @returns whether there was such a one */
  forget(key: string): boolean {
    const held = this.#tallies.get(key)
    if (!held) return false
    const records = [...new Set([...this.#records.keys(), ...this.#dirty.keys()])].filter((record) => record.startsWith(`${key}/`))
    for (const record of records) {
      this.#dirty.delete(record)
      this.#put(record, undefined)
    }
    this.#records.write([], records)
    return true
  }

  dispose(): void {
    this.#watching.dispose()
    this.#changed.dispose()
  }

  /** Records to remove: of this device what it saw longest ago, and what is said for devices that do not belong. */
  #makeRoom(): ReadonlySet<string> {
    const own = [...this.#tallies].flatMap(([key, held]) => {
      const tally = held.get(this.#self)
      return tally ? [{ key, atMs: tally.atMs }] : []
    })
    const gone = own
      .sort(byAge)
      .slice(MAX_BEHAVIOURS)
      .map(({ key }) => recordName(key, this.#self))
    // Who does not belong itself, or does not know it yet, knows nothing of others.
    const strangers = this.#circle.isMember(this.#self)
      ? [...this.#records.keys()].filter((record) => isRecordName(record) && !this.#belongs(record.slice(record.indexOf('/') + 1)))
      : []
    return new Set([...gone, ...strangers])
  }

  #tallyOf(record: string): Tally | undefined {
    return this.#dirty.get(record) ?? readTally(this.#records.get(record))
  }

  #belongs(device: string): boolean {
    return device === this.#self || this.#circle.isMember(device)
  }

  #isPast({ atMs, took }: Tally): boolean {
    const latestMs = this.#circle.nowMs() + AHEAD_MS
    return atMs <= latestMs && took.every((one) => one.atMs <= latestMs)
  }

  /** Newest first. */
  #alikeTo(name: string, shape: string): Behaviour[] {
    return [...(this.#alike.get(alikeOf(name, shape)) ?? [])].map((key) => this.#merged(key)).sort(byAge)
  }

  #merged(key: string): Behaviour {
    const held = [...(this.#tallies.get(key) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, MAX_DEVICES)
    return mergeTallies(key, held)
  }

  #recordOf(key: string): string {
    return recordName(key, this.#faults.oneRecord ? 'all' : this.#self)
  }

  #read(record: string): void {
    this.#put(record, this.#tallyOf(record))
  }

  #put(record: string, read: Tally | undefined): void {
    const at = record.indexOf('/')
    const key = record.slice(0, at)
    const device = record.slice(at + 1)
    if (!isRecordName(record)) return
    const held = this.#tallies.get(key) ?? new Map<string, Tally>()
    // One that says it is of another command is not ours to count.
    const isOfKey = read && keyText(keyOf(read)) === key
    if (isOfKey && this.#isPast(read) && this.#belongs(device)) {
      if (!held.has(device)) {
        const count = this.#heldOf.get(device) ?? 0
        const isFull = count >= MAX_BEHAVIOURS || (!this.#tallies.has(key) && this.#tallies.size >= MAX_HELD)
        // What this one has learned makes room when it is written.
        if (isFull && device !== this.#self) return
        this.#heldOf.set(device, count + 1)
      }
      held.set(device, read)
      this.#tallies.set(key, held)
      const alike = alikeOf(read.name, read.shape)
      this.#alike.set(alike, (this.#alike.get(alike) ?? new Set()).add(key))
      return
    }
    const was = held.get(device)
    if (!was) return
    held.delete(device)
    this.#heldOf.set(device, (this.#heldOf.get(device) ?? 1) - 1)
    if (held.size > 0) return
    this.#tallies.delete(key)
    const alike = this.#alike.get(alikeOf(was.name, was.shape))
    alike?.delete(key)
    if (alike?.size === 0) this.#alike.delete(alikeOf(was.name, was.shape))
  }
}

const recordName = (key: string, device: string): string => `${key}/${device}`
const isRecordName = (record: string): boolean => /^[0-9a-f]{20}\/.{1,64}$/.test(record)
/** Without what its aliases lead to. */
const alikeOf = (name: string, shape: string): string => `${name}\0${shape.replace(/ \([^() ,]+(?:, [^() ,]+)*\)$/, '')}`
const keyOf = ({ name, id, shape, on }: Tally): BehaviourKey => ({
  name,
  id: id as ProgramDigest | undefined,
  shape,
  ...(on !== undefined && { on }),
})
type Aged = Pick<Behaviour, 'key' | 'atMs'>
/** Newest first; of the same moment by key, so that all devices agree. */
const byAge = (a: Aged, b: Aged): number => b.atMs - a.atMs || (a.key < b.key ? -1 : 1)
