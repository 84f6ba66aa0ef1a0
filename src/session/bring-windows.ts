import * as z from 'zod'
import { type AppState, appState } from './app-state.ts'
import { ChangeDraft } from './change-draft.ts'
import { DISPLAY_CLASSES, type DisplayClass } from './display-class.ts'
import { ordersFor } from './order.ts'
import { type Place, place } from './place.ts'
import * as key from './record-keys.ts'
import { freshHue, lastOrder } from './reduce-activity.ts'
import { topRank } from './reduce-window.ts'
import { SCHEMA_VERSION } from './schema-version.ts'
import type { SessionChange } from './session-change.ts'
import type { CommandContext } from './session-command.ts'
import { SessionError } from './session-error.ts'
import type { ActivityId, TabId, WindowId } from './session-ids.ts'
import { activityRecords, tabRecords } from './session-records.ts'
import type { SessionState, TabState, WindowState } from './session-state.ts'

/** More windows and tabs than this are not taken along in one go; far above what fits on any desk. */
const MAX_WINDOWS = 1_000
const MAX_TABS_OF_WINDOW = 1_000

/**
 * Windows on their way from one workspace to another, without ids: they get new ones where they arrive, so nothing can collide with
 * what is there (rule SE70). Parse what comes from outside with it.
 */
export const broughtWindows = z
  .array(
    z.object({
      minimised: z.boolean(),
      pinned: z.boolean(),
      places: z.partialRecord(z.enum(DISPLAY_CLASSES as [DisplayClass, ...DisplayClass[]]), place),
      tabs: z
        .array(z.object({ pinned: z.boolean(), app: appState }))
        .min(1)
        .max(MAX_TABS_OF_WINDOW),
      /** Index of the tab that shows. */
      active: z.number().int().min(0).max(MAX_TABS_OF_WINDOW),
    }),
  )
  .max(MAX_WINDOWS)
/** Back to front. */
export type BroughtWindows = Readonly<z.infer<typeof broughtWindows>>

/** What a device takes along when it joins another workspace: every window but the welcome it came with. */
export function windowsToBring(state: SessionState): BroughtWindows {
  return state.stack.flatMap((id) => {
    const window = state.windows[id] as WindowState
    const tabs = window.tabs.map((tab) => state.tabs[tab] as TabState)
    if (tabs.every((tab) => tab.app.kind === 'welcome')) return []
    return [
      {
        minimised: window.minimised,
        pinned: window.pinned,
        places: { ...window.places } as Record<DisplayClass, Place>,
        tabs: tabs.map((tab) => ({ pinned: tab.pinned, app: tab.app as AppState })),
        active: window.tabs.indexOf(window.activeTab),
      },
    ]
  })
}

/**
 * One change that opens the windows in a new activity called `name`; undefined if there are none. The person stays where they are.
 * Not undoable: it is not a thing the person did to a window.
 *
 * @param name  of the device they come from
 * @throws SessionError `session/read-only`
 */
export function bringWindows(
  state: SessionState,
  windows: BroughtWindows,
  name: string,
  context: CommandContext,
): SessionChange | undefined {
  if (state.readOnly) throw SessionError.readOnly(state.schema, SCHEMA_VERSION)
  if (windows.length === 0) return undefined
  const draft = new ChangeDraft(state, context)
  const activity = draft.newId<ActivityId>()
  const called = name.trim().slice(0, 80) || 'Other device'
  draft.setAll(activityRecords({ id: activity, name: called, hue: freshHue(state), order: lastOrder(draft) }))
  const top = topRank(state)
  windows.forEach((window, i) => {
    const id = draft.newId<WindowId>()
    const tabs = window.tabs.map(() => draft.newId<TabId>())
    const orders = ordersFor(tabs.length)
    draft.set(key.windowActivityKey(id), activity)
    draft.set(key.windowRankKey(id), top + 1 + i)
    draft.set(key.windowActiveTabKey(id), (tabs[window.active] ?? tabs[0]) as TabId)
    if (window.minimised) draft.set(key.windowMinimisedKey(id), true)
    if (window.pinned) draft.set(key.windowPinnedKey(id), true)
    for (const displayClass of DISPLAY_CLASSES) {
      const at = window.places[displayClass]
      if (at) draft.set(key.placeKey(id, displayClass), at)
    }
    window.tabs.forEach(({ pinned, app }, j) => {
      draft.setAll(tabRecords({ id: tabs[j] as TabId, window: id, order: orders[j] as string, pinned, app, activityHint: activity }))
    })
  })
  draft.made = activity
  return draft.finish(`Windows of ${called} arrived`)
}
