import { type PointerEvent, useRef } from 'react'

/** A finger must go this far, and twice as far sideways as up or down: a tap that slips is no swipe. */
const SWIPE_PX = 56
const SLOWEST_MS = 800

/** Handlers for one bar: a finger that is drawn along it goes to the next (1, to the left) or the one before (-1). */
export function useSwipe(onSwipe: (step: 1 | -1) => void) {
  const from = useRef<{ readonly x: number; readonly y: number; readonly atMs: number; readonly pointer: number }>(undefined)
  return {
    onPointerDown: (event: PointerEvent) => {
      from.current =
        event.pointerType === 'touch' && event.isPrimary
          ? { x: event.clientX, y: event.clientY, atMs: event.timeStamp, pointer: event.pointerId }
          : undefined
    },
    onPointerUp: (event: PointerEvent) => {
      const start = from.current
      from.current = undefined
      if (!start || start.pointer !== event.pointerId || event.timeStamp - start.atMs > SLOWEST_MS) return
      const [x, y] = [event.clientX - start.x, event.clientY - start.y]
      if (Math.abs(x) >= SWIPE_PX && Math.abs(x) > 2 * Math.abs(y)) onSwipe(x < 0 ? 1 : -1)
    },
    onPointerCancel: () => {
      from.current = undefined
    },
  }
}

/**
 * Windows in the order in which this display came to know them: what a swipe goes along. Focus changes the stack, so the
 * stack would lead to and fro between two windows.
 */
export function keepOrder<T>(order: readonly T[], windows: readonly T[]): readonly T[] {
  const open = new Set(windows)
  const known = new Set(order)
  return [...order.filter((id) => open.has(id)), ...windows.filter((id) => !known.has(id))]
}

/** The window beside one, round and round. */
export const besideOf = <T>(order: readonly T[], current: T | undefined, step: 1 | -1): T | undefined =>
  current === undefined ? order[0] : order[(order.indexOf(current) + step + order.length) % order.length]
