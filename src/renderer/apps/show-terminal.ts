import type { TerminalInfo } from '../../jobs/terminal-contract.ts'
import { clientNow } from '../desk/app-desk.ts'
import { dispatch, sessionNow } from '../desk/desk-store.ts'
import { setShell } from '../desk/shell-store.ts'
import { openApp } from './app-hooks.ts'

const SIZE = { columns: 100, rows: 30 }

const tabOf = ({ device, terminalId }: TerminalInfo) =>
  Object.values(sessionNow().tabs).find(({ app }) => app.kind === 'terminal' && app.device === device && app.terminalId === terminalId)

/** Shows a running terminal: its tab, or a new one for it. */
export function showTerminal(terminal: TerminalInfo): void {
  const { device, terminalId, cwd, title } = terminal
  const open = tabOf(terminal)
  if (!open) return openApp({ kind: 'terminal', device, terminalId, cwd: cwd || null, title: title.slice(0, 200) })
  setShell({ compactView: 'window' })
  dispatch({ type: 'tab/activate', tabId: open.id })
  dispatch({ type: 'window/focus', windowId: open.window })
}

/** A window for it behind the one that has the keyboard, which keeps it. */
export function showTerminalBehind(terminal: TerminalInfo): void {
  if (tabOf(terminal)) return
  const { focus, currentActivity } = sessionNow()
  const front = focus[currentActivity]
  showTerminal(terminal)
  if (front) dispatch({ type: 'window/focus', windowId: front })
}

/** Runs a line in a new terminal of a device, and shows it. `cwd`: a folder of that device. */
export async function runInTerminal(device: string, line: string, cwd: string | undefined): Promise<void> {
  const started = await clientNow().openTerminal({ device, command: ['/bin/sh', '-c', line], ...(cwd !== undefined && { cwd }), ...SIZE })
  showTerminal(started)
}
