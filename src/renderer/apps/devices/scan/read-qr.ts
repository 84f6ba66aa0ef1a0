import { decodeQRBatch } from 'qr/decode.js'
import { MAX_LINK_LETTERS } from '../pairing-code.ts'

/** Pixels as a canvas gives them: four bytes each. */
export interface Pixels {
  readonly width: number
  readonly height: number
  readonly data: Uint8ClampedArray
}

/** More codes in one picture are somebody's wallpaper. */
const MAX_CODES = 16
/** A frame that is missed is followed by the next; a picture has only one try. */
const EFFORT = { frame: {}, picture: { effort: Number.POSITIVE_INFINITY, timeLimit: 3_000 } }

/**
 * What the QR codes in a picture say, each cut one letter after the longest link that there is: nothing longer is looked at. A picture
 * is a stranger's: whatever it holds, this ends with a list (rule AP62).
 */
export async function readQr({ width, height, data }: Pixels, kind: keyof typeof EFFORT): Promise<readonly string[]> {
  if (!(width > 0 && height > 0 && data.length === width * height * 4)) return []
  const [found = []] = await decodeQRBatch([{ width, height, data }], EFFORT[kind]).catch(noCode)
  return found
    .filter((one) => typeof one === 'string')
    .slice(0, MAX_CODES)
    .map((text) => text.slice(0, MAX_LINK_LETTERS + 1))
}

/** A code that cannot be read is none; what the decoder says of it helps nobody. */
const noCode = (): [] => []
