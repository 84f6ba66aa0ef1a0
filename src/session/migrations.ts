import * as key from './record-keys.ts'
import * as schema from './record-schemas.ts'
import type { RecordValue } from './record-value.ts'
import { SCHEMA_VERSION } from './schema-version.ts'
import { changeRecords, type SessionChange } from './session-change.ts'
import { SessionError } from './session-error.ts'

/**
 * Turns the records of one schema version into those of the next. Pure, and alike on every device: two that migrate the same desk apart
 * write the same values, so their desks merge into one (rule SE61). Leaves what it does not know.
 */
export type Migration = (records: ReadonlyMap<string, RecordValue>) => Pick<SessionChange, 'set' | 'remove'>

/** By the version they start from. Version 1 is the first; its golden files are in golden/. A migration is never changed or removed. */
export const MIGRATIONS: Readonly<Record<number, Migration>> = {}

/** The schema version records say they are; undefined for a document that has not got its first content yet. */
export const schemaOf = (records: ReadonlyMap<string, RecordValue>): number | undefined =>
  schema.read(schema.schemaVersion, records.get(key.SCHEMA_KEY))

/**
 * One change that brings records to version `to`; undefined if there is nothing to do: empty, up to date, or newer (then the desk is
 * only looked at).
 *
 * @throws SessionError `session/no-migration`
 */
export function migrate(
  records: ReadonlyMap<string, RecordValue>,
  to: number = SCHEMA_VERSION,
  migrations: Readonly<Record<number, Migration>> = MIGRATIONS,
): SessionChange | undefined {
  const from = schemaOf(records)
  if (from === undefined || from >= to) return undefined
  const set = new Map<string, RecordValue>()
  const removed = new Set<string>()
  let now = records
  for (let version = from; version < to; version++) {
    const migration = migrations[version]
    if (!migration) throw SessionError.noMigration(version, version + 1)
    const change = migration(now)
    now = changeRecords(now, { ...change, label: '' })
    for (const recordKey of change.remove) {
      set.delete(recordKey)
      removed.add(recordKey)
    }
    for (const [recordKey, value] of change.set) {
      set.set(recordKey, value)
      removed.delete(recordKey)
    }
  }
  set.set(key.SCHEMA_KEY, to)
  return { set: [...set], remove: [...removed], label: `Bring the desk to version ${to}` }
}
