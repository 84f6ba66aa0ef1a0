import { useEffect, useLayoutEffect, useMemo, useState } from 'react'
import { systemClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import { deskSession } from '../desk/app-desk.ts'
import { DeskSession } from '../desk/desk-session.ts'
import { useDesk } from '../desk/desk-store.ts'
import { setCompact } from '../desk/shell-store.ts'
import { Dock } from '../dock/dock.tsx'
import { ElsewhereDock } from '../dock/elsewhere-dock.tsx'
import { JobCardStack } from '../dock/job-card-stack.tsx'
import { useTypingWindows } from '../dock/typing-windows.ts'
import { followNativeTabs } from '../native/native-tabs.ts'
import { takeFirstAim } from '../screens/first-aim.ts'
import { watchKeys } from '../window/key-moves.ts'
import { WindowLayer } from '../window/window-layer.tsx'
import { Banners } from './banners.tsx'
import { CompactDesk } from './compact-desk.tsx'
import { DeskEmpty } from './desk-empty.tsx'
import { listenForKeys } from './keyboard.ts'
import { Notifications, useMessageToasts } from './notifications.tsx'
import { openApp } from '../window/open-app.ts'
import { PaletteHost } from './palette-host.tsx'
import { TopBar } from './top-bar.tsx'
import { useAutoLock, useInputReports } from './use-input.ts'
import { useCompact } from './use-compact.ts'
import { useDeskLook } from './use-desk-look.ts'
import { WindowSwitcher } from './window-switcher.tsx'
import './desk.css'

/** The session of this page. Made while the display is locked it hears of the unlock itself, and asks for the workspace at once. */
export const sessionOfPage = () => deskSession(() => new DeskSession(systemClock, systemRandom))

/** The unlocked desk. Its own chunk, fetched while the lock screen is read. */
export default function Desk() {
  const [session] = useState(sessionOfPage)
  const loaded = useDesk((state) => state.session !== undefined)
  useEffect(() => session.start(), [session])
  return loaded ? <OpenDesk session={session} /> : <div className="desk-wall" />
}

function OpenDesk({ session }: { session: DeskSession }) {
  const compact = useCompact()
  const resize = useMemo(() => session.resize.bind(session), [session])
  const wallpaper = useDeskLook()
  useLayoutEffect(() => setCompact(compact), [compact])
  useInputReports()
  useAutoLock()
  useMessageToasts()
  useTypingWindows()
  useEffect(() => {
    const unwatch = watchKeys()
    const keys = listenForKeys()
    return () => {
      keys.dispose()
      unwatch()
    }
  }, [])
  useEffect(() => {
    const views = followNativeTabs()
    return () => views?.dispose()
  }, [])
  useEffect(() => {
    if (takeFirstAim() === 'join') openApp('devices')
    // Two frames on, the desk with its focused window is on the screen.
    requestAnimationFrame(() => requestAnimationFrame(() => performance.mark('elsewhere:first-frame')))
  }, [])

  if (compact) {
    return (
      <div className="desk desk-wall" style={wallpaper} data-compact="">
        <CompactDesk onResize={resize} />
        <WindowSwitcher />
        <Notifications />
        <PaletteHost />
      </div>
    )
  }
  return (
    <div className="desk desk-wall" style={wallpaper}>
      <TopBar />
      <Banners />
      <main className="desk-middle" aria-label="Desk">
        <Dock />
        <div className="desk-centre">
          <DeskEmpty />
          <WindowLayer onResize={resize} />
          <JobCardStack />
        </div>
        <ElsewhereDock />
      </main>
      <WindowSwitcher />
      <Notifications />
      <PaletteHost />
    </div>
  )
}
