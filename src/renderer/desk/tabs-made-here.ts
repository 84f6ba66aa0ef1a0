import type { SessionState } from '../../session/session-state.ts'

/**
 * Tabs that this display opened since the page was loaded. What a new tab needs done once (starting its program) is done
 * by the display that made it, not by every display that shows it.
 */
const made = new Set<string>()

export const isMadeHere = (tabId: string): boolean => made.has(tabId)
export const noteMadeHere = (tabId: string): void => void made.add(tabId)

/** Takes note of the tabs that a change made on this display brought. */
export function noteNewTabs(before: SessionState, after: SessionState): void {
  if (before.tabs === after.tabs) return
  for (const id of Object.keys(after.tabs)) if (!Object.hasOwn(before.tabs, id)) made.add(id)
}
