import type * as Y from 'yjs'
import type { Disposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import { KeyedArray, type KeyedArrayFaults } from './keyed-array.ts'
import { migrate } from './migrations.ts'
import { SCHEMA_KEY } from './record-keys.ts'
import { read, schemaVersion } from './record-schemas.ts'
import type { RecordValue } from './record-value.ts'
import { reduceSession } from './reduce-session.ts'
import { SCHEMA_VERSION } from './schema-version.ts'
import type { SessionChange } from './session-change.ts'
import type { CommandContext, SessionCommand } from './session-command.ts'
import { SessionError } from './session-error.ts'
import { SessionFold } from './session-fold.ts'
import type { SessionState } from './session-state.ts'

/** Name of the records inside the workspace's document. Part of the format. */
export const RECORDS = 'records'

/** Orphans removed along with one change: a little each time, so that no command becomes slow. */
const MAX_SWEPT = 64

export interface SessionDidChange {
  readonly state: SessionState
  readonly previous: SessionState
  /** True if this document made the change, false if it came from another replica. */
  readonly local: boolean
  readonly origin: unknown
}

/**
 * The session inside its Y.Doc: reads it as a SessionState, writes commands as one transaction each (rule SE6).
 *
 * Invariants: `state` is what the document says, always; reading never writes; unchanged parts of `state` keep their identity. Owns its
 * observers, not the document. Does not know links, displays or React. Give it a document that holds its first content, or takes it in
 * later: until then the state is one empty Home.
 */
export class WorkspaceDoc implements Disposable {
  readonly doc: Y.Doc
  readonly #records: KeyedArray
  #folded: SessionFold | undefined
  readonly #didChange = new Emitter<SessionDidChange>()
  /** After each transaction that changed the state, local or not. */
  readonly onDidChange: Event<SessionDidChange> = (listener) => {
    void this.#fold // what it changes from
    return this.#didChange.event(listener)
  }

  constructor(doc: Y.Doc, faults: KeyedArrayFaults = {}) {
    this.doc = doc
    this.#records = new KeyedArray(doc, RECORDS, faults)
    this.#records.onDidChange(({ keys, transaction }) => {
      if (!this.#folded) return
      const previous = this.#folded.state
      const state = this.#folded.update(keys)
      if (state !== previous) this.#didChange.fire({ state, previous, local: transaction.local, origin: transaction.origin })
    })
  }

  get state(): SessionState {
    return this.#fold.state
  }

  /** As `state.readOnly`, without reading the rest: it was written by a newer version. */
  get readOnly(): boolean {
    return (read(schemaVersion, this.#records.get(SCHEMA_KEY)) ?? SCHEMA_VERSION) > SCHEMA_VERSION
  }

  /** Made when somebody first looks: a device carries documents that only its displays read. */
  get #fold(): SessionFold {
    this.#folded ??= new SessionFold((key) => this.#records.get(key), this.#records.keys())
    return this.#folded
  }

  /** All records, as they are now: for migrations, exports and tests. */
  records(): Map<string, RecordValue> {
    return new Map([...this.#records.keys()].map((key) => [key, this.#records.get(key) as RecordValue]))
  }

  /**
   * Does a command: reduces it and writes the change.
   *
   * @param origin  passed on to Yjs, so that whoever sends updates can tell its own
   * @returns what was written; undefined if the command changed nothing
   * @throws SessionError  `session/read-only`, `session/too-many-tabs`, `session/bad-id`
   */
  dispatch(command: SessionCommand, context: CommandContext, origin: unknown = this): SessionChange | undefined {
    const change = reduceSession(this.state, command, context)
    if (change) this.write(change, origin)
    return change
  }

  /**
   * Writes a change as one transaction, and removes some orphans with it (rule SE14).
   *
   * @throws SessionError  `session/read-only`
   */
  write(change: SessionChange, origin: unknown = this): void {
    if (this.state.readOnly) throw SessionError.readOnly(this.state.schema, SCHEMA_VERSION)
    const wanted = new Set(change.set.map(([key]) => key))
    const orphans = [...this.#fold.orphans].filter((key) => !wanted.has(key)).slice(0, MAX_SWEPT)
    this.doc.transact(() => this.#records.write(change.set, [...change.remove, ...orphans]), origin)
  }

  /**
   * Brings an older desk to our schema in one transaction; does nothing to a current or newer one.
   *
   * @returns true if something was written
   * @throws SessionError `session/no-migration`
   */
  migrate(origin: unknown = this): boolean {
    const change = migrate(this.records())
    if (change) this.write(change, origin)
    return change !== undefined
  }

  /** Entries that lost a merge and orphans still in the document: for the debug panel. */
  get leftovers(): { readonly duplicates: number; readonly orphans: number; readonly records: number } {
    return { duplicates: this.#records.duplicates, orphans: this.#fold.orphans.size, records: this.#records.size }
  }

  dispose(): void {
    this.#records.dispose()
    this.#didChange.dispose()
  }
}
