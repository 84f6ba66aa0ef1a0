import { readQr } from './read-qr.ts'

/** A frame of the camera, or a picture that somebody chose. */
export interface QrQuestion {
  readonly kind: 'frame' | 'picture'
  readonly bitmap: ImageBitmap
}

// Reads QR codes away from the page: a picture that was made to take for ever stops this worker only.
addEventListener('message', async ({ data: { kind, bitmap } }: MessageEvent<QrQuestion>) => {
  const { width, height } = bitmap
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
  context?.drawImage(bitmap, 0, 0)
  bitmap.close()
  const pixels = context?.getImageData(0, 0, width, height)
  postMessage(pixels ? await readQr(pixels, kind) : [])
})
