import type { ActivityId, WindowId } from './session-ids.ts'
import type { SessionState, WindowState } from './session-state.ts'

/** Back to front within one layer: by rank, ties by id (rule SE20). */
export const byRank = (a: WindowState, b: WindowState): number => a.rank - b.rank || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

/**
 * Who is above whom and who has the keys. Both follow from the windows alone, so there is one focus per activity and no window is
 * stacked twice, whatever was merged (rules SE20, SE21).
 */
export function arrangeWindows(
  windows: SessionState['windows'],
  activityOrder: readonly ActivityId[],
): Pick<SessionState, 'stack' | 'focus'> {
  const all = Object.values(windows).sort((a, b) => Number(a.pinned) - Number(b.pinned) || byRank(a, b))
  const focus: Record<ActivityId, WindowId | null> = {}
  for (const activity of activityOrder) focus[activity] = null
  for (const window of all) {
    if (window.minimised) continue
    const holder = focus[window.activity]
    if (!holder || byRank(windows[holder] as WindowState, window) < 0) focus[window.activity] = window.id
  }
  return { stack: all.map((window) => window.id), focus }
}
