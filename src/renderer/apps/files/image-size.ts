/**
 * Width and height that a picture says it has, from its first bytes: what drawing it would cost is known before it is drawn.
 * PNG, GIF, BMP, WebP and JPEG; undefined for others and for what is cut or bent.
 */
export function imageSize(bytes: Uint8Array): { readonly width: number; readonly height: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const says = (at: number, letters: string) => [...letters].every((letter, index) => bytes[at + index] === letter.charCodeAt(0))
  try {
    if (says(1, 'PNG\r\n')) return { width: view.getUint32(16), height: view.getUint32(20) }
    if (says(0, 'GIF8')) return { width: view.getUint16(6, true), height: view.getUint16(8, true) }
    if (says(0, 'BM')) return { width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)) }
    if (says(0, 'RIFF') && says(8, 'WEBP')) return webpSize(view, says)
    if (view.getUint16(0) === 0xffd8) return jpegSize(view)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error // cut before its size
  }
  return undefined
}

function webpSize(view: DataView, says: (at: number, letters: string) => boolean) {
  if (says(12, 'VP8 ')) return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff }
  if (says(12, 'VP8L')) {
    const bits = view.getUint32(21, true)
    return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 }
  }
  if (!says(12, 'VP8X')) return undefined
  const three = (at: number) => view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
  return { width: three(24) + 1, height: three(27) + 1 }
}

/** Walks its segments up to the one with the size, past what does not belong there, as those who draw it do. */
function jpegSize(view: DataView) {
  for (let at = 2; ; ) {
    while (view.getUint8(at) !== 0xff) at++
    while (view.getUint8(at) === 0xff) at++
    const marker = view.getUint8(at++)
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc)
      return { width: view.getUint16(at + 5), height: view.getUint16(at + 3) }
    if (marker >= 0xd8 && marker <= 0xda) return undefined // another beginning, the end, or what is drawn: nobody draws that
    const hasLength = marker > 0x01 && !(marker >= 0xd0 && marker <= 0xd7)
    if (hasLength) at += Math.max(2, view.getUint16(at))
  }
}
