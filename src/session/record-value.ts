/** What a record may hold: JSON without null. Absence is the lack of the record. */
export type RecordValue = string | number | boolean | readonly JsonValue[] | { readonly [name: string]: JsonValue }
export type JsonValue = null | RecordValue

/** Reads one record; undefined where there is none. */
export type RecordLookup = (key: string) => RecordValue | undefined

/** Equal as JSON; the order of an object's names does not count, a name that is undefined counts as absent. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => equalJson(item, b[i]))
  }
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  const names = Object.keys(left).filter((name) => left[name] !== undefined)
  if (names.length !== Object.keys(right).filter((name) => right[name] !== undefined).length) return false
  return names.every((name) => equalJson(left[name], right[name]))
}
