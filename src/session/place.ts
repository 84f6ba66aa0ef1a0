import * as z from 'zod'
import { type DeskSize, type DisplayClass, nearestClasses } from './display-class.ts'
import { type PixelRect, SNAP_ZONES, zoneRect } from './snap-zone.ts'

/** Fractions may leave the desk a little (a window half outside), never without bound. */
const fraction = z.number().min(-4).max(4)
const minimumPx = z.number().min(0).max(10_000)

/**
 * Where a window is on displays of one class: a snap zone, and the free place it returns to. x, y, width and height are fractions of the
 * desk area; the minimum is in CSS px, so that a window stays usable on a small desk.
 */
export const place = z.object({
  zone: z.enum(SNAP_ZONES),
  x: fraction,
  y: fraction,
  width: z.number().min(0).max(4),
  height: z.number().min(0).max(4),
  minWidthPx: minimumPx,
  minHeightPx: minimumPx,
})
export type Place = Readonly<z.infer<typeof place>>

/** Height of a title bar, which is what must stay in reach. 36: look.md's bar with tabs in it. */
export const TITLE_BAR_PX = 36
/** How much of a title bar must stay on the desk: enough to be grabbed past its buttons. */
export const REACH_PX = 120
/** No window gets smaller than this: title, one tab, buttons. */
export const SMALLEST_WINDOW = { widthPx: 240, heightPx: 160 } as const

const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value))

/** Moves a rectangle, if it must, so that its title bar can be reached (rule SE34). Its size changes only if the desk is smaller. */
export function clampToDesk(rect: PixelRect, desk: DeskSize): PixelRect {
  const width = Math.min(rect.width, Math.max(desk.width, 1))
  const height = Math.min(rect.height, Math.max(desk.height, 1))
  const reach = Math.min(REACH_PX, width, desk.width)
  return {
    x: clamp(rect.x, reach - width, desk.width - reach),
    y: clamp(rect.y, 0, Math.max(0, desk.height - TITLE_BAR_PX)),
    width,
    height,
  }
}

/** The free rectangle, ignoring the zone: where a window goes when it is let out of its zone. */
export function freePixels(at: Place, desk: DeskSize): PixelRect {
  return clampToDesk(
    {
      x: at.x * desk.width,
      y: at.y * desk.height,
      width: Math.max(at.width * desk.width, at.minWidthPx),
      height: Math.max(at.height * desk.height, at.minHeightPx),
    },
    desk,
  )
}

/** What a place means on this desk (rule SE31). Not rounded: the renderer rounds when it paints. */
export const placeToPixels = (at: Place, desk: DeskSize): PixelRect => (at.zone === 'none' ? freePixels(at, desk) : zoneRect(at.zone, desk))

/** Five decimals: less than half a pixel on any desk, and short in the document. */
const round = (value: number): number => Math.round(value * 1e5) / 1e5

/**
 * A free place from where a window was dropped (rule SE32). The rectangle is clamped first.
 *
 * @param minimum  smallest useful size of the window's app in CSS px
 */
export function pixelsToPlace(
  rect: PixelRect,
  desk: DeskSize,
  minimum: { readonly widthPx: number; readonly heightPx: number } = SMALLEST_WINDOW,
): Place {
  const at = clampToDesk(rect, desk)
  return {
    zone: 'none',
    x: clamp(round(at.x / desk.width), -4, 4),
    y: clamp(round(at.y / desk.height), -4, 4),
    width: clamp(round(at.width / desk.width), 0, 4),
    height: clamp(round(at.height / desk.height), 0, 4),
    minWidthPx: clamp(Math.round(Math.min(minimum.widthPx, at.width)), 0, 10_000),
    minHeightPx: clamp(Math.round(Math.min(minimum.heightPx, at.height)), 0, 10_000),
  }
}

/** A window no class has a place for (its records were lost to a merge): in the middle, two thirds of the desk. */
export const FALLBACK_PLACE: Place = {
  zone: 'none',
  x: 0.16667,
  y: 0.1,
  width: 0.66667,
  height: 0.75,
  minWidthPx: SMALLEST_WINDOW.widthPx,
  minHeightPx: SMALLEST_WINDOW.heightPx,
}

/** A window's places: at most one for each class. */
export type Places = Readonly<Partial<Record<DisplayClass, Place>>>

/** The place in a class, or the one of the nearest class that has one (rule SE33). */
export function placeInClass(places: Places, displayClass: DisplayClass): Place {
  for (const candidate of nearestClasses(displayClass)) {
    const found = places[candidate]
    if (found) return found
  }
  return FALLBACK_PLACE
}
