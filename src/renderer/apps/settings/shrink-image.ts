/** Longest a wallpaper may be as text: it travels in the workspace (session preferences). */
const MAX_CHARS = 262_144
/** Tried in order until the image fits. A quiet background needs no more than 2560 px. */
const SIZES = [2560, 1920, 1440, 1080, 720] as const
const QUALITIES = [0.82, 0.68, 0.5] as const

/**
 * An image as a data URL small enough to follow the person. Drawn anew, so that nothing but its pixels is kept.
 *
 * @throws DOMException  the file is no image
 */
export async function shrinkImage(file: Blob): Promise<string> {
  const bitmap = await createImageBitmap(file)
  const canvas = document.createElement('canvas')
  const paint = canvas.getContext('2d')
  try {
    for (const longest of SIZES) {
      const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height))
      canvas.width = Math.round(bitmap.width * scale)
      canvas.height = Math.round(bitmap.height * scale)
      paint?.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
      for (const quality of QUALITIES) {
        const url = canvas.toDataURL('image/webp', quality)
        if (url.length <= MAX_CHARS) return url
      }
    }
  } finally {
    bitmap.close()
  }
  throw new DOMException('the image stays too large even when made smaller', 'DataError')
}
