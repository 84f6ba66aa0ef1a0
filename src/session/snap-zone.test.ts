import { expect, it } from 'vitest'
import { SNAP_ZONES, type SnapDirection, type SnapZone, snapByKey, snapZone, tileZones, zoneRect } from './snap-zone.ts'

const desk = { width: 1001, height: 801 }

it.each([
  { name: 'middle of the desk', at: [500, 400], zone: 'none' },
  { name: 'left edge', at: [3, 400], zone: 'left' },
  { name: 'right edge', at: [999, 400], zone: 'right' },
  { name: 'top edge', at: [500, 0], zone: 'maximised' },
  { name: 'bottom edge', at: [500, 800], zone: 'none' },
  { name: 'top left corner', at: [3, 3], zone: 'top-left' },
  { name: 'top right corner', at: [999, 3], zone: 'top-right' },
  { name: 'bottom left corner', at: [3, 790], zone: 'bottom-left' },
  { name: 'bottom right corner', at: [1005, 900], zone: 'bottom-right' },
  { name: 'just inside the edge', at: [24, 400], zone: 'none' },
] as const)('[SE40] $name', ({ at: [x, y], zone }) => {
  expect(snapZone({ x, y }, desk)).toBe(zone)
})

it('[SE40] a desk without area is refused', () => {
  expect(() => snapZone({ x: 0, y: 0 }, { width: 0, height: 5 })).toThrow(RangeError)
})

const area = (zone: SnapZone) => {
  const { width, height } = zoneRect(zone as Exclude<SnapZone, 'none'>, desk)
  return width * height
}

it.each([
  [['left', 'right']],
  [['top', 'bottom']],
  [['top-left', 'top-right', 'bottom-left', 'bottom-right']],
  [['left', 'top-right', 'bottom-right']],
  [['maximised']],
] as const)('[SE41] %j cover the desk without gap or overlap', (zones) => {
  expect(zones.reduce((sum, zone) => sum + area(zone), 0)).toBe(desk.width * desk.height)
  const rects = zones.map((zone) => zoneRect(zone, desk))
  for (const a of rects) {
    for (const b of rects) {
      if (a === b) continue
      const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y
      expect(apart).toBe(true)
    }
  }
})

const DIRECTIONS: readonly SnapDirection[] = ['left', 'right', 'up', 'down']

it('[SE42] by arrows alone every zone can be reached and left', () => {
  for (const start of SNAP_ZONES) {
    const reached = new Set<SnapZone>([start])
    for (const zone of reached) for (const direction of DIRECTIONS) reached.add(snapByKey(zone, direction))
    expect([...reached].sort()).toEqual([...SNAP_ZONES].sort())
  }
})

it.each([
  ['none', 'left', 'left'],
  ['left', 'up', 'top-left'],
  ['left', 'right', 'none'],
  ['none', 'up', 'maximised'],
  ['maximised', 'down', 'none'],
] as const)('[SE42] %s, %s: %s', (zone, direction, expected) => {
  expect(snapByKey(zone, direction)).toBe(expected)
})

it('[SE43] tiling covers the desk; the first window has no smaller one than any other', () => {
  for (const size of [desk, { width: 801, height: 1001 }]) {
    for (let count = 1; count <= 4; count++) {
      const rects = tileZones(count, size).map((zone) => zoneRect(zone as Exclude<SnapZone, 'none'>, size))
      expect(rects.length).toBe(count)
      const areas = rects.map(({ width, height }) => width * height)
      expect(areas.reduce((sum, one) => sum + one, 0)).toBe(size.width * size.height)
      expect(areas[0]).toBeGreaterThan(Math.max(...areas) * 0.99)
    }
  }
})
