import type { Awareness } from 'y-protocols/awareness'
import * as z from 'zod'
import type { DeskSize } from '../../session/display-class.ts'
import type { WindowId } from '../../session/session-ids.ts'
import type { PixelRect } from '../../session/snap-zone.ts'

/** A window that another display drags right now: fractions of the desk, as displays differ in size. */
const share = z.number().min(-4).max(4)
const remoteDrag = z.object({ windowId: z.string().max(64), x: share, y: share, width: share, height: share })

/** Other displays are told at most this often: 30 a second looks smooth and costs 3 kB/s. */
const PUBLISH_MS = 33

/** Puts this display's drag into awareness (never into the document), and reads those of others. */
export class DragAwareness {
  readonly #awareness: Awareness
  #lastMs = 0

  constructor(awareness: Awareness) {
    this.#awareness = awareness
  }

  /** Undefined: the drag has ended. */
  publish(windowId: WindowId | undefined, rect: PixelRect | undefined, desk: DeskSize): void {
    if (!windowId || !rect) {
      this.#lastMs = 0
      return this.#awareness.setLocalStateField('drag', null)
    }
    const now = performance.now()
    if (now - this.#lastMs < PUBLISH_MS) return
    this.#lastMs = now
    this.#awareness.setLocalStateField('drag', {
      windowId,
      x: rect.x / desk.width,
      y: rect.y / desk.height,
      width: rect.width / desk.width,
      height: rect.height / desk.height,
    })
  }

  /** What others drag, in this display's pixels. Whatever does not fit the shape is left out. */
  remote(desk: DeskSize): ReadonlyMap<WindowId, PixelRect> {
    const drags = new Map<WindowId, PixelRect>()
    for (const [client, state] of this.#awareness.getStates()) {
      if (client === this.#awareness.clientID) continue
      const parsed = remoteDrag.safeParse(state['drag'])
      if (!parsed.success) continue
      const { windowId, x, y, width, height } = parsed.data
      drags.set(windowId as WindowId, { x: x * desk.width, y: y * desk.height, width: width * desk.width, height: height * desk.height })
    }
    return drags
  }
}
