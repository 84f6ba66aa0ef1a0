import { startTransition, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { WindowId } from '../../session/session-ids.ts'
import type { SessionState } from '../../session/session-state.ts'
import type { DeskSize } from '../../session/display-class.ts'
import { type DeskSlice, deskNow, useDesk } from '../desk/desk-store.ts'
import { useRemoteDrags } from '../desk/remote-drags.ts'
import { frameElement, paintFrame } from './frame-elements.ts'
import { KeyboardMode } from './keyboard-mode.tsx'
import { SnapPreview } from './snap-preview.tsx'
import { nextStage, stageOf } from './staging.ts'
import { useDeskArea } from './use-desk-area.ts'
import { focusedWindow, shownWindows, windowRect, windowRectNow } from './use-places.ts'
import { type SeenPart, seenParts } from './window-geometry.ts'
import { WindowFrame } from './window-frame.tsx'
import './window.css'

/** Windows whose content is mounted in one go after the focused one; more would hold up the first frame. */
const MOUNT_STEP = 4
/** Frames drawn in one go after the focused window's: some 40 ms of work, and a desk of fifty is there in two steps more. */
const FRAME_STEP = 24
/** Covered windows that stay mounted, so that going back and forth is instant; beyond that the longest unseen goes. */
const KEEP_COVERED = 8
/** More contents than this are not mounted at once, whatever can be seen: the hindmost wait until they come forward. */
const MAX_LIVE = 32

/**
 * The desk area with its windows. The focused window comes first, whole, and takes keys; the next frames bring the others,
 * foremost first. Content is mounted only where something of it can be seen.
 */
export function WindowLayer({ onResize }: { onResize: (desk: DeskSize) => void }) {
  const area = useRef<HTMLDivElement>(null)
  const [measured, setMeasured] = useState(false)
  const measure = useCallback(
    (desk: DeskSize) => {
      onResize(desk)
      setMeasured(true)
    },
    [onResize],
  )
  useDeskArea(area, measure)
  useRemoteDragPainting()

  return (
    <div ref={area} className="desk-area" data-desk-area="">
      {measured && <Windows /> /* laid out once, for the size the area has */}
      <SnapPreview />
      <KeyboardMode />
    </div>
  )
}

function Windows() {
  const { seen, wanted } = useSeenWindows()
  const frames = useStaged(wanted.frames, FRAME_STEP, 0)
  const contents = useStaged(wanted.contents, MOUNT_STEP, KEEP_COVERED)
  const all = frames.complete && contents.complete && wanted.frames.length > 0
  useEffect(() => {
    if (all) markOnce('elsewhere:all-windows')
  }, [all])
  // In a fixed order: raising a window must not move its element (an iframe would load anew).
  return [...frames.shown]
    .sort()
    .map((id) => (
      <WindowFrame
        key={id}
        windowId={id}
        live={contents.shown.has(id)}
        plain={seen.get(id) === 'nothing'}
        arrives={id === frames.newcomer}
      />
    ))
}

interface Wanted {
  /** All windows on the desk, and those whose content can be seen: the focused one first, then front to back, hidden ones last. */
  readonly frames: readonly WindowId[]
  readonly contents: readonly WindowId[]
}

interface SeenWindows {
  readonly seen: ReadonlyMap<WindowId, SeenPart>
  readonly wanted: Wanted
}

function useSeenWindows(): SeenWindows {
  const session = useDesk((state) => state.session)
  const displayClass = useDesk((state) => state.displayClass)
  const desk = useDesk((state) => state.desk)
  const windows = session?.windows
  const stack = session?.stack
  const activity = session?.currentActivity
  return useMemo(() => {
    const { session: now } = deskNow()
    return layOut({ session: windows && stack && activity && now, displayClass, desk })
  }, [windows, stack, activity, displayClass, desk])
}

/** What is where, and how much of it can be seen. */
export function layOut({ session, displayClass, desk }: Pick<DeskSlice, 'session' | 'displayClass' | 'desk'>): SeenWindows {
  if (!session) return { seen: new Map(), wanted: { frames: [], contents: [] } }
  const frontToBack = shownWindows(session)
    .reverse()
    .map((id) => [id, windowRect(session.windows[id] as SessionState['windows'][WindowId], displayClass, desk)] as const)
  const focused = focusedWindow(session)
  const seen = seenParts(frontToBack, desk)
  const others = frontToBack.map(([id]) => id).filter((id) => id !== focused)
  const inView = others.filter((id) => seen.get(id) !== 'nothing')
  const hidden = others.filter((id) => seen.get(id) === 'nothing')
  const first = focused ? [focused] : []
  const contents = [...first, ...inView.filter((id) => seen.get(id) === 'content')].slice(0, MAX_LIVE)
  return { seen, wanted: { frames: [...first, ...inView, ...hidden], contents } }
}

/** Shows a list of windows a few at a time: the first in the first frame, `step` more after each. */
function useStaged(wanted: readonly WindowId[], step: number, kept: number) {
  const [before, setBefore] = useState<readonly WindowId[]>([])
  const stage = useMemo(() => stageOf(wanted, before, kept), [wanted, before, kept])
  useEffect(
    () => (stage.missing.length > 0 ? afterPaint(() => startTransition(() => setBefore(nextStage(stage, step)))) : undefined),
    [stage, step],
  )
  // One that comes by itself is seen coming; a whole desk is just there.
  const newcomer = stage.missing.length === 1 && before.length > 0 ? stage.missing[0] : undefined
  return { shown: stage.shown, complete: stage.missing.length === 0, newcomer }
}

/** Calls back when what is in the page now has been drawn; the answer takes that back. */
function afterPaint(callback: () => void): () => void {
  let timer = 0
  const frame = requestAnimationFrame(() => {
    timer = window.setTimeout(callback)
  })
  return () => {
    cancelAnimationFrame(frame)
    clearTimeout(timer)
  }
}

const marked = new Set<string>()
function markOnce(name: string): void {
  if (marked.has(name)) return
  marked.add(name)
  afterPaint(() => performance.mark(name))
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
