import type { ActivityId, TabId, WindowId } from './session-ids.ts'

/** Ids every new workspace starts with: the same on every device, so that two new ones merge into one (rule SE7). */
export const FIRST_ACTIVITY = 'home' as ActivityId
export const FIRST_WINDOW = 'welcome' as WindowId
export const FIRST_TAB = 'welcome' as TabId
