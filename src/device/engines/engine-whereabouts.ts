import type { Clock } from '../../base/clock.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'
import { EngineBook, type EngineRecord } from '../../jobs/engines/engine-book.ts'
import { EngineError } from '../../jobs/engines/engine.ts'
import { type EnginePlace, EnginePlaces, isSameStand, standOf } from '../../jobs/engines/engine-places.ts'
import { ENGINE_PREFIX, standWords } from '../../jobs/engines/engines-contract.ts'
import { runningAttempts } from '../../jobs/job-book.ts'

/** Places of attempts that nobody runs any more make room from here on. */
const MAX_KEPT = 128
/** An end that waits so long for an engine that is not here is not ordered any more. */
export const STRANDED_MS = 30 * 24 * 3_600_000

/** An attempt that is not over, and where it was submitted. */
interface Running {
  readonly attempt: string
  readonly place: EnginePlace
}

/**
 * Which engine each attempt is followed on: the one that stands where it was submitted, whatever bears its name by now (rule EN13).
 * Of one open desk. Does not own the store.
 */
export class EngineWhereabouts {
  readonly book: EngineBook
  readonly places: EnginePlaces
  readonly #store: KeyValueStore
  readonly #clock: Clock
  /** Attempts whose end waits to be ordered. */
  readonly #ends: () => readonly string[]

  constructor(store: KeyValueStore, clock: Clock, ends: () => readonly string[]) {
    this.#store = store
    this.#clock = clock
    this.#ends = ends
    this.book = new EngineBook(store)
    this.places = new EnginePlaces(store)
  }

  /** It is about to be sent there. */
  note(attempt: string, record: EngineRecord, service: boolean): void {
    this.places.put(attempt, this.#placeIn(record, service))
    const all = this.places.all()
    if (all.size <= MAX_KEPT) return
    const running = runningAttempts(this.#store)
    const ends = new Set(this.#ends())
    const over = [...all].filter(([one]) => one !== attempt && !running.has(one) && !ends.has(one))
    for (const [one] of over.toSorted(([, a], [, b]) => a.atMs - b.atMs).slice(0, all.size - MAX_KEPT)) this.places.forget(one)
  }

  /** The engine has said what it calls it. */
  noteId(attempt: string, id: string): void {
    const place = this.places.of(attempt)
    if (place && place.id !== id) this.places.put(attempt, { ...place, id })
  }

  /** It was found in another place by its name, which nobody else has: that is the engine, moved. */
  noteMove(attempt: string, record: EngineRecord): void {
    const place = this.places.of(attempt)
    if (!place) return
    const shared = place.shared === undefined ? {} : { shared: place.shared }
    this.places.put(attempt, { ...this.#placeIn(record, place.service), atMs: place.atMs, ...shared })
    this.tidy()
  }

  /**
   * What opens the place where an attempt is, with its output where it was told to write it; undefined: nothing here does. One that was
   * submitted before places were kept is where the engine of its name is.
   */
  find(attempt: string, name: string): EngineRecord | undefined {
    const place = this.places.of(attempt)
    if (!place) return this.book.find(name)
    const record = this.#opening(place, [this.book.find(name), ...this.book.all, ...this.book.former])
    if (!record || record.kind !== 'slurm' || place.shared === undefined) return record
    return { ...record, shared: place.shared }
  }

  /** What is said of an attempt that nothing here opens the place of. */
  stranded(attempt: string, name: string): EngineError {
    const place = this.places.of(attempt)
    const now = this.book.find(name)
    const where = place ? `it was sent to ${name} at ${standWords(place)}` : `it was sent to ${name}`
    const what = now ? `${name} is now ${standWords(standOf(now))}` : `${name} is no engine of this device any more`
    const add =
      place &&
      `elsewhere engine add NAME --kind ${place.kind} --url ${place.url}${place.namespace === undefined ? '' : ` --namespace ${place.namespace}`}`
    return new EngineError(
      'engine/unknown',
      `${where}, and ${what}: add that engine again${add ? ` ("${add}")` : ''} to follow it, or cancel it`,
    )
  }

  /**
   * Takes the place of one of its name. Where attempts run on that and nothing else opens it, it is kept for them.
   *
   * @throws EngineError `engine/too-many`
   */
  put(record: EngineRecord): void {
    const before = this.book.find(record.name)
    if (before) this.#settle(before)
    if (before && !isSameStand(before, record) && this.#openedOnlyBy([before]).length > 0) this.book.keepFormer(before)
    this.book.put(record)
    this.tidy()
  }

  /** Attempts that nothing would open any more without the engine of that name. */
  onlyOn(name: string): readonly Running[] {
    const record = this.book.find(name)
    if (record) this.#settle(record)
    return this.#openedOnlyBy([...(record ? [record] : []), ...this.book.former.filter((one) => one.name === name)])
  }

  /** It is over, or its end was ordered. */
  forget(attempt: string): void {
    this.places.forget(attempt)
    this.tidy()
  }

  /** What others took the place of is kept while something runs there, and no longer. */
  tidy(): void {
    for (const one of this.book.former) if (this.#openedOnlyBy([one]).length === 0) this.book.dropFormer(one)
  }

  #placeIn(record: EngineRecord, service: boolean): EnginePlace {
    const shared = record.kind === 'slurm' ? { shared: record.shared } : {}
    return { format: 1, name: record.name, ...standOf(record), ...shared, atMs: this.#clock.nowMs(), service }
  }

  /** Attempts of its name from before places were kept are there. */
  #settle(record: EngineRecord): void {
    for (const [attempt, device] of runningAttempts(this.#store))
      if (device === `${ENGINE_PREFIX}${record.name}` && !this.places.of(attempt))
        this.places.put(attempt, { ...this.#placeIn(record, true) })
  }

  #openedOnlyBy(records: readonly EngineRecord[]): readonly Running[] {
    if (records.length === 0) return []
    const running = runningAttempts(this.#store)
    const ends = new Set(this.#ends())
    const others = [...this.book.all, ...this.book.former].filter((one) => !records.includes(one))
    return [...this.places.all()].flatMap(([attempt, place]) => {
      const isWanted = running.has(attempt) || ends.has(attempt)
      return isWanted && this.#opening(place, records) && !this.#opening(place, others) ? [{ attempt, place }] : []
    })
  }

  #opening(place: EnginePlace, records: readonly (EngineRecord | undefined)[]): EngineRecord | undefined {
    return records.find((record) => record && isSameStand(place, record))
  }
}
