/** Most windows shown as pictures at once: each is a drawing of its own. */
export const MAX_CARDS = 40

/**
 * Which windows of `count` the switcher shows: MAX_CARDS around the one it points at, so that this one is always among them
 * (rule AP78). Half-open range of indices.
 */
export function cardsShown(count: number, at: number): { readonly from: number; readonly to: number } {
  const from = Math.max(0, Math.min(at - MAX_CARDS / 2, count - MAX_CARDS))
  return { from, to: Math.min(count, from + MAX_CARDS) }
}
