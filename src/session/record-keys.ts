import type { DisplayClass } from './display-class.ts'
import type { ActivityId, TabId, WindowId } from './session-ids.ts'

/*
 * Keys of the workspace's records (rule SE2). The record named after its thing alone (activity:ID, tab:ID) is its existence: written
 * once when it is opened, removed when it is closed. All that changes hangs on keys of its own, so that writing them can never bring
 * back what another device closed.
 */
export const SCHEMA_KEY = 'schema'
export const CURRENT_ACTIVITY_KEY = 'current'
export const READ_UP_TO_KEY = 'read-up-to'

export const activityKey = (id: ActivityId) => `activity:${id}`
export const activityNameKey = (id: ActivityId) => `activity-name:${id}`
export const activityHueKey = (id: ActivityId) => `activity-hue:${id}`
export const activityOrderKey = (id: ActivityId) => `activity-order:${id}`

export const windowActivityKey = (id: WindowId) => `window-activity:${id}`
export const windowRankKey = (id: WindowId) => `window-rank:${id}`
export const windowMinimisedKey = (id: WindowId) => `window-min:${id}`
export const windowPinnedKey = (id: WindowId) => `window-pin:${id}`
export const windowActiveTabKey = (id: WindowId) => `window-tab:${id}`
export const placeKey = (id: WindowId, displayClass: DisplayClass) => `place:${id}:${displayClass}`

export const tabKey = (id: TabId) => `tab:${id}`
export const tabPlaceKey = (id: TabId) => `tab-place:${id}`
export const tabStateKey = (id: TabId) => `tab-state:${id}`
export const tabPinnedKey = (id: TabId) => `tab-pin:${id}`

export const closedKey = (id: string) => `closed:${id}`
export const undoKey = (id: string) => `undo:${id}`
export const preferenceKey = (name: string) => `preference:${name}`
export const keybindingKey = (command: string) => `keys:${command}`
export const readKey = (notificationId: string) => `read:${notificationId}`

/** The parts of a key. Only `place` has a `rest`; the id of `keys` and `read` may hold colons itself. */
export function partsOfKey(key: string): { readonly prefix: string; readonly id: string; readonly rest: string } {
  const first = key.indexOf(':')
  if (first < 0) return { prefix: key, id: '', rest: '' }
  const prefix = key.slice(0, first)
  if (prefix !== 'place') return { prefix, id: key.slice(first + 1), rest: '' }
  const second = key.indexOf(':', first + 1)
  return second < 0 ? { prefix, id: '', rest: '' } : { prefix, id: key.slice(first + 1, second), rest: key.slice(second + 1) }
}
