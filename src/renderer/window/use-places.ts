import type { DeskSize, DisplayClass } from '../../session/display-class.ts'
import { placeInClass, placeToPixels } from '../../session/place.ts'
import type { WindowId } from '../../session/session-ids.ts'
import type { SessionState, WindowState } from '../../session/session-state.ts'
import type { PixelRect } from '../../session/snap-zone.ts'
import { useDesk } from '../desk/desk-store.ts'

/** Where a window is on this display. */
export const windowRect = (window: WindowState, displayClass: DisplayClass, desk: DeskSize): PixelRect =>
  placeToPixels(placeInClass(window.places, displayClass), desk)

/** For handlers: where a window is now, or undefined when it is gone. */
export function windowRectNow(windowId: WindowId): PixelRect | undefined {
  const { session, displayClass, desk } = useDesk.getState()
  const window = session?.windows[windowId]
  return window && windowRect(window, displayClass, desk)
}

/** The windows of the current activity that are on the desk, back to front. */
export const shownWindows = (session: SessionState): WindowId[] =>
  session.stack.filter((id) => {
    const window = session.windows[id]
    return window?.activity === session.currentActivity && !window.minimised
  })

/** The window with the keys, or undefined where all are minimised. */
export const focusedWindow = (session: SessionState): WindowId | undefined => session.focus[session.currentActivity] ?? undefined
