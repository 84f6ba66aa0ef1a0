import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { REACH_PX, SMALLEST_WINDOW, TITLE_BAR_PX } from '../../session/place.ts'
import { keyEdge, keyStep, moveRect, pullLoose, RESIZE_EDGES, resizeRect, seenParts } from './window-geometry.ts'

const desk = { width: 1200, height: 800 }
const rect = { x: 100, y: 100, width: 600, height: 400 }

const anyRect = fc.record({
  x: fc.integer({ min: 0, max: 900 }),
  y: fc.integer({ min: 0, max: 600 }),
  width: fc.integer({ min: SMALLEST_WINDOW.widthPx, max: 1200 }),
  height: fc.integer({ min: SMALLEST_WINDOW.heightPx, max: 800 }),
})
const delta = fc.integer({ min: -2000, max: 2000 })

describe('resizeRect', () => {
  it.each([
    ['e', { ...rect, width: 650 }],
    ['s', { ...rect, height: 430 }],
    ['w', { ...rect, x: 150, width: 550 }],
    ['n', { ...rect, y: 130, height: 370 }],
    ['se', { ...rect, width: 650, height: 430 }],
    ['nw', { x: 150, y: 130, width: 550, height: 370 }],
  ] as const)('%s drags its own edges only', (edge, after) => expect(resizeRect(rect, edge, 50, 30, desk)).toEqual(after))

  it('never gets too small, keeps the opposite edge and a title bar in reach', () => {
    fc.assert(
      fc.property(anyRect, fc.constantFrom(...RESIZE_EDGES), delta, delta, (start, edge, dx, dy) => {
        const after = resizeRect(start, edge, dx, dy, desk)
        expect(after.width).toBeGreaterThanOrEqual(SMALLEST_WINDOW.widthPx)
        expect(after.y).toBeGreaterThanOrEqual(0)
        expect(after.y).toBeLessThanOrEqual(desk.height - TITLE_BAR_PX)
        if (edge.includes('w')) expect(after.x + after.width).toBe(start.x + start.width)
        else expect(after.x).toBe(start.x)
        if (edge.includes('n')) expect(after.y + after.height).toBe(start.y + start.height)
        else expect(after.y).toBe(start.y)
      }),
    )
  })
})

it('moveRect keeps the size and enough of the title bar on the desk', () => {
  fc.assert(
    fc.property(anyRect, delta, delta, (start, dx, dy) => {
      const after = moveRect(start, dx, dy, desk)
      expect([after.width, after.height]).toEqual([start.width, start.height])
      expect(after.x + after.width).toBeGreaterThanOrEqual(REACH_PX)
      expect(after.x).toBeLessThanOrEqual(desk.width - REACH_PX)
      expect(after.y).toBeGreaterThanOrEqual(0)
    }),
  )
})

it('pullLoose keeps the pointer on the same share of the title bar', () => {
  const zoned = { x: 0, y: 0, width: 1200, height: 800 }
  const free = { x: 50, y: 60, width: 600, height: 400 }
  expect(pullLoose(zoned, free, { x: 900, y: 10 })).toEqual({ x: 450, y: 0, width: 600, height: 400 })
})

it.each([
  [{ key: 'ArrowLeft', shiftKey: false, ctrlKey: false }, [-16, 0]],
  [{ key: 'ArrowDown', shiftKey: true, ctrlKey: false }, [0, 1]],
  [{ key: 'ArrowRight', shiftKey: false, ctrlKey: true }, [96, 0]],
  [{ key: 'a', shiftKey: false, ctrlKey: false }, undefined],
])('keyStep %j', (press, step) => expect(keyStep(press)).toEqual(step))

it('[AP78] by keyboard every edge of a window can be moved', () => {
  const [left, up] = [
    keyStep({ key: 'ArrowLeft', shiftKey: false, ctrlKey: false }),
    keyStep({ key: 'ArrowUp', shiftKey: false, ctrlKey: false }),
  ]
  if (!left || !up) throw new Error('arrows are steps')
  expect(resizeRect(rect, keyEdge({ altKey: false }), ...left, desk)).toEqual({ ...rect, width: 584 })
  expect(resizeRect(rect, keyEdge({ altKey: true }), ...left, desk)).toEqual({ ...rect, x: 84, width: 616 })
  expect(resizeRect(rect, keyEdge({ altKey: true }), ...up, desk)).toEqual({ ...rect, y: 84, height: 416 })
})

describe('seenParts', () => {
  const parts = (...rects: readonly (readonly [string, typeof rect])[]) => Object.fromEntries(seenParts(rects, desk))

  it('a maximised window in front hides all behind it', () => {
    expect(parts(['front', { x: 0, y: 0, ...desk }], ['a', rect], ['b', rect])).toEqual({ front: 'content', a: 'nothing', b: 'nothing' })
  })

  it('two halves together hide what neither hides alone', () => {
    const left = { x: 0, y: 0, width: 600, height: 800 }
    const right = { x: 600, y: 0, width: 600, height: 800 }
    expect(parts(['l', left], ['r', right], ['behind', rect])).toEqual({ l: 'content', r: 'content', behind: 'nothing' })
    expect(parts(['l', left], ['behind', rect])).toEqual({ l: 'content', behind: 'content' })
  })

  it('of a cascade only the title bars behind the first are seen', () => {
    const cascade = [3, 2, 1, 0].map((step) => [`w${step}`, { x: 100 + step * 32, y: 50 + step * 32, width: 700, height: 500 }] as const)
    expect(parts(...cascade)).toEqual({ w3: 'content', w2: 'frame', w1: 'frame', w0: 'frame' })
  })

  it('the content of the foremost window on the desk is always seen', () => {
    fc.assert(
      fc.property(fc.array(anyRect, { minLength: 1, maxLength: 12 }), (rects) => {
        const seen = seenParts(
          rects.map((one, index) => [index, one] as const),
          desk,
        )
        expect(seen.get(0)).toBe('content')
        expect(seen.size).toBe(rects.length)
      }),
    )
  })
})
