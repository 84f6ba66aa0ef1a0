import { Plus } from 'lucide-react'
import { type KeyboardEvent, memo, useEffect, useRef, useState } from 'react'
import { useShallow } from 'zustand/react/shallow'
import type { AppKind } from '../../session/app-state.ts'
import type { WindowId } from '../../session/session-ids.ts'
import type { SessionState } from '../../session/session-state.ts'
import { type AppDefinition, APPS } from '../apps/app-registry.ts'
import { dispatch, sessionNow, useSession } from '../desk/desk-store.ts'
import { closeWindow } from '../window/closing.ts'
import { openApp } from '../window/open-app.ts'
import { type MenuEntry, openContextMenu } from '../ui/menu.tsx'
import { Thumbnail } from '../window/thumbnail.tsx'
import { focusedWindow } from '../window/use-places.ts'
import { windowTitle } from '../window/window-menus.tsx'
import './dock.css'

/** Rest on an item this long and its windows are shown; as long again outside, and they go. */
const PREVIEW_DELAY_MS = 250
const PREVIEW_LEAVE_MS = 180

/** Windows of this activity whose front tab is of a kind, oldest first. */
export const windowsOf = (session: SessionState, kind: AppKind): WindowId[] =>
  session.stack.filter((id) => {
    const window = session.windows[id]
    return window?.activity === session.currentActivity && session.tabs[window.activeTab]?.app.kind === kind
  })

/** Apps and the windows of this activity, grouped by app. Arrow keys go along. */
export const Dock = memo(function Dock() {
  const kinds = useSession(
    useShallow((session) =>
      Object.values(APPS)
        .filter(({ kind }) => kind !== 'welcome' || windowsOf(session, kind).length > 0)
        .map(({ kind }) => kind),
    ),
  )
  const [preview, setPreview] = useState<{ kind: AppKind; top: number }>()
  const timer = useRef(0)
  useEffect(() => () => clearTimeout(timer.current), [])

  const later = (next: typeof preview, delayMs: number) => {
    clearTimeout(timer.current)
    timer.current = window.setTimeout(() => setPreview(next), delayMs)
  }
  return (
    <nav
      className="dock"
      aria-label="Apps and windows"
      onKeyDown={stepFocus}
      onPointerLeave={() => later(undefined, PREVIEW_LEAVE_MS)}
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && later(undefined, PREVIEW_LEAVE_MS)}
    >
      <ul className="dock-items">
        {kinds.map((kind) => (
          <DockItem
            key={kind}
            app={APPS[kind]}
            onRest={(top) => later({ kind, top }, preview ? 0 : PREVIEW_DELAY_MS)}
            onPress={() => later(undefined, 0)}
          />
        ))}
      </ul>
      {preview && (
        <DockPreview kind={preview.kind} top={preview.top} onDone={() => later(undefined, 0)} onStay={() => clearTimeout(timer.current)} />
      )}
    </nav>
  )
})

function DockItem({ app, onRest, onPress }: { app: AppDefinition; onRest: (top: number) => void; onPress: () => void }) {
  const windows = useSession(useShallow((session) => windowsOf(session, app.kind)))
  const active = useSession((session) => {
    const focused = focusedWindow(session)
    return focused !== undefined && windows.includes(focused)
  })
  const Icon = app.icon
  const count = windows.length
  const words = count === 0 ? app.title : `${app.title}, ${count} ${count === 1 ? 'window' : 'windows'}`
  return (
    <li>
      <button
        type="button"
        className="dock-item"
        data-active={active || undefined}
        data-dock-app={app.kind}
        data-tip={count === 0 ? app.title : undefined}
        data-tip-side="right"
        aria-label={words}
        onPointerEnter={(event) => event.pointerType === 'mouse' && onRest(event.currentTarget.getBoundingClientRect().top)}
        onContextMenu={(event) => openContextMenu(event, app.title, dockMenu(app, windows))}
        onClick={() => {
          onPress()
          pressItem(app, windows)
        }}
      >
        <Icon aria-hidden="true" />
        <span className="dock-marks" aria-hidden="true">
          {windows.slice(0, 3).map((id) => (
            <i key={id} />
          ))}
        </span>
      </button>
    </li>
  )
}

/** Nothing open: opens one. Open: comes to the front; already there: goes to the next one, or out of the way if it is the only one. */
function pressItem(app: AppDefinition, windows: readonly WindowId[]): void {
  if (windows.length === 0) return openApp(app.kind)
  const session = sessionNow()
  const focused = focusedWindow(session)
  const next = windows.includes(focused as WindowId) ? windows[0] : windows.at(-1)
  if (!next) return
  if (next === focused) dispatch({ type: 'window/minimise', windowId: next })
  else showWindow(next)
}

function showWindow(windowId: WindowId): void {
  if (sessionNow().windows[windowId]?.minimised) dispatch({ type: 'window/restore', windowId })
  dispatch({ type: 'window/focus', windowId })
}

function dockMenu(app: AppDefinition, windows: readonly WindowId[]): readonly MenuEntry[] {
  return [
    {
      label: app.single && windows.length > 0 ? `Show ${app.title}` : `New ${app.title} window`,
      icon: <Plus aria-hidden="true" />,
      onSelect: () => openApp(app.kind),
    },
    'separator',
    ...windows.map((id) => ({ label: windowTitle(id), onSelect: () => showWindow(id) })),
    'separator',
    windows.length > 0 && {
      label: windows.length === 1 ? 'Close window' : `Close ${windows.length} windows`,
      danger: true,
      onSelect: () => windows.forEach(closeWindow),
    },
  ]
}

function DockPreview(props: { kind: AppKind; top: number; onDone: () => void; onStay: () => void }) {
  const windows = useSession(useShallow((session) => windowsOf(session, props.kind)))
  if (windows.length === 0) return null
  return (
    <div
      className="dock-preview"
      style={{ top: Math.max(8, Math.min(props.top - 8, innerHeight - 200)) }}
      onPointerEnter={props.onStay}
      role="group"
      aria-label={`Windows of ${APPS[props.kind].title}`}
    >
      {windows
        .toReversed()
        .slice(0, 6)
        .map((id) => (
          <PreviewCard key={id} windowId={id} onDone={props.onDone} />
        ))}
    </div>
  )
}

function PreviewCard({ windowId, onDone }: { windowId: WindowId; onDone: () => void }) {
  const minimised = useSession((session) => session.windows[windowId]?.minimised ?? false)
  return (
    <button
      type="button"
      className="preview-card"
      onClick={() => {
        onDone()
        showWindow(windowId)
      }}
    >
      <Thumbnail windowId={windowId} width={184} height={116} />
      <span className="preview-title">
        {windowTitle(windowId)}
        {minimised && <small> (minimised)</small>}
      </span>
    </button>
  )
}

/** Arrow keys in a dock: up and down (or left and right where it lies along the bottom). */
export function stepFocus(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key]
  if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return
  const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>('button:not(:disabled)')]
  const at = buttons.indexOf(document.activeElement as HTMLElement)
  const next = buttons[(at + step + buttons.length) % buttons.length]
  if (at < 0 || !next) return
  event.preventDefault()
  next.focus()
}
