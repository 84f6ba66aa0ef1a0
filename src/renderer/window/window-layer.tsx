import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { useShallow } from 'zustand/react/shallow'
import type { WindowId } from '../../session/session-ids.ts'
import type { SessionState } from '../../session/session-state.ts'
import type { DeskSize } from '../../session/display-class.ts'
import { deskNow, useDesk } from '../desk/desk-store.ts'
import { useRemoteDrags } from '../desk/remote-drags.ts'
import { frameElement, paintFrame } from './frame-elements.ts'
import { KeyboardMode } from './keyboard-mode.tsx'
import { SnapPreview } from './snap-preview.tsx'
import { focusedWindow, shownInFixedOrder, shownWindows, windowRect, windowRectNow } from './use-places.ts'
import { type SeenPart, seenParts } from './window-geometry.ts'
import { WindowFrame } from './window-frame.tsx'
import './window.css'

/** Windows whose content is mounted in one go after the focused one; more would hold up the first frame. */
const MOUNT_STEP = 2
/** Covered windows that stay mounted, so that going back and forth is instant; beyond that the longest unseen goes. */
const KEEP_COVERED = 8
/** More contents than this are not mounted at once, whatever can be seen: the hindmost wait until they come forward. */
const MAX_LIVE = 32

/**
 * The desk area with its windows. Frames of all shown windows are there; content only of those of which something can
 * be seen, the focused one first, the rest a few a frame.
 */
export function WindowLayer({ onResize }: { onResize: (desk: DeskSize) => void }) {
  const area = useRef<HTMLDivElement>(null)
  const ids = useDesk(useShallow(shownInFixedOrder))
  const { live, seen } = useLiveWindows()

  useLayoutEffect(() => {
    const node = area.current
    if (!node) return
    const measure = () => {
      if (node.clientWidth > 0 && node.clientHeight > 0) onResize({ width: node.clientWidth, height: node.clientHeight })
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(node)
    return () => observer.disconnect()
  }, [onResize])

  useRemoteDragPainting()

  return (
    <div ref={area} className="desk-area" data-desk-area="">
      {ids.map((id) => (
        <WindowFrame key={id} windowId={id} live={live.has(id)} plain={seen.get(id) === 'nothing'} />
      ))}
      <SnapPreview />
      <KeyboardMode />
    </div>
  )
}

function useLiveWindows(): { readonly live: ReadonlySet<WindowId>; readonly seen: ReadonlyMap<WindowId, SeenPart> } {
  const session = useDesk((state) => state.session)
  const displayClass = useDesk((state) => state.displayClass)
  const desk = useDesk((state) => state.desk)
  const windows = session?.windows
  const stack = session?.stack
  const activity = session?.currentActivity
  const { seen, wanted } = useMemo(() => {
    const now = deskNow().session
    if (!now || !windows || !stack || !activity) return { seen: new Map<WindowId, SeenPart>(), wanted: [] }
    const frontToBack = shownWindows(now)
      .reverse()
      .map((id) => [id, windowRect(now.windows[id] as SessionState['windows'][WindowId], displayClass, desk)] as const)
    const focused = focusedWindow(now)
    const parts = seenParts(frontToBack, desk)
    const withContent = frontToBack.map(([id]) => id).filter((id) => id !== focused && parts.get(id) === 'content')
    return { seen: parts, wanted: (focused ? [focused, ...withContent] : withContent).slice(0, MAX_LIVE) }
  }, [windows, stack, activity, displayClass, desk])

  const [mounted, setMounted] = useState<readonly WindowId[]>([])
  useEffect(() => {
    const missing = wanted.filter((id) => !mounted.includes(id))
    const covered = mounted.filter((id) => !wanted.includes(id))
    if (missing.length === 0 && covered.length <= KEEP_COVERED) {
      if (wanted.length > 0) markOnce('elsewhere:all-windows')
      return
    }
    const first = mounted.length === 0
    const next = requestAnimationFrame(() =>
      setMounted((before) => {
        const still = wanted.filter((id) => !before.includes(id)).slice(0, first ? 1 : MOUNT_STEP)
        const kept = before.filter((id) => !wanted.includes(id)).slice(-KEEP_COVERED)
        return [...kept, ...before.filter((id) => wanted.includes(id)), ...still]
      }),
    )
    return () => cancelAnimationFrame(next)
  }, [wanted, mounted])

  return useMemo(() => ({ seen, live: new Set([...(wanted[0] ? [wanted[0]] : []), ...mounted]) }), [seen, wanted, mounted])
}

const marked = new Set<string>()
function markOnce(name: string): void {
  if (marked.has(name)) return
  marked.add(name)
  requestAnimationFrame(() => setTimeout(() => performance.mark(name)))
}

/** Windows dragged on other displays follow here outside of React, and fall back to their place when the drag ends. */
function useRemoteDragPainting(): void {
  useEffect(() => {
    let painted = new Set<WindowId>()
    return useRemoteDrags.subscribe(({ drags }) => {
      for (const [id, rect] of drags) {
        const element = frameElement(id)
        if (!element || element.dataset['lifted'] !== undefined) continue
        element.dataset['remoteDrag'] = ''
        paintFrame(element, rect)
      }
      for (const id of painted) {
        if (drags.has(id)) continue
        const element = frameElement(id)
        const rect = windowRectNow(id)
        if (!element || !rect) continue
        delete element.dataset['remoteDrag']
        paintFrame(element, rect)
      }
      painted = new Set(drags.keys())
    })
  }, [])
}
