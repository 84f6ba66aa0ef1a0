import type { AppState } from '../../session/app-state.ts'
import { sessionNow } from '../desk/desk-store.ts'
import { useDevices } from '../desk/devices-store.ts'
import { focusedWindow } from '../window/use-places.ts'
import { terminalWords, asCommandLine } from '../desk/terminal-words.ts'

/** The folder that a tab shows or stands in on a device; undefined: none, or one of another device. */
function folderOf(app: AppState | undefined, device: string, home: string | undefined): string | undefined {
  if (app?.kind === 'files' && app.device === device) return app.path ?? home
  if (app?.kind !== 'terminal' || app.device !== device) return undefined
  const running = useDevices.getState().terminals[device]?.find(({ terminalId }) => terminalId === app.terminalId)
  return running?.cwd || app.cwd || undefined
}

const frontTab = () => {
  const session = sessionNow()
  const windowId = focusedWindow(session)
  const front = windowId && session.windows[windowId]
  return front && session.tabs[front.activeTab]
}

/** The folder of the terminal or the Files window in front, if it is one of this device. */
export const frontFolder = (own: string, home: string | undefined): string | undefined => folderOf(frontTab()?.app, own, home)

/** Folders of this device that are open somewhere, for choosing one; the front one first, home last. */
export function openFolders(own: string, home: string | undefined): readonly string[] {
  const open = Object.values(sessionNow().tabs).map(({ app }) => folderOf(app, own, home))
  const all = [frontFolder(own, home), ...open, home].filter((path): path is string => path !== undefined)
  return [...new Set(all)].slice(0, 12)
}

/** Commands that the terminal in front could hand on: what is selected in it, what it ran last. */
export function frontCommands(): readonly string[] {
  const tab = frontTab()
  if (tab?.app.kind !== 'terminal') return []
  const { selection, lastCommand } = terminalWords(tab.id)
  return [asCommandLine(selection), asCommandLine(lastCommand)].filter((line): line is string => line !== undefined)
}
