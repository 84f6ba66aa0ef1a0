import type { DeskSize } from '../../session/display-class.ts'
import { REACH_PX, SMALLEST_WINDOW, TITLE_BAR_PX } from '../../session/place.ts'
import type { PixelRect } from '../../session/snap-zone.ts'

/** Which edges a resize drags; `n` and `s`, `w` and `e` exclude each other. */
export type ResizeEdge = 'n' | 's' | 'e' | 'w' | 'ne' | 'nw' | 'se' | 'sw'
export const RESIZE_EDGES: readonly ResizeEdge[] = ['n', 's', 'e', 'w', 'ne', 'nw', 'se', 'sw']

/**
 * The rectangle after dragging an edge by dx, dy. The opposite edge stays; the window keeps its smallest size and its
 * title bar stays on the desk.
 */
export function resizeRect(rect: PixelRect, edge: ResizeEdge, dx: number, dy: number, desk: DeskSize): PixelRect {
  let { x, y, width, height } = rect
  if (edge.includes('e')) width = Math.max(SMALLEST_WINDOW.widthPx, width + dx)
  if (edge.includes('s')) height = Math.max(SMALLEST_WINDOW.heightPx, height + dy)
  if (edge.includes('w')) {
    const right = x + width
    width = Math.max(SMALLEST_WINDOW.widthPx, width - dx)
    x = right - width
  }
  if (edge.includes('n')) {
    const bottom = y + height
    height = Math.max(SMALLEST_WINDOW.heightPx, height - Math.max(dy, -y))
    y = Math.max(0, Math.min(bottom - height, desk.height - TITLE_BAR_PX))
    height = bottom - y
  }
  return { x, y, width, height }
}

/** The rectangle after dragging the title bar by dx, dy: at least REACH_PX of the title bar stay on the desk. */
export function moveRect(rect: PixelRect, dx: number, dy: number, desk: DeskSize): PixelRect {
  const reach = Math.min(REACH_PX, rect.width, desk.width)
  return {
    ...rect,
    x: Math.max(reach - rect.width, Math.min(desk.width - reach, rect.x + dx)),
    y: Math.max(0, Math.min(Math.max(0, desk.height - TITLE_BAR_PX), rect.y + dy)),
  }
}

/**
 * A zoned window is pulled loose under the pointer: it takes its free size and keeps the pointer at the same share of
 * its title bar.
 */
export function pullLoose(zoned: PixelRect, free: PixelRect, pointer: { readonly x: number; readonly y: number }): PixelRect {
  const share = zoned.width > 0 ? (pointer.x - zoned.x) / zoned.width : 0.5
  return { ...free, x: Math.round(pointer.x - free.width * Math.max(0, Math.min(1, share))), y: zoned.y }
}

/** Which corner arrow keys resize from: bottom right, with Alt top left. */
export const keyEdge = ({ altKey }: { readonly altKey: boolean }): ResizeEdge => (altKey ? 'nw' : 'se')

/** Arrow keys in keyboard mode: 16 px a press, 1 px with Shift, 96 px with Ctrl. */
export function keyStep(press: {
  readonly key: string
  readonly shiftKey: boolean
  readonly ctrlKey: boolean
}): readonly [number, number] | undefined {
  const step = press.shiftKey ? 1 : press.ctrlKey ? 96 : 16
  switch (press.key) {
    case 'ArrowLeft':
      return [-step, 0]
    case 'ArrowRight':
      return [step, 0]
    case 'ArrowUp':
      return [0, -step]
    case 'ArrowDown':
      return [0, step]
    default:
      return undefined
  }
}

/** Points looked at on each side of a window's content. */
const SAMPLES = 12
/** An eighth of the content must show: a strip beside the next window of a cascade is no content to read. */
const CONTENT_POINTS = (SAMPLES * SAMPLES) / 8

/** What can be seen of a window: its content, only its frame (a title bar, a sliver), or nothing. */
export type SeenPart = 'content' | 'frame' | 'nothing'

/**
 * What can be seen of each window. Content of the others need not be mounted, and frames nobody sees may be plain.
 *
 * @param frontToBack  rectangles of the windows that are shown, the foremost first
 */
export function seenParts<Id>(frontToBack: readonly (readonly [id: Id, rect: PixelRect])[], desk: DeskSize): ReadonlyMap<Id, SeenPart> {
  const above: PixelRect[] = []
  const seen = new Map<Id, SeenPart>()
  for (const [id, rect] of frontToBack) {
    const content = { ...rect, y: rect.y + TITLE_BAR_PX, height: rect.height - TITLE_BAR_PX }
    const bar = { ...rect, height: TITLE_BAR_PX }
    seen.set(id, shows(content, SAMPLES, CONTENT_POINTS, above, desk) ? 'content' : shows(bar, 2, 1, above, desk) ? 'frame' : 'nothing')
    above.push(rect)
  }
  return seen
}

/** Do `least` of `rows` x SAMPLES points of the part of a rectangle that is on the desk lie under none of the others? */
function shows(rect: PixelRect, rows: number, least: number, above: readonly PixelRect[], desk: DeskSize): boolean {
  const left = Math.max(0, rect.x)
  const top = Math.max(0, rect.y)
  const width = Math.min(desk.width, rect.x + rect.width) - left
  const height = Math.min(desk.height, rect.y + rect.height) - top
  if (width <= 0 || height <= 0) return false
  const covers = (other: PixelRect, x: number, y: number) =>
    x >= other.x && x < other.x + other.width && y >= other.y && y < other.y + other.height
  let points = 0
  let last: PixelRect | undefined // what hid one point mostly hides the next one: looked at first
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < SAMPLES; column++) {
      const x = left + (width * (column + 0.5)) / SAMPLES
      const y = top + (height * (row + 0.5)) / rows
      if (last && covers(last, x, y)) continue
      last = above.find((other) => covers(other, x, y))
      if (!last && ++points >= least) return true
    }
  }
  return false
}
