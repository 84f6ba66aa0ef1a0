import type { NodeId } from '../op.ts'
import type { RowKey } from './page.ts'

/** More than this are not told apart: all is looked at again. */
const MAX_KEYS = 50_000

interface PlainChanges {
  readonly v: 1
  readonly state: readonly RowKey[]
  readonly history: readonly NodeId[]
}

/** Which rows of a checkpoint may be others by now: some that are not, but never too few. */
export class ChangedRows {
  #state = new Set<RowKey>()
  #history = new Set<NodeId>()
  #isAll = false

  /** All may be others. */
  static all(): ChangedRows {
    const changes = new ChangedRows()
    changes.#isAll = true
    return changes
  }

  get isAll(): boolean {
    return this.#isAll
  }

  get size(): number {
    return this.#state.size + this.#history.size
  }

  /** In order. */
  get stateKeys(): readonly RowKey[] {
    return [...this.#state].sort()
  }

  /** Nodes of which other versions may be kept now, in order. */
  get historyNodes(): readonly NodeId[] {
    return [...this.#history].sort()
  }

  noteRow(key: RowKey): void {
    if (this.#isAll) return
    this.#state.add(key)
    this.#bound()
  }

  noteVersions(node: NodeId): void {
    if (this.#isAll) return
    this.#history.add(node)
    this.#bound()
  }

  /** Those of another one, too: what was to be done with them was not done. */
  addAll(others: ChangedRows): void {
    if (others.#isAll) this.#beAll()
    for (const key of others.#state) this.noteRow(key)
    for (const node of others.#history) this.noteVersions(node)
  }

  /** What there is now; nothing is here any more. */
  take(): ChangedRows {
    const taken = new ChangedRows()
    taken.#state = this.#state
    taken.#history = this.#history
    taken.#isAll = this.#isAll
    this.#state = new Set()
    this.#history = new Set()
    this.#isAll = false
    return taken
  }

  /** For the next start; undefined: all is looked at then. */
  toPlain(): PlainChanges | undefined {
    return this.#isAll ? undefined : { v: 1, state: [...this.#state], history: [...this.#history] }
  }

  static fromPlain(plain: PlainChanges): ChangedRows {
    const changes = plain.v === 1 ? new ChangedRows() : ChangedRows.all()
    for (const key of plain.state) changes.noteRow(key)
    for (const node of plain.history) changes.noteVersions(node)
    return changes
  }

  #bound(): void {
    if (this.size > MAX_KEYS) this.#beAll()
  }

  #beAll(): void {
    this.#isAll = true
    this.#state.clear()
    this.#history.clear()
  }
}
