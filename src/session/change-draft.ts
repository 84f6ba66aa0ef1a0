import * as key from './record-keys.ts'
import { equalJson, type RecordValue } from './record-value.ts'
import type { SessionChange } from './session-change.ts'
import type { CommandContext } from './session-command.ts'
import { SessionError } from './session-error.ts'
import { isSessionId } from './session-ids.ts'
import { type KeyedRecord, valueOfKey } from './session-records.ts'
import { type ClosedItem, RECENTLY_CLOSED, type SessionState, UNDO_DEPTH, type UndoEntry, type UndoStep } from './session-state.ts'

/** Commands of one group within this time are one step of undo: an arrow key held down repeats every 30 to 500 ms. */
const COALESCE_MS = 1_000

/**
 * Collects what one command writes, and what it takes to undo it.
 *
 * Invariant: each key is written at most once; the last word on a key counts. Knows nothing of Yjs. Used once.
 */
export class ChangeDraft {
  readonly state: SessionState
  readonly context: CommandContext
  made: string | undefined
  /** What the command itself writes; null removes. */
  readonly #written = new Map<string, RecordValue | null>()
  /** Written with it but not undone: trimmed lists, spent undo entries. */
  readonly #housekeeping = new Map<string, RecordValue | null>()
  #closedNow = 0

  constructor(state: SessionState, context: CommandContext) {
    this.state = state
    this.context = context
  }

  set(recordKey: string, value: RecordValue): void {
    this.#written.set(recordKey, value)
  }

  setAll(records: Iterable<KeyedRecord>): void {
    for (const [recordKey, value] of records) this.set(recordKey, value)
  }

  remove(...recordKeys: string[]): void {
    for (const recordKey of recordKeys) this.#written.set(recordKey, null)
  }

  /** Removes for good, beside the command: not brought back by undo. */
  tidy(recordKey: string): void {
    this.#housekeeping.set(recordKey, null)
  }

  /** @throws SessionError `session/bad-id`  a given or made id cannot be part of a key */
  newId<Id extends string>(given?: Id): Id {
    const id = given ?? (this.context.newId() as Id)
    if (!isSessionId(id)) throw SessionError.badId(id)
    return id
  }

  /** Remembers something closed, and forgets the oldest beyond RECENTLY_CLOSED. */
  rememberClosed(item: Omit<ClosedItem, 'id' | 'seq' | 'atMs'>): void {
    const seq = (this.state.closed[0]?.seq ?? 0) + ++this.#closedNow
    const value = { ...item, title: item.title.slice(0, 200), seq, atMs: this.context.nowMs }
    this.set(key.closedKey(this.newId()), value as unknown as RecordValue)
    const oldest = this.state.closed[RECENTLY_CLOSED - this.#closedNow]
    if (oldest) this.tidy(key.closedKey(oldest.id))
  }

  /** The change without an undo entry; undefined if it would change nothing. */
  finish(label = ''): SessionChange | undefined {
    if (this.#steps().length === 0 && this.#housekeeping.size === 0) return undefined
    const all = [...this.#housekeeping, ...this.#written]
    const keys = new Map(all)
    return {
      set: [...keys].filter((record): record is [string, RecordValue] => record[1] !== null),
      remove: [...keys].filter(([, value]) => value === null).map(([recordKey]) => recordKey),
      label,
      made: this.made,
    }
  }

  /**
   * The change with its undo entry (rule SE50).
   *
   * @param group  commands of the same group in quick succession become one entry
   */
  finishUndoable(label: string, group?: string): SessionChange | undefined {
    const steps = this.#steps()
    if (steps.length === 0) return undefined
    const { undo } = this.state
    const last = undo[0]
    const joins = group !== undefined && last?.group === group && this.context.nowMs - last.atMs < COALESCE_MS
    const id = joins ? last.id : this.newId()
    const entry: Omit<UndoEntry, 'id'> = {
      seq: joins ? last.seq : (last?.seq ?? 0) + 1,
      atMs: this.context.nowMs,
      label,
      ...(group === undefined ? {} : { group }),
      steps: joins ? joinSteps(last.steps, steps) : steps,
    }
    this.#housekeeping.set(key.undoKey(id), entry as unknown as RecordValue)
    if (!joins) for (const old of undo.slice(UNDO_DEPTH - 1)) this.tidy(key.undoKey(old.id))
    return this.finish(label)
  }

  #steps(): UndoStep[] {
    const steps: UndoStep[] = []
    for (const [recordKey, value] of this.#written) {
      const was = valueOfKey(this.state, recordKey)
      // A flag that is off and one without a record say the same.
      const became = value === false ? null : value
      if (!equalJson(was, became)) steps.push([recordKey, was, became])
    }
    return steps
  }
}

/** Steps of two commands as one: what it was before the first, what it became by the second. */
function joinSteps(earlier: readonly UndoStep[], later: readonly UndoStep[]): UndoStep[] {
  const joined = new Map(earlier.map((step) => [step[0], step]))
  for (const [recordKey, was, became] of later) joined.set(recordKey, [recordKey, joined.get(recordKey)?.[1] ?? was, became])
  return [...joined.values()]
}
