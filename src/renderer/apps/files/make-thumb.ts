import { clientNow } from '../../desk/app-desk.ts'
import { closeView, type LookAt, openView } from './file-view.ts'
import { imageSize } from './image-size.ts'
import { lookKind } from './look-kind.ts'
import type { Thumb } from './thumbs.ts'

/** Larger files are pictures for printing: opened, not glanced at. */
const MAX_BYTES = 24 * 1024 * 1024
/** What is on other devices is not fetched for a glance, unless it is this small. */
const MAX_AWAY_BYTES = 256 * 1024
/** Of formats whose size in pixels is not known before they are drawn. */
const MAX_UNMEASURED_BYTES = 2 * 1024 * 1024
/** A few bytes can be a picture of a million pixels square. 64 million: what a good camera makes. */
const MAX_PIXELS = 64_000_000
/** Two pixels for each of the tile's 72 by 56, as fine screens have. */
export const THUMB_WIDTH_PX = 144
export const THUMB_HEIGHT_PX = 112

/** May a small picture be made of it? */
export function hasThumb({ entry }: Pick<LookAt, 'entry'>): boolean {
  if (entry.kind !== 'file' || lookKind(entry) !== 'picture' || /\.svg$/i.test(entry.name)) return false
  const isHere = entry.shared === undefined || entry.shared.place === 'here'
  return entry.bytes > 0 && entry.bytes <= (isHere ? MAX_BYTES : MAX_AWAY_BYTES)
}

/** What a picture is of: another version is another one. */
export const thumbKey = ({ device, path, entry }: LookAt): string =>
  entry.shared ? `${entry.shared.node} ${entry.shared.version}` : `${device} ${path} ${entry.bytes} ${entry.modifiedMs}`

/** Reads a picture and makes a small one of it, away from the page's own thread. @throws when it could not be read, for now */
export async function makeThumb(at: LookAt, signal: AbortSignal): Promise<Thumb> {
  const client = clientNow()
  const view = await openView(client, at, { signal })
  try {
    const response = await fetch(view.path, { signal })
    if (!response.ok) throw new Error(`the picture could not be read (${response.status})`)
    const bytes = new Uint8Array(await response.arrayBuffer())
    const size = imageSize(bytes)
    if (size ? size.width * size.height > MAX_PIXELS : bytes.length > MAX_UNMEASURED_BYTES) return 'none'
    const isWide = !size || size.width * THUMB_HEIGHT_PX >= size.height * THUMB_WIDTH_PX
    const blob = new Blob([bytes], { type: view.type })
    // Small ones stay as they are: made larger they would only be blurred.
    const isSmall = size && size.width <= THUMB_WIDTH_PX && size.height <= THUMB_HEIGHT_PX
    const resize = isSmall ? {} : isWide ? { resizeWidth: THUMB_WIDTH_PX } : { resizeHeight: THUMB_HEIGHT_PX }
    return await createImageBitmap(blob, { ...resize, resizeQuality: 'medium' }).catch(noPicture)
  } finally {
    closeView(client, view)
  }
}

/** Bytes that cannot be drawn are never drawn. */
function noPicture(error: unknown): Thumb {
  if (error instanceof DOMException && error.name === 'InvalidStateError') return 'none'
  throw error
}
