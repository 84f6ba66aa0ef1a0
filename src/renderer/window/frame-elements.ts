import type { WindowId } from '../../session/session-ids.ts'
import type { PixelRect } from '../../session/snap-zone.ts'

/*
 * The elements of mounted windows, for what must not wait for React: drags, previews of drags made elsewhere. React owns
 * left, top, width and height between drags; whoever paints here ends by writing the final rectangle.
 */
const frames = new Map<WindowId, HTMLElement>()

export function registerFrame(windowId: WindowId, element: HTMLElement): () => void {
  frames.set(windowId, element)
  return () => {
    if (frames.get(windowId) === element) frames.delete(windowId)
  }
}

export const frameElement = (windowId: WindowId): HTMLElement | undefined => frames.get(windowId)

/** The style of a frame at a rectangle: whole pixels, so that text stays sharp. */
export const frameStyle = (rect: PixelRect) => ({
  left: `${Math.round(rect.x)}px`,
  top: `${Math.round(rect.y)}px`,
  width: `${Math.round(rect.width)}px`,
  height: `${Math.round(rect.height)}px`,
})

export function paintFrame(element: HTMLElement, rect: PixelRect): void {
  Object.assign(element.style, frameStyle(rect))
}

/** Moves a frame from where it was painted without laying anything out: what a drag does at every frame. */
export function shiftFrame(element: HTMLElement, from: PixelRect, to: PixelRect): void {
  element.style.translate = `${Math.round(to.x) - Math.round(from.x)}px ${Math.round(to.y) - Math.round(from.y)}px`
}

export const unshiftFrame = (element: HTMLElement): void => {
  element.style.translate = ''
}
