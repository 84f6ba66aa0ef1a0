import type { TerminalInfo } from '../../jobs/terminal-contract.ts'
import { sessionNow } from '../desk/desk-store.ts'
import { openApp, showTab } from '../window/open-app.ts'

/** Shows a running terminal: its tab, or a new one for it. */
export function showTerminal({ device, terminalId, cwd, title }: TerminalInfo): void {
  const open = Object.values(sessionNow().tabs).find(
    ({ app }) => app.kind === 'terminal' && app.device === device && app.terminalId === terminalId,
  )
  if (open) return showTab(open.id)
  openApp('terminal', { device, state: { kind: 'terminal', device, terminalId, cwd: cwd || null, title: title.slice(0, 200) } })
}
