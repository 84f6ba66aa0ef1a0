import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cascade } from './cascade.ts'
import { CLASS_SETTLE_MS, settleClass, settledOn } from './class-settling.ts'
import { DISPLAY_CLASSES, displayClassOf, nearestClasses } from './display-class.ts'
import {
  clampToDesk,
  FALLBACK_PLACE,
  freePixels,
  type Place,
  pixelsToPlace,
  placeInClass,
  placeToPixels,
  REACH_PX,
  TITLE_BAR_PX,
} from './place.ts'

const desk = { width: 1500, height: 900 }
const sizes = fc.record({ width: fc.integer({ min: 240, max: 6000 }), height: fc.integer({ min: 200, max: 4000 }) })
const rects = fc.record({
  x: fc.integer({ min: -9000, max: 9000 }),
  y: fc.integer({ min: -9000, max: 9000 }),
  width: fc.integer({ min: 1, max: 9000 }),
  height: fc.integer({ min: 1, max: 9000 }),
})

describe('display classes', () => {
  it.each([
    [899, 400, 'compact-landscape'],
    [900, 400, 'medium-landscape'],
    [1599, 1600, 'medium-portrait'],
    [1600, 1600, 'wide-landscape'],
    [2799, 3000, 'wide-portrait'],
    [2800, 1400, 'huge-landscape'],
    [390, 844, 'compact-portrait'],
  ] as const)('[SE30] %i x %i is %s', (width, height, expected) => {
    expect(displayClassOf({ width, height })).toBe(expected)
  })

  it('[SE33] nearest classes: itself, neighbours narrower first, then a turn', () => {
    expect(nearestClasses('medium-landscape').slice(0, 5)).toEqual([
      'medium-landscape',
      'compact-landscape',
      'wide-landscape',
      'medium-portrait',
      'huge-landscape',
    ])
    for (const displayClass of DISPLAY_CLASSES) {
      expect([...nearestClasses(displayClass)].sort()).toEqual([...DISPLAY_CLASSES].sort())
      expect(nearestClasses(displayClass)[0]).toBe(displayClass)
    }
  })

  it('[SE33] a window uses the nearest place it has, and a place of its own as soon as there is one', () => {
    const own: Place = { ...FALLBACK_PLACE, x: 0.3 }
    const far: Place = { ...FALLBACK_PLACE, x: 0.7 }
    expect(placeInClass({ 'huge-landscape': far, 'wide-landscape': own }, 'medium-landscape')).toBe(own)
    expect(placeInClass({ 'huge-landscape': far }, 'compact-portrait')).toBe(far)
    expect(placeInClass({ 'huge-landscape': own, 'compact-portrait': far }, 'compact-portrait')).toBe(far)
    expect(placeInClass({}, 'medium-landscape')).toBe(FALLBACK_PLACE)
  })
})

describe('a class change', () => {
  it('[SE35] counts once it has held for 500 ms', () => {
    const start = settledOn('wide-landscape')
    const waiting = settleClass(start, 'medium-landscape', 1_000)
    expect(waiting).toEqual({ current: 'wide-landscape', next: { displayClass: 'medium-landscape', dueAtMs: 1_000 + CLASS_SETTLE_MS } })
    expect(settleClass(waiting, 'medium-landscape', 1_499)).toBe(waiting)
    expect(settleClass(waiting, 'medium-landscape', 1_500)).toEqual(settledOn('medium-landscape'))
  })

  it('[SE35] passing through a class starts the wait anew; coming back ends it', () => {
    const waiting = settleClass(settledOn('wide-landscape'), 'medium-landscape', 0)
    const further = settleClass(waiting, 'compact-landscape', 400)
    expect(further.next).toEqual({ displayClass: 'compact-landscape', dueAtMs: 900 })
    expect(settleClass(further, 'wide-landscape', 500)).toEqual(settledOn('wide-landscape'))
  })

  it('[SE35] nothing new, same object', () => {
    const start = settledOn('wide-landscape')
    expect(settleClass(start, 'wide-landscape', 5)).toBe(start)
  })
})

describe('places', () => {
  it('[SE31] fractions of the desk, and a minimum', () => {
    const at: Place = { zone: 'none', x: 0.1, y: 0.2, width: 0.5, height: 0.5, minWidthPx: 400, minHeightPx: 300 }
    expect(placeToPixels(at, { width: 2000, height: 1000 })).toEqual({ x: 200, y: 200, width: 1000, height: 500 })
    expect(placeToPixels(at, { width: 500, height: 400 })).toMatchObject({ width: 400, height: 300 })
  })

  it('[SE31] in a zone the free place is remembered', () => {
    const at: Place = { zone: 'left', x: 0.2, y: 0.2, width: 0.4, height: 0.4, minWidthPx: 0, minHeightPx: 0 }
    expect(placeToPixels(at, desk)).toEqual({ x: 0, y: 0, width: 750, height: 900 })
    expect(freePixels(at, desk)).toEqual({ x: 300, y: 180, width: 600, height: 360 })
  })

  it('[SE32] pixels to place and back differ by less than a pixel', () => {
    fc.assert(
      fc.property(rects, sizes, (rect, size) => {
        const there = clampToDesk(rect, size)
        const back = placeToPixels(pixelsToPlace(rect, size), size)
        for (const side of ['x', 'y', 'width', 'height'] as const) expect(Math.abs(back[side] - there[side])).toBeLessThan(1)
      }),
    )
  })

  it('[SE34] wherever a window was, on whatever desk: its title bar can be reached', () => {
    fc.assert(
      fc.property(rects, sizes, sizes, (rect, from, to) => {
        const now = placeToPixels(pixelsToPlace(rect, from), to)
        const seen = Math.min(now.x + now.width, to.width) - Math.max(now.x, 0)
        expect(seen).toBeGreaterThanOrEqual(Math.min(REACH_PX, now.width) - 1e-6)
        expect(now.y).toBeGreaterThanOrEqual(0)
        expect(now.y).toBeLessThanOrEqual(to.height - TITLE_BAR_PX)
        expect(now.width).toBeLessThanOrEqual(to.width)
      }),
    )
  })

  it('[SE34] a window that is well inside is left where it is', () => {
    const rect = { x: 10, y: 20, width: 300, height: 200 }
    expect(clampToDesk(rect, desk)).toEqual(rect)
  })
})

describe('cascade', () => {
  it('[SE36] forty new windows have forty corners', () => {
    const taken: ReturnType<typeof cascade>[] = []
    for (let i = 0; i < 40; i++) taken.push(cascade(taken, desk))
    expect(new Set(taken.map(({ x, y }) => `${Math.round(x / 8)},${Math.round(y / 8)}`)).size).toBe(40)
  })

  it('[SE36] eight windows of their usual size are in sight as a whole', () => {
    const taken: ReturnType<typeof cascade>[] = []
    for (let i = 0; i < 8; i++) taken.push(cascade(taken, desk))
    for (const { x, y, width, height } of taken) expect([x + width <= desk.width, y + height <= desk.height]).toEqual([true, true])
  })

  it('[SE36] windows of different sizes do not hide each other’s titles', () => {
    const taken: ReturnType<typeof cascade>[] = []
    for (const size of [undefined, { width: 880, height: 560 }, { width: 720, height: 560 }, { width: 840, height: 620 }])
      taken.push(cascade(taken, desk, size))
    for (const [i, one] of taken.entries())
      for (const other of taken.slice(i + 1)) expect(Math.abs(one.x - other.x) >= 160 || Math.abs(one.y - other.y) >= 28).toBe(true)
  })

  it('[SE36] a new window is on the desk, in the wanted size if that fits', () => {
    expect(cascade([], desk, { width: 640, height: 480 })).toMatchObject({ width: 640, height: 480 })
    fc.assert(
      fc.property(sizes, sizes, (size, wanted) => {
        const rect = cascade([], size, wanted)
        expect(rect.x).toBeGreaterThanOrEqual(0)
        expect(rect.width).toBeLessThanOrEqual(size.width)
        expect(rect.height).toBeLessThanOrEqual(size.height)
      }),
    )
  })

  it('[SE36] a desk full of corners still gets its window', () => {
    const tiny = { width: 260, height: 200 }
    const taken = Array.from({ length: 500 }, (_, i) => ({ x: (i * 4) % 260, y: (i * 4) % 200, width: 240, height: 160 }))
    expect(cascade(taken, tiny)).toMatchObject({ width: 240 })
  })
})
