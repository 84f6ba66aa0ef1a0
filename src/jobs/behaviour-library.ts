import type { Disposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import { type Behaviour, type BehaviourKey, countIn, keyText, mergeTallies, type Outcome, readTally, type Tally } from './behaviour.ts'
import type { ProgramDigest } from './program-identity.ts'

/** Commands a person repeats; the one that was seen longest ago makes room. */
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

/** Mistakes for the tests that must find them. Never set in the product. */
export interface LibraryFaults {
  /** All devices write one record, so that of two that learn at once one forgets. */
  readonly oneRecord?: boolean
}

/**
 * How commands behave, learned from runs on all devices of a person (rules JB101, JB107). Each device counts in records of its own, so
 * nothing that two of them learn at the same time is lost, and all of them see the same. Owns an index of what the document says; not the
 * document.
 */
export class BehaviourLibrary implements Disposable {
  readonly #records: BehaviourRecords
  readonly #self: string
  readonly #faults: LibraryFaults
  readonly #watching: Disposable
  readonly #tallies = new Map<string, Map<string, Tally>>()
  /** Counted, and not written yet. */
  readonly #dirty = new Map<string, Tally>()
  /** Keys by name of the program and line as typed: builds of one program, and projects with a script of one name, beside each other. */
  readonly #alike = new Map<string, Set<string>>()
  readonly #changed = new Emitter<void>()
  readonly onDidChange = this.#changed.event

  constructor(records: BehaviourRecords, self: string, faults: LibraryFaults = {}) {
    this.#records = records
    this.#self = self
    this.#faults = faults
    for (const record of records.keys()) this.#read(record)
    this.#watching = records.onDidChange(({ keys }) => {
      for (const record of keys) this.#read(record)
      this.#changed.fire()
    })
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
    const counted = countIn(this.#dirty.get(record) ?? readTally(this.#records.get(record)), outcome)
    this.#dirty.set(record, counted)
    this.#put(record, counted)
  }

  /** Writes what was learned. @throws StoreError */
  flush(): void {
    if (this.#dirty.size === 0) return
    const set = [...this.#dirty]
    this.#dirty.clear()
    this.#records.write(set, [])
    this.#makeRoom()
  }

  /**
   * What is known of a command: of these very bytes, else of another program of that name that did such a thing; of several, what was
   * seen last.
   */
  find({ name, id, shape }: BehaviourKey): { readonly behaviour: Behaviour; readonly isSame: boolean } | undefined {
    const alike = this.#alikeTo(name, shape).filter((one) => one.shape === shape)
    const same = id === undefined ? undefined : alike.find((one) => one.id === id)
    const behaviour = same ?? alike[0]
    // Without bytes to compare, the name is all there is.
    return behaviour && { behaviour, isSame: same !== undefined || id === undefined || behaviour.id === undefined }
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
    const records = [...held.keys()].map((device) => recordName(key, device))
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

  #makeRoom(): void {
    if (this.#tallies.size <= MAX_BEHAVIOURS) return
    const sorted = [...this.#tallies.keys()].map((key) => this.#merged(key)).sort(byAge)
    const gone = sorted
      .slice(MAX_BEHAVIOURS)
      .flatMap(({ key }) => [...(this.#tallies.get(key)?.keys() ?? [])].map((device) => recordName(key, device)))
    this.#records.write([], gone)
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
    this.#put(record, this.#dirty.get(record) ?? readTally(this.#records.get(record)))
  }

  #put(record: string, read: Tally | undefined): void {
    const at = record.indexOf('/')
    const key = record.slice(0, at)
    const device = record.slice(at + 1)
    if (!/^[0-9a-f]{20}$/.test(key) || device === '' || device.length > 64) return
    if (!this.#tallies.has(key) && this.#tallies.size >= MAX_HELD) return
    const held = this.#tallies.get(key) ?? new Map<string, Tally>()
    // One that says it is of another command is not ours to count.
    if (read && keyText({ name: read.name, id: read.id as ProgramDigest | undefined, shape: read.shape }) === key) {
      held.set(device, read)
      this.#tallies.set(key, held)
      const alike = alikeOf(read.name, read.shape)
      this.#alike.set(alike, (this.#alike.get(alike) ?? new Set()).add(key))
      return
    }
    const was = held.get(device)
    held.delete(device)
    if (held.size > 0 || !was) return
    this.#tallies.delete(key)
    const alike = this.#alike.get(alikeOf(was.name, was.shape))
    alike?.delete(key)
    if (alike?.size === 0) this.#alike.delete(alikeOf(was.name, was.shape))
  }
}

const recordName = (key: string, device: string): string => `${key}/${device}`
/** Without what its aliases lead to. */
const alikeOf = (name: string, shape: string): string => `${name}\0${shape.replace(/ \([^() ,]+(?:, [^() ,]+)*\)$/, '')}`
/** Newest first; of the same moment by key, so that all devices agree. */
const byAge = (a: Behaviour, b: Behaviour): number => b.atMs - a.atMs || (a.key < b.key ? -1 : 1)
