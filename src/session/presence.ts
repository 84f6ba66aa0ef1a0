import * as z from 'zod'
import { DISPLAY_CLASSES, type DisplayClass } from './display-class.ts'
import { place } from './place.ts'
import { isSessionId, type WindowId } from './session-ids.ts'

/*
 * What a display tells the others while it lasts, in awareness: never stored, gone with the display (rule SE90). A drag lives here and
 * becomes one command on drop.
 */
const id = z.string().refine(isSessionId)

export const presence = z.object({
  display: z.string().min(1).max(64),
  displayName: z.string().max(80),
  device: z.string().min(1).max(64),
  activity: id,
  focus: id.nullable(),
  /** The window in this display's hand, and where it would land if let go now. */
  drag: z
    .object({ window: id, displayClass: z.enum(DISPLAY_CLASSES as [DisplayClass, ...DisplayClass[]]), place })
    .nullable()
    .default(null),
  /** Cursor and selection in an editor: offsets in UTF-16 units. */
  editing: z
    .object({ tab: id, anchor: z.number().int().min(0), head: z.number().int().min(0) })
    .nullable()
    .default(null),
})
export type Presence = Readonly<z.infer<typeof presence>>

/** More displays of one person than this at once are not shown. */
const MAX_DISPLAYS = 64

/**
 * The displays in a set of awareness states; what does not parse is left out.
 *
 * @param states  by Yjs client id, as `Awareness.getStates()` gives them
 * @param own  this display's client id, left out
 */
export function presencesOf(states: ReadonlyMap<number, unknown>, own: number): readonly Presence[] {
  const found: Presence[] = []
  for (const client of [...states.keys()].sort((a, b) => a - b)) {
    if (client === own || found.length >= MAX_DISPLAYS) continue
    const result = presence.safeParse(states.get(client))
    if (result.success) found.push(result.data)
  }
  return found
}

/** Windows another display holds in its hand, with where. Two hands on one window: the display whose id sorts first is shown. */
export function dragsElsewhere(presences: readonly Presence[], displayClass: DisplayClass): ReadonlyMap<WindowId, Presence> {
  const drags = new Map<WindowId, Presence>()
  for (const other of [...presences].sort((a, b) => (a.display < b.display ? -1 : 1))) {
    if (other.drag?.displayClass !== displayClass) continue
    if (!drags.has(other.drag.window as WindowId)) drags.set(other.drag.window as WindowId, other)
  }
  return drags
}
