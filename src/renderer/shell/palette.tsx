import { Dialog } from '@base-ui/react/dialog'
import { Command } from 'cmdk'
import { AppWindow, CornerDownLeft, Layers, Laptop, MonitorSmartphone, RotateCcw, Terminal } from 'lucide-react'
import { type ReactNode, useEffect, useMemo, useState } from 'react'
import { appDevice, appTitle } from '../../session/app-state.ts'
import { APPS } from '../apps/app-registry.ts'
import { showDevices } from '../apps/devices/show-devices.ts'
import { dispatch, useSession } from '../desk/desk-store.ts'
import { deviceNameOf, STATE_WORDS, useDevices } from '../desk/devices-store.ts'
import { shortcutText } from '../ui/shortcut-text.ts'
import { reopen } from '../window/closing.ts'
import { runCommand } from './commands.ts'
import { type CommandId, DESK_COMMANDS, PLACING } from '../desk/desk-commands.ts'
import { keysOf } from '../desk/keymap-store.ts'
import { freshApp, openApp, showTab } from '../window/open-app.ts'
import { setShell, useShell } from '../desk/shell-store.ts'
import './palette.css'

/** Rows shown of one kind while nothing is typed; typing searches them all. */
const FIRST_ROWS = 6
/** Above this many tabs the list is cut to what matches, so that typing stays immediate. */
const MAX_ROWS = 60

interface Row {
  readonly id: string
  readonly group: string
  readonly title: string
  readonly detail?: string
  readonly keys?: string | undefined
  readonly icon: ReactNode
  readonly run: () => void
}

/** One field for everything: windows and tabs, apps here and elsewhere, activities, commands. Its own chunk. */
export default function Palette() {
  const [text, setText] = useState('')
  const rows = useRows()
  const shown = useMemo(() => matching(rows, text), [rows, text])
  const close = () => setShell({ palette: false })
  useEffect(() => {
    performance.mark('elsewhere:palette')
  }, [])

  return (
    <Dialog.Root open onOpenChange={(open) => !open && close()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="palette-scrim" />
        <Dialog.Popup className="palette" aria-label="Command or search">
          <Command label="Command or search" shouldFilter={false} loop>
            <Command.Input autoFocus value={text} onValueChange={setText} placeholder="Go to a window, open an app, run a command…" />
            <Command.List>
              {shown.length === 0 && (
                // An option that cannot be chosen: a list of options must not be without any.
                <Command.Item disabled className="palette-none">
                  Nothing here is called that.
                </Command.Item>
              )}
              {groupsOf(shown).map(([group, members]) => (
                <Command.Group key={group} heading={group}>
                  {members.map((row) => (
                    <Command.Item
                      key={row.id}
                      value={row.id}
                      onSelect={() => {
                        close()
                        // After the dialog has given the focus back: what runs may want it.
                        requestAnimationFrame(row.run)
                      }}
                    >
                      {row.icon}
                      <span className="palette-title">{row.title}</span>
                      {row.detail && <span className="palette-detail">{row.detail}</span>}
                      {row.keys && <kbd className="ui-kbd">{shortcutText(row.keys)}</kbd>}
                    </Command.Item>
                  ))}
                </Command.Group>
              ))}
            </Command.List>
            <footer className="palette-foot">
              <CornerDownLeft aria-hidden="true" /> opens, Esc closes
            </footer>
          </Command>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

function useRows(): readonly Row[] {
  const session = useSession((state) => state)
  const devices = useDevices((state) => state.rows)
  const contactDevices = useDevices((state) => state.contactDevices)
  const compact = useShell((state) => state.compact)
  return useMemo(() => {
    const rows: Row[] = []
    for (const windowId of session.stack.toReversed()) {
      const window = session.windows[windowId]
      for (const tabId of window?.tabs ?? []) {
        const tab = session.tabs[tabId]
        if (!window || !tab) continue
        const Icon = APPS[tab.app.kind].icon
        const device = appDevice(tab.app)
        const activity = session.activities[window.activity]?.name
        rows.push({
          id: `tab:${tabId}`,
          group: 'Open',
          title: appTitle(tab.app),
          detail: [
            device && deviceNameOf({ rows: devices, contactDevices }, device),
            window.activity !== session.currentActivity && activity,
          ]
            .filter(Boolean)
            .join(' · '),
          icon: <Icon aria-hidden="true" />,
          run: () => showTab(tabId),
        })
      }
    }
    for (const app of Object.values(APPS)) {
      const Icon = app.icon
      rows.push({ id: `app:${app.kind}`, group: 'Apps', title: app.title, icon: <Icon aria-hidden="true" />, run: () => openApp(app.kind) })
    }
    for (const row of devices) {
      rows.push({
        id: `device:${row.deviceId}`,
        group: 'Devices',
        title: row.name,
        detail: STATE_WORDS[row.state],
        icon: <MonitorSmartphone aria-hidden="true" />,
        run: () => showDevices({ page: 'devices', device: row.deviceId }),
      })
    }
    for (const row of devices.filter(({ state }) => state === 'linked')) {
      for (const kind of ['terminal', 'files'] as const) {
        rows.push({
          id: `on:${row.deviceId}:${kind}`,
          group: 'Elsewhere',
          title: `${APPS[kind].title} on ${row.name}`,
          icon: <Laptop aria-hidden="true" />,
          run: () => openApp(kind, { device: row.deviceId, state: freshApp(kind, row.deviceId) }),
        })
      }
    }
    for (const id of session.activityOrder.filter((activity) => activity !== session.currentActivity)) {
      rows.push({
        id: `activity:${id}`,
        group: 'Activities',
        title: session.activities[id]?.name ?? '',
        icon: <Layers aria-hidden="true" />,
        run: () => void dispatch({ type: 'activity/switch', activityId: id }),
      })
    }
    for (const item of session.closed.slice(0, 10)) {
      rows.push({
        id: `closed:${item.id}`,
        group: 'Recently closed',
        title: item.title || 'Untitled',
        detail: item.kind,
        icon: <RotateCcw aria-hidden="true" />,
        run: () => reopen(item.id),
      })
    }
    for (const command of DESK_COMMANDS) {
      if (command.id === 'palette' || command.id.startsWith('tab-') || (compact && PLACING.has(command.id))) continue
      rows.push({
        id: `command:${command.id}`,
        group: 'Commands',
        title: command.title,
        keys: keysOf(command.id as CommandId),
        icon: command.id.includes('window') ? <AppWindow aria-hidden="true" /> : <Terminal aria-hidden="true" />,
        run: () => runCommand(command.id),
      })
    }
    return rows
  }, [session, devices, contactDevices, compact])
}

/** All words must occur, in any order; a title that starts with the text comes first. */
export function matching(rows: readonly Row[], text: string): readonly Row[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) {
    const seen = new Map<string, number>()
    return rows.filter((row) => {
      const count = (seen.get(row.group) ?? 0) + 1
      seen.set(row.group, count)
      return count <= FIRST_ROWS
    })
  }
  const scored = rows.flatMap((row) => {
    const title = row.title.toLowerCase()
    const whole = `${title} ${row.detail?.toLowerCase() ?? ''} ${row.group.toLowerCase()}`
    if (!words.every((word) => whole.includes(word))) return []
    const first = words[0] as string
    const score = title.startsWith(first) ? 0 : title.includes(` ${first}`) ? 1 : title.includes(first) ? 2 : 3
    return [{ row, score }]
  })
  return scored
    .sort((a, b) => a.score - b.score)
    .slice(0, MAX_ROWS)
    .map(({ row }) => row)
}

function groupsOf(rows: readonly Row[]): readonly (readonly [string, readonly Row[]])[] {
  const groups = new Map<string, Row[]>()
  for (const row of rows) groups.set(row.group, [...(groups.get(row.group) ?? []), row])
  return [...groups]
}
