import { appState } from './app-state.ts'
import { ChangeDraft } from './change-draft.ts'
import { DEFAULT_PREFERENCES, keys, preferenceSchemas, type Preferences } from './preferences.ts'
import * as key from './record-keys.ts'
import { type ActivityCommand, reduceActivity } from './reduce-activity.ts'
import { type TabCommand, reduceTab } from './reduce-tab.ts'
import { reduceReopen, reduceUndo } from './reduce-undo.ts'
import { reduceWindow, type WindowCommand } from './reduce-window.ts'
import { SCHEMA_VERSION } from './schema-version.ts'
import type { SessionChange } from './session-change.ts'
import type { CommandContext, SessionCommand } from './session-command.ts'
import { SessionError } from './session-error.ts'
import { READ_MARKS, type SessionState } from './session-state.ts'

/**
 * What a command writes, or undefined if it changes nothing: because it is so already, or because what it is about is gone (another
 * display may have closed it a moment ago). Pure: same state, command and context, same change.
 *
 * @throws SessionError  `session/read-only`, `session/too-many-tabs`, `session/bad-id`
 * @throws ZodError  an app state, preference or key that is not what its schema says: a bug of the caller
 */
export function reduceSession(state: SessionState, command: SessionCommand, context: CommandContext): SessionChange | undefined {
  if (state.readOnly) throw SessionError.readOnly(state.schema, SCHEMA_VERSION)
  const draft = new ChangeDraft(state, context)
  switch (command.type) {
    case 'window/reopen':
      return reduceReopen(draft, command.closedId)
    case 'undo':
      return reduceUndo(draft)
    case 'preferences/set':
      return setPreferences(draft, command.values)
    case 'keybindings/set':
      if (command.keys) draft.set(key.keybindingKey(command.command.slice(0, 100)), keys.parse(command.keys))
      else draft.tidy(key.keybindingKey(command.command.slice(0, 100)))
      return command.keys || state.keybindings[command.command] ? draft.finish() : undefined
    case 'notifications/read':
      return markRead(draft, command.ids)
    case 'notifications/read-all':
      return markAllRead(draft, command.upToMs)
    case 'window/open':
    case 'tab/open':
    case 'tab/set-state': {
      const checked = { ...command, app: appState.parse(command.app) }
      return checked.type === 'window/open' ? reduceWindow(draft, checked) : reduceTab(draft, checked)
    }
  }
  if (command.type.startsWith('window/')) return reduceWindow(draft, command as WindowCommand)
  if (command.type.startsWith('tab/')) return reduceTab(draft, command as TabCommand)
  return reduceActivity(draft, command as ActivityCommand)
}

/** One record for each preference; the usual value is said outright, so that a later change of what is usual does not change it. */
function setPreferences(draft: ChangeDraft, values: Partial<Preferences>): SessionChange | undefined {
  let changed = false
  for (const name of Object.keys(DEFAULT_PREFERENCES) as (keyof Preferences)[]) {
    if (values[name] === undefined || values[name] === draft.state.preferences[name]) continue
    draft.set(key.preferenceKey(name), preferenceSchemas[name].parse(values[name]))
    changed = true
  }
  return changed ? draft.finish() : undefined
}

function markRead(draft: ChangeDraft, ids: readonly string[]): SessionChange | undefined {
  const { read } = draft.state.notifications
  const fresh = ids.filter((id) => id !== '' && id.length <= 200 && read[id] === undefined).slice(0, READ_MARKS)
  for (const id of fresh) draft.set(key.readKey(id), draft.context.nowMs)
  const oldest = Object.entries(read).sort((a, b) => a[1] - b[1])
  for (const [id] of oldest.slice(0, Math.max(0, oldest.length + fresh.length - READ_MARKS))) draft.tidy(key.readKey(id))
  return draft.finish()
}

function markAllRead(draft: ChangeDraft, upToMs: number): SessionChange | undefined {
  const { readUpToMs, read } = draft.state.notifications
  if (!(upToMs > readUpToMs)) return undefined
  draft.set(key.READ_UP_TO_KEY, upToMs)
  for (const id of Object.keys(read)) draft.tidy(key.readKey(id))
  return draft.finish()
}
