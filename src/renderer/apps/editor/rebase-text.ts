/** One replaced stretch: `removed` characters at `at` became `inserted`. */
export interface TextChange {
  readonly at: number
  readonly removed: number
  readonly inserted: string
}

/** The smallest single change that turns `before` into `after`; undefined if they are equal. Never splits a surrogate pair. */
export function changeBetween(before: string, after: string): TextChange | undefined {
  if (before === after) return undefined
  let start = 0
  const shorter = Math.min(before.length, after.length)
  while (start < shorter && before.charCodeAt(start) === after.charCodeAt(start)) start++
  if (start > 0 && isHighSurrogate(before.charCodeAt(start - 1))) start--
  let end = 0
  while (end < shorter - start && before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)) end++
  if (end > 0 && isLowSurrogate(before.charCodeAt(before.length - end))) end--
  return { at: start, removed: before.length - start - end, inserted: after.slice(start, after.length - end) }
}

/**
 * Carries a person's change over to a text that changed meanwhile: two displays began to edit the same saved file at the
 * same moment, and only one of the two buffers can be the one that stays.
 *
 * Where both changed the same place, mine is put after theirs: both texts are kept.
 */
export function carryOver(base: string, mine: string, theirs: string): TextChange | undefined {
  const own = changeBetween(base, mine)
  const other = changeBetween(base, theirs)
  if (!own || !other) return own
  const ownEnd = own.at + own.removed
  if (ownEnd < other.at || (own.removed > 0 && ownEnd === other.at)) return own
  const shift = other.inserted.length - other.removed
  if (own.at >= other.at + other.removed) return { ...own, at: own.at + shift }
  return { at: other.at + other.inserted.length, removed: 0, inserted: own.inserted }
}

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff
const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff
