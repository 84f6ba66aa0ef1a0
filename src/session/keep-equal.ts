/** Equal own properties by identity. */
export function shallowEqual(a: object, b: object): boolean {
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  const names = Object.keys(left)
  return names.length === Object.keys(right).length && names.every((name) => name in right && Object.is(left[name], right[name]))
}

/** `before` if it says the same as `now`: identity is how a display knows that nothing changed. */
export function keepIfEqual<T extends object>(before: T | undefined, now: T): T {
  return before && shallowEqual(before, now) ? before : now
}

export function keepIfSameList<T>(before: readonly T[], now: readonly T[]): readonly T[] {
  return before.length === now.length && before.every((item, i) => Object.is(item, now[i])) ? before : now
}
