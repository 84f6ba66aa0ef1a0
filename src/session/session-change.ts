import type { RecordValue } from './record-value.ts'

/** What a command writes: one Yjs transaction. A key is in one of the two at most. */
export interface SessionChange {
  readonly set: readonly (readonly [key: string, value: RecordValue])[]
  readonly remove: readonly string[]
  /** What was done, in words a person reads; '' where there is nothing to say. */
  readonly label: string
  /** Id of the window, tab or activity the command made or brought back. */
  readonly made?: string | undefined
}

/** Pure: the records after a change. Convenient in tests and tools; a display writes changes through WorkspaceDoc. */
export function changeRecords(records: ReadonlyMap<string, RecordValue>, change: SessionChange): Map<string, RecordValue> {
  const after = new Map(records)
  for (const key of change.remove) after.delete(key)
  for (const [key, value] of change.set) after.set(key, value)
  return after
}
