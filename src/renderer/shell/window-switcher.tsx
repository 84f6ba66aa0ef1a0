import { useEffect, useRef } from 'react'
import type { WindowId } from '../../session/session-ids.ts'
import { APPS } from '../apps/app-registry.ts'
import { useSession } from '../desk/desk-store.ts'
import { Thumbnail } from '../window/thumbnail.tsx'
import { windowTitle } from '../window/window-menus.tsx'
import { finishSwitching } from './commands.ts'
import { setShell, useShell } from '../desk/shell-store.ts'
import './palette.css'

/** Most windows shown as pictures at once; the rest follow as one scrolls. */
const MAX_CARDS = 40

/** Pictures of the windows in the order they were used last. Keys are handled in keyboard.ts. */
export function WindowSwitcher() {
  const switcher = useShell((state) => state.switcher)
  const box = useRef<HTMLDivElement>(null)
  const at = switcher?.at
  useEffect(() => {
    if (at !== undefined) box.current?.children[at]?.scrollIntoView({ block: 'nearest' })
  }, [at])
  if (!switcher) return null
  return (
    <div ref={box} className="switcher" role="listbox" aria-label="Windows" aria-activedescendant={`switch-${switcher.at}`} tabIndex={-1}>
      {switcher.order.slice(0, MAX_CARDS).map((windowId, index) => (
        <Card key={windowId} windowId={windowId} index={index} selected={index === switcher.at} />
      ))}
    </div>
  )
}

function Card({ windowId, index, selected }: { windowId: WindowId; index: number; selected: boolean }) {
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
