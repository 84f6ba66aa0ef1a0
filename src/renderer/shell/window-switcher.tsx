import { useEffect, useRef } from 'react'
import type { WindowId } from '../../session/session-ids.ts'
import { APPS } from '../apps/app-registry.ts'
import { sessionNow, useSession } from '../desk/desk-store.ts'
import { Thumbnail } from '../window/thumbnail.tsx'
import { windowTitle } from '../window/window-menus.tsx'
import { finishSwitching } from './commands.ts'
import { focusedWindow } from '../window/use-places.ts'
import { setShell, type ShellSlice, useShell } from '../desk/shell-store.ts'
import { cardsShown } from './switcher-cards.ts'
import './palette.css'

/** Pictures of the windows in the order they were used last. Keys are handled in keyboard.ts. */
export function WindowSwitcher() {
  const switcher = useShell((state) => state.switcher)
  return switcher ? <Cards switcher={switcher} /> : null
}

/** Has the keyboard while it is open, so that a screen reader says where it points (rule AP78). */
function Cards({ switcher: { order, at } }: { switcher: NonNullable<ShellSlice['switcher']> }) {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const before = document.activeElement
    box.current?.focus({ preventScroll: true })
    return () => {
      if (!(before instanceof HTMLElement) || !before.isConnected) return
      // Another window was chosen: it takes the keyboard itself, and must not lose its place in front to this one.
      const window = before.closest<HTMLElement>('[data-window]')?.dataset['window']
      if (window === undefined || window === focusedWindow(sessionNow())) before.focus({ preventScroll: true })
    }
  }, [])
  useEffect(() => {
    box.current?.querySelector(`#switch-${at}`)?.scrollIntoView({ block: 'nearest' })
  }, [at])
  const { from, to } = cardsShown(order.length, at)
  return (
    <div ref={box} className="switcher" role="listbox" aria-label="Windows" aria-activedescendant={`switch-${at}`} tabIndex={-1}>
      {order.slice(from, to).map((windowId, index) => (
        <Card key={windowId} windowId={windowId} index={from + index} of={order.length} selected={from + index === at} />
      ))}
    </div>
  )
}

function Card({ windowId, index, of, selected }: { windowId: WindowId; index: number; of: number; selected: boolean }) {
  const kind = useSession((session) => {
    const window = session.windows[windowId]
    return window && session.tabs[window.activeTab]?.app.kind
  })
  if (!kind) return null
  const Icon = APPS[kind].icon
  return (
    <div
      className="switcher-card"
      role="option"
      id={`switch-${index}`}
      aria-posinset={index + 1}
      aria-setsize={of}
      aria-selected={selected}
      onPointerEnter={() => {
        const { switcher } = useShell.getState()
        if (switcher) setShell({ switcher: { ...switcher, at: index } })
      }}
      onClick={() => finishSwitching(true)}
    >
      <Thumbnail windowId={windowId} width={200} height={128} />
      <span>
        <Icon aria-hidden="true" />
        {windowTitle(windowId)}
      </span>
    </div>
  )
}
