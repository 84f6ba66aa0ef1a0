import type { DeskSize } from './display-class.ts'
import { clampToDesk, REACH_PX, SMALLEST_WINDOW, TITLE_BAR_PX } from './place.ts'
import type { PixelRect } from './snap-zone.ts'

/** How far each new window is moved from the one before: a title bar's height shows every title. */
const STEP_PX = 32
/** Two windows whose corners are nearer than this, px, look like one. */
const SAME = { x: 8, y: 8 }
/** Nearer than this, a window hides what the one behind it is called. 160: an icon and a word or two. */
const TITLE_APART = { x: 160, y: 28 }
/** Corners tried before giving up; a desk with more free windows than this hides some anyhow. */
const MAX_TRIES = 400

/**
 * Where a new window goes: the wanted size (or a comfortable one), stepped down and right until its corner meets no other window's
 * corner (rule SE36). The whole of it is in sight while the desk has room for that.
 *
 * @param taken  rectangles of the visible windows of the activity, CSS px
 */
export function cascade(
  taken: readonly PixelRect[],
  desk: DeskSize,
  wanted: { readonly width: number; readonly height: number } = comfortable(desk),
): PixelRect {
  const width = Math.min(Math.max(wanted.width, SMALLEST_WINDOW.widthPx), desk.width)
  const height = Math.min(Math.max(wanted.height, SMALLEST_WINDOW.heightPx), desk.height)
  const start = { x: Math.max(0, Math.round((desk.width - width) / 3)), y: Math.max(0, Math.round((desk.height - height) / 4)) }
  // First where the whole window is in sight; a desk too full for that lets windows run over its edge, as far as they can be reached.
  const inSight = { x: Math.max(1, desk.width - width - start.x), y: Math.max(1, desk.height - height - start.y) }
  const inReach = { x: Math.max(STEP_PX, desk.width - REACH_PX - start.x), y: Math.max(STEP_PX, desk.height - TITLE_BAR_PX - start.y) }
  const tries = [
    { room: inSight, apart: TITLE_APART },
    { room: inSight, apart: SAME },
    { room: inReach, apart: SAME },
  ]
  for (const { room, apart } of tries) {
    for (let step = 0; step < MAX_TRIES; step++) {
      // Each time a column runs off the room the next one starts half a step further right, so corners never repeat at once.
      const columns = Math.floor((step * STEP_PX) / room.y)
      const x = start.x + ((step * STEP_PX + (columns * STEP_PX) / 2) % room.x)
      const y = start.y + ((step * STEP_PX) % room.y)
      const rect = clampToDesk({ x, y, width, height }, desk)
      if (!taken.some((other) => Math.abs(other.x - rect.x) < apart.x && Math.abs(other.y - rect.y) < apart.y)) return rect
    }
  }
  return clampToDesk({ ...start, width, height }, desk)
}

/** Size of a window nobody asked a size for: reading width, not the whole of a wide desk. */
export function comfortable(desk: DeskSize): { width: number; height: number } {
  return { width: Math.round(Math.min(desk.width * 0.7, 960)), height: Math.round(Math.min(desk.height * 0.75, 720)) }
}
