import { Bell, Search } from 'lucide-react'
import { memo } from 'react'
import { useDesk, useSession } from '../desk/desk-store.ts'
import { useDevices } from '../desk/devices-store.ts'
import { useDoor } from '../desk/door-store.ts'
import { isUnread, useMessages } from '../desk/messages-store.ts'
import { clockText, dayText } from '../screens/plain-time.ts'
import { useMinute } from '../screens/use-now.ts'
import { Dot } from '../ui/dot.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { MenuButton, type MenuEntry } from '../ui/menu.tsx'
import { shortcutText } from '../ui/shortcut-text.ts'
import { ActivitySwitcher } from './activity-switcher.tsx'
import { lockDisplay, runCommand } from './commands.ts'
import { keysOf, useKeys } from '../desk/keymap-store.ts'
import { openApp } from '../window/open-app.ts'
import { setShell, useShell } from '../desk/shell-store.ts'
import './top-bar.css'

/** The one bar: activity, one field for everything, the devices I am linked with, clock, me. Nothing in it blinks. */
export const TopBar = memo(function TopBar() {
  const paletteKeys = useKeys('palette')
  return (
    <header className="top-bar">
      <ActivitySwitcher />
      <button type="button" className="top-search" aria-haspopup="dialog" onClick={() => setShell({ palette: true })}>
        <Search aria-hidden="true" />
        <span>Command or search…</span>
        {paletteKeys && <kbd>{shortcutText(paletteKeys)}</kbd>}
      </button>
      <div className="top-right">
        <LinkedDevices />
        <MessagesButton />
        <Clock />
        <Me />
      </div>
    </header>
  )
})

/** What remains of the bar on a small screen: all but the names (rule AP73). */
export function CompactCorner() {
  return (
    <>
      <LinkedDevices />
      <Clock />
      <IconButton label="Command or search" icon={<Search aria-hidden="true" />} onClick={() => setShell({ palette: true })} />
      <MessagesButton />
      <Me />
    </>
  )
}

function LinkedDevices() {
  const rows = useDevices((state) => state.rows)
  const link = useDoor((state) => state.link)
  const others = rows.filter((row) => row.state !== 'self' && row.state !== 'away')
  const words =
    link !== 'open'
      ? 'The device process is not answering'
      : others.length === 0
        ? 'No other device is linked'
        : `Linked with ${others.map((row) => row.name).join(', ')}`
  return (
    <button type="button" className="top-links" data-tip={words} aria-label={words} onClick={() => openApp('devices')}>
      {link !== 'open' ? (
        <span>
          <Dot meaning="moving" hollow /> reconnecting
        </span>
      ) : others.length === 0 ? (
        <span>
          <Dot hollow /> only here
        </span>
      ) : (
        others.slice(0, 3).map((row) => (
          <span key={row.deviceId}>
            <Dot meaning={row.state === 'linked' ? 'safe' : 'moving'} hollow={row.state !== 'linked'} />{' '}
            <span className="top-link-name">{row.name}</span>
          </span>
        ))
      )}
      {others.length > 3 && <span>+{others.length - 3}</span>}
    </button>
  )
}

function MessagesButton() {
  const open = useShell((state) => state.notificationsOpen)
  const keys = useKeys('notifications')
  const marks = useSession((session) => session.notifications)
  const unread = useMessages((state) => state.messages.filter((message) => isUnread(message, marks)).length)
  return (
    <span className="top-messages" data-unread={unread > 0 || undefined}>
      <IconButton
        size="small"
        label={unread > 0 ? `Messages, ${unread} new` : 'Messages'}
        shortcut={keys}
        aria-expanded={open}
        icon={<Bell aria-hidden="true" />}
        onClick={() => setShell({ notificationsOpen: !open })}
      />
    </span>
  )
}

function Clock() {
  const now = useMinute()
  return (
    <time className="top-clock numbers" data-tip={dayText(now)}>
      {clockText(now)}
    </time>
  )
}

function Me() {
  const name = useDoor((state) => state.door?.personName ?? 'Me')
  return (
    <MenuButton label={`${name}: menu`} className="top-me" align="end" entries={() => meMenu(name)}>
      {[...name][0]?.toUpperCase()}
    </MenuButton>
  )
}

function meMenu(name: string): readonly MenuEntry[] {
  const { deviceName } = useDesk.getState()
  return [
    { heading: `${name} on ${deviceName}` },
    { label: 'Lock this display', shortcut: keysOf('lock'), onSelect: () => void lockDisplay() },
    'separator',
    { label: 'Devices', onSelect: () => openApp('devices') },
    { label: 'Settings', onSelect: () => openApp('settings') },
    { label: 'Switch between light and dark', onSelect: () => runCommand('theme') },
    { label: 'Show the welcome window', onSelect: () => openApp('welcome') },
  ]
}
