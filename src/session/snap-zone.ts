import type { DeskSize } from './display-class.ts'

/** CSS px, relative to the desk area's top left corner. */
export interface PixelRect {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Where a window is held: `none` = free, at its own place. Halves, quarters, or the whole desk. */
export const SNAP_ZONES = [
  'none',
  'left',
  'right',
  'top',
  'bottom',
  'top-left',
  'top-right',
  'bottom-left',
  'bottom-right',
  'maximised',
] as const
export type SnapZone = (typeof SNAP_ZONES)[number]

/** Pixels from an edge in which a drag snaps. 24: reachable without aiming, not hit by accident (rule SE40). */
export const SNAP_EDGE_PX = 24

/**
 * The zone a dragging pointer asks for (rule SE40). Sides give halves, their outer quarters give corners, the top edge maximises; the
 * bottom edge does nothing, so that a window can be pushed down out of the way.
 *
 * @param pointer  position in CSS px, relative to the desk area; may lie outside of it
 * @throws RangeError  the desk has no area
 */
export function snapZone(pointer: { readonly x: number; readonly y: number }, desk: DeskSize): SnapZone {
  if (!(desk.width >= 1 && desk.height >= 1)) throw new RangeError('desk must be at least 1 x 1 px')
  const side = pointer.x < SNAP_EDGE_PX ? 'left' : pointer.x > desk.width - SNAP_EDGE_PX ? 'right' : undefined
  if (!side) return pointer.y < SNAP_EDGE_PX ? 'maximised' : 'none'
  if (pointer.y < desk.height / 4) return `top-${side}`
  return pointer.y > (desk.height * 3) / 4 ? `bottom-${side}` : side
}

/** What a zone covers: the preview while dragging and the place after the drop are the same rectangle (rule SE41). */
export function zoneRect(zone: Exclude<SnapZone, 'none'>, desk: DeskSize): PixelRect {
  const midX = Math.round(desk.width / 2)
  const midY = Math.round(desk.height / 2)
  const x = zone.endsWith('right') ? midX : 0
  const y = zone.startsWith('bottom') ? midY : 0
  const width = zone.endsWith('right') ? desk.width - midX : zone.endsWith('left') ? midX : desk.width
  const height = zone.startsWith('bottom') ? desk.height - midY : zone.startsWith('top') ? midY : desk.height
  return { x, y, width, height }
}

export type SnapDirection = 'left' | 'right' | 'up' | 'down'

const BY_KEY: Readonly<Record<SnapZone, Readonly<Record<SnapDirection, SnapZone>>>> = {
  none: { left: 'left', right: 'right', up: 'maximised', down: 'bottom' },
  maximised: { left: 'left', right: 'right', up: 'top', down: 'none' },
  left: { left: 'left', right: 'none', up: 'top-left', down: 'bottom-left' },
  right: { left: 'none', right: 'right', up: 'top-right', down: 'bottom-right' },
  top: { left: 'top-left', right: 'top-right', up: 'maximised', down: 'none' },
  bottom: { left: 'bottom-left', right: 'bottom-right', up: 'none', down: 'bottom' },
  'top-left': { left: 'top-left', right: 'top', up: 'top-left', down: 'left' },
  'top-right': { left: 'top', right: 'top-right', up: 'top-right', down: 'right' },
  'bottom-left': { left: 'bottom-left', right: 'bottom', up: 'left', down: 'bottom-left' },
  'bottom-right': { left: 'bottom', right: 'bottom-right', up: 'right', down: 'bottom-right' },
}

/** Where a snap key sends a window that is in `zone` (rule SE42): every zone can be reached and left by arrows alone. */
export const snapByKey = (zone: SnapZone, direction: SnapDirection): SnapZone => BY_KEY[zone][direction]

/**
 * Zones for tiling `count` windows, first = largest (rule SE43).
 *
 * @param count  1 to 4; more than four are stacked in the last zone by the caller
 */
export function tileZones(count: number, desk: DeskSize): readonly SnapZone[] {
  const tall = desk.height > desk.width
  if (count <= 1) return ['maximised']
  if (count === 2) return tall ? ['top', 'bottom'] : ['left', 'right']
  if (count === 3) return tall ? ['top', 'bottom-left', 'bottom-right'] : ['left', 'top-right', 'bottom-right']
  return ['top-left', 'top-right', 'bottom-left', 'bottom-right']
}
