import type { ActivityId } from '../../session/session-ids.ts'
import type { Hue } from '../../session/session-state.ts'
import { dispatch, sessionNow } from '../desk/desk-store.ts'
import { showToast } from '../ui/toast.tsx'
import { useActivityEditing } from './activity-editing.ts'

/** Makes an activity in the hue that is used least, shows it, and lets its name be typed at once. */
export function createActivity(): void {
  const session = sessionNow()
  const uses = new Map<number, number>()
  for (const { hue } of Object.values(session.activities)) uses.set(hue, (uses.get(hue) ?? 0) + 1)
  const hue = [0, 1, 2, 3, 4, 5, 6, 7].reduce((best, next) => ((uses.get(next) ?? 0) < (uses.get(best) ?? 0) ? next : best)) as Hue
  const names = new Set(Object.values(session.activities).map(({ name }) => name))
  let name = 'New activity'
  for (let i = 2; names.has(name); i++) name = `New activity ${i}`
  const made = dispatch({ type: 'activity/create', name, hue })
  if (made) useActivityEditing.setState({ renaming: made as ActivityId })
}

/** Closes an activity with its windows; the toast brings all of it back. */
export function removeActivity(activityId: ActivityId): void {
  const session = sessionNow()
  const activity = session.activities[activityId]
  if (!activity || session.activityOrder.length < 2) return
  const count = Object.values(session.windows).filter((window) => window.activity === activityId).length
  dispatch({ type: 'activity/remove', activityId })
  showToast({
    title: `Closed “${activity.name}”`,
    ...(count > 0 && { body: `With ${count} ${count === 1 ? 'window' : 'windows'}.` }),
    action: { label: 'Undo', onSelect: () => dispatch({ type: 'undo' }) },
  })
}

/** One place left or right. */
export function shiftActivity(activityId: ActivityId, step: -1 | 1): void {
  const { activityOrder } = sessionNow()
  const at = activityOrder.indexOf(activityId)
  const before = step === -1 ? activityOrder[at - 1] : (activityOrder[at + 2] ?? null)
  if (at + step < 0 || at + step >= activityOrder.length || before === undefined) return
  dispatch({ type: 'activity/reorder', activityId, before })
}
