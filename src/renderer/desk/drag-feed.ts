import type { WindowId } from '../../session/session-ids.ts'
import type { PixelRect } from '../../session/snap-zone.ts'

type Publish = (windowId: WindowId | undefined, rect: PixelRect | undefined) => void

let publish: Publish = () => {}

/** Where drags of this display are told to others; set by the desk when its workspace is attached. */
export const setDragFeed = (feed: Publish | undefined): void => {
  publish = feed ?? (() => {})
}

export const publishDrag: Publish = (windowId, rect) => publish(windowId, rect)
