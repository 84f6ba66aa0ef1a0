const KEY = 'elsewhere.unlock'

/** What unlocking offers first on this display; the person's preference, which the lock screen cannot read while locked. */
export function rememberUnlock(how: 'move' | 'beside'): void {
  try {
    localStorage.setItem(KEY, how)
  } catch {
    return // Storage is refused: the lock screen offers to move.
  }
}

export function rememberedUnlock(): 'move' | 'beside' {
  try {
    return localStorage.getItem(KEY) === 'beside' ? 'beside' : 'move'
  } catch {
    return 'move' // as above
  }
}
