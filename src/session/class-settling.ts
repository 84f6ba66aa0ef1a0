import type { DisplayClass } from './display-class.ts'

/** How long a new class must hold before the desk is laid out anew: a person dragging a window edge passes through classes. */
export const CLASS_SETTLE_MS = 500

/** Which class the desk is laid out for, and which one it may change to (rule SE35). Plain data: the display owns the timer. */
export interface ClassSettling {
  readonly current: DisplayClass
  /** Set while the desk has another size than `current` says. */
  readonly next?: { readonly displayClass: DisplayClass; readonly dueAtMs: number }
}

export const settledOn = (displayClass: DisplayClass): ClassSettling => ({ current: displayClass })

/**
 * Takes in what the desk's class is now; call it on each resize and when `next.dueAtMs` has come.
 *
 * @param nowMs  monotonic milliseconds
 * @returns the same object when nothing changed
 */
export function settleClass(state: ClassSettling, seen: DisplayClass, nowMs: number): ClassSettling {
  if (seen === state.current) return state.next ? settledOn(seen) : state
  if (state.next?.displayClass !== seen) return { current: state.current, next: { displayClass: seen, dueAtMs: nowMs + CLASS_SETTLE_MS } }
  return nowMs >= state.next.dueAtMs ? settledOn(seen) : state
}
