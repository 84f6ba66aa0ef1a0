import { memo, useEffect, useRef } from 'react'
import { setShell, useShell } from '../desk/shell-store.ts'
import { CLOSED_PX } from '../window/drop-on-device.ts'
import { stepFocus } from './dock.tsx'
import { ElsewhereTiles } from './elsewhere-tiles.tsx'
import { useCarriedWork } from './use-carried-work.ts'
import './dock.css'

/** Leaving the dock closes it after this, so that a slip of the pointer does not. */
const CLOSE_DELAY_MS = 250

/** What there is elsewhere: a tile per device with its load, its link and what runs there. Grows when looked at or dragged to. */
export const ElsewhereDock = memo(function ElsewhereDock() {
  const opened = useShell((state) => state.elsewhereOpen)
  const carried = useShell((state) => state.carried)
  const past = useShell((state) => state.carriedPast)
  const open = opened || carried !== undefined
  const timer = useRef(0)
  useEffect(() => () => clearTimeout(timer.current), [])
  useCarriedWork()

  const setOpen = (to: boolean, delayMs: number) => {
    clearTimeout(timer.current)
    timer.current = window.setTimeout(() => {
      if (useShell.getState().carried) return // the drag says when it goes in and out
      // A menu that was opened from a tile keeps its place.
      if (to || !document.querySelector('.ui-menu')) setShell({ elsewhereOpen: to })
    }, delayMs)
  }
  return (
    <aside className="elsewhere" aria-label="Elsewhere: your devices">
      <div
        className="elsewhere-panel"
        data-open={open || undefined}
        data-carrying={carried ? (opened ? 'in' : past ? 'past' : 'by') : undefined}
        onPointerEnter={(event) => {
          // After a drop beside it the dock shrinks away from under the pointer: only over its narrow column is it looked at.
          const looked = opened || innerWidth - event.clientX <= CLOSED_PX
          if (event.pointerType === 'mouse' && looked) setOpen(true, CLOSE_DELAY_MS)
        }}
        // While a command is being typed the dock stays, wherever the pointer goes.
        onPointerLeave={(event) => !event.currentTarget.querySelector('.run-command input:focus') && setOpen(false, CLOSE_DELAY_MS)}
        onFocus={(event) => event.target.matches(':focus-visible') && setOpen(true, 0)}
        onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setOpen(false, CLOSE_DELAY_MS)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') setOpen(false, 0)
          stepFocus(event)
        }}
      >
        <ElsewhereTiles open={open} />
      </div>
    </aside>
  )
})
