import { Plus, X } from 'lucide-react'
import { type KeyboardEvent, memo, useLayoutEffect, useRef } from 'react'
import { useShallow } from 'zustand/react/shallow'
import { appTitle } from '../../session/app-state.ts'
import type { TabId, WindowId } from '../../session/session-ids.ts'
import { APPS } from '../apps/app-registry.ts'
import { dispatch, useSession } from '../desk/desk-store.ts'
import { useDevices } from '../desk/devices-store.ts'
import { useTabIcon } from '../native/native-tabs.ts'
import { closeTab } from './closing.ts'
import { useKeys } from '../desk/keymap-store.ts'
import { openTab } from './open-app.ts'
import { Dot } from '../ui/dot.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { openContextMenu } from '../ui/menu.tsx'
import { dragTab } from './tab-drag.ts'
import { tabSafety } from './tab-safety.ts'
import { tabMenu } from './window-menus.tsx'

export const tabElementId = (tabId: TabId) => `tab-${tabId}`
export const panelElementId = (windowId: WindowId) => `panel-${windowId}`

/** The tabs of a window, living in its title bar. Arrow keys go along, Delete closes, a drag moves (unless they are `still`: on a small screen). */
export const TabStrip = memo(function TabStrip({ windowId, still }: { windowId: WindowId; still?: boolean | undefined }) {
  const tabs = useSession((session) => session.windows[windowId]?.tabs)
  const activeTab = useSession((session) => session.windows[windowId]?.activeTab)
  const newTabKeys = useKeys('new-tab')
  const list = useRef<HTMLDivElement>(null)
  // More tabs than fit scroll; the one in front is always in sight.
  const several = (tabs?.length ?? 0) > 1
  useLayoutEffect(() => {
    if (!several) return // asking would lay the page out
    const [strip, tab] = [list.current, activeTab && document.getElementById(tabElementId(activeTab))]
    if (!strip || !tab || strip.scrollWidth <= strip.clientWidth) return
    if (tab.offsetLeft < strip.scrollLeft) strip.scrollLeft = tab.offsetLeft
    else strip.scrollLeft = Math.max(strip.scrollLeft, tab.offsetLeft + tab.offsetWidth - strip.clientWidth)
  }, [activeTab, several])
  if (!tabs || !activeTab) return null

  const handleKey = (event: KeyboardEvent<HTMLDivElement>) => {
    const at = tabs.indexOf(activeTab)
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key]
    if (event.key === 'Delete') {
      event.preventDefault()
      closeTab(activeTab)
    }
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    const tabId = tabs[(to + tabs.length) % tabs.length]
    if (!tabId) return
    dispatch({ type: 'tab/activate', tabId })
    requestAnimationFrame(() => document.getElementById(tabElementId(tabId))?.focus())
  }

  return (
    <div className="tab-strip" data-tab-strip={windowId} data-single={tabs.length === 1 || undefined}>
      <div
        ref={list}
        className="tab-list"
        role="tablist"
        aria-label="Tabs"
        onKeyDown={handleKey}
        onWheel={(event) => {
          if (event.deltaX === 0) event.currentTarget.scrollLeft += event.deltaY
        }}
      >
        {tabs.map((tabId) => (
          <Tab key={tabId} tabId={tabId} windowId={windowId} selected={tabId === activeTab} still={still} />
        ))}
      </div>
      <IconButton
        className="tab-add"
        size="small"
        label="New tab"
        shortcut={newTabKeys}
        icon={<Plus aria-hidden="true" />}
        onClick={() => openTab(windowId)}
      />
    </div>
  )
})

const Tab = memo(function Tab(props: { tabId: TabId; windowId: WindowId; selected: boolean; still?: boolean | undefined }) {
  const { tabId, windowId, selected, still } = props
  const tab = useSession(
    useShallow((session) => {
      const record = session.tabs[tabId]
      return record && { title: appTitle(record.app), kind: record.app.kind, pinned: record.pinned }
    }),
  )
  const app = useSession((session) => session.tabs[tabId]?.app)
  const picture = useTabIcon(tabId)
  const linked = useDevices((state) => state.rows.filter((row) => row.state === 'linked').length)
  if (!tab || !app) return null
  const safety = tabSafety(app, linked)
  const Icon = APPS[tab.kind].icon
  return (
    <div
      className="tab"
      role="tab"
      id={tabElementId(tabId)}
      data-tab={tabId}
      data-selected={selected || undefined}
      data-tip={safety.words ? `${tab.title}: ${safety.words}` : tab.title}
      tabIndex={selected ? 0 : -1}
      aria-selected={selected}
      aria-controls={selected ? panelElementId(windowId) : undefined}
      aria-label={safety.words ? `${tab.title}, ${safety.words}` : tab.title}
      onPointerDown={(event) => {
        if (event.button !== 0 || (event.target as Element).closest('.tab-close')) return
        if (!selected) dispatch({ type: 'tab/activate', tabId })
        if (still) return
        event.stopPropagation()
        dragTab(event.nativeEvent, tabId, event.currentTarget)
      }}
      onAuxClick={(event) => {
        if (event.button === 1) closeTab(tabId)
      }}
      onContextMenu={(event) => openContextMenu(event, `Tab ${tab.title}`, tabMenu(tabId))}
    >
      {picture ? <img className="tab-picture" src={picture} alt="" draggable={false} /> : <Icon aria-hidden="true" />}
      <span className="tab-title">{tab.title}</span>
      {safety.state === 'unsaved' && <Dot meaning="unsafe" hollow />}
      {/* For the pointer only: by keyboard Delete closes, and the menu says so. */}
      {!tab.pinned && (
        <span className="tab-close" aria-hidden="true" onClick={() => closeTab(tabId)}>
          <X aria-hidden="true" />
        </span>
      )}
    </div>
  )
})
