import { type KeyboardEvent, useEffect } from 'react'
import { useHome } from '../apps/use-home.ts'
import { useOwnDevice } from '../apps/app-hooks.ts'
import { useDevices } from '../desk/devices-store.ts'
import { sessionNow } from '../desk/desk-store.ts'
import { setShell } from '../desk/shell-store.ts'
import { errorWords } from '../ui/error-words.ts'
import { Field } from '../ui/field.tsx'
import { focusedWindow } from '../window/use-places.ts'
import { ASK_AFTER_MS, askPlan, clearPlan, planWords, useRunPlan } from './run-plan.ts'
import { runPlanOn } from './run-there.ts'

/**
 * Says what a command is, while it is typed, and lets the tiles below say where it could run. Enter starts it where
 * placement says, a tile where the person says. Nothing runs before that.
 */
export function CommandField() {
  const own = useOwnDevice()
  const { home } = useHome(own)
  const { line, answer, asking, error } = useRunPlan()
  useEffect(() => {
    if (line.trim() === '') return
    const leaving = new AbortController()
    const timer = window.setTimeout(() => void askPlan(own, line.trim(), folderNow(own) ?? home ?? '/', leaving.signal), ASK_AFTER_MS)
    return () => {
      clearTimeout(timer)
      leaving.abort()
    }
  }, [line, own, home])

  const type = (text: string) =>
    text.trim() === '' ? clearPlan() : useRunPlan.setState({ line: text, answer: undefined, error: undefined, asking: true })
  const handleKey = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && answer?.device !== undefined) void runPlanOn(answer.device)
    else if (event.key === 'Escape' && line !== '') clearPlan()
    else if (event.key === 'Escape') return setShell({ elsewhereOpen: false })
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div className="run-field">
      <Field
        label="Run a command elsewhere"
        labelHidden
        placeholder="Run elsewhere…"
        className="run-command"
        value={line}
        onChange={(event) => type(event.target.value)}
        onKeyDown={handleKey}
      />
      <div className="run-words" role="status">
        {answer ? (
          <>
            <strong>{planWords(answer)}</strong>
            <span>{answer.classification.reason}</span>
            <span>{answer.reason}</span>
          </>
        ) : error !== undefined ? (
          <span>{errorWords(error)}</span>
        ) : (
          line !== '' && asking && <span>Asking your devices…</span>
        )}
      </div>
    </div>
  )
}

/** The folder of the terminal in front, if it is one of this device. */
function folderNow(own: string): string | undefined {
  const session = sessionNow()
  const windowId = focusedWindow(session)
  const front = windowId && session.windows[windowId]
  const app = front && session.tabs[front.activeTab]?.app
  if (!app || app.kind !== 'terminal' || app.device !== own) return undefined
  const running = useDevices.getState().terminals[own]?.find(({ terminalId }) => terminalId === app.terminalId)
  return running?.cwd || app.cwd || undefined
}
