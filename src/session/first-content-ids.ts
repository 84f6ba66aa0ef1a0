import type { ActivityId } from './session-ids.ts'

/** The activity every new workspace starts with: the same on every device, so that two new ones merge into one (rule SE7). */
export const FIRST_ACTIVITY = 'home' as ActivityId
