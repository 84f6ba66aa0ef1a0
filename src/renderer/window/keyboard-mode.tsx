import { useEffect, useRef, useState } from 'react'
import type { PixelRect } from '../../session/snap-zone.ts'
import { dispatch, useDesk } from '../desk/desk-store.ts'
import { setShell, type ShellSlice, useShell } from '../desk/shell-store.ts'
import { publishDrag } from '../desk/drag-feed.ts'
import { frameElement, paintFrame } from './frame-elements.ts'
import { windowRectNow } from './use-places.ts'
import { keyEdge, keyStep, moveRect, resizeRect } from './window-geometry.ts'

/** Moving and resizing by keyboard: arrows move or grow, Enter keeps, Escape gives up. One commit at the end, as with a drag. */
export function KeyboardMode() {
  const mode = useShell((state) => state.keyboardMode)
  return mode ? <ActiveMode key={`${mode.windowId}:${mode.kind}`} mode={mode} /> : null
}

function ActiveMode({ mode }: { mode: NonNullable<ShellSlice['keyboardMode']> }) {
  const [rect, setRect] = useState<PixelRect | undefined>(() => windowRectNow(mode.windowId))
  const box = useRef<HTMLDivElement>(null)

  useEffect(() => {
    const { windowId, kind } = mode
    const element = frameElement(windowId)
    let at = windowRectNow(windowId)
    if (!element || !at) return setShell({ keyboardMode: undefined })
    const start = at
    element.dataset['lifted'] = ''
    box.current?.focus()

    const finish = (commit: boolean) => {
      delete element.dataset['lifted']
      publishDrag(undefined, undefined)
      if (commit && at && at !== start) {
        if (kind === 'move') dispatch({ type: 'window/move', windowId, x: at.x, y: at.y })
        else dispatch({ type: 'window/resize', windowId, rect: at })
      }
      const settled = windowRectNow(windowId)
      if (settled) paintFrame(element, settled)
      setShell({ keyboardMode: undefined })
      element.focus()
    }
    const handleKey = (event: KeyboardEvent) => {
      event.preventDefault()
      event.stopImmediatePropagation()
      if (event.key === 'Escape') return finish(false)
      if (event.key === 'Enter') return finish(true)
      const step = keyStep(event)
      if (!step || !at) return
      const { desk } = useDesk.getState()
      at = kind === 'move' ? moveRect(at, ...step, desk) : resizeRect(at, keyEdge(event), ...step, desk)
      paintFrame(element, at)
      publishDrag(windowId, at)
      setRect(at)
    }
    const giveUp = () => finish(false)
    addEventListener('keydown', handleKey, { capture: true })
    addEventListener('pointerdown', giveUp, { capture: true, once: true })
    return () => {
      removeEventListener('keydown', handleKey, { capture: true })
      removeEventListener('pointerdown', giveUp, { capture: true })
      delete element.dataset['lifted']
    }
  }, [mode])

  return (
    <div ref={box} className="keyboard-mode" role="status" tabIndex={-1}>
      <strong>{mode.kind === 'move' ? 'Move' : 'Resize'} with the arrow keys</strong>
      {rect && (
        <span className="numbers">
          {mode.kind === 'move' ? `${Math.round(rect.x)}, ${Math.round(rect.y)}` : `${Math.round(rect.width)} × ${Math.round(rect.height)}`}
        </span>
      )}
      <span>{mode.kind === 'resize' && 'Alt: left and top edge. '}Shift: finer. Ctrl: coarser. Enter: keep. Esc: give up.</span>
    </div>
  )
}
