import { ChevronDown, Plus } from 'lucide-react'
import { useState } from 'react'
import { useShallow } from 'zustand/react/shallow'
import type { ActivityId } from '../../session/session-ids.ts'
import type { Hue } from '../../session/session-state.ts'
import { dispatch, sessionNow, useSession } from '../desk/desk-store.ts'
import { HUE_NAMES } from '../theme/hues.ts'
import { Field } from '../ui/field.tsx'
import { MenuButton, type MenuEntry } from '../ui/menu.tsx'
import { createActivity, removeActivity, shiftActivity } from './activities.ts'
import { useActivityEditing } from './activity-editing.ts'
import { keysOf } from '../desk/keymap-store.ts'

/** The activity that is shown, and by menu all others and everything that can be done with them. */
export function ActivitySwitcher() {
  const activity = useSession(useShallow((session) => session.activities[session.currentActivity]))
  const renaming = useActivityEditing((state) => state.renaming)
  if (!activity) return null
  if (renaming === activity.id) return <NameField activityId={activity.id} name={activity.name} />
  return (
    <MenuButton label={`Activity ${activity.name}`} className="activity" entries={activityMenu} data-hue={activity.hue}>
      <i className="hue-dot" aria-hidden="true" />
      <span>{activity.name}</span>
      <ChevronDown aria-hidden="true" />
    </MenuButton>
  )
}

function NameField({ activityId, name }: { activityId: ActivityId; name: string }) {
  const [text, setText] = useState(name)
  const finish = (commit: boolean) => {
    useActivityEditing.setState({ renaming: undefined })
    const wanted = text.trim().slice(0, 80)
    if (commit && wanted && wanted !== name) dispatch({ type: 'activity/rename', activityId, name: wanted })
  }
  return (
    <Field
      className="activity-name-field"
      label="Name of the activity"
      labelHidden
      autoFocus
      value={text}
      maxLength={80}
      onFocus={(event) => event.target.select()}
      onChange={(event) => setText(event.target.value)}
      onBlur={() => finish(true)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') finish(true)
        if (event.key === 'Escape') finish(false)
      }}
    />
  )
}

const hueDot = (hue: number) => <i className="hue-dot" data-hue={hue} aria-hidden="true" />

function activityMenu(): readonly MenuEntry[] {
  const session = sessionNow()
  const current = session.currentActivity
  const at = session.activityOrder.indexOf(current)
  const last = session.activityOrder.length - 1
  const counts = new Map<string, number>()
  for (const { activity } of Object.values(session.windows)) counts.set(activity, (counts.get(activity) ?? 0) + 1)
  return [
    { heading: 'Activities' },
    ...session.activityOrder.map((id): MenuEntry => {
      const activity = session.activities[id]
      const count = counts.get(id) ?? 0
      return {
        label: `${activity?.name ?? ''}${count > 0 ? `  ·  ${count}` : ''}`,
        icon: hueDot(activity?.hue ?? 0),
        checked: id === current ? true : undefined,
        onSelect: () => dispatch({ type: 'activity/switch', activityId: id }),
      } as MenuEntry
    }),
    { label: 'New activity', icon: <Plus aria-hidden="true" />, shortcut: keysOf('new-activity'), onSelect: createActivity },
    'separator',
    { label: 'Rename', onSelect: () => useActivityEditing.setState({ renaming: current }) },
    {
      label: 'Colour',
      entries: HUE_NAMES.map((label, hue) => ({
        label,
        icon: hueDot(hue),
        onSelect: () => dispatch({ type: 'activity/recolour', activityId: current, hue: hue as Hue }),
      })),
    },
    at > 0 && { label: 'Move up', onSelect: () => shiftActivity(current, -1) },
    at < last && { label: 'Move down', onSelect: () => shiftActivity(current, 1) },
    'separator',
    {
      label: 'Close activity',
      danger: true,
      disabledBecause: last === 0 ? 'It is the only one' : undefined,
      onSelect: () => removeActivity(current),
    },
  ]
}
