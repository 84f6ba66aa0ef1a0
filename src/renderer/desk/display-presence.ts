import type { Awareness } from 'y-protocols/awareness'
import { dragsElsewhere, type Presence, presencesOf } from '../../session/presence.ts'
import { pixelsToPlace, placeToPixels } from '../../session/place.ts'
import type { WindowId } from '../../session/session-ids.ts'
import type { PixelRect } from '../../session/snap-zone.ts'
import type { DeskSlice } from './desk-store.ts'

/** Other displays are told of a drag at most this often: 30 a second looks smooth and costs about 6 kB/s. */
const PUBLISH_MS = 33

/** What this display tells the others while it lasts, and what they tell it (session rule SE90). Never in the document. */
export class DisplayPresence {
  readonly #awareness: Awareness
  readonly #display: string
  readonly #displayName: string
  #lastDragMs = 0

  /** `display`: random, made anew for each page. */
  constructor(awareness: Awareness, display: string, displayName: string) {
    this.#awareness = awareness
    this.#display = display
    this.#displayName = displayName
  }

  /** Where this display is. Says nothing when nothing changed. */
  publish({ session, deviceId }: DeskSlice): void {
    if (!session || !deviceId) return
    const before = this.#awareness.getLocalState()
    const focus = session.focus[session.currentActivity] ?? null
    if (before?.['activity'] === session.currentActivity && before['focus'] === focus && before['device'] === deviceId) return
    const now = { display: this.#display, displayName: this.#displayName, device: deviceId, activity: session.currentActivity, focus }
    this.#awareness.setLocalState({ drag: null, editing: null, ...before, ...now })
  }

  /** The window in this display's hand; undefined: let go. */
  publishDrag(window: WindowId | undefined, rect: PixelRect | undefined, { desk, displayClass }: DeskSlice): void {
    if (!window || !rect) {
      this.#lastDragMs = 0
      return this.#awareness.setLocalStateField('drag', null)
    }
    const now = performance.now()
    if (now - this.#lastDragMs < PUBLISH_MS) return
    this.#lastDragMs = now
    this.#awareness.setLocalStateField('drag', { window, displayClass, place: pixelsToPlace(rect, desk) })
  }

  /** The other displays of this person that are open now. */
  others(): readonly Presence[] {
    return presencesOf(this.#awareness.getStates(), this.#awareness.clientID)
  }

  /** What others hold in their hand, in this display's pixels. */
  drags({ desk, displayClass }: DeskSlice): ReadonlyMap<WindowId, PixelRect> {
    const drags = new Map<WindowId, PixelRect>()
    for (const [window, { drag }] of dragsElsewhere(this.others(), displayClass)) {
      if (drag) drags.set(window, placeToPixels(drag.place, desk))
    }
    return drags
  }
}
