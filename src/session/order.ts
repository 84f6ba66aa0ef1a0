/*
 * Places in a list as text, so that moving one thing writes one record: between any two orders there is a third. Digits sort as
 * characters do. Two devices may pick the same order; the id then decides, alike everywhere.
 */
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Longest order taken from outside; ours stay far below (see `ordersFor`). */
export const MAX_ORDER_LENGTH = 64

const valueAt = (order: string, index: number): number => Math.max(0, DIGITS.indexOf(order[index] ?? '0'))

/**
 * An order after `low` and before `high`; null = no bound.
 *
 * @returns undefined when there is no room: the two are equal, out of order, or the result would be longer than allowed. The caller then
 *   writes the whole list anew with `ordersFor`.
 */
export function orderBetween(low: string | null, high: string | null): string | undefined {
  const from = low ?? ''
  if (high !== null && from >= high) return undefined
  let prefix = ''
  let open = high === null // true once the prefix is below `high` whatever follows
  for (let i = 0; i < MAX_ORDER_LENGTH; i++) {
    const a = valueAt(from, i)
    const b = open || high === null ? DIGITS.length : i < high.length ? valueAt(high, i) : 0
    if (b - a > 1) {
      // Appending is the common case: a small step keeps orders short for thousands of appends.
      const step = open && high === null && i < from.length ? 1 : Math.floor((b - a) / 2)
      const next = prefix + DIGITS[a + step]
      return next > from && (high === null || next < high) ? next : undefined
    }
    if (b - a === 1) open = true
    prefix += DIGITS[a]
  }
  return undefined
}

/** Evenly spaced orders for a whole list: used when there is no room left between two. */
export function ordersFor(count: number): readonly string[] {
  let width = 1
  while (DIGITS.length ** width < (count + 1) * 4) width++
  const step = Math.floor(DIGITS.length ** width / (count + 1))
  return Array.from({ length: count }, (_, i) => {
    let rest = (i + 1) * step
    let text = ''
    for (let digit = 0; digit < width; digit++) {
      text = DIGITS[rest % DIGITS.length] + text
      rest = Math.floor(rest / DIGITS.length)
    }
    return text
  })
}

/** Sorts by order, then by id. */
export function byOrder(a: { readonly order: string; readonly id: string }, b: { readonly order: string; readonly id: string }): number {
  return a.order < b.order ? -1 : a.order > b.order ? 1 : a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}
