import { placeInClass, freePixels } from '../../session/place.ts'
import type { WindowId } from '../../session/session-ids.ts'
import { type PixelRect, type SnapZone, snapZone, zoneRect } from '../../session/snap-zone.ts'
import { dispatch, sessionNow, useDesk } from '../desk/desk-store.ts'
import { carriedOf, dropCarried, dropOnDevice, tileUnder } from './drop-on-device.ts'
import { setShell } from '../desk/shell-store.ts'
import { publishDrag } from '../desk/drag-feed.ts'
import { frameElement, paintFrame, shiftFrame, unshiftFrame } from './frame-elements.ts'
import { followPointer } from './pointer-drag.ts'
import { previewSnap } from './snap-preview.tsx'
import { windowRectNow } from './use-places.ts'
import { moveRect, pullLoose, type ResizeEdge, resizeRect } from './window-geometry.ts'

/** Top left corner of the desk area on the page. */
export function deskOrigin(): { readonly x: number; readonly y: number } {
  const box = document.querySelector('[data-desk-area]')?.getBoundingClientRect()
  return { x: box?.left ?? 0, y: box?.top ?? 0 }
}

/**
 * Drags a window by its title bar: the frame follows the pointer outside of React, other displays see it through
 * awareness, edges preview a snap; letting go commits once.
 */
export function dragWindow(press: PointerEvent, windowId: WindowId): void {
  const element = frameElement(windowId)
  if (!element) return
  const origin = deskOrigin()
  let start: PixelRect | undefined
  let at: PixelRect | undefined
  let zone: SnapZone = 'none'
  let maySnap = true

  followPointer(press, element, {
    start: () => {
      const { session, displayClass, desk } = useDesk.getState()
      const window = session?.windows[windowId]
      const shown = windowRectNow(windowId)
      if (!window || !shown) return false
      const place = placeInClass(window.places, displayClass)
      const pointer = { x: press.clientX - origin.x, y: press.clientY - origin.y }
      start = place.zone === 'none' ? shown : pullLoose(shown, freePixels(place, desk), pointer)
      paintFrame(element, start)
      maySnap = true
      element.dataset['lifted'] = ''
      const carried = carriedOf('window', window.activeTab)
      if (carried) setShell({ carried })
      return true
    },
    move: (event) => {
      const { desk } = useDesk.getState()
      if (!start) return
      at = moveRect(start, event.clientX - press.clientX, event.clientY - press.clientY, desk)
      shiftFrame(element, start, at)
      publishDrag(windowId, at)
      const tile = tileUnder(event.clientX, event.clientY)
      maySnap = !event.altKey && !tile
      zone = maySnap ? snapZone({ x: event.clientX - origin.x, y: event.clientY - origin.y }, desk) : 'none'
      previewSnap(zone === 'none' ? undefined : zoneRect(zone, desk))
    },
    end: (event, commit) => {
      delete element.dataset['lifted']
      previewSnap(undefined)
      publishDrag(undefined, undefined)
      const tile = event && tileUnder(event.clientX, event.clientY)
      dropCarried()
      unshiftFrame(element)
      if (commit && tile) {
        const tabId = sessionNow().windows[windowId]?.activeTab
        if (tabId) dropOnDevice('window', tabId, tile)
      } else if (commit && zone !== 'none') dispatch({ type: 'window/snap', windowId, zone })
      else if (commit && at) dispatch({ type: 'window/move', windowId, x: at.x, y: at.y })
      const settled = windowRectNow(windowId)
      if (settled) paintFrame(element, settled)
    },
  })
}

/** Drags one edge or corner. A window in a zone becomes free at the size it is dragged to. */
export function resizeWindow(press: PointerEvent, windowId: WindowId, edge: ResizeEdge): void {
  const element = frameElement(windowId)
  if (!element) return
  let start: PixelRect | undefined
  let at: PixelRect | undefined
  followPointer(press, element, {
    start: () => {
      start = windowRectNow(windowId)
      return start !== undefined
    },
    move: (event) => {
      const { desk } = useDesk.getState()
      if (!start) return
      at = resizeRect(start, edge, event.clientX - press.clientX, event.clientY - press.clientY, desk)
      paintFrame(element, at)
      publishDrag(windowId, at)
    },
    end: (_event, commit) => {
      publishDrag(undefined, undefined)
      if (commit && at) dispatch({ type: 'window/resize', windowId, rect: at })
      const settled = windowRectNow(windowId)
      if (settled) paintFrame(element, settled)
    },
  })
}
