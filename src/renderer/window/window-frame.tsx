import { Maximize2, Minimize2, Minus, Pin, X } from 'lucide-react'
import {
  Component,
  type HTMLAttributes,
  memo,
  type PointerEvent,
  type ReactNode,
  Suspense,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import { useShallow } from 'zustand/react/shallow'
import { type AppState, appTitle } from '../../session/app-state.ts'
import type { TabId, WindowId } from '../../session/session-ids.ts'
import { placeInClass } from '../../session/place.ts'
import { APPS } from '../apps/app-registry.ts'
import { dispatch, sessionNow, useDesk, useSession } from '../desk/desk-store.ts'
import { closeWindow } from './closing.ts'
import { useKeys } from '../desk/keymap-store.ts'
import { Button } from '../ui/button.tsx'
import { ErrorState } from '../ui/error-state.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { openContextMenu } from '../ui/menu.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { DeviceBadge } from './device-badge.tsx'
import { frameStyle, registerFrame } from './frame-elements.ts'
import { movedByKey } from './key-moves.ts'
import { panelElementId, TabStrip, tabElementId } from './tab-strip.tsx'
import { focusedWindow, windowRect } from './use-places.ts'
import { dragWindow, resizeWindow } from './window-drag.ts'
import { RESIZE_EDGES } from './window-geometry.ts'
import { windowMenu } from './window-menus.tsx'

interface WindowFrameProps {
  readonly windowId: WindowId
  readonly live: boolean
  readonly plain?: boolean
  readonly compact?: boolean
  readonly arrives?: boolean
  readonly titleHandlers?: HTMLAttributes<HTMLElement>
}

/**
 * Chrome around one window: tabs in the title bar, where it is, buttons, edges. Keeps no state: it reads a slice of the
 * session and sends commands back.
 *
 * @param live   its front tab is mounted
 * @param compact  it fills a small screen: nothing of it is dragged, `titleHandlers` say what its title bar does instead
 * @param plain  nothing of it can be seen: it is drawn with its title alone, for the moment something in front is dragged away
 * @param arrives  it comes onto a desk that is already there: it fades in. Counts when it is mounted.
 */
export const WindowFrame = memo(function WindowFrame(props: WindowFrameProps) {
  const { windowId, live, plain, compact, titleHandlers } = props
  const [arrives] = useState(props.arrives)
  const element = useRef<HTMLElement>(null)
  const frame = useSession(
    useShallow((session) => {
      const window = session.windows[windowId]
      const tab = window && session.tabs[window.activeTab]
      return (
        window &&
        tab && {
          depth: session.stack.indexOf(windowId),
          active: focusedWindow(session) === windowId,
          pinned: window.pinned,
          activeTab: window.activeTab,
          title: appTitle(tab.app),
        }
      )
    }),
  )
  const rect = useDesk(
    useShallow((state) => {
      const window = state.session?.windows[windowId]
      return window && windowRect(window, state.displayClass, state.desk)
    }),
  )
  const zone = useDesk((state) => {
    const window = state.session?.windows[windowId]
    return window ? placeInClass(window.places, state.displayClass).zone : 'none'
  })

  useLayoutEffect(() => (element.current ? registerFrame(windowId, element.current) : undefined), [windowId])

  const active = frame?.active ?? false
  useEffect(() => {
    const node = element.current
    if (active && live && node && !node.contains(document.activeElement) && deskHasFocus()) node.focus({ preventScroll: true })
  }, [active, live])

  if (!frame || !rect) return null // another display closed it while this frame was mounted

  // Only what the person does here brings a window to the front everywhere (rule AP163); a focus alone may be an app's, and late.
  const focus = () => {
    if (focusedWindow(sessionNow()) !== windowId) dispatch({ type: 'window/focus', windowId })
  }
  const maximised = zone === 'maximised'
  return (
    <section
      ref={element}
      className="window"
      role="dialog"
      aria-label={frame.title}
      data-window={windowId}
      data-active={frame.active || undefined}
      data-zone={zone}
      data-arrives={arrives || undefined}
      tabIndex={-1}
      style={compact ? undefined : { ...frameStyle(rect), zIndex: frame.depth }}
      onPointerDownCapture={focus}
      onFocusCapture={() => movedByKey() && focus()}
      onKeyDownCapture={focus}
      onInputCapture={focus}
    >
      <header
        className="title-bar"
        onPointerDown={(event) => isTitle(event) && dragWindow(event.nativeEvent, windowId)}
        onDoubleClick={(event) =>
          !compact && isTitle(event) && dispatch({ type: maximised ? 'window/restore' : 'window/maximise', windowId })
        }
        onContextMenu={(event) => openContextMenu(event, `Window ${frame.title}`, windowMenu(windowId))}
        {...titleHandlers}
      >
        {plain ? (
          <span className="title-plain">{frame.title}</span>
        ) : (
          <>
            <TabStrip windowId={windowId} still={compact} />
            {frame.pinned && <Pin className="title-pin" aria-label="Kept on top" />}
            <DeviceBadge windowId={windowId} />
            <WindowButtons windowId={windowId} title={frame.title} maximised={maximised} />
          </>
        )}
      </header>
      <div
        className="window-body"
        role="tabpanel"
        id={panelElementId(windowId)}
        aria-labelledby={plain ? undefined : tabElementId(frame.activeTab)}
      >
        {live && <WindowBody key={frame.activeTab} windowId={windowId} tabId={frame.activeTab} active={frame.active} />}
      </div>
      {!compact &&
        !maximised &&
        !plain &&
        RESIZE_EDGES.map((edge) => (
          <div
            key={edge}
            className="window-edge"
            data-edge={edge}
            onPointerDown={(event) => {
              event.stopPropagation()
              resizeWindow(event.nativeEvent, windowId, edge)
            }}
          />
        ))}
    </section>
  )
})

/** True unless something over the desk (a dialog, the palette, a field of the top bar) has the keyboard. */
function deskHasFocus(): boolean {
  const at = document.activeElement
  return !at || at === document.body || at.closest('[data-desk-area]') !== null
}

/** A press on the bar itself, not on what lies in it. */
const isTitle = (event: { target: EventTarget; button: number }): boolean =>
  event.button === 0 && event.target instanceof Element && event.target.closest('button, [role=tab]') === null

const WindowButtons = memo(function WindowButtons(props: { windowId: WindowId; title: string; maximised: boolean }) {
  const { windowId, title, maximised } = props
  const keys = { minimise: useKeys('minimise'), maximise: useKeys('maximise'), close: useKeys('close-window') }
  const stop = (event: PointerEvent) => event.stopPropagation()
  return (
    <div className="window-buttons" role="toolbar" aria-label={`Window ${title}`} onPointerDown={stop}>
      <IconButton
        size="small"
        label="Minimise"
        shortcut={keys.minimise}
        icon={<Minus aria-hidden="true" />}
        onClick={() => dispatch({ type: 'window/minimise', windowId })}
      />
      <IconButton
        size="small"
        label={maximised ? 'Restore' : 'Maximise'}
        shortcut={keys.maximise}
        icon={maximised ? <Minimize2 aria-hidden="true" /> : <Maximize2 aria-hidden="true" />}
        onClick={() => dispatch({ type: maximised ? 'window/restore' : 'window/maximise', windowId })}
      />
      <IconButton
        size="small"
        danger
        label="Close window"
        shortcut={keys.close}
        icon={<X aria-hidden="true" />}
        onClick={() => closeWindow(windowId)}
      />
    </div>
  )
})

/** The front tab's app. Only this is mounted; other tabs are only titles. */
const WindowBody = memo(function WindowBody({ windowId, tabId, active }: { windowId: WindowId; tabId: TabId; active: boolean }) {
  const app = useSession((session) => session.tabs[tabId]?.app)
  if (!app) return null
  const { component: App, title } = APPS[app.kind]
  const setState = (change: Partial<AppState>) => {
    const current = sessionNow().tabs[tabId]?.app
    if (current) dispatch({ type: 'tab/set-state', tabId, app: { ...current, ...change } as AppState })
  }
  return (
    <AppBoundary title={title}>
      <Suspense fallback={<Skeleton label={`Opening ${title}`} />}>
        <App windowId={windowId} tabId={tabId} state={app as never} setState={setState} active={active} visible />
        <MountedMark />
      </Suspense>
    </AppBoundary>
  )
})

/** Marks that an app's content is in the page: the bench reads these. */
function MountedMark() {
  useEffect(() => {
    performance.mark('elsewhere:app-mounted')
  }, [])
  return null
}

/** One app that fails does not take the desk with it. */
class AppBoundary extends Component<{ title: string; children: ReactNode }, { error: unknown }> {
  override state = { error: undefined as unknown }
  static getDerivedStateFromError(error: unknown) {
    return { error }
  }
  override render() {
    if (this.state.error === undefined) return this.props.children
    return (
      <ErrorState
        title={`${this.props.title} stopped working`}
        error={this.state.error}
        safe="The tab and what it holds are kept; other windows are not affected."
        action={<Button onClick={() => this.setState({ error: undefined })}>Open it again</Button>}
      />
    )
  }
}
