import type { ChangeDraft } from './change-draft.ts'
import { byOrder, orderBetween, ordersFor } from './order.ts'
import * as key from './record-keys.ts'
import { closeWindow } from './reduce-window.ts'
import type { SessionChange } from './session-change.ts'
import type { SessionCommand } from './session-command.ts'
import type { ActivityId } from './session-ids.ts'
import { activityKeys, activityRecords } from './session-records.ts'
import type { ActivityState, Hue, SessionState } from './session-state.ts'

export type ActivityCommand = Extract<SessionCommand, { type: `activity/${string}` }>

/** Longest name of an activity, in UTF-16 units. */
const MAX_NAME = 80
const tidyName = (name: string): string => name.trim().slice(0, MAX_NAME)

/** The hue fewest activities have, the first of those. */
export function freshHue(state: SessionState): Hue {
  const used = Object.values(state.activities)
  const hues = [0, 1, 2, 3, 4, 5, 6, 7] as Hue[]
  const uses = (hue: Hue) => used.filter((activity) => activity.hue === hue).length
  return hues.reduce((best, hue) => (uses(hue) < uses(best) ? hue : best))
}

export const windowsOf = (state: SessionState, activity: ActivityId) => state.stack.filter((id) => state.windows[id]?.activity === activity)

/** Commands about activities (rules SE13, SE15). */
export function reduceActivity(draft: ChangeDraft, command: ActivityCommand): SessionChange | undefined {
  const { state } = draft
  if (command.type === 'activity/create') return createActivity(draft, command)
  const activity = state.activities[command.activityId]
  if (!activity) return undefined
  switch (command.type) {
    case 'activity/rename': {
      const name = tidyName(command.name)
      if (name === '') return undefined
      draft.set(key.activityNameKey(activity.id), name)
      return draft.finishUndoable(`Rename activity to ${name}`)
    }
    case 'activity/recolour':
      draft.set(key.activityHueKey(activity.id), command.hue)
      return draft.finishUndoable(`Recolour ${activity.name}`)
    case 'activity/switch':
      draft.set(key.CURRENT_ACTIVITY_KEY, activity.id)
      return draft.finish()
    case 'activity/reorder':
      return reorderActivity(draft, activity, command.before)
    case 'activity/remove':
      return removeActivity(draft, activity, command.moveWindowsTo)
  }
}

function createActivity(draft: ChangeDraft, command: Extract<ActivityCommand, { type: 'activity/create' }>): SessionChange | undefined {
  const { state } = draft
  const name = tidyName(command.name)
  const id = draft.newId(command.id)
  if (name === '' || state.activities[id]) return undefined
  const activity = { id, name, hue: command.hue ?? freshHue(state), order: lastOrder(draft) }
  draft.setAll(activityRecords(activity))
  if (!command.stay) draft.set(key.CURRENT_ACTIVITY_KEY, id)
  draft.made = id
  return draft.finishUndoable(`Create activity ${name}`)
}

/** An order after all activities; writes all orders anew if there is no room left. */
export function lastOrder(draft: ChangeDraft): string {
  const all = Object.values(draft.state.activities).sort(byOrder)
  const order = orderBetween(all.at(-1)?.order ?? null, null)
  if (order !== undefined) return order
  const orders = ordersFor(all.length + 1)
  all.forEach((activity, i) => draft.set(key.activityOrderKey(activity.id), orders[i] as string))
  return orders[all.length] as string
}

function reorderActivity(draft: ChangeDraft, activity: ActivityState, before: ActivityId | null): SessionChange | undefined {
  const { activities, activityOrder } = draft.state
  const others = activityOrder.filter((id) => id !== activity.id)
  const found = before === null ? -1 : others.indexOf(before)
  const index = found < 0 ? others.length : found
  if (activityOrder.indexOf(activity.id) === index) return undefined
  const orderOf = (id: ActivityId | undefined) => (id === undefined ? null : (activities[id]?.order ?? null))
  const order = orderBetween(orderOf(others[index - 1]), orderOf(others[index]))
  if (order !== undefined) draft.set(key.activityOrderKey(activity.id), order)
  else {
    const arranged = [...others.slice(0, index), activity.id, ...others.slice(index)]
    const orders = ordersFor(arranged.length)
    arranged.forEach((id, i) => draft.set(key.activityOrderKey(id), orders[i] as string))
  }
  return draft.finishUndoable('Reorder activities')
}

function removeActivity(draft: ChangeDraft, activity: ActivityState, moveTo: ActivityId | undefined): SessionChange | undefined {
  const { state } = draft
  const others = state.activityOrder.filter((id) => id !== activity.id)
  const target = moveTo !== undefined && others.includes(moveTo) ? moveTo : undefined
  if (others.length === 0 || (moveTo !== undefined && target === undefined)) return undefined
  for (const id of windowsOf(state, activity.id)) {
    if (target) draft.set(key.windowActivityKey(id), target)
    else closeWindow(draft, id)
  }
  draft.remove(...activityKeys(activity.id))
  if (state.currentActivity === activity.id) {
    const index = state.activityOrder.indexOf(activity.id)
    draft.set(key.CURRENT_ACTIVITY_KEY, target ?? (others[Math.min(index, others.length - 1)] as ActivityId))
  }
  return draft.finishUndoable(`Remove activity ${activity.name}`)
}
