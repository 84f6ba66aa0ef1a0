import { AppWindow, Layers, LayoutGrid, MonitorSmartphone, X } from 'lucide-react'
import { useRef } from 'react'
import { useShallow } from 'zustand/react/shallow'
import { appDevice, appTitle } from '../../session/app-state.ts'
import type { DeskSize } from '../../session/display-class.ts'
import type { TabId, WindowId } from '../../session/session-ids.ts'
import { APPS } from '../apps/app-registry.ts'
import { dispatch, sessionNow, useSession } from '../desk/desk-store.ts'
import { deviceNameOf, useDevices } from '../desk/devices-store.ts'
import { JobCardStack } from '../dock/job-card-stack.tsx'
import { ElsewhereTiles } from '../dock/elsewhere-tiles.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { useDeskArea } from '../window/use-desk-area.ts'
import { focusedWindow, shownWindows } from '../window/use-places.ts'
import { WindowFrame } from '../window/window-frame.tsx'
import { ActivitySwitcher } from './activity-switcher.tsx'
import { Banners } from './banners.tsx'
import { closeTab } from '../window/closing.ts'
import { DeskEmpty } from './desk-empty.tsx'
import { openApp, showTab } from '../window/open-app.ts'
import { besideOf, keepOrder, useSwipe } from './use-swipe.ts'
import { setShell, type ShellSlice, useShell } from '../desk/shell-store.ts'
import { CompactCorner } from './top-bar.tsx'
import '../window/window.css'

const VIEWS: readonly (readonly [ShellSlice['compactView'], string, typeof AppWindow])[] = [
  ['window', 'Window', AppWindow],
  ['windows', 'Tabs', Layers],
  ['apps', 'Apps', LayoutGrid],
  ['elsewhere', 'Elsewhere', MonitorSmartphone],
]

/** Small screens: one window at a time, tabs as cards, docks as a bottom bar within reach of the thumb. */
export function CompactDesk({ onResize }: { onResize: (desk: DeskSize) => void }) {
  const view = useShell((state) => state.compactView)
  const stage = useRef<HTMLElement>(null)
  const shown = useSession((session) => focusedWindow(session) ?? shownWindows(session).at(-1))
  const count = useSession((session) =>
    session.stack.reduce((sum, id) => {
      const window = session.windows[id]
      return window?.activity === session.currentActivity ? sum + window.tabs.length : sum
    }, 0),
  )
  const order = useRef<readonly WindowId[]>([])
  const swipe = useSwipe((step) => {
    order.current = keepOrder(order.current, shownWindows(sessionNow()))
    const next = besideOf(order.current, shown, step)
    if (next) dispatch({ type: 'window/focus', windowId: next })
    setShell({ compactView: 'window' })
  })
  useDeskArea(stage, onResize)

  return (
    <>
      <header className="compact-bar">
        <ActivitySwitcher />
        <CompactCorner />
      </header>
      <Banners />
      <main ref={stage} className="compact-stage" aria-label="Desk">
        {view === 'window' && (
          <>
            <DeskEmpty />
            <div className="desk-area" data-desk-area="">
              {shown && <WindowFrame key={shown} windowId={shown} live compact titleHandlers={swipe} />}
            </div>
          </>
        )}
        {view === 'window' && <JobCardStack />}
        {view === 'windows' && <TabCards />}
        {view === 'apps' && <AppGrid />}
        {view === 'elsewhere' && <Elsewhere />}
      </main>
      <nav className="bottom-bar" aria-label="Views" {...swipe}>
        {VIEWS.map(([id, label, Icon]) => (
          <button key={id} type="button" aria-pressed={view === id} onClick={() => setShell({ compactView: id })}>
            <Icon aria-hidden="true" />
            {id === 'windows' && count > 0 ? `${label} (${count})` : label}
          </button>
        ))}
      </nav>
    </>
  )
}

function TabCards() {
  const tabs = useSession(
    useShallow((session) =>
      session.stack
        .toReversed()
        .filter((id) => session.windows[id]?.activity === session.currentActivity)
        .flatMap((id) => session.windows[id]?.tabs ?? []),
    ),
  )
  return (
    <section className="compact-list" aria-label="Open tabs">
      <h2>Open tabs</h2>
      <div className="tab-cards">
        {tabs.map((tabId) => (
          <TabCard key={tabId} tabId={tabId} />
        ))}
      </div>
    </section>
  )
}

function TabCard({ tabId }: { tabId: TabId }) {
  const app = useSession((session) => session.tabs[tabId]?.app)
  const front = useSession((session) => {
    const focused = focusedWindow(session)
    return focused !== undefined && session.windows[focused]?.activeTab === tabId
  })
  const device = useDevices((state) => (app && appDevice(app) ? deviceNameOf(state, appDevice(app) as string) : ''))
  if (!app) return null
  const Icon = APPS[app.kind].icon
  return (
    <div className="tab-card" data-front={front || undefined}>
      <button type="button" className="tab-card-open" onClick={() => showTab(tabId)}>
        <span className="tab-card-head">
          <span>{appTitle(app)}</span>
        </span>
        <span className="tab-card-sign">
          <Icon aria-hidden="true" />
          {device}
        </span>
      </button>
      <IconButton label={`Close ${appTitle(app)}`} icon={<X aria-hidden="true" />} onClick={() => closeTab(tabId)} />
    </div>
  )
}

function AppGrid() {
  return (
    <section className="compact-list" aria-label="Apps">
      <h2>Apps</h2>
      <div className="app-grid">
        {Object.values(APPS).map(({ kind, title, icon: Icon }) => (
          <button key={kind} type="button" className="desk-empty-app" onClick={() => openApp(kind)}>
            <Icon aria-hidden="true" />
            {title}
          </button>
        ))}
      </div>
    </section>
  )
}

const Elsewhere = () => (
  <section className="compact-list" aria-label="Elsewhere: your devices">
    <h2>Elsewhere</h2>
    <div data-open="">
      <ElsewhereTiles open />
    </div>
  </section>
)
